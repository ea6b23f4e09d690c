#include "base/cleanup.h"
#include "base/flags.h"
#include "base/io.h"
#include "test/bench/report/report.h"

struct paths {
	char *figures, *samples, *results, *failures, *machine, *parts, *page;
};

static struct status *run(struct report *r, const struct paths *p)
{
	TRY(figures_read(r, p->figures));
	TRY(table_read(r->arena, p->failures, &r->failures, &r->n_failures));
	TRY(table_read(r->arena, p->machine, &r->machine, &r->n_machine));
	r->n_parts = str_split(r->arena, p->parts, ' ', &r->parts);
	TRY(results_make(r, p->samples, p->results));
	TRY(results_read(r, p->results));
	CLEANUP(strbuf_done) struct strbuf html = STRBUF_INIT;
	page_write(r, &html);
	TRY(io_write_file(p->page, html.buf, html.len, 0644));
	text_write(r, stdout);
	return NULL;
}

/* 1: a figure is missing; 2: nothing could be said. */
int main(int argc, char **argv)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct report r = {.arena = arena};
	struct paths p = {0};
	const struct flag flags[] = {
		{"figures", 0, FLAG_STRING, &p.figures, "", "what figures there are"},
		{"samples", 0, FLAG_STRING, &p.samples, "", "what was taken"},
		{"failures", 0, FLAG_STRING, &p.failures, "", "part, side and reason of what could not be"},
		{"machine", 0, FLAG_STRING, &p.machine, "", "name and value of what is worth knowing"},
		{"parts", 0, FLAG_STRING, &p.parts, "", "which were run"},
		{"scale", 0, FLAG_INT, &r.scale, "1", "what sizes were divided by"},
		{"results", 0, FLAG_STRING, &p.results, "", "written: a line for each figure and side"},
		{"page", 0, FLAG_STRING, &p.page, "", "written: HTML"},
		{NULL},
	};
	struct flag_args args;
	CLEANUP_STATUS struct status *failed = flags_parse(flags, argc, argv, &args);
	if (!failed)
		failed = run(&r, &p);
	if (failed) {
		fprintf(stderr, "bench-report: %s\n", failed->message);
		return 2;
	}
	const char *reason;
	for (size_t i = 0; i < r.n_figures; i++) {
		if (figure_failed(&r, &r.figures[i], &reason))
			return 1;
	}
	return 0;
}
