/*
 * The lines of a request's head, as the library hands them on, and its target: what is taken can be read in one way
 * only. The library's call that lists the lines is here the fuzzer's: they are the input's, "name: value" each.
 */
#include "serve/strict.h"
#include "base/arena.h"
#include "test/fuzz/target.h"

struct line {
	const char *name, *value;
};

struct MHD_Connection {
	struct line lines[64];
	int n;
};

int MHD_get_connection_values_n(
	struct MHD_Connection *connection, enum MHD_ValueKind kind, MHD_KeyValueIteratorN iterator, void *data)
{
	int i = 0;
	while (i < connection->n) {
		const struct line *l = &connection->lines[i++];
		if (iterator(data, kind, l->name, l->name ? strlen(l->name) : 0, l->value,
			    l->value ? strlen(l->value) : 0) == MHD_NO)
			break;
	}
	return i;
}

static size_t count(const struct MHD_Connection *c, const char *name)
{
	size_t n = 0;
	for (int i = 0; i < c->n; i++)
		n += c->lines[i].name && str_eq_nocase(c->lines[i].name, name);
	return n;
}

static bool has_control(const char *s)
{
	for (; s && *s; s++)
		if (((unsigned char)*s < ' ' && *s != '\t') || *s == 0x7f)
			return true;
	return false;
}

/* What of a head that was taken could be read in two ways. */
static void check_taken(const struct MHD_Connection *c, bool old)
{
	const char *length = NULL;
	assert(count(c, "Host") <= 1 && (old || count(c, "Host") == 1));
	assert(count(c, "Transfer-Encoding") <= !old);
	for (int i = 0; i < c->n; i++) {
		const struct line *l = &c->lines[i];
		assert(l->name && *l->name && !strpbrk(l->name, " \t:") && !has_control(l->name) &&
			!has_control(l->value));
		if (!str_eq_nocase(l->name, "Content-Length"))
			continue;
		assert(!length || str_eq(length, l->value));
		length = l->value;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct MHD_Connection c = {.n = 0};
	struct strict_refusal refusal;
	char **lines;
	if (!size || size > 4096)
		return 0;
	const bool old = *data & 1;
	const size_t n = str_split(arena, arena_strndup(arena, (const char *)data + 1, size - 1), '\n', &lines);
	for (size_t i = 1; i < n && c.n < (int)ARRAY_SIZE(c.lines); i++) {
		char *colon = strchr(lines[i], ':');
		if (colon)
			*colon = 0;
		c.lines[c.n++] = (struct line){colon == lines[i] ? NULL : lines[i], colon ? colon + 1 : NULL};
	}
	if (n && strict_is_target(lines[0]))
		assert(*lines[0] && !strpbrk(lines[0], " \t\r") && !has_control(lines[0]));
	if (strict_refuses(&c, old ? MHD_HTTP_VERSION_1_0 : MHD_HTTP_VERSION_1_1, &refusal))
		assert(refusal.code >= 400 && *refusal.text);
	else
		check_taken(&c, old);
	return 0;
}
