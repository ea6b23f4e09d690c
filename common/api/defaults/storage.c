#include "api/defaults/table.h"

static void set_storage_class(struct arena *arena, void *msg)
{
	StorageV1StorageClass *class = msg;
	DEFAULT_OPTIONAL_STRING(class, reclaim_policy, "Delete");
	DEFAULT_OPTIONAL_STRING(class, volume_binding_mode, "Immediate");
}

static void set_csi_driver(struct arena *arena, void *msg)
{
	StorageV1CSIDriver *driver = msg;
	DEFAULT_MESSAGE(arena, driver, spec, StorageV1CSIDriverSpec);
	StorageV1CSIDriverSpec *spec = driver->spec;
	DEFAULT_SCALAR(spec, attach_required, true);
	DEFAULT_SCALAR(spec, pod_info_on_mount, false);
	DEFAULT_SCALAR(spec, storage_capacity, false);
	DEFAULT_OPTIONAL_STRING(spec, fs_group_policy, "ReadWriteOnceWithFSType");
	if (!spec->n_volume_lifecycle_modes)
		ARENA_PUSH(arena, spec->volume_lifecycle_modes, spec->n_volume_lifecycle_modes) = (char *)"Persistent";
	DEFAULT_SCALAR(spec, requires_republish, false);
	DEFAULT_SCALAR(spec, se_linux_mount, false);
}

const struct defaulter defaults_storage[] = {
	{&StorageV1StorageClass_schema, set_storage_class},
	{&StorageV1CSIDriver_schema, set_csi_driver},
	{NULL, NULL},
};
