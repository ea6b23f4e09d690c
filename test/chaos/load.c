#include "test/chaos/load.h"
#include <inttypes.h>
#include "api/meta.h"
#include "base/io.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/workers.h"
#include "client/kubeconfig.h"

enum { MAX_ACTORS = 64, TIMEOUT_MS = 8000, POLL_MS = 100, SETTLE_MS = 10000 };

static const struct {
	const struct schema_type *type;
	const char *prefix;
} prefixes[] = {
	{&CoreV1ConfigMap_schema, "/registry/configmaps/"},
	{&CoreV1Service_schema, "/registry/services/specs/"},
	{&CoreV1Pod_schema, "/registry/pods/"},
	{&CoreV1Secret_schema, "/registry/secrets/"},
	{&CoreV1Namespace_schema, "/registry/namespaces/"},
	{&CoreV1Node_schema, "/registry/minions/"},
	{&AppsV1Deployment_schema, "/registry/deployments/"},
	{&AppsV1ReplicaSet_schema, "/registry/replicasets/"},
	{&DiscoveryV1EndpointSlice_schema, "/registry/endpointslices/"},
	{&CoordinationV1Lease_schema, "/registry/leases/"},
};

const char *load_prefix(const struct schema_type *type)
{
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (prefixes[i].type == type)
			return prefixes[i].prefix;
	return NULL;
}

char *load_key(struct arena *arena, const struct schema_type *type, const char *namespace, const char *name)
{
	const char *prefix = str_or_empty(load_prefix(type));
	return str_empty(namespace) ? arena_printf(arena, "%s%s", prefix, name)
				    : arena_printf(arena, "%s%s/%s", prefix, namespace, name);
}

int64_t load_revision(const char *resource_version)
{
	int64_t value = 0;
	return str_to_int64(resource_version, 0, INT64_MAX, &value) ? value : 0;
}

int64_t load_now_ms(const struct load *l)
{
	return clock_mono_ms(l->clock);
}

static void pause_ms(uint32_t ms)
{
	nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000}, NULL);
}

/* --- writes --- */

struct written write_begin(struct actor *a, struct arena *arena, const char *op, const char *key)
{
	return (struct written){.id = arena_printf(arena, "%s-%lld", a->name, (long long)++a->n_ids),
		.op = op,
		.key = key,
		.start = load_now_ms(a->load)};
}

/* A refusal is certain; after anything else the write may have happened. */
static const char *result_of(const struct status *failed)
{
	if (!failed)
		return "ok";
	return failed->code >= 400 && failed->code < 500 ? "refused" : "maybe";
}

static void write_line(const char *text, FILE *out)
{
	for (; *text; text++)
		fputc(*text == '\t' || *text == '\n' ? ' ' : *text, out);
}

bool write_end(struct actor *a, const struct written *w, struct status *failed, const void *msg)
{
	struct load *l = a->load;
	bool ok = !failed;
	const char *result = result_of(failed);
	atomic_fetch_add(ok ? &l->n_ok : str_eq(result, "refused") ? &l->n_refused : &l->n_unknown, 1);
	fprintf(a->out,
		"write\tid=%s\top=%s\tkey=%s\tstart=%" PRId64 "\tend=%" PRId64 "\tresult=%s\tbase=%" PRId64
		"\trev=%" PRId64 "\tuid=%s\thost=%s",
		w->id, w->op, w->key, w->start, load_now_ms(l), result, w->base,
		ok && msg ? load_revision(object_resource_version(msg)) : 0,
		str_or(w->uid, ok && msg ? object_uid(msg) : ""), client_host(a->client));
	if (w->policy)
		fprintf(a->out, "\tpolicy=%s", w->policy);
	if (failed) {
		fprintf(a->out, "\twhy=%d ", failed->code);
		write_line(failed->message, a->out);
	}
	fputc('\n', a->out);
	status_drop(failed, "noted");
	return ok;
}

/* --- actors --- */

static struct status *connect_actor(struct actor *a)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	for (size_t i = 0; i < a->load->n_servers; i++) {
		struct client_config config;
		TRY(kubeconfig_load_file(
			arena, a->load->options->kubeconfig, a->load->hosts ? a->load->hosts[i] : NULL, &config));
		config.user_agent = "chaos";
		config.qps = -1;
		config.timeout_ms = TIMEOUT_MS;
		TRY(client_new(&config, a->load->clock, &a->clients[i]));
	}
	a->client = a->clients[0];
	return NULL;
}

static void step_on(struct actor *a)
{
	while (!atomic_load(&a->load->stop)) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		a->client = a->clients[random_up_to(&a->random, (uint32_t)a->load->n_servers)];
		a->kind->step(a, arena);
		pause_ms(random_up_to(&a->random, a->kind->pause_ms));
	}
}

static void *act(void *data)
{
	struct actor *a = data;
	(a->kind->run ? a->kind->run : step_on)(a);
	atomic_store(&a->ended, true);
	return NULL;
}

