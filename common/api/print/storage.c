/* Rows of volumes, claims and storage classes. */
#include "api/print/internal.h"

#define BETA_CLASS "volume.beta.kubernetes.io/storage-class"

static void cell_access_modes(struct printer *p, char *const *modes, size_t n)
{
	static const char *const names[][2] = {{"ReadWriteOnce", "RWO"}, {"ReadOnlyMany", "ROX"},
		{"ReadWriteMany", "RWX"}, {"ReadWriteOncePod", "RWOP"}};
	char **shorts = NULL;
	size_t n_shorts = 0;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (str_in_n(names[i][0], modes, n))
			ARENA_PUSH(p->arena, shorts, n_shorts) = (char *)(uintptr_t)names[i][1];
	cell_text(p, join(p, shorts, n_shorts, ","));
}

static const char *capacity(MapQuantityEntry *const *entries, size_t n)
{
	const ResourceQuantity *q = quantity_map_get(entries, n, "storage");

	return q ? str_or(q->string, "0") : "0";
}

static const char *phase_of(const MetaV1ObjectMeta *meta, const char *phase)
{
	return meta_is_deleting(meta) ? "Terminating" : phase;
}

static void print_claim(struct printer *p, const void *msg)
{
	const CoreV1PersistentVolumeClaim *c = msg;
	const CoreV1PersistentVolumeClaimSpec *spec = c->spec ? c->spec : CoreV1PersistentVolumeClaimSpec_schema.zero;
	const CoreV1PersistentVolumeClaimStatus *status =
		c->status ? c->status : CoreV1PersistentVolumeClaimStatus_schema.zero;
	bool bound = !str_empty(spec->volume_name);
	const char *class = meta_annotation(c->metadata, BETA_CLASS);

	cell_name(p, msg);
	cell_text(p, phase_of(c->metadata, status->phase));
	cell_text(p, spec->volume_name);
	cell_text(p, bound ? capacity(status->capacity, status->n_capacity) : "");
	cell_access_modes(p, status->access_modes, bound ? status->n_access_modes : 0);
	cell_text(p, class ? class : spec->storage_class_name);
	cell_text(p, spec->volume_attributes_class_name ? spec->volume_attributes_class_name : "<unset>");
	cell_age(p, msg);
	cell_text(p, spec->volume_mode ? spec->volume_mode : "<unset>");
}

static void print_volume(struct printer *p, const void *msg)
{
	const CoreV1PersistentVolume *v = msg;
	const CoreV1PersistentVolumeSpec *spec = v->spec ? v->spec : CoreV1PersistentVolumeSpec_schema.zero;
	const CoreV1ObjectReference *claim = spec->claim_ref;
	const char *class = meta_annotation(v->metadata, BETA_CLASS);

	cell_name(p, msg);
	cell_text(p, capacity(spec->capacity, spec->n_capacity));
	cell_access_modes(p, spec->access_modes, spec->n_access_modes);
	cell_text(p, spec->persistent_volume_reclaim_policy);
	cell_text(p, phase_of(v->metadata, v->status ? v->status->phase : ""));
	if (claim)
		cell_printf(p, "%s/%s", str_or_empty(claim->namespace), str_or_empty(claim->name));
	else
		cell_text(p, "");
	cell_text(p, class ? class : spec->storage_class_name);
	cell_text(p, spec->volume_attributes_class_name ? spec->volume_attributes_class_name : "<unset>");
	cell_text(p, v->status ? v->status->reason : "");
	cell_age(p, msg);
	cell_text(p, spec->volume_mode ? spec->volume_mode : "<unset>");
}

static void print_storage_class(struct printer *p, const void *msg)
{
	const StorageV1StorageClass *class = msg;
	const char *mark = meta_annotation(class->metadata, "storageclass.kubernetes.io/is-default-class");
	const char *beta = meta_annotation(class->metadata, "storageclass.beta.kubernetes.io/is-default-class");

	cell_printf(p, "%s%s", object_name(msg), str_eq(mark, "true") || str_eq(beta, "true") ? " (default)" : "");
	cell_text(p, class->provisioner);
	cell_text(p, class->reclaim_policy ? class->reclaim_policy : "Delete");
	cell_text(p, class->volume_binding_mode ? class->volume_binding_mode : "Immediate");
	cell_bool(p, class->has_allow_volume_expansion && class->allow_volume_expansion);
	cell_age(p, msg);
}

static void print_csi_driver(struct printer *p, const void *msg)
{
	const StorageV1CSIDriver *driver = msg;
	const StorageV1CSIDriverSpec *spec = driver->spec ? driver->spec : StorageV1CSIDriverSpec_schema.zero;
	char **audiences = NULL;
	size_t n = 0;

	for (size_t i = 0; i < spec->n_token_requests; i++)
		ARENA_PUSH(p->arena, audiences, n) = spec->token_requests[i]->audience;
	cell_name(p, msg);
	cell_bool(p, !spec->has_attach_required || spec->attach_required);
	cell_bool(p, spec->has_pod_info_on_mount && spec->pod_info_on_mount);
	cell_bool(p, spec->has_storage_capacity && spec->storage_capacity);
	cell_text(p, spec->token_requests ? join(p, audiences, n, ",") : "<unset>");
	cell_bool(p, spec->has_requires_republish && spec->requires_republish);
	cell_or_none(p, join(p, spec->volume_lifecycle_modes, spec->n_volume_lifecycle_modes, ","));
	cell_age(p, msg);
}

static void print_csi_node(struct printer *p, const void *msg)
{
	const StorageV1CSINodeSpec *spec = ((const StorageV1CSINode *)msg)->spec;

	cell_name(p, msg);
	cell_number(p, spec ? (int64_t)spec->n_drivers : 0);
	cell_age(p, msg);
}

static void print_volume_attachment(struct printer *p, const void *msg)
{
	const StorageV1VolumeAttachment *a = msg;
	const StorageV1VolumeAttachmentSpec *spec = a->spec ? a->spec : StorageV1VolumeAttachmentSpec_schema.zero;

	cell_name(p, msg);
	cell_text(p, spec->attacher);
	cell_text(p, spec->source ? spec->source->persistent_volume_name : "");
	cell_text(p, spec->node_name);
	cell_bool(p, a->status && a->status->attached);
	cell_age(p, msg);
}

static void print_attributes_class(struct printer *p, const void *msg)
{
	cell_name(p, msg);
	cell_text(p, ((const StorageV1VolumeAttributesClass *)msg)->driver_name);
	cell_age(p, msg);
}

const struct kind_printer print_storage_kinds[] = {
	{&CoreV1PersistentVolumeClaim_schema, print_claim},
	{&CoreV1PersistentVolume_schema, print_volume},
	{&StorageV1StorageClass_schema, print_storage_class},
	{&StorageV1CSIDriver_schema, print_csi_driver},
	{&StorageV1CSINode_schema, print_csi_node},
	{&StorageV1VolumeAttachment_schema, print_volume_attachment},
	{&StorageV1VolumeAttributesClass_schema, print_attributes_class},
	{0},
};
