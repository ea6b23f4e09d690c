#include "kubelet/runtime/env.h"

#include <ctype.h>
#include <inttypes.h>
#include "api/quantity.h"
#include "base/encode.h"
#include "base/str.h"
#include "kubelet/node/node.h"
#include "kubelet/objects.h"
#include "kubelet/pod/resources.h"

static const char *lookup(const struct name_values *vars, const struct name_values *more, const char *name)
{
	const char *value = vars ? name_values_get(vars, name) : NULL;
	return value || !more ? value : name_values_get(more, name);
}

/* Handles what follows a '$' at s; returns the characters used, 0 if the '$' stands for itself. *ret_unknown: first
 * unknown name. */
static size_t expand_one(struct arena *arena, const char *s, const struct name_values *vars,
	const struct name_values *more, struct strbuf *out, const char **ret_unknown)
{
	if (s[0] == '$') {
		strbuf_addc(out, '$');
		return 1;
	}
	const char *end = s[0] == '(' ? strchr(s, ')') : NULL;
	if (!end)
		return 0;
	char *name = arena_strndup(arena, s + 1, (size_t)(end - s - 1));
	const char *value = lookup(vars, more, name);
	if (value)
		strbuf_adds(out, value);
	else
		strbuf_printf(out, "$(%s)", name);
	if (!value && !*ret_unknown)
		*ret_unknown = name;
	return (size_t)(end + 1 - s);
}

static char *expand(struct arena *arena, const char *text, const struct name_values *vars,
	const struct name_values *more, const char **ret_unknown)
{
	*ret_unknown = NULL;
	if (!strchr(text, '$'))
		return arena_strdup(arena, text);
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	while (*text) {
		if (*text != '$') {
			strbuf_addc(&out, *text++);
			continue;
		}
		size_t used = expand_one(arena, text + 1, vars, more, &out, ret_unknown);
		if (!used)
			strbuf_addc(&out, '$');
		text += 1 + used;
	}
	return arena_strdup(arena, out.buf);
}

char *env_expand(struct arena *arena, const char *text, const struct name_values *vars, const struct name_values *more)
{
	const char *unknown;
	return expand(arena, text, vars, more, &unknown);
}

char **env_expand_list(struct arena *arena, char *const *list, size_t n, const struct name_values *vars)
{
	char **out = ARENA_ARRAY(arena, char *, n + 1);
	for (size_t i = 0; i < n; i++)
		out[i] = env_expand(arena, list[i], vars, NULL);
	return out;
}

struct status *env_expand_strict(struct arena *arena, const char *text, const struct name_values *vars, char **ret)
{
	const char *unknown;
	*ret = expand(arena, text, vars, NULL, &unknown);
	if (unknown)
		return status_bad_request("missing value for \"%s\"", unknown);
	return NULL;
}

static char *variable_name(struct arena *arena, const char *name)
{
	char *out = arena_strdup(arena, name);
	for (char *p = out; *p; p++)
		*p = *p == '-' ? '_' : (char)toupper((unsigned char)*p);
	return out;
}

static bool service_has_ip(const CoreV1Service *service)
{
	return service->spec && !str_empty(service->spec->cluster_ip) && !str_eq(service->spec->cluster_ip, "None") &&
	       service->spec->n_ports;
}

static void add_link(struct arena *arena, struct name_values *vars, const char *prefix, const char *ip,
	const CoreV1ServicePort *port, bool first)
{
	char *protocol = str_lower(arena, str_or(port->protocol, "TCP"));
	bool v6 = strchr(ip, ':') != NULL;
	char *url = arena_printf(arena, "%s://%s%s%s:%" PRId32, protocol, v6 ? "[" : "", ip, v6 ? "]" : "", port->port);
	char *number = arena_printf(arena, "%" PRId32, port->port);
	if (first)
		name_values_set(arena, vars, arena_printf(arena, "%s_PORT", prefix), url);
	char *base = arena_printf(arena, "%s_PORT_%s_%s", prefix, number, variable_name(arena, protocol));
	name_values_set(arena, vars, base, url);
	name_values_set(arena, vars, arena_printf(arena, "%s_PROTO", base), protocol);
	name_values_set(arena, vars, arena_printf(arena, "%s_PORT", base), number);
	name_values_set(arena, vars, arena_printf(arena, "%s_ADDR", base), ip);
}

