#include "api/defaults/table.h"
#include "api/meta.h"
#include "base/nameset.h"

/* stringData is for writing only: it goes over what data says. */
static void set_secret(struct arena *arena, void *msg)
{
	CoreV1Secret *secret = msg;
	struct nameset keys = {.arena = arena};
	DEFAULT_STRING(secret, type, "Opaque");
	for (size_t i = 0; i < secret->n_data && secret->n_string_data; i++)
		nameset_add(&keys, secret->data[i]->key);
	for (size_t i = 0; i < secret->n_string_data; i++) {
		const MapStringEntry *given = secret->string_data[i];
		size_t at = nameset_find(&keys, given->key);
		MapBytesEntry *entry = at == SIZE_MAX ? API_NEW(arena, MapBytesEntry) : secret->data[at];
		if (at == SIZE_MAX) {
			nameset_add(&keys, given->key);
			entry->key = given->key;
			ARENA_PUSH(arena, secret->data, secret->n_data) = entry;
		}
		entry->value.len = strlen(str_or_empty(given->value));
		entry->value.data = (uint8_t *)arena_strdup(arena, str_or_empty(given->value));
	}
	secret->n_string_data = 0;
	secret->string_data = NULL;
}

/* Every namespace carries its name as a label, so that selectors can find it. */
static void set_namespace(struct arena *arena, void *msg)
{
	CoreV1Namespace *ns = msg;
	DEFAULT_MESSAGE(arena, ns, status, CoreV1NamespaceStatus);
	DEFAULT_STRING(ns->status, phase, "Active");
	MetaV1ObjectMeta *meta = ns->metadata;
	if (!meta || str_empty(meta->name))
		return;
	for (size_t i = 0; i < meta->n_labels; i++) {
		if (str_eq(meta->labels[i]->key, "kubernetes.io/metadata.name")) {
			meta->labels[i]->value = meta->name;
			return;
		}
	}
	MapStringEntry *label = API_NEW(arena, MapStringEntry);
	label->key = (char *)"kubernetes.io/metadata.name";
	label->value = meta->name;
	ARENA_PUSH(arena, meta->labels, meta->n_labels) = label;
}

static void set_node_status(struct arena *arena, void *msg)
{
	CoreV1NodeStatus *status = msg;
	if (status->n_allocatable || !status->n_capacity)
		return;
	for (size_t i = 0; i < status->n_capacity; i++)
		ARENA_PUSH(arena, status->allocatable, status->n_allocatable) = status->capacity[i];
}

static void add_missing(
	struct arena *arena, MapQuantityEntry ***to, size_t *n_to, MapQuantityEntry *const *from, size_t n_from)
{
	const size_t n_said = *n_to;
	void *const *said = MAP_SORTED(arena, *to, n_said);
	for (size_t i = 0; i < n_from; i++) {
		if (map_search(said, n_said, from[i]->key))
			continue;
		MapQuantityEntry *entry = API_NEW(arena, MapQuantityEntry);
		entry->key = from[i]->key;
		entry->value = from[i]->value;
		ARENA_PUSH(arena, *to, *n_to) = entry;
	}
}

/* Of containers: the maximum is the default limit, the default limit the default request, then the minimum. */
static void set_limit_range_item(struct arena *arena, void *msg)
{
	CoreV1LimitRangeItem *item = msg;
	if (!str_eq(item->type, "Container"))
		return;
	add_missing(arena, &item->default_, &item->n_default, item->max, item->n_max);
	add_missing(arena, &item->default_request, &item->n_default_request, item->default_, item->n_default);
	add_missing(arena, &item->default_request, &item->n_default_request, item->min, item->n_min);
}

static void set_replication_controller(struct arena *arena, void *msg)
{
	CoreV1ReplicationController *rc = msg;
	DEFAULT_MESSAGE(arena, rc, spec, CoreV1ReplicationControllerSpec);
	DEFAULT_MESSAGE(arena, rc, metadata, MetaV1ObjectMeta);
	DEFAULT_SCALAR(rc->spec, replicas, 1);
	MetaV1ObjectMeta *template = rc->spec->template ? rc->spec->template->metadata : NULL;
	if (!template || !template->n_labels)
		return;
	if (!rc->spec->n_selector) {
		rc->spec->n_selector = template->n_labels;
		rc->spec->selector = arena_dup(arena, template->labels, template->n_labels * sizeof(*template->labels));
	}
	if (!rc->metadata->n_labels) {
		rc->metadata->n_labels = template->n_labels;
		rc->metadata->labels =
			arena_dup(arena, template->labels, template->n_labels * sizeof(*template->labels));
	}
}

static void set_node_spec(struct arena *arena, void *msg)
{
	CoreV1NodeSpec *spec = msg;
	if (str_empty(spec->pod_cidr) || (spec->n_pod_cidrs && str_eq(spec->pod_cidrs[0], spec->pod_cidr)))
		return;
	spec->n_pod_cidrs = 0;
	spec->pod_cidrs = NULL;
	ARENA_PUSH(arena, spec->pod_cidrs, spec->n_pod_cidrs) = spec->pod_cidr;
}

static void set_log_options(struct arena *arena, void *msg)
{
	CoreV1PodLogOptions *options = msg;
	DEFAULT_OPTIONAL_STRING(options, stream, "All");
}

static void set_token_request(struct arena *arena, void *msg)
{
	AuthenticationV1TokenRequestSpec *spec = msg;
	DEFAULT_SCALAR(spec, expiration_seconds, 3600);
}

const struct defaulter defaults_core[] = {
	{&CoreV1Secret_schema, set_secret},
	{&CoreV1Namespace_schema, set_namespace},
	{&CoreV1NodeStatus_schema, set_node_status},
	{&CoreV1NodeSpec_schema, set_node_spec},
	{&CoreV1LimitRangeItem_schema, set_limit_range_item},
	{&CoreV1ReplicationController_schema, set_replication_controller},
	{&CoreV1PodLogOptions_schema, set_log_options},
	{&AuthenticationV1TokenRequestSpec_schema, set_token_request},
	{NULL, NULL},
};
