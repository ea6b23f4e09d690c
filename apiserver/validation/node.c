#include "apiserver/validation/node.h"
#include "apiserver/validation/meta.h"
#include "apiserver/validation/pod.h"
#include "base/str.h"

static void check_taints(struct field_errors *errors, const struct field_path *path, const CoreV1NodeSpec *spec)
{
	static const char *const effects[] = {"NoSchedule", "PreferNoSchedule", "NoExecute", NULL};
	for (size_t i = 0; i < spec->n_taints; i++) {
		const CoreV1Taint *t = spec->taints[i];
		const struct field_path *at = FIELD_INDEX(path, i);
		validate_text(
			errors, FIELD(at, "key"), t->key, check_qualified_name(errors->arena, str_or_empty(t->key)));
		validate_text(
			errors, FIELD(at, "value"), t->value, check_label_value(errors->arena, str_or_empty(t->value)));
		validate_one_of(errors, FIELD(at, "effect"), t->effect, effects);
		for (size_t k = 0; k < i; k++)
			if (str_eq(spec->taints[k]->key, t->key) && str_eq(spec->taints[k]->effect, t->effect)) {
				field_duplicate_json(errors, at,
					arena_printf(errors->arena,
						"{\"Key\":%s,\"Value\":%s,\"Effect\":%s,\"TimeAdded\":null}",
						field_quote(errors->arena, t->key),
						field_quote(errors->arena, t->value),
						field_quote(errors->arena, t->effect)),
					"taints must be unique by key and effect pair");
				break;
			}
	}
}

void validate_node(struct field_errors *errors, const CoreV1Node *node)
{
	const CoreV1NodeSpec *spec = node->spec;
	const struct field_path *path = FIELD(NULL, "spec");
	if (!spec)
		return;
	/* The path is the original's. */
	check_taints(errors, FIELD(FIELD(NULL, "metadata"), "taints"), spec);
	if (spec->n_pod_cidrs > 2)
		field_invalid(errors, FIELD(path, "podCIDRs"),
			str_join(errors->arena, spec->pod_cidrs, spec->n_pod_cidrs, ","),
			"may specify no more than one CIDR for each IP family");
}

void validate_node_update(struct field_errors *errors, const CoreV1Node *node, const CoreV1Node *old)
{
	validate_node(errors, node);
	const CoreV1NodeSpec *spec = node->spec, *before = old->spec;
	const struct field_path *path = FIELD(NULL, "spec");
	if (!before)
		return;
	bool same = (spec ? spec->n_pod_cidrs : 0) == before->n_pod_cidrs;
	for (size_t i = 0; same && i < before->n_pod_cidrs; i++)
		same = str_eq(spec->pod_cidrs[i], before->pod_cidrs[i]);
	if (before->n_pod_cidrs && !same)
		field_forbidden(errors, FIELD(path, "podCIDRs"),
			"node updates may not change podCIDR except from \"\" to valid");
	if (!str_empty(before->provider_id) && !str_eq(spec ? spec->provider_id : "", before->provider_id))
		field_forbidden(errors, FIELD(path, "providerID"),
			"node updates may not change providerID except from \"\" to valid");
}
