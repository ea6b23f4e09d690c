/* Watchers: each saw what the store did after the revision it began at, all of it, once, and in that order. */
#include "base/map.h"
#include "base/str.h"
#include "test/chaos/check.h"

struct watcher {
	const struct record *record;
	const char *prefix, *selector;
	size_t next;  /* the first change that it has not been told */
	int64_t told; /* the revision of the last event or bookmark */
	bool wrong;   /* said once */
};

static bool selected(const struct watcher *w, const struct change *c)
{
	return c && c->type != CHANGE_DELETE && (str_empty(w->selector) || str_eq(change_get(c, "shard"), w->selector));
}

/* What the watcher is to be told of a change; NULL for nothing. */
static const char *event_of(const struct watcher *w, const struct change *c)
{
	if (!str_starts_with(c->key, w->prefix))
		return NULL;
	bool before = selected(w, c->previous), now = selected(w, c);
	if (now)
		return before ? "MODIFIED" : "ADDED";
	return before ? "DELETED" : NULL;
}

/* The next change that concerns it, or NULL. */
static const struct change *expected(struct watcher *w, const struct history *h)
{
	while (w->next < h->n_changes && !event_of(w, h->changes[w->next]))
		w->next++;
	return w->next < h->n_changes ? h->changes[w->next] : NULL;
}

/* The first change after a revision. */
static size_t after(const struct history *h, int64_t rev)
{
	size_t low = 0, high = h->n_changes;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (h->changes[middle]->rev <= rev)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void begin(const struct history *h, struct strmap *watchers, const struct record *r)
{
	struct watcher *w = ARENA_NEW(h->arena, struct watcher);
	*w = (struct watcher){.record = r,
		.prefix = record_get(r, "prefix"),
		.selector = record_get(r, "selector"),
		.told = record_int(r, "from"),
		.next = after(h, record_int(r, "from"))};
	strmap_put(watchers, record_get(r, "id"), w);
}

static void hear(struct verdict *v, const struct history *h, struct watcher *w, const struct record *r)
{
	const char *id = record_get(w->record, "id"), *key = record_get(r, "key"), *type = record_get(r, "type");
	int64_t rev = record_int(r, "rev");
	const struct change *c = expected(w, h);
	v->n_things++;
	if (w->wrong)
		return;
	w->wrong = true;
	if (rev < w->told || (rev == w->told && (!c || c->rev != rev)))
		fault(v, "watch %s was told %s of %s at revision %lld after revision %lld: repeated or out of order",
			id, type, key, (long long)rev, (long long)w->told);
	else if (!c || c->rev > rev)
		fault(v, "watch %s was told %s of %s at revision %lld, which the store did not do", id, type, key,
			(long long)rev);
	else if (c->rev < rev)
		fault(v, "watch %s missed %s of %s at revision %lld; it was told revision %lld next", id,
			event_of(w, c), c->key, (long long)c->rev, (long long)rev);
	else if (!str_eq(c->key, key) || !str_eq(event_of(w, c), type))
		fault(v, "watch %s was told %s of %s at revision %lld; the store did %s of %s", id, type, key,
			(long long)rev, event_of(w, c), c->key);
	else
		w->wrong = false;
	w->told = rev;
	w->next++;
}

/* Nothing up to the revision may be left that it was not told. */
static void told_all(struct verdict *v, const struct history *h, struct watcher *w, int64_t rev, const char *what)
{
	const struct change *c = expected(w, h);
	if (!w->wrong && c && c->rev <= rev) {
		fault(v, "watch %s missed %s of %s at revision %lld; it had %s %lld", record_get(w->record, "id"),
			event_of(w, c), c->key, (long long)c->rev, what, (long long)rev);
		w->wrong = true;
	}
	if (rev > w->told)
		w->told = rev;
}

void check_watches(struct verdict *v, const struct history *h)
{
	CLEANUP(strmap_freep) struct strmap *watchers = strmap_new(NULL);
	for (size_t i = 0; i < h->n_records; i++) {
		const struct record *r = h->records[i];
		struct watcher *w = strmap_get(watchers, record_get(r, "watch"));
		if (str_eq(r->kind, "watch"))
			begin(h, watchers, r);
		else if (w && str_eq(r->kind, "event"))
			hear(v, h, w, r);
		else if (w && str_eq(r->kind, "bookmark"))
			told_all(v, h, w, record_int(r, "rev"), "a bookmark of revision");
		else if (w && str_eq(r->kind, "watch-end") && record_int(r, "upto"))
			told_all(v, h, w, record_int(r, "upto"), "time to be told all up to revision");
	}
}
