#include "base/encode.h"
#include "kubectl/describe/describe.h"
#include "net/url.h"

#define ENDPOINTS_SHOWN 3

static struct status *list_in(struct desc *d, const char *group, const char *version, const char *plural,
	const char *namespace, const char *selector, cJSON **ret)
{
	struct client_resource resource = {.group = group, .version = version, .plural = plural, .namespaced = true};
	CLEANUP(strbuf_done) struct strbuf query = STRBUF_INIT;
	query_add(&query, "labelSelector", selector);
	return rest_get(d->k, d->arena, client_path(d->arena, &resource, namespace, NULL, NULL), query.buf, ret);
}

static void describe_quotas(struct desc *d, const cJSON *quotas)
{
	if (!tree_size(quotas)) {
		line(d, 0, "No resource quota.\n");
		return;
	}
	line(d, 0, "Resource Quotas\n");
	TREE_FOREACH (quota, quotas) {
		size_t n;
		cJSON **items = obj_sorted(d->arena, obj_at(quota, "status.hard"), &n);
		line(d, 1, "Name:\t%s\n", obj_name(quota));
		if (tree_size(obj_at(quota, "spec.scopes")))
			line(d, 1, "Scopes:\t%s\n", join_strings(d->arena, obj_at(quota, "spec.scopes"), ", "));
		line(d, 1, "Resource\tUsed\tHard\n");
		line(d, 1, "--------\t---\t---\n");
		for (size_t i = 0; i < n; i++) {
			const cJSON *used = tree_get(obj_at(quota, "status.used"), items[i]->string);
			line(d, 1, "%s\t%s\t%s\n", items[i]->string, used ? obj_text(d->arena, used) : "0",
				obj_text(d->arena, items[i]));
		}
	}
}

static const char *limit_of(struct desc *d, const cJSON *limit, const char *list, const char *name)
{
	const cJSON *value = tree_get(tree_get(limit, list), name);
	return value ? obj_text(d->arena, value) : "-";
}

static void describe_limit(struct desc *d, const cJSON *limit)
{
	static const char *const order[] = {"min", "max", "defaultRequest", "default", "maxLimitRequestRatio"};
	cJSON *names = tree_new_object(d->arena);
	size_t n;
	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		TREE_FOREACH (item, tree_get(limit, order[i]))
			tree_set(d->arena, names, item->string, tree_new_null(d->arena));
	cJSON **items = obj_sorted(d->arena, names, &n);
	for (size_t i = 0; i < n; i++) {
		line(d, 0, " %s\t%s", obj_string(limit, "type"), items[i]->string);
		for (size_t j = 0; j < ARRAY_SIZE(order); j++)
			line(d, 0, "\t%s", limit_of(d, limit, order[j], items[i]->string));
		line(d, 0, "\n");
	}
}

static void describe_limits(struct desc *d, const cJSON *ranges)
{
	if (!tree_size(ranges)) {
		line(d, 0, "No LimitRange resource.\n");
		return;
	}
	line(d, 0,
		"Resource Limits\n Type\tResource\tMin\tMax\tDefault Request\tDefault Limit\tMax Limit/Request "
		"Ratio\n");
	line(d, 0, " ----\t--------\t---\t---\t---------------\t-------------\t-----------------------\n");
	TREE_FOREACH (range, ranges)
		TREE_FOREACH (limit, obj_at(range, "spec.limits"))
			describe_limit(d, limit);
}

