/*
 * The servers of the cluster that live: each keeps a key under masterleases that etcd forgets unless it is renewed, as
 * the original's lease reconciler does, so that servers of both kinds see each other.
 */
#include <stdlib.h>
#include <string.h>
#include "api/meta.h"
#include "api/protobuf.h"
#include "apiserver/boot/internal.h"
#include "base/str.h"

enum { LEASE_SECONDS = 15, MAX_TRIES = 10 };

static char *prefix(const struct boot_options *options, struct arena *arena)
{
	return arena_printf(arena, "%s/masterleases/", options->etcd_prefix);
}

static char *own_key(const struct boot_options *options, struct arena *arena)
{
	return arena_printf(arena, "%s%s", prefix(options, arena), options->advertise_address);
}

/* An Endpoints whose generation counts the renewals. */
static void encode(
	const struct boot_options *options, struct arena *arena, const struct etcd_kv *kv, struct strbuf *out)
{
	CoreV1Endpoints *lease = NULL;
	struct status *s =
		kv->found ? protobuf_decode(arena, &CoreV1Endpoints_schema, kv->value, kv->size, &lease) : NULL;
	status_drop(s, "what nobody can read is written anew");
	int64_t generation = !s && lease && object_meta(lease) ? object_meta(lease)->generation : 0;
	lease = API_NEW(arena, CoreV1Endpoints);
	object_meta_ensure(arena, lease)->generation = generation + 1;
	CoreV1EndpointSubset *subset = API_NEW(arena, CoreV1EndpointSubset);
	CoreV1EndpointAddress *address = API_NEW(arena, CoreV1EndpointAddress);
	address->ip = arena_strdup(arena, options->advertise_address);
	ARENA_PUSH(arena, subset->addresses, subset->n_addresses) = address;
	ARENA_PUSH(arena, lease->subsets, lease->n_subsets) = subset;
	protobuf_encode(out, lease);
}

struct status *boot_lease_renew(const struct boot_options *options)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const char *key = own_key(options, arena);
	int64_t lease, revision;
	struct etcd_kv kv;
	TRY(lease_take(options->lease, LEASE_SECONDS, &lease));
	TRY(etcd_get(options->etcd, arena, key, &kv));
	for (int i = 0; i < MAX_TRIES; i++) {
		CLEANUP(strbuf_done) struct strbuf value = STRBUF_INIT;
		bool done = true;
		encode(options, arena, &kv, &value);
		if (kv.found)
			TRY(etcd_swap(options->etcd, arena, key, kv.mod_revision, value.buf, value.len, lease, &done,
				&revision, &kv));
		else
			TRY(etcd_create(options->etcd, arena, key, value.buf, value.len, lease, &revision));
		if (done)
			return NULL;
	}
	return status_new(STATUS_CONFLICT, "%s: too many conflicting changes", key);
}

struct status *boot_lease_remove(const struct boot_options *options)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const char *key = own_key(options, arena);
	struct etcd_kv kv;
	int64_t revision;
	bool removed = false;
	TRY(etcd_get(options->etcd, arena, key, &kv));
	for (int i = 0; kv.found && !removed && i < MAX_TRIES; i++)
		TRY(etcd_remove(options->etcd, arena, key, kv.mod_revision, &removed, &revision, &kv));
	return NULL;
}

struct listing {
	struct arena *arena;
	struct address_list *list;
};

static void add(void *data, const struct etcd_kv *kv)
{
	struct listing *listing = data;
	CoreV1Endpoints *lease;
	struct status *s = protobuf_decode(listing->arena, &CoreV1Endpoints_schema, kv->value, kv->size, &lease);
	if (s) {
		status_drop(s, "nobody lives at what cannot be read");
		return;
	}
	if (lease->n_subsets && lease->subsets[0]->n_addresses && !str_empty(lease->subsets[0]->addresses[0]->ip))
		ARENA_PUSH(listing->arena, listing->list->items, listing->list->n_items) =
			lease->subsets[0]->addresses[0]->ip;
}

struct status *boot_lease_addresses(
	const struct boot_options *options, struct arena *arena, struct address_list *ret_addresses)
{
	struct listing listing = {arena, ret_addresses};
	int64_t revision = 0;
	*ret_addresses = (struct address_list){0};
	TRY(etcd_each(options->etcd, prefix(options, arena), &revision, add, &listing));
	if (ret_addresses->n_items)
		qsort(ret_addresses->items, ret_addresses->n_items, sizeof(char *), str_cmp_qsort);
	return NULL;
}
