/* What is counted of calls to etcd as gRPC's own client counts them: by method, type and code. Threads: any. */
#ifndef APISERVER_STORE_ETCD_CALLS_H
#define APISERVER_STORE_ETCD_CALLS_H

#include <stdatomic.h>
#include "base/str.h"
#include "rpc/rpc.h"

enum { ETCD_METHODS = 6, ETCD_CODES = 17 };

/* Zeroed at first. */
struct etcd_calls {
	struct {
		atomic_uint_least64_t started, sent, received, ended[ETCD_CODES];
	} of[ETCD_METHODS];
};

/* An rpc_observe_fn; data is the counts. */
void etcd_calls_observe(void *data, enum rpc_event event, const char *path, int code);
void etcd_calls_write(const struct etcd_calls *calls, struct strbuf *out);

#endif
