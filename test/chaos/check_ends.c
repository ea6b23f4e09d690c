/* What went: nothing that a client made goes unless a client asked for it, or for the end of what it belonged to. */
#include "base/map.h"
#include "base/str.h"
#include "test/chaos/check.h"

struct asked {
	struct strmap *made;   /* keys that clients created */
	struct strmap *ended;  /* "key uid" of what a client asked to end, in vain or not -> the write */
	struct strmap *by_uid; /* uid -> a change of that object */
};

static const char *object_of(struct verdict *v, const char *key, const char *uid)
{
	return arena_printf(v->arena, "%s %s", key, uid);
}

static void read_requests(struct verdict *v, const struct history *h, struct asked *asked)
{
	for (size_t i = 0; i < h->n_records; i++) {
		struct record *r = h->records[i];
		if (!str_eq(r->kind, "write"))
			continue;
		if (record_is(r, "op", "create"))
			strmap_put(asked->made, record_get(r, "key"), r);
		bool ends = record_is(r, "op", "delete") || record_is(r, "op", "end");
		if (ends && !record_is(r, "result", "refused"))
			strmap_put(asked->ended, object_of(v, record_get(r, "key"), record_get(r, "uid")), r);
	}
	for (size_t i = 0; i < h->n_changes; i++)
		if (!str_empty(change_get(h->changes[i], "uid")))
			strmap_put(asked->by_uid, change_get(h->changes[i], "uid"), h->changes[i]);
}

/* Gone or going at that revision: no version, the end of it, or another object of the name. */
static bool is_going(const struct history *h, const char *key, const char *uid, int64_t rev)
{
	const struct change *c = history_at(h, key, rev);
	return !c || !is_alive(c) || !str_empty(change_get(c, "deleting")) ||
	       (uid && !str_eq(change_get(c, "uid"), uid));
}

/* Owned, by nobody that stays, and no owner said that what it owned is to stay. */
static bool goes_with_owners(
	struct verdict *v, const struct history *h, const struct asked *asked, const struct change *end)
{
	char **owners;
	size_t n = words_of(v->arena, change_get(end->previous, "owners"), &owners);
	for (size_t i = 0; i < n; i++) {
		const struct change *owner = strmap_get(asked->by_uid, owners[i]);
		if (!owner)
			continue;
		const struct record *r = strmap_get(asked->ended, object_of(v, owner->key, owners[i]));
		if (!is_going(h, owner->key, owners[i], end->rev) || (r && record_is(r, "policy", "Orphan")))
			return false;
	}
	return n > 0;
}

static bool goes_with_namespace(struct verdict *v, const struct history *h, const struct change *end)
{
	const char *namespace = change_get(end->previous, "namespace");
	return !str_empty(namespace) &&
	       is_going(h, arena_printf(v->arena, "/registry/namespaces/%s", namespace), NULL, end->rev);
}

void check_ends(struct verdict *v, const struct history *h)
{
	CLEANUP(strmap_freep) struct strmap *made = strmap_new(NULL);
	CLEANUP(strmap_freep) struct strmap *ended = strmap_new(NULL);
	CLEANUP(strmap_freep) struct strmap *by_uid = strmap_new(NULL);
	struct asked asked = {made, ended, by_uid};
	read_requests(v, h, &asked);
	for (size_t i = 0; i < h->n_changes; i++) {
		const struct change *end = h->changes[i];
		if (end->type != CHANGE_DELETE || !end->previous || !strmap_has(made, end->key))
			continue;
		v->n_things++;
		if (!strmap_has(ended, object_of(v, end->key, change_get(end->previous, "uid"))) &&
			!goes_with_owners(v, h, &asked, end) && !goes_with_namespace(v, h, end))
			fault(v, "%s went at revision %lld, and nobody had asked for it", end->key,
				(long long)end->rev);
	}
}
