#include "kubectl/pods.h"

#include "net/url.h"

static const char *const container_lists[] = {"spec.containers", "spec.initContainers", "spec.ephemeralContainers"};

struct status *pod_selector(struct kubectl *k, const cJSON *object, char **ret_selector)
{
	const char *kind = obj_kind(object);
	const cJSON *selector = obj_at(object, "spec.selector");
	if (str_eq(kind, "Service") && !tree_size(selector))
		return user_error("invalid service '%s': Service is defined without a selector", obj_name(object));
	if (!selector)
		return user_error("selector for %s not implemented",
			mapping_kind_group(k->arena, &(struct api_resource){.kind = kind, .rest.group = ""}));
	*ret_selector = obj_format_selector(k->arena, selector, "");
	return NULL;
}

static bool pod_ready(const cJSON *pod)
{
	TREE_FOREACH (condition, obj_at(pod, "status.conditions"))
		if (str_eq(obj_string(condition, "type"), "Ready"))
			return str_eq(obj_string(condition, "status"), "True");
	return false;
}

static int pod_rank(const cJSON *pod)
{
	const char *phase = obj_string(pod, "status.phase");
	int rank = *obj_string(pod, "spec.nodeName") ? 8 : 0;
	rank += str_eq(phase, "Running") ? 4 : str_eq(phase, "Unknown") ? 2 : 0;
	return rank + pod_ready(pod);
}

static int by_rank(const void *a, const void *b)
{
	const cJSON *pa = *(cJSON *const *)a, *pb = *(cJSON *const *)b;
	int rank = pod_rank(pb) - pod_rank(pa);
	if (rank)
		return rank;
	int age = strcmp(obj_string(pa, "metadata.creationTimestamp"), obj_string(pb, "metadata.creationTimestamp"));
	return age ? age : strcmp(obj_name(pa), obj_name(pb));
}

struct status *list_pods(
	struct kubectl *k, const char *namespace, const char *selector, cJSON ***ret_pods, size_t *ret_n)
{
	const struct api_resource *mapping;
	CLEANUP(strbuf_done) struct strbuf query = STRBUF_INIT;
	cJSON *list;
	TRY(mapping_find(k, "pods", &mapping));
	query_add(&query, "labelSelector", selector);
	TRY(rest_get(k, k->arena, rest_path(k->arena, mapping, namespace, NULL, NULL), query.buf, &list));
	*ret_pods = NULL;
	*ret_n = 0;
	TREE_FOREACH (item, tree_get(list, "items")) {
		tree_set_string(k->arena, item, "kind", "Pod");
		tree_set_string(k->arena, item, "apiVersion", "v1");
		ARENA_PUSH(k->arena, *ret_pods, *ret_n) = item;
	}
	if (*ret_n)
		qsort(*ret_pods, *ret_n, sizeof(**ret_pods), by_rank);
	return NULL;
}

struct status *pod_of(struct kubectl *k, const struct info *info, int64_t timeout_ms, cJSON **ret_pod, size_t *ret_n)
{
	char *selector;
	cJSON **pods;
	int64_t deadline = now_ms() + timeout_ms;
	*ret_n = 1;
	*ret_pod = info->object;
	if (str_eq(obj_kind(info->object), "Pod"))
		return NULL;
	TRY(pod_selector(k, info->object, &selector));
	for (;;) {
		TRY(list_pods(k, info->namespace, selector, &pods, ret_n));
		if (*ret_n) {
			*ret_pod = pods[0];
			return NULL;
		}
		if (now_ms() >= deadline)
			return user_error("timed out waiting for the condition");
		sleep_ms(500);
	}
}

struct status *find_pod(
	struct kubectl *k, const struct filename_options *files, const char *arg, int64_t timeout_ms, cJSON **ret_pod)
{
	char *args[] = {arena_strdup(k->arena, str_or_empty(arg))};
	struct infos infos;
	size_t n;
	struct selection sel = {.files = files,
		.args = args,
		.n_args = arg ? 1 : 0,
		.default_type = "pods",
		.flatten = true,
		.latest = true,
		.stop_at_error = true};
	TRY(select_objects(k, &sel, &infos));
	if (infos.n_items != 1)
		return user_error("cannot exec into multiple objects at a time");
	return pod_of(k, &infos.items[0], timeout_ms, ret_pod, &n);
}

const cJSON *pod_container(const cJSON *pod, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(container_lists); i++)
		TREE_FOREACH (container, obj_at(pod, container_lists[i]))
			if (str_eq(obj_string(container, "name"), name))
				return container;
	return NULL;
}

char *pod_container_names(struct arena *arena, const cJSON *pod)
{
	static const char *const order[] = {"spec.containers", "spec.ephemeralContainers", "spec.initContainers"};
	static const char *const suffixes[] = {"", " (ephem)", " (init)"};
	char *text = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		TREE_FOREACH (container, obj_at(pod, order[i]))
			text = arena_printf(arena, "%s%s%s%s", str_or_empty(text), text ? ", " : "",
				obj_string(container, "name"), suffixes[i]);
	return arena_strdup(arena, str_or_empty(text));
}

struct status *choose_container(struct kubectl *k, const cJSON *pod, const char *name, bool quiet, const cJSON **ret)
{
	const char *annotated = obj_annotation(pod, DEFAULT_CONTAINER);
	*ret = NULL;
	if (!str_empty(name)) {
		*ret = pod_container(pod, name);
		return *ret ? NULL : user_error("container %s not found in pod %s", name, obj_name(pod));
	}
	if (*annotated)
		*ret = pod_container(pod, annotated);
	if (*annotated && !*ret && !quiet)
		fprintf(stderr, "Default container name \"%s\" not found in pod %s\n", annotated, obj_name(pod));
	if (*ret)
		return NULL;
	*ret = obj_at(pod, "spec.containers.0");
	if (!*ret)
		return user_error("pod %s/%s does not have any containers", obj_namespace(pod), obj_name(pod));
	bool several = (*ret)->next || tree_size(obj_at(pod, "spec.initContainers")) ||
		       tree_size(obj_at(pod, "spec.ephemeralContainers"));
	if (several && !quiet)
		fprintf(stderr, "Defaulted container \"%s\" out of: %s\n", obj_string(*ret, "name"),
			pod_container_names(k->arena, pod));
	return NULL;
}

char *pod_path(struct kubectl *k, const cJSON *pod, const char *subresource)
{
	static const struct client_resource pods = {.group = "", .version = "v1", .plural = "pods", .namespaced = true};
	return client_path(k->arena, &pods, obj_namespace(pod), obj_name(pod), subresource);
}
