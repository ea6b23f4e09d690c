/* What single requests were told: writes, reads, and lists, against the store's order. */
#include <stdlib.h>
#include "base/mem.h"
#include "base/str.h"
#include "test/chaos/check.h"

#define KEYED(r) record_get(r, "id"), record_get(r, "op"), record_get(r, "key")

static bool is(const struct record *r, const char *kind)
{
	return str_eq(r->kind, kind);
}

/* The change at exactly that revision of that key; NULL if there is none. */
static const struct change *change_at(const struct history *h, const char *key, int64_t rev)
{
	const struct change *c = history_at(h, key, rev);
	return c && c->rev == rev ? c : NULL;
}

/* The change carries a stamp that the version before it did not: it is that write's own. */
static const char *new_stamp(const struct change *c)
{
	const char *stamp = c->type == CHANGE_DELETE ? "" : change_get(c, "stamp");
	bool kept = c->type == CHANGE_UPDATE && c->previous && str_eq(change_get(c->previous, "stamp"), stamp);
	return kept ? "" : stamp;
}

/* What is copied from one object to another takes its stamp along: a write's own change is one of its own key. */
static char *own_name(struct verdict *v, const char *stamp, const char *key)
{
	return arena_printf(v->arena, "%s %s", stamp, key);
}

/* By stamp and key: the change that wrote it. A stamp written twice is a write that was repeated. */
static struct strmap *changes_by_stamp(struct verdict *v, const struct history *h)
{
	struct strmap *by_stamp = strmap_new(NULL);
	for (size_t i = 0; i < h->n_changes; i++) {
		const char *stamp = new_stamp(h->changes[i]);
		if (str_empty(stamp))
			continue;
		const char *name = own_name(v, stamp, h->changes[i]->key);
		const struct change *first = strmap_get(by_stamp, name);
		if (first)
			fault(v, "write %s of %s happened twice, at revisions %lld and %lld", stamp, first->key,
				(long long)first->rev, (long long)h->changes[i]->rev);
		else
			strmap_put(by_stamp, name, h->changes[i]);
	}
	return by_stamp;
}

/* The change that began the end of an object, or (gone) that was its end; NULL: it is there to stay. */
static const struct change *went(const struct history *h, const char *key, const char *uid, bool gone)
{
	const struct change *first = NULL;
	for (const struct change *c = strmap_get(h->newest, key); c; c = c->previous) {
		if (c->type == CHANGE_DELETE && c->previous && str_eq(change_get(c->previous, "uid"), uid))
			first = c;
		if (!gone && str_eq(change_get(c, "uid"), uid) && !str_empty(change_get(c, "deleting")))
			first = c;
	}
	return first;
}

/* A deletion may leave the end to others; an update that takes off the last finalizer is the end ("end"), whose own
 * version is never stored. */
static const struct change *change_of_removal(const struct history *h, const struct record *r)
{
	return went(h, record_get(r, "key"), record_get(r, "uid"), record_is(r, "op", "end"));
}

static bool removes(const struct record *r)
{
	return record_is(r, "op", "delete") || record_is(r, "op", "end");
}

/* What is answered for such an update is the version that it found. */
static void check_end(struct verdict *v, const struct history *h, const struct record *r)
{
	int64_t rev = record_int(r, "rev");
	const struct change *found = change_at(h, record_get(r, "key"), rev);
	if (!found || !str_eq(change_get(found, "uid"), record_get(r, "uid")) ||
		str_empty(change_get(found, "deleting")))
		fault(v, "%s %s of %s was told revision %lld, which was no end's", KEYED(r), (long long)rev);
}

static void check_acknowledged(
	struct verdict *v, const struct history *h, const struct record *r, const struct change *own)
{
	if (removes(r)) {
		if (!change_of_removal(h, r))
			fault(v, "%s %s of %s (uid %s) was acknowledged and never happened", KEYED(r),
				record_get(r, "uid"));
		if (record_is(r, "op", "end"))
			check_end(v, h, r);
		return;
	}
	int64_t rev = record_int(r, "rev");
	if (!own)
		fault(v, "%s %s of %s was acknowledged at revision %lld and is lost", KEYED(r), (long long)rev);
	else if (own->rev != rev)
		fault(v, "%s %s of %s was acknowledged at revision %lld but happened at %lld", KEYED(r), (long long)rev,
			(long long)own->rev);
}

