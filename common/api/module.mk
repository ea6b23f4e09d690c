LIBS += api
# Deferred: proto/module.mk, which names the generated sources, is read after this file.
api_SRCS = $(wildcard common/api/*.c common/api/print/*.c common/api/defaults/*.c) $(API_GEN_SRCS)
api_DEPS := base
api_LDLIBS := -lprotobuf-c -lcjson -lyaml -lm
