/*
 * Connections the kernel remembers. UDP has no end: a client that keeps sending from one port stays with an endpoint
 * that is gone until its entry is removed.
 */
#ifndef KUBE_PROXY_CONNTRACK_H
#define KUBE_PROXY_CONNTRACK_H

#include "base/status.h"
#include "kube-proxy/model.h"

/* One tracked UDP flow: where the client sent to, and who answers. Text in canonical form. */
struct udp_flow {
	enum family family;
	const char *to_ip;
	int32_t to_port;
	const char *answers_from; /* the endpoint after translation */
	int32_t answers_port;
};

/* Asks keep about every UDP flow and removes those it disowns. Returns how many were removed through ret (may be NULL).
 */
struct status *conntrack_clean_udp(enum family family, bool (*keep)(void *data, const struct udp_flow *flow),
	void *data, size_t *ret_removed) MUST_USE;

#endif
