#include "kubelet/volume/files.h"
#include "kubelet/volume/plugins.h"

static bool handles(const CoreV1VolumeSource *source)
{
	return source->secret != NULL;
}

static struct status *mount(const struct volume_mount *m)
{
	const CoreV1SecretVolumeSource *s = m->source->secret;
	struct atomic_files files = {0};
	TRY(volume_files_secret(m, s->secret_name, s->items, s->n_items, s->has_default_mode ? s->default_mode : 0,
		s->has_optional && s->optional, &files));
	TRY(volume_files_dir(m, true));
	return volume_files_write(m, &files);
}

const struct volume_plugin volume_secret = {
	.name = "kubernetes.io/secret", .handles = handles, .mount = mount, .read_only = true};
