#include "kubelet/volume/files.h"
#include "kubelet/volume/plugins.h"

static bool handles(const CoreV1VolumeSource *source)
{
	return source->downward_api != NULL;
}

static struct status *mount(const struct volume_mount *m)
{
	const CoreV1DownwardAPIVolumeSource *s = m->source->downward_api;
	struct atomic_files files = {0};
	TRY(volume_files_downward(m, s->items, s->n_items, s->has_default_mode ? s->default_mode : 0, &files));
	TRY(volume_files_dir(m, true));
	return volume_files_write(m, &files);
}

const struct volume_plugin volume_downward_api = {
	.name = "kubernetes.io/downward-api", .handles = handles, .mount = mount, .read_only = true};
