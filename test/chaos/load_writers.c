/* Clients that change things: plain objects that all fight over, Services, Deployments, pods, owners with dependents,
 * finalizers, namespaces. */
#include "api/json.h"
#include "api/meta.h"
#include "base/mem.h"
#include "base/str.h"
#include "test/chaos/load.h"

#define STAMP "chaos/stamp"
enum { N_SHARDS = 4, N_SERVICES = 30, N_DEPLOYMENTS = 3, MOST_REPLICAS = 3 };

/* What a writer remembers of a name: the version it saw last. */
struct known {
	int64_t rev;
	char uid[40];
};

static struct known *known_of(struct actor *a, uint32_t i)
{
	if (!a->state)
		a->state = mem_calloc(N_NAMES, sizeof(struct known));
	return (struct known *)a->state + i;
}

static void remember(struct known *known, const void *msg)
{
	known->rev = load_revision(object_resource_version(msg));
	snprintf(known->uid, sizeof(known->uid), "%s", object_uid(msg));
}

/* A client has been told of this version: whoever reads from now on must see it or a later one. */
static void acknowledge(struct actor *a, uint32_t i, const void *msg)
{
	long long rev = load_revision(object_resource_version(msg));
	long long now = atomic_load(&a->load->acknowledged[i]);
	while (now < rev && !atomic_compare_exchange_weak(&a->load->acknowledged[i], &now, rev))
		;
}

static CoreV1ConfigMap *config_map(struct arena *arena, const char *name, const char *stamp, uint32_t shard)
{
	CoreV1ConfigMap *map = API_NEW(arena, CoreV1ConfigMap);
	MetaV1ObjectMeta *meta = object_meta_ensure(arena, map);
	meta->name = arena_strdup(arena, name);
	meta->namespace = arena_strdup(arena, LOAD_NAMESPACE);
	meta_set_annotation(arena, meta, STAMP, stamp);
	meta_set_label(arena, meta, "shard", arena_printf(arena, "%u", shard));
	map_set(arena, &map->data, &map->n_data, "stamp", stamp);
	return map;
}

/* Creates msg, whose stamp is the write's id; *ret (may be NULL) is what was stored. */
static bool create(struct actor *a, struct arena *arena, const struct written *w, const void *msg, void *ret)
{
	void *stored = NULL;
	struct status *failed = client_create(a->client, arena, msg, &stored);
	bool ok = write_end(a, w, failed, stored);
	if (ok && ret)
		*(void **)ret = stored;
	return ok;
}

/* The same for an object that is written as text. */
static void create_text(struct actor *a, struct arena *arena, const struct written *w, const struct schema_type *type,
	const char *text, struct known *known)
{
	struct json_options lenient = JSON_LENIENT;
	void *object = NULL;
	struct status *failed = json_decode(arena, type, text, strlen(text), &lenient, &object);
	if (failed)
		write_end(a, w, failed, NULL);
	else if (create(a, arena, w, object, &object))
		remember(known, object);
}

static bool patch(struct actor *a, struct arena *arena, const struct schema_type *type, const char *name,
	const struct written *w, const char *body, void *ret)
{
	void *stored = NULL;
	struct status *failed = client_patch(a->client, arena, type, LOAD_NAMESPACE, name, NULL, CLIENT_PATCH_MERGE,
		body, strlen(body), NULL, &stored);
	bool ok = write_end(a, w, failed, stored);
	if (ok && ret)
		*(void **)ret = stored;
	return ok;
}

/* The uid is a condition: an acknowledged deletion is one of that object. */
static bool delete (struct actor *a, struct arena *arena, const struct schema_type *type, const char *name,
	const char *uid, const char *policy)
{
	struct written w = write_begin(a, arena, "delete", load_key(arena, type, LOAD_NAMESPACE, name));
	MetaV1DeleteOptions *options = API_NEW(arena, MetaV1DeleteOptions);
	options->preconditions = API_NEW(arena, MetaV1Preconditions);
	options->preconditions->uid = arena_strdup(arena, uid);
	if (policy)
		options->propagation_policy = arena_strdup(arena, policy);
	w.uid = uid;
	w.policy = policy;
	return write_end(a, &w, client_delete(a->client, arena, type, LOAD_NAMESPACE, name, options), NULL);
}

/* --- config maps --- */

static const char *map_name(struct arena *arena, uint32_t i)
{
	return arena_printf(arena, "c%u", i);
}

static struct written map_write(struct actor *a, struct arena *arena, const char *op, uint32_t i)
{
	return write_begin(a, arena, op, load_key(arena, &CoreV1ConfigMap_schema, LOAD_NAMESPACE, map_name(arena, i)));
}

