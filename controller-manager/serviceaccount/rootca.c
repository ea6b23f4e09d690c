/* Every namespace has a ConfigMap kube-root-ca.crt, by which pods trust the API server. */
#include "base/io.h"
#include "base/mem.h"
#include "base/str.h"
#include "controller-manager/controller.h"

#define CONFIG_MAP "kube-root-ca.crt"
#define DATA_KEY "ca.crt"
#define DESCRIPTION "kubernetes.io/description"
#define DESCRIPTION_TEXT                                                                                            \
	"Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as " \
	"the "                                                                                                      \
	"internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of "      \
	"Kubernetes clusters."

struct root_ca {
	struct controller_context *ctx;
	struct informer *maps, *namespaces;
	struct workqueue *queue;
	char *ca;
	struct metric *syncs, *seconds; /* code */
};

static struct status *create_map(struct root_ca *c, struct arena *arena, const char *namespace)
{
	CoreV1ConfigMap *map = API_NEW(arena, CoreV1ConfigMap);
	map->metadata = API_NEW(arena, MetaV1ObjectMeta);
	map->metadata->namespace = arena_strdup(arena, namespace);
	map->metadata->name = arena_strdup(arena, CONFIG_MAP);
	ANNOTATION_SET(arena, map->metadata, DESCRIPTION, DESCRIPTION_TEXT);
	map_set(arena, &map->data, &map->n_data, DATA_KEY, c->ca);
	struct status *s = client_create(c->ctx->client, arena, map, NULL);
	if (status_is(s, STATUS_ALREADY_EXISTS) || status_has_cause(s, CAUSE_NAMESPACE_TERMINATING)) {
		status_drop(s, "there, or not needed any more");
		return NULL;
	}
	return s;
}

static struct status *publish(struct root_ca *c, struct arena *arena, const char *key)
{
	const CoreV1Namespace *namespace = informer_get_key(c->namespaces, arena, key);
	if (!namespace || !str_eq(str_or(namespace->status->phase, "Active"), "Active"))
		return NULL;
	const CoreV1ConfigMap *present = informer_get(c->maps, arena, key, CONFIG_MAP);
	if (!present)
		return create_map(c, arena, key);
	const char *ca = map_get(present->data, present->n_data, DATA_KEY);
	if (present->n_data == 1 && ca && str_eq(ca, c->ca) && ANNOTATION_GET(present->metadata, DESCRIPTION))
		return NULL;
	CoreV1ConfigMap *copy = object_copy(arena, present);
	copy->data = NULL;
	copy->n_data = 0;
	map_set(arena, &copy->data, &copy->n_data, DATA_KEY, c->ca);
	ANNOTATION_SET(arena, copy->metadata, DESCRIPTION, DESCRIPTION_TEXT);
	return client_update(c->ctx->client, arena, copy, NULL);
}

/* Counted by the code of what the server said last. */
static struct status *sync_namespace(void *data, struct arena *arena, const char *key)
{
	struct root_ca *c = data;
	int64_t begin_ns = clock_mono_ns(c->ctx->clock);
	struct status *s = publish(c, arena, key);
	const char *code = arena_printf(arena, "%d", s ? s->code : 200);
	metric_add(c->syncs, 1, code);
	metric_observe(c->seconds, (double)(clock_mono_ns(c->ctx->clock) - begin_ns) / 1e9, code);
	return s;
}

static void map_changed(struct root_ca *c, const struct object *object)
{
	workqueue_add(c->queue, object_metadata(object->msg)->namespace);
}

static void map_updated(void *data, const struct object *old_object, const struct object *new_object)
{
	map_changed(data, new_object);
}

static void map_deleted(void *data, const struct object *object, bool final_unknown)
{
	map_changed(data, object);
}

static bool wanted(const struct options *options)
{
	return !str_empty(options->root_ca_file);
}

static void make_metrics(struct root_ca *c)
{
	static const char *const by_code[] = {"code", NULL};
	static const double seconds[] = {0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024,
		2.048, 4.096, 8.192, 16.384};
	c->syncs = metrics_counter(
		c->ctx->metrics, "root_ca_cert_publisher_sync_total", "Looks at namespaces, by outcome.", by_code);
	c->seconds = metrics_histogram(c->ctx->metrics, "root_ca_cert_publisher_sync_duration_seconds",
		"How long looks at namespaces took.", by_code, seconds, ARRAY_SIZE(seconds));
}

static struct status *start(struct controller_context *ctx)
{
	static const struct informer_handler handler = {.updated = map_updated, .deleted = map_deleted};
	struct root_ca *c = controller_state(ctx, sizeof(*c));
	TRY(controller_read_file(ctx, ctx->options->root_ca_file, &c->ca, NULL));
	c->ctx = ctx;
	make_metrics(c);
	/* Only the maps of that name: others may be many and large. */
	c->maps = informers_get(ctx->informers, &(struct informer_spec){.type = &CoreV1ConfigMap_schema,
							.field_selector = "metadata.name=" CONFIG_MAP,
							.trim = object_trim});
	c->namespaces = controller_informer(ctx, &CoreV1Namespace_schema);
	c->queue = controller_queue(ctx, "root_ca_cert_publisher", 1, sync_namespace, c);
	informer_add_handler(c->namespaces, &enqueue_self, c->queue);
	informer_add_handler(c->maps, &handler, c);
	return NULL;
}

const struct controller root_ca_controller = {.name = "root-ca-certificate-publisher-controller",
	.alias = "root-ca-cert-publisher",
	.service_account = "root-ca-cert-publisher",
	.wanted = wanted,
	.start = start};
