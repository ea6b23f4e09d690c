/*
 * The environment of a container, and what can be read of the pod itself.
 */
#include "api/quantity.h"
#include "apiserver/validation/meta.h"
#include "apiserver/validation/pod/pod.h"
#include "apiserver/validation/pod/volume.h"
#include "base/mem.h"
#include "base/str.h"

static void check_key(struct field_errors *errors, const struct field_path *path, const char *key)
{
	if (str_empty(key))
		field_required(errors, FIELD(path, "key"), "");
	else
		validate_text(errors, FIELD(path, "key"), key, check_config_key(errors->arena, key));
}

/* The name of a key's object is checked as a name, an empty one too. */
static void check_key_ref_name(
	struct field_errors *errors, const struct field_path *path, const CoreV1LocalObjectReference *ref)
{
	const char *name = ref ? str_or_empty(ref->name) : "";
	validate_text(errors, FIELD(path, "name"), name, check_dns_subdomain(errors->arena, name));
}

static void check_source_name(
	struct field_errors *errors, const struct field_path *path, const CoreV1LocalObjectReference *ref)
{
	const char *name = ref ? str_or_empty(ref->name) : "";
	if (!*name)
		field_required(errors, FIELD(path, "name"), "");
	else
		validate_text(errors, FIELD(path, "name"), name, name_is_dns_subdomain(errors->arena, name, true));
}

/* metadata.labels['x']: the part before and what is within; false for a path without. */
static bool split_subscript(struct arena *arena, const char *path, char **ret_path, char **ret_subscript)
{
	const char *open = strstr(path, "['");
	if (!open || open == path || !str_ends_with(path, "']") || strlen(open) < 4)
		return false;
	*ret_path = arena_strndup(arena, path, (size_t)(open - path));
	*ret_subscript = arena_strndup(arena, open + 2, strlen(open) - 4);
	return true;
}

static bool is_known_label(struct arena *arena, const char *path)
{
	static const char *const known[] = {"metadata.annotations", "metadata.labels", "metadata.name",
		"metadata.namespace", "metadata.uid", "spec.nodeName", "spec.restartPolicy", "spec.serviceAccountName",
		"spec.schedulerName", "status.phase", "status.hostIP", "status.hostIPs", "status.podIP",
		"status.podIPs", "spec.host", NULL};
	char *whole, *subscript;
	if (split_subscript(arena, path, &whole, &subscript))
		return str_eq(whole, "metadata.annotations") || str_eq(whole, "metadata.labels");
	return str_in(path, known);
}

static const char *conversion_error(struct arena *arena, const CoreV1ObjectFieldSelector *ref)
{
	char *whole, *subscript;
	if (!str_eq(ref->api_version, "v1"))
		return arena_printf(arena, "unsupported pod version: %s", ref->api_version);
	if (is_known_label(arena, ref->field_path))
		return NULL;
	if (split_subscript(arena, ref->field_path, &whole, &subscript))
		return arena_printf(arena, "field label does not support subscript: %s", ref->field_path);
	return arena_printf(arena, "field label not supported: %s", ref->field_path);
}

void validate_field_ref(struct field_errors *errors, const struct field_path *path,
	const CoreV1ObjectFieldSelector *ref, const char *const *allowed)
{
	char *whole, *subscript;
	if (str_empty(ref->api_version)) {
		field_required(errors, FIELD(path, "apiVersion"), "");
		return;
	}
	if (str_empty(ref->field_path)) {
		field_required(errors, FIELD(path, "fieldPath"), "");
		return;
	}
	const char *problem = conversion_error(errors->arena, ref);
	if (problem) {
		field_invalid(errors, FIELD(path, "fieldPath"), ref->field_path,
			arena_printf(errors->arena, "error converting fieldPath: %s", problem));
		return;
	}
	const char *converted = str_eq(ref->field_path, "spec.host") ? "spec.nodeName" : ref->field_path;
	if (split_subscript(errors->arena, converted, &whole, &subscript)) {
		const char *key =
			str_eq(whole, "metadata.annotations") ? str_lower(errors->arena, subscript) : subscript;
		validate_text(errors, path, key, check_qualified_name(errors->arena, key));
	} else if (!str_in(converted, allowed)) {
		field_unsupported(errors, FIELD(path, "fieldPath"), converted, allowed);
	}
}

