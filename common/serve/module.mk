LIBS += serve
serve_SRCS := $(wildcard common/serve/*.c)
serve_DEPS := client net pki api base
serve_LDLIBS := -lmicrohttpd -lgnutls -lssl -lcrypto
