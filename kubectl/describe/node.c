#include "api/quantity.h"
#include "kubectl/describe/describe.h"
#include "net/url.h"

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *roles_of(struct desc *d, const cJSON *node)
{
	static const char prefix[] = "node-role.kubernetes.io/";
	char **roles = NULL;
	size_t n = 0;
	TREE_FOREACH (label, obj_at(node, "metadata.labels")) {
		if (str_starts_with(label->string, prefix) && label->string[strlen(prefix)])
			ARENA_PUSH(d->arena, roles, n) = label->string + strlen(prefix);
		else if (str_eq(label->string, "kubernetes.io/role") && *str_or_empty(tree_string(label)))
			ARENA_PUSH(d->arena, roles, n) = label->valuestring;
	}
	if (!n)
		return arena_strdup(d->arena, "<none>");
	qsort(roles, n, sizeof(*roles), by_text);
	return str_join(d->arena, roles, n, ",");
}

static void describe_taints(struct desc *d, const cJSON *taints)
{
	char **items = NULL;
	size_t n = 0;
	TREE_FOREACH (t, taints) {
		const char *value = obj_string(t, "value");
		/* sorted by effect, then key: the sort key stands before a NUL-like separator that is cut off again */
		ARENA_PUSH(d->arena, items, n) = arena_printf(d->arena, "%s,%s\001%s%s%s:%s", obj_string(t, "effect"),
			obj_string(t, "key"), obj_string(t, "key"), *value ? "=" : "", value, obj_string(t, "effect"));
	}
	if (n)
		qsort(items, n, sizeof(*items), by_text);
	line(d, 0, "Taints:\t%s", n ? "" : "<none>\n");
	for (size_t i = 0; i < n; i++)
		line(d, 0, "%s%s\n", i ? "\t" : "", strchr(items[i], '\001') + 1);
}

static void describe_lease(struct desc *d, const cJSON *node)
{
	static const struct client_resource leases = {
		.group = "coordination.k8s.io", .version = "v1", .plural = "leases", .namespaced = true};
	cJSON *lease;
	struct status *s = rest_get(
		d->k, d->arena, client_path(d->arena, &leases, "kube-node-lease", obj_name(node), NULL), NULL, &lease);
	if (s) {
		line(d, 0, "Lease:\tFailed to get lease: %s\n", s->message);
		status_free(s);
		return;
	}
	const char *acquired = obj_string(lease, "spec.acquireTime"), *renewed = obj_string(lease, "spec.renewTime");
	line(d, 0, "Lease:\n");
	line(d, 1, "HolderIdentity:\t%s\n", text_of(d, lease, "spec.holderIdentity", "<unset>"));
	line(d, 1, "AcquireTime:\t%s\n", *acquired ? rfc1123(d->arena, acquired) : "<unset>");
	line(d, 1, "RenewTime:\t%s\n", *renewed ? rfc1123(d->arena, renewed) : "<unset>");
}

static void describe_quantities(struct desc *d, const char *title, const cJSON *list)
{
	size_t n;
	cJSON **items = obj_sorted(d->arena, list, &n);
	if (n)
		line(d, 0, "%s:\n", title);
	for (size_t i = 0; i < n; i++)
		line(d, 0, "  %s:\t%s\n", items[i]->string, obj_text(d->arena, items[i]));
}

static struct quantity quantity_at(const cJSON *object, const char *name)
{
	struct quantity q = {0};
	const cJSON *node = tree_get(object, name);
	const char *text = cJSON_IsNumber(node) ? node->valuestring : tree_string(node);
	if (!text || !quantity_parse(text, &q))
		q = quantity_from_int(0, QUANTITY_DECIMAL_SI);
	return q;
}

/* A container's own wishes, with limits standing in for requests that are not said. */
static struct quantity container_quantity(const cJSON *container, const char *list, const char *name)
{
	return quantity_at(obj_at(container, list), name);
}

/*
 * What a pod asks for: the sum of its containers, or the largest init container if that is more; init containers that
 * restart always count with the containers.
 */
