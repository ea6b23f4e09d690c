/*
 * The addresses of Services. An address is taken by creating the IPAddress object of its name, so that etcd decides
 * between all servers of the cluster, those of the original among them; the ranges are the ServiceCIDR objects that are
 * ready (the original's ipallocator over IPAddress objects, its default since 1.33).
 *
 *	struct service_ips *ips = service_ips_new(objects, ranges, n);
 *	TRY(service_ips_take_any(ips, arena, "IPv4", "default", "web", &ip));
 *	…
 *	service_ips_release(ips, arena, ip, "default", "web");
 *
 * Threads: any; nothing here changes after service_ips_new but counts. Taking and releasing block.
 */
#ifndef APISERVER_ALLOC_SERVICE_IPS_H
#define APISERVER_ALLOC_SERVICE_IPS_H

#include <stdbool.h>
#include <stddef.h>
#include "apiserver/alloc/ip_range.h"
#include "apiserver/registry/objects.h"
#include "base/str.h"

#define SERVICE_IPS_MANAGER "ipallocator.k8s.io"
#define SERVICE_IPS_LABEL_FAMILY "ipaddress.kubernetes.io/ip-family"
#define SERVICE_IPS_LABEL_MANAGED_BY "ipaddress.kubernetes.io/managed-by"

struct service_ips;

/* The configured ranges, one or two of different families: they say which families the cluster has and which is the
 * default. At most two; copied. */
struct service_ips *service_ips_new(struct objects *objects, const struct ip_range *ranges, size_t n_ranges);

size_t service_ips_n_ranges(const struct service_ips *ips);
const struct ip_range *service_ips_range(const struct service_ips *ips, size_t i);
bool service_ips_has_family(const struct service_ips *ips, const char *family);

/* A free address of the family for a Service. InternalError "range is full" when no range has one. */
struct status *service_ips_take_any(struct service_ips *ips, struct arena *arena, const char *family,
	const char *namespace, const char *name, char **ret_ip) MUST_USE;
/* A certain address. Conflict: "provided IP is already allocated"; BadRequest: it is in no range that is ready. */
struct status *service_ips_take(
	struct service_ips *ips, struct arena *arena, const char *ip, const char *namespace, const char *name) MUST_USE;
/* What taking it would answer now. */
struct status *service_ips_probe(struct service_ips *ips, struct arena *arena, const char *ip) MUST_USE;
/* What a dry run shows instead: no address is looked for; a certain one is only held against the ranges. */
struct status *service_ips_pretend_any(
	struct service_ips *ips, struct arena *arena, const char *family, char **ret_ip) MUST_USE;
struct status *service_ips_pretend(struct service_ips *ips, struct arena *arena, const char *ip) MUST_USE;
/* Gives back an address if it is that Service's. A failure leaves it taken until the repair finds it, and is logged. */
void service_ips_release(
	struct service_ips *ips, struct arena *arena, const char *ip, const char *namespace, const char *name);

/* What was taken of the configured ranges, as metrics. */
void service_ips_write_metrics(const struct service_ips *ips, struct strbuf *out);

/* Whether any ServiceCIDR covers the address, ready or not. */
bool service_ips_in_any_range(struct service_ips *ips, struct arena *arena, const char *ip);
/* The IPAddress object of a Service's address. */
struct status *service_ips_create_object(
	struct service_ips *ips, struct arena *arena, const char *ip, const char *namespace, const char *name) MUST_USE;

#endif
