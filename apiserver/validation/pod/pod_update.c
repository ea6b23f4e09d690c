/*
 * What of a pod may change: almost nothing, save through the subresources.
 */
#include "api/copy.h"
#include "api/json.h"
#include "api/meta.h"
#include "api/qos.h"
#include "apiserver/validation/pod/pod.h"
#include "apiserver/validation/struct_diff.h"
#include "apiserver/validation/pod/resources.h"
#include "base/nameset.h"
#include "base/str.h"

/* The number of containers stays, and every image is there. False: nothing else can be compared. */
static bool check_images(struct field_errors *errors, const struct field_path *path, CoreV1Container *const *containers,
	size_t n, size_t n_old)
{
	if (n != n_old) {
		field_forbidden(errors, path, "pod updates may not add or remove containers");
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		const char *image = str_or_empty(containers[i]->image);
		const struct field_path *at = FIELD(FIELD_INDEX(path, i), "image");
		if (!*image)
			field_required(errors, at, "");
		if (!str_eq(str_trim(errors->arena, image), image))
			field_invalid(errors, at, image, "must not have leading or trailing whitespace");
	}
	return true;
}

static bool check_deadline(struct field_errors *errors, const CoreV1PodSpec *spec, const CoreV1PodSpec *old)
{
	const struct field_path *path = FIELD(FIELD(NULL, "spec"), "activeDeadlineSeconds");
	if (!spec->has_active_deadline_seconds) {
		if (old->has_active_deadline_seconds)
			field_invalid_json(
				errors, path, "null", "must not update from a positive integer to nil value");
		return true;
	}
	if (spec->active_deadline_seconds < 0 || spec->active_deadline_seconds > INT32_MAX) {
		field_invalid_int(
			errors, path, spec->active_deadline_seconds, "must be between 0 and 2147483647, inclusive");
		return false;
	}
	if (old->has_active_deadline_seconds && old->active_deadline_seconds < spec->active_deadline_seconds) {
		field_invalid_int(
			errors, path, spec->active_deadline_seconds, "must be less than or equal to previous value");
		return false;
	}
	return true;
}

/* What is tolerated, however long. */
static const char *tolerated(struct arena *arena, const CoreV1Toleration *t)
{
	return nameset_join(arena, (const char *const[]){t->key, t->operator, t->value, t->effect}, 4);
}

/* Tolerations are only added to; the seconds of one that is there may change. */
static void check_tolerations(struct field_errors *errors, const CoreV1PodSpec *spec, const CoreV1PodSpec *old)
{
	const struct field_path *path = FIELD(FIELD(NULL, "spec"), "tolerations");
	struct nameset now = {.arena = errors->arena};
	for (size_t i = 0; i < spec->n_tolerations; i++)
		nameset_add(&now, tolerated(errors->arena, spec->tolerations[i]));
	for (size_t i = 0; i < old->n_tolerations; i++) {
		if (!nameset_has(&now, tolerated(errors->arena, old->tolerations[i]))) {
			field_forbidden(
				errors, path, "existing toleration can not be modified except its tolerationSeconds");
			return;
		}
	}
	validate_tolerations(errors, path, spec->tolerations, spec->n_tolerations);
}

static void check_gates(struct field_errors *errors, const CoreV1PodSpec *spec, const CoreV1PodSpec *old)
{
	const struct field_path *path = FIELD(FIELD(NULL, "spec"), "schedulingGates");
	struct nameset known = {.arena = errors->arena};
	for (size_t i = 0; i < old->n_scheduling_gates; i++)
		nameset_add(&known, old->scheduling_gates[i]->name);
	for (size_t i = 0; i < spec->n_scheduling_gates; i++) {
		if (!nameset_has(&known, spec->scheduling_gates[i]->name))
			field_forbidden(errors, FIELD(FIELD_INDEX(path, i), "name"),
				arena_printf(errors->arena,
					"only deletion is allowed, but found new scheduling gate '%s'",
					str_or_empty(spec->scheduling_gates[i]->name)));
	}
}