static void map_seen(struct actor *a, uint32_t i, const void *msg)
{
	remember(known_of(a, i), msg);
	acknowledge(a, i, msg);
}

static void map_create(struct actor *a, struct arena *arena, uint32_t i)
{
	struct written w = map_write(a, arena, "create", i);
	CoreV1ConfigMap *map = config_map(arena, map_name(arena, i), w.id, random_up_to(&a->random, N_SHARDS));
	if (create(a, arena, &w, map, &map))
		map_seen(a, i, map);
}

/* Half of them name the version that they replace. */
static void map_update(struct actor *a, struct arena *arena, uint32_t i)
{
	struct known *known = known_of(a, i);
	struct written w = map_write(a, arena, "update", i);
	CoreV1ConfigMap *map = config_map(arena, map_name(arena, i), w.id, random_up_to(&a->random, N_SHARDS));
	if (known->rev && random_up_to(&a->random, 2)) {
		w.base = known->rev;
		map->metadata->resource_version = arena_printf(arena, "%lld", (long long)known->rev);
	}
	CoreV1ConfigMap *stored = NULL;
	struct status *failed = client_update(a->client, arena, map, &stored);
	if (write_end(a, &w, failed, stored))
		map_seen(a, i, stored);
}

static void map_patch(struct actor *a, struct arena *arena, uint32_t i)
{
	struct written w = map_write(a, arena, "patch", i);
	CoreV1ConfigMap *map = NULL;
	if (patch(a, arena, &CoreV1ConfigMap_schema, map_name(arena, i), &w,
		    arena_printf(arena, "{\"metadata\":{\"annotations\":{\"" STAMP "\":\"%s\"}}}", w.id), &map))
		map_seen(a, i, map);
}

static void map_delete(struct actor *a, struct arena *arena, uint32_t i)
{
	struct known *known = known_of(a, i);
	if (*known->uid && delete (a, arena, &CoreV1ConfigMap_schema, map_name(arena, i), known->uid, NULL))
		*known = (struct known){0};
}

static void map_read(struct actor *a, struct arena *arena, uint32_t i)
{
	long long least = atomic_load(&a->load->acknowledged[i]);
	const char *name = map_name(arena, i);
	CoreV1ConfigMap *map = NULL;
	struct status *failed = client_get(a->client, arena, &CoreV1ConfigMap_schema, LOAD_NAMESPACE, name, &map);
	if (failed && !status_is(failed, STATUS_NOT_FOUND)) {
		status_drop(failed, "nothing was said");
		return;
	}
	fprintf(a->out, "read\tid=%s-%lld\tkey=%s\tleast=%lld\trev=%lld\thost=%s\n", a->name, (long long)++a->n_ids,
		load_key(arena, &CoreV1ConfigMap_schema, LOAD_NAMESPACE, name), least,
		failed ? 0LL : (long long)load_revision(object_resource_version(map)), client_host(a->client));
	if (!failed)
		map_seen(a, i, map);
	status_drop(failed, "not found is an answer");
}

static void step_map(struct actor *a, struct arena *arena)
{
	static void (*const steps[])(struct actor *, struct arena *, uint32_t) = {map_create, map_create, map_update,
		map_update, map_update, map_patch, map_patch, map_read, map_read, map_delete};
	steps[random_up_to(&a->random, ARRAY_SIZE(steps))](a, arena, random_up_to(&a->random, N_NAMES));
}

/* --- Services: addresses and ports from a small range --- */

static void step_service(struct actor *a, struct arena *arena)
{
	uint32_t i = random_up_to(&a->random, N_SERVICES);
	struct known *known = known_of(a, i);
	const char *name = arena_printf(arena, "%s-s%u", a->name, i);
	if (*known->uid) {
		if (delete (a, arena, &CoreV1Service_schema, name, known->uid, NULL))
			*known->uid = 0;
		return;
	}
	struct written w =
		write_begin(a, arena, "create", load_key(arena, &CoreV1Service_schema, LOAD_NAMESPACE, name));
	CoreV1Service *service = API_NEW(arena, CoreV1Service);
	MetaV1ObjectMeta *meta = object_meta_ensure(arena, service);
	meta->name = arena_strdup(arena, name);
	meta->namespace = arena_strdup(arena, LOAD_NAMESPACE);
	meta_set_annotation(arena, meta, STAMP, w.id);
	service->spec = API_NEW(arena, CoreV1ServiceSpec);
	if (random_up_to(&a->random, 2))
		service->spec->type = arena_strdup(arena, "NodePort");
	CoreV1ServicePort *port = API_NEW(arena, CoreV1ServicePort);
	port->port = 80;
	ARENA_PUSH(arena, service->spec->ports, service->spec->n_ports) = port;
	map_set(arena, &service->spec->selector, &service->spec->n_selector, "app", "deployment0-d0");
	if (create(a, arena, &w, service, &service))
		remember(known, service);
}