/* An update that named a version replaced that version; a creation found nothing. */
static void check_condition(struct verdict *v, const struct record *r, const struct change *own)
{
	int64_t base = record_int(r, "base");
	if (record_is(r, "op", "create") && own->type != CHANGE_CREATE)
		fault(v, "%s %s of %s replaced what was there at revision %lld", KEYED(r), (long long)own->rev);
	if (base && (!own->previous || own->previous->rev != base))
		fault(v, "%s %s of %s was to replace revision %lld and replaced %lld", KEYED(r), (long long)base,
			own->previous ? (long long)own->previous->rev : 0LL);
}

void check_writes(struct verdict *v, const struct history *h)
{
	CLEANUP(strmap_freep) struct strmap *by_stamp = changes_by_stamp(v, h);
	CLEANUP(strmap_freep) struct strmap *known = strmap_new(NULL);
	for (size_t i = 0; i < h->n_records; i++) {
		struct record *r = h->records[i];
		if (!is(r, "write"))
			continue;
		v->n_things++;
		strmap_put(known, record_get(r, "id"), r);
		const struct change *own = strmap_get(by_stamp, own_name(v, record_get(r, "id"), record_get(r, "key")));
		if (record_is(r, "result", "ok"))
			check_acknowledged(v, h, r, own);
		if (record_is(r, "result", "refused") && own)
			fault(v, "%s %s of %s was refused (%s) and happened at revision %lld", KEYED(r),
				record_get(r, "why"), (long long)own->rev);
		if (own)
			check_condition(v, r, own);
	}
	STRMAP_FOREACH (by_stamp, it) {
		const struct change *c = it.value;
		if (!strmap_has(known, change_get(c, "stamp")))
			fault(v, "%s is in the store and nobody wrote it", it.key);
	}
}

/* --- real time: what was acknowledged before a request began comes before it --- */

struct moment {
	int64_t at, rev;
	const struct record *record;
};

static int by_time(const void *a, const void *b)
{
	const struct moment *left = a, *right = b;
	return (left->at > right->at) - (left->at < right->at);
}

/* The revision of what a client was told; 0: of none. A removal is answered without its own: the store knows it. */
static int64_t told_revision(const struct history *h, const struct record *r)
{
	bool acknowledged = is(r, "write") && record_is(r, "result", "ok");
	if (acknowledged && removes(r)) {
		const struct change *removal = change_of_removal(h, r);
		return removal ? removal->rev : 0;
	}
	return acknowledged || (is(r, "list") && record_is(r, "mode", "consistent")) ? record_int(r, "rev") : 0;
}

/* What was told, by the time of its beginning or its end. */
static struct moment *moments(const struct history *h, const char *field, size_t *ret_n)
{
	struct moment *m = mem_calloc(h->n_records + 1, sizeof(*m));
	size_t n = 0;
	for (size_t i = 0; i < h->n_records; i++) {
		int64_t rev = told_revision(h, h->records[i]);
		if (rev)
			m[n++] = (struct moment){record_int(h->records[i], field), rev, h->records[i]};
	}
	qsort(m, n, sizeof(*m), by_time);
	*ret_n = n;
	return m;
}

/* A removal may find done what it asks for: it bounds what comes after it, and nothing bounds it. */
static bool comes_before(const struct moment *m, int64_t past)
{
	if (is(m->record, "write"))
		return m->rev <= past && !removes(m->record);
	return m->rev < past;
}

void check_real_time(struct verdict *v, const struct history *h)
{
	size_t n, ended = 0;
	CLEANUP_FREE struct moment *starts = moments(h, "start", &n);
	CLEANUP_FREE struct moment *ends = moments(h, "end", &n);
	const struct moment *newest = NULL;
	for (size_t i = 0; i < n; i++, v->n_things++) {
		for (; ended < n && ends[ended].at < starts[i].at; ended++)
			if (!newest || ends[ended].rev > newest->rev)
				newest = &ends[ended];
		if (newest && comes_before(&starts[i], newest->rev))
			fault(v, "%s %s began after %s had been told revision %lld, and was told %lld",
				starts[i].record->kind, record_get(starts[i].record, "id"),
				record_get(newest->record, "id"), (long long)newest->rev, (long long)starts[i].rev);
	}
}

/* --- reads --- */

