/*
 * Pools of service addresses and node ports: bit maps in memory, filled from the Services that exist. What is taken is
 *decided by what is stored: a repair takes and gives back whatever a crash or another apiserver left different.
 *
 *	struct ip_allocator *pool;
 *	TRY(ip_allocator_new("10.96.0.0/12", &pool));
 *	TRY(ip_allocator_take_any(pool, &text));
 *
 * Threads: any; each pool has one lock.
 */
#ifndef APISERVER_STRATEGY_IPALLOC_H
#define APISERVER_STRATEGY_IPALLOC_H

#include <stdbool.h>
#include <stdint.h>
#include "apiserver/objects.h"
#include "base/arena.h"
#include "base/status.h"

struct ip_allocator;
struct port_allocator;

/* CIDR text, IPv4 or IPv6. Large ranges are used up to their first 65536 addresses. */
struct status *ip_allocator_new(const char *cidr, struct ip_allocator **ret) MUST_USE;
void ip_allocator_free(struct ip_allocator *pool);
/* "IPv4" or "IPv6"; the range as given. */
const char *ip_allocator_family(const struct ip_allocator *pool);
const char *ip_allocator_cidr(const struct ip_allocator *pool);
/* The first usable address: that of the kubernetes Service. */
char *ip_allocator_first(const struct ip_allocator *pool, struct arena *arena);
/* A free address: at random from the upper part first, as the original, so that low ones stay for static use. */
struct status *ip_allocator_take_any(struct ip_allocator *pool, struct arena *arena, char **ret_ip) MUST_USE;
/* A certain one. Conflict: "provided IP is already allocated"; BadRequest: outside the range. */
struct status *ip_allocator_take(struct ip_allocator *pool, const char *ip) MUST_USE;
/* Gives it back; one that is not taken, or not of the range, is no matter. */
void ip_allocator_release(struct ip_allocator *pool, const char *ip);
bool ip_allocator_has(const struct ip_allocator *pool, const char *ip);

struct port_allocator *port_allocator_new(int32_t first, int32_t last);
void port_allocator_free(struct port_allocator *pool);
struct status *port_allocator_take_any(struct port_allocator *pool, int32_t *ret_port) MUST_USE;
struct status *port_allocator_take(struct port_allocator *pool, int32_t port) MUST_USE;
void port_allocator_release(struct port_allocator *pool, int32_t port);
bool port_allocator_in_range(const struct port_allocator *pool, int32_t port);
void port_allocator_range(const struct port_allocator *pool, int32_t *ret_first, int32_t *ret_last);

/* Keeps the pools in step with the Services: call before the cache is started. The pools outlive the subscription. */
struct strategy_context;
void service_pools_follow(struct objects *objects, const struct strategy_context *context);

#endif
