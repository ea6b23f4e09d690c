#include "apiserver/authz/podrefs.h"
#include "api/meta.h"
#include "base/mem.h"
#include "base/str.h"

struct visitor {
	void (*each)(void *data, enum pod_ref kind, const char *name);
	void *data;
};

static void say(const struct visitor *v, enum pod_ref kind, const char *name)
{
	if (!str_empty(name))
		v->each(v->data, kind, name);
}

static void say_local(const struct visitor *v, enum pod_ref kind, const CoreV1LocalObjectReference *ref)
{
	if (ref)
		say(v, kind, ref->name);
}

static void visit_env(const struct visitor *v, CoreV1EnvFromSource *const *from, size_t n_from,
	CoreV1EnvVar *const *env, size_t n_env)
{
	for (size_t i = 0; i < n_from; i++) {
		if (from[i]->config_map_ref)
			say_local(v, POD_REF_CONFIG_MAP, from[i]->config_map_ref->local_object_reference);
		if (from[i]->secret_ref)
			say_local(v, POD_REF_SECRET, from[i]->secret_ref->local_object_reference);
	}
	for (size_t i = 0; i < n_env; i++) {
		const CoreV1EnvVarSource *source = env[i]->value_from;
		if (source && source->config_map_key_ref)
			say_local(v, POD_REF_CONFIG_MAP, source->config_map_key_ref->local_object_reference);
		if (source && source->secret_key_ref)
			say_local(v, POD_REF_SECRET, source->secret_key_ref->local_object_reference);
	}
}

static void visit_projected(const struct visitor *v, const CoreV1ProjectedVolumeSource *projected)
{
	for (size_t i = 0; i < projected->n_sources; i++) {
		const CoreV1VolumeProjection *source = projected->sources[i];
		if (source->secret)
			say_local(v, POD_REF_SECRET, source->secret->local_object_reference);
		if (source->config_map)
			say_local(v, POD_REF_CONFIG_MAP, source->config_map->local_object_reference);
	}
}

static void visit_volume(const struct visitor *v, const CoreV1Pod *pod, const CoreV1Volume *volume)
{
	const CoreV1VolumeSource *s = volume->volume_source;
	if (!s)
		return;
	if (s->secret)
		say(v, POD_REF_SECRET, s->secret->secret_name);
	if (s->config_map)
		say_local(v, POD_REF_CONFIG_MAP, s->config_map->local_object_reference);
	if (s->projected)
		visit_projected(v, s->projected);
	if (s->persistent_volume_claim)
		say(v, POD_REF_CLAIM, s->persistent_volume_claim->claim_name);
	if (s->ephemeral) {
		CLEANUP_FREE char *claim = mem_printf("%s-%s", object_name(pod), volume->name);
		say(v, POD_REF_CLAIM, claim);
	}
	if (s->csi)
		say_local(v, POD_REF_SECRET, s->csi->node_publish_secret_ref);
	if (s->azure_file)
		say(v, POD_REF_SECRET, s->azure_file->secret_name);
	if (s->cephfs)
		say_local(v, POD_REF_SECRET, s->cephfs->secret_ref);
	if (s->cinder)
		say_local(v, POD_REF_SECRET, s->cinder->secret_ref);
	if (s->flex_volume)
		say_local(v, POD_REF_SECRET, s->flex_volume->secret_ref);
	if (s->rbd)
		say_local(v, POD_REF_SECRET, s->rbd->secret_ref);
	if (s->scale_io)
		say_local(v, POD_REF_SECRET, s->scale_io->secret_ref);
	if (s->iscsi)
		say_local(v, POD_REF_SECRET, s->iscsi->secret_ref);
	if (s->storageos)
		say_local(v, POD_REF_SECRET, s->storageos->secret_ref);
}

void pod_refs_visit(const CoreV1Pod *pod, void (*each)(void *data, enum pod_ref kind, const char *name), void *data)
{
	const struct visitor v = {each, data};
	const CoreV1PodSpec *spec = pod->spec;
	if (!spec)
		return;
	say(&v, POD_REF_SERVICE_ACCOUNT, spec->service_account_name);
	for (size_t i = 0; i < spec->n_image_pull_secrets; i++)
		say_local(&v, POD_REF_SECRET, spec->image_pull_secrets[i]);
	for (size_t i = 0; i < spec->n_init_containers; i++)
		visit_env(&v, spec->init_containers[i]->env_from, spec->init_containers[i]->n_env_from,
			spec->init_containers[i]->env, spec->init_containers[i]->n_env);
	for (size_t i = 0; i < spec->n_containers; i++)
		visit_env(&v, spec->containers[i]->env_from, spec->containers[i]->n_env_from, spec->containers[i]->env,
			spec->containers[i]->n_env);
	for (size_t i = 0; i < spec->n_ephemeral_containers; i++) {
		const CoreV1EphemeralContainerCommon *c = spec->ephemeral_containers[i]->ephemeral_container_common;
		if (c)
			visit_env(&v, c->env_from, c->n_env_from, c->env, c->n_env);
	}
	for (size_t i = 0; i < spec->n_volumes; i++)
		visit_volume(&v, pod, spec->volumes[i]);
}
