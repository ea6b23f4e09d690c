#include "test/chaos/history.h"
#include <stdlib.h>
#include "base/io.h"
#include "base/mem.h"
#include "base/str.h"

enum { MAX_FILE_BYTES = 1 << 30 };

struct history *history_new(void)
{
	struct history *h = mem_zalloc(sizeof(*h));
	h->arena = arena_new();
	h->newest = strmap_new(NULL);
	return h;
}

void history_free(struct history *h)
{
	if (!h)
		return;
	strmap_free(h->newest);
	arena_free(h->arena);
	free(h);
}

static struct status *add_line(struct history *h, const char *line, size_t len, size_t number)
{
	char **words;
	size_t n = str_split(h->arena, arena_strndup(h->arena, line, len), '\t', &words);
	struct record *r = ARENA_NEW(h->arena, struct record);
	r->kind = words[0];
	r->pairs = arena_calloc(h->arena, n, sizeof(*r->pairs));
	for (size_t i = 1; i < n; i++) {
		char *equals = strchr(words[i], '=');
		if (!equals)
			return status_bad_request("line %zu: no name=value: %s", number, words[i]);
		*equals = 0;
		r->pairs[r->n_pairs][0] = words[i];
		r->pairs[r->n_pairs++][1] = equals + 1;
	}
	ARENA_PUSH(h->arena, h->records, h->n_records) = r;
	return NULL;
}

struct status *history_add(struct history *h, const char *text)
{
	size_t number = 1;
	for (const char *at = text; *at; number++) {
		size_t len = strcspn(at, "\n");
		if (len && *at != '#')
			TRY(add_line(h, at, len, number));
		at += len + (at[len] != 0);
	}
	return NULL;
}

struct status *history_add_file(struct history *h, const char *path)
{
	CLEANUP_FREE char *text = NULL;
	size_t size;
	TRY(io_read_file(path, MAX_FILE_BYTES, &text, &size));
	return status_wrap(history_add(h, text), "%s", path);
}

const char *record_get(const struct record *record, const char *name)
{
	for (size_t i = 0; i < record->n_pairs; i++)
		if (str_eq(record->pairs[i][0], name))
			return record->pairs[i][1];
	return "";
}

int64_t record_int(const struct record *record, const char *name)
{
	int64_t value = 0;
	return str_to_int64(record_get(record, name), INT64_MIN, INT64_MAX, &value) ? value : 0;
}

bool record_is(const struct record *record, const char *name, const char *value)
{
	return str_eq(record_get(record, name), value);
}

const char *change_get(const struct change *change, const char *name)
{
	return record_get(change->record, name);
}

static struct status *change_of(struct history *h, const struct record *r, struct change **ret_change)
{
	static const char *const types[] = {"create", "update", "delete"};
	struct change *c = ARENA_NEW(h->arena, struct change);
	c->rev = record_int(r, "rev");
	c->key = record_get(r, "key");
	c->record = r;
	c->position = h->n_changes;
	for (c->type = CHANGE_CREATE; c->type <= CHANGE_DELETE; c->type++)
		if (record_is(r, "type", types[c->type]))
			break;
	if (c->rev <= 0 || str_empty(c->key) || c->type > CHANGE_DELETE)
		return status_bad_request("a change needs rev, key and type");
	*ret_change = c;
	return NULL;
}

/* By revision; what one transaction did keeps its order. */
static int by_revision(const void *a, const void *b)
{
	const struct change *const *left = a, *const *right = b;
	if ((*left)->rev != (*right)->rev)
		return (*left)->rev < (*right)->rev ? -1 : 1;
	return (*left)->position < (*right)->position ? -1 : 1;
}

struct status *history_link(struct history *h)
{
	for (size_t i = 0; i < h->n_records; i++) {
		struct change *c = NULL;
		if (!str_eq(h->records[i]->kind, "change"))
			continue;
		TRY(change_of(h, h->records[i], &c));
		ARENA_PUSH(h->arena, h->changes, h->n_changes) = c;
	}
	if (h->n_changes)
		qsort(h->changes, h->n_changes, sizeof(struct change *), by_revision);
	for (size_t i = 0; i < h->n_changes; i++) {
		struct change *c = h->changes[i];
		c->position = i;
		c->previous = strmap_get(h->newest, c->key);
		if (c->previous)
			c->previous->next = c;
		strmap_put(h->newest, c->key, c);
	}
	return NULL;
}

const struct change *history_at(const struct history *h, const char *key, int64_t rev)
{
	const struct change *c = strmap_get(h->newest, key);
	while (c && c->rev > rev)
		c = c->previous;
	return c;
}