void env_add_service(struct arena *arena, struct name_values *vars, const CoreV1Service *service)
{
	if (!service_has_ip(service))
		return;
	const CoreV1ServiceSpec *spec = service->spec;
	char *prefix = variable_name(arena, service->metadata->name);
	char *port_name = arena_printf(arena, "%s_SERVICE_PORT", prefix);
	name_values_set(arena, vars, arena_printf(arena, "%s_SERVICE_HOST", prefix), spec->cluster_ip);
	name_values_set(arena, vars, port_name, arena_printf(arena, "%" PRId32, spec->ports[0]->port));
	for (size_t i = 0; i < spec->n_ports; i++)
		if (!str_empty(spec->ports[i]->name))
			name_values_set(arena, vars,
				arena_printf(arena, "%s_%s", port_name, variable_name(arena, spec->ports[i]->name)),
				arena_printf(arena, "%" PRId32, spec->ports[i]->port));
	for (size_t i = 0; i < spec->n_ports; i++)
		add_link(arena, vars, prefix, spec->cluster_ip, spec->ports[i], i == 0);
}

static void add_services(struct kubelet *k, struct arena *arena, const struct pod *pod, struct name_values *vars)
{
	if (!k->services)
		return;
	const CoreV1PodSpec *spec = pod_spec(pod);
	bool links = !spec->has_enable_service_links || spec->enable_service_links;
	size_t n;
	if (links) {
		const void *const *items = informer_list(k->services, arena, pod->namespace, &n);
		for (size_t i = 0; i < n; i++)
			env_add_service(arena, vars, items[i]);
	}
	if (links && str_eq(pod->namespace, "default"))
		return;
	/* The way to the API is told to every pod; a service of that name in its own namespace goes before it. */
	const CoreV1Service *master = informer_get(k->services, arena, "default", "kubernetes");
	if (master && !name_values_get(vars, "KUBERNETES_SERVICE_HOST"))
		env_add_service(arena, vars, master);
}

char *env_format_map(struct arena *arena, MapStringEntry *const *entries, size_t n)
{
	char **lines = ARENA_ARRAY(arena, char *, n + 1);
	for (size_t i = 0; i < n; i++) {
		CLEANUP(strbuf_done) struct strbuf line = STRBUF_INIT;
		strbuf_printf(&line, "%s=\"", entries[i]->key);
		for (const char *p = entries[i]->value; *p; p++) {
			if (*p == '"' || *p == '\\')
				strbuf_printf(&line, "\\%c", *p);
			else if (*p == '\n')
				strbuf_adds(&line, "\\n");
			else if (*p == '\t')
				strbuf_adds(&line, "\\t");
			else if (*p == '\r')
				strbuf_adds(&line, "\\r");
			else
				strbuf_addc(&line, *p);
		}
		strbuf_addc(&line, '"');
		lines[i] = arena_strdup(arena, line.buf);
	}
	if (n)
		qsort(lines, n, sizeof(lines[0]), str_cmp_qsort);
	return str_join(arena, lines, n, "\n");
}

/* metadata.labels['x'] and metadata.annotations['x']: the key between the quotes; NULL if the path is not of that form.
 */
static char *subscript(struct arena *arena, const char *path, const char *prefix)
{
	size_t len = strlen(prefix), size = strlen(path);
	if (!str_starts_with(path, prefix) || size < len + 4 || strncmp(path + len, "['", 2) ||
		strcmp(path + size - 2, "']"))
		return NULL;
	return arena_strndup(arena, path + len + 2, size - len - 4);
}

static const char *map_value(MapStringEntry *const *entries, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(entries[i]->key, key))
			return entries[i]->value;
	return "";
}

struct status *env_pod_field(struct kubelet *k, struct arena *arena, const struct pod *pod, const char *path,
	const char *const *pod_ips, size_t n_pod_ips, char **ret)
{
	const MetaV1ObjectMeta *meta = pod->api->metadata;
	const CoreV1PodSpec *spec = pod_spec(pod);
	char *key;
	if (str_eq(path, "metadata.name"))
		*ret = arena_strdup(arena, pod->name);
	else if (str_eq(path, "metadata.namespace"))
		*ret = arena_strdup(arena, pod->namespace);
	else if (str_eq(path, "metadata.uid"))
		*ret = arena_strdup(arena, pod->uid);
	else if (str_eq(path, "metadata.labels"))
		*ret = env_format_map(arena, meta->labels, meta->n_labels);
	else if (str_eq(path, "metadata.annotations"))
		*ret = env_format_map(arena, meta->annotations, meta->n_annotations);
	else if ((key = subscript(arena, path, "metadata.labels")))
		*ret = arena_strdup(arena, map_value(meta->labels, meta->n_labels, key));
	else if ((key = subscript(arena, path, "metadata.annotations")))
		*ret = arena_strdup(arena, map_value(meta->annotations, meta->n_annotations, key));
	else if (str_eq(path, "spec.nodeName"))
		*ret = arena_strdup(arena, spec->node_name);
	else if (str_eq(path, "spec.serviceAccountName"))
		*ret = arena_strdup(arena, spec->service_account_name);
	else if (str_eq(path, "status.hostIP") || str_eq(path, "status.hostIPs"))
		*ret = arena_strdup(arena, node_ip(k->node));
	else if (str_eq(path, "status.podIP"))
		*ret = arena_strdup(arena, n_pod_ips ? pod_ips[0] : "");
	else if (str_eq(path, "status.podIPs"))
		*ret = str_join(arena, (char *const *)pod_ips, n_pod_ips, ",");
	else
		return status_bad_request("unsupported fieldPath: %s", path);
	return NULL;
}

