#include "kubectl/tabwriter.h"

struct cell {
	const char *text;
	size_t size, width;
};

struct line {
	struct cell *cells;
	size_t n_cells;
};

struct layout {
	struct tabwriter *w;
	struct strbuf *out;
	struct arena *arena;
	struct line *lines;
	size_t n_lines;
	size_t *widths; /* of the columns that enclose the present block */
	size_t n_widths;
};

void tabwriter_init(
	struct tabwriter *w, struct arena *arena, size_t min_width, size_t padding, bool remember, FILE *out)
{
	*w = (struct tabwriter){
		.min_width = min_width, .padding = padding, .remember = remember, .out = out, .arena = arena};
	strbuf_init(&w->text);
}

void tabwriter_adds(struct tabwriter *w, const char *s)
{
	strbuf_adds(&w->text, s);
}

void tabwriter_printf(struct tabwriter *w, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	strbuf_vprintf(&w->text, format, args);
	va_end(args);
}

void tabwriter_forget(struct tabwriter *w)
{
	w->n_widths = 0;
}

static size_t text_width(const char *s, size_t size)
{
	size_t width = 0;
	for (size_t i = 0; i < size; i++)
		width += ((unsigned char)s[i] & 0xC0) != 0x80;
	return width;
}

static void split_lines(struct layout *l, const char *text)
{
	for (;;) {
		size_t size = strcspn(text, "\n");
		struct line line = {0};
		for (const char *at = text;;) {
			size_t n = strcspn(at, "\t\n");
			ARENA_PUSH(l->arena, line.cells, line.n_cells) = (struct cell){at, n, text_width(at, n)};
			at += n;
			if (*at != '\t')
				break;
			at++;
		}
		ARENA_PUSH(l->arena, l->lines, l->n_lines) = line;
		text += size;
		if (!*text)
			return;
		text++;
	}
}

static void pad(struct strbuf *out, size_t n)
{
	while (n--)
		strbuf_addc(out, ' ');
}

static void write_lines(struct layout *l, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		const struct line *line = &l->lines[i];
		for (size_t j = 0; j < line->n_cells; j++) {
			const struct cell *cell = &line->cells[j];
			strbuf_add(l->out, cell->text, cell->size);
			if (j < l->n_widths && l->widths[j] > cell->width)
				pad(l->out, l->widths[j] - cell->width);
		}
		if (i + 1 < l->n_lines)
			strbuf_addc(l->out, '\n');
	}
}

static size_t remembered(struct tabwriter *w, size_t column, size_t width)
{
	if (!w->remember)
		return width;
	while (w->n_widths <= column)
		ARENA_PUSH(w->arena, w->widths, w->n_widths) = 0;
	if (w->widths[column] < width)
		w->widths[column] = width;
	return w->widths[column];
}

/* Lays out the lines [from, to), which share the widths of the columns so far. */
static void layout_block(struct layout *l, size_t from, size_t to)
{
	size_t column = l->n_widths;
	for (size_t i = from; i < to; i++) {
		if (column + 1 >= l->lines[i].n_cells)
			continue;
		write_lines(l, from, i);
		from = i;
		size_t width = l->w->min_width;
		for (; i < to && column + 1 < l->lines[i].n_cells; i++) {
			size_t wanted = l->lines[i].cells[column].width + l->w->padding;
			width = wanted > width ? wanted : width;
		}
		ARENA_PUSH(l->arena, l->widths, l->n_widths) = remembered(l->w, column, width);
		layout_block(l, from, i);
		l->n_widths = column;
		from = i;
	}
	write_lines(l, from, to);
}

void tabwriter_layout(struct tabwriter *w, struct strbuf *out)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct layout l = {.w = w, .out = out, .arena = arena};
	split_lines(&l, w->text.buf);
	layout_block(&l, 0, l.n_lines);
	strbuf_done(&w->text); /* what was laid out last is not kept to the end */
}

void tabwriter_flush(struct tabwriter *w)
{
	if (!w->text.len)
		return;
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	tabwriter_layout(w, &out);
	w->n_written += out.len;
	fwrite(out.buf, 1, out.len, w->out);
	fflush(w->out);
}