/* --- Deployments --- */

static const char deployment_form[] =
	"{\"apiVersion\":\"apps/"
	"v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"%s\",\"namespace\":\"" LOAD_NAMESPACE
	"\",\"annotations\":{\"" STAMP
	"\":\"%s\"}},\"spec\":{\"replicas\":%u,\"selector\":{\"matchLabels\":{\"app\":\"%s\"}},"
	"\"template\":{\"metadata\":{\"labels\":{\"app\":\"%s\"}},\"spec\":{\"terminationGracePeriodSeconds\":1,"
	"\"containers\":"
	"[{\"name\":\"server\",\"image\":\"localhost/test:1\"}]}}}}";

static void deployment_create(struct actor *a, struct arena *arena, const char *name, struct known *known)
{
	struct written w =
		write_begin(a, arena, "create", load_key(arena, &AppsV1Deployment_schema, LOAD_NAMESPACE, name));
	const char *text = arena_printf(
		arena, deployment_form, name, w.id, random_up_to(&a->random, MOST_REPLICAS + 1), name, name);
	create_text(a, arena, &w, &AppsV1Deployment_schema, text, known);
}

static void step_deployment(struct actor *a, struct arena *arena)
{
	uint32_t i = random_up_to(&a->random, N_DEPLOYMENTS);
	struct known *known = known_of(a, i);
	const char *name = arena_printf(arena, "%s-d%u", a->name, i);
	if (!*known->uid) {
		deployment_create(a, arena, name, known);
	} else if (random_up_to(&a->random, 4)) {
		struct written w =
			write_begin(a, arena, "patch", load_key(arena, &AppsV1Deployment_schema, LOAD_NAMESPACE, name));
		patch(a, arena, &AppsV1Deployment_schema, name, &w,
			arena_printf(arena,
				"{\"metadata\":{\"annotations\":{\"" STAMP "\":\"%s\"}},\"spec\":{\"replicas\":%u}}",
				w.id, random_up_to(&a->random, MOST_REPLICAS + 1)),
			NULL);
	} else if (delete (a, arena, &AppsV1Deployment_schema, name, known->uid, NULL)) {
		*known->uid = 0;
	}
}

/* --- pods whose share of a processor changes while they run, one on each node --- */

static const char pod_form[] =
	"{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"%s\",\"namespace\":\"" LOAD_NAMESPACE
	"\",\"annotations\":{\"" STAMP
	"\":\"%s\"}},\"spec\":{\"nodeName\":\"node%d\",\"terminationGracePeriodSeconds\":1,\"containers\":"
	"[{\"name\":\"server\",\"image\":\"localhost/test:1\",\"resources\":{\"requests\":{\"cpu\":\"10m\"}}}]}}";

static void step_resize(struct actor *a, struct arena *arena)
{
	struct known *known = known_of(a, 0);
	const char *name = arena_printf(arena, "%s-p", a->name);
	if (!*known->uid) {
		struct written w =
			write_begin(a, arena, "create", load_key(arena, &CoreV1Pod_schema, LOAD_NAMESPACE, name));
		create_text(a, arena, &w, &CoreV1Pod_schema, arena_printf(arena, pod_form, name, w.id, a->number + 1),
			known);
	}
	const char *body = arena_printf(arena,
		"{\"spec\":{\"containers\":[{\"name\":\"server\",\"resources\":{\"requests\":{\"cpu\":\"%um\"}}}]}}",
		random_between(&a->random, 10, 30));
	status_drop(client_patch(a->client, arena, &CoreV1Pod_schema, LOAD_NAMESPACE, name, "resize",
			    CLIENT_PATCH_STRATEGIC, body, strlen(body), NULL, NULL),
		"no rule looks at it: it is there to keep the kubelets busy");
}

/* --- owners: what they own goes with them --- */

static void create_dependents(struct actor *a, struct arena *arena, const void *owner)
{
	for (uint32_t i = 0; i < 3; i++) {
		const char *name = arena_printf(arena, "%s-%u", object_name(owner), i);
		struct written w =
			write_begin(a, arena, "create", load_key(arena, &CoreV1ConfigMap_schema, LOAD_NAMESPACE, name));
		CoreV1ConfigMap *map = config_map(arena, name, w.id, i);
		meta_add_owner_ref(arena, map->metadata, meta_new_owner_ref(arena, owner));
		create(a, arena, &w, map, NULL);
	}
}

