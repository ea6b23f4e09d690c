#include "base/str.h"
#include "kubelet/objects.h"
#include "kubelet/volume/files.h"
#include "kubelet/volume/plugins.h"

#define DEFAULT_TOKEN_SECONDS 3600

static bool handles(const CoreV1VolumeSource *source)
{
	return source->projected != NULL;
}

static const char *reference(const CoreV1LocalObjectReference *ref)
{
	return ref ? ref->name : "";
}

/* The user that all containers run as, if there is one: the token is theirs alone. */
static bool common_user(const struct pod *pod, uid_t *ret)
{
	const CoreV1PodSpec *spec = pod_spec(pod);
	const CoreV1PodSecurityContext *p = spec->security_context;
	bool found = false;
	for (size_t i = 0; i < spec->n_containers + spec->n_init_containers; i++) {
		const CoreV1Container *c =
			i < spec->n_containers ? spec->containers[i] : spec->init_containers[i - spec->n_containers];
		int64_t user;
		if (c->security_context && c->security_context->has_run_as_user)
			user = c->security_context->run_as_user;
		else if (p && p->has_run_as_user)
			user = p->run_as_user;
		else
			return false;
		if (found && *ret != (uid_t)user)
			return false;
		*ret = (uid_t)user;
		found = true;
	}
	return found;
}

static struct status *add_token(const struct volume_mount *m, const CoreV1ServiceAccountTokenProjection *t, mode_t mode,
	struct atomic_files *files)
{
	char *token;
	int64_t seconds = t->has_expiration_seconds ? t->expiration_seconds : DEFAULT_TOKEN_SECONDS;
	TRY(objects_token(m->k->objects, m->arena, m->pod, t->audience, seconds, &token));
	struct atomic_file file = {.path = t->path, .data = token, .size = strlen(token), .mode = mode};
	file.has_uid = common_user(m->pod, &file.uid);
	if (file.has_uid || m->has_fs_group)
		file.mode = 0600;
	atomic_files_add(m->arena, files, file);
	return NULL;
}

static struct status *add_source(
	const struct volume_mount *m, const CoreV1VolumeProjection *p, int32_t mode, struct atomic_files *files)
{
	if (p->config_map)
		return volume_files_config_map(m, reference(p->config_map->local_object_reference),
			p->config_map->items, p->config_map->n_items, mode,
			p->config_map->has_optional && p->config_map->optional, files);
	if (p->secret)
		return volume_files_secret(m, reference(p->secret->local_object_reference), p->secret->items,
			p->secret->n_items, mode, p->secret->has_optional && p->secret->optional, files);
	if (p->downward_api)
		return volume_files_downward(m, p->downward_api->items, p->downward_api->n_items, mode, files);
	if (p->service_account_token)
		return add_token(m, p->service_account_token, (mode_t)mode, files);
	return status_bad_request("projected volume source is not supported");
}

static struct status *mount(const struct volume_mount *m)
{
	const CoreV1ProjectedVolumeSource *s = m->source->projected;
	struct atomic_files files = {0};
	int32_t mode = s->has_default_mode ? s->default_mode : VOLUME_DEFAULT_MODE;
	for (size_t i = 0; i < s->n_sources; i++)
		TRY(add_source(m, s->sources[i], mode, &files));
	TRY(volume_files_dir(m, true));
	return volume_files_write(m, &files);
}

const struct volume_plugin volume_projected = {
	.name = "kubernetes.io/projected", .handles = handles, .mount = mount, .read_only = true};
