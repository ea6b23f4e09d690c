#include "base/str.h"
#include "kubelet/volume/files.h"
#include "kubelet/volume/plugins.h"

static bool handles(const CoreV1VolumeSource *source)
{
	return source->config_map != NULL;
}

static struct status *mount(const struct volume_mount *m)
{
	const CoreV1ConfigMapVolumeSource *s = m->source->config_map;
	struct atomic_files files = {0};
	TRY(volume_files_config_map(m, s->local_object_reference ? s->local_object_reference->name : "", s->items,
		s->n_items, s->has_default_mode ? s->default_mode : 0, s->has_optional && s->optional, &files));
	TRY(volume_files_dir(m, false));
	return volume_files_write(m, &files);
}

const struct volume_plugin volume_config_map = {
	.name = "kubernetes.io/configmap", .handles = handles, .mount = mount, .read_only = true};
