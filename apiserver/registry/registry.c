#include "apiserver/registry/registry.h"
#include <inttypes.h>
#include <stdlib.h>
#include "api/meta.h"
#include "api/protobuf.h"
#include "apiserver/registry/private.h"
#include "apiserver/store/value.h"
#include "base/mem.h"
#include "base/str.h"

#define CATCH_UP_MS 3000
#define MAX_WARNING_LOOKS (1u << 20)

static struct status *grant_lease(void *etcd, int64_t ttl_s, int64_t *ret_id)
{
	return etcd_lease(etcd, ttl_s, ret_id);
}

struct registry *registry_new(const struct registry_options *options)
{
	struct registry *registry = mem_zalloc(sizeof(*registry));
	registry->objects.ops = &registry_ops;
	registry->etcd = options->etcd;
	registry->clock = options->clock;
	registry->cache = cache_new(options->etcd, options->prefix, options->clock);
	cache_set_encryption(registry->cache, options->encryption);
	registry->etcd_figures = figures_new();
	const struct lease_options lease = {.grant = grant_lease,
		.data = options->etcd,
		.clock = options->clock,
		.reuse_s = options->lease_reuse_seconds};
	registry->lease = lease_new(&lease);
	registry->watch_seconds = options->watch_seconds;
	return registry;
}

void registry_set_admission(struct registry *registry, struct admission *admission)
{
	registry->admission = admission;
}

void registry_set_strategy_context(struct registry *registry, const struct strategy_context *context)
{
	registry->context = context;
}

struct status *registry_start(struct registry *registry)
{
	cache_start(registry->cache);
	return NULL;
}

struct lease *registry_lease(struct registry *registry)
{
	return registry->lease;
}

void registry_write_metrics(struct registry *registry, struct strbuf *out)
{
	figures_write_etcd(registry->etcd_figures, out);
	lease_write_metrics(registry->lease, out);
}

struct status *etcd_called(struct request *request, enum figure_verb verb, int64_t begin_ns, struct status *status)
{
	struct registry *registry = request->registry;
	const struct figure_key key = {request->schema, "", verb, FIGURE_NO_SCOPE, false};
	if (request->schema)
		figure_count(figures_find(registry->etcd_figures, &key),
			status && status->code >= 500 ? status->code : 200,
			(double)(clock_mono_ns(registry->clock) - begin_ns) / 1e9, 0);
	if (!status_is(status, STATUS_TOO_LARGE))
		return status;
	/* The original has no reason for this. */
	struct status *told = status_with_code(status_new(STATUS_UNKNOWN, "%s", status->message), 500);
	status_free(status);
	request->too_large = true;
	return told;
}

bool request_is_shortened(struct request *request, struct status *status)
{
	const bool shortened = status && request->too_large && !request->applies && !request->unmanaged;
	request->too_large = false;
	request->unmanaged |= shortened;
	if (shortened)
		status_drop(status, "tried again with less");
	return shortened;
}

struct status *request_catch_up(struct request *request, int64_t version)
{
	struct registry *registry = request->registry;
	int64_t begin_ns = clock_mono_ns(registry->clock);
	struct status *status = version < 0 ? cache_fresh(registry->cache, CATCH_UP_MS)
					    : cache_wait(registry->cache, version, CATCH_UP_MS);
	if (version)
		table_waited(request_table(request), (double)(clock_mono_ns(registry->clock) - begin_ns) / 1e9);
	return status;
}

struct objects *registry_objects(struct registry *registry)
{
	return &registry->objects;
}

struct cache *registry_cache(struct registry *registry)
{
	return registry->cache;
}

bool registry_wait_synced(struct registry *registry, int64_t timeout_ms)
{
	return cache_wait_synced(registry->cache, timeout_ms);
}

struct request *registry_own_request(struct registry *registry, struct arena *arena,
	const struct schema_resource *resource, const char *verb, const char *subresource, const char *namespace,
	const char *name)
{
	struct request *r = ARENA_NEW(arena, struct request);
	*r = (struct request){.arena = arena,
		.registry = registry,
		.objects = &registry->objects,
		.context = registry->context,
		.clock = registry->clock,
		.user = user_apiserver(),
		.client_address = "",
		.method = "",
		.path = "",
		.verb = verb,
		.is_resource = true,
		.group = resource->type->group,
		.version = resource->type->version,
		.resource = resource->plural,
		.subresource = str_or_empty(subresource),
		.namespace = str_or_empty(namespace),
		.name = str_or_empty(name),
		.schema = resource,
		.strategy = strategy_find(resource->type->group, resource->plural),
		.field_manager = "kube-apiserver",
		.field_validation = ""};
	return r;
}

