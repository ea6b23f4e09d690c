#include "apiserver/alloc/node_ports.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "api/meta.h"
#include "api/protobuf.h"
#include "api/types.h"
#include "base/encode.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/nameset.h"
#include "base/str.h"
#include "serve/metrics.h"

enum {
	MIN_BAND = 16,
	MAX_BAND = 128,
	BAND_STEP = 32,
	MAX_TRIES = 100,
	REPAIRS_UNTIL_LEAKED = 3,
	N_FAULTS = NODE_PORT_OUT_OF_RANGE + 1,
	PRETENDED = 32769
};

struct bitmap {
	uint8_t *bits; /* bit i % 8 of byte i / 8 */
	size_t size;
};

struct node_ports {
	struct etcd *etcd;
	char *key;
	int32_t first, last;
	size_t size;
	size_t band; /* so many at the beginning are given out at random only when the rest is full */
	/* Everything below is guarded by lock. */
	pthread_mutex_t lock;
	struct bitmap map; /* as stored at revision; 0: not known */
	int64_t revision;
	uint8_t *leaks; /* for each port: in how many repairs in a row it was taken without use */
	/* How many were taken: that were asked for, and any; and how many could not be. */
	uint64_t certain, any, failed_certain, failed_any, failed_repairs;
	uint64_t faults[N_FAULTS], leaked; /* that repairs have found */
};

struct node_ports *node_ports_new(struct etcd *etcd, const char *prefix, int32_t first, int32_t last)
{
	struct node_ports *p = mem_zalloc(sizeof(*p));
	p->etcd = etcd;
	p->key = mem_printf("%s/ranges/servicenodeports", prefix);
	p->first = first;
	p->last = last;
	p->size = (size_t)last - (size_t)first + 1;
	size_t band = p->size / BAND_STEP;
	p->band = p->size <= MIN_BAND ? 0 : band < MIN_BAND ? MIN_BAND : band > MAX_BAND ? MAX_BAND : band;
	p->map = (struct bitmap){mem_zalloc(p->size / 8 + 1), p->size};
	p->leaks = mem_zalloc(p->size);
	pthread_mutex_init(&p->lock, NULL);
	return p;
}

static bool has(const struct bitmap *b, size_t i)
{
	return b->bits[i / 8] & (1u << (i % 8));
}

static void set(struct bitmap *b, size_t i, bool taken)
{
	if (taken)
		b->bits[i / 8] |= (uint8_t)(1u << (i % 8));
	else
		b->bits[i / 8] &= (uint8_t) ~(1u << (i % 8));
}

static bool in_range(const struct node_ports *p, int32_t port)
{
	return port >= p->first && port <= p->last;
}

/* --- the stored form --- */

/* The original stores the map as a number, its most significant byte first. */
static void from_stored(struct bitmap *b, const ProtobufCBinaryData *data)
{
	memset(b->bits, 0, b->size / 8 + 1);
	for (size_t i = 0; i < data->len && i <= b->size / 8; i++)
		b->bits[i] = data->data[data->len - 1 - i];
	for (size_t i = b->size; i / 8 <= b->size / 8; i++)
		set(b, i, false);
}

static void to_stored(struct arena *arena, const struct bitmap *b, ProtobufCBinaryData *ret)
{
	size_t n = b->size / 8 + 1;
	while (n && !b->bits[n - 1])
		n--;
	ret->data = arena_alloc(arena, n + 1);
	ret->len = n;
	for (size_t i = 0; i < n; i++)
		ret->data[i] = b->bits[n - 1 - i];
}

char *node_ports_range(const struct node_ports *p, struct arena *arena)
{
	return arena_printf(arena, "%d-%d", p->first, p->last);
}

static struct status *parse(
	struct node_ports *p, struct arena *arena, const struct etcd_kv *kv, CoreV1RangeAllocation **ret_stored)
{
	return status_wrap(
		protobuf_decode(arena, &CoreV1RangeAllocation_schema, kv->value, kv->size, ret_stored), "%s", p->key);
}

