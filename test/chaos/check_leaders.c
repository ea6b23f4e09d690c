/*
 * Leaders: each lease changes hands one term at a time, and who does not hold it does not act. Who wrote something is
 * said by its field managers: candidates of one component have different ones in a chaos run ("managers" of an object,
 * "holder-by" of a lease).
 */
#include "base/str.h"
#include "test/chaos/check.h"

struct lease {
	const struct change *change; /* the newest */
	const char *agent;	     /* who holds it */
};

static bool clocks_jumped(const struct history *h)
{
	for (size_t i = 0; i < h->n_records; i++)
		if (str_eq(h->records[i]->kind, "fault") && record_is(h->records[i], "what", "clock"))
			return true;
	return false;
}

/* Taken from a holder that did not let go: only when its time was over, by clocks that agree to a second. */
static void check_takeover(struct verdict *v, const struct change *c)
{
	int64_t seconds = record_int(c->previous->record, "lease-seconds");
	int64_t since = record_int(c->record, "renewed-ms") - record_int(c->previous->record, "renewed-ms");
	if (since < seconds * 1000 - 1000)
		fault(v, "%s was taken by %s from %s at revision %lld, %lld ms after its last renewal", c->key,
			change_get(c, "holder"), change_get(c->previous, "holder"), (long long)c->rev,
			(long long)since);
}

static void check_term(struct verdict *v, const struct change *c, bool jumped)
{
	const char *before = change_get(c->previous, "holder"), *now = change_get(c, "holder");
	int64_t turns = record_int(c->record, "transitions") - record_int(c->previous->record, "transitions");
	bool changes = !str_empty(now) && !str_eq(before, now);
	if (turns != (changes ? 1 : 0))
		fault(v, "%s went from %s to %s at revision %lld and counted %lld transitions", c->key,
			str_or(before, "nobody"), str_or(now, "nobody"), (long long)c->rev, (long long)turns);
	if (changes && !str_empty(before) && !jumped)
		check_takeover(v, c);
}

static struct lease *lease_at(struct arena *arena, struct strmap *leases, const char *key)
{
	struct lease *lease = strmap_get(leases, key);
	if (!lease) {
		lease = ARENA_NEW(arena, struct lease);
		strmap_put(leases, key, lease);
	}
	return lease;
}

/* Events are reports of what was; they may come late. */
static bool is_act(const struct change *c)
{
	return is_alive(c) && !str_starts_with(c->key, "/registry/events/") &&
	       !str_starts_with(c->key, "/registry/leases/");
}

/* A change is the act of each candidate whose entry it brings or moves. */
static void check_act(struct verdict *v, struct strmap *agents, const struct change *c)
{
	char **now, **before = NULL;
	size_t n = words_of(v->arena, change_get(c, "managers"), &now), n_before = 0;
	if (c->previous)
		n_before = words_of(v->arena, change_get(c->previous, "managers"), &before);
	for (size_t i = 0; i < n; i++) {
		if (str_in_n(now[i], before, n_before))
			continue;
		const char *agent = arena_strndup(v->arena, now[i], strcspn(now[i], "/"));
		const struct lease *held = strmap_get(agents, agent);
		if (!held)
			continue;
		v->n_things++;
		if (!str_eq(held->agent, agent) || str_empty(change_get(held->change, "holder")))
			fault(v, "%s wrote %s at revision %lld, when %s held %s", agent, c->key, (long long)c->rev,
				str_or(change_get(held->change, "holder"), "nobody"), held->change->key);
	}
}

void check_leaders(struct verdict *v, const struct history *h)
{
	CLEANUP(strmap_freep) struct strmap *leases = strmap_new(NULL);
	CLEANUP(strmap_freep) struct strmap *agents = strmap_new(NULL);
	bool jumped = clocks_jumped(h);
	for (size_t i = 0; i < h->n_changes; i++) {
		const struct change *c = h->changes[i];
		if (is_alive(c) && str_starts_with(c->key, "/registry/leases/kube-system/")) {
			struct lease *lease = lease_at(v->arena, leases, c->key);
			if (lease->change && c->previous == lease->change)
				check_term(v, c, jumped);
			lease->change = c;
			lease->agent = change_get(c, "holder-by");
			if (!str_empty(lease->agent))
				strmap_put(agents, lease->agent, lease);
			v->n_things++;
			continue;
		}
		if (is_act(c))
			check_act(v, agents, c);
	}
}
