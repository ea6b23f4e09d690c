LIBS += apiserver
apiserver_SRCS := $(filter-out apiserver/main.c,$(wildcard apiserver/*.c apiserver/*/*.c))
apiserver_DEPS := base api cel net rpc client serve pki
apiserver_LDLIBS := -lmicrohttpd -lgnutls -lcrypto -lssl -lz

BINS += kube-apiserver
kube-apiserver_SRCS := apiserver/main.c
kube-apiserver_LIBS := apiserver
