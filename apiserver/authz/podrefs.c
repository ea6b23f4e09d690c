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

/* The claim that was made of a template is told in the status. */
static void visit_resource_claims(const struct visitor *v, const CoreV1Pod *pod)
{
	const CoreV1PodStatus *status = pod->status;
	for (size_t i = 0; i < pod->spec->n_resource_claims; i++) {
		const CoreV1PodResourceClaim *claim = pod->spec->resource_claims[i];
		if (claim->resource_claim_name) {
			say(v, POD_REF_RESOURCE_CLAIM, claim->resource_claim_name);
			continue;
		}
		for (size_t k = 0; status && k < status->n_resource_claim_statuses; k++)
			if (str_eq(status->resource_claim_statuses[k]->name, claim->name)) {
				say(v, POD_REF_RESOURCE_CLAIM, status->resource_claim_statuses[k]->resource_claim_name);
				break;
			}
	}
	if (status && status->extended_resource_claim_status)
		say(v, POD_REF_RESOURCE_CLAIM, status->extended_resource_claim_status->resource_claim_name);
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
	visit_resource_claims(&v, pod);
}

struct search {
	enum pod_ref kind;
	bool found;
};

static void note(void *data, enum pod_ref kind, const char *name)
{
	struct search *search = data;
	search->found |= kind == search->kind;
}

bool pod_refs_has(const CoreV1Pod *pod, enum pod_ref kind)
{
	struct search search = {.kind = kind};
	pod_refs_visit(pod, note, &search);
	return search.found;
}

static const char *first_of_projected(struct arena *arena, const CoreV1Volume *volume,
	const CoreV1ProjectedVolumeSource *projected, const char **ret_unknown)
{
	for (size_t i = 0; i < projected->n_sources; i++) {
		const CoreV1VolumeProjection *s = projected->sources[i];
		if (s->config_map)
			return "configmaps (via projected volumes)";
		if (s->secret)
			return "secrets (via projected volumes)";
		if (s->service_account_token)
			return "serviceaccounts (via projected volumes)";
		if (s->cluster_trust_bundle)
			return "clustertrustbundles";
		if (s->pod_certificate)
			return "podcertificates";
		if (s->downward_api)
			continue;
		*ret_unknown = arena_printf(arena, "unknown source for projected volume \"%s\"", volume->name);
		return "";
	}
	return NULL;
}

static const char *first_of_volume(struct arena *arena, const CoreV1Volume *volume, const char **ret_unknown)
{
	const CoreV1VolumeSource *s = volume->volume_source;
	if (s &&
		(s->aws_elastic_block_store || s->azure_disk || s->cephfs || s->cinder || s->downward_api ||
			s->empty_dir || s->fc || s->flex_volume || s->flocker || s->gce_persistent_disk ||
			s->git_repo || s->host_path || s->image || s->iscsi || s->nfs || s->photon_persistent_disk ||
			s->portworx_volume || s->quobyte || s->rbd || s->scale_io || s->storageos || s->vsphere_volume))
		return NULL;
	if (s && s->config_map)
		return "configmaps (via configmap volumes)";
	if (s && s->secret)
		return "secrets (via secret volumes)";
	if (s && s->csi)
		return "csidrivers (via CSI volumes)";
	if (s && s->glusterfs)
		return "endpoints (via glusterFS volumes)";
	if (s && s->persistent_volume_claim)
		return "persistentvolumeclaims";
	if (s && s->ephemeral)
		return "persistentvolumeclaims (via ephemeral volumes)";
	if (s && s->azure_file)
		return "secrets (via azureFile volumes)";
	if (s && s->projected)
		return first_of_projected(arena, volume, s->projected, ret_unknown);
	*ret_unknown = arena_printf(arena, "unknown volume type for volume  \"%s\"", volume->name);
	return "";
}

const char *pod_refs_first(struct arena *arena, const CoreV1Pod *pod, const char **ret_unknown)
{
	*ret_unknown = NULL;
	if (!pod->spec)
		return NULL;
	if (!str_empty(pod->spec->service_account_name))
		return "serviceaccounts";
	if (pod_refs_has(pod, POD_REF_SECRET))
		return "secrets";
	if (pod_refs_has(pod, POD_REF_CONFIG_MAP))
		return "configmaps";
	if (pod->spec->n_resource_claims)
		return "resourceclaims";
	const char *found = NULL;
	for (size_t i = 0; !found && i < pod->spec->n_volumes; i++)
		found = first_of_volume(arena, pod->spec->volumes[i], ret_unknown);
	return found;
}

void volume_secrets_visit(const CoreV1PersistentVolume *volume,
	void (*each)(void *data, const char *namespace, const char *name), void *data)
{
	const CoreV1PersistentVolumeSource *s = volume->spec ? volume->spec->persistent_volume_source : NULL;
	const CoreV1ObjectReference *claim = volume->spec ? volume->spec->claim_ref : NULL;
	const char *own = claim ? str_or_empty(claim->namespace) : "";
	if (!s)
		return;
	/* In the namespace of the claim, where these say none. */
	const CoreV1SecretReference *near[] = {s->cephfs ? s->cephfs->secret_ref : NULL,
		s->flex_volume ? s->flex_volume->secret_ref : NULL, s->rbd ? s->rbd->secret_ref : NULL,
		s->scale_io ? s->scale_io->secret_ref : NULL, s->iscsi ? s->iscsi->secret_ref : NULL};
	for (size_t i = 0; i < ARRAY_SIZE(near); i++)
		if (near[i] && !str_empty(near[i]->name))
			each(data, str_or(near[i]->namespace, own), near[i]->name);
	const CoreV1SecretReference *exact[] = {s->cinder ? s->cinder->secret_ref : NULL,
		s->csi ? s->csi->node_publish_secret_ref : NULL, s->csi ? s->csi->node_stage_secret_ref : NULL,
		s->csi ? s->csi->node_expand_secret_ref : NULL};
	for (size_t i = 0; i < ARRAY_SIZE(exact); i++)
		if (exact[i] && !str_empty(exact[i]->name))
			each(data, str_or_empty(exact[i]->namespace), exact[i]->name);
	if (s->azure_file && !str_empty(s->azure_file->secret_name))
		each(data, str_or(s->azure_file->secret_namespace, own), s->azure_file->secret_name);
	if (s->storageos && s->storageos->secret_ref && !str_empty(s->storageos->secret_ref->name))
		each(data, str_or_empty(s->storageos->secret_ref->namespace), s->storageos->secret_ref->name);
}