struct status *describe_namespace(struct desc *d, const cJSON *o)
{
	cJSON *quotas, *ranges;
	line(d, 0, "Name:\t%s\n", obj_name(o));
	describe_labels(d, "Labels", obj_at(o, "metadata.labels"));
	describe_annotations(d, "Annotations", obj_at(o, "metadata.annotations"));
	line(d, 0, "Status:\t%s\n", obj_string(o, "status.phase"));
	if (tree_size(obj_at(o, "status.conditions"))) {
		line(d, 0, "Conditions:\n");
		line(d, 1, "Type\tStatus\tLastTransitionTime\tReason\tMessage\n");
		line(d, 1, "----\t------\t------------------\t------\t-------\n");
	}
	TREE_FOREACH (c, obj_at(o, "status.conditions"))
		line(d, 1, "%s\t%s\t%s\t%s\t%s\n", obj_string(c, "type"), obj_string(c, "status"),
			rfc1123(d->arena, obj_string(c, "lastTransitionTime")), obj_string(c, "reason"),
			obj_string(c, "message"));
	struct status *s = list_in(d, "", "v1", "resourcequotas", obj_name(o), NULL, &quotas);
	if (!s) {
		line(d, 0, "\n");
		describe_quotas(d, tree_get(quotas, "items"));
	} else {
		status_drop(s, "shown when it can be read");
	}
	s = list_in(d, "", "v1", "limitranges", obj_name(o), NULL, &ranges);
	if (!s) {
		line(d, 0, "\n");
		describe_limits(d, tree_get(ranges, "items"));
	} else {
		status_drop(s, "shown when it can be read");
	}
	return NULL;
}

struct shown {
	char *text;
	int n, ready;
};

static void add_endpoint(struct desc *d, struct shown *s, const cJSON *endpoint, const char *port)
{
	const char *address = obj_string(endpoint, "addresses.0");
	const cJSON *ready = obj_at(endpoint, "conditions.ready");
	if (cJSON_IsFalse(ready))
		return;
	if (s->ready++ >= ENDPOINTS_SHOWN)
		return;
	bool v6 = strchr(address, ':') && *port;
	s->text = arena_printf(d->arena, "%s%s%s%s%s%s%s", str_or_empty(s->text), s->text ? "," : "", v6 ? "[" : "",
		address, v6 ? "]" : "", *port ? ":" : "", port);
}

static const char *endpoints_of(struct desc *d, const cJSON *slices, const char *port_name)
{
	struct shown s = {0};
	if (!tree_size(slices))
		return "<none>";
	TREE_FOREACH (slice, slices) {
		const cJSON *ports = tree_get(slice, "ports"), *endpoints = tree_get(slice, "endpoints");
		if (!tree_size(ports))
			TREE_FOREACH (endpoint, endpoints)
				add_endpoint(d, &s, endpoint, "");
		TREE_FOREACH (port, ports) {
			if (!str_eq(obj_string(port, "name"), port_name))
				continue;
			TREE_FOREACH (endpoint, endpoints)
				add_endpoint(d, &s, endpoint, text_of(d, port, "port", ""));
		}
	}
	if (s.ready > ENDPOINTS_SHOWN)
		return arena_printf(d->arena, "%s + %d more...", s.text, s.ready - ENDPOINTS_SHOWN);
	return str_or_empty(s.text);
}

static void describe_port(struct desc *d, const cJSON *port, const cJSON *slices)
{
	const char *name = str_or(obj_string(port, "name"), "<unset>"), *protocol = obj_string(port, "protocol");
	line(d, 0, "Port:\t%s\t%s/%s\n", name, text_of(d, port, "port", "0"), protocol);
	line(d, 0, "TargetPort:\t%s/%s\n", text_of(d, port, "targetPort", "0"), protocol);
	if (obj_int(port, "nodePort", 0))
		line(d, 0, "NodePort:\t%s\t%s/%s\n", name, text_of(d, port, "nodePort", ""), protocol);
	line(d, 0, "Endpoints:\t%s\n", endpoints_of(d, slices, obj_string(port, "name")));
}

static void describe_ingress(struct desc *d, const cJSON *ingress)
{
	char *text = NULL;
	TREE_FOREACH (i, ingress) {
		const char *ip = obj_string(i, "ip");
		text = arena_printf(
			d->arena, "%s%s%s", str_or_empty(text), text ? ", " : "", *ip ? ip : obj_string(i, "hostname"));
		if (*ip && *obj_string(i, "ipMode"))
			text = arena_printf(d->arena, "%s (%s)", text, obj_string(i, "ipMode"));
	}
	if (text)
		line(d, 0, "LoadBalancer Ingress:\t%s\n", text);
}

