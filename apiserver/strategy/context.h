/*
 * What the strategies share beside the registry: who may do what, and where addresses and ports come from.
 * Made once by the server, before the registry takes requests.
 *
 * Threads: constant; what it points to guards itself.
 */
#ifndef APISERVER_STRATEGY_CONTEXT_H
#define APISERVER_STRATEGY_CONTEXT_H

#include "apiserver/authn/authn.h"
#include "apiserver/authz/authz.h"
#include "apiserver/alloc/node_ports.h"
#include "apiserver/alloc/service_ips.h"

struct strategy_context {
	struct authn *authn;
	struct authz *authz;
	struct service_ips *service_ips; /* NULL: Services are given nothing (tests) */
	struct node_ports *node_ports;
	struct etcd *etcd;
	int64_t event_ttl_seconds; /* 0: one hour */
	bool unprivileged;	   /* no container may be privileged */
};

#endif