static struct status *decode(struct node_ports *p, struct arena *arena, const struct etcd_kv *kv)
{
	CoreV1RangeAllocation *stored;
	p->revision = 0;
	TRY(parse(p, arena, kv, &stored));
	if (!str_eq(stored->range, node_ports_range(p, arena)))
		return status_internal("%s: the stored range %s is not the configured one, %s", p->key,
			str_or_empty(stored->range), node_ports_range(p, arena));
	from_stored(&p->map, &stored->data);
	p->revision = kv->mod_revision;
	return NULL;
}

static struct status *load(struct node_ports *p, struct arena *arena)
{
	struct etcd_kv kv;
	TRY(etcd_get(p->etcd, arena, p->key, &kv));
	if (!kv.found)
		return status_new(STATUS_UNAVAILABLE,
			"cannot allocate resources of type servicenodeportallocations at this time");
	return decode(p, arena, &kv);
}

static void encode(struct node_ports *p, struct arena *arena, const struct bitmap *map, struct strbuf *out)
{
	CoreV1RangeAllocation *stored = API_NEW(arena, CoreV1RangeAllocation);
	object_meta_ensure(arena, stored);
	stored->range = node_ports_range(p, arena);
	to_stored(arena, map, &stored->data);
	protobuf_encode(out, stored);
}

/* Writes a new map over the one that is known. *ret_done is false when somebody was faster; then his is known. */
static struct status *save(struct node_ports *p, struct arena *arena, const struct bitmap *map, bool *ret_done)
{
	CLEANUP(strbuf_done) struct strbuf value = STRBUF_INIT;
	struct etcd_kv now = {0};
	int64_t revision;
	encode(p, arena, map, &value);
	struct status *s =
		etcd_swap(p->etcd, arena, p->key, p->revision, value.buf, value.len, 0, ret_done, &revision, &now);
	if (s) {
		/* Whether it was written is not known: read before the next write. */
		p->revision = 0;
		return s;
	}
	if (!*ret_done)
		return now.found ? decode(p, arena, &now) : load(p, arena);
	memcpy(p->map.bits, map->bits, p->size / 8 + 1);
	p->revision = revision;
	return NULL;
}

/* --- taking and giving back --- */

static bool any_free(const struct bitmap *b, size_t from, size_t to, size_t *ret)
{
	size_t n = to > from ? to - from : 0, start = n ? random_below((uint32_t)n) : 0;
	for (size_t i = 0; i < n; i++) {
		size_t at = from + (start + i) % n;
		if (!has(b, at)) {
			*ret = at;
			return true;
		}
	}
	return false;
}

static struct status *already_taken(void)
{
	return status_new(STATUS_CONFLICT, "provided port is already allocated");
}

static struct status *mark_certain(struct node_ports *p, struct bitmap *map, int32_t port)
{
	if (!in_range(p, port))
		return status_bad_request("provided port is not in the valid range. The range of valid ports is %d-%d",
			p->first, p->last);
	if (has(map, (size_t)(port - p->first)))
		return already_taken();
	set(map, (size_t)(port - p->first), true);
	return NULL;
}

static struct status *mark_any(struct node_ports *p, struct bitmap *map, int32_t *ret_port)
{
	size_t at;
	if (!any_free(map, p->band, p->size, &at) && !any_free(map, 0, p->band, &at))
		return status_internal("failed to allocate a nodePort: range is full");
	set(map, at, true);
	*ret_port = p->first + (int32_t)at;
	return NULL;
}

/* Those that are named first, so that a free choice does not fall on one of them. */
static struct status *mark_all(
	struct node_ports *p, struct bitmap *map, const int32_t *wanted, int32_t *chosen, size_t n, size_t *ret_failed)
{
	for (size_t i = 0; i < n; i++) {
		*ret_failed = i;
		chosen[i] = wanted[i];
		if (wanted[i])
			TRY(mark_certain(p, map, wanted[i]));
	}
	for (size_t i = 0; i < n; i++) {
		*ret_failed = i;
		if (!wanted[i])
			TRY(mark_any(p, map, &chosen[i]));
	}
	*ret_failed = n;
	return NULL;
}

