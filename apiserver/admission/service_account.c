#include <time.h>
#include "api/meta.h"
#include "apiserver/admission/plugins.h"
#include "apiserver/authz/podrefs.h"
#include "base/encode.h"
#include "base/str.h"

#define MOUNT_PATH "/var/run/secrets/kubernetes.io/serviceaccount"
#define VOLUME_PREFIX "kube-api-access-"
#define MIRROR "kubernetes.io/config.mirror"

enum { DEFAULT_TRIES = 10, TRY_MS = 25, TOKEN_SECONDS = 3607, MODE = 0644, SUFFIX = 5 };

/* The account of the pod. The default one of a new namespace may still be on its way. */
static struct status *find_account(const struct admission_context *context, const struct admission_attributes *a,
	const char *name, const CoreV1ServiceAccount **ret_account)
{
	const ProtobufCMessage *object = NULL;
	const char *wrong = admission_bad_name(a, name);
	if (wrong)
		return admission_forbidden(a, "error looking up service account %s/%s: %s", a->namespace, name, wrong);
	struct status *s =
		objects_get(context->objects, a->arena, &CoreV1ServiceAccount_schema, a->namespace, name, &object);
	int tries = str_eq(name, "default") ? DEFAULT_TRIES : 1;
	for (int i = 0; i < tries && status_is(s, STATUS_NOT_FOUND); i++) {
		status_drop(s, "asked again at the source");
		if (i)
			nanosleep(&(struct timespec){.tv_nsec = TRY_MS * 1000000L}, NULL);
		s = objects_get_live(
			context->objects, a->arena, &CoreV1ServiceAccount_schema, a->namespace, name, &object);
	}
	if (status_is(s, STATUS_NOT_FOUND)) {
		status_drop(s, "told with the pod's name");
		return admission_forbidden(a, "error looking up service account %s/%s: serviceaccount \"%s\" not found",
			a->namespace, name, name);
	}
	if (s)
		return s;
	*ret_account = (const CoreV1ServiceAccount *)object;
	return NULL;
}

static bool has_token_mount(const CoreV1Container *c)
{
	for (size_t i = 0; i < c->n_volume_mounts; i++)
		if (str_eq(c->volume_mounts[i]->mount_path, MOUNT_PATH))
			return true;
	return false;
}

/* Whether any of them needed the mount. */
static bool add_mounts(struct arena *arena, CoreV1Container **containers, size_t n, const char *volume)
{
	bool any = false;
	for (size_t i = 0; i < n; i++) {
		if (has_token_mount(containers[i]))
			continue;
		CoreV1VolumeMount *mount = API_NEW(arena, CoreV1VolumeMount);
		mount->name = (char *)volume;
		mount->read_only = true;
		mount->mount_path = (char *)MOUNT_PATH;
		ARENA_PUSH(arena, containers[i]->volume_mounts, containers[i]->n_volume_mounts) = mount;
		any = true;
	}
	return any;
}

static CoreV1VolumeProjection *token_projection(struct arena *arena)
{
	CoreV1VolumeProjection *p = API_NEW(arena, CoreV1VolumeProjection);
	p->service_account_token = API_NEW(arena, CoreV1ServiceAccountTokenProjection);
	p->service_account_token->has_expiration_seconds = true;
	p->service_account_token->expiration_seconds = TOKEN_SECONDS;
	p->service_account_token->path = (char *)"token";
	return p;
}

static CoreV1VolumeProjection *ca_projection(struct arena *arena)
{
	CoreV1VolumeProjection *p = API_NEW(arena, CoreV1VolumeProjection);
	CoreV1KeyToPath *item = API_NEW(arena, CoreV1KeyToPath);
	item->key = item->path = (char *)"ca.crt";
	p->config_map = API_NEW(arena, CoreV1ConfigMapProjection);
	p->config_map->local_object_reference = API_NEW(arena, CoreV1LocalObjectReference);
	p->config_map->local_object_reference->name = (char *)"kube-root-ca.crt";
	ARENA_PUSH(arena, p->config_map->items, p->config_map->n_items) = item;
	return p;
}

static CoreV1VolumeProjection *namespace_projection(struct arena *arena)
{
	CoreV1VolumeProjection *p = API_NEW(arena, CoreV1VolumeProjection);
	CoreV1DownwardAPIVolumeFile *file = API_NEW(arena, CoreV1DownwardAPIVolumeFile);
	file->path = (char *)"namespace";
	file->field_ref = API_NEW(arena, CoreV1ObjectFieldSelector);
	file->field_ref->api_version = (char *)"v1";
	file->field_ref->field_path = (char *)"metadata.namespace";
	p->downward_api = API_NEW(arena, CoreV1DownwardAPIProjection);
	ARENA_PUSH(arena, p->downward_api->items, p->downward_api->n_items) = file;
	return p;
}