/* More is never sent: see answer_warnings(). */
static bool warned_enough(struct request *request)
{
	if (request->n_warnings_counted > request->n_warnings)
		request->n_warnings_counted = request->n_warned_runes = 0;
	while (request->n_warnings_counted < request->n_warnings)
		request->n_warned_runes += warning_runes(request->warnings[request->n_warnings_counted++]);
	return request->n_warned_runes > WARNINGS_MAX_RUNES;
}

void request_warn(struct request *request, const char *format, ...)
{
	va_list args;
	if (warned_enough(request))
		return;
	va_start(args, format);
	char *text = arena_vprintf(request->arena, format, args);
	va_end(args);
	for (size_t i = 0; i < request->n_warnings; i++)
		if (str_eq(request->warnings[i], text))
			return;
	ARENA_PUSH(request->arena, request->warnings, request->n_warnings) = text;
}

bool request_may_warn(struct request *request)
{
	return request->n_warning_looks++ < MAX_WARNING_LOOKS && !warned_enough(request);
}

size_t warning_runes(const char *text)
{
	size_t n = str_runes(text);
	return n < WARNING_MAX_RUNES ? n : WARNING_MAX_RUNES;
}

struct status *status_not_allowed(void)
{
	return status_details(status_new(STATUS_METHOD_NOT_ALLOWED,
				      "the server does not allow this method on the requested resource"),
		"", "", "");
}

struct status *status_unknown_path(void)
{
	return status_details(
		status_new(STATUS_NOT_FOUND, "the server could not find the requested resource"), "", "", "");
}

struct table *request_table(const struct request *request)
{
	return cache_table(request->registry->cache, request->group, request->resource);
}

const char *request_prefix(const struct request *request)
{
	if (!request->schema->namespaced || str_empty(request->namespace))
		return "";
	return arena_printf(request->arena, "%s/", request->namespace);
}

const char *request_qualified(const struct request *request)
{
	if (str_empty(request->group))
		return request->resource;
	return arena_printf(request->arena, "%s.%s", request->resource, request->group);
}

struct status *request_not_found(const struct request *request, const char *name)
{
	/* The server itself only wants to know that it is not there. */
	if (!str_empty(request->method))
		TRY(check_name_parameter(request->arena, name));
	struct status *s = status_new(STATUS_NOT_FOUND, "%s \"%s\" not found", request_qualified(request), name);
	return status_details(s, request->group, request->resource, name);
}

struct status *request_check_name(const struct request *request, const char *name)
{
	if (str_empty(name))
		return status_bad_request("the name of the object (%s based on URL) was undeterminable: name must be "
					  "provided",
			request->name);
	if (str_eq(name, request->name))
		return NULL;
	return status_bad_request(
		"the name of the object (%s) does not match the name on the URL (%s)", name, request->name);
}

struct status *request_check_namespace(const struct request *request, const char *namespace)
{
	if (str_empty(namespace) || str_eq(namespace, request->namespace))
		return NULL;
	return status_bad_request(
		"the namespace of the provided object does not match the namespace sent on the request");
}

struct status *request_uid_conflict(const struct request *request, const char *asked, const char *found)
{
	const char *key = table_key(request_table(request), request->arena, request->namespace, request->name);
	const char *below = request->dry_run ? strchr(key + 1, '/') : NULL;
	return request_conflict(request, request->name,
		"StorageError: invalid object, Code: 4, Key: %s, ResourceVersion: 0, AdditionalErrorMsg: Precondition "
		"failed: UID in precondition: %s, UID in object meta: %s",
		below ? below : key, asked, found);
}

struct status *request_needs(struct request *request, const struct schema_type *type, const char *namespace,
	const char *name, const ProtobufCMessage **ret_object)
{
	struct status *status = objects_get_live(request->objects, request->arena, type, namespace, name, ret_object);
	if (!status_is(status, STATUS_NOT_FOUND))
		return status;
	status_free(status);
	return request_not_found(request, name);
}

struct status *request_conflict(const struct request *request, const char *name, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	char *text = arena_vprintf(request->arena, format, args);
	va_end(args);
	struct status *s = status_new(STATUS_CONFLICT, "Operation cannot be fulfilled on %s \"%s\": %s",
		request_qualified(request), name, text);
	return status_details(s, request->group, request->resource, name);
}

