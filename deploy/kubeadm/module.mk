LIBS += kubeadm
kubeadm_SRCS := $(filter-out deploy/kubeadm/main.c,$(wildcard deploy/kubeadm/*.c))
kubeadm_DEPS := client rpc pki api base

BINS += kubeadm
kubeadm_MAIN := deploy/kubeadm/main.c
