#include "apiserver/validation/node.h"
#include "api/copy.h"
#include "api/json.h"
#include "api/meta.h"
#include "api/tree.h"
#include "apiserver/validation/ip.h"
#include "apiserver/validation/meta.h"
#include "apiserver/validation/pod/pod.h"
#include "apiserver/validation/pod/resources.h"
#include "base/nameset.h"
#include "base/str.h"

#define AVOID_PODS "scheduler.alpha.kubernetes.io/preferAvoidPods"

static void check_taints(struct field_errors *errors, const struct field_path *path, const CoreV1NodeSpec *spec)
{
	static const char *const effects[] = {"NoSchedule", "PreferNoSchedule", "NoExecute", NULL};
	struct nameset seen = {.arena = errors->arena};
	for (size_t i = 0; i < spec->n_taints; i++) {
		const CoreV1Taint *t = spec->taints[i];
		const struct field_path *at = FIELD_INDEX(path, i);
		validate_text(
			errors, FIELD(at, "key"), t->key, check_qualified_name(errors->arena, str_or_empty(t->key)));
		validate_text(
			errors, FIELD(at, "value"), t->value, check_label_value(errors->arena, str_or_empty(t->value)));
		validate_one_of(errors, FIELD(at, "effect"), t->effect, effects);
		const char *pair[] = {t->key, t->effect};
		if (!nameset_add(&seen, nameset_join(errors->arena, pair, ARRAY_SIZE(pair))))
			field_duplicate_json(errors, at,
				arena_printf(errors->arena,
					"{\"Key\":%s,\"Value\":%s,\"Effect\":%s,\"TimeAdded\":null}",
					field_quote(errors->arena, t->key), field_quote(errors->arena, t->value),
					field_quote(errors->arena, t->effect)),
				"taints must be unique by key and effect pair");
	}
}

static void check_amounts(
	struct field_errors *errors, const struct field_path *path, MapQuantityEntry *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		check_resource_value(errors, FIELD(path, list[i]->key), list[i]->key, list[i]->value);
}

static void check_resources(struct field_errors *errors, const CoreV1Node *node)
{
	const CoreV1NodeStatus *s = node->status;
	const struct field_path *path = FIELD(NULL, "status");
	if (!s)
		return;
	check_amounts(errors, FIELD(path, "capacity"), s->capacity, s->n_capacity);
	check_amounts(errors, FIELD(path, "allocatable"), s->allocatable, s->n_allocatable);
}

static void check_cidrs(struct field_errors *errors, const struct field_path *path, const CoreV1NodeSpec *spec)
{
	size_t n_six = 0, bad_at = 0;
	const char *bad = NULL;
	for (size_t i = 0; i < spec->n_pod_cidrs; i++) {
		struct cidr cidr;
		n_six += strchr(spec->pod_cidrs[i], ':') != NULL;
		if (cidr_read(spec->pod_cidrs[i], &cidr))
			continue;
		bad_at = bad ? bad_at : i;
		bad = bad ? bad : spec->pod_cidrs[i];
		field_invalid(errors, FIELD_INDEX(path, i), spec->pod_cidrs[i],
			"must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)");
	}
	if (spec->n_pod_cidrs < 2)
		return;
	if (bad)
		field_internal(errors, path,
			arena_printf(errors->arena,
				"invalid PodCIDRs. failed to check with dual stack with error:invalid CIDR[%zu]: <nil> "
				"(invalid CIDR address: %s)",
				bad_at, bad));
	if (bad || !n_six || n_six == spec->n_pod_cidrs || spec->n_pod_cidrs > 2)
		field_invalid_json(errors, path, strings_json(errors->arena, spec->pod_cidrs, spec->n_pod_cidrs),
			"may specify no more than one CIDR for each IP family");
}