static struct quantity pod_quantity(const cJSON *pod, const char *list, const char *name)
{
	struct quantity sum = quantity_from_int(0, QUANTITY_DECIMAL_SI), sidecars = sum, most = sum;
	bool first = true;
	TREE_FOREACH (container, obj_at(pod, "spec.containers")) {
		struct quantity q = container_quantity(container, list, name);
		if (first || quantity_is_zero(&sum))
			sum.format = q.format;
		quantity_add(&sum, &q);
		first = false;
	}
	TREE_FOREACH (container, obj_at(pod, "spec.initContainers")) {
		struct quantity q = container_quantity(container, list, name);
		if (str_eq(obj_string(container, "restartPolicy"), "Always")) {
			quantity_add(&sum, &q);
			quantity_add(&sidecars, &q);
			q = sidecars;
		} else {
			quantity_add(&q, &sidecars);
		}
		if (quantity_compare(&q, &most) > 0)
			most = q;
	}
	if (quantity_compare(&most, &sum) > 0)
		sum = most;
	struct quantity overhead = quantity_at(obj_at(pod, "spec.overhead"), name);
	if (str_eq(list, "resources.requests") || !quantity_is_zero(&sum))
		quantity_add(&sum, &overhead);
	return sum;
}

static int percent(const struct quantity *part, const struct quantity *whole, bool milli)
{
	double w = (double)(milli ? quantity_milli_value(whole) : quantity_value(whole));
	double p = (double)(milli ? quantity_milli_value(part) : quantity_value(part));
	return w > 0 ? (int)(p / w * 100) : 0;
}

static const char *const lists[] = {"resources.requests", "resources.limits"};

static void describe_share(struct desc *d, const cJSON *pod, const cJSON *allocatable, const char *name)
{
	struct quantity whole = quantity_at(allocatable, name);
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		struct quantity q = pod_quantity(pod, lists[i], name);
		line(d, 0, "\t%s (%d%%)", quantity_format(d->arena, &q), percent(&q, &whole, str_eq(name, "cpu")));
	}
}

static void describe_total(
	struct desc *d, const cJSON *pods, const cJSON *allocatable, const char *name, bool with_share)
{
	struct quantity whole = quantity_at(allocatable, name);
	line(d, 1, "%s", name);
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		struct quantity sum = quantity_from_int(0, QUANTITY_DECIMAL_SI);
		TREE_FOREACH (pod, pods) {
			struct quantity q = pod_quantity(pod, lists[i], name);
			if (quantity_is_zero(&sum))
				sum.format = q.format;
			quantity_add(&sum, &q);
		}
		line(d, 0, "\t%s", quantity_format(d->arena, &sum));
		if (with_share)
			line(d, 0, " (%d%%)", percent(&sum, &whole, str_eq(name, "cpu")));
	}
	line(d, 0, "\n");
}

static bool is_standard(const char *name)
{
	static const char *const names[] = {"cpu", "memory", "ephemeral-storage", "pods", NULL};
	return str_in(name, names);
}

static void describe_pods(struct desc *d, const cJSON *node, const cJSON *pods)
{
	const cJSON *allocatable = obj_at(node, "status.allocatable");
	size_t n;
	if (!tree_size(allocatable))
		allocatable = obj_at(node, "status.capacity");
	line(d, 0, "Non-terminated Pods:\t(%zu in total)\n", tree_size(pods));
	line(d, 1, "Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge\n");
	line(d, 1, "---------\t----\t\t------------\t----------\t---------------\t-------------\t---\n");
	TREE_FOREACH (pod, pods) {
		line(d, 1, "%s\t%s\t", obj_namespace(pod), obj_name(pod));
		describe_share(d, pod, allocatable, "cpu");
		describe_share(d, pod, allocatable, "memory");
		line(d, 0, "\t%s\n", age_of(d, pod, "metadata.creationTimestamp"));
	}
	line(d, 0, "Allocated resources:\n  (Total limits may be over 100 percent, i.e., overcommitted.)\n");
	line(d, 1, "Resource\tRequests\tLimits\n");
	line(d, 1, "--------\t--------\t------\n");
	describe_total(d, pods, allocatable, "cpu", true);
	describe_total(d, pods, allocatable, "memory", true);
	describe_total(d, pods, allocatable, "ephemeral-storage", true);
	cJSON **items = obj_sorted(d->arena, allocatable, &n);
	for (size_t i = 0; i < n; i++)
		if (str_starts_with(items[i]->string, "hugepages-"))
			describe_total(d, pods, allocatable, items[i]->string, true);
	for (size_t i = 0; i < n; i++)
		if (!str_starts_with(items[i]->string, "hugepages-") && !is_standard(items[i]->string))
			describe_total(d, pods, allocatable, items[i]->string, false);
}

