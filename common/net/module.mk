LIBS += net
net_SRCS := $(wildcard common/net/*.c)
net_DEPS := base api
net_LDLIBS := -lssl -lcrypto -lz
