#include <stdio.h>
#include <stdlib.h>
#include "base/io.h"
#include "base/mem.h"
#include "test/api-cases/cases.h"

enum { MAX_FILE_BYTES = 64 << 20 };

static char *beside(struct arena *arena, const char *case_file, const char *suffix)
{
	const char *dot = strrchr(case_file, '.');
	size_t len = dot ? (size_t)(dot - case_file) : strlen(case_file);
	return arena_printf(arena, "%.*s%s", (int)len, case_file, suffix);
}

/* A name at the margin, then what is indented below it. */
static void read_block(struct expectations *e, struct arena *arena, char **at)
{
	char *name = *at, *end = strchr(name, '\n');
	if (end)
		*end = '\0';
	char *body = end ? end + 1 : name + strlen(name), *p = body;
	while (*p == '\t') {
		char *line_end = strchr(p, '\n');
		p = line_end ? line_end + 1 : p + strlen(p);
	}
	if (*name)
		strmap_put(e->texts, name, arena_strndup(arena, body, (size_t)(p - body)));
	*at = p;
}

static struct status *read_optional(struct arena *arena, const char *path, char **ret_text)
{
	char *text = NULL;
	size_t size = 0;
	*ret_text = NULL;
	if (!io_exists(path))
		return NULL;
	TRY(io_read_file(path, MAX_FILE_BYTES, &text, &size));
	*ret_text = arena_strndup(arena, text, size);
	free(text);
	return NULL;
}

struct status *expectations_read(struct expectations *e, struct arena *arena, const char *case_file)
{
	char *text, *known, **lines;
	e->texts = strmap_new(NULL);
	e->accepted = strmap_new(NULL);
	TRY(read_optional(arena, beside(arena, case_file, ".expect"), &text));
	for (char *at = text; at && *at;)
		read_block(e, arena, &at);
	TRY(read_optional(arena, beside(arena, case_file, ".differs"), &known));
	size_t n = known ? str_split(arena, known, '\n', &lines) : 0;
	for (size_t i = 0; i < n; i++)
		if (*lines[i])
			strmap_put(e->accepted, lines[i], lines[i]);
	return NULL;
}

void expectations_done(struct expectations *e)
{
	strmap_free(e->texts);
	strmap_free(e->accepted);
}

static struct status *write_lines(struct arena *arena, const char *case_file, const char *suffix, struct strbuf *out)
{
	const char *path = beside(arena, case_file, suffix);
	if (!out->len && !io_exists(path))
		return NULL;
	if (!out->len)
		return remove(path) ? status_bad_request("%s cannot be removed", path) : NULL;
	return io_write_file(path, out->buf, out->len, 0644);
}

struct status *results_record(const struct results *results, const char *case_file)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	for (size_t i = 0; i < results->n_items; i++)
		strbuf_printf(&out, "%s\n%s", results->items[i].name, results->items[i].text);
	return write_lines(results->arena, case_file, ".expect", &out);
}

static bool agrees(const struct result *result, const struct expectations *e)
{
	const char *text = strmap_get(e->texts, result->name);
	return text && !strcmp(text, result->text);
}

/* The lines of one text that are not in the other, marked. */
static bool print_missing(struct arena *arena, const char *text, const char *other, char mark)
{
	char **lines;
	bool any = false;
	size_t n = str_split(arena, text, '\n', &lines);
	for (size_t i = 0; i < n; i++)
		if (*lines[i] && !strstr(other, arena_printf(arena, "%s\n", lines[i])))
			any = printf("    %c%s\n", mark, lines[i]) > 0;
	return any;
}

static void print_difference(struct arena *arena, const struct result *r, const char *expected)
{
	printf("%s\n", r->name);
	if (!expected)
		expected = "\t(nothing is recorded)\n";
	bool missing = print_missing(arena, expected, r->text, '-');
	bool more = print_missing(arena, r->text, expected, '+');
	if (!missing && !more)
		printf("    in another order:\n%s", r->text);
}

void results_compare(const struct results *results, const struct expectations *e, bool all, struct counts *counts)
{
	for (size_t i = 0; i < results->n_items; i++) {
		const struct result *r = &results->items[i];
		const char *text = strmap_get(e->texts, r->name);
		bool agree = agrees(r, e), known = strmap_has(e->accepted, r->name);
		counts->agree += agree;
		counts->differ += !agree && !known;
		counts->known += !agree && known;
		if (!agree && (!known || all))
			print_difference(results->arena, r, text);
		if (agree && known) {
			counts->differ++;
			printf("%s\n    agrees, though it is listed as different\n", r->name);
		}
	}
}

struct status *results_accept(const struct results *results, const struct expectations *e, const char *case_file)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	for (size_t i = 0; i < results->n_items; i++)
		if (!agrees(&results->items[i], e))
			strbuf_printf(&out, "%s\n", results->items[i].name);
	return write_lines(results->arena, case_file, ".differs", &out);
}