static int64_t divide_up(int64_t value, int64_t divisor)
{
	if (divisor <= 0)
		divisor = 1;
	return value / divisor + (value % divisor > 0);
}

struct status *env_resource_field(struct kubelet *k, struct arena *arena, const struct pod *pod,
	const CoreV1Container *c, const CoreV1ResourceFieldSelector *selector, char **ret)
{
	if (!str_empty(selector->container_name)) {
		c = pod_container(pod, selector->container_name);
		if (!c)
			return status_bad_request("container %s not found", selector->container_name);
	}
	bool is_limit = str_starts_with(selector->resource, "limits.");
	if (!is_limit && !str_starts_with(selector->resource, "requests."))
		return status_bad_request("unsupported container resource : %s", selector->resource);
	const char *name = strchr(selector->resource, '.') + 1;
	bool cpu = str_eq(name, "cpu");
	if (!cpu && !str_eq(name, "memory") && !str_eq(name, "ephemeral-storage") &&
		!str_starts_with(name, "hugepages-"))
		return status_bad_request("unsupported container resource : %s", selector->resource);
	int64_t value = 0;
	bool found = false;
	if (c->resources) {
		MapQuantityEntry *const *list = is_limit ? c->resources->limits : c->resources->requests;
		size_t n = is_limit ? c->resources->n_limits : c->resources->n_requests;
		found = (cpu ? resource_milli : resource_value)(list, n, name, &value);
	}
	/* A limit that is not set is what the node has to give. */
	if (is_limit && (!found || !value))
		value = node_allocatable(k->node, name, cpu);
	int64_t divisor = cpu ? 1000 : 1;
	if (selector->divisor) {
		int64_t given = cpu ? quantity_msg_milli(selector->divisor) : quantity_msg_value(selector->divisor);
		divisor = given ? given : divisor;
	}
	*ret = arena_printf(arena, "%" PRId64, divide_up(value, divisor));
	return NULL;
}

/* What envFrom and valueFrom ask of the apiserver, read once for a container. */
struct env_sources {
	struct kubelet *k;
	struct arena *arena;
	const struct pod *pod;
	const CoreV1ConfigMap **maps;
	size_t n_maps;
	const CoreV1Secret **secrets;
	size_t n_secrets;
};

/* *ret NULL without an error: absent and optional. */
static struct status *get_config_map(
	struct env_sources *s, const char *name, bool optional, const CoreV1ConfigMap **ret)
{
	for (size_t i = 0; i < s->n_maps; i++)
		if (str_eq(s->maps[i]->metadata->name, name)) {
			*ret = s->maps[i];
			return NULL;
		}
	*ret = NULL;
	struct status *error = objects_config_map(s->k->objects, s->arena, s->pod->namespace, name, ret);
	if (status_is(error, STATUS_NOT_FOUND) && optional) {
		status_drop(error, "optional");
		return NULL;
	}
	if (!error)
		ARENA_PUSH(s->arena, s->maps, s->n_maps) = *ret;
	return error;
}

static struct status *get_secret(struct env_sources *s, const char *name, bool optional, const CoreV1Secret **ret)
{
	for (size_t i = 0; i < s->n_secrets; i++)
		if (str_eq(s->secrets[i]->metadata->name, name)) {
			*ret = s->secrets[i];
			return NULL;
		}
	*ret = NULL;
	struct status *error = objects_secret(s->k->objects, s->arena, s->pod->namespace, name, ret);
	if (status_is(error, STATUS_NOT_FOUND) && optional) {
		status_drop(error, "optional");
		return NULL;
	}
	if (!error)
		ARENA_PUSH(s->arena, s->secrets, s->n_secrets) = *ret;
	return error;
}

static const char *reference_name(const CoreV1LocalObjectReference *ref)
{
	return ref ? ref->name : "";
}