static struct status *start_actors(
	struct load *l, const struct actor_kind *kinds, struct actor *actors, size_t *n_actors)
{
	for (const struct actor_kind *kind = kinds; kind->name; kind++)
		for (int i = 0; i < kind->n && *n_actors < MAX_ACTORS; i++) {
			struct actor *a = &actors[*n_actors];
			*a = (struct actor){.load = l, .kind = kind, .number = i};
			snprintf(a->name, sizeof(a->name), "%s%d", kind->name, i);
			a->random = random_from((uint64_t)l->options->seed, a->name);
			CLEANUP_FREE char *path = mem_printf("%s/%s.history", l->options->out, a->name);
			a->out = fopen(path, "we");
			if (!a->out)
				return status_errno(errno, "%s", path);
			setvbuf(a->out, NULL, _IOLBF, 1 << 16);
			TRY(connect_actor(a));
			a->thread = thread_start(a->name, act, a);
			++*n_actors;
		}
	return NULL;
}

static bool all_ended(const struct actor *actors, size_t n_actors)
{
	for (size_t i = 0; i < n_actors; i++)
		if (!atomic_load(&actors[i].ended))
			return false;
	return true;
}

/* Who is in the middle of something may end it in that time. Then nothing more is waited for: its servers are gone. */
static void end_actors(struct load *l, struct actor *actors, size_t n_actors, int64_t patience_ms)
{
	for (int64_t until = load_now_ms(l) + patience_ms; !all_ended(actors, n_actors) && load_now_ms(l) < until;)
		pause_ms(POLL_MS);
	for (size_t i = 0; i < n_actors; i++) {
		atomic_store(&actors[i].given_up, true);
		for (size_t k = 0; k < l->n_servers; k++)
			client_cancel(actors[i].clients[k]);
	}
	for (size_t i = 0; i < n_actors; i++) {
		pthread_join(actors[i].thread, NULL);
		fclose(actors[i].out);
		free(actors[i].state);
		for (size_t k = 0; k < l->n_servers; k++)
			client_free(actors[i].clients[k]);
	}
}

/* A file of the run's folder is how the runner says what is next. */
static void wait_for_file(const struct load *l, const char *name)
{
	CLEANUP_FREE char *path = mem_printf("%s/%s", l->options->out, name);
	while (!io_exists(path))
		pause_ms(POLL_MS);
}

static struct status *newest_revision(struct actor *a, int64_t *ret_revision)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct client_list list;
	const struct client_list_options one = {.limit = 1, .one_page = true};
	TRY(client_list(a->client, arena, &CoreV1Namespace_schema, NULL, &one, &list));
	*ret_revision = load_revision(list.resource_version);
	return NULL;
}

/* Lists of all kinds, and watchers have had their time: the end of a run that went well. */
static struct status *settle(struct load *l, struct actor *a)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	int64_t upto, revision;
	TRY(newest_revision(a, &upto));
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		for (size_t k = 0; k < l->n_servers; k++) {
			a->client = a->clients[k];
			TRY(load_list(a, arena, prefixes[i].type, NULL, NULL, NULL, 0, &revision));
		}
	pause_ms(SETTLE_MS);
	atomic_store(&l->upto, upto);
	return NULL;
}

/* What the watchers are held against, read by an actor of its own. */
static struct status *look_at_the_end(struct load *l)
{
	struct actor last = {.load = l, .name = "last"};
	CLEANUP_FREE char *path = mem_printf("%s/last.history", l->options->out);
	last.out = fopen(path, "we");
	if (!last.out)
		return status_errno(errno, "%s", path);
	struct status *failed = connect_actor(&last);
	if (!failed)
		failed = settle(l, &last);
	fclose(last.out);
	for (size_t k = 0; k < l->n_servers; k++)
		client_free(last.clients[k]);
	return failed;
}

static struct status *run_load(struct load *l, struct actor *writers, struct actor *readers)
{
	size_t n_writers = 0, n_readers = 0;
	TRY(start_actors(l, load_readers, readers, &n_readers));
	TRY(start_actors(l, load_writers, writers, &n_writers));
	puts("started");
	fflush(stdout);
	wait_for_file(l, "stop");
	atomic_store(&l->stop, true);
	end_actors(l, writers, n_writers, l->options->patience * 1000);
	printf("stopped: %lld acknowledged, %lld refused, %lld unknown\n", atomic_load(&l->n_ok),
		atomic_load(&l->n_refused), atomic_load(&l->n_unknown));
	fflush(stdout);
	wait_for_file(l, "finish");
	struct status *failed = look_at_the_end(l);
	atomic_store(&l->finish, true);
	end_actors(l, readers, n_readers, 0);
	return failed;
}

struct status *chaos_load(const struct chaos_options *o, char *const *args, size_t n_args)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct load l = {.options = o, .clock = clock_system(), .n_servers = 1};
	if (!str_empty(o->servers))
		l.n_servers = str_split(arena, o->servers, ',', &l.hosts);
	if (l.n_servers > MAX_SERVERS)
		return status_bad_request("--servers: at most %d", MAX_SERVERS);
	CLEANUP_FREE struct actor *writers = mem_calloc(MAX_ACTORS, sizeof(*writers));
	CLEANUP_FREE struct actor *readers = mem_calloc(MAX_ACTORS, sizeof(*readers));
	return run_load(&l, writers, readers);
}