/* A read saw one version of the key that was not yet replaced when the read began, as far as its own client knew. */
void check_reads(struct verdict *v, const struct history *h)
{
	for (size_t i = 0; i < h->n_records; i++) {
		const struct record *r = h->records[i];
		if (!is(r, "read"))
			continue;
		v->n_things++;
		const char *key = record_get(r, "key");
		int64_t rev = record_int(r, "rev"), least = record_int(r, "least");
		const struct change *seen = rev ? change_at(h, key, rev) : NULL;
		const struct change *known = history_at(h, key, least);
		if (rev && (!seen || seen->type == CHANGE_DELETE))
			fault(v, "read %s saw %s at revision %lld, which never was", record_get(r, "id"), key,
				(long long)rev);
		else if (rev && known && rev < known->rev)
			fault(v, "read %s saw %s at revision %lld, though %lld had been acknowledged",
				record_get(r, "id"), key, (long long)rev, (long long)least);
		if (rev || !known || known->type == CHANGE_DELETE)
			continue;
		/* Not found: right if it was deleted at any time after what the client knew. */
		while (known && known->type != CHANGE_DELETE)
			known = known->next;
		if (!known)
			fault(v, "read %s did not find %s, which was there from revision %lld on", record_get(r, "id"),
				key, (long long)least);
	}
}

/* --- lists --- */

/* What stood under a prefix at a revision; it only goes forward. */
struct replay {
	const char *prefix;
	struct strmap *state; /* key -> change */
	size_t next;
};

static void replay_free(void *data)
{
	struct replay *r = data;
	strmap_free(r->state);
	free(r);
}

static struct replay *replay_to(const struct history *h, struct strmap *replays, const char *prefix, int64_t rev)
{
	struct replay *r = strmap_get(replays, prefix);
	if (!r) {
		r = mem_zalloc(sizeof(*r));
		r->prefix = prefix;
		r->state = strmap_new(NULL);
		strmap_put(replays, prefix, r);
	}
	for (; r->next < h->n_changes && h->changes[r->next]->rev <= rev; r->next++) {
		struct change *c = h->changes[r->next];
		if (!str_starts_with(c->key, prefix))
			continue;
		if (c->type == CHANGE_DELETE)
			strmap_remove(r->state, c->key);
		else
			strmap_put(r->state, c->key, c);
	}
	return r;
}

struct listed {
	const struct record *record;
	size_t at; /* among the records: its items follow */
};

static int by_list_revision(const void *a, const void *b)
{
	int64_t left = record_int(((const struct listed *)a)->record, "rev");
	int64_t right = record_int(((const struct listed *)b)->record, "rev");
	return (left > right) - (left < right);
}

static void compare_list(struct verdict *v, const struct history *h, const struct listed *list, struct strmap *state)
{
	long long rev = record_int(list->record, "rev");
	const char *id = record_get(list->record, "id");
	CLEANUP(strmap_freep) struct strmap *seen = strmap_new(NULL);
	for (size_t i = list->at + 1;
		i < h->n_records && is(h->records[i], "item") && record_is(h->records[i], "list", id); i++) {
		struct record *item = h->records[i];
		const char *key = record_get(item, "key");
		const struct change *c = strmap_get(state, key);
		if (!strmap_put(seen, key, item))
			fault(v, "list %s at revision %lld has it twice: %s", id, rev, key);
		else if (!c)
			fault(v, "list %s at revision %lld has %s, which was not there", id, rev, key);
		else if (c->rev != record_int(item, "rev"))
			fault(v, "list %s at revision %lld has %s of revision %lld, the store %lld", id, rev, key,
				(long long)record_int(item, "rev"), (long long)c->rev);
	}
	STRMAP_FOREACH (state, it)
		if (!strmap_has(seen, it.key))
			fault(v, "list %s at revision %lld lacks %s", id, rev, it.key);
}

void check_lists(struct verdict *v, const struct history *h)
{
	CLEANUP(strmap_freep) struct strmap *replays = strmap_new(replay_free);
	CLEANUP_FREE struct listed *lists = mem_calloc(h->n_records + 1, sizeof(*lists));
	size_t n = 0;
	for (size_t i = 0; i < h->n_records; i++)
		if (is(h->records[i], "list"))
			lists[n++] = (struct listed){h->records[i], i};
	qsort(lists, n, sizeof(*lists), by_list_revision);
	for (size_t i = 0; i < n; i++, v->n_things++) {
		const struct record *r = lists[i].record;
		struct replay *replay = replay_to(h, replays, record_get(r, "prefix"), record_int(r, "rev"));
		compare_list(v, h, &lists[i], replay->state);
	}
}