/* What schedulers of old were told to keep away is still looked at. */
static void check_avoided(struct field_errors *errors, const MetaV1ObjectMeta *meta)
{
	const struct field_path *path = FIELD(FIELD(NULL, "metadata"), "annotations");
	const char *text = str_or_empty(meta_annotation(meta, AVOID_PODS));
	char *problem = *text ? json_problem(errors->arena, text, strlen(text)) : NULL;
	cJSON *tree = NULL;
	if (problem)
		field_invalid(errors, FIELD(path, "AvoidPods"), AVOID_PODS, problem);
	if (!*text || problem)
		return;
	status_drop(tree_parse(errors->arena, text, strlen(text), NULL, &tree), "it is valid JSON");
	const cJSON *list = tree_get(tree, "preferAvoidPods");
	size_t i = 0;
	TREE_FOREACH (entry, list) {
		const struct field_path *at = FIELD(FIELD_INDEX(FIELD(path, AVOID_PODS), i++), "PodSignature");
		const cJSON *controller = tree_get(tree_get(entry, "podSignature"), "podController");
		if (!cJSON_IsObject(controller))
			field_required(errors, at, "");
		else if (!cJSON_IsTrue(tree_get(controller, "controller")))
			field_invalid_bool(errors, FIELD(FIELD(at, "PodController"), "Controller"), false,
				"must point to a controller");
	}
}

/* The path is the original's. */
static void check_swap(struct field_errors *errors, const CoreV1NodeSystemInfo *info)
{
	const CoreV1NodeSwapStatus *swap = info ? info->swap : NULL;
	if (swap && swap->has_capacity && swap->capacity <= 0)
		field_invalid_int(errors, FIELD(FIELD(FIELD(NULL, "metadata"), "nodeSwapStatus"), "capacity"),
			swap->capacity, "must be greater than zero");
}

void validate_node(struct field_errors *errors, const CoreV1Node *node)
{
	check_avoided(errors, node->metadata);
	/* The path of taints is the original's. */
	if (node->spec)
		check_taints(errors, FIELD(FIELD(NULL, "metadata"), "taints"), node->spec);
	check_resources(errors, node);
	check_swap(errors, node->status ? node->status->node_info : NULL);
	if (node->spec)
		check_cidrs(errors, FIELD(FIELD(NULL, "spec"), "podCIDRs"), node->spec);
}

static void check_addresses(struct field_errors *errors, const struct field_path *path, const CoreV1NodeStatus *s)
{
	struct nameset seen = {.arena = errors->arena};
	for (size_t i = 0; s && i < s->n_addresses; i++) {
		const CoreV1NodeAddress *a = s->addresses[i];
		const char *pair[] = {a->type, a->address};
		if (!nameset_add(&seen, nameset_join(errors->arena, pair, ARRAY_SIZE(pair))))
			field_duplicate_json(errors, FIELD_INDEX(path, i), internal_json(errors->arena, a), "");
	}
}

static void check_ranges_kept(struct field_errors *errors, const CoreV1NodeSpec *spec, const CoreV1NodeSpec *before)
{
	const struct field_path *path = FIELD(FIELD(NULL, "spec"), "podCIDRs");
	static const char why[] = "node updates may not change podCIDR except from \"\" to valid";
	if (before->n_pod_cidrs && before->n_pod_cidrs != spec->n_pod_cidrs) {
		field_forbidden(errors, path, why);
		return;
	}
	for (size_t i = 0; i < before->n_pod_cidrs; i++)
		if (!str_eq(before->pod_cidrs[i], spec->pod_cidrs[i]))
			field_forbidden(errors, path, why);
}

void validate_node_update(struct field_errors *errors, const CoreV1Node *node, const CoreV1Node *old)
{
	const CoreV1NodeSpec *zero = API_NEW(errors->arena, CoreV1NodeSpec);
	const CoreV1NodeSpec *spec = node->spec ? node->spec : zero, *before = old->spec ? old->spec : zero;
	const struct field_path *path = FIELD(NULL, "spec");
	check_avoided(errors, node->metadata);
	check_resources(errors, node);
	check_addresses(errors, FIELD(FIELD(NULL, "status"), "addresses"), node->status);
	check_ranges_kept(errors, spec, before);
	if (!str_empty(before->provider_id) && !str_eq(spec->provider_id, before->provider_id))
		field_forbidden(errors, FIELD(path, "providerID"),
			"node updates may not change providerID except from \"\" to valid");
	check_taints(errors, FIELD(FIELD(NULL, "metadata"), "taints"), spec);
	if (!str_eq(spec->external_id, before->external_id))
		field_forbidden(errors, FIELD(path, "externalID"), "may not be updated");
}
