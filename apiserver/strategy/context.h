/*
 * What the strategies share beside the registry: who may do what, and the pools that addresses and ports come from.
 * Made once by the server, before the registry takes requests.
 *
 * Threads: constant; what it points to guards itself.
 */
#ifndef APISERVER_STRATEGY_CONTEXT_H
#define APISERVER_STRATEGY_CONTEXT_H

#include "apiserver/authn/authn.h"
#include "apiserver/authz/authz.h"
#include "apiserver/strategy/ipalloc.h"

struct strategy_context {
	struct authn *authn;
	struct authz *authz;
	struct ip_allocator *service_ips;	    /* of the primary family */
	struct ip_allocator *secondary_service_ips; /* NULL: single stack */
	struct port_allocator *node_ports;
	int64_t event_ttl_seconds; /* 0: one hour */
};

#endif
