/*
 * Fields of pods that the release has but does not enable: they are dropped when an object is written, unless it has
 * them already.
 */
#include "api/meta.h"
#include "apiserver/strategy/pod_parts.h"
#include "apiserver/validation/pod/pod.h"
#include "base/nameset.h"
#include "base/str.h"

enum feature {
	TRUST_BUNDLES = 1 << 0,
	POD_CERTIFICATES = 1 << 1,
	IMAGE_VOLUMES = 1 << 2,
	STOP_SIGNALS = 1 << 3,
	FILE_KEYS = 1 << 4,
	RESTART_RULES = 1 << 5,
	HOSTNAME_OVERRIDE = 1 << 6,
};

static bool is_sidecar(const CoreV1Container *c)
{
	return str_eq(c->restart_policy, "Always");
}

static unsigned in_volumes(CoreV1PodSpec *spec, unsigned drop)
{
	unsigned found = 0;
	for (size_t i = 0; i < spec->n_volumes; i++) {
		CoreV1VolumeSource *s = spec->volumes[i]->volume_source;
		found |= s && s->image ? IMAGE_VOLUMES : 0;
		for (size_t k = 0; s && s->projected && k < s->projected->n_sources; k++) {
			CoreV1VolumeProjection *p = s->projected->sources[k];
			found |= (p->cluster_trust_bundle ? TRUST_BUNDLES : 0) |
				 (p->pod_certificate ? POD_CERTIFICATES : 0);
			if (drop & TRUST_BUNDLES)
				p->cluster_trust_bundle = NULL;
			if (drop & POD_CERTIFICATES)
				p->pod_certificate = NULL;
		}
	}
	return found;
}

static void drop_stop_signal(CoreV1Container *c)
{
	if (!c->lifecycle || !c->lifecycle->stop_signal)
		return;
	c->lifecycle->stop_signal = NULL;
	if (!c->lifecycle->post_start && !c->lifecycle->pre_stop)
		c->lifecycle = NULL;
}

static unsigned in_container(CoreV1Container *c, bool init, unsigned drop)
{
	unsigned found = 0;
	bool rules = c->n_restart_policy_rules || (c->restart_policy && !(init && is_sidecar(c)));
	found |= rules ? RESTART_RULES : 0;
	found |= c->lifecycle && c->lifecycle->stop_signal ? STOP_SIGNALS : 0;
	if (drop & STOP_SIGNALS)
		drop_stop_signal(c);
	if (drop & RESTART_RULES) {
		c->n_restart_policy_rules = 0;
		c->restart_policy_rules = NULL;
	}
	if (rules && (drop & RESTART_RULES)) {
		c->restart_policy = init && is_sidecar(c) ? c->restart_policy : NULL;
	}
	for (size_t i = 0; i < c->n_env; i++) {
		CoreV1EnvVarSource *s = c->env[i]->value_from;
		found |= s && s->file_key_ref ? FILE_KEYS : 0;
		if (s && (drop & FILE_KEYS))
			s->file_key_ref = NULL;
	}
	return found;
}

static void drop_images(struct arena *arena, struct pod_container *all, size_t n, CoreV1PodSpec *spec)
{
	struct nameset images = {.arena = arena};
	size_t n_kept = 0;
	for (size_t i = 0; i < spec->n_volumes; i++)
		if (spec->volumes[i]->volume_source && spec->volumes[i]->volume_source->image)
			nameset_add(&images, spec->volumes[i]->name);
		else
			spec->volumes[n_kept++] = spec->volumes[i];
	spec->n_volumes = n_kept;
	/* A list that was looked through is null when nothing is in it. */
	if (!n_kept)
		spec->volumes = NULL;
	for (size_t i = 0; i < n; i++) {
		CoreV1Container *c = (CoreV1Container *)all[i].container;
		size_t n_mounts = 0;
		for (size_t k = 0; k < c->n_volume_mounts; k++)
			if (!nameset_has(&images, c->volume_mounts[k]->name))
				c->volume_mounts[n_mounts++] = c->volume_mounts[k];
		c->n_volume_mounts = n_mounts;
		if (!n_mounts)
			c->volume_mounts = NULL;
	}
}

/* What the spec has of them, before those in drop are taken out. */
static unsigned walk(struct arena *arena, CoreV1PodSpec *spec, unsigned drop)
{
	struct pod_container *all;
	size_t n = pod_containers(arena, spec, &all);
	unsigned found = spec->hostname_override ? HOSTNAME_OVERRIDE : 0;
	found |= in_volumes(spec, drop);
	for (size_t i = 0; i < n; i++)
		found |= in_container((CoreV1Container *)all[i].container, str_eq(all[i].list, "initContainers"), drop);
	if (drop & HOSTNAME_OVERRIDE)
		spec->hostname_override = NULL;
	if (drop & IMAGE_VOLUMES)
		drop_images(arena, all, n, spec);
	return found;
}

void pod_drop_disabled(struct arena *arena, CoreV1PodSpec *spec, const CoreV1PodSpec *old)
{
	unsigned used = old ? walk(arena, (CoreV1PodSpec *)old, 0) : 0;
	walk(arena, spec, ~used);
}

/* Where kinds have it: template, spec.template, spec.jobTemplate.spec.template. */
CoreV1PodTemplateSpec *object_pod_template(ProtobufCMessage *object)
{
	ProtobufCMessage *at = object;
	for (int depth = 0; at && depth < 4; depth++) {
		ProtobufCMessage *template =
			schema_field_by_name(schema_of(at), "template") ? object_child(at, "template") : NULL;
		if (API_IS(template, CoreV1PodTemplateSpec))
			return (CoreV1PodTemplateSpec *)template;
		if (schema_field_by_name(schema_of(at), "job_template"))
			at = object_child(at, "job_template");
		else
			at = schema_field_by_name(schema_of(at), "spec") ? object_child(at, "spec") : NULL;
	}
	return NULL;
}

static CoreV1PodSpec *template_spec(ProtobufCMessage *object)
{
	CoreV1PodTemplateSpec *template = object_pod_template(object);
	return template ? template->spec : NULL;
}

void object_drop_disabled(struct arena *arena, ProtobufCMessage *object, const ProtobufCMessage *old)
{
	CoreV1PodSpec *spec = API_IS(object, CoreV1Pod) ? NULL : template_spec(object);
	if (spec)
		pod_drop_disabled(arena, spec, old ? template_spec((ProtobufCMessage *)old) : NULL);
}