/* --- a gated pod: where it may run can be narrowed --- */

static void check_selector_narrowed(struct field_errors *errors, const CoreV1PodSpec *spec, const CoreV1PodSpec *old)
{
	if (map_contains(spec->node_selector, spec->n_node_selector, old->node_selector, old->n_node_selector))
		return;
	field_invalid_json(errors, FIELD(FIELD(NULL, "spec"), "nodeSelector"),
		strings_map_json(errors->arena, spec->node_selector, spec->n_node_selector),
		"only additions to spec.nodeSelector are allowed (no mutations or deletions)");
}

static bool begins_with(void *const *list, size_t n, void *const *start, size_t n_start)
{
	bool same = n >= n_start;
	for (size_t i = 0; same && i < n_start; i++)
		same = api_equal(list[i], start[i]);
	return same;
}

static bool only_adds(const CoreV1NodeSelectorTerm *term, const CoreV1NodeSelectorTerm *old)
{
	if (!old->n_match_expressions && !old->n_match_fields)
		return !term->n_match_expressions && !term->n_match_fields;
	return begins_with((void **)term->match_expressions, term->n_match_expressions, (void **)old->match_expressions,
		       old->n_match_expressions) &&
	       begins_with((void **)term->match_fields, term->n_match_fields, (void **)old->match_fields,
		       old->n_match_fields);
}

static const CoreV1NodeSelector *required_nodes(const CoreV1PodSpec *spec)
{
	const CoreV1NodeAffinity *a = spec->affinity ? spec->affinity->node_affinity : NULL;
	return a ? a->required_during_scheduling_ignored_during_execution : NULL;
}

static char *terms_json(struct arena *arena, const CoreV1NodeSelector *selector)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	for (size_t i = 0; selector && i < selector->n_node_selector_terms; i++)
		strbuf_printf(&out, "%s%s", i ? "," : "", internal_json(arena, selector->node_selector_terms[i]));
	return selector ? arena_printf(arena, "[%s]", out.buf) : arena_strdup(arena, "null");
}

static void check_affinity_narrowed(struct field_errors *errors, const CoreV1PodSpec *spec, const CoreV1PodSpec *old)
{
	const CoreV1NodeSelector *before = required_nodes(old), *now = required_nodes(spec);
	const struct field_path *path = FIELD(FIELD(FIELD(NULL, "spec"), "affinity"), "nodeAffinity");
	const struct field_path *terms =
		FIELD(FIELD(path, "requiredDuringSchedulingIgnoredDuringExecution"), "nodeSelectorTerms");
	size_t n = now ? now->n_node_selector_terms : 0;
	if (!before)
		return;
	if (before->n_node_selector_terms && before->n_node_selector_terms != n) {
		field_invalid_json(errors, terms, terms_json(errors->arena, now),
			"no additions/deletions to non-empty NodeSelectorTerms list are allowed");
		return;
	}
	for (size_t i = 0; i < before->n_node_selector_terms; i++)
		if (!only_adds(now->node_selector_terms[i], before->node_selector_terms[i]))
			field_invalid_internal(errors, FIELD_INDEX(terms, i), now->node_selector_terms[i],
				"only additions are allowed (no mutations or deletions)");
}

static void narrow(struct field_errors *errors, CoreV1PodSpec *munged, const CoreV1PodSpec *old)
{
	const CoreV1NodeAffinity *before = old->affinity ? old->affinity->node_affinity : NULL;
	const CoreV1NodeAffinity *now = munged->affinity ? munged->affinity->node_affinity : NULL;
	check_selector_narrowed(errors, munged, old);
	munged->node_selector = old->node_selector;
	munged->n_node_selector = old->n_node_selector;
	if (before && now ? api_equal(before, now) : before == now)
		return;
	check_affinity_narrowed(errors, munged, old);
	if (!munged->affinity)
		munged->affinity = API_NEW(errors->arena, CoreV1Affinity);
	if (!old->affinity && !munged->affinity->pod_affinity && !munged->affinity->pod_anti_affinity)
		munged->affinity = NULL;
	else
		munged->affinity->node_affinity = (CoreV1NodeAffinity *)before;
}

