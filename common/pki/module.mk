LIBS += pki
pki_SRCS := $(wildcard common/pki/*.c)
pki_DEPS := base
pki_LDLIBS := -lssl -lcrypto -lcjson
