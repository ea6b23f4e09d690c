#include "api/defaults/defaults.h"
#include "api/meta.h"
#include "api/yaml.h"
#include "base/encode.h"
#include "base/str.h"
#include "kubelet/config/config.h"
#include "pki/pki.h"

#define UID_BYTES 16

/* What a static pod may not refer to: it has no identity to read objects of the apiserver with. */
static const char *volume_reference(const CoreV1VolumeSource *s)
{
	if (!s)
		return NULL;
	if (s->config_map)
		return "configmaps";
	if (s->secret)
		return "secrets";
	if (s->persistent_volume_claim)
		return "persistentvolumeclaims";
	for (size_t i = 0; s->projected && i < s->projected->n_sources; i++) {
		const CoreV1VolumeProjection *p = s->projected->sources[i];
		if (p->config_map)
			return "configmaps";
		if (p->secret)
			return "secrets";
		if (p->service_account_token)
			return "serviceaccounts";
		if (p->cluster_trust_bundle)
			return "clustertrustbundles";
	}
	return NULL;
}

static const char *container_reference(const CoreV1Container *c)
{
	for (size_t i = 0; i < c->n_env_from; i++)
		if (c->env_from[i]->config_map_ref || c->env_from[i]->secret_ref)
			return c->env_from[i]->config_map_ref ? "configmaps" : "secrets";
	for (size_t i = 0; i < c->n_env; i++) {
		const CoreV1EnvVarSource *from = c->env[i]->value_from;
		if (from && (from->config_map_key_ref || from->secret_key_ref))
			return from->config_map_key_ref ? "configmaps" : "secrets";
	}
	return NULL;
}

static const char *api_reference(const CoreV1PodSpec *spec)
{
	if (!str_empty(spec->service_account_name))
		return "serviceaccounts";
	if (spec->n_resource_claims)
		return "resourceclaims";
	const char *found = NULL;
	for (size_t i = 0; i < spec->n_volumes && !found; i++)
		found = volume_reference(spec->volumes[i]->volume_source);
	for (size_t i = 0; i < spec->n_containers && !found; i++)
		found = container_reference(spec->containers[i]);
	for (size_t i = 0; i < spec->n_init_containers && !found; i++)
		found = container_reference(spec->init_containers[i]);
	return found;
}

/* The same file on the same node gives the same uid; another content another. */
static char *uid_of(struct arena *arena, const CoreV1Pod *pod, const char *node_name, const char *path)
{
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
	json_encode(&text, pod, 0);
	strbuf_printf(&text, "host:%sfile:%s", node_name, path);
	uint8_t digest[32];
	pki_sha256(text.buf, text.len, digest);
	return hex_encode(arena, digest, UID_BYTES);
}

static struct status *check(const CoreV1Pod *pod)
{
	if (str_empty(pod->metadata->name))
		return status_bad_request("invalid pod: name is needed for the pod");
	if (!pod->spec->n_containers)
		return status_bad_request("invalid pod: spec.containers: Required value");
	for (size_t i = 0; i < pod->spec->n_containers; i++)
		if (str_empty(pod->spec->containers[i]->name) || str_empty(pod->spec->containers[i]->image))
			return status_bad_request("invalid pod: spec.containers[%zu]: name and image are required", i);
	const char *reference = api_reference(pod->spec);
	if (reference)
		return status_bad_request("static pods may not reference %s", reference);
	return NULL;
}

static void tolerate_no_execute(struct arena *arena, CoreV1PodSpec *spec)
{
	CoreV1Toleration *t = API_NEW(arena, CoreV1Toleration);
	t->operator= arena_strdup(arena, "Exists");
	t->effect = arena_strdup(arena, "NoExecute");
	ARENA_PUSH(arena, spec->tolerations, spec->n_tolerations) = t;
}

struct status *manifest_parse(
	struct arena *arena, const char *path, const char *text, size_t size, const char *node_name, CoreV1Pod **ret)
{
	CoreV1Pod *pod;
	TRY(yaml_decode(arena, NULL, text, size, NULL, &pod));
	if (!API_IS(pod, CoreV1Pod))
		return status_bad_request("invalid pod: the manifest is a %s", object_kind(pod));
	if (!pod->metadata)
		pod->metadata = API_NEW(arena, MetaV1ObjectMeta);
	if (!pod->spec)
		pod->spec = API_NEW(arena, CoreV1PodSpec);
	TRY(check(pod));
	MetaV1ObjectMeta *meta = pod->metadata;
	if (str_empty(meta->uid))
		meta->uid = uid_of(arena, pod, node_name, path);
	meta->name = arena_printf(arena, "%s-%s", meta->name, str_lower(arena, node_name));
	if (str_empty(meta->namespace))
		meta->namespace = arena_strdup(arena, "default");
	pod->spec->node_name = arena_strdup(arena, node_name);
	meta_set_annotation(arena, meta, POD_ANNOTATION_HASH, meta->uid);
	meta_set_annotation(arena, meta, POD_ANNOTATION_SOURCE, "file");
	tolerate_no_execute(arena, pod->spec);
	api_set_defaults(arena, &pod->base);
	pod->status = API_NEW(arena, CoreV1PodStatus);
	pod->status->phase = arena_strdup(arena, "Pending");
	*ret = pod;
	return NULL;
}
