#include "api/defaults/table.h"
#include "api/image_reference.h"

static bool is_empty(const CoreV1VolumeSource *source)
{
	const struct schema_type *type = schema_of(source);
	for (size_t i = 0; i < type->n_fields; i++)
		if (*(void *const *)((const char *)source + type->fields[i].offset))
			return false;
	return true;
}

static void set_volume(struct arena *arena, void *msg)
{
	CoreV1Volume *volume = msg;
	DEFAULT_MESSAGE(arena, volume, volume_source, CoreV1VolumeSource);
	if (is_empty(volume->volume_source))
		volume->volume_source->empty_dir = API_NEW(arena, CoreV1EmptyDirVolumeSource);
}

static void set_host_path(struct arena *arena, void *msg)
{
	CoreV1HostPathVolumeSource *source = msg;
	DEFAULT_OPTIONAL_STRING(source, type, "");
}

static void set_secret(struct arena *arena, void *msg)
{
	CoreV1SecretVolumeSource *source = msg;
	DEFAULT_SCALAR(source, default_mode, 0644);
}

static void set_config_map(struct arena *arena, void *msg)
{
	CoreV1ConfigMapVolumeSource *source = msg;
	DEFAULT_SCALAR(source, default_mode, 0644);
}

static void set_downward_api(struct arena *arena, void *msg)
{
	CoreV1DownwardAPIVolumeSource *source = msg;
	DEFAULT_SCALAR(source, default_mode, 0644);
}

static void set_projected(struct arena *arena, void *msg)
{
	CoreV1ProjectedVolumeSource *source = msg;
	DEFAULT_SCALAR(source, default_mode, 0644);
}

static void set_token_projection(struct arena *arena, void *msg)
{
	CoreV1ServiceAccountTokenProjection *projection = msg;
	DEFAULT_SCALAR(projection, expiration_seconds, 3600);
}

static void set_iscsi(struct arena *arena, void *msg)
{
	CoreV1ISCSIVolumeSource *source = msg;
	DEFAULT_STRING(source, iscsi_interface, "default");
}

static void set_iscsi_persistent(struct arena *arena, void *msg)
{
	CoreV1ISCSIPersistentVolumeSource *source = msg;
	DEFAULT_STRING(source, iscsi_interface, "default");
}

static void set_rbd(struct arena *arena, void *msg)
{
	CoreV1RBDVolumeSource *source = msg;
	DEFAULT_STRING(source, pool, "rbd");
	DEFAULT_STRING(source, user, "admin");
	DEFAULT_STRING(source, keyring, "/etc/ceph/keyring");
}

static void set_rbd_persistent(struct arena *arena, void *msg)
{
	CoreV1RBDPersistentVolumeSource *source = msg;
	DEFAULT_STRING(source, pool, "rbd");
	DEFAULT_STRING(source, user, "admin");
	DEFAULT_STRING(source, keyring, "/etc/ceph/keyring");
}

static void set_azure_disk(struct arena *arena, void *msg)
{
	CoreV1AzureDiskVolumeSource *source = msg;
	DEFAULT_OPTIONAL_STRING(source, caching_mode, "ReadWrite");
	DEFAULT_OPTIONAL_STRING(source, fs_type, "ext4");
	DEFAULT_SCALAR(source, read_only, false);
	DEFAULT_OPTIONAL_STRING(source, kind, "Shared");
}

static void set_scale_io(struct arena *arena, void *msg)
{
	CoreV1ScaleIOVolumeSource *source = msg;
	DEFAULT_STRING(source, storage_mode, "ThinProvisioned");
	DEFAULT_STRING(source, fs_type, "xfs");
}

static void set_scale_io_persistent(struct arena *arena, void *msg)
{
	CoreV1ScaleIOPersistentVolumeSource *source = msg;
	DEFAULT_STRING(source, storage_mode, "ThinProvisioned");
	DEFAULT_STRING(source, fs_type, "xfs");
}

static void set_persistent_volume(struct arena *arena, void *msg)
{
	CoreV1PersistentVolume *volume = msg;
	DEFAULT_MESSAGE(arena, volume, spec, CoreV1PersistentVolumeSpec);
	DEFAULT_MESSAGE(arena, volume, status, CoreV1PersistentVolumeStatus);
	DEFAULT_STRING(volume->status, phase, "Pending");
	DEFAULT_STRING(volume->spec, persistent_volume_reclaim_policy, "Retain");
	DEFAULT_OPTIONAL_STRING(volume->spec, volume_mode, "Filesystem");
}

static void set_claim(struct arena *arena, void *msg)
{
	CoreV1PersistentVolumeClaim *claim = msg;
	DEFAULT_MESSAGE(arena, claim, spec, CoreV1PersistentVolumeClaimSpec);
	DEFAULT_MESSAGE(arena, claim, status, CoreV1PersistentVolumeClaimStatus);
	DEFAULT_STRING(claim->status, phase, "Pending");
}

static void set_claim_template(struct arena *arena, void *msg)
{
	CoreV1PersistentVolumeClaimTemplate *template = msg;
	DEFAULT_MESSAGE(arena, template, spec, CoreV1PersistentVolumeClaimSpec);
}

static void set_claim_spec(struct arena *arena, void *msg)
{
	CoreV1PersistentVolumeClaimSpec *spec = msg;
	DEFAULT_OPTIONAL_STRING(spec, volume_mode, "Filesystem");
}

const struct defaulter defaults_volume[] = {
	{&CoreV1Volume_schema, set_volume},
	{&CoreV1HostPathVolumeSource_schema, set_host_path},
	{&CoreV1SecretVolumeSource_schema, set_secret},
	{&CoreV1ConfigMapVolumeSource_schema, set_config_map},
	{&CoreV1DownwardAPIVolumeSource_schema, set_downward_api},
	{&CoreV1ProjectedVolumeSource_schema, set_projected},
	{&CoreV1ServiceAccountTokenProjection_schema, set_token_projection},
	{&CoreV1ISCSIVolumeSource_schema, set_iscsi},
	{&CoreV1ISCSIPersistentVolumeSource_schema, set_iscsi_persistent},
	{&CoreV1RBDVolumeSource_schema, set_rbd},
	{&CoreV1RBDPersistentVolumeSource_schema, set_rbd_persistent},
	{&CoreV1AzureDiskVolumeSource_schema, set_azure_disk},
	{&CoreV1ScaleIOVolumeSource_schema, set_scale_io},
	{&CoreV1ScaleIOPersistentVolumeSource_schema, set_scale_io_persistent},
	{&CoreV1PersistentVolume_schema, set_persistent_volume},
	{&CoreV1PersistentVolumeClaim_schema, set_claim},
	{&CoreV1PersistentVolumeClaimTemplate_schema, set_claim_template},
	{&CoreV1PersistentVolumeClaimSpec_schema, set_claim_spec},
	{NULL, NULL},
};
