LIBS += kubectl
kubectl_SRCS := $(filter-out kubectl/main.c,$(wildcard kubectl/*.c kubectl/*/*.c kubectl/*/*/*.c))
kubectl_DEPS := base api net client
kubectl_LDLIBS := -lcjson -lyaml -larchive -lcrypto
BINS += kubectl
kubectl_MAIN := kubectl/main.c
