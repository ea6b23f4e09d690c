#include "api/meta.h"
#include "api/selector.h"
#include "apiserver/registry/registry.h"
#include "apiserver/strategy/records.h"
#include "base/str.h"

/* The replicas field of a spec or a status; present says whether the wire has it. */
static int32_t replicas_of(const void *part)
{
	const struct schema_field *f = part ? schema_field_by_name(schema_of(part), "replicas") : NULL;
	return f ? *(const int32_t *)((const char *)part + f->offset) : 0;
}

static const char *selector_of(struct arena *arena, const ProtobufCMessage *object, const void *spec)
{
	if (API_IS(object, CoreV1ReplicationController)) {
		const CoreV1ReplicationControllerSpec *rc = spec;
		CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
		for (size_t i = 0; rc && i < rc->n_selector; i++)
			strbuf_printf(&text, "%s%s=%s", i ? "," : "", rc->selector[i]->key, rc->selector[i]->value);
		return arena_strdup(arena, text.buf);
	}
	const struct schema_field *f = spec ? schema_field_by_name(schema_of(spec), "selector") : NULL;
	const MetaV1LabelSelector *selector =
		f ? *(MetaV1LabelSelector *const *)((const char *)spec + f->offset) : NULL;
	return selector ? label_selector_format_api(arena, selector) : "";
}

struct status *scale_get(struct request *request, const ProtobufCMessage *object, ProtobufCMessage **ret_view)
{
	struct arena *arena = request->arena;
	const MetaV1ObjectMeta *meta = object_meta(object);
	const void *spec = object_child(object, "spec"), *status = object_child(object, "status");
	AutoscalingV1Scale *scale = API_NEW(arena, AutoscalingV1Scale);
	scale->metadata = API_NEW(arena, MetaV1ObjectMeta);
	scale->metadata->name = arena_strdup(arena, meta->name);
	scale->metadata->namespace = arena_strdup(arena, meta->namespace);
	scale->metadata->uid = arena_strdup(arena, meta->uid);
	scale->metadata->resource_version = arena_strdup(arena, meta->resource_version);
	scale->metadata->creation_timestamp = meta->creation_timestamp;
	scale->spec = API_NEW(arena, AutoscalingV1ScaleSpec);
	scale->spec->replicas = replicas_of(spec);
	scale->status = API_NEW(arena, AutoscalingV1ScaleStatus);
	scale->status->replicas = replicas_of(status);
	scale->status->selector = (char *)selector_of(arena, object, spec);
	*ret_view = &scale->base;
	return NULL;
}

static struct status *conflict(struct request *request, const char *name)
{
	return status_details(status_new(STATUS_CONFLICT,
				      "Operation cannot be fulfilled on %s%s%s \"%s\": the object has been modified; "
				      "please apply your changes to the "
				      "latest version and try again",
				      request->resource, *request->group ? "." : "", request->group, name),
		request->group, request->resource, name);
}

/* The uid of a PUT is a condition that the store looks at; of a patch only the scale knows. */
static struct status *uid_conflict(struct request *request, const char *asked, const ProtobufCMessage *object)
{
	if (!str_eq(request->verb, "patch"))
		return request_uid_conflict(request, asked, object_uid(object));
	const char *kind = arena_printf(request->arena, "%s/scale", request->resource), *group = request->group;
	return status_details(status_new(STATUS_CONFLICT,
				      "Operation cannot be fulfilled on %s%s%s \"%s\": Precondition failed: UID in "
				      "precondition: %s, UID "
				      "in object meta: %s",
				      kind, *group ? "." : "", group, object_name(object), asked, object_uid(object)),
		group, kind, object_name(object));
}

struct status *scale_put(struct request *request, ProtobufCMessage *object, const ProtobufCMessage *view)
{
	if (!API_IS(view, AutoscalingV1Scale))
		return status_bad_request("expected input object type to be Scale");
	const AutoscalingV1Scale *scale = (const AutoscalingV1Scale *)view;
	const char *name = object_name(object), *version = object_resource_version(scale), *uid = object_uid(scale);
	int32_t replicas = scale->spec ? scale->spec->replicas : 0;
	struct field_errors errors = FIELD_ERRORS_INIT(request->arena);
	if (scale->metadata)
		TRY(request_check_namespace(request, scale->metadata->namespace));
	TRY(request_check_name(request, object_name(scale)));
	MetaV1ObjectMeta meta = *scale->metadata;
	meta.namespace = object_meta(object)->namespace;
	validate_object_meta(&errors, FIELD(NULL, "metadata"), &meta, true, name_is_dns_subdomain);
	validate_finalizer_domains(
		&errors, FIELD(FIELD(NULL, "metadata"), "finalizers"), meta.finalizers, meta.n_finalizers);
	if (replicas < 0)
		field_invalid_int(&errors, FIELD(FIELD(NULL, "spec"), "replicas"), replicas,
			"must be greater than or equal to 0");
	TRY(field_errors_status(&errors, "autoscaling", "Scale", name));
	if (!str_empty(uid) && !str_eq(uid, object_uid(object)))
		return uid_conflict(request, uid, object);
	if (!str_empty(version) && !str_eq(version, object_resource_version(object)))
		return conflict(request, name);
	void *spec = object_child_ensure(request->arena, object, "spec");
	const struct schema_field *f = schema_field_by_name(schema_of(spec), "replicas");
	if (!f)
		return status_internal("%s has no replicas", request->resource);
	*(int32_t *)((char *)spec + f->offset) = replicas;
	if (f->flags & SCHEMA_PRESENCE)
		*(protobuf_c_boolean *)((char *)spec + f->quantifier_offset) = true;
	return NULL;
}
