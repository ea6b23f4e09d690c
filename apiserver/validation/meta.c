#include "apiserver/validation/meta.h"
#include "api/copy.h"
#include "api/json.h"
#include "api/meta.h"
#include "base/nameset.h"
#include "base/str.h"

enum { MAX_ANNOTATIONS_BYTES = 256 * 1024 };
#define IMMUTABLE "field is immutable"

static void check(struct field_errors *errors, const struct field_path *path, const char *value, const char *problem)
{
	field_invalid_each(errors, path, value, problem);
}

void validate_labels(
	struct field_errors *errors, const struct field_path *path, MapStringEntry *const *labels, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		check(errors, path, labels[i]->key, check_qualified_name(errors->arena, str_or_empty(labels[i]->key)));
		check(errors, path, labels[i]->value, check_label_value(errors->arena, str_or_empty(labels[i]->value)));
	}
}

void validate_annotations(
	struct field_errors *errors, const struct field_path *path, MapStringEntry *const *annotations, size_t n)
{
	size_t total = 0;
	for (size_t i = 0; i < n; i++) {
		char *lower = str_lower(errors->arena, str_or_empty(annotations[i]->key));
		check(errors, path, annotations[i]->key, check_qualified_name(errors->arena, lower));
		total += strlen(str_or_empty(annotations[i]->key)) + strlen(str_or_empty(annotations[i]->value));
	}
	if (total > MAX_ANNOTATIONS_BYTES)
		field_too_long(errors, path, MAX_ANNOTATIONS_BYTES);
}

static void check_owner(struct field_errors *errors, const struct field_path *path, const MetaV1OwnerReference *ref)
{
	/* What has two slashes is no version either. */
	const char *slash = strchr(str_or_empty(ref->api_version), '/');
	if (str_empty(ref->api_version) || (slash && (!slash[1] || strchr(slash + 1, '/'))))
		field_invalid(errors, FIELD(path, "apiVersion"), ref->api_version, "version must not be empty");
	if (str_empty(ref->kind))
		field_invalid(errors, FIELD(path, "kind"), "", "must not be empty");
	if (str_empty(ref->name))
		field_invalid(errors, FIELD(path, "name"), "", "must not be empty");
	if (str_empty(ref->uid))
		field_invalid(errors, FIELD(path, "uid"), "", "must not be empty");
	if (str_eq(ref->api_version, "v1") && str_eq(ref->kind, "Event"))
		field_invalid_message(errors, path, ref, "/v1, Kind=Event is disallowed from being an owner");
}

static char *owners_json(struct arena *arena, const MetaV1ObjectMeta *meta)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	for (size_t i = 0; i < meta->n_owner_references; i++) {
		strbuf_addc(&out, i ? ',' : '[');
		json_encode(&out, meta->owner_references[i], 0);
	}
	strbuf_addc(&out, ']');
	return arena_strdup(arena, out.buf);
}

static void check_owners(struct field_errors *errors, const struct field_path *path, const MetaV1ObjectMeta *meta)
{
	const MetaV1OwnerReference *first = NULL;
	for (size_t i = 0; i < meta->n_owner_references; i++) {
		const MetaV1OwnerReference *ref = meta->owner_references[i];
		check_owner(errors, path, ref);
		if (!ref->has_controller || !ref->controller)
			continue;
		if (first)
			field_invalid_json(errors, path, owners_json(errors->arena, meta),
				arena_printf(errors->arena,
					"Only one reference can have Controller set to true. Found \"true\" in "
					"references for %s/%s and %s/%s",
					first->kind, first->name, ref->kind, ref->name));
		else
			first = ref;
	}
}

static void check_finalizers(struct field_errors *errors, const struct field_path *path, const MetaV1ObjectMeta *meta)
{
	for (size_t i = 0; i < meta->n_finalizers; i++)
		check(errors, path, meta->finalizers[i], check_qualified_name(errors->arena, meta->finalizers[i]));
	if (meta_has_finalizer(meta, "orphan") && meta_has_finalizer(meta, "foregroundDeletion"))
		field_invalid_json(errors, path, strings_json(errors->arena, meta->finalizers, meta->n_finalizers),
			"finalizer orphan and foregroundDeletion cannot be both set");
}

void validate_finalizer_domains(
	struct field_errors *errors, const struct field_path *path, char *const *finalizers, size_t n)
{
	static const char *const known[] = {"kubernetes", "orphan", "foregroundDeletion", NULL};
	for (size_t i = 0; i < n; i++)
		if (!strchr(finalizers[i], '/') && !str_in(finalizers[i], known))
			field_invalid(errors, FIELD_INDEX(path, i), finalizers[i],
				"name is neither a standard finalizer name nor is it fully qualified");
}

