/*
 * What the server keeps in order by itself: the system namespaces, the bootstrap RBAC policy, the kubernetes Service
 *and its endpoints, the ConfigMap that tells delegated servers whom to trust.
 *
 *	struct boot *boot = boot_new(objects);  before the cache starts
 *	… cache synced, listener up …
 *	boot_start(boot, &options);
 *	… boot_done(boot, BOOT_ROLES) for /readyz (poststarthook/rbac/bootstrap-roles) …
 *	boot_stop(boot);       before the listener closes: takes this server out of the endpoints
 *
 * Threads: one of its own.
 */
#ifndef APISERVER_BOOT_BOOT_H
#define APISERVER_BOOT_BOOT_H

#include "apiserver/alloc/repair.h"
#include "apiserver/registry/objects.h"
#include "apiserver/served.h"
#include "apiserver/store/lease.h"
#include "apiserver/strategy/context.h"
#include "base/clock.h"

struct boot;

enum boot_step {
	BOOT_NAMESPACES,
	BOOT_PRIORITIES,
	BOOT_RANGES,
	BOOT_REPAIR,
	BOOT_ROLES,
	BOOT_TRUST,
	BOOT_TRACKING,
	BOOT_SERVICE,
	BOOT_IDENTITY,
	BOOT_IDENTITIES,
	BOOT_API_SERVICES,
	BOOT_FLOW_CONTROL,
	BOOT_STEPS
};

struct boot_options {
	struct objects *objects;
	const struct strategy_context *context;
	struct alloc_repair *repair;
	struct etcd *etcd;
	const char *etcd_prefix;
	struct lease *lease; /* of the servers that live */
	const struct clock *clock;
	const char *advertise_address; /* IP text */
	int32_t port;		       /* of the listener */
	int32_t kubernetes_node_port;  /* --kubernetes-service-node-port; 0: a ClusterIP Service */
	bool no_endpoints;	       /* somebody else keeps those of the kubernetes Service */
	const struct served *served;
	bool rbac; /* whether RBAC is among the authorization modes */
};

/* What this server is called: its Lease's name. */
char *boot_server_name(struct arena *arena);
/* Sees what changes in objects. */
struct boot *boot_new(struct objects *objects);
void boot_start(struct boot *boot, const struct boot_options *options);
/* Whether a step has succeeded once; they follow each other. */
bool boot_done(const struct boot *boot, enum boot_step step);
void boot_stop(struct boot *boot);

#endif
