#include "test/bench/load.h"
#include "base/flags.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/workers.h"
#include "client/kubeconfig.h"

static const struct load_command commands[] = {
	{"pods", "creates, reads and updates N pods: rates", load_pods},
	{"lists", "lists all pods: time and size", load_lists},
	{"watches", "W watchers of pods while N are updated: deliveries a second", load_watches},
	{"clear", "deletes all pods of the namespace", load_clear},
	{"nodes", "creates N ready nodes, as objects only", load_nodes},
	{"unplaced", "creates N pods, nothing else", load_create},
	{"placed", "waits until N pods have a node: seconds", load_placed},
	{"services", "creates N services with two endpoints each", load_services},
	{"endpoint", "gives service 0 one more endpoint", load_endpoint},
};

struct run {
	struct load *load;
	int64_t n;
	atomic_llong next;
	struct status *(*op)(struct load *l, int64_t i);
};

static void *work(void *data)
{
	struct run *r = data;
	for (;;) {
		int64_t i = atomic_fetch_add(&r->next, 1);
		if (i >= r->n)
			return NULL;
		struct status *failed = r->op(r->load, i);
		if (failed) {
			fprintf(stderr, "bench-load: %s\n", failed->message);
			_exit(1);
		}
	}
}

double load_now(const struct load *l)
{
	return (double)clock_mono_ms(l->clock) / 1000;
}

double load_each(struct load *l, int64_t n, struct status *(*op)(struct load *l, int64_t i))
{
	struct run r = {.load = l, .n = n, .op = op};
	CLEANUP_FREE pthread_t *threads = mem_calloc((size_t)l->threads, sizeof *threads);
	double start = load_now(l);
	for (int64_t i = 0; i < l->threads; i++)
		threads[i] = thread_start("load", work, &r);
	for (int64_t i = 0; i < l->threads; i++)
		pthread_join(threads[i], NULL);
	double seconds = load_now(l) - start;
	return seconds > 0.001 ? seconds : 0.001;
}

void load_figure(const struct load *l, const char *name, double value, const char *unit)
{
	printf("%s%s\t%.3f\t%s\n", l->label, name, value, unit);
	fflush(stdout);
}

double load_server_cpu(const struct load *l)
{
	CLEANUP_FREE char *path = mem_printf("/proc/%lld/stat", (long long)l->server_pid);
	CLEANUP_FREE char *text = NULL;
	unsigned long user = 0, kernel = 0;
	if (!l->server_pid)
		return 0;
	struct status *failed = io_read_file(path, 4096, &text, &(size_t){0});
	if (failed) {
		status_drop(failed, "the server is gone; its requests say so");
		return 0;
	}
	const char *after_name = strrchr(text, ')');
	if (!after_name ||
		sscanf(after_name + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &kernel) != 2)
		return 0;
	return (double)(user + kernel) / (double)sysconf(_SC_CLK_TCK);
}

static struct status *connect_to(struct load *l, struct arena *arena)
{
	struct client_config config;
	TRY(kubeconfig_load_file(arena, l->kubeconfig, NULL, &config));
	config.user_agent = "bench-load";
	config.qps = -1;
	config.json = l->json;
	return client_new(&config, l->clock, &l->client);
}

static int usage(void)
{
	fprintf(stderr, "usage: bench-load COMMAND --kubeconfig FILE [--n N] [--threads T] [--watchers W] [--json] "
			"[--label TEXT]\n");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(stderr, "  %-10s%s\n", commands[i].name, commands[i].usage);
	return 2;
}

int main(int argc, char **argv)
{
	struct load l = {.clock = clock_system()};
	const struct flag flags[] = {
		{"kubeconfig", 0, FLAG_STRING, &l.kubeconfig, "", ""},
		{"label", 0, FLAG_STRING, &l.label, "", ""},
		{"namespace", 'n', FLAG_STRING, &l.namespace, "default", ""},
		{"n", 0, FLAG_INT, &l.n, "1000", ""},
		{"threads", 0, FLAG_INT, &l.threads, "8", ""},
		{"watchers", 0, FLAG_INT, &l.watchers, "100", ""},
		{"server-pid", 0, FLAG_INT, &l.server_pid, "0", ""},
		{"json", 0, FLAG_BOOL, &l.json, "false", ""},
		{NULL},
	};
	const struct flag *const tables[] = {flags, NULL};
	struct flag_args args;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP_STATUS struct status *failed = flags_parse_tables(tables, argc, argv, true, &args);
	if (!failed && args.n_items != 1)
		return usage();
	l.label = l.label ? l.label : mem_strdup("");
	if (!failed)
		failed = connect_to(&l, arena);
	const struct load_command *command = NULL;
	for (size_t i = 0; !failed && i < ARRAY_SIZE(commands); i++) {
		if (str_eq(commands[i].name, args.items[0]))
			command = &commands[i];
	}
	if (!failed && !command)
		return usage();
	if (!failed)
		failed = command->run(&l);
	if (failed)
		fprintf(stderr, "bench-load: %s\n", failed->message);
	return failed != NULL;
}