static void check_managed(struct field_errors *errors, const struct field_path *path, const MetaV1ObjectMeta *meta)
{
	for (size_t i = 0; i < meta->n_managed_fields; i++) {
		const MetaV1ManagedFieldsEntry *entry = meta->managed_fields[i];
		const struct field_path *at = FIELD_INDEX(path, i);
		if (!str_eq(entry->operation, "Apply") && !str_eq(entry->operation, "Update"))
			field_invalid(errors, FIELD(at, "operation"), entry->operation, "must be `Apply` or `Update`");
		if (!str_empty(entry->fields_type) && !str_eq(entry->fields_type, "FieldsV1"))
			field_invalid(errors, FIELD(at, "fieldsType"), entry->fields_type, "must be `FieldsV1`");
		validate_manager_name(errors, FIELD(at, "manager"), str_or_empty(entry->manager));
		if (strlen(str_or_empty(entry->subresource)) > 256)
			field_too_long(errors, FIELD(at, "subresource"), 256);
	}
}

static void check_common(struct field_errors *errors, const struct field_path *path, const MetaV1ObjectMeta *meta)
{
	validate_labels(errors, FIELD(path, "labels"), meta->labels, meta->n_labels);
	validate_annotations(errors, FIELD(path, "annotations"), meta->annotations, meta->n_annotations);
	check_owners(errors, FIELD(path, "ownerReferences"), meta);
}

void tell_name_problems(struct field_errors *errors, const struct field_path *path, const MetaV1ObjectMeta *meta,
	const char *of_generated, const char *of_name)
{
	check(errors, FIELD(path, "generateName"), meta->generate_name, of_generated);
	if (str_empty(meta->name))
		field_required(errors, FIELD(path, "name"), "name or generateName is required");
	else
		check(errors, FIELD(path, "name"), meta->name, of_name);
}

void validate_object_name(struct field_errors *errors, const struct field_path *path, const MetaV1ObjectMeta *meta,
	name_check_fn *check_name)
{
	const char *generated = meta->generate_name, *name = meta->name;
	tell_name_problems(errors, path, meta, str_empty(generated) ? NULL : check_name(errors->arena, generated, true),
		str_empty(name) ? NULL : check_name(errors->arena, name, false));
}

void validate_object_meta(struct field_errors *errors, const struct field_path *path, const MetaV1ObjectMeta *meta,
	bool namespaced, name_check_fn *check_name)
{
	validate_object_name(errors, path, meta, check_name ? check_name : name_is_dns_subdomain);
	validate_object_meta_beside_name(errors, path, meta, namespaced);
}

void validate_object_meta_beside_name(
	struct field_errors *errors, const struct field_path *path, const MetaV1ObjectMeta *meta, bool namespaced)
{
	if (namespaced && str_empty(meta->namespace))
		field_required(errors, FIELD(path, "namespace"), "");
	else if (namespaced)
		check(errors, FIELD(path, "namespace"), meta->namespace,
			check_dns_label(errors->arena, meta->namespace));
	else if (!str_empty(meta->namespace))
		field_forbidden(errors, FIELD(path, "namespace"), "not allowed on this type");
	if (meta->generation < 0)
		field_invalid_int(
			errors, FIELD(path, "generation"), meta->generation, "must be greater than or equal to 0");
	check_common(errors, path, meta);
	check_finalizers(errors, FIELD(path, "finalizers"), meta);
	check_managed(errors, FIELD(path, "managedFields"), meta);
}

static void same_text(struct field_errors *errors, const struct field_path *path, const char *value, const char *old)
{
	if (!str_eq(value, old))
		field_invalid(errors, path, value, IMMUTABLE);
}

static void same_time(
	struct field_errors *errors, const struct field_path *path, const MetaV1Time *value, const MetaV1Time *old)
{
	if (time_compare(value, old) && !(time_is_zero(value) && time_is_zero(old)))
		field_invalid_message(errors, path, value, IMMUTABLE);
}

/* An object that is being deleted gets no more of them. */
static void check_no_new_finalizers(struct field_errors *errors, const struct field_path *path,
	const MetaV1ObjectMeta *meta, const MetaV1ObjectMeta *old)
{
	CLEANUP(strbuf_done) struct strbuf list = STRBUF_INIT;
	struct nameset seen = {.arena = errors->arena}, before = {.arena = errors->arena};
	char **added = NULL;
	size_t n = 0;
	for (size_t i = 0; old && i < old->n_finalizers; i++)
		nameset_add(&before, old->finalizers[i]);
	for (size_t i = 0; i < meta->n_finalizers; i++)
		if (!nameset_has(&before, meta->finalizers[i]) && nameset_add(&seen, meta->finalizers[i]))
			ARENA_PUSH(errors->arena, added, n) = meta->finalizers[i];
	if (!n)
		return;
	qsort(added, n, sizeof(*added), str_cmp_qsort);
	for (size_t i = 0; i < n; i++)
		strbuf_printf(&list, "%s%s", i ? ", " : "", field_quote(errors->arena, added[i]));
	field_forbidden(errors, path,
		arena_printf(errors->arena,
			"no new finalizers can be added if the object is being deleted, found new finalizers "
			"[]string{%s}",
			list.buf));
}

