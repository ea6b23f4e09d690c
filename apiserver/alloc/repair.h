/*
 * Keeps what is allocated in step with the Services there are: an address or port that a Service holds is taken, and
 *one that no Service holds is given back once it is certain that none is about to be written.
 * (k8s.io/kubernetes/pkg/registry/core/service/{ipallocator,portallocator}/controller)
 *
 *	struct alloc_repair *repair = alloc_repair_new(&options);   // before the cache is started
 *	… every few seconds, on one thread …
 *	TRY(alloc_repair_step(repair));
 */
#ifndef APISERVER_ALLOC_REPAIR_H
#define APISERVER_ALLOC_REPAIR_H

#include "apiserver/alloc/node_ports.h"
#include "apiserver/alloc/service_ips.h"
#include "apiserver/registry/objects.h"
#include "base/clock.h"

struct alloc_repair;

struct alloc_repair_options {
	struct objects *objects;
	struct service_ips *ips;
	struct node_ports *ports;
	const struct clock *clock;
};

struct alloc_repair *alloc_repair_new(const struct alloc_repair_options *options);
/* Looks through everything the first time, then whatever has changed soon, and everything every three minutes. */
struct status *alloc_repair_step(struct alloc_repair *repair) MUST_USE;

#endif
