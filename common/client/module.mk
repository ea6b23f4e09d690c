LIBS += client
client_SRCS := $(wildcard common/client/*.c)
client_DEPS := net api base
client_LDLIBS := -lcurl -lssl -lcrypto
