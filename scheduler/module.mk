LIBS += scheduler
scheduler_SRCS := $(filter-out scheduler/main.c,$(wildcard scheduler/*.c scheduler/plugins/*.c))
scheduler_DEPS := serve client api base
scheduler_LDLIBS := -lm

BINS += kube-scheduler
kube-scheduler_SRCS := scheduler/main.c
kube-scheduler_LIBS := scheduler
