#include "apiserver/store/value.h"
#include "api/defaults/defaults.h"
#include "api/go_names.h"
#include "api/go_text.h"
#include "api/json.h"
#include "api/protobuf.h"
#include "api/tree.h"
#include "api/types.h"
#include "apiserver/convert/convert.h"
#include "apiserver/store/former.h"

/* --- custom resource definitions, which the original stores as v1beta1 --- */

static void rename_member(struct arena *arena, cJSON *object, const char *from, const char *to)
{
	cJSON *value = tree_remove(object, from);
	if (value)
		tree_set(arena, object, to, value);
}

static void rename_paths(struct arena *arena, const cJSON *columns)
{
	TREE_FOREACH (column, columns)
		rename_member(arena, column, "JSONPath", "jsonPath");
}

/* v1beta1 has, beside the versions, what all of them share. */
static void share(struct arena *arena, cJSON *spec, cJSON *versions, const char *from, const char *to)
{
	const cJSON *shared = tree_remove(spec, from);
	TREE_FOREACH (version, versions)
		if (shared && !tree_get(version, to))
			tree_set(arena, version, to, tree_copy(arena, shared));
}

static void convert_conversion(struct arena *arena, cJSON *conversion)
{
	cJSON *client = tree_remove(conversion, "webhookClientConfig"),
	      *reviews = tree_remove(conversion, "conversionReviewVersions");
	if (!client && !reviews)
		return;
	cJSON *webhook = tree_new_object(arena);
	if (client)
		tree_set(arena, webhook, "clientConfig", client);
	if (reviews)
		tree_set(arena, webhook, "conversionReviewVersions", reviews);
	tree_set(arena, conversion, "webhook", webhook);
}

static cJSON *only_version(struct arena *arena, const cJSON *spec)
{
	cJSON *versions = tree_new_array(arena), *version = tree_new_object(arena);
	tree_set(arena, version, "name", tree_copy(arena, tree_get(spec, "version")));
	tree_set(arena, version, "served", tree_new_bool(arena, true));
	tree_set(arena, version, "storage", tree_new_bool(arena, true));
	tree_append(versions, version);
	return versions;
}

static void convert_definition(struct arena *arena, cJSON *definition)
{
	cJSON *spec = tree_get(definition, "spec"), *versions = tree_get(spec, "versions");
	if (!spec)
		return;
	if (!tree_size(versions) && tree_get(spec, "version")) {
		versions = only_version(arena, spec);
		tree_set(arena, spec, "versions", versions);
	}
	tree_remove(spec, "version");
	share(arena, spec, versions, "validation", "schema");
	share(arena, spec, versions, "subresources", "subresources");
	share(arena, spec, versions, "additionalPrinterColumns", "additionalPrinterColumns");
	share(arena, spec, versions, "selectableFields", "selectableFields");
	TREE_FOREACH (version, versions) {
		rename_paths(arena, tree_get(version, "additionalPrinterColumns"));
		rename_paths(arena, tree_get(version, "selectableFields"));
	}
	if (!tree_get(spec, "preserveUnknownFields"))
		tree_set(arena, spec, "preserveUnknownFields", tree_new_bool(arena, true));
	convert_conversion(arena, tree_get(spec, "conversion"));
	tree_set_string(arena, definition, "apiVersion", ApiextensionsV1CustomResourceDefinition_schema.api_version);
}

static struct status *decode_definition(
	struct arena *arena, const char *value, size_t size, ProtobufCMessage **ret_object)
{
	const struct schema_type *type = &ApiextensionsV1CustomResourceDefinition_schema;
	cJSON *tree;
	TRY(tree_parse(arena, value, size, NULL, &tree));
	if (!str_eq(tree_string(tree_get(tree, "apiVersion")), type->api_version))
		convert_definition(arena, tree);
	return tree_to_typed(arena, tree, type, NULL, ret_object);
}

/* --- Services of before there were families and several addresses --- */

static void add_families(struct arena *arena, CoreV1ServiceSpec *spec, const char *first, const char *second)
{
	ARENA_PUSH(arena, spec->ip_families, spec->n_ip_families) = (char *)(uintptr_t)first;
	if (second)
		ARENA_PUSH(arena, spec->ip_families, spec->n_ip_families) = (char *)(uintptr_t)second;
	spec->ip_family_policy = (char *)(uintptr_t)(second ? "RequireDualStack" : "SingleStack");
}

static const char *family_of(const char *address)
{
	return strchr(address, ':') ? "IPv6" : "IPv4";
}

/* Of what has no address nobody says which family was the first then: it is told as IPv4. */
static void settle_service(struct arena *arena, CoreV1ServiceSpec *spec)
{
	if (!str_empty(spec->cluster_ip) && !spec->n_cluster_ips)
		ARENA_PUSH(arena, spec->cluster_ips, spec->n_cluster_ips) = spec->cluster_ip;
	if (str_eq(spec->type, "ExternalName")) {
		spec->internal_traffic_policy = NULL;
		return;
	}
	if (spec->n_ip_families)
		return;
	if (str_eq(spec->cluster_ip, "None"))
		add_families(arena, spec, "IPv4", spec->n_selector ? NULL : "IPv6");
	else if (spec->n_cluster_ips)
		add_families(arena, spec, family_of(spec->cluster_ips[0]),
			spec->n_cluster_ips > 1 ? family_of(spec->cluster_ips[1]) : NULL);
}

/* --- claims of before there was dataSourceRef --- */

