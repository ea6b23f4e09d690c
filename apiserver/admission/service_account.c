#include <time.h>
#include "api/meta.h"
#include "apiserver/admission/plugins.h"
#include "apiserver/authz/podrefs.h"
#include "apiserver/validation/field.h"
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
		return admission_forbidden(a, "error looking up service account %s/%s: serviceaccount %s not found",
			a->namespace, name, field_quote(a->arena, name));
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

static struct status *check_mirror(const struct admission_attributes *a, const CoreV1Pod *pod)
{
	if (!str_empty(pod->spec->service_account_name))
		return admission_forbidden(a, "a mirror pod may not reference service accounts");
	if (pod_refs_has(pod, POD_REF_SECRET))
		return admission_forbidden(a, "a mirror pod may not reference secrets");
	for (size_t i = 0; i < pod->spec->n_volumes; i++) {
		const CoreV1VolumeSource *s = pod->spec->volumes[i]->volume_source;
		for (size_t k = 0; s && s->projected && k < s->projected->n_sources; k++)
			if (s->projected->sources[k]->service_account_token)
				return admission_forbidden(
					a, "a mirror pod may not use ServiceAccountToken volume projections");
	}
	return NULL;
}

/* --- accounts whose pods may use only the secrets that they name --- */

static bool limits_secrets(const CoreV1ServiceAccount *account)
{
	bool yes = false;
	return str_to_bool(meta_annotation(account->metadata, "kubernetes.io/enforce-mountable-secrets"), &yes) && yes;
}

static bool names_secret(const CoreV1ServiceAccount *account, const char *name)
{
	for (size_t i = 0; i < account->n_secrets; i++)
		if (str_eq(account->secrets[i]->name, str_or_empty(name)))
			return true;
	return false;
}

/* Some containers of a pod, of one sort. */
struct users {
	const struct admission_attributes *a;
	const CoreV1ServiceAccount *account;
	const char *noun;
	bool plain; /* what is refused is told as it is, not as forbidden */
};

static struct status *refuse(const struct users *u, const char *what, const char *name)
{
	const char *why = arena_printf(u->a->arena,
		"%s %s referencing secret.secretName=\"%s\" is not allowed because service account %s does not "
		"reference "
		"that secret",
		u->noun, what, name, object_name(u->account));
	return u->plain ? status_with_code(status_new(STATUS_UNKNOWN, "%s", why), 500)
			: admission_forbidden(u->a, "%s", why);
}

static struct status *check_user(const struct users *u, const char *container, CoreV1EnvVar *const *env, size_t n_env,
	CoreV1EnvFromSource *const *from, size_t n_from)
{
	struct arena *arena = u->a->arena;
	for (size_t i = 0; i < n_env; i++) {
		const CoreV1SecretKeySelector *key = env[i]->value_from ? env[i]->value_from->secret_key_ref : NULL;
		const char *name = key && key->local_object_reference ? key->local_object_reference->name : "";
		if (key && !names_secret(u->account, name))
			return refuse(u, arena_printf(arena, "%s with envVar %s", container, env[i]->name), name);
	}
	for (size_t i = 0; i < n_from; i++) {
		const CoreV1SecretEnvSource *source = from[i]->secret_ref;
		const char *name = source && source->local_object_reference ? source->local_object_reference->name : "";
		if (source && !names_secret(u->account, name))
			return refuse(u, arena_printf(arena, "%s with envFrom", container), name);
	}
	return NULL;
}

static struct status *check_users(const struct users *u, CoreV1Container *const *containers, size_t n)
{
	for (size_t i = 0; i < n; i++)
		TRY(check_user(u, containers[i]->name, containers[i]->env, containers[i]->n_env,
			containers[i]->env_from, containers[i]->n_env_from));
	return NULL;
}

static bool names_pull_secret(const CoreV1ServiceAccount *account, const char *name)
{
	for (size_t i = 0; i < account->n_image_pull_secrets; i++)
		if (str_eq(account->image_pull_secrets[i]->name, name))
			return true;
	return false;
}

static struct status *check_secrets(
	const struct admission_attributes *a, const CoreV1ServiceAccount *account, const CoreV1PodSpec *spec)
{
	for (size_t i = 0; i < spec->n_volumes; i++) {
		const CoreV1VolumeSource *s = spec->volumes[i]->volume_source;
		if (s && s->secret && !names_secret(account, s->secret->secret_name))
			return admission_forbidden(a,
				"volume with secret.secretName=\"%s\" is not allowed because service account %s does "
				"not reference that secret",
				str_or_empty(s->secret->secret_name), object_name(account));
	}
	struct users users = {a, account, "init container", false};
	TRY(check_users(&users, spec->init_containers, spec->n_init_containers));
	users.noun = "container";
	TRY(check_users(&users, spec->containers, spec->n_containers));
	for (size_t i = 0; i < spec->n_image_pull_secrets; i++)
		if (!names_pull_secret(account, spec->image_pull_secrets[i]->name))
			return admission_forbidden(a,
				"imagePullSecrets[%zu].name=\"%s\" is not allowed because service account %s does not "
				"reference that imagePullSecret",
				i, spec->image_pull_secrets[i]->name, object_name(account));
	return NULL;
}

static struct status *check_ephemeral(
	const struct admission_attributes *a, const CoreV1ServiceAccount *account, const CoreV1PodSpec *spec)
{
	const struct users users = {a, account, "ephemeral container", true};
	for (size_t i = 0; i < spec->n_ephemeral_containers; i++) {
		const CoreV1EphemeralContainerCommon *c = spec->ephemeral_containers[i]->ephemeral_container_common;
		if (c)
			TRY(check_user(&users, c->name, c->env, c->n_env, c->env_from, c->n_env_from));
	}
	return NULL;
}

/* Of a debugging container that is added the account is asked again. */
static struct status *judge_ephemeral(const struct admission_context *context, const struct admission_attributes *a)
{
	const CoreV1Pod *pod = (const CoreV1Pod *)a->object;
	const CoreV1ServiceAccount *account = NULL;
	if (!pod->spec || str_empty(pod->spec->service_account_name))
		return admission_forbidden(
			a, "no service account specified for pod %s/%s", a->namespace, object_name(pod));
	TRY(find_account(context, a, pod->spec->service_account_name, &account));
	return limits_secrets(account) ? check_ephemeral(a, account, pod->spec) : NULL;
}

static struct status *mutate(const struct admission_context *context, const struct admission_attributes *a)
{
	if (!is_pod_create(a))
		return NULL;
	CoreV1Pod *pod = (CoreV1Pod *)a->object;
	if (!pod->spec)
		return NULL;
	if (meta_annotation(pod->metadata, MIRROR))
		return check_mirror(a, pod);
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
	return limits_secrets(account) ? check_secrets(a, account, spec) : NULL;
}

static struct status *validate(const struct admission_context *context, const struct admission_attributes *a)
{
	if (a->operation == ADMISSION_UPDATE && admission_is(a, "", "pods", "ephemeralcontainers") &&
		API_IS(a->object, CoreV1Pod))
		return judge_ephemeral(context, a);
	if (!is_pod_create(a) || !((const CoreV1Pod *)a->object)->spec)
		return NULL;
	const CoreV1Pod *pod = (const CoreV1Pod *)a->object;
	return meta_annotation(pod->metadata, MIRROR) ? check_mirror(a, pod) : NULL;
}

const struct admission_plugin service_account_plugin = {
	.name = "ServiceAccount",
	.on_by_default = true,
	.operations = ON_CREATE | ON_UPDATE,
	.mutate = mutate,
	.validate = validate,
};
