#include "kubectl/verbs/create/generator.h"

#include <openssl/sha.h>

#define G(...) OPT(struct generator_options, __VA_ARGS__)
const struct option generator_flags[] = {
	OPT_GROUP(struct generator_options, print, print_flags),
	OPT_DRY_RUN(struct generator_options, dry_run),
	OPT_FIELD_MANAGER(struct generator_options, field_manager, "kubectl-create"),
	G(validate, 0, "validate", FLAG_STRING, "strict", "strict, warn or ignore what the schema does not know"),
	G(save_config, 0, "save-config", FLAG_BOOL, "false",
		"Keep the configuration in the annotation that apply uses"),
	OPT_END,
};

/* Whether objects of this kind live in namespaces, by the schema alone. */
static bool is_namespaced(struct arena *arena, const cJSON *object)
{
	const char *version = obj_string(object, "apiVersion"), *slash = strchr(version, '/');
	const char *group = slash ? arena_strndup(arena, version, (size_t)(slash - version)) : "";
	const struct schema_type *type = schema_find_kind(group, slash ? slash + 1 : version, obj_kind(object));
	return type && type->resource && type->resource->namespaced;
}

/* A refusal is worded by the kind; of some kinds it is shown as the server sent it. */
static struct status *refused(struct kubectl *k, const cJSON *object, struct status *s)
{
	static const struct {
		const char *kind, *text;
	} texts[] = {{"ResourceQuota", "quota:"}, {"PodDisruptionBudget", "poddisruptionbudgets:"},
		{"Secret", "secret"}, {"Namespace", NULL}, {"Role", NULL}, {"ClusterRole", NULL}};
	const char *kind = obj_kind(object), *text = arena_printf(k->arena, "%s:", str_lower(k->arena, kind));
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (str_eq(texts[i].kind, kind))
			text = texts[i].text;
	if (str_eq(kind, "Service"))
		text = arena_printf(k->arena, "%s service:", obj_string(object, "spec.type"));
	if (!text || !status_is_servers(s))
		return s;
	struct status *named = user_error("failed to create %s %s", text, s->message);
	status_free(s);
	return named;
}

static struct status *send_generated(struct kubectl *k, struct send_options *send, bool save_config, cJSON **object)
{
	const struct api_resource *mapping;
	const char *namespace;
	TRY(kubectl_namespace(k, &namespace));
	TRY(mapping_of_object(k, *object, &mapping));
	if (mapping->rest.namespaced)
		obj_set_string(k->arena, *object, "metadata.namespace", namespace);
	if (save_config)
		set_last_applied(k->arena, *object);
	struct status *s = send_create(k, mapping, namespace, *object, send, object);
	return s ? refused(k, *object, s) : NULL;
}

struct status *generator_finish(struct kubectl *k, struct call *call, cJSON *object)
{
	struct generator_options *o = call->options;
	struct send_options send = {.field_manager = o->field_manager, .validate = o->validate};
	o->print.in_order = true;
	TRY(dry_run_parse(o->dry_run, &send.dry_run));
	if (send.dry_run != DRY_RUN_CLIENT) {
		TRY(send_generated(k, &send, o->save_config, &object));
	} else {
		if (!str_empty(k->global.namespace) && is_namespaced(k->arena, object))
			obj_set_string(k->arena, object, "metadata.namespace", k->global.namespace);
		if (o->save_config)
			set_last_applied(k->arena, object);
	}
	return print_result(k, &o->print, "created", send.dry_run, object);
}

struct status *generator_run(struct kubectl *k, struct call *call,
	struct status *(*build)(struct kubectl *k, struct call *call, const char *name, cJSON **ret_object))
{
	cJSON *object;
	size_t n_names = call->dash_dash >= 0 ? (size_t)call->dash_dash : call->n_args;
	if (n_names != 1)
		return usage_error(call, "exactly one NAME is required, got %zu", n_names);
	TRY(build(k, call, call->args[0], &object));
	return generator_finish(k, call, object);
}

struct status *require_flag(struct call *call, const char *flag)
{
	if (call_changed(call, flag))
		return NULL;
	return user_error("required flag(s) \"%s\" not set", flag);
}

bool split_pair(struct arena *arena, const char *text, char **ret_key, char **ret_value)
{
	const char *equals = strchr(text, '=');
	if (!equals)
		return false;
	*ret_key = arena_strndup(arena, text, (size_t)(equals - text));
	*ret_value = arena_strdup(arena, equals + 1);
	return true;
}

bool is_utf8(const char *data, size_t size)
{
	const unsigned char *p = (const unsigned char *)data, *end = p + size;
	while (p < end) {
		size_t more = *p < 0x80				  ? 0
			      : (*p & 0xE0) == 0xC0 && *p >= 0xC2 ? 1
			      : (*p & 0xF0) == 0xE0		  ? 2
			      : (*p & 0xF8) == 0xF0 && *p <= 0xF4 ? 3
								  : 9;
		if (more == 9 || (size_t)(end - p) <= more)
			return false;
		for (size_t i = 1; i <= more; i++)
			if ((p[i] & 0xC0) != 0x80)
				return false;
		p += more + 1;
	}
	return true;
}

char *image_base(struct arena *arena, const char *image)
{
	const char *slash = strrchr(image, '/');
	const char *name = slash ? slash + 1 : image;
	return arena_strndup(arena, name, strcspn(name, ":@"));
}

cJSON *add_container(struct arena *arena, cJSON *pod_spec, const char *name, const char *image)
{
	cJSON *container = tree_new_object(arena);
	tree_set_string(arena, container, "name", name ? name : image_base(arena, image));
	tree_set_string(arena, container, "image", image);
	tree_set(arena, container, "resources", tree_new_object(arena));
	tree_append(obj_array(arena, pod_spec, "containers"), container);
	return container;
}

void append_strings(struct arena *arena, cJSON *array, char *const *items, size_t n)
{
	for (size_t i = 0; i < n; i++)
		tree_append(array, tree_new_string(arena, items[i]));
}

/* The hash's first ten hex digits with those that could spell words replaced. */
char *config_hash(struct arena *arena, const char *text)
{
	static const char from[] = "01 3ae", to[] = "gh kmt";
	unsigned char digest[SHA256_DIGEST_LENGTH];
	char *out = arena_alloc(arena, 11);
	SHA256((const unsigned char *)text, strlen(text), digest);
	for (size_t i = 0; i < 10; i++) {
		char c = "0123456789abcdef"[i % 2 ? digest[i / 2] & 15 : digest[i / 2] >> 4];
		const char *found = strchr(from, c);
		out[i] = found ? to[found - from] : c;
	}
	out[10] = 0;
	return out;
}
