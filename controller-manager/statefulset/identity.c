#include "base/str.h"
#include "controller-manager/statefulset/statefulset.h"
#include "controller-manager/support/history.h"
#include "controller-manager/support/pods.h"

int32_t stateful_start(const AppsV1StatefulSet *set)
{
	return set->spec->ordinals ? set->spec->ordinals->start : 0;
}

int32_t stateful_replicas(const AppsV1StatefulSet *set)
{
	return set->spec->has_replicas ? set->spec->replicas : 1;
}

int32_t stateful_ordinal(const AppsV1StatefulSet *set, const char *pod_name)
{
	size_t len = strlen(set->metadata->name);
	int64_t ordinal;
	if (strncmp(pod_name, set->metadata->name, len) || pod_name[len] != '-' || pod_name[len + 1] == '-' ||
		pod_name[len + 1] == '+' || !str_to_int64(pod_name + len + 1, 0, INT32_MAX, &ordinal))
		return -1;
	return (int32_t)ordinal;
}

bool stateful_is_member(const void *set, const void *pod)
{
	return stateful_ordinal(set, object_metadata(pod)->name) >= 0;
}

static char *claim_name(
	struct arena *arena, const AppsV1StatefulSet *set, const CoreV1PersistentVolumeClaim *template, int32_t ordinal)
{
	return arena_printf(arena, "%s-%s-%d", template->metadata->name, set->metadata->name, ordinal);
}

/* Volumes of the claims stand in for those of the same name in the template. */
static void set_volumes(struct arena *arena, const AppsV1StatefulSet *set, CoreV1PodSpec *spec, int32_t ordinal)
{
	for (size_t i = 0; i < set->spec->n_volume_claim_templates; i++) {
		const CoreV1PersistentVolumeClaim *template = set->spec->volume_claim_templates[i];
		CoreV1Volume *volume = API_NEW(arena, CoreV1Volume);
		volume->name = arena_strdup(arena, template->metadata->name);
		volume->volume_source = API_NEW(arena, CoreV1VolumeSource);
		volume->volume_source->persistent_volume_claim =
			API_NEW(arena, CoreV1PersistentVolumeClaimVolumeSource);
		volume->volume_source->persistent_volume_claim->claim_name = claim_name(arena, set, template, ordinal);
		size_t j = 0;
		while (j < spec->n_volumes && !str_eq(spec->volumes[j]->name, volume->name))
			j++;
		if (j < spec->n_volumes)
			spec->volumes[j] = volume;
		else
			ARENA_PUSH(arena, spec->volumes, spec->n_volumes) = volume;
	}
}

CoreV1Pod *stateful_pod(struct arena *arena, const AppsV1StatefulSet *set, const CoreV1PodTemplateSpec *template,
	int32_t ordinal, const char *revision)
{
	CoreV1Pod *pod = pod_from_template(arena, template, set);
	object_complete(arena, pod);
	MetaV1ObjectMeta *meta = pod->metadata;
	meta->generate_name = (char *)(uintptr_t)schema_empty_string;
	meta->name = arena_printf(arena, "%s-%d", set->metadata->name, ordinal);
	LABEL_SET(arena, meta, POD_NAME_LABEL, meta->name);
	LABEL_SET(arena, meta, POD_INDEX_LABEL, arena_printf(arena, "%d", ordinal));
	LABEL_SET(arena, meta, REVISION_HASH_LABEL, revision);
	pod->spec->hostname = arena_strdup(arena, meta->name);
	pod->spec->subdomain = arena_strdup(arena, set->spec->service_name);
	set_volumes(arena, set, pod->spec, ordinal);
	return pod;
}

CoreV1PersistentVolumeClaim **stateful_claims(
	struct arena *arena, const AppsV1StatefulSet *set, int32_t ordinal, size_t *ret_n)
{
	size_t n = set->spec->n_volume_claim_templates;
	CoreV1PersistentVolumeClaim **claims = ARENA_ARRAY(arena, CoreV1PersistentVolumeClaim *, n + 1);
	const MetaV1LabelSelector *selector = set->spec->selector;
	for (size_t i = 0; i < n; i++) {
		claims[i] = object_copy(arena, set->spec->volume_claim_templates[i]);
		MetaV1ObjectMeta *meta = claims[i]->metadata;
		meta->name = claim_name(arena, set, set->spec->volume_claim_templates[i], ordinal);
		meta->namespace = arena_strdup(arena, set->metadata->namespace);
		for (size_t j = 0; selector && j < selector->n_match_labels; j++)
			LABEL_SET(arena, meta, selector->match_labels[j]->key, selector->match_labels[j]->value);
		claims[i]->status = NULL;
	}
	*ret_n = n;
	return claims;
}

bool stateful_identity_matches(const AppsV1StatefulSet *set, const CoreV1Pod *pod)
{
	return str_eq(LABEL_GET(pod->metadata, POD_NAME_LABEL), pod->metadata->name) &&
	       LABEL_GET(pod->metadata, POD_INDEX_LABEL);
}