static void add_volume(struct arena *arena, CoreV1PodSpec *spec, const char *name)
{
	CoreV1Volume *volume = API_NEW(arena, CoreV1Volume);
	CoreV1ProjectedVolumeSource *projected = API_NEW(arena, CoreV1ProjectedVolumeSource);
	projected->has_default_mode = true;
	projected->default_mode = MODE;
	ARENA_PUSH(arena, projected->sources, projected->n_sources) = token_projection(arena);
	ARENA_PUSH(arena, projected->sources, projected->n_sources) = ca_projection(arena);
	ARENA_PUSH(arena, projected->sources, projected->n_sources) = namespace_projection(arena);
	volume->name = (char *)name;
	volume->volume_source = API_NEW(arena, CoreV1VolumeSource);
	volume->volume_source->projected = projected;
	ARENA_PUSH(arena, spec->volumes, spec->n_volumes) = volume;
}

/* A volume of ours that came with the pod (one that was read back and made anew) is used again. */
static const char *volume_name(struct arena *arena, const CoreV1PodSpec *spec, bool *ret_exists)
{
	*ret_exists = true;
	for (size_t i = 0; i < spec->n_volumes; i++)
		if (str_starts_with(spec->volumes[i]->name, VOLUME_PREFIX) && spec->volumes[i]->volume_source &&
			spec->volumes[i]->volume_source->projected)
			return spec->volumes[i]->name;
	*ret_exists = false;
	char suffix[SUFFIX + 1];
	random_name_suffix(suffix, SUFFIX);
	return arena_printf(arena, VOLUME_PREFIX "%s", suffix);
}

static bool wants_token(const CoreV1PodSpec *spec, const CoreV1ServiceAccount *account)
{
	if (spec->has_automount_service_account_token)
		return spec->automount_service_account_token;
	return !account->has_automount_service_account_token || account->automount_service_account_token;
}

static bool is_pod_create(const struct admission_attributes *a)
{
	return a->operation == ADMISSION_CREATE && admission_is(a, "", "pods", "") && API_IS(a->object, CoreV1Pod);
}

static struct status *mutate(const struct admission_context *context, const struct admission_attributes *a)
{
	if (!is_pod_create(a))
		return NULL;
	CoreV1Pod *pod = (CoreV1Pod *)a->object;
	if (!pod->spec || meta_annotation(pod->metadata, MIRROR))
		return NULL;
	CoreV1PodSpec *spec = pod->spec;
	if (str_empty(spec->service_account_name))
		spec->service_account_name = (char *)"default";
	spec->service_account = spec->service_account_name;
	const CoreV1ServiceAccount *account = NULL;
	TRY(find_account(context, a, spec->service_account_name, &account));
	if (wants_token(spec, account)) {
		bool exists;
		const char *volume = volume_name(a->arena, spec, &exists);
		bool any = add_mounts(a->arena, spec->init_containers, spec->n_init_containers, volume);
		any |= add_mounts(a->arena, spec->containers, spec->n_containers, volume);
		if (any && !exists)
			add_volume(a->arena, spec, volume);
	}
	if (!spec->n_image_pull_secrets && account->n_image_pull_secrets) {
		spec->image_pull_secrets = arena_dup(a->arena, account->image_pull_secrets,
			account->n_image_pull_secrets * sizeof(*spec->image_pull_secrets));
		spec->n_image_pull_secrets = account->n_image_pull_secrets;
	}
	return NULL;
}

static void note_ref(void *data, enum pod_ref kind, const char *name)
{
	static const char *const words[] = {[POD_REF_SECRET] = "secrets",
		[POD_REF_CONFIG_MAP] = "configmaps",
		[POD_REF_CLAIM] = "persistentvolumeclaims",
		[POD_REF_SERVICE_ACCOUNT] = "service accounts"};
	const char **found = data;
	if (!*found && kind != POD_REF_CONFIG_MAP)
		*found = words[kind];
}

static struct status *validate(const struct admission_context *context, const struct admission_attributes *a)
{
	if (!is_pod_create(a) || !meta_annotation(object_meta(a->object), MIRROR))
		return NULL;
	const char *found = NULL;
	pod_refs_visit((const CoreV1Pod *)a->object, note_ref, &found);
	return found ? admission_forbidden(a, "a mirror pod may not reference %s", found) : NULL;
}

const struct admission_plugin service_account_plugin = {
	.name = "ServiceAccount",
	.on_by_default = true,
	.mutate = mutate,
	.validate = validate,
};
