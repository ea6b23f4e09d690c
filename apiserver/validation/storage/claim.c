/*
 * Claims of volumes.
 */
#include "api/copy.h"
#include "api/meta.h"
#include "api/quantity.h"
#include "apiserver/validation/meta.h"
#include "apiserver/validation/other.h"
#include "apiserver/validation/pod/pod.h"
#include "apiserver/validation/pod/resources.h"
#include "apiserver/validation/struct_diff.h"
#include "base/str.h"

#define OLD_CLASS "volume.beta.kubernetes.io/storage-class"

void validate_access_modes(struct field_errors *errors, const struct field_path *path, char *const *modes, size_t n)
{
	static const char *const known[] = {"ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod", NULL};
	bool alone = false, others = false;
	for (size_t i = 0; i < n; i++) {
		bool is_known = str_in(modes[i], known), is_alone = str_eq(modes[i], "ReadWriteOncePod");
		if (!is_known)
			field_unsupported(errors, path, modes[i], known);
		alone |= is_alone;
		others |= is_known && !is_alone;
	}
	if (alone && others)
		field_forbidden(errors, path, "may not use ReadWriteOncePod with other access modes");
}

void validate_template_meta(struct field_errors *errors, const struct field_path *path, const MetaV1ObjectMeta *meta)
{
	if (!meta)
		return;
	const struct field_path *at = FIELD(path, "metadata");
	const struct {
		const char *name;
		bool set;
	} others[] = {
		{"name", !str_empty(meta->name)},
		{"generateName", !str_empty(meta->generate_name)},
		{"namespace", !str_empty(meta->namespace)},
		{"selfLink", !str_empty(meta->self_link)},
		{"uID", !str_empty(meta->uid)},
		{"resourceVersion", !str_empty(meta->resource_version)},
		{"generation", meta->generation},
		{"creationTimestamp", !time_is_zero(meta->creation_timestamp)},
		{"deletionTimestamp", meta->deletion_timestamp},
		{"deletionGracePeriodSeconds", meta->has_deletion_grace_period_seconds},
		{"ownerReferences", meta->n_owner_references},
		{"finalizers", meta->n_finalizers},
		{"managedFields", meta->n_managed_fields},
	};
	validate_annotations(errors, FIELD(at, "annotations"), meta->annotations, meta->n_annotations);
	validate_labels(errors, FIELD(at, "labels"), meta->labels, meta->n_labels);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (others[i].set)
			field_forbidden(errors, FIELD(at, others[i].name), "cannot be set");
}

static const ResourceQuantity *storage_of(const CoreV1PersistentVolumeClaimSpec *spec)
{
	const CoreV1VolumeResourceRequirements *r = spec->resources;
	return r ? quantity_map_get(r->requests, r->n_requests, "storage") : NULL;
}

static void check_size(
	struct field_errors *errors, const struct field_path *path, const CoreV1PersistentVolumeClaimSpec *spec)
{
	const ResourceQuantity *size = storage_of(spec);
	struct quantity q = quantity_of(size);
	if (!size)
		field_required(errors, path, "");
	else if (quantity_sign(&q) <= 0)
		field_invalid(errors, path, quantity_format(errors->arena, &q), "must be greater than zero");
}

