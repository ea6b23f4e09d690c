#include "api/copy.h"
#include "api/meta.h"
#include "api/quantity.h"
#include "apiserver/validation/meta.h"
#include "apiserver/validation/other.h"
#include "apiserver/validation/pod/pod.h"
#include "apiserver/validation/storage/storage_kinds.h"
#include "base/nameset.h"
#include "base/str.h"

enum {
	MAX_DRIVER_NAME = 63,
	MAX_NODE_ID = 256,
	MIN_TOKEN_S = 600,
	MIN_UPDATE_PERIOD_S = 10,
	MAX_METADATA_BYTES = 256 * 1024,
	MAX_ERROR_BYTES = 1024
};
#define IMMUTABLE "field is immutable"

void validate_csi_driver_name(struct field_errors *errors, const struct field_path *path, const char *name)
{
	const char *text = str_or_empty(name);
	if (!*text)
		field_required(errors, path, "");
	if (strlen(text) > MAX_DRIVER_NAME)
		field_too_long(errors, path, MAX_DRIVER_NAME);
	validate_text(errors, path, text, check_dns_subdomain(errors->arena, str_lower(errors->arena, text)));
}

/* CSIDriver */

static void check_tokens(struct field_errors *errors, const struct field_path *path, const StorageV1CSIDriverSpec *spec)
{
	struct nameset seen = {.arena = errors->arena};
	for (size_t i = 0; i < spec->n_token_requests; i++) {
		const StorageV1TokenRequest *t = spec->token_requests[i];
		const struct field_path *at = FIELD_INDEX(path, i);
		bool again = !nameset_add(&seen, t->audience);
		if (again)
			field_duplicate(errors, FIELD(at, "audience"), t->audience);
		if (again || !t->has_expiration_seconds)
			continue;
		if (t->expiration_seconds < MIN_TOKEN_S)
			field_invalid_int(errors, FIELD(at, "expirationSeconds"), t->expiration_seconds,
				"may not specify a duration less than 10 minutes");
		if (t->expiration_seconds > (int64_t)1 << 32)
			field_invalid_int(errors, FIELD(at, "expirationSeconds"), t->expiration_seconds,
				"may not specify a duration larger than 2^32 seconds");
	}
}

void validate_csi_driver(struct field_errors *errors, const StorageV1CSIDriver *driver)
{
	static const char *const policies[] = {"File", "None", "ReadWriteOnceWithFSType", NULL};
	static const char *const modes[] = {"Persistent", "Ephemeral", NULL};
	const StorageV1CSIDriverSpec *spec = driver->spec;
	const struct field_path *path = FIELD(NULL, "spec");
	if (spec->fs_group_policy && !str_in(spec->fs_group_policy, policies))
		field_unsupported(errors, FIELD(path, "fsGroupPolicy"), spec->fs_group_policy, policies);
	check_tokens(errors, FIELD(path, "tokenRequests"), spec);
	for (size_t i = 0; i < spec->n_volume_lifecycle_modes; i++)
		if (!str_in(spec->volume_lifecycle_modes[i], modes))
			field_unsupported(
				errors, FIELD(path, "volumeLifecycleModes"), spec->volume_lifecycle_modes[i], modes);
	if (spec->has_node_allocatable_update_period_seconds &&
		spec->node_allocatable_update_period_seconds < MIN_UPDATE_PERIOD_S)
		field_invalid_int(errors, FIELD(path, "nodeAllocatableUpdatePeriodSeconds"),
			spec->node_allocatable_update_period_seconds, "must be greater than or equal to 10 seconds");
}

