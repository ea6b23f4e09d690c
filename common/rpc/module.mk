LIBS += rpc
# Each service: its .proto under proto/, the package as protoc-c spells it, and the plain prefix.
rpc_PROTOS := etcd/mvcc etcd/etcd cri/cri health/health
rpc_SRCS := $(wildcard common/rpc/*.c) $(rpc_PROTOS:%=$(GEN)/%.pb-c.c)
rpc_DEPS := base net
rpc_LDLIBS := -lnghttp2 -lprotobuf-c

$(rpc_PROTOS:%=$(GEN)/%.pb-c.c): $(GEN)/%.pb-c.c: proto/%.proto
	$(call say,PROTOC,$<)
	@mkdir -p $(@D)
	$(Q)protoc-c -Iproto --c_out=$(GEN) $<

plain_names = @awk -v source=$*.pb-c.h -v package=$(1) -v camel=$(2) -v lower=$(3) -f common/rpc/plain-names.awk $(GEN)/$*.pb-c.h > $@
$(GEN)/etcd/mvcc.h: $(GEN)/%.h: $(GEN)/%.pb-c.c common/rpc/plain-names.awk
	$(call plain_names,Mvccpb,Mvcc,mvcc)
$(GEN)/etcd/etcd.h: $(GEN)/%.h: $(GEN)/%.pb-c.c common/rpc/plain-names.awk
	$(call plain_names,Etcdserverpb,Etcd,etcd)
$(GEN)/cri/cri.h: $(GEN)/%.h: $(GEN)/%.pb-c.c common/rpc/plain-names.awk
	$(call plain_names,Runtime__V1,Cri,cri)
$(GEN)/health/health.h: $(GEN)/%.h: $(GEN)/%.pb-c.c common/rpc/plain-names.awk
	$(call plain_names,Grpc__Health__V1,Grpc,grpc)

GENERATED += $(rpc_PROTOS:%=$(GEN)/%.h)
# One generated file includes the other's header.
$(O)/obj/$(GEN)/etcd/etcd.pb-c.o: $(GEN)/etcd/mvcc.pb-c.c