/* One after the other; nobody asks whether a port is of the range, and a free choice is the one after the highest. */
static struct status *pretend_all(struct node_ports *p, struct arena *arena, const struct bitmap *map,
	const int32_t *wanted, int32_t *chosen, size_t n, size_t *ret_failed)
{
	struct nameset seen = {.arena = arena};
	int32_t highest = 0;
	for (size_t i = 0; i < n; i++) {
		int32_t port = wanted[i] ? wanted[i] : i ? highest + 1 : PRETENDED;
		bool taken = wanted[i] && in_range(p, port) && has(map, (size_t)(port - p->first));
		*ret_failed = i;
		if (!nameset_add_pair(&seen, "", port) || taken)
			return already_taken();
		chosen[i] = port;
		highest = port > highest ? port : highest;
	}
	*ret_failed = n;
	return NULL;
}

enum taking { TAKE, PROBE, PRETEND };

static struct status *take_locked(
	struct node_ports *p, struct arena *arena, int32_t *wanted, size_t n, enum taking how, size_t *ret_failed)
{
	const struct bitmap map = {arena_alloc(arena, p->size / 8 + 1), p->size};
	int32_t *chosen = ARENA_ARRAY(arena, int32_t, n + 1);
	bool fresh = !p->revision;
	for (int tries = 0; tries < MAX_TRIES; tries++) {
		bool done = how != TAKE;
		struct bitmap next = map;
		*ret_failed = n;
		if (!p->revision)
			TRY(load(p, arena));
		memcpy(next.bits, p->map.bits, p->size / 8 + 1);
		struct status *s = how == PRETEND ? pretend_all(p, arena, &next, wanted, chosen, n, ret_failed)
						  : mark_all(p, &next, wanted, chosen, n, ret_failed);
		if (s && !fresh) {
			/* What is known may be old: nobody is refused for that. */
			status_drop(s, "judged again by what is stored");
			fresh = true;
			p->revision = 0;
			continue;
		}
		TRY(s);
		if (!done)
			TRY(save(p, arena, &next, &done));
		if (done) {
			memcpy(wanted, chosen, n * sizeof(*wanted));
			return NULL;
		}
		fresh = true;
	}
	return status_new(STATUS_CONFLICT, "%s: too many conflicting changes", p->key);
}

static struct status *take(struct node_ports *p, int32_t *wanted, size_t n, enum taking how, size_t *ret_failed)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	*ret_failed = n;
	if (!n)
		return NULL;
	pthread_mutex_lock(&p->lock);
	size_t n_any = 0;
	for (size_t i = 0; i < n; i++)
		n_any += !wanted[i];
	struct status *s = take_locked(p, arena, wanted, n, how, ret_failed);
	if (how == TAKE && !s) {
		p->any += n_any;
		p->certain += n - n_any;
	} else if (how == TAKE && *ret_failed < n) {
		p->failed_any += !wanted[*ret_failed];
		p->failed_certain += wanted[*ret_failed] != 0;
	}
	pthread_mutex_unlock(&p->lock);
	return s;
}

static void write_counts(struct strbuf *out, const char *name, const char *help, uint64_t certain, uint64_t any)
{
	metrics_write_head(out, name, "counter", help);
	if (any)
		metrics_write_sample(out, name, "scope=\"dynamic\"", (double)any);
	if (certain)
		metrics_write_sample(out, name, "scope=\"static\"", (double)certain);
}