static void check_divisor(struct field_errors *errors, const struct field_path *path, const char *resource,
	const ResourceQuantity *divisor)
{
	static const char *const cpu[] = {"1m", "1", NULL};
	static const char *const bytes[] = {
		"1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei", NULL};
	struct quantity q = quantity_of(divisor);
	const char *text = divisor ? quantity_format(errors->arena, &q) : "";
	const char *dot = strchr(resource, '.'), *what = NULL;
	if (!divisor || !quantity_sign(&q) || !dot)
		return;
	if (!strcmp(dot, ".cpu")) {
		if (!str_in(text, cpu))
			field_invalid(errors, FIELD(path, "divisor"), resource,
				"only divisor's values 1m and 1 are supported with the cpu resource");
		return;
	}
	if (!strcmp(dot, ".memory"))
		what = "memory";
	else if (!strcmp(dot, ".ephemeral-storage"))
		what = "local ephemeral storage";
	else if (str_starts_with(dot, ".hugepages-"))
		what = "hugepages";
	if (what && !str_in(text, bytes))
		field_invalid(errors, FIELD(path, "divisor"), resource,
			arena_printf(errors->arena,
				"only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are "
				"supported "
				"with the %s resource",
				what));
}

void validate_resource_ref(struct field_errors *errors, const struct field_path *path,
	const CoreV1ResourceFieldSelector *ref, bool of_volume)
{
	static const char *const resources[] = {"limits.cpu", "limits.ephemeral-storage", "limits.memory",
		"requests.cpu", "requests.ephemeral-storage", "requests.memory", NULL};
	const char *resource = str_or_empty(ref->resource);
	bool huge = str_starts_with(resource, "limits.hugepages-") || str_starts_with(resource, "requests.hugepages-");
	if (of_volume && str_empty(ref->container_name))
		field_required(errors, FIELD(path, "containerName"), "");
	else if (!*resource)
		field_required(errors, FIELD(path, "resource"), "");
	else if (!str_in(resource, resources) && !huge)
		field_unsupported_json(
			errors, FIELD(path, "resource"), field_quote(errors->arena, resource), resources);
	check_divisor(errors, path, resource, ref->divisor);
}

static void check_value_from(struct field_errors *errors, const struct field_path *path, const CoreV1EnvVar *env)
{
	static const char *const paths[] = {"metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName",
		"spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs", NULL};
	const CoreV1EnvVarSource *s = env->value_from;
	int n = !!s->field_ref + !!s->resource_field_ref + !!s->config_map_key_ref + !!s->secret_key_ref;
	if (s->field_ref)
		validate_field_ref(errors, FIELD(path, "fieldRef"), s->field_ref, paths);
	if (s->resource_field_ref)
		validate_resource_ref(errors, FIELD(path, "resourceFieldRef"), s->resource_field_ref, false);
	if (s->config_map_key_ref) {
		const struct field_path *at = FIELD(path, "configMapKeyRef");
		check_key_ref_name(errors, at, s->config_map_key_ref->local_object_reference);
		check_key(errors, at, s->config_map_key_ref->key);
	}
	if (s->secret_key_ref) {
		const struct field_path *at = FIELD(path, "secretKeyRef");
		check_key_ref_name(errors, at, s->secret_key_ref->local_object_reference);
		check_key(errors, at, s->secret_key_ref->key);
	}
	if (!n)
		field_invalid(errors, path, "",
			"must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`");
	else if (!str_empty(env->value))
		field_invalid(errors, path, "", "may not be specified when `value` is not empty");
	else if (n > 1)
		field_invalid(errors, path, "", "may not have more than one field specified at a time");
}

static void check_env_from(
	struct field_errors *errors, const struct field_path *path, CoreV1EnvFromSource *const *from, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct field_path *at = FIELD_INDEX(path, i);
		if (!str_empty(from[i]->prefix))
			validate_text(errors, FIELD(at, "prefix"), from[i]->prefix,
				check_env_name(errors->arena, from[i]->prefix));
		if (from[i]->config_map_ref)
			check_source_name(
				errors, FIELD(at, "configMapRef"), from[i]->config_map_ref->local_object_reference);
		if (from[i]->secret_ref)
			check_source_name(errors, FIELD(at, "secretRef"), from[i]->secret_ref->local_object_reference);
		if (!from[i]->config_map_ref && !from[i]->secret_ref)
			field_invalid(errors, path, "", "must specify one of: `configMapRef` or `secretRef`");
		else if (from[i]->config_map_ref && from[i]->secret_ref)
			field_invalid(errors, path, "", "may not have more than one field specified at a time");
	}
}

void validate_env(struct field_errors *errors, const struct field_path *path, const CoreV1Container *c)
{
	for (size_t i = 0; i < c->n_env; i++) {
		const CoreV1EnvVar *env = c->env[i];
		const struct field_path *at = FIELD_INDEX(FIELD(path, "env"), i);
		if (str_empty(env->name))
			field_required(errors, FIELD(at, "name"), "");
		else
			validate_text(errors, FIELD(at, "name"), env->name, check_env_name(errors->arena, env->name));
		if (env->value_from)
			check_value_from(errors, FIELD(at, "valueFrom"), env);
	}
	check_env_from(errors, FIELD(path, "envFrom"), c->env_from, c->n_env_from);
}
