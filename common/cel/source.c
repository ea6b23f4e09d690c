#include "cel/source.h"
#include "base/str.h"

enum { MAX_ISSUES = 100, MAX_SNIPPET = 16384 };

size_t cel_point_size(const char *p, const char *end)
{
	unsigned char c = (unsigned char)*p;
	size_t size = c < 0x80 ? 1 : c >= 0xf0 && c < 0xf8 ? 4 : c >= 0xe0 ? 3 : c >= 0xc2 ? 2 : 1;
	if (c >= 0xf8 || (size_t)(end - p) < size)
		return 1;
	for (size_t i = 1; i < size; i++)
		if (((unsigned char)p[i] & 0xc0) != 0x80)
			return 1;
	return size;
}

size_t cel_points(const char *text, size_t size)
{
	size_t n = 0;
	for (const char *p = text, *end = text + size; p < end; p += cel_point_size(p, end))
		n++;
	return n;
}

struct cel_source *cel_source_new(struct arena *arena, const char *text)
{
	struct cel_source *s = ARENA_NEW(arena, struct cel_source);
	s->arena = arena;
	s->text = text;
	s->size = strlen(text);
	s->n_points = (int32_t)cel_points(text, s->size);
	return s;
}

void cel_issue(struct cel_source *source, int32_t at, const char *format, ...)
{
	va_list args;
	if (source->n_issues >= MAX_ISSUES) {
		source->n_issues++;
		return;
	}
	struct cel_issue *issue = &ARENA_PUSH(source->arena, source->issues, source->n_issues);
	va_start(args, format);
	issue->at = at;
	issue->message = arena_vprintf(source->arena, format, args);
	va_end(args);
}

/* The line of a place: its number from 1, where it begins, and the column of the place. */
struct line {
	int32_t number, column;
	const char *begin, *end;
};

static struct line line_of(const struct cel_source *source, int32_t at)
{
	const char *end = source->text + source->size;
	struct line line = {1, 0, source->text, end};
	int32_t i = 0;
	for (const char *p = source->text; p < end && i < at; p += cel_point_size(p, end), i++) {
		line.column++;
		if (*p == '\n') {
			line.number++;
			line.column = 0;
			line.begin = p + 1;
		}
	}
	const char *newline = memchr(line.begin, '\n', (size_t)(end - line.begin));
	if (newline)
		line.end = newline;
	return line;
}

static void print_snippet(struct strbuf *out, const struct line *line)
{
	const char *p = line->begin;
	strbuf_adds(out, "\n | ");
	for (const char *c = line->begin; c < line->end; c++)
		strbuf_addc(out, *c == '\t' ? ' ' : *c);
	strbuf_adds(out, "\n | ");
	for (int32_t i = 0; i < line->column && p < line->end; i++) {
		size_t size = cel_point_size(p, line->end);
		strbuf_adds(out, size > 1 ? "\xef\xbc\x8e" : ".");
		p += size;
	}
	strbuf_adds(out, p < line->end && cel_point_size(p, line->end) > 1 ? "\xef\xbc\xbe" : "^");
}

static void print_issue(struct strbuf *out, const struct cel_source *source, const struct cel_issue *issue)
{
	if (issue->at == CEL_NOWHERE) {
		strbuf_printf(out, "ERROR: <input>:-1:0: %s", issue->message);
		return;
	}
	struct line line = line_of(source, issue->at);
	/* An empty text has no first column. */
	strbuf_printf(out, "ERROR: <input>:%d:%d: %s", (int)line.number, (int)line.column + (source->size > 0),
		issue->message);
	if (source->size > 0 && line.end - line.begin <= MAX_SNIPPET)
		print_snippet(out, &line);
}

char *cel_issues_text(const struct cel_source *source)
{
	size_t n = source->n_issues < MAX_ISSUES ? source->n_issues : MAX_ISSUES;
	if (!n)
		return NULL;
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	struct cel_issue *sorted = arena_dup(source->arena, source->issues, n * sizeof(*sorted));
	for (size_t i = 1; i < n; i++) {
		struct cel_issue issue = sorted[i];
		size_t k = i;
		for (; k > 0 && sorted[k - 1].at > issue.at; k--)
			sorted[k] = sorted[k - 1];
		sorted[k] = issue;
	}
	for (size_t i = 0; i < n; i++) {
		if (i)
			strbuf_addc(&out, '\n');
		print_issue(&out, source, &sorted[i]);
	}
	if (source->n_issues > n)
		strbuf_printf(&out, "\n%zu more errors were truncated", source->n_issues - n);
	return arena_strdup(source->arena, out.buf);
}
