# The library and the binary share a name, and with it the list of sources; a test's own main() wins over the archive's.
LIBS += kubectl
BINS += kubectl
kubectl_SRCS := $(wildcard kubectl/*.c kubectl/*/*.c)
kubectl_DEPS := base api net client
kubectl_LIBS := kubectl
kubectl_LDLIBS := -lcjson -lyaml
