#include "api/copy.h"
#include "api/json.h"
#include "api/meta.h"
#include "api/quantity.h"
#include "apiserver/validation/meta.h"
#include "apiserver/validation/other.h"
#include "apiserver/validation/pod.h"
#include "base/str.h"

static const char *const access_modes[] = {"ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod", NULL};
static const char *const volume_modes[] = {"Block", "Filesystem", NULL};

static void check_access_modes(struct field_errors *errors, const struct field_path *path, char *const *modes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!str_in(modes[i], access_modes))
			field_unsupported(errors, path, modes[i], access_modes);
		if (str_eq(modes[i], "ReadWriteOncePod") && n > 1)
			field_forbidden(errors, path, "may not use ReadWriteOncePod with other access modes");
	}
}

void validate_claim(struct field_errors *errors, const CoreV1PersistentVolumeClaim *claim)
{
	const CoreV1PersistentVolumeClaimSpec *spec = claim->spec;
	const struct field_path *path = FIELD(NULL, "spec");
	if (!spec->n_access_modes)
		field_required(errors, FIELD(path, "accessModes"), "at least 1 access mode is required");
	validate_label_selector(errors, FIELD(path, "selector"), spec->selector);
	check_access_modes(errors, FIELD(path, "accessModes"), spec->access_modes, spec->n_access_modes);
	const struct field_path *at = FIELD_KEY(FIELD(path, "resources"), "storage");
	const ResourceQuantity *size =
		spec->resources ? quantity_map_get(spec->resources->requests, spec->resources->n_requests, "storage")
				: NULL;
	struct quantity q = quantity_of(size);
	if (!size)
		field_required(errors, at, "");
	else if (quantity_sign(&q) <= 0)
		field_invalid(errors, at, quantity_format(errors->arena, &q), "must be greater than zero");
	if (!str_empty(spec->storage_class_name))
		validate_text(errors, FIELD(path, "storageClassName"), spec->storage_class_name,
			check_dns_subdomain(errors->arena, spec->storage_class_name));
	if (spec->volume_mode && !str_in(spec->volume_mode, volume_modes))
		field_unsupported(errors, FIELD(path, "volumeMode"), spec->volume_mode, volume_modes);
}

/* A claim is bound by setting its volume, and may grow; nothing else of it changes. */
void validate_claim_update(
	struct field_errors *errors, const CoreV1PersistentVolumeClaim *claim, const CoreV1PersistentVolumeClaim *old)
{
	if (!claim->spec || !old->spec)
		return;
	validate_claim(errors, claim);
	CoreV1PersistentVolumeClaimSpec *munged = api_copy_msg(errors->arena, claim->spec);
	bool bound = old->status && str_eq(old->status->phase, "Bound");
	if (str_empty(old->spec->volume_name))
		munged->volume_name = old->spec->volume_name;
	if (!old->spec->storage_class_name)
		munged->storage_class_name = NULL;
	if (bound)
		munged->resources = old->spec->resources;
	munged->volume_attributes_class_name = old->spec->volume_attributes_class_name;
	if (!api_equal(munged, old->spec))
		field_forbidden(errors, FIELD(NULL, "spec"),
			"spec is immutable after creation except resources.requests and volumeAttributesClassName for "
			"bound claims");
}

static char *quantities_json(struct arena *arena, MapQuantityEntry *const *entries, size_t n)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	if (!n)
		return arena_strdup(arena, "null");
	for (size_t i = 0; i < n; i++) {
		struct quantity q = quantity_of(entries[i]->value);
		strbuf_printf(&out, "%s\"%s\":\"%s\"", i ? "," : "{", entries[i]->key, quantity_format(arena, &q));
	}
	strbuf_addc(&out, '}');
	return arena_strdup(arena, out.buf);
}

static void check_volume_sources(
	struct field_errors *errors, const struct field_path *path, const CoreV1PersistentVolumeSource *s)
{
	int n = 0;
	const struct schema_type *type = &CoreV1PersistentVolumeSource_schema;
	for (size_t i = 0; s && i < type->n_fields; i++) {
		if (!*(void *const *)((const char *)s + type->fields[i].offset))
			continue;
		if (n++)
			field_forbidden(errors, FIELD(path, type->fields[i].json_name),
				"may not specify more than 1 volume type");
	}
	if (s && s->host_path && str_empty(s->host_path->path))
		field_required(errors, FIELD(FIELD(path, "hostPath"), "path"), "");
	if (s && s->local && str_empty(s->local->path))
		field_required(errors, FIELD(FIELD(path, "local"), "path"), "");
	if (s && s->csi && str_empty(s->csi->driver))
		field_required(errors, FIELD(FIELD(path, "csi"), "driver"), "");
	if (s && s->csi && str_empty(s->csi->volume_handle))
		field_required(errors, FIELD(FIELD(path, "csi"), "volumeHandle"), "");
	if (!n)
		field_required(errors, path, "must specify a volume type");
}

void validate_volume(struct field_errors *errors, const CoreV1PersistentVolume *volume)
{
	static const char *const policies[] = {"Delete", "Recycle", "Retain", NULL};
	static const char *const storage[] = {"storage", NULL};
	const CoreV1PersistentVolumeSpec *spec = volume->spec;
	const struct field_path *path = FIELD(NULL, "spec");
	if (!spec->n_access_modes)
		field_required(errors, FIELD(path, "accessModes"), "");
	check_access_modes(errors, FIELD(path, "accessModes"), spec->access_modes, spec->n_access_modes);
	if (!spec->n_capacity)
		field_required(errors, FIELD(path, "capacity"), "");
	if (spec->n_capacity != 1 || !quantity_map_get(spec->capacity, 1, "storage"))
		field_unsupported_json(errors, FIELD(path, "capacity"),
			quantities_json(errors->arena, spec->capacity, spec->n_capacity), storage);
	if (!str_empty(spec->persistent_volume_reclaim_policy) &&
		!str_in(spec->persistent_volume_reclaim_policy, policies))
		field_unsupported(errors, FIELD(path, "persistentVolumeReclaimPolicy"),
			spec->persistent_volume_reclaim_policy, policies);
	if (spec->node_affinity && spec->node_affinity->required)
		validate_node_selector(
			errors, FIELD(FIELD(path, "nodeAffinity"), "required"), spec->node_affinity->required);
	check_volume_sources(errors, path, spec->persistent_volume_source);
	if (!str_empty(spec->storage_class_name))
		validate_text(errors, FIELD(path, "storageClassName"), spec->storage_class_name,
			check_dns_subdomain(errors->arena, spec->storage_class_name));
	if (spec->volume_mode && !str_in(spec->volume_mode, volume_modes))
		field_unsupported(errors, FIELD(path, "volumeMode"), spec->volume_mode, volume_modes);
}
