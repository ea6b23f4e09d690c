LIBS += kubelet
kubelet_SRCS := $(filter-out kubelet/main.c,$(wildcard kubelet/*.c kubelet/*/*.c))
kubelet_DEPS := serve client net rpc pki api base
kubelet_LDLIBS := -lz
BINS += kubelet
kubelet_MAIN := kubelet/main.c