struct status *describe_service(struct desc *d, const cJSON *o)
{
	const cJSON *spec = tree_get(o, "spec");
	cJSON *slices = NULL;
	struct status *s = list_in(d, "discovery.k8s.io", "v1", "endpointslices", obj_namespace(o),
		arena_printf(d->arena, "kubernetes.io/service-name=%s", obj_name(o)), &slices);
	status_drop(s, "shown without endpoints when they cannot be read");
	if (s)
		slices = NULL;
	describe_head(d, o);
	line(d, 0, "Selector:\t%s\n", obj_format_map(d->arena, tree_get(spec, "selector"), "<none>"));
	line(d, 0, "Type:\t%s\n", obj_string(spec, "type"));
	if (obj_has(spec, "ipFamilyPolicy"))
		line(d, 0, "IP Family Policy:\t%s\n", obj_string(spec, "ipFamilyPolicy"));
	line(d, 0, "IP Families:\t%s\n", str_or(join_strings(d->arena, tree_get(spec, "ipFamilies"), ","), "<none>"));
	line(d, 0, "IP:\t%s\n", obj_string(spec, "clusterIP"));
	line(d, 0, "IPs:\t%s\n", str_or(join_strings(d->arena, tree_get(spec, "clusterIPs"), ","), "<none>"));
	if (tree_size(tree_get(spec, "externalIPs")))
		line(d, 0, "External IPs:\t%s\n", join_strings(d->arena, tree_get(spec, "externalIPs"), ","));
	if (*obj_string(spec, "loadBalancerIP"))
		line(d, 0, "Desired LoadBalancer IP:\t%s\n", obj_string(spec, "loadBalancerIP"));
	if (*obj_string(spec, "externalName"))
		line(d, 0, "External Name:\t%s\n", obj_string(spec, "externalName"));
	describe_ingress(d, obj_at(o, "status.loadBalancer.ingress"));
	TREE_FOREACH (port, tree_get(spec, "ports"))
		describe_port(d, port, tree_get(slices, "items"));
	line(d, 0, "Session Affinity:\t%s\n", obj_string(spec, "sessionAffinity"));
	if (*obj_string(spec, "externalTrafficPolicy"))
		line(d, 0, "External Traffic Policy:\t%s\n", obj_string(spec, "externalTrafficPolicy"));
	if (*obj_string(spec, "internalTrafficPolicy"))
		line(d, 0, "Internal Traffic Policy:\t%s\n", obj_string(spec, "internalTrafficPolicy"));
	if (obj_int(spec, "healthCheckNodePort", 0))
		line(d, 0, "HealthCheck NodePort:\t%s\n", text_of(d, spec, "healthCheckNodePort", ""));
	if (tree_size(tree_get(spec, "loadBalancerSourceRanges")))
		line(d, 0, "LoadBalancer Source Ranges:\t%s\n",
			join_strings(d->arena, tree_get(spec, "loadBalancerSourceRanges"), ","));
	if (*obj_string(spec, "trafficDistribution"))
		line(d, 0, "Traffic Distribution:\t%s\n", obj_string(spec, "trafficDistribution"));
	describe_events(d, o);
	return NULL;
}

static const char *addresses_of(struct desc *d, const cJSON *list)
{
	char *text = NULL;
	TREE_FOREACH (address, list)
		text = arena_printf(d->arena, "%s%s%s", str_or_empty(text), text ? "," : "", obj_string(address, "ip"));
	return str_or(text, "<none>");
}