/* A name is used once, so that what is left over of one owner is not taken for another's. */
static void step_owner(struct actor *a, struct arena *arena)
{
	static const char *const policies[] = {"Background", "Background", "Foreground", "Orphan"};
	const char *name = arena_printf(arena, "%s-o%lld", a->name, (long long)a->n_ids);
	struct written w =
		write_begin(a, arena, "create", load_key(arena, &CoreV1ConfigMap_schema, LOAD_NAMESPACE, name));
	CoreV1ConfigMap *owner = NULL;
	if (!create(a, arena, &w, config_map(arena, name, w.id, 0), &owner))
		return;
	create_dependents(a, arena, owner);
	delete (a, arena, &CoreV1ConfigMap_schema, name, object_uid(owner),
		policies[random_up_to(&a->random, ARRAY_SIZE(policies))]);
}

/* --- finalizers: an object that is deleted goes when the last one is taken off --- */

/* True when it is off, or was before. */
static bool take_finalizers_off(struct actor *a, struct arena *arena, const char *name, const char *uid)
{
	static const char off[] = "{\"metadata\":{\"finalizers\":null}}";
	struct written w = write_begin(a, arena, "end", load_key(arena, &CoreV1ConfigMap_schema, LOAD_NAMESPACE, name));
	CoreV1ConfigMap *ended = NULL;
	struct status *failed = client_patch(a->client, arena, &CoreV1ConfigMap_schema, LOAD_NAMESPACE, name, NULL,
		CLIENT_PATCH_MERGE, off, strlen(off), NULL, &ended);
	bool gone = status_is(failed, STATUS_NOT_FOUND);
	w.uid = uid;
	return write_end(a, &w, failed, ended) || gone;
}

static void step_finalizer(struct actor *a, struct arena *arena)
{
	const char *name = arena_printf(arena, "%s-f%lld", a->name, (long long)a->n_ids);
	const char *key = load_key(arena, &CoreV1ConfigMap_schema, LOAD_NAMESPACE, name);
	struct written w = write_begin(a, arena, "create", key);
	CoreV1ConfigMap *map = config_map(arena, name, w.id, 0), *stored = NULL;
	meta_add_finalizer(arena, map->metadata, "chaos/hold");
	if (!create(a, arena, &w, map, &stored))
		return;
	/* Until it is known to be gone: this object must not stay behind because a reply was lost. */
	bool marked = false, gone = false;
	for (int i = 0; i < 60 && !gone && !atomic_load(&a->given_up); i++) {
		if (i)
			nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
		if (!marked)
			marked = delete (a, arena, &CoreV1ConfigMap_schema, name, object_uid(stored), NULL);
		if (marked)
			gone = take_finalizers_off(a, arena, name, object_uid(stored));
	}
}

/* --- namespaces --- */

static void step_namespace(struct actor *a, struct arena *arena)
{
	const char *name = arena_printf(arena, "%s-n%lld", a->name, (long long)a->n_ids);
	struct written w = write_begin(a, arena, "create", load_key(arena, &CoreV1Namespace_schema, NULL, name));
	CoreV1Namespace *namespace = API_NEW(arena, CoreV1Namespace);
	object_meta_ensure(arena, namespace)->name = arena_strdup(arena, name);
	meta_set_annotation(arena, namespace->metadata, STAMP, w.id);
	if (!create(a, arena, &w, namespace, &namespace))
		return;
	for (uint32_t i = 0; i < 3; i++) {
		const char *inside = arena_printf(arena, "m%u", i);
		struct written m =
			write_begin(a, arena, "create", load_key(arena, &CoreV1ConfigMap_schema, name, inside));
		CoreV1ConfigMap *map = config_map(arena, inside, m.id, i);
		map->metadata->namespace = arena_strdup(arena, name);
		create(a, arena, &m, map, NULL);
	}
	struct written d = write_begin(a, arena, "delete", w.key);
	d.uid = object_uid(namespace);
	write_end(a, &d, client_delete(a->client, arena, &CoreV1Namespace_schema, NULL, name, NULL), NULL);
}

const struct actor_kind load_writers[] = {
	{"map", 4, 120, step_map},
	{"service", 2, 250, step_service},
	{"deployment", 2, 3000, step_deployment},
	{"resize", 2, 2000, step_resize},
	{"owner", 1, 1500, step_owner},
	{"finalizer", 1, 1500, step_finalizer},
	{"namespace", 1, 8000, step_namespace},
	{NULL},
};
