/* Clients that look: lists of every manner, and watchers that stay, that come again, that begin in the past, and that
 * are sent the present state before what follows. */
#include <inttypes.h>
#include "api/meta.h"
#include "base/map.h"
#include "base/str.h"
#include "test/chaos/load.h"

enum { N_PAST = 16, PAUSE_MS = 300, LONG_ENOUGH_MS = 5000 };

/* --- lists --- */

struct status *load_list(struct actor *a, struct arena *arena, const struct schema_type *type, const char *namespace,
	const char *rv, const char *match, int64_t limit, int64_t *ret_revision)
{
	const struct client_list_options options = {
		.resource_version = rv, .resource_version_match = match, .limit = limit};
	struct client_list list;
	int64_t start = load_now_ms(a->load);
	TRY(client_list(a->client, arena, type, namespace, &options, &list));
	const char *prefix =
		str_empty(namespace) ? load_prefix(type) : arena_printf(arena, "%s%s/", load_prefix(type), namespace);
	fprintf(a->out, "list\tid=%s-%lld\tprefix=%s\tmode=%s\tstart=%" PRId64 "\tend=%" PRId64 "\trev=%s\thost=%s\n",
		a->name, (long long)++a->n_ids, prefix,
		!rv	? "consistent"
		: match ? match
			: "any",
		start, load_now_ms(a->load), list.resource_version, client_host(a->client));
	for (size_t i = 0; i < list.n_items; i++)
		fprintf(a->out, "item\tlist=%s-%lld\tkey=%s\trev=%s\n", a->name, (long long)a->n_ids,
			load_key(arena, type, object_namespace(list.items[i]), object_name(list.items[i])),
			object_resource_version(list.items[i]));
	*ret_revision = load_revision(list.resource_version);
	return NULL;
}

/* A list now, and perhaps one of a revision before: in pages or whole, from the cache or not. */
static void step_list(struct actor *a, struct arena *arena)
{
	static const struct schema_type *const types[] = {&CoreV1ConfigMap_schema, &CoreV1ConfigMap_schema,
		&CoreV1Pod_schema, &CoreV1Service_schema, &DiscoveryV1EndpointSlice_schema};
	const struct schema_type *type = types[random_up_to(&a->random, ARRAY_SIZE(types))];
	int64_t revision, limit = random_up_to(&a->random, 2) ? 7 : 0;
	const char *rv = random_up_to(&a->random, 3) ? NULL : "0";
	const char *namespace = random_up_to(&a->random, 2) ? LOAD_NAMESPACE : NULL;
	struct status *failed = load_list(a, arena, type, namespace, rv, NULL, rv ? 0 : limit, &revision);
	if (!failed && revision > 50 && !random_up_to(&a->random, 3))
		failed = load_list(a, arena, type, namespace,
			arena_printf(arena, "%lld", (long long)revision - random_up_to(&a->random, 50)), "Exact", limit,
			&revision);
	status_drop(failed, "no answer, nothing to hold against the store");
}

/* --- watchers --- */

struct watching {
	struct actor *actor;
	const struct schema_type *type;
	char id[64];
	int64_t past[N_PAST]; /* revisions that it has been told, as a ring */
	size_t n_past;
	int64_t last;		/* 0: none; list first */
	bool streams;		/* it never lists: each time it is sent the present state */
	struct strmap *initial; /* until it has been sent all of that: key -> revision */
	int64_t since;
	const char *selector;
};

static void note_beginning(struct watching *w, int64_t from)
{
	fprintf(w->actor->out, "watch\tid=%s\tprefix=%s\tfrom=%" PRId64 "\tselector=%s\thost=%s\n", w->id,
		load_prefix(w->type), from, str_or_empty(w->selector), client_host(w->actor->client));
	w->last = from;
}

/* What it was sent up to the bookmark is a list of that revision, and what follows a watch from there on. */
static void note_initial(struct watching *w, int64_t revision)
{
	struct actor *a = w->actor;
	fprintf(a->out,
		"list\tid=%s-state\tprefix=%s\tmode=consistent\tstart=%" PRId64 "\tend=%" PRId64 "\trev=%" PRId64
		"\thost=%s\n",
		w->id, load_prefix(w->type), w->since, load_now_ms(a->load), revision, client_host(a->client));
	STRMAP_FOREACH (w->initial, it)
		fprintf(a->out, "item\tlist=%s-state\tkey=%s\trev=%" PRIdPTR "\n", w->id, it.key, (intptr_t)it.value);
	strmap_free(w->initial);
	w->initial = NULL;
	note_beginning(w, revision);
}

/* The state may change while it is sent. */
static void hear_initial(struct watching *w, struct arena *arena, const struct watch_event *event, int64_t revision)
{
	if (event->type == WATCH_BOOKMARK) {
		if (meta_annotation(object_meta(event->msg), "k8s.io/initial-events-end"))
			note_initial(w, revision);
		return;
	}
	const char *key = load_key(arena, w->type, object_namespace(event->msg), object_name(event->msg));
	if (event->type == WATCH_DELETED)
		strmap_remove(w->initial, key);
	else
		strmap_put(w->initial, key, (void *)(intptr_t)revision);
}

