LIBS += base
base_SRCS := $(wildcard common/base/*.c)
base_LDLIBS := -lunistring
