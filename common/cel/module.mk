LIBS += cel
cel_SRCS := $(wildcard common/cel/*.c)
cel_DEPS := api base
cel_LDLIBS := -lm