/* The new spec with everything that may change taken from the old one: what is left to differ is forbidden. */
static CoreV1PodSpec *without_allowed_changes(
	struct field_errors *errors, const CoreV1PodSpec *spec, const CoreV1PodSpec *old)
{
	CoreV1PodSpec *munged = api_copy_msg(errors->arena, spec);
	for (size_t i = 0; i < munged->n_containers; i++)
		munged->containers[i]->image = old->containers[i]->image;
	for (size_t i = 0; i < munged->n_init_containers; i++)
		munged->init_containers[i]->image = old->init_containers[i]->image;
	munged->has_active_deadline_seconds = old->has_active_deadline_seconds;
	munged->active_deadline_seconds = old->active_deadline_seconds;
	munged->tolerations = old->tolerations;
	munged->n_tolerations = old->n_tolerations;
	munged->scheduling_gates = old->scheduling_gates;
	munged->n_scheduling_gates = old->n_scheduling_gates;
	if (old->has_termination_grace_period_seconds && old->termination_grace_period_seconds < 0 &&
		munged->termination_grace_period_seconds == 1)
		munged->termination_grace_period_seconds = old->termination_grace_period_seconds;
	if (old->n_scheduling_gates)
		narrow(errors, munged, old);
	return munged;
}

void validate_pod_update(struct field_errors *errors, const CoreV1Pod *pod, const CoreV1Pod *old)
{
	const struct field_path *path = FIELD(NULL, "spec");
	const CoreV1PodSpec *spec = pod->spec, *before = old->spec;
	validate_pod_whole(errors, pod);
	validate_pod_annotation_updates(errors, pod, old);
	if (!check_images(
		    errors, FIELD(path, "containers"), spec->containers, spec->n_containers, before->n_containers) ||
		!check_images(errors, FIELD(path, "initContainers"), spec->init_containers, spec->n_init_containers,
			before->n_init_containers) ||
		!check_deadline(errors, spec, before))
		return;
	check_tolerations(errors, spec, before);
	check_gates(errors, spec, before);
	if (api_equal(spec, before))
		return;
	const CoreV1PodSpec *munged = without_allowed_changes(errors, spec, before);
	if (api_equal(munged, before))
		return;
	field_forbidden(errors, path,
		arena_printf(errors->arena,
			"pod updates may not change fields other than "
			"`spec.containers[*].image`,`spec.initContainers[*].image`,"
			"`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
			"`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously "
			"negative)\n%s",
			struct_diff(errors->arena, before, munged)));
}

static const char *ephemeral_name(const CoreV1EphemeralContainer *c)
{
	return c->ephemeral_container_common ? c->ephemeral_container_common->name : "";
}

void validate_pod_ephemeral_update(struct field_errors *errors, const CoreV1Pod *pod, const CoreV1Pod *old)
{
	const struct field_path *path = FIELD(FIELD(NULL, "spec"), "ephemeralContainers");
	const CoreV1PodSpec *spec = pod->spec, *before = old->spec;
	if (meta_annotation(old->metadata, "kubernetes.io/config.mirror")) {
		errors->n_items = 0;
		field_forbidden(errors, FIELD_KEY(NULL, ""), "static pods do not support ephemeral containers");
		return;
	}
	validate_pod_whole(errors, pod);
	validate_pod_annotation_updates(errors, pod, old);
	struct nameset by_name = {.arena = errors->arena};
	const char **names = ARENA_ARRAY(errors->arena, const char *, spec->n_ephemeral_containers + 1);
	for (size_t k = 0; k < spec->n_ephemeral_containers; k++)
		names[k] = ephemeral_name(spec->ephemeral_containers[k]);
	const size_t *next = nameset_chain(&by_name, names, spec->n_ephemeral_containers);
	for (size_t i = 0; i < before->n_ephemeral_containers; i++) {
		const CoreV1EphemeralContainer *was = before->ephemeral_containers[i], *now = NULL;
		const char *name = ephemeral_name(was);
		for (size_t k = nameset_find(&by_name, name); k < spec->n_ephemeral_containers; k = next[k])
			now = spec->ephemeral_containers[k];
		if (!now)
			field_forbidden(errors, path,
				arena_printf(errors->arena, "existing ephemeral containers \"%s\" may not be removed\n",
					name));
		else if (!api_equal(now, was))
			field_forbidden(errors, path,
				arena_printf(errors->arena,
					"existing ephemeral containers \"%s\" may not be changed\n%s", name,
					struct_diff(errors->arena, was, now)));
	}
}

