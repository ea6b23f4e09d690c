#include "api/meta.h"
#include "apiserver/strategy/generic.h"
#include "apiserver/strategy/records.h"
#include "base/str.h"

#define FINALIZER "kubernetes"

static void prepare_create(struct request *request, ProtobufCMessage *object)
{
	CoreV1Namespace *ns = (CoreV1Namespace *)object;
	CoreV1NamespaceSpec *spec = ENSURE(request->arena, ns->spec, CoreV1NamespaceSpec);
	ns->status = API_NEW(request->arena, CoreV1NamespaceStatus);
	ns->status->phase = (char *)"Active";
	if (!str_in_n(FINALIZER, spec->finalizers, spec->n_finalizers))
		ARENA_PUSH(request->arena, spec->finalizers, spec->n_finalizers) = (char *)FINALIZER;
	/* generateName has become a name only now: the label that defaulting could not write. */
	if (ns->metadata && !str_empty(ns->metadata->name))
		meta_set_label(request->arena, ns->metadata, "kubernetes.io/metadata.name", ns->metadata->name);
}

static void prepare_update(struct request *request, ProtobufCMessage *object, const ProtobufCMessage *before)
{
	CoreV1Namespace *ns = (CoreV1Namespace *)object;
	const CoreV1Namespace *old = (const CoreV1Namespace *)before;
	if (generic_is_status(request)) {
		ns->spec = old->spec;
		return;
	}
	ns->status = old->status;
	if (strcmp(request->subresource, "finalize"))
		ns->spec = old->spec;
}

static void check_finalizer(struct field_errors *errors, const struct field_path *path, const char *name)
{
	static const char *const standard[] = {"kubernetes", "orphan", "foregroundDeletion", NULL};
	field_invalid_each(errors, path, name, check_qualified_name(errors->arena, name));
	if (!strchr(name, '/') && !str_in(name, standard))
		field_invalid(
			errors, path, name, "name is neither a standard finalizer name nor is it fully qualified");
}

static void validate_create(struct request *request, const ProtobufCMessage *object, struct field_errors *errors)
{
	const CoreV1NamespaceSpec *spec = ((const CoreV1Namespace *)object)->spec;
	for (size_t i = 0; spec && i < spec->n_finalizers; i++)
		check_finalizer(errors, FIELD(FIELD(NULL, "spec"), "finalizers"), spec->finalizers[i]);
}

static void validate_update(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old,
	struct field_errors *errors)
{
	const CoreV1Namespace *ns = (const CoreV1Namespace *)object;
	bool deleting = meta_is_deleting(ns->metadata);
	const char *phase = ns->status ? str_or_empty(ns->status->phase) : "";
	const struct field_path *path = FIELD(FIELD(NULL, "status"), "Phase");
	if (generic_is_status(request) && !deleting && strcmp(phase, "Active"))
		field_invalid_typed(errors, path, phase, "may only be 'Active' if `deletionTimestamp` is empty");
	if (generic_is_status(request) && deleting && strcmp(phase, "Terminating"))
		field_invalid_typed(
			errors, path, phase, "may only be 'Terminating' if `deletionTimestamp` is not empty");
	for (size_t i = 0; ns->spec && i < ns->spec->n_finalizers; i++)
		check_finalizer(
			errors, FIELD_INDEX(FIELD(FIELD(NULL, "spec"), "finalizers"), i), ns->spec->finalizers[i]);
}

static void mark_deleted(struct request *request, ProtobufCMessage *object)
{
	CoreV1Namespace *ns = (CoreV1Namespace *)object;
	ENSURE(request->arena, ns->status, CoreV1NamespaceStatus)->phase = (char *)"Terminating";
	/* It waits for its contents, not for a time. */
	ns->metadata->has_deletion_grace_period_seconds = false;
	ns->metadata->deletion_grace_period_seconds = 0;
}

static bool may_go(const ProtobufCMessage *object)
{
	const CoreV1Namespace *ns = (const CoreV1Namespace *)object;
	return !ns->spec || !ns->spec->n_finalizers;
}

const struct strategy namespace_strategy = {
	.group = "",
	.resource = "namespaces",
	.update_checks = {CHECK_META, CHECK_META_CHANGE, CHECK_CHANGE},
	.tells_preconditions = true,
	.check_name = name_is_dns_label,
	.prepare_create = prepare_create,
	.prepare_update = prepare_update,
	.validate_create = validate_create,
	.validate_update = validate_update,
	.mark_deleted = mark_deleted,
	.may_go = may_go,
	.waits_for_dependents = true,
};
