#include <stdio.h>
#include "base/flags.h"
#include "base/mem.h"
#include "test/api-cases/cases.h"

struct program {
	struct server server;
	char *url, *ca, *cert, *key, *focus;
	bool record, accept, all, keep;
};

static struct status *one_file(struct program *p, const char *path, struct counts *total)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct results results = {.arena = arena};
	struct expectations e;
	struct counts counts = {0};
	if (p->keep)
		return keep_file(&p->server, path);
	TRY(run_file(&p->server, path, str_empty(p->focus) ? NULL : p->focus, &results));
	if (p->record)
		return results_record(&results, path);
	struct status *failed = expectations_read(&e, arena, path);
	if (!failed) {
		results_compare(&results, &e, p->all, &counts);
		printf("%s: %ld agree, %ld differ, %ld known to differ\n", path, counts.agree, counts.differ,
			counts.known);
	}
	if (!failed && p->accept)
		failed = results_accept(&results, &e, path);
	expectations_done(&e);
	total->differ += counts.differ;
	total->agree += counts.agree;
	return failed;
}

int main(int argc, char **argv)
{
	struct program p = {0};
	const struct flag flags[] = {
		{"server", 0, FLAG_STRING, &p.url, "", "the API server's address"},
		{"ca", 0, FLAG_STRING, &p.ca, "", "who signed its certificate"},
		{"cert", 0, FLAG_STRING, &p.cert, "", "the client's certificate"},
		{"key", 0, FLAG_STRING, &p.key, "", "and its key"},
		{"focus", 0, FLAG_STRING, &p.focus, "", "only groups whose name has this word"},
		{"record", 0, FLAG_BOOL, &p.record, "false", "write the answers down as those expected"},
		{"accept", 0, FLAG_BOOL, &p.accept, "false", "write the differences down as known"},
		{"keep", 0, FLAG_BOOL, &p.keep, "false",
			"ask nothing: store what would be asked about, and print where"},
		{"all", 0, FLAG_BOOL, &p.all, "false", "show known differences too"},
		{NULL},
	};
	const struct flag *const tables[] = {flags, NULL};
	struct flag_args args;
	struct counts total = {0};
	CLEANUP_STATUS struct status *failed = flags_parse_tables(tables, argc, argv, true, &args);
	p.server = (struct server){.url = p.url, .ca = p.ca, .cert = p.cert, .key = p.key};
	if (!failed && !str_empty(p.focus) && (p.record || p.accept))
		failed = status_bad_request("all groups of a file are recorded together: leave --focus out");
	for (size_t i = 0; !failed && i < args.n_items; i++)
		failed = one_file(&p, args.items[i], &total);
	server_close(&p.server);
	if (failed)
		fprintf(stderr, "api-cases: %s\n", failed->message);
	return failed || (total.differ && !p.accept) ? 1 : 0;
}