static void describe_node_pods(struct desc *d, const cJSON *node)
{
	static const struct client_resource pods = {.group = "", .version = "v1", .plural = "pods", .namespaced = true};
	CLEANUP(strbuf_done) struct strbuf query = STRBUF_INIT;
	cJSON *list;
	query_add(&query, "fieldSelector",
		arena_printf(
			d->arena, "spec.nodeName=%s,status.phase!=Succeeded,status.phase!=Failed", obj_name(node)));
	query_add(&query, "limit", "500");
	struct status *s = rest_get(d->k, d->arena, client_path(d->arena, &pods, NULL, NULL, NULL), query.buf, &list);
	if (s) {
		status_drop(s, "the description says that they cannot be seen");
		line(d, 0, "Pods:\tnot authorized\n");
		return;
	}
	describe_pods(d, node, tree_get(list, "items"));
}

static void describe_conditions(struct desc *d, const cJSON *conditions)
{
	if (!tree_size(conditions))
		return;
	line(d, 0, "Conditions:\n  Type\tStatus\tLastHeartbeatTime\tLastTransitionTime\tReason\tMessage\n");
	line(d, 1, "----\t------\t-----------------\t------------------\t------\t-------\n");
	TREE_FOREACH (c, conditions)
		line(d, 1, "%s \t%s \t%s \t%s \t%s \t%s\n", obj_string(c, "type"), obj_string(c, "status"),
			rfc1123(d->arena, obj_string(c, "lastHeartbeatTime")),
			rfc1123(d->arena, obj_string(c, "lastTransitionTime")), obj_string(c, "reason"),
			obj_string(c, "message"));
}

static void describe_system(struct desc *d, const cJSON *info)
{
	static const struct {
		const char *title, *field;
	} rows[] = {{"Machine ID", "machineID"}, {"System UUID", "systemUUID"}, {"Boot ID", "bootID"},
		{"Kernel Version", "kernelVersion"}, {"OS Image", "osImage"}, {"Operating System", "operatingSystem"},
		{"Architecture", "architecture"}, {"Container Runtime Version", "containerRuntimeVersion"},
		{"Kubelet Version", "kubeletVersion"}, {"Kube-Proxy Version", "kubeProxyVersion"}};
	line(d, 0, "System Info:\n");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		line(d, 0, "  %s:\t%s\n", rows[i].title, obj_string(info, rows[i].field));
}

struct status *describe_node(struct desc *d, const cJSON *node)
{
	line(d, 0, "Name:\t%s\n", obj_name(node));
	line(d, 0, "Roles:\t%s\n", roles_of(d, node));
	describe_labels(d, "Labels", obj_at(node, "metadata.labels"));
	describe_annotations(d, "Annotations", obj_at(node, "metadata.annotations"));
	line(d, 0, "CreationTimestamp:\t%s\n", rfc1123(d->arena, obj_string(node, "metadata.creationTimestamp")));
	describe_taints(d, obj_at(node, "spec.taints"));
	line(d, 0, "Unschedulable:\t%s\n", obj_bool(node, "spec.unschedulable") ? "true" : "false");
	describe_lease(d, node);
	describe_conditions(d, obj_at(node, "status.conditions"));
	line(d, 0, "Addresses:\n");
	TREE_FOREACH (address, obj_at(node, "status.addresses"))
		line(d, 1, "%s:\t%s\n", obj_string(address, "type"), obj_string(address, "address"));
	describe_quantities(d, "Capacity", obj_at(node, "status.capacity"));
	describe_quantities(d, "Allocatable", obj_at(node, "status.allocatable"));
	describe_system(d, obj_at(node, "status.nodeInfo"));
	if (*obj_string(node, "spec.podCIDR"))
		line(d, 0, "PodCIDR:\t%s\n", obj_string(node, "spec.podCIDR"));
	if (tree_size(obj_at(node, "spec.podCIDRs")))
		line(d, 0, "PodCIDRs:\t%s\n", join_strings(d->arena, obj_at(node, "spec.podCIDRs"), ","));
	if (*obj_string(node, "spec.providerID"))
		line(d, 0, "ProviderID:\t%s\n", obj_string(node, "spec.providerID"));
	describe_node_pods(d, node);
	describe_events(d, node);
	return NULL;
}
