/*
 * The end of custom resource definitions: one that is deleted waits for a finalizer until its objects are gone, as in
 * the original (apiextensions-apiserver/pkg/controller/finalizer). We serve no such objects. Where another server has
 * left some in etcd they are not ours to lose: their definition stays until a server that serves them has deleted them.
 */
#include "api/copy.h"
#include "api/meta.h"
#include "apiserver/boot/internal.h"
#include "apiserver/strategy/crd.h"
#include "base/log.h"
#include "base/str.h"

typedef ApiextensionsV1CustomResourceDefinition Crd;

static bool is_waiting(const Crd *crd)
{
	return meta_is_deleting(crd->metadata) && meta_has_finalizer(crd->metadata, CRD_FINALIZER);
}

static struct status *tell_progress(void *data, struct arena *arena, ProtobufCMessage *object)
{
	Crd *crd = (Crd *)object;
	if (is_waiting(crd))
		crd_tell_terminating(
			arena, crd, "True", "InstanceDeletionInProgress", "CustomResource deletion is in progress");
	return NULL;
}

/* Definitions of what is stored under other kinds' keys. */
static bool is_built_in(const Crd *crd)
{
	const char *group = crd->spec->group, *plural = crd->spec->names ? crd->spec->names->plural : NULL;
	return (str_eq(group, "apiregistration.k8s.io") && str_eq(plural, "apiservices")) ||
	       (str_eq(group, "apiextensions.k8s.io") && str_eq(plural, "customresourcedefinitions"));
}

static bool is_established(const Crd *crd)
{
	return crd->status &&
	       condition_is((void *const *)crd->status->conditions, crd->status->n_conditions, "Established", "True");
}

static struct status *finish(void *data, struct arena *arena, ProtobufCMessage *object)
{
	Crd *crd = (Crd *)object;
	if (!is_waiting(crd))
		return NULL;
	if (is_built_in(crd))
		crd_tell_terminating(arena, crd, "False", "OverlappingBuiltInResource",
			"instances overlap with built-in resources in storage");
	else if (is_established(crd))
		crd_tell_terminating(arena, crd, "False", "InstanceDeletionCompleted", "removed all instances");
	else
		crd_tell_terminating(arena, crd, "False", "NeverEstablished", "resource was never established");
	meta_remove_finalizer(crd->metadata, CRD_FINALIZER);
	return NULL;
}

static void count(void *data, const struct etcd_kv *kv)
{
	size_t *n = data;
	++*n;
}

static struct status *count_instances(
	const struct boot_options *options, struct arena *arena, const Crd *crd, size_t *ret_n)
{
	int64_t revision = 0;
	const char *plural = crd->spec->names ? str_or_empty(crd->spec->names->plural) : "";
	*ret_n = 0;
	if (is_built_in(crd) || !is_established(crd))
		return NULL;
	return etcd_each(options->etcd,
		arena_printf(arena, "%s/%s/%s/", options->etcd_prefix, str_or_empty(crd->spec->group), plural),
		&revision, count, ret_n);
}

static struct status *end_one(const struct boot_options *options, struct arena *arena, const Crd *crd)
{
	const struct schema_type *type = &ApiextensionsV1CustomResourceDefinition_schema;
	const char *name = object_name(crd);
	size_t n_instances;
	TRY(objects_modify(options->objects, arena, type, "status", "", name, tell_progress, NULL, NULL));
	TRY(count_instances(options, arena, crd, &n_instances));
	if (n_instances) {
		log_info("definition %s: %zu of its objects are in etcd, which this server does not serve", name,
			n_instances);
		return NULL;
	}
	return objects_modify(options->objects, arena, type, "status", "", name, finish, NULL, NULL);
}

struct status *boot_definitions(const struct boot_options *options)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct object_list list;
	TRY(objects_list(options->objects, arena, &ApiextensionsV1CustomResourceDefinition_schema, NULL, &list));
	for (size_t i = 0; i < list.n_items; i++) {
		const Crd *crd = (const Crd *)list.items[i];
		struct status *s = is_waiting(crd) ? end_one(options, arena, crd) : NULL;
		if (status_is(s, STATUS_NOT_FOUND))
			status_drop(s, "it is gone");
		else
			TRY(status_wrap(s, "definition %s", object_name(crd)));
	}
	return NULL;
}