void set_revision(struct request *request, ProtobufCMessage *object, int64_t revision)
{
	object_meta_ensure(request->arena, object)->resource_version =
		arena_printf(request->arena, "%" PRId64, revision);
}

/* --- what is stored --- */

static struct status *adopt(struct request *request, ProtobufCMessage *object, int64_t revision, struct stored *ret)
{
	ret->revision = revision;
	TRY(convert_object(request->arena, request->schema->type, object, &ret->object));
	ret->own = request->strategy->written_as_stored ? object : ret->object;
	return NULL;
}

struct status *to_written(struct request *request, ProtobufCMessage **object)
{
	if (!request->strategy->written_as_stored)
		return NULL;
	const struct schema_type *type = table_resource(request_table(request))->type;
	return convert_object(request->arena, type, *object, object);
}

struct status *to_asked(struct request *request, ProtobufCMessage **object)
{
	if (!request->strategy->written_as_stored || !*object)
		return NULL;
	return convert_object(request->arena, request->schema->type, *object, object);
}

struct status *stored_from_kv(struct request *request, const struct etcd_kv *kv, struct stored *ret_stored)
{
	struct table *table = request_table(request);
	ProtobufCMessage *object;
	*ret_stored = (struct stored){.live = true};
	if (!kv->found)
		return NULL;
	struct encryption_value value = {kv->value, kv->size};
	CLEANUP_STATUS struct status *why = table_open(table, request->arena, kv->key, &value);
	if (!why)
		why = value_decode(request->arena, table_resource(table)->type, value.bytes, value.size, &object);
	if (why)
		return value_unreadable(kv->key, why);
	set_revision(request, object, kv->mod_revision);
	ret_stored->value = value;
	return adopt(request, object, kv->mod_revision, ret_stored);
}

struct status *stored_ask(struct request *request, const char *name, struct etcd_kv *ret_kv)
{
	const char *key = table_key(request_table(request), request->arena, request->namespace, name);
	int64_t begin_ns = clock_mono_ns(request->registry->clock);
	return etcd_called(
		request, FIGURE_GET, begin_ns, etcd_get(request->registry->etcd, request->arena, key, ret_kv));
}

struct status *stored_read(struct request *request, const char *name, bool live, struct stored *ret_stored)
{
	struct table *table = request_table(request);
	/* A write on an old copy fails and is tried again; one that only tries has to ask. */
	if (live || request->dry_run) {
		struct etcd_kv kv;
		TRY(stored_ask(request, name, &kv));
		return stored_from_kv(request, &kv, ret_stored);
	}
	*ret_stored = (struct stored){0};
	CLEANUP(entry_unrefp) struct entry *entry = table_get(table, request->namespace, name);
	if (!entry)
		return table_check_key(table, request->namespace, name);
	/* An entry's bytes say of which revision they are. */
	return adopt(request, entry_decode(entry, request->arena), entry->revision, ret_stored);
}

struct status *admit(struct request *request, enum admission_operation operation, ProtobufCMessage *object,
	const ProtobufCMessage *old, const ProtobufCMessage *options, bool validate)
{
	if (!request->registry->admission)
		return NULL;
	const char *name = request->name;
	if (operation == ADMISSION_CREATE && str_empty(request->subresource) && object)
		name = object_name(object);
	/* The original does not tell plugins which of many it is. */
	if (str_eq(request->verb, "deletecollection"))
		name = "";
	const struct admission_attributes a = {.arena = request->arena,
		.request = request,
		.namespace_seen = &request->namespace_seen,
		.user = request->user,
		.operation = operation,
		.group = request->group,
		.version = request->version,
		.resource = request->resource,
		.subresource = request->subresource,
		.kind = object ? schema_of(object)->kind : request->schema->type->kind,
		.namespace = request->namespace,
		.name = str_or_empty(name),
		.object = object,
		.old = old,
		.options = options,
		.dry_run = request->dry_run};
	return validate ? admission_validate(request->registry->admission, &a)
			: admission_mutate(request->registry->admission, &a);
}

struct status *registry_admit_part(struct request *request, ProtobufCMessage *part)
{
	TRY(admit(request, ADMISSION_CREATE, part, NULL, NULL, false));
	return admit(request, ADMISSION_CREATE, part, NULL, NULL, true);
}

struct status *registry_get(struct request *request, ProtobufCMessage **ret_object)
{
	struct stored stored;
	TRY(stored_read(request, request->name, false, &stored));
	if (!stored.object)
		return request_not_found(request, request->name);
	*ret_object = stored.object;
	return NULL;
}