/* --- resize --- */

static bool has_resources(const CoreV1Pod *pod)
{
	return pod->spec->resources && (pod->spec->resources->n_limits || pod->spec->resources->n_requests);
}

static bool is_sidecar(const CoreV1Container *c)
{
	return str_eq(c->restart_policy, "Always");
}

static bool same_names(struct field_errors *errors, const struct field_path *path, const char *list,
	CoreV1Container *const *now, size_t n, CoreV1Container *const *before, size_t n_before)
{
	size_t n_errors = errors->n_items;
	if (n != n_before)
		field_forbidden(errors, FIELD(path, list),
			arena_printf(errors->arena, "%s may not be added or removed on resize", list));
	for (size_t i = 0; n == n_before && i < n; i++)
		if (!str_eq(now[i]->name, before[i]->name))
			field_forbidden(errors, FIELD(FIELD_INDEX(FIELD(path, list), i), "name"),
				arena_printf(errors->arena, "%s may not be renamed or reordered on resize", list));
	return errors->n_items == n_errors;
}

static bool is_removed(
	struct arena *arena, MapQuantityEntry *const *now, size_t n, MapQuantityEntry *const *before, size_t n_before)
{
	void *const *sorted = MAP_SORTED(arena, now, n);
	for (size_t i = 0; i < n_before; i++)
		if (!map_search(sorted, n, before[i]->key))
			return true;
	return false;
}

static void check_removed(struct field_errors *errors, const struct field_path *path, const CoreV1Container *now,
	const CoreV1Container *before)
{
	const CoreV1ResourceRequirements *zero = API_NEW(errors->arena, CoreV1ResourceRequirements);
	const CoreV1ResourceRequirements *r = now->resources ? now->resources : zero;
	const CoreV1ResourceRequirements *was = before->resources ? before->resources : zero;
	const struct field_path *at = FIELD(path, "resources");
	if (is_removed(errors->arena, r->requests, r->n_requests, was->requests, was->n_requests))
		field_forbidden(errors, FIELD(at, "requests"), "resource requests cannot be removed");
	if (is_removed(errors->arena, r->limits, r->n_limits, was->limits, was->n_limits))
		field_forbidden(errors, FIELD(at, "limits"), "resource limits cannot be removed");
}

static void put_back(
	struct arena *arena, MapQuantityEntry ***list, size_t *n, MapQuantityEntry *const *old, size_t n_old)
{
	static const char *const names[] = {"cpu", "memory"};
	MapQuantityEntry **kept = NULL;
	size_t n_kept = 0;
	for (size_t i = 0; n_old && i < *n; i++)
		if (!str_eq((*list)[i]->key, "cpu") && !str_eq((*list)[i]->key, "memory"))
			ARENA_PUSH(arena, kept, n_kept) = (*list)[i];
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const MapQuantityEntry *e = resource_entry(old, n_old, names[i]);
		if (e)
			ARENA_PUSH(arena, kept, n_kept) = (MapQuantityEntry *)e;
	}
	*list = kept;
	*n = n_kept;
}