void validate_object_meta_update(struct field_errors *errors, const struct field_path *path,
	const MetaV1ObjectMeta *meta, const MetaV1ObjectMeta *old)
{
	if (meta_is_deleting(old))
		check_no_new_finalizers(errors, FIELD(path, "finalizers"), meta, old);
	if (str_empty(meta->resource_version))
		field_invalid(errors, FIELD(path, "resourceVersion"), "", "must be specified for an update");
	if (meta->generation < old->generation)
		field_invalid_int(errors, FIELD(path, "generation"), meta->generation, "must not be decremented");
	same_text(errors, FIELD(path, "name"), meta->name, old->name);
	same_text(errors, FIELD(path, "namespace"), meta->namespace, old->namespace);
	same_text(errors, FIELD(path, "uid"), meta->uid, old->uid);
	same_time(errors, FIELD(path, "creationTimestamp"), meta->creation_timestamp, old->creation_timestamp);
	same_time(errors, FIELD(path, "deletionTimestamp"), meta->deletion_timestamp, old->deletion_timestamp);
	if (meta->has_deletion_grace_period_seconds != old->has_deletion_grace_period_seconds ||
		meta->deletion_grace_period_seconds != old->deletion_grace_period_seconds)
		field_invalid_int(errors, FIELD(path, "deletionGracePeriodSeconds"),
			meta->deletion_grace_period_seconds, IMMUTABLE);
	check_common(errors, path, meta);
	check_managed(errors, FIELD(path, "managedFields"), meta);
}

static void check_requirement(struct field_errors *errors, const struct field_path *path,
	const MetaV1LabelSelectorRequirement *r, bool strict)
{
	if (str_eq(r->operator, "In") || str_eq(r->operator, "NotIn")) {
		if (!r->n_values)
			field_required(
				errors, FIELD(path, "values"), "must be specified when `operator` is 'In' or 'NotIn'");
	} else if (str_eq(r->operator, "Exists") || str_eq(r->operator, "DoesNotExist")) {
		if (r->n_values)
			field_forbidden(errors, FIELD(path, "values"),
				"may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
	} else {
		field_invalid_json(errors, FIELD(path, "operator"), field_json(errors->arena, r->operator),
			"not a valid selector operator");
	}
	check(errors, FIELD(path, "key"), r->key, check_qualified_name(errors->arena, str_or_empty(r->key)));
	size_t n = errors->n_items;
	for (size_t i = 0; i < r->n_values; i++)
		check(errors, FIELD_INDEX(FIELD(path, "values"), i), r->values[i],
			check_label_value(errors->arena, r->values[i]));
	if (!strict)
		field_keep(errors, n, KEPT_SELECTOR_VALUES);
}

static void check_selector(
	struct field_errors *errors, const struct field_path *path, const MetaV1LabelSelector *selector, bool strict)
{
	if (!selector)
		return;
	validate_labels(errors, FIELD(path, "matchLabels"), selector->match_labels, selector->n_match_labels);
	for (size_t i = 0; i < selector->n_match_expressions; i++)
		check_requirement(errors, FIELD_INDEX(FIELD(path, "matchExpressions"), i),
			selector->match_expressions[i], strict);
}

void validate_label_selector(
	struct field_errors *errors, const struct field_path *path, const MetaV1LabelSelector *selector)
{
	check_selector(errors, path, selector, false);
}

void validate_label_selector_strictly(
	struct field_errors *errors, const struct field_path *path, const MetaV1LabelSelector *selector)
{
	check_selector(errors, path, selector, true);
}

void validate_dry_run(struct field_errors *errors, char *const *values, size_t n)
{
	static const char *const supported[] = {"All", NULL};
	for (size_t i = 0; i < n; i++)
		if (!str_eq(values[i], "All")) {
			field_unsupported_json(
				errors, FIELD(NULL, "dryRun"), strings_json(errors->arena, values, n), supported);
			return;
		}
}

struct status *validate_delete_options(struct arena *arena, const MetaV1DeleteOptions *options)
{
	static const char *const policies[] = {"Foreground", "Background", "Orphan", NULL};
	static const char *const told[] = {"Foreground", "Background", "Orphan", "nil", NULL};
	const struct field_path *path = FIELD(NULL, "propagationPolicy");
	struct field_errors errors = FIELD_ERRORS_INIT(arena);
	if (options->has_orphan_dependents && options->propagation_policy)
		field_invalid(&errors, path, options->propagation_policy,
			"orphanDependents and deletionPropagation cannot be both set");
	if (options->propagation_policy && !str_in(options->propagation_policy, policies))
		field_unsupported(&errors, path, options->propagation_policy, told);
	validate_dry_run(&errors, options->dry_run, options->n_dry_run);
	return field_errors_status(&errors, "meta.k8s.io", "DeleteOptions", "");
}
