/* Pods as plain objects: what writing, reading, listing and watching them costs. */
#include "api/meta.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/workers.h"
#include "test/bench/load.h"

static CoreV1Pod *pod_of(struct load *l, struct arena *arena, int64_t i)
{
	CoreV1Pod *pod = API_NEW(arena, CoreV1Pod);
	pod->metadata = API_NEW(arena, MetaV1ObjectMeta);
	pod->metadata->name = arena_printf(arena, "load-%05lld", (long long)i);
	pod->metadata->namespace = arena_strdup(arena, l->namespace);
	meta_set_label(arena, pod->metadata, "app", "load");
	meta_set_label(arena, pod->metadata, "shard", arena_printf(arena, "%lld", (long long)(i % 10)));
	pod->spec = API_NEW(arena, CoreV1PodSpec);
	CoreV1Container *c = API_NEW(arena, CoreV1Container);
	c->name = arena_strdup(arena, "server");
	c->image = arena_strdup(arena, "registry.example/server:1.0");
	c->resources = API_NEW(arena, CoreV1ResourceRequirements);
	quantity_map_set(arena, &c->resources->requests, &c->resources->n_requests, "cpu", "10m");
	quantity_map_set(arena, &c->resources->requests, &c->resources->n_requests, "memory", "10Mi");
	ARENA_PUSH(arena, pod->spec->containers, pod->spec->n_containers) = c;
	return pod;
}

static struct status *create_one(struct load *l, int64_t i)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	return client_create(l->client, arena, pod_of(l, arena, i), NULL);
}

static struct status *get_one(struct load *l, int64_t i)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CoreV1Pod *pod = NULL;
	return client_get(l->client, arena, &CoreV1Pod_schema, l->namespace,
		arena_printf(arena, "load-%05lld", (long long)(i % l->n)), &pod);
}

static struct status *update_one(struct load *l, int64_t i)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CoreV1Pod *pod = NULL;
	TRY(client_get(l->client, arena, &CoreV1Pod_schema, l->namespace,
		arena_printf(arena, "load-%05lld", (long long)(i % l->n)), &pod));
	meta_set_annotation(arena, pod->metadata, "example.com/touched",
		arena_printf(arena, "%lld-%lld", (long long)i, (long long)clock_wall_ns(l->clock)));
	return client_update(l->client, arena, pod, NULL);
}

static void rate(struct load *l, const char *verb, int64_t n, struct status *(*op)(struct load *l, int64_t i))
{
	CLEANUP_FREE char *name = mem_printf("%s pod", verb);
	CLEANUP_FREE char *cpu_name = mem_printf("%s pod, server CPU", verb);
	double cpu = load_server_cpu(l);
	double seconds = load_each(l, n, op);
	load_figure(l, name, (double)n / seconds, "1/s");
	if (l->server_pid)
		load_figure(l, cpu_name, (load_server_cpu(l) - cpu) / (double)n * 1e6, "us");
}

struct status *load_create(struct load *l)
{
	rate(l, "create", l->n, create_one);
	return NULL;
}

struct status *load_pods(struct load *l)
{
	rate(l, "create", l->n, create_one);
	rate(l, "get", l->n, get_one);
	rate(l, "read and update", l->n, update_one);
	return NULL;
}

static struct status *list_once(struct load *l, char *accept, double *ret_seconds, size_t *ret_size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const struct http_header headers[] = {{"Accept", accept}};
	struct client_response response = {0};
	const struct client_request request = {
		.path = client_path(arena, client_resource_of(l->client, &CoreV1Pod_schema), l->namespace, NULL, NULL),
		.headers = headers,
		.n_headers = 1};
	double start = load_now(l);
	TRY(client_do(l->client, arena, &request, &response));
	*ret_seconds = load_now(l) - start;
	*ret_size = response.body_size;
	return NULL;
}