/* Whether two containers differ in more than the amounts of processors and memory. */
static bool differs_elsewhere(struct arena *arena, const CoreV1Container *now, const CoreV1Container *before)
{
	CoreV1Container *munged = api_copy_msg(arena, now), *was = api_copy_msg(arena, before);
	(void)ENSURE(arena, was->resources, CoreV1ResourceRequirements);
	CoreV1ResourceRequirements *r = ENSURE(arena, munged->resources, CoreV1ResourceRequirements);
	put_back(arena, &r->limits, &r->n_limits, was->resources->limits, was->resources->n_limits);
	put_back(arena, &r->requests, &r->n_requests, was->resources->requests, was->resources->n_requests);
	r->n_claims = 0;
	return !api_equal(munged, was);
}

static bool node_can_resize(const CoreV1Pod *pod)
{
	for (size_t i = 0; pod->status && i < pod->status->n_container_statuses; i++) {
		const CoreV1ContainerStatus *s = pod->status->container_statuses[i];
		if (s->state && s->state->running)
			return s->resources;
	}
	return true;
}

/* Why a pod cannot be resized at all. */
static const char *cannot_resize(const CoreV1Pod *pod, const CoreV1Pod *old)
{
	if (has_resources(old) || has_resources(pod))
		return "pods with pod-level resources cannot be resized";
	if (meta_annotation(old->metadata, "kubernetes.io/config.mirror"))
		return "static pods cannot be resized";
	return old->spec->os && str_eq(old->spec->os->name, "windows") ? "windows pods cannot be resized" : NULL;
}

static void check_resized(struct field_errors *errors, const CoreV1PodSpec *spec, const CoreV1PodSpec *before)
{
	const struct field_path *path = FIELD(NULL, "spec");
	for (size_t i = 0; i < before->n_init_containers; i++)
		if (is_sidecar(before->init_containers[i]))
			check_removed(errors, FIELD_INDEX(FIELD(path, "initContainers"), i), spec->init_containers[i],
				before->init_containers[i]);
	for (size_t i = 0; i < before->n_containers; i++)
		check_removed(
			errors, FIELD_INDEX(FIELD(path, "containers"), i), spec->containers[i], before->containers[i]);
	for (size_t i = 0; i < before->n_containers; i++)
		if (differs_elsewhere(errors->arena, spec->containers[i], before->containers[i]))
			field_forbidden(errors, path, "only cpu and memory resources are mutable");
	for (size_t i = 0; i < before->n_init_containers; i++) {
		const CoreV1Container *now = spec->init_containers[i], *was = before->init_containers[i];
		if (is_sidecar(now) && differs_elsewhere(errors->arena, now, was))
			field_forbidden(
				errors, path, "only cpu and memory resources for sidecar containers are mutable");
		else if (!is_sidecar(now) && !api_equal(now, was))
			field_forbidden(errors, path, "resources for non-sidecar init containers are immutable");
	}
}

void validate_pod_resize(struct field_errors *errors, const CoreV1Pod *pod, const CoreV1Pod *old)
{
	const struct field_path *path = FIELD(NULL, "spec");
	const CoreV1PodSpec *spec = pod->spec, *before = old->spec;
	const char *why = cannot_resize(pod, old);
	const char *was = old->status ? old->status->qos_class : "";
	if (why) {
		errors->n_items = 0;
		field_forbidden(errors, FIELD_KEY(NULL, ""), why);
		return;
	}
	validate_pod_whole(errors, pod);
	if (!str_eq(str_empty(was) ? pod_qos_class(before) : was, pod_qos_class(spec)))
		field_invalid(errors, path, pod->status ? pod->status->qos_class : "",
			"Pod QOS Class may not change as a result of resizing");
	if (!node_can_resize(old))
		field_forbidden(errors, path, "Pod running on node without support for resize");
	bool same = same_names(errors, path, "containers", spec->containers, spec->n_containers, before->containers,
		before->n_containers);
	same &= same_names(errors, path, "initContainers", spec->init_containers, spec->n_init_containers,
		before->init_containers, before->n_init_containers);
	if (same)
		check_resized(errors, spec, before);
}
