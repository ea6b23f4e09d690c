LIBS += kube-proxy
kube-proxy_SRCS := $(filter-out kube-proxy/main.c,$(wildcard kube-proxy/*.c))
kube-proxy_DEPS := serve client api base
kube-proxy_LDLIBS := -lnftables -lmnl

BINS += kube-proxy
kube-proxy_MAIN := kube-proxy/main.c
kube-proxy_LIBS := kube-proxy
