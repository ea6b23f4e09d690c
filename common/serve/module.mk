LIBS += serve
serve_SRCS := $(wildcard common/serve/*.c)
serve_DEPS := client net pki api base
# Without this library (amd64 has it) GnuTLS seals all records.
IPSEC_MB := $(if $(wildcard /usr/include/intel-ipsec-mb.h),-lIPSec_MB)
serve_LDLIBS := -lmicrohttpd -lgnutls -lssl -lcrypto $(IPSEC_MB)