static void write_faults(const struct node_ports *p, struct strbuf *out)
{
	static const char name[] = "apiserver_nodeport_repair_port_errors_total";
	static const char *const types[N_FAULTS] = {
		[NODE_PORT_NOT_TAKEN] = "type=\"repair\"",
		[NODE_PORT_TAKEN_TWICE] = "type=\"duplicate\"",
		[NODE_PORT_OUT_OF_RANGE] = "type=\"outOfRange\"",
	};
	metrics_write_head(out, name, "counter", "Faults of node ports that repairs have found.");
	for (size_t i = 0; i < N_FAULTS; i++)
		if (types[i] && p->faults[i])
			metrics_write_sample(out, name, types[i], (double)p->faults[i]);
	if (p->leaked)
		metrics_write_sample(out, name, "type=\"leak\"", (double)p->leaked);
}

void node_ports_write_metrics(struct node_ports *p, struct strbuf *out)
{
	static const char allocated[] = "kube_apiserver_nodeport_allocator_allocated_ports",
			  available[] = "kube_apiserver_nodeport_allocator_available_ports",
			  repairs[] = "apiserver_nodeport_repair_reconcile_errors_total";
	size_t n = 0;
	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; p->revision && i < p->size; i++)
		n += has(&p->map, i);
	if (p->revision) {
		metrics_write_head(out, allocated, "gauge", "Node ports that are taken.");
		metrics_write_sample(out, allocated, "", (double)n);
		metrics_write_head(out, available, "gauge", "Node ports that are free.");
		metrics_write_sample(out, available, "", (double)(p->size - n));
	}
	write_counts(
		out, "kube_apiserver_nodeport_allocator_allocation_total", "Node ports taken.", p->certain, p->any);
	write_counts(out, "kube_apiserver_nodeport_allocator_allocation_errors_total",
		"Node ports that could not be taken.", p->failed_certain, p->failed_any);
	metrics_write_head(out, repairs, "counter", "Repairs of what node ports are taken that failed.");
	metrics_write_sample(out, repairs, "", (double)p->failed_repairs);
	write_faults(p, out);
	pthread_mutex_unlock(&p->lock);
}

struct status *node_ports_take(struct node_ports *ports, int32_t *wanted, size_t n, size_t *ret_failed)
{
	return take(ports, wanted, n, TAKE, ret_failed);
}

struct status *node_ports_probe(struct node_ports *ports, int32_t *wanted, size_t n, size_t *ret_failed)
{
	return take(ports, wanted, n, PROBE, ret_failed);
}

struct status *node_ports_pretend(struct node_ports *ports, int32_t *wanted, size_t n, size_t *ret_failed)
{
	return take(ports, wanted, n, PRETEND, ret_failed);
}

static struct status *release_locked(struct node_ports *p, struct arena *arena, const int32_t *taken, size_t n)
{
	struct bitmap next = {arena_alloc(arena, p->size / 8 + 1), p->size};
	for (int tries = 0; tries < MAX_TRIES; tries++) {
		bool done = false;
		if (!p->revision)
			TRY(load(p, arena));
		memcpy(next.bits, p->map.bits, p->size / 8 + 1);
		for (size_t i = 0; i < n; i++)
			if (in_range(p, taken[i]))
				set(&next, (size_t)(taken[i] - p->first), false);
		TRY(save(p, arena, &next, &done));
		if (done)
			return NULL;
	}
	return status_new(STATUS_CONFLICT, "%s: too many conflicting changes", p->key);
}

void node_ports_release(struct node_ports *ports, const int32_t *taken, size_t n)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	if (!n)
		return;
	pthread_mutex_lock(&ports->lock);
	struct status *s = release_locked(ports, arena, taken, n);
	pthread_mutex_unlock(&ports->lock);
	log_status(s, "give back %zu node ports", n);
}

/* --- repair --- */

