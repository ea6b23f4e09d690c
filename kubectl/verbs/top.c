#include "kubectl/request.h"
#include "kubectl/verbs/verbs.h"

static struct status *unavailable(struct kubectl *k, struct call *call)
{
	struct discovery *discovery;
	const struct api_resource *mapping;
	TRY(kubectl_discovery(k, &discovery));
	struct status *s = discovery_find(discovery, "nodes.metrics.k8s.io", &mapping);
	status_drop(s, "either way there is nothing to show");
	return user_error("Metrics API not available");
}

struct top_options {
	bool all_namespaces, containers, no_headers, sum, capacity, protobuf, swap;
	char *selector, *field_selector, *sort_by;
};
#define T(...) OPT(struct top_options, __VA_ARGS__)
static const struct option top_flags[] = {
	T(all_namespaces, 'A', "all-namespaces", FLAG_BOOL, "false", "In all namespaces"),
	T(containers, 0, "containers", FLAG_BOOL, "false", "A line for each container"),
	T(field_selector, 0, "field-selector", FLAG_STRING, "", "Select by fields"),
	T(no_headers, 0, "no-headers", FLAG_BOOL, "false", "Leave the column headers out"),
	T(selector, 'l', "selector", FLAG_STRING, "", "Select by labels"),
	T(capacity, 0, "show-capacity", FLAG_BOOL, "false", "Relate to the capacity of nodes"),
	T(sort_by, 0, "sort-by", FLAG_STRING, "", "cpu or memory"),
	T(sum, 0, "sum", FLAG_BOOL, "false", "Add a line with the sums"),
	T(protobuf, 0, "use-protocol-buffers", FLAG_BOOL, "true", "Accepted without effect"),
	OPT_END,
};

static const char *const pod_aliases[] = {"pods", "po", NULL}, *const node_aliases[] = {"nodes", "no", NULL};
static const struct command pod_command = {.name = "pod",
	.aliases = pod_aliases,
	.usage = "[NAME | -l label]",
	.summary = "Display resource (CPU/memory) usage of pods",
	.flags = top_flags,
	.options_size = sizeof(struct top_options),
	.run = unavailable};
static const struct command node_command = {.name = "node",
	.aliases = node_aliases,
	.usage = "[NAME | -l label]",
	.summary = "Display resource (CPU/memory) usage of nodes",
	.flags = top_flags,
	.options_size = sizeof(struct top_options),
	.run = unavailable};
static const struct command *const children[] = {&node_command, &pod_command, NULL};
const struct command top_command = {
	.name = "top",
	.section = "Cluster Management Commands:",
	.summary = "Display resource (CPU/memory) usage",
	.children = children,
};