struct status *describe_endpoints(struct desc *d, const cJSON *o)
{
	describe_head(d, o);
	line(d, 0, "Subsets:\n");
	TREE_FOREACH (subset, tree_get(o, "subsets")) {
		line(d, 1, "Addresses:\t%s\n", addresses_of(d, tree_get(subset, "addresses")));
		line(d, 1, "NotReadyAddresses:\t%s\n", addresses_of(d, tree_get(subset, "notReadyAddresses")));
		if (tree_size(tree_get(subset, "ports"))) {
			line(d, 1, "Ports:\n");
			line(d, 2, "Name\tPort\tProtocol\n");
			line(d, 2, "----\t----\t--------\n");
		}
		TREE_FOREACH (port, tree_get(subset, "ports"))
			line(d, 2, "%s\t%s\t%s\n", str_or(obj_string(port, "name"), "<unset>"),
				text_of(d, port, "port", "0"), obj_string(port, "protocol"));
		line(d, 0, "\n");
	}
	describe_events(d, o);
	return NULL;
}

static size_t decoded_size(struct desc *d, const cJSON *value)
{
	const char *text = str_or_empty(tree_string(value));
	uint8_t *data;
	size_t size = 0;
	return base64_decode(d->arena, text, strlen(text), &data, &size) ? size : 0;
}

struct status *describe_config_map(struct desc *d, const cJSON *o)
{
	size_t n;
	describe_head(d, o);
	line(d, 0, "\nData\n====\n");
	cJSON **items = obj_sorted(d->arena, tree_get(o, "data"), &n);
	for (size_t i = 0; i < n; i++)
		line(d, 0, "%s:\n----\n%s\n\n", items[i]->string, str_or_empty(tree_string(items[i])));
	line(d, 0, "\nBinaryData\n====\n");
	items = obj_sorted(d->arena, tree_get(o, "binaryData"), &n);
	for (size_t i = 0; i < n; i++)
		line(d, 0, "%s: %zu bytes\n", items[i]->string, decoded_size(d, items[i]));
	line(d, 0, "\n");
	describe_events(d, o);
	return NULL;
}

struct status *describe_secret(struct desc *d, const cJSON *o)
{
	size_t n;
	bool is_token = str_eq(obj_string(o, "type"), "kubernetes.io/service-account-token");
	describe_head(d, o);
	line(d, 0, "\nType:\t%s\n", obj_string(o, "type"));
	line(d, 0, "\nData\n====\n");
	cJSON **items = obj_sorted(d->arena, tree_get(o, "data"), &n);
	for (size_t i = 0; i < n; i++) {
		uint8_t *data;
		size_t size;
		const char *text = str_or_empty(tree_string(items[i]));
		if (is_token && str_eq(items[i]->string, "token") &&
			base64_decode(d->arena, text, strlen(text), &data, &size))
			line(d, 0, "token:\t%.*s\n", (int)size, (char *)data);
		else
			line(d, 0, "%s:\t%zu bytes\n", items[i]->string, decoded_size(d, items[i]));
	}
	return NULL;
}

static void describe_names(struct desc *d, const char *title, const cJSON *list)
{
	if (!tree_size(list))
		line(d, 0, "%s\t<none>\n", title);
	TREE_FOREACH (item, list)
		line(d, 0, "%s\t%s\n", item == list->child ? title : "                   ", obj_string(item, "name"));
}

struct status *describe_service_account(struct desc *d, const cJSON *o)
{
	cJSON *secrets, *tokens = tree_new_array(d->arena);
	struct status *s = list_in(d, "", "v1", "secrets", obj_namespace(o), NULL, &secrets);
	status_drop(s, "shown without tokens when secrets cannot be read");
	TREE_FOREACH (secret, s ? NULL : tree_get(secrets, "items")) {
		if (!str_eq(obj_string(secret, "type"), "kubernetes.io/service-account-token") ||
			!str_eq(obj_annotation(secret, "kubernetes.io/service-account.name"), obj_name(o)))
			continue;
		cJSON *entry = tree_new_object(d->arena);
		tree_set_string(d->arena, entry, "name", obj_name(secret));
		tree_append(tokens, entry);
	}
	describe_head(d, o);
	describe_names(d, "Image pull secrets:", tree_get(o, "imagePullSecrets"));
	describe_names(d, "Mountable secrets: ", tree_get(o, "secrets"));
	describe_names(d, "Tokens:            ", tokens);
	describe_events(d, o);
	return NULL;
}
