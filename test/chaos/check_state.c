/* What objects are to each other: names, addresses, owners, replicas; in every state of the store or in the last, quiet
 * one. */
#include "base/mem.h"
#include "base/str.h"
#include "test/chaos/check.h"

#define SERVICES "/registry/services/specs/"
#define PODS "/registry/pods/"
#define DEPLOYMENTS "/registry/deployments/"
#define NAMESPACES "/registry/namespaces/"

static bool moved(const struct change *c)
{
	const char *before = change_get(c->previous, "node");
	return !str_empty(before) && !str_eq(before, change_get(c, "node"));
}

/* A uid belongs to one key for one life, and a pod to one node. */
void check_identity(struct verdict *v, const struct history *h)
{
	CLEANUP(strmap_freep) struct strmap *by_uid = strmap_new(NULL);
	for (size_t i = 0; i < h->n_changes; i++) {
		struct change *c = h->changes[i];
		const char *uid = change_get(c, "uid");
		bool there = c->previous && is_alive(c->previous);
		v->n_things++;
		if (c->type != CHANGE_CREATE && !there)
			fault(v, "%s was changed at revision %lld and was not there", c->key, (long long)c->rev);
		if (c->type == CHANGE_CREATE && there)
			fault(v, "%s was created at revision %lld and was there", c->key, (long long)c->rev);
		if (c->type == CHANGE_DELETE || str_empty(uid))
			continue;
		if (c->type == CHANGE_UPDATE && there && !str_eq(uid, change_get(c->previous, "uid")))
			fault(v, "%s changed its uid at revision %lld", c->key, (long long)c->rev);
		if (c->type == CHANGE_UPDATE && there && moved(c))
			fault(v, "%s was bound to %s and at revision %lld to %s", c->key,
				change_get(c->previous, "node"), (long long)c->rev,
				str_or(change_get(c, "node"), "no node"));
		const struct change *first = strmap_get(by_uid, uid);
		if (c->type == CHANGE_CREATE && first)
			fault(v, "%s and %s have one uid", first->key, c->key);
		strmap_put(by_uid, uid, c);
	}
}

/* --- addresses --- */

static void let_go(struct strmap *taken, struct arena *arena, const struct change *c, const char *field)
{
	char **words;
	size_t n = c ? words_of(arena, change_get(c, field), &words) : 0;
	for (size_t i = 0; i < n; i++)
		if (str_eq(strmap_get(taken, words[i]), c->key))
			strmap_remove(taken, words[i]);
}

static void take(struct verdict *v, struct strmap *taken, const struct change *c, const char *field)
{
	char **words;
	size_t n = words_of(v->arena, change_get(c, field), &words);
	for (size_t i = 0; i < n; i++) {
		const char *other = strmap_get(taken, words[i]);
		if (other)
			fault(v, "%s was given to %s at revision %lld while %s had it", words[i], c->key,
				(long long)c->rev, other);
		strmap_put(taken, words[i], (void *)(uintptr_t)c->key);
	}
}

/* In every state of the store, not only in the last one. */
void check_addresses(struct verdict *v, const struct history *h)
{
	static const char *const fields[] = {"ips", "node-ports"};
	CLEANUP(strmap_freep) struct strmap *taken = strmap_new(NULL);
	for (size_t i = 0; i < h->n_changes; i++) {
		const struct change *c = h->changes[i];
		if (!str_starts_with(c->key, SERVICES))
			continue;
		v->n_things++;
		for (size_t k = 0; k < ARRAY_SIZE(fields); k++) {
			let_go(taken, v->arena, c->previous, fields[k]);
			if (is_alive(c))
				take(v, taken, c, fields[k]);
		}
	}
}

/* A pod that ends gives its address back before its object goes. */
static bool has_address(const struct change *c)
{
	const char *phase = change_get(c, "phase");
	return is_alive(c) && str_empty(change_get(c, "deleting")) && !str_eq(phase, "Succeeded") &&
	       !str_eq(phase, "Failed");
}

/* In every state too: addresses go round, so that one is given again long after the status told that it was free. */
void check_pod_addresses(struct verdict *v, const struct history *h)
{
	CLEANUP(strmap_freep) struct strmap *taken = strmap_new(NULL);
	for (size_t i = 0; i < h->n_changes; i++) {
		const struct change *c = h->changes[i];
		if (!str_starts_with(c->key, PODS))
			continue;
		v->n_things++;
		let_go(taken, v->arena, c->previous, "pod-ip");
		if (has_address(c))
			take(v, taken, c, "pod-ip");
	}
}

