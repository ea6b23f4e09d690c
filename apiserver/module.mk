LIBS += apiserver
apiserver_SRCS := $(filter-out apiserver/main.c apiserver/absent/%,$(wildcard apiserver/*.c apiserver/*/*.c))
# What is not written yet is stood in for.
apiserver_SRCS += $(if $(wildcard apiserver/strategy/table.c),,apiserver/absent/strategy.c)
apiserver_SRCS += $(if $(wildcard apiserver/boot/boot.c),,apiserver/absent/boot.c)
apiserver_SRCS += $(if $(wildcard apiserver/admission/admission.c),,apiserver/absent/admission.c)
apiserver_SRCS += $(if $(wildcard common/serve/metrics.c),,apiserver/absent/metrics.c)
apiserver_SRCS := $(if $(wildcard common/net/spdy.c),$(apiserver_SRCS),$(filter-out apiserver/http/translate.c,$(apiserver_SRCS)) apiserver/absent/translate.c)
apiserver_DEPS := base api net rpc client serve pki
apiserver_LDLIBS := -lmicrohttpd -lgnutls -lcrypto -lssl -lz

BINS += kube-apiserver
kube-apiserver_SRCS := apiserver/main.c
kube-apiserver_LIBS := apiserver
