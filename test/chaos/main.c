#include "base/flags.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "test/chaos/chaos.h"
#include "test/chaos/check.h"

enum { SHOWN = 12 }; /* faults of one rule */

static const struct command {
	const char *name, *usage;
	struct status *(*run)(const struct chaos_options *options, char *const *args, size_t n_args);
} commands[] = {
	{"plan", "--seed N --seconds T --n-servers S --binaries DIR: the faults of a seed", chaos_plan},
	{"points", "--binaries DIR: failure points, with the component that has them", chaos_points},
	{"load", "--seed N --kubeconfig FILE --servers URLS --out DIR [--patience S]: clients until DIR/stop",
		chaos_load},
	{"truth", "[--rest] --etcd URL --etcd-ca F --etcd-cert F --etcd-key F: all changes of the store", chaos_truth},
	{"check", "[--rest] FILE...: says what is wrong, and fails if anything is", chaos_check},
};

/* Of each rule the first few: one thing that is wrong is often told of a hundred times. */
static void print_faults(const struct verdict *v)
{
	size_t n = 0;
	for (size_t i = 0; i < v->n_faults; i++) {
		size_t rule = strcspn(v->faults[i], ":");
		n = i && !strncmp(v->faults[i], v->faults[i - 1], rule + 1) ? n + 1 : 0;
		if (n < SHOWN)
			printf("WRONG: %s\n", v->faults[i]);
	}
}

struct status *chaos_check(const struct chaos_options *options, char *const *args, size_t n_args)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(history_freep) struct history *history = history_new();
	for (size_t i = 0; i < n_args; i++)
		TRY(history_add_file(history, args[i]));
	TRY(history_link(history));
	struct verdict v = {.arena = arena};
	(options->rest ? check_rest : check_history)(history, &v);
	for (size_t i = 0; i < v.n_looked; i++)
		printf("%s\n", v.looked[i]);
	print_faults(&v);
	return v.n_faults ? status_internal("%zu things are wrong", v.n_faults) : NULL;
}

static int usage(void)
{
	fprintf(stderr, "usage:\n");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(stderr, "  chaos %-7s%s\n", commands[i].name, commands[i].usage);
	return 2;
}

int main(int argc, char **argv)
{
	struct chaos_options o = {0};
	const struct flag flags[] = {
		{"kubeconfig", 0, FLAG_STRING, &o.kubeconfig, "", ""},
		{"servers", 0, FLAG_STRING, &o.servers, "", ""},
		{"etcd", 0, FLAG_STRING, &o.etcd, "", ""},
		{"etcd-ca", 0, FLAG_STRING, &o.etcd_ca, "", ""},
		{"etcd-cert", 0, FLAG_STRING, &o.etcd_cert, "", ""},
		{"etcd-key", 0, FLAG_STRING, &o.etcd_key, "", ""},
		{"out", 0, FLAG_STRING, &o.out, ".", ""},
		{"binaries", 0, FLAG_STRING, &o.binaries, "", ""},
		{"seed", 0, FLAG_INT, &o.seed, "1", ""},
		{"seconds", 0, FLAG_INT, &o.seconds, "120", ""},
		{"n-servers", 0, FLAG_INT, &o.n_servers, "1", ""},
		{"patience", 0, FLAG_INT, &o.patience, "30", ""},
		{"rest", 0, FLAG_BOOL, &o.rest, "", ""},
		{NULL},
	};
	const struct flag *const tables[] = {flags, NULL};
	struct flag_args args;
	CLEANUP_STATUS struct status *failed = flags_parse_tables(tables, argc, argv, true, &args);
	if (!failed && args.n_items < 1)
		return usage();
	const struct command *command = NULL;
	for (size_t i = 0; !failed && i < ARRAY_SIZE(commands); i++)
		if (str_eq(commands[i].name, args.items[0]))
			command = &commands[i];
	if (!failed && !command)
		return usage();
	if (!failed)
		failed = command->run(&o, args.items + 1, args.n_items - 1);
	if (failed)
		fprintf(stderr, "chaos: %s\n", failed->message);
	return failed != NULL;
}