void validate_csi_driver_update(
	struct field_errors *errors, const StorageV1CSIDriver *driver, const StorageV1CSIDriver *old)
{
	const struct field_path *path = FIELD(NULL, "spec");
	const StorageV1CSIDriverSpec *now = driver->spec, *was = old->spec;
	validate_csi_driver(errors, driver);
	if (!was)
		return;
	/* The field is spelled so by the original. */
	if (now->attach_required != was->attach_required)
		field_invalid_bool(errors, FIELD(path, "attachedRequired"), now->attach_required, IMMUTABLE);
	bool same = now->n_volume_lifecycle_modes == was->n_volume_lifecycle_modes;
	for (size_t i = 0; same && i < now->n_volume_lifecycle_modes; i++)
		same = str_eq(now->volume_lifecycle_modes[i], was->volume_lifecycle_modes[i]);
	if (!same)
		field_invalid_json(errors, FIELD(path, "volumeLifecycleModes"),
			strings_json(errors->arena, now->volume_lifecycle_modes, now->n_volume_lifecycle_modes),
			IMMUTABLE);
}

/* CSINode */

static void check_driver(struct field_errors *errors, const struct field_path *path, const StorageV1CSINodeDriver *d,
	struct nameset *names)
{
	const char *id = str_or_empty(d->node_id);
	validate_csi_driver_name(errors, FIELD(path, "name"), d->name);
	if (!*id)
		field_required(errors, FIELD(path, "nodeID"), "");
	if (strlen(id) > MAX_NODE_ID)
		field_invalid(errors, FIELD(path, "nodeID"), id,
			arena_printf(errors->arena, "must be %d characters or less", MAX_NODE_ID));
	if (d->allocatable && d->allocatable->has_count)
		validate_not_negative(errors, FIELD(FIELD(path, "allocatable"), "count"), d->allocatable->count);
	if (!nameset_add(names, d->name))
		field_duplicate(errors, FIELD(path, "name"), d->name);
	struct nameset seen = {.arena = errors->arena};
	for (size_t i = 0; i < d->n_topology_keys; i++) {
		if (str_empty(d->topology_keys[i]))
			field_required(errors, path, "");
		if (!nameset_add(&seen, d->topology_keys[i]))
			field_duplicate(errors, path, d->topology_keys[i]);
		validate_text(errors, path, d->topology_keys[i],
			check_qualified_name(errors->arena, str_or_empty(d->topology_keys[i])));
	}
}

void validate_csi_node(struct field_errors *errors, const StorageV1CSINode *node)
{
	const struct field_path *path = FIELD(FIELD(NULL, "spec"), "drivers");
	struct nameset names = {.arena = errors->arena};
	for (size_t i = 0; node->spec && i < node->spec->n_drivers; i++)
		check_driver(errors, FIELD_INDEX(path, i), node->spec->drivers[i], &names);
}

/* A driver that stays stays as it is. */
void validate_csi_node_update(struct field_errors *errors, const StorageV1CSINode *node, const StorageV1CSINode *old)
{
	const size_t n = node->spec ? node->spec->n_drivers : 0;
	const char **names = ARENA_ARRAY(errors->arena, const char *, n + 1);
	struct nameset by_name = {.arena = errors->arena};
	for (size_t k = 0; k < n; k++)
		names[k] = node->spec->drivers[k]->name;
	const size_t *next = nameset_chain(&by_name, names, n);
	for (size_t i = 0; old->spec && i < old->spec->n_drivers; i++) {
		const StorageV1CSINodeDriver *was = old->spec->drivers[i];
		for (size_t k = nameset_find(&by_name, was->name); k < n; k = next[k])
			if (!api_equal(was, node->spec->drivers[k]))
				field_invalid_internal(errors, FIELD(FIELD(NULL, "spec"), "drivers"),
					node->spec->drivers[k], IMMUTABLE);
	}
}

/* CSIStorageCapacity */

void validate_csi_capacity(struct field_errors *errors, const StorageV1CSIStorageCapacity *c)
{
	struct quantity q = quantity_of(c->capacity);
	const char *class = str_or_empty(c->storage_class_name);
	validate_label_selector(errors, FIELD(NULL, "nodeTopology"), c->node_topology);
	validate_text(errors, FIELD(NULL, "storageClassName"), class, check_dns_subdomain(errors->arena, class));
	if (c->capacity && quantity_sign(&q) < 0)
		field_invalid(errors, FIELD(NULL, "capacity"), quantity_format(errors->arena, &q),
			"must be greater than or equal to 0");
}