struct status *load_lists(struct load *l)
{
	static char accepts[][2][40] = {
		{"application/json", "JSON"}, {"application/vnd.kubernetes.protobuf", "protobuf"}};
	enum { ROUNDS = 5 };
	for (size_t i = 0; i < ARRAY_SIZE(accepts); i++) {
		double sum = 0, seconds = 0, cpu = load_server_cpu(l);
		size_t size = 0;
		for (int round = 0; round < ROUNDS; round++) {
			TRY(list_once(l, accepts[i][0], &seconds, &size));
			sum += seconds;
		}
		CLEANUP_FREE char *name = mem_printf("list in %s", accepts[i][1]);
		CLEANUP_FREE char *cpu_name = mem_printf("list in %s, server CPU", accepts[i][1]);
		load_figure(l, name, sum / ROUNDS * 1000, "ms");
		if (l->server_pid)
			load_figure(l, cpu_name, (load_server_cpu(l) - cpu) / ROUNDS * 1000, "ms");
	}
	return NULL;
}

/* --- watches --- */

struct crowd {
	struct load *load;
	char *resource_version;
	atomic_llong delivered, ready;
	int64_t wanted;
	atomic_bool over;
};

static bool count_event(void *data, const struct watch_event *event)
{
	struct crowd *crowd = data;
	if (event->type == WATCH_MODIFIED)
		atomic_fetch_add(&crowd->delivered, 1);
	return !atomic_load(&crowd->over);
}

static void *watch_all(void *data)
{
	struct crowd *crowd = data;
	struct load *l = crowd->load;
	const struct watch_options options = {.resource_version = crowd->resource_version, .timeout_seconds = 300};
	atomic_fetch_add(&crowd->ready, 1);
	struct status *failed = client_watch(l->client, client_resource_of(l->client, &CoreV1Pod_schema), NULL,
		l->namespace, &options, count_event, crowd);
	if (failed && !atomic_load(&crowd->over))
		fprintf(stderr, "bench-load: watch: %s\n", failed->message);
	status_drop(failed, "the run is over, or the figure tells");
	return NULL;
}

struct status *load_watches(struct load *l)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct client_list list;
	const struct client_list_options one = {.limit = 1, .one_page = true};
	TRY(client_list(l->client, arena, &CoreV1Pod_schema, l->namespace, &one, &list));
	struct crowd *crowd = mem_zalloc(sizeof *crowd);
	crowd->load = l;
	crowd->resource_version = mem_strdup(list.resource_version);
	for (int64_t i = 0; i < l->watchers; i++)
		thread_start("watch", watch_all, crowd);
	while (atomic_load(&crowd->ready) < l->watchers)
		usleep(10000);
	usleep(2000000);
	double start = load_now(l), cpu = load_server_cpu(l);
	load_each(l, l->n, update_one);
	crowd->wanted = l->n * l->watchers;
	double deadline = load_now(l) + 60;
	while (atomic_load(&crowd->delivered) < crowd->wanted && load_now(l) < deadline)
		usleep(5000);
	double seconds = load_now(l) - start;
	atomic_store(&crowd->over, true);
	load_figure(l, "events delivered", (double)atomic_load(&crowd->delivered) / seconds, "1/s");
	load_figure(l, "events delivered of those expected",
		100.0 * (double)atomic_load(&crowd->delivered) / (double)crowd->wanted, "%");
	if (l->server_pid)
		load_figure(l, "event delivered, server CPU", (load_server_cpu(l) - cpu) / (double)crowd->wanted * 1e6,
			"us");
	fflush(stdout);
	_exit(0); /* the watchers' threads end with the process */
}

struct status *load_clear(struct load *l)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	MetaV1DeleteOptions *options = API_NEW(arena, MetaV1DeleteOptions);
	options->has_grace_period_seconds = true;
	return client_delete_collection(
		l->client, arena, client_resource_of(l->client, &CoreV1Pod_schema), l->namespace, options, NULL);
}