/* What is in use, and what is wrong with that; a map of another range does not say what was taken. */
static void judge(struct node_ports *p, struct node_port_use *uses, size_t n, bool other_range, struct bitmap *used)
{
	for (size_t i = 0; i < n; i++) {
		struct node_port_use *use = &uses[i];
		size_t at = (size_t)(use->port - p->first);
		use->fault = !in_range(p, use->port)		 ? NODE_PORT_OUT_OF_RANGE
			     : has(used, at)			 ? NODE_PORT_TAKEN_TWICE
			     : !other_range && !has(&p->map, at) ? NODE_PORT_NOT_TAKEN
								 : NODE_PORT_RIGHT;
		p->faults[use->fault]++;
		if (use->fault != NODE_PORT_OUT_OF_RANGE)
			set(used, at, true);
	}
}

static void rebuild(struct node_ports *p, const struct bitmap *used, struct bitmap *next)
{
	for (size_t i = 0; i < p->size; i++) {
		bool taken = has(&p->map, i), is_used = has(used, i);
		p->leaks[i] = taken && !is_used ? p->leaks[i] + 1 : 0;
		bool leaked = p->leaks[i] >= REPAIRS_UNTIL_LEAKED;
		if (leaked)
			log_warn("the node port %d appears to have leaked: cleaning up", p->first + (int)i);
		if (leaked)
			p->leaks[i] = 0;
		p->leaked += leaked;
		set(next, i, is_used || (taken && !leaked));
	}
}

static struct status *create_map(struct node_ports *p, struct arena *arena, const struct bitmap *used)
{
	CLEANUP(strbuf_done) struct strbuf value = STRBUF_INIT;
	int64_t revision;
	encode(p, arena, used, &value);
	struct status *s = etcd_create(p->etcd, arena, p->key, value.buf, value.len, 0, &revision);
	if (s)
		return s;
	memcpy(p->map.bits, used->bits, p->size / 8 + 1);
	p->revision = revision;
	return NULL;
}

/* What is stored, for a repair; a map of another range says nothing of this one and is replaced. */
static struct status *decode_for_repair(
	struct node_ports *p, struct arena *arena, const struct etcd_kv *kv, bool *ret_other_range)
{
	CoreV1RangeAllocation *stored;
	p->revision = 0;
	TRY(parse(p, arena, kv, &stored));
	*ret_other_range = !str_eq(stored->range, node_ports_range(p, arena));
	from_stored(&p->map, *ret_other_range ? &(const ProtobufCBinaryData){0} : &stored->data);
	p->revision = kv->mod_revision;
	return NULL;
}

static struct status *repair_locked(struct node_ports *p, struct arena *arena,
	struct status *(*in_use)(void *data, struct arena *arena, struct node_port_use **ret_uses, size_t *ret_n),
	void *data)
{
	struct etcd_kv kv;
	struct node_port_use *uses;
	size_t n;
	bool done, other_range = false;
	/* The map first, then the Services: what is taken between the two is at worst taken for leaked once. */
	TRY(etcd_get(p->etcd, arena, p->key, &kv));
	TRY(in_use(data, arena, &uses, &n));
	struct bitmap used = {arena_zalloc(arena, p->size / 8 + 1), p->size}, next = used;
	if (kv.found)
		TRY(decode_for_repair(p, arena, &kv, &other_range));
	else
		from_stored(&p->map, &(const ProtobufCBinaryData){0});
	judge(p, uses, n, other_range, &used);
	if (!kv.found)
		return create_map(p, arena, &used);
	next.bits = arena_zalloc(arena, p->size / 8 + 1);
	rebuild(p, &used, &next);
	if (!other_range && !memcmp(next.bits, p->map.bits, p->size / 8 + 1))
		return NULL;
	TRY(save(p, arena, &next, &done));
	return done ? NULL : status_new(STATUS_CONFLICT, "%s has changed meanwhile", p->key);
}

struct status *node_ports_repair(struct node_ports *ports, struct arena *arena,
	struct status *(*in_use)(void *data, struct arena *arena, struct node_port_use **ret_uses, size_t *ret_n),
	void *data)
{
	pthread_mutex_lock(&ports->lock);
	struct status *s = repair_locked(ports, arena, in_use, data);
	ports->failed_repairs += s != NULL;
	pthread_mutex_unlock(&ports->lock);
	return s;
}
