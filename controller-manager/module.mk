LIBS += controller-manager
controller-manager_SRCS := $(filter-out controller-manager/main.c,$(wildcard controller-manager/*.c controller-manager/*/*.c))
controller-manager_DEPS := base api net client serve pki
controller-manager_LDLIBS := -lm

BINS += kube-controller-manager
kube-controller-manager_SRCS := controller-manager/main.c
kube-controller-manager_LIBS := controller-manager
