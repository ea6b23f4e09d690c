#include "kubelet/pod/pod.h"

#include "api/copy.h"
#include "api/meta.h"
#include "api/protobuf.h"
#include "base/mem.h"
#include "base/str.h"

#define SYSTEM_CRITICAL_PRIORITY 2000000000

static const char *annotation_of(const CoreV1Pod *api, const char *key)
{
	if (!api->metadata)
		return NULL;
	for (size_t i = 0; i < api->metadata->n_annotations; i++)
		if (str_eq(api->metadata->annotations[i]->key, key))
			return api->metadata->annotations[i]->value;
	return NULL;
}

/* The two messages have the same fields under the same numbers, so the wire form of one is that of the other. */
static CoreV1Container *container_of_ephemeral(struct arena *arena, const CoreV1EphemeralContainer *ephemeral)
{
	CoreV1Container *c = NULL;
	CLEANUP(strbuf_done) struct strbuf packed = STRBUF_INIT;
	if (ephemeral->ephemeral_container_common)
		protobuf_pack(&packed, ephemeral->ephemeral_container_common);
	struct status *s = protobuf_unpack(arena, &CoreV1Container_schema, packed.buf, packed.len, &c);
	if (s) {
		status_drop(s, "what was just packed is well formed");
		return API_NEW(arena, CoreV1Container);
	}
	return c;
}

struct pod *pod_new(const CoreV1Pod *api)
{
	struct arena *arena = arena_new_sized(8192);
	struct pod *pod = ARENA_NEW(arena, struct pod);
	CoreV1Pod *copy = api_copy_msg(arena, api);
	if (!copy->metadata)
		copy->metadata = API_NEW(arena, MetaV1ObjectMeta);
	if (!copy->spec)
		copy->spec = API_NEW(arena, CoreV1PodSpec);
	if (!copy->status)
		copy->status = API_NEW(arena, CoreV1PodStatus);
	const char *source = annotation_of(copy, POD_ANNOTATION_SOURCE);
	if (!source)
		map_set(arena, &copy->metadata->annotations, &copy->metadata->n_annotations, POD_ANNOTATION_SOURCE,
			"api");
	atomic_init(&pod->refs, 1);
	pod->arena = arena;
	pod->api = copy;
	pod->uid = copy->metadata->uid;
	pod->name = copy->metadata->name;
	pod->namespace = copy->metadata->namespace;
	pod->full_name = arena_printf(arena, "%s_%s", pod->name, pod->namespace);
	pod->ref = arena_printf(arena, "%s/%s", pod->namespace, pod->name);
	pod->host_network = copy->spec->host_network;
	pod->is_mirror = annotation_of(copy, POD_ANNOTATION_MIRROR) != NULL;
	pod->is_static = source && !str_eq(source, "api") && !pod->is_mirror;
	pod->n_ephemeral = copy->spec->n_ephemeral_containers;
	pod->ephemeral = ARENA_ARRAY(arena, CoreV1Container *, pod->n_ephemeral + 1);
	for (size_t i = 0; i < pod->n_ephemeral; i++)
		pod->ephemeral[i] = container_of_ephemeral(arena, copy->spec->ephemeral_containers[i]);
	return pod;
}

struct pod *pod_ref(const struct pod *pod)
{
	struct pod *p = (struct pod *)pod;
	if (p)
		atomic_fetch_add(&p->refs, 1);
	return p;
}

void pod_unref(struct pod *pod)
{
	if (pod && atomic_fetch_sub(&pod->refs, 1) == 1)
		arena_free(pod->arena);
}

bool pod_deleting(const struct pod *pod)
{
	return pod->api->metadata->deletion_timestamp != NULL;
}

bool pod_phase_terminal(const char *phase)
{
	return str_eq(phase, "Succeeded") || str_eq(phase, "Failed");
}

bool pod_terminal(const struct pod *pod)
{
	return pod_phase_terminal(pod->api->status->phase);
}

bool pod_critical(const struct pod *pod)
{
	const CoreV1PodSpec *spec = pod_spec(pod);
	return pod->is_static || pod->is_mirror || (spec->has_priority && spec->priority >= SYSTEM_CRITICAL_PRIORITY);
}

const char *pod_annotation(const struct pod *pod, const char *key)
{
	return annotation_of(pod->api, key);
}

char *pod_format(struct arena *arena, const struct pod *pod)
{
	return arena_printf(arena, "%s_%s(%s)", pod->name, pod->namespace, pod->uid);
}

const CoreV1Container *pod_container(const struct pod *pod, const char *name)
{
	const CoreV1PodSpec *spec = pod_spec(pod);
	for (size_t i = 0; i < spec->n_containers; i++)
		if (str_eq(spec->containers[i]->name, name))
			return spec->containers[i];
	for (size_t i = 0; i < spec->n_init_containers; i++)
		if (str_eq(spec->init_containers[i]->name, name))
			return spec->init_containers[i];
	for (size_t i = 0; i < pod->n_ephemeral; i++)
		if (str_eq(pod->ephemeral[i]->name, name))
			return pod->ephemeral[i];
	return NULL;
}

bool pod_has_init_container(const struct pod *pod, const char *name)
{
	const CoreV1PodSpec *spec = pod_spec(pod);
	for (size_t i = 0; i < spec->n_init_containers; i++)
		if (str_eq(spec->init_containers[i]->name, name))
			return true;
	return false;
}

bool container_restartable_init(const CoreV1Container *c)
{
	return c->restart_policy && str_eq(c->restart_policy, "Always");
}

char *pod_container_field_path(struct arena *arena, const struct pod *pod, const char *name)
{
	const CoreV1PodSpec *spec = pod_spec(pod);
	for (size_t i = 0; i < spec->n_containers; i++)
		if (str_eq(spec->containers[i]->name, name))
			return arena_printf(arena, "spec.containers{%s}", name);
	for (size_t i = 0; i < spec->n_init_containers; i++)
		if (str_eq(spec->init_containers[i]->name, name))
			return arena_printf(arena, "spec.initContainers{%s}", name);
	for (size_t i = 0; i < pod->n_ephemeral; i++)
		if (str_eq(pod->ephemeral[i]->name, name))
			return arena_printf(arena, "spec.ephemeralContainers{%s}", name);
	return arena_strdup(arena, "");
}

bool pod_restarts_on_failure(const struct pod *pod)
{
	return !str_eq(pod_spec(pod)->restart_policy, "Never");
}

bool container_privileged(const CoreV1Container *c)
{
	return c->security_context && c->security_context->has_privileged && c->security_context->privileged;
}

bool pod_has_privileged(const struct pod *pod)
{
	const CoreV1PodSpec *spec = pod_spec(pod);
	for (size_t i = 0; i < spec->n_containers; i++)
		if (container_privileged(spec->containers[i]))
			return true;
	for (size_t i = 0; i < spec->n_init_containers; i++)
		if (container_privileged(spec->init_containers[i]))
			return true;
	for (size_t i = 0; i < pod->n_ephemeral; i++)
		if (container_privileged(pod->ephemeral[i]))
			return true;
	return false;
}
