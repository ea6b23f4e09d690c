# The schema compiler and what it makes of proto/api: structs, protobuf-c descriptors and schema tables in build/gen/api.
API_PROTOS := $(sort $(filter-out proto/api/options.proto,$(wildcard proto/api/*.proto)))
API_BASES := $(patsubst proto/api/%.proto,%,$(API_PROTOS)) map
API_GEN_SRCS := $(API_BASES:%=$(GEN)/api/%.gen.c) $(GEN)/api/index.gen.c
API_GEN_HDRS := $(API_BASES:%=$(GEN)/api/%.gen.h) $(GEN)/api/types.h
GENERATED += $(API_GEN_HDRS)

SCHEMAC := build/host/schemac
PROTOC_FLAGS := --experimental_allow_proto3_optional
HOSTFLAGS := -std=c17 -D_GNU_SOURCE -O1 -g1 -Wall -Wextra -Werror -Wno-unused-parameter -Wno-missing-field-initializers

build/host/pb/google/protobuf/descriptor.pb-c.c: /usr/include/google/protobuf/descriptor.proto
	$(call say,PROTOC,$<)
	@mkdir -p build/host/pb
	$(Q)protoc-c --c_out=build/host/pb -I/usr/include google/protobuf/descriptor.proto

build/host/pb/api/options.pb-c.c: proto/api/options.proto
	$(call say,PROTOC,$<)
	@mkdir -p build/host/pb
	$(Q)protoc-c --c_out=build/host/pb -Iproto -I/usr/include api/options.proto

SCHEMAC_PB := build/host/pb/google/protobuf/descriptor.pb-c.c build/host/pb/api/options.pb-c.c
SCHEMAC_SRCS := $(wildcard proto/schemac/*.c)

$(SCHEMAC): $(SCHEMAC_SRCS) $(wildcard proto/schemac/*.h) $(SCHEMAC_PB)
	$(call say,HOSTCC,$@)
	$(Q)$(HOSTCC) $(HOSTFLAGS) -Ibuild/host/pb -Iproto -o $@ $(SCHEMAC_SRCS) $(SCHEMAC_PB) -lprotobuf-c

$(GEN)/api.desc: proto/api/options.proto $(API_PROTOS)
	$(call say,PROTOC,$@)
	@mkdir -p $(@D)
	$(Q)protoc $(PROTOC_FLAGS) --include_source_info -Iproto -I/usr/include -o $@ $(API_PROTOS:proto/%=%)

# Files whose content stays the same keep their time, so that a change of one schema file rebuilds little.
$(GEN)/api/.stamp: $(GEN)/api.desc $(SCHEMAC)
	$(call say,SCHEMAC,$(GEN)/api)
	@mkdir -p $(GEN)/api
	$(Q)$(SCHEMAC) $(GEN)/api.desc $(GEN)/api
	@touch $@

$(API_GEN_SRCS) $(API_GEN_HDRS): $(GEN)/api/.stamp
	@:
