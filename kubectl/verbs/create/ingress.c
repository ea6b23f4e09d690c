#include "kubectl/verbs/create/kinds.h"

struct ingress_options {
	struct generator_options common;
	struct flag_list rules, annotations;
	char *class, *backend;
};

#define I(...) OPT(struct ingress_options, __VA_ARGS__)
static const struct option ingress_flags[] = {
	OPT_GROUP(struct ingress_options, common, generator_flags),
	I(annotations, 0, "annotation", FLAG_STRING_ARRAY, "", "Annotation as key=value"),
	I(class, 0, "class", FLAG_STRING, "", "Ingress class"),
	I(backend, 0, "default-backend", FLAG_STRING, "", "Service for requests that no rule takes: name:port"),
	I(rules, 0, "rule", FLAG_STRING_ARRAY, "", "Rule as host/path=service:port[,tls[=secret]]"),
	OPT_END,
};

static struct status *make_backend(struct arena *arena, const char *text, cJSON **ret)
{
	const char *colon = strchr(text, ':');
	int64_t number;
	if (!colon || colon == text || !colon[1])
		return user_error("default-backend should be in format servicename:serviceport");
	*ret = tree_new_object(arena);
	obj_set_string(arena, *ret, "service.name", arena_strndup(arena, text, (size_t)(colon - text)));
	if (str_to_int64(colon + 1, 1, 65535, &number))
		obj_set_int(arena, *ret, "service.port.number", number);
	else
		obj_set_string(arena, *ret, "service.port.name", colon + 1);
	return NULL;
}

static cJSON *rule_of_host(struct arena *arena, cJSON *ingress, const char *host)
{
	cJSON *rules = obj_array(arena, ingress, "spec.rules");
	TREE_FOREACH (rule, rules)
		if (str_eq(obj_string(rule, "host"), host))
			return rule;
	cJSON *rule = tree_new_object(arena);
	if (*host)
		tree_set_string(arena, rule, "host", host);
	tree_append(rules, rule);
	return rule;
}

static void add_tls(struct arena *arena, cJSON *ingress, const char *host, const char *secret)
{
	cJSON *list = obj_array(arena, ingress, "spec.tls"), *tls = tree_new_object(arena);
	if (*host)
		tree_append(obj_array(arena, tls, "hosts"), tree_new_string(arena, host));
	if (secret)
		tree_set_string(arena, tls, "secretName", secret);
	tree_append(list, tls);
}

static struct status *add_rule(struct kubectl *k, cJSON *ingress, const char *text)
{
	struct arena *arena = k->arena;
	char *host, *rest, **parts;
	if (!split_pair(arena, text, &host, &rest) || !strchr(host, '/'))
		return user_error(
			"rule %s is invalid and should be in format host/path=svcname:svcport[,tls[=secret]]", text);
	size_t n = str_split(arena, rest, ',', &parts);
	char *path = arena_strdup(arena, strchr(host, '/'));
	*strchr(host, '/') = 0;
	size_t size = strlen(path);
	const char *type = "Exact";
	if (size && path[size - 1] == '*') {
		path[size - 1] = 0;
		type = "Prefix";
	}
	cJSON *entry = tree_new_object(arena), *backend;
	tree_set_string(arena, entry, "path", path);
	tree_set_string(arena, entry, "pathType", type);
	TRY(make_backend(arena, n ? parts[0] : "", &backend));
	tree_set(arena, entry, "backend", backend);
	tree_append(obj_array(arena, rule_of_host(arena, ingress, host), "http.paths"), entry);
	for (size_t i = 1; i < n; i++)
		if (str_starts_with(parts[i], "tls"))
			add_tls(arena, ingress, host, parts[i][3] == '=' ? parts[i] + 4 : NULL);
	return NULL;
}

static struct status *ingress_build(struct kubectl *k, struct call *call, const char *name, cJSON **ret_object)
{
	struct ingress_options *o = call->options;
	struct arena *arena = k->arena;
	cJSON *ingress = obj_new(arena, "networking.k8s.io/v1", "Ingress", name), *backend;
	if (!o->rules.n_items && str_empty(o->backend))
		return user_error(
			"not enough information provided: every ingress has to either specify a default-backend "
			"(which catches "
			"all traffic) or a list of rules (which catch specific paths)");
	for (size_t i = 0; i < o->annotations.n_items; i++) {
		char *key, *value;
		if (!split_pair(arena, o->annotations.items[i], &key, &value))
			return user_error("annotation %s is invalid and should be in format key=[value]",
				o->annotations.items[i]);
		tree_set_string(arena, obj_object(arena, ingress, "metadata.annotations"), key, value);
	}
	if (!str_empty(o->class))
		obj_set_string(arena, ingress, "spec.ingressClassName", o->class);
	if (!str_empty(o->backend)) {
		TRY(make_backend(arena, o->backend, &backend));
		obj_set(arena, ingress, "spec.defaultBackend", backend);
	}
	for (size_t i = 0; i < o->rules.n_items; i++)
		TRY(add_rule(k, ingress, o->rules.items[i]));
	obj_object(arena, ingress, "status.loadBalancer");
	*ret_object = ingress;
	return NULL;
}
GENERATOR_RUN(ingress)

static const char *const aliases[] = {"ing", NULL};
const struct command create_ingress_command = {
	.name = "ingress",
	.aliases = aliases,
	.usage = "NAME --rule=host/path=service:port[,tls[=secret]]",
	.summary = "Create an ingress with the given name",
	.flags = ingress_flags,
	.options_size = sizeof(struct ingress_options),
	.run = ingress_run,
};
