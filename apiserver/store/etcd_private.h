#ifndef APISERVER_STORE_ETCD_PRIVATE_H
#define APISERVER_STORE_ETCD_PRIVATE_H

#include "apiserver/store/etcd.h"
#include "apiserver/store/etcd_calls.h"
#include "etcd/etcd.h"
#include "etcd/mvcc.h"
#include "rpc/rpc.h"

struct etcd {
	struct rpc_channel *channel;
	struct etcd_calls calls;
	int64_t timeout_ms;
};

/* What the call's status says, without its own details. Takes the status. */
struct status *etcd_plain(struct status *status);
/* The key is copied into the arena, the value borrowed. */
void etcd_kv_from(struct arena *arena, const MvccKeyValue *from, struct etcd_kv *ret_kv);

#endif