static bool on_event(void *data, const struct watch_event *event)
{
	static const char *const types[] = {"ADDED", "MODIFIED", "DELETED"};
	struct watching *w = data;
	if (event->type == WATCH_ERROR) {
		w->last = 0;
		return false;
	}
	int64_t revision = load_revision(object_resource_version(event->msg));
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	if (w->initial) {
		hear_initial(w, arena, event, revision);
		return true;
	}
	if (event->type == WATCH_BOOKMARK) {
		fprintf(w->actor->out, "bookmark\twatch=%s\trev=%" PRId64 "\n", w->id, revision);
	} else {
		fprintf(w->actor->out, "event\twatch=%s\ttype=%s\tkey=%s\trev=%" PRId64 "\n", w->id, types[event->type],
			load_key(arena, w->type, object_namespace(event->msg), object_name(event->msg)), revision);
		w->past[w->n_past++ % N_PAST] = revision;
	}
	w->last = revision;
	return true;
}

/* Where the next watch begins: where the last one ended, or a little before. */
static int64_t beginning(struct watching *w)
{
	size_t n = w->n_past < N_PAST ? w->n_past : N_PAST;
	if (!n || random_up_to(&w->actor->random, 3))
		return w->last;
	return w->past[random_up_to(&w->actor->random, (uint32_t)n)];
}

static struct status *watch_once(struct watching *w, int64_t seconds)
{
	struct actor *a = w->actor;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct watch_options options = {
		.label_selector = w->selector ? arena_printf(arena, "shard=%s", w->selector) : NULL,
		.timeout_seconds = seconds,
		.bookmarks = true,
		.send_initial_events = w->streams};
	if (!w->last && !w->streams)
		TRY(load_list(a, arena, w->type, NULL, NULL, NULL, 0, &w->last));
	snprintf(w->id, sizeof(w->id), "%s-%lld", a->name, (long long)++a->n_ids);
	w->since = load_now_ms(a->load);
	if (w->streams) {
		w->initial = strmap_new(NULL);
	} else {
		note_beginning(w, beginning(w));
		options.resource_version = arena_printf(arena, "%lld", (long long)w->last);
	}
	struct status *failed =
		client_watch(a->client, client_resource_of(a->client, w->type), w->type, NULL, &options, on_event, w);
	if (w->initial) {
		strmap_free(w->initial);
		w->initial = NULL;
		return failed;
	}
	/* An answer that is no stream: the revision is too old, or the server is not ready; nothing was told. */
	if (failed && failed->code == 410)
		w->last = 0;
	/* One that stood while nothing happened any more must have been told all. */
	bool at_end = atomic_load(&a->load->finish) && load_now_ms(a->load) - w->since > LONG_ENOUGH_MS;
	fprintf(a->out, "watch-end\twatch=%s\tupto=%lld\twhy=%s\n", w->id,
		at_end && (!failed || failed->code != 410) ? (long long)atomic_load(&a->load->upto) : 0LL,
		failed ? status_reason_name(failed->reason) : "ended");
	return failed;
}

static void follow(struct watching w, int64_t seconds)
{
	struct actor *a = w.actor;
	while (!atomic_load(&a->load->finish)) {
		a->client = a->clients[random_up_to(&a->random, (uint32_t)a->load->n_servers)];
		int64_t this_time = seconds ? random_between(&a->random, 1, (uint32_t)seconds) : 0;
		struct status *failed = watch_once(&w, this_time);
		if (failed)
			nanosleep(&(struct timespec){.tv_nsec = PAUSE_MS * 1000000}, NULL);
		status_drop(failed, "begins again where it ended");
	}
}

static void watch_maps(struct actor *a)
{
	static const char *const selectors[] = {NULL, NULL, "1"};
	static const int64_t seconds[] = {0, 12, 20};
	follow((struct watching){.actor = a, .type = &CoreV1ConfigMap_schema, .selector = selectors[a->number]},
		seconds[a->number]);
}

static void watch_kinds(struct actor *a)
{
	static const struct schema_type *const types[] = {&CoreV1Pod_schema, &CoreV1Service_schema,
		&AppsV1Deployment_schema, &AppsV1ReplicaSet_schema, &DiscoveryV1EndpointSlice_schema,
		&CoordinationV1Lease_schema, &CoreV1Namespace_schema, &CoreV1Node_schema};
	follow((struct watching){.actor = a, .type = types[a->number]}, a->number % 2 ? 15 : 0);
}

static void watch_whole(struct actor *a)
{
	static const struct schema_type *const types[] = {
		&CoreV1ConfigMap_schema, &CoreV1Pod_schema, &CoreV1Service_schema};
	follow((struct watching){.actor = a, .type = types[a->number], .streams = true}, 12);
}

const struct actor_kind load_readers[] = {
	{"list", 2, 1500, step_list},
	{"watch-maps", 3, 0, NULL, watch_maps},
	{"watch-kinds", 8, 0, NULL, watch_kinds},
	{"watch-whole", 3, 0, NULL, watch_whole},
	{NULL},
};
