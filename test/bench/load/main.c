#include "base/cleanup.h"
#include "test/bench/load/load.h"

static const struct load_command commands[] = {
	{"read", "--what current|cached: GET of N pods by name", load_read},
	{"write", "--what KIND: creates, updates, patches; see writes[] in write.c", load_write},
	{"list", "--what json|protobuf|table|gzip|pages[-current]: LIST of pods, N times, by --clients at once",
		load_list},
	{"watch", "--n W: watchers of pods while one pod is updated at --rate a second", load_watch},
	{"body", "--n BYTES: prints a pod of that size", load_body},
	{"wait", "--what placed|pods|deleted: until N pods are so", load_wait},
	{"tls", "--n BYTES: what encrypting and sending so much costs", load_tls},
	{"etcd-fill", "--key K --prefix P: N copies of an object, straight into etcd", load_etcd_fill},
	{"etcd-put",
		"--n BYTES | --key K: bare puts, of zeros or of what that key holds; --what create: by a create's "
		"transaction",
		load_etcd_put},
};

static int usage(void)
{
	fprintf(stderr, "usage: bench-load COMMAND --kubeconfig FILE [flags]\n");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(stderr, "  %-10s%s\n", commands[i].name, commands[i].usage);
	return 2;
}

static const struct load_command *find_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (str_eq(commands[i].name, name))
			return &commands[i];
	}
	return NULL;
}

int main(int argc, char **argv)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct load l = {.arena = arena};
	const struct flag flags[] = {
		{"kubeconfig", 0, FLAG_STRING, &l.kubeconfig, "", ""},
		{"namespace", 0, FLAG_STRING, &l.namespace, "default", ""},
		{"what", 0, FLAG_STRING, &l.what, "", ""},
		{"n", 0, FLAG_INT, &l.n, "1000", ""},
		{"from", 0, FLAG_INT, &l.from, "0", ""},
		{"clients", 0, FLAG_INT, &l.clients, "16", ""},
		{"seconds", 0, FLAG_FLOAT, &l.seconds, "2", ""},
		{"rate", 0, FLAG_FLOAT, &l.rate, "50", ""},
		{"server-pid", 0, FLAG_INT, &l.server_pid, "0", ""},
		{"figure", 0, FLAG_STRING, &l.figure, "", ""},
		{"etcd", 0, FLAG_STRING, &l.etcd, "", ""},
		{"source", 0, FLAG_STRING, &l.source, "", ""},
		{"key", 0, FLAG_STRING, &l.key, "", ""},
		{"prefix", 0, FLAG_STRING, &l.prefix, "", ""},
		{"selector", 0, FLAG_STRING, &l.selector, "", ""},
		{NULL},
	};
	const struct flag *const tables[] = {flags, NULL};
	struct flag_args args;
	CLEANUP_STATUS struct status *failed = flags_parse_tables(tables, argc, argv, true, &args);
	const struct load_command *command = !failed && args.n_items == 1 ? find_command(args.items[0]) : NULL;
	if (!failed && !command)
		return usage();
	if (!failed && !str_empty(l.kubeconfig))
		failed = target_init(&l.target, arena, l.kubeconfig);
	if (!failed)
		failed = command->run(&l);
	if (l.target.tls)
		tls_context_unref(l.target.tls);
	if (failed)
		fprintf(stderr, "bench-load: %s\n", failed->message);
	return failed != NULL;
}