void validate_csi_capacity_update(
	struct field_errors *errors, const StorageV1CSIStorageCapacity *c, const StorageV1CSIStorageCapacity *old)
{
	if (!api_equal(c->node_topology, old->node_topology))
		field_invalid_message(errors, FIELD(NULL, "nodeTopology"), c->node_topology, IMMUTABLE);
	if (!str_eq(c->storage_class_name, old->storage_class_name))
		field_invalid(errors, FIELD(NULL, "storageClassName"), c->storage_class_name, IMMUTABLE);
}

/* VolumeAttachment */

static void check_source(
	struct field_errors *errors, const struct field_path *path, const StorageV1VolumeAttachmentSource *source)
{
	static const char one[] = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
	bool named = source && source->persistent_volume_name, inlined = source && source->inline_volume_spec;
	if (named == inlined && !named)
		field_required(errors, path, one);
	else if (named && inlined)
		field_forbidden(errors, path, one);
	else if (named && !*source->persistent_volume_name)
		field_required(
			errors, FIELD(path, "persistentVolumeName"), "must specify non empty persistentVolumeName");
	else if (inlined)
		validate_inline_volume(errors, FIELD(path, "inlineVolumeSpec"), source->inline_volume_spec);
}

static void check_volume_error(
	struct field_errors *errors, const struct field_path *path, const StorageV1VolumeError *e)
{
	if (!e)
		return;
	if (strlen(str_or_empty(e->message)) > MAX_ERROR_BYTES)
		field_too_long(errors, FIELD(path, "message"), MAX_METADATA_BYTES);
	if (e->has_error_code && e->error_code < 0)
		field_invalid_int(
			errors, FIELD(path, "errorCode"), e->error_code, "must be between 0 and 2147483647, inclusive");
}

static void check_attachment(struct field_errors *errors, const StorageV1VolumeAttachment *a)
{
	const struct field_path *path = FIELD(NULL, "spec"), *status = FIELD(NULL, "status");
	const char *node = str_or_empty(a->spec->node_name);
	size_t total = 0;
	if (str_empty(a->spec->attacher))
		field_required(errors, FIELD(path, "attacher"), "");
	check_source(errors, FIELD(path, "source"), a->spec->source);
	validate_text(errors, FIELD(path, "nodeName"), node, check_dns_subdomain(errors->arena, node));
	if (!a->status)
		return;
	for (size_t i = 0; i < a->status->n_attachment_metadata; i++)
		total += strlen(a->status->attachment_metadata[i]->key) +
			 strlen(str_or_empty(a->status->attachment_metadata[i]->value));
	if (total > MAX_METADATA_BYTES)
		field_too_long(errors, FIELD(status, "attachmentMetadata"), MAX_METADATA_BYTES);
	check_volume_error(errors, FIELD(status, "attachError"), a->status->attach_error);
	check_volume_error(errors, FIELD(status, "detachError"), a->status->detach_error);
}

void validate_attachment(struct field_errors *errors, const StorageV1VolumeAttachment *a)
{
	const StorageV1VolumeAttachmentSource *source = a->spec->source;
	check_attachment(errors, a);
	validate_csi_driver_name(errors, FIELD(NULL, "spec.attacher"), a->spec->attacher);
	if (source && source->persistent_volume_name)
		validate_text(errors, FIELD(NULL, "spec.source.persistentVolumeName"), source->persistent_volume_name,
			check_dns_subdomain(errors->arena, source->persistent_volume_name));
}

void validate_attachment_update(
	struct field_errors *errors, const StorageV1VolumeAttachment *a, const StorageV1VolumeAttachment *old)
{
	/* Twice, as the original says it; of a new one more is asked. */
	check_attachment(errors, a);
	check_attachment(errors, a);
	if (!api_equal(a->spec, old->spec))
		field_invalid_internal(errors, FIELD(NULL, "spec"), a->spec, IMMUTABLE);
}
