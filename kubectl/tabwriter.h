/*
 * Elastic columns: cells end with a tab, and each run of lines that have a cell in a column shares its width. What
 *stands after a line's last tab belongs to no column.
 *
 *	struct tabwriter w;
 *	tabwriter_init(&w, 6, 3, stdout);
 *	tabwriter_printf(&w, "NAME\tAGE\n");
 *	tabwriter_flush(&w);
 */
#ifndef KUBECTL_TABWRITER_H
#define KUBECTL_TABWRITER_H

#include <stdio.h>
#include "base/str.h"

struct tabwriter {
	struct strbuf text;
	FILE *out;
	size_t min_width, padding;
	bool remember;	/* columns never get narrower from one flush to the next */
	size_t *widths; /* remembered */
	size_t n_widths;
	struct arena *arena;
	size_t n_written; /* bytes */
};

void tabwriter_init(
	struct tabwriter *w, struct arena *arena, size_t min_width, size_t padding, bool remember, FILE *out);
void tabwriter_adds(struct tabwriter *w, const char *s);
void tabwriter_printf(struct tabwriter *w, const char *format, ...) PRINTF(2, 3);
void tabwriter_flush(struct tabwriter *w);
void tabwriter_forget(struct tabwriter *w);
/* The text laid out, into a buffer. */
void tabwriter_layout(struct tabwriter *w, struct strbuf *out);

#endif