void value_settle_sources(struct arena *arena, CoreV1PersistentVolumeClaimSpec *spec)
{
	if (spec->data_source && !spec->data_source_ref) {
		spec->data_source_ref = API_NEW(arena, CoreV1TypedObjectReference);
		spec->data_source_ref->api_group = spec->data_source->api_group;
		spec->data_source_ref->kind = spec->data_source->kind;
		spec->data_source_ref->name = spec->data_source->name;
	} else if (spec->data_source_ref && !spec->data_source && str_empty(spec->data_source_ref->namespace)) {
		spec->data_source = API_NEW(arena, CoreV1TypedLocalObjectReference);
		spec->data_source->api_group = spec->data_source_ref->api_group;
		spec->data_source->kind = spec->data_source_ref->kind;
		spec->data_source->name = spec->data_source_ref->name;
	}
}

/* --- all kinds --- */

/* What the value says that it is. */
static struct status *told_type(
	struct arena *arena, const void *value, size_t size, char **ret_version, char **ret_kind)
{
	const void *raw;
	size_t raw_size;
	if (protobuf_has_magic(value, size))
		return protobuf_envelope(arena, value, size, ret_version, ret_kind, &raw, &raw_size);
	return json_peek_type(arena, value, size, ret_version, ret_kind);
}

static struct status *decode_as(struct arena *arena, const struct schema_type *type, const void *value, size_t size,
	ProtobufCMessage **ret_object)
{
	const struct json_options options = JSON_LENIENT;
	if (protobuf_has_magic(value, size))
		return protobuf_decode(arena, type, value, size, ret_object);
	if (type == &ApiextensionsV1CustomResourceDefinition_schema)
		return decode_definition(arena, value, size, ret_object);
	return json_decode(arena, type, value, size, &options, ret_object);
}

/* Few kinds have been stored in several versions: some in one that is served too, and converted, some in one whose
 * fields are the same. */
static struct status *decode_version(struct arena *arena, const struct schema_type *type, const void *value,
	size_t size, ProtobufCMessage **ret_object)
{
	char *version, *kind;
	TRY(told_type(arena, value, size, &version, &kind));
	const struct schema_type *named = schema_find_api_version(version, kind);
	if (!named || !convertible(type, named))
		named = type;
	TRY(decode_as(arena, named, value, size, ret_object));
	former_settle(arena, version, *ret_object);
	if (named == type)
		return NULL;
	api_set_defaults(arena, *ret_object);
	return convert_object(arena, type, *ret_object, ret_object);
}

static bool has_versions(const struct schema_type *type)
{
	return type == &AutoscalingV2HorizontalPodAutoscaler_schema || type == &CoreV1Event_schema ||
	       former_has_versions(type);
}

struct status *value_decode(struct arena *arena, const struct schema_type *type, const void *value, size_t size,
	ProtobufCMessage **ret_object)
{
	if (has_versions(type))
		TRY(decode_version(arena, type, value, size, ret_object));
	else
		TRY(decode_as(arena, type, value, size, ret_object));
	api_set_defaults(arena, *ret_object);
	if (type == &CoreV1Service_schema)
		settle_service(arena, ((CoreV1Service *)*ret_object)->spec);
	else if (type == &CoreV1PersistentVolumeClaim_schema && ((CoreV1PersistentVolumeClaim *)*ret_object)->spec)
		value_settle_sources(arena, ((CoreV1PersistentVolumeClaim *)*ret_object)->spec);
	else if (type == &PolicyV1PodDisruptionBudget_schema)
		former_settle_budget((PolicyV1PodDisruptionBudget *)*ret_object);
	return NULL;
}

/* The version that the bytes are said to be of. Kinds that are new in their version are stored as of the one before,
 * which has the same fields, so that the release before can read them. */
static const char *stored_version(const struct schema_type *type)
{
	if (str_eq(type->group, "resource.k8s.io"))
		return "resource.k8s.io/v1beta2";
	return type == &StorageV1VolumeAttributesClass_schema ? "storage.k8s.io/v1beta1"
							      : str_or_empty(type->api_version);
}

void value_encode(struct strbuf *out, const ProtobufCMessage *object)
{
	const struct schema_type *type = schema_of(object);
	protobuf_encode_as(out, object, stored_version(type), type->kind);
}

bool value_is_current(struct arena *arena, const struct schema_type *type, const void *value, size_t size)
{
	char *version, *kind;
	const void *raw;
	size_t raw_size;
	if (!protobuf_has_magic(value, size))
		return false;
	CLEANUP_STATUS struct status *bad = protobuf_envelope(arena, value, size, &version, &kind, &raw, &raw_size);
	return !bad && str_eq(version, stored_version(type)) && str_eq(kind, type->kind);
}

/* Of a value that cannot be decrypted, whose cause is the reason alone. */
static const char *undecrypted(const struct status *why)
{
	return why->n_causes ? why->causes[0].message : NULL;
}

struct status *value_unreadable(const char *key, const struct status *why)
{
	if (undecrypted(why))
		return status_copy(why);
	return status_internal("the value of %s in etcd cannot be read: %s", key, why->message);
}

static char *untransformed(struct arena *arena, const char *key, const struct status *why)
{
	return arena_printf(arena, "unable to transform key %s: %s", go_quote(arena, key), undecrypted(why));
}

struct status *value_unlistable(const char *key, const struct status *why)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	if (!undecrypted(why))
		return value_unreadable(key, why);
	const char *text = untransformed(arena, key, why);
	struct status *s = status_internal("Internal error occurred: %s", text);
	status_add_cause(s, "", "", "%s", text);
	return s;
}

char *value_unlistable_text(
	struct arena *arena, const struct schema_type *type, const char *key, const struct status *why)
{
	CLEANUP_STATUS struct status *plain = value_unreadable(key, why);
	if (!undecrypted(why))
		return arena_strdup(arena, plain->message);
	return arena_printf(arena, "failed to list *%s.%s: %s", go_package_of(arena, type), type->kind,
		untransformed(arena, key, why));
}