/* --- owners and ends --- */

static struct strmap *alive_by_uid(const struct history *h)
{
	struct strmap *by_uid = strmap_new(NULL);
	STRMAP_FOREACH (h->newest, it) {
		struct change *c = it.value;
		if (is_alive(c) && !str_empty(change_get(c, "uid")))
			strmap_put(by_uid, change_get(c, "uid"), c);
	}
	return by_uid;
}

void check_owners(struct verdict *v, const struct history *h)
{
	CLEANUP(strmap_freep) struct strmap *by_uid = alive_by_uid(h);
	STRMAP_FOREACH (h->newest, it) {
		const struct change *c = it.value;
		char **owners;
		size_t n = is_alive(c) ? words_of(v->arena, change_get(c, "owners"), &owners) : 0, n_alive = 0;
		v->n_things += n;
		for (size_t i = 0; i < n; i++)
			n_alive += strmap_has(by_uid, owners[i]);
		if (n && !n_alive)
			fault(v, "%s outlives its owner (uid %s)", c->key, owners[0]);
	}
}

void check_deletions(struct verdict *v, const struct history *h)
{
	STRMAP_FOREACH (h->newest, it) {
		const struct change *c = it.value;
		if (!is_alive(c))
			continue;
		v->n_things++;
		if (!str_empty(change_get(c, "deleting")))
			fault(v, "%s is being deleted and does not go", c->key);
		const char *namespace = change_get(c, "namespace");
		if (str_empty(namespace))
			continue;
		const struct change *in = strmap_get(h->newest, arena_printf(v->arena, NAMESPACES "%s", namespace));
		if (!in || !is_alive(in))
			fault(v, "%s outlives its namespace", c->key);
	}
}

static bool owned_by(struct arena *arena, const struct change *c, const char *uid)
{
	char **owners;
	size_t n = words_of(arena, change_get(c, "owners"), &owners);
	return str_in_n(uid, owners, n);
}

/* Ready pods of a deployment, through its replica sets. */
static size_t ready_pods(struct arena *arena, const struct history *h, const struct change *deployment)
{
	size_t n = 0;
	STRMAP_FOREACH (h->newest, set) {
		const struct change *s = set.value;
		if (!is_alive(s) || !str_starts_with(s->key, "/registry/replicasets/") ||
			!owned_by(arena, s, change_get(deployment, "uid")))
			continue;
		STRMAP_FOREACH (h->newest, pod) {
			const struct change *p = pod.value;
			n += is_alive(p) && str_starts_with(p->key, PODS) && str_empty(change_get(p, "deleting")) &&
			     str_eq(change_get(p, "ready"), "true") && owned_by(arena, p, change_get(s, "uid"));
		}
	}
	return n;
}

void check_deployments(struct verdict *v, const struct history *h)
{
	STRMAP_FOREACH (h->newest, it) {
		const struct change *c = it.value;
		if (!is_alive(c) || !str_starts_with(c->key, DEPLOYMENTS))
			continue;
		v->n_things++;
		long long wanted = record_int(c->record, "replicas"), available = record_int(c->record, "available");
		size_t ready = ready_pods(v->arena, h, c);
		if (record_int(c->record, "observed") != record_int(c->record, "generation"))
			fault(v, "%s: its last change was never looked at", c->key);
		if (wanted != available || (size_t)wanted != ready)
			fault(v, "%s: %lld replicas wanted, %lld available, %zu pods ready", c->key, wanted, available,
				ready);
	}
}

/* The containers of a pod that nobody touched are those that ran before the first fault. */
void check_steady(struct verdict *v, const struct history *h)
{
	for (size_t i = 0; i < h->n_records; i++) {
		const struct record *r = h->records[i];
		if (!str_eq(r->kind, "steady"))
			continue;
		v->n_things++;
		const struct change *now = strmap_get(h->newest, record_get(r, "key"));
		if (!now || !is_alive(now))
			fault(v, "%s is gone", record_get(r, "key"));
		else if (!record_is(r, "containers", change_get(now, "containers")))
			fault(v, "%s: container %s of before is %s now", now->key, record_get(r, "containers"),
				change_get(now, "containers"));
	}
}
