LIBS += apiserver
apiserver_SRCS := $(filter-out apiserver/main.c,$(wildcard apiserver/*.c apiserver/*/*.c apiserver/*/*/*.c))
apiserver_DEPS := base api cel net rpc client serve pki
# Without this library zlib deflates.
ISAL := $(if $(wildcard /usr/include/isa-l/igzip_lib.h),-lisal)
apiserver_LDLIBS := -lmicrohttpd -lgnutls -lcrypto -lssl -lsodium -lz $(ISAL)

BINS += kube-apiserver
kube-apiserver_SRCS := apiserver/main.c
kube-apiserver_LIBS := apiserver