/* What both kinds of references to a source of data have. */
static void check_source(struct field_errors *errors, const struct field_path *path, const char *group,
	const char *kind, const char *name)
{
	if (str_empty(name))
		field_required(errors, FIELD(path, "name"), "");
	if (str_empty(kind))
		field_required(errors, FIELD(path, "kind"), "");
	if (str_empty(group) && !str_eq(kind, "PersistentVolumeClaim"))
		field_invalid(
			errors, path, kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup");
	if (!str_empty(group) && !(errors->kept & KEPT_SOURCE_GROUPS))
		validate_text(errors, FIELD(path, "apiGroup"), group, check_dns_subdomain(errors->arena, group));
}

static void check_sources(
	struct field_errors *errors, const struct field_path *path, const CoreV1PersistentVolumeClaimSpec *spec)
{
	const CoreV1TypedLocalObjectReference *old = spec->data_source;
	const CoreV1TypedObjectReference *ref = spec->data_source_ref;
	const struct field_path *at = FIELD(path, "dataSourceRef");
	if (old)
		check_source(errors, FIELD(path, "dataSource"), old->api_group, old->kind, old->name);
	if (!ref)
		return;
	check_source(errors, at, ref->api_group, ref->kind, ref->name);
	if (!str_empty(ref->namespace)) {
		validate_text(
			errors, FIELD(at, "namespace"), ref->namespace, check_dns_label(errors->arena, ref->namespace));
		if (old)
			field_invalid_json(
				errors, path, "{}", "may not be specified when dataSourceRef.namespace is specified");
	} else if (old) {
		bool same_group = !old->api_group == !ref->api_group && str_eq(old->api_group, ref->api_group);
		if (!same_group || !str_eq(old->kind, ref->kind) || !str_eq(old->name, ref->name))
			field_invalid_json(errors, path, "{}", "must match dataSourceRef");
	}
}

void validate_claim_spec(
	struct field_errors *errors, const struct field_path *path, const CoreV1PersistentVolumeClaimSpec *spec)
{
	static const char *const volume_modes[] = {"Block", "Filesystem", NULL};
	spec = spec ? spec : API_NEW(errors->arena, CoreV1PersistentVolumeClaimSpec);
	if (!spec->n_access_modes)
		field_required(errors, FIELD(path, "accessModes"), "at least 1 access mode is required");
	validate_label_selector(errors, FIELD(path, "selector"), spec->selector);
	validate_access_modes(errors, FIELD(path, "accessModes"), spec->access_modes, spec->n_access_modes);
	check_size(errors, FIELD_KEY(FIELD(path, "resources"), "storage"), spec);
	if (!str_empty(spec->storage_class_name))
		validate_text(errors, FIELD(path, "storageClassName"), spec->storage_class_name,
			check_dns_subdomain(errors->arena, spec->storage_class_name));
	if (spec->volume_mode && !str_in(spec->volume_mode, volume_modes))
		field_unsupported(errors, FIELD(path, "volumeMode"), spec->volume_mode, volume_modes);
	check_sources(errors, path, spec);
	if (!str_empty(spec->volume_attributes_class_name))
		validate_text(errors, FIELD(path, "volumeAttributesClassName"), spec->volume_attributes_class_name,
			check_dns_subdomain(errors->arena, spec->volume_attributes_class_name));
}

void validate_claim(struct field_errors *errors, const CoreV1PersistentVolumeClaim *claim)
{
	const CoreV1PersistentVolumeClaimSpec *spec = claim->spec;
	validate_claim_spec(errors, FIELD(NULL, "spec"), spec);
	if (spec && ((spec->data_source && spec->data_source->api_group) ||
			    (spec->data_source_ref && spec->data_source_ref->api_group)))
		errors->found |= KEPT_SOURCE_GROUPS;
}

/* A class that stood in an annotation may move into its field, and one that nobody chose may be chosen. */
static void allow_class(struct field_errors *errors, const CoreV1PersistentVolumeClaim *claim,
	const CoreV1PersistentVolumeClaim *old, CoreV1PersistentVolumeClaimSpec *munged)
{
	const char *was = meta_annotation(old->metadata, OLD_CLASS), *is = meta_annotation(claim->metadata, OLD_CLASS);
	const char *class = claim->spec->storage_class_name;
	if (was && !old->spec->storage_class_name && class && str_eq(class, was) && (!is || str_eq(is, was))) {
		munged->storage_class_name = NULL;
		return;
	}
	if (!str_eq(was, is))
		field_invalid(errors, FIELD(FIELD(FIELD(NULL, "metadata"), "annotations"), OLD_CLASS), is,
			"field is immutable");
	if (class && !old->spec->storage_class_name && (!was || str_eq(class, was)))
		munged->storage_class_name = NULL;
}

static void check_growth(
	struct field_errors *errors, const CoreV1PersistentVolumeClaim *claim, const CoreV1PersistentVolumeClaim *old)
{
	const CoreV1PersistentVolumeClaimStatus *status = old->status;
	const ResourceQuantity *size = storage_of(claim->spec);
	const ResourceQuantity *has = status ? quantity_map_get(status->capacity, status->n_capacity, "storage") : NULL;
	struct quantity now = quantity_of(size), before = quantity_of(storage_of(old->spec)), real = quantity_of(has);
	if (quantity_compare(&now, &before) < 0 && quantity_compare(&now, &real) <= 0)
		field_forbidden(errors, FIELD(FIELD(FIELD(FIELD(NULL, "spec"), "resources"), "requests"), "storage"),
			"field can not be less than status.capacity");
}

static void check_attributes(
	struct field_errors *errors, const CoreV1PersistentVolumeClaim *claim, const CoreV1PersistentVolumeClaim *old)
{
	const char *now = claim->spec->volume_attributes_class_name, *was = old->spec->volume_attributes_class_name;
	bool same = !now == !was && str_eq(now, was);
	if (same || !old->status || !old->status->current_volume_attributes_class_name)
		return;
	const struct field_path *path = FIELD(FIELD(NULL, "spec"), "volumeAttributesClassName");
	if (!now)
		field_forbidden(errors, path,
			"update to nil is forbidden when status.currentVolumeAttributesClassName is not nil");
	else if (!*now)
		field_forbidden(errors, path,
			"update to empty string is forbidden when status.currentVolumeAttributesClassName is not nil");
}

static void set_storage(struct arena *arena, CoreV1PersistentVolumeClaimSpec *spec, const ResourceQuantity *size)
{
	CoreV1VolumeResourceRequirements *r = spec->resources;
	for (size_t i = 0; r && i < r->n_requests; i++)
		if (str_eq(r->requests[i]->key, "storage"))
			r->requests[i]->value = (ResourceQuantity *)size;
}

/* A claim is bound by setting its volume, and may grow; nothing else of it changes. */
void validate_claim_update(
	struct field_errors *errors, const CoreV1PersistentVolumeClaim *claim, const CoreV1PersistentVolumeClaim *old)
{
	CoreV1PersistentVolumeClaimSpec *munged = api_copy_msg(errors->arena, claim->spec);
	CoreV1PersistentVolumeClaimSpec *before = api_copy_msg(errors->arena, old->spec);
	bool bound = claim->status && str_eq(claim->status->phase, "Bound");
	if (str_empty(before->volume_name))
		before->volume_name = munged->volume_name;
	allow_class(errors, claim, old, munged);
	if (bound) {
		set_storage(errors->arena, munged, storage_of(before));
		munged->volume_attributes_class_name = before->volume_attributes_class_name;
	}
	if (!api_equal(munged, before))
		field_forbidden(errors, FIELD(NULL, "spec"),
			arena_printf(errors->arena,
				"spec is immutable after creation except resources.requests and "
				"volumeAttributesClassName for bound claims\n%s",
				struct_diff(errors->arena, before, munged)));
	check_growth(errors, claim, old);
	if (!str_eq(claim->spec->volume_mode, old->spec->volume_mode))
		field_invalid_typed(errors, FIELD(NULL, "volumeMode"), claim->spec->volume_mode, "field is immutable");
	check_attributes(errors, claim, old);
}

static bool check_resource_key(struct field_errors *errors, const struct field_path *path, const char *key)
{
	static const char *const storage[] = {"storage", NULL};
	const char *problem = check_qualified_name(errors->arena, key);
	validate_text(errors, path, key, problem);
	if (problem)
		return false;
	if (resource_is_native(key) && strcmp(key, "storage") != 0) {
		field_unsupported(errors, path, key, storage);
		return false;
	}
	return true;
}

static void check_amount(struct field_errors *errors, const struct field_path *path, const ResourceQuantity *value)
{
	struct quantity q = quantity_of(value);
	if (quantity_sign(&q) < 0)
		field_invalid_int(errors, path, quantity_value(&q), "must be a valid resource quantity");
}

void validate_claim_status_update(
	struct field_errors *errors, const CoreV1PersistentVolumeClaim *claim, const CoreV1PersistentVolumeClaim *old)
{
	static const char *const states[] = {"ControllerResizeInProgress", "ControllerResizeInfeasible",
		"NodeResizeInProgress", "NodeResizeInfeasible", "NodeResizePending", NULL};
	const CoreV1PersistentVolumeClaimStatus *s = claim->status;
	const struct field_path *path = FIELD(NULL, "status");
	if (!claim->spec->n_access_modes)
		field_required(errors, FIELD(FIELD(NULL, "Spec"), "accessModes"), "");
	for (size_t i = 0; s && i < s->n_capacity; i++)
		check_amount(errors, FIELD_KEY(FIELD(path, "capacity"), s->capacity[i]->key), s->capacity[i]->value);
	for (size_t i = 0; s && i < s->n_allocated_resource_statuses; i++) {
		const MapStringEntry *e = s->allocated_resource_statuses[i];
		const struct field_path *at = FIELD(path, "allocatedResourceStatuses");
		(void)check_resource_key(errors, at, e->key);
		if (!str_in(str_or_empty(e->value), states))
			field_unsupported(errors, at, e->key, states);
	}
	for (size_t i = 0; s && i < s->n_allocated_resources; i++) {
		const MapQuantityEntry *e = s->allocated_resources[i];
		const struct field_path *at = FIELD(path, "allocatedResources");
		if (check_resource_key(errors, at, e->key))
			check_amount(errors, FIELD_KEY(at, e->key), e->value);
	}
}