static struct status *add_env_from(struct env_sources *s, const CoreV1EnvFromSource *from, struct name_values *vars)
{
	if (from->config_map_ref) {
		const CoreV1ConfigMap *map;
		TRY(get_config_map(s, reference_name(from->config_map_ref->local_object_reference),
			from->config_map_ref->has_optional && from->config_map_ref->optional, &map));
		for (size_t i = 0; map && i < map->n_data; i++)
			name_values_set(s->arena, vars, arena_printf(s->arena, "%s%s", from->prefix, map->data[i]->key),
				map->data[i]->value);
	} else if (from->secret_ref) {
		const CoreV1Secret *secret;
		TRY(get_secret(s, reference_name(from->secret_ref->local_object_reference),
			from->secret_ref->has_optional && from->secret_ref->optional, &secret));
		for (size_t i = 0; secret && i < secret->n_data; i++)
			name_values_set(s->arena, vars,
				arena_printf(s->arena, "%s%s", from->prefix, secret->data[i]->key),
				arena_strndup(s->arena, (const char *)secret->data[i]->value.data,
					secret->data[i]->value.len));
	}
	return NULL;
}

/* The two key selectors; *ret NULL: optional and not there. */
static struct status *map_key(struct env_sources *s, const CoreV1ConfigMapKeySelector *ref, char **ret)
{
	bool optional = ref->has_optional && ref->optional;
	const char *name = reference_name(ref->local_object_reference);
	const CoreV1ConfigMap *map;
	*ret = NULL;
	TRY(get_config_map(s, name, optional, &map));
	for (size_t i = 0; map && i < map->n_data; i++)
		if (str_eq(map->data[i]->key, ref->key)) {
			*ret = map->data[i]->value;
			return NULL;
		}
	if (optional)
		return NULL;
	return status_bad_request("couldn't find key %s in ConfigMap %s/%s", ref->key, s->pod->namespace, name);
}

static struct status *secret_key(struct env_sources *s, const CoreV1SecretKeySelector *ref, char **ret)
{
	bool optional = ref->has_optional && ref->optional;
	const char *name = reference_name(ref->local_object_reference);
	const CoreV1Secret *secret;
	*ret = NULL;
	TRY(get_secret(s, name, optional, &secret));
	for (size_t i = 0; secret && i < secret->n_data; i++)
		if (str_eq(secret->data[i]->key, ref->key)) {
			const ProtobufCBinaryData *value = &secret->data[i]->value;
			*ret = arena_strndup(s->arena, (const char *)value->data, value->len);
			return NULL;
		}
	if (optional)
		return NULL;
	return status_bad_request("couldn't find key %s in Secret %s/%s", ref->key, s->pod->namespace, name);
}

struct status *env_make(struct kubelet *k, struct arena *arena, const struct pod *pod, const CoreV1Container *c,
	const char *const *pod_ips, size_t n_pod_ips, struct name_values *ret)
{
	struct env_sources s = {.k = k, .arena = arena, .pod = pod};
	struct name_values vars = {0}, services = {0};
	if (!pod->is_static && k->services && !informer_has_synced(k->services))
		return status_new(
			STATUS_UNAVAILABLE, "services have not yet been read at least once, cannot construct envvars");
	add_services(k, arena, pod, &services);
	for (size_t i = 0; i < c->n_env_from; i++)
		TRY(add_env_from(&s, c->env_from[i], &vars));
	for (size_t i = 0; i < c->n_env; i++) {
		const CoreV1EnvVar *env = c->env[i];
		const CoreV1EnvVarSource *from = env->value_from;
		char *value = arena_strdup(arena, "");
		if (!str_empty(env->value))
			value = env_expand(arena, env->value, &vars, &services);
		else if (from && from->field_ref)
			TRY(env_pod_field(k, arena, pod, from->field_ref->field_path, pod_ips, n_pod_ips, &value));
		else if (from && from->resource_field_ref)
			TRY(env_resource_field(k, arena, pod, c, from->resource_field_ref, &value));
		else if (from && from->config_map_key_ref)
			TRY(map_key(&s, from->config_map_key_ref, &value));
		else if (from && from->secret_key_ref)
			TRY(secret_key(&s, from->secret_key_ref, &value));
		if (value)
			name_values_set(arena, &vars, env->name, value);
	}
	for (size_t i = 0; i < services.n_items; i++)
		if (!name_values_get(&vars, services.items[i].name))
			name_values_add(arena, &vars, services.items[i].name, services.items[i].value);
	*ret = vars;
	return NULL;
}
