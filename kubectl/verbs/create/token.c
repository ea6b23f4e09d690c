#include "kubectl/verbs/create/kinds.h"

struct token_options {
	struct print_options print;
	struct flag_list audiences;
	char *kind, *name, *uid;
	int64_t duration_ms;
};

#define T(...) OPT(struct token_options, __VA_ARGS__)
static const struct option token_flags[] = {
	OPT_GROUP(struct token_options, print, print_flags),
	T(audiences, 0, "audience", FLAG_STRING_ARRAY, "", "Audience of the token; may be repeated"),
	T(kind, 0, "bound-object-kind", FLAG_STRING, "",
		"Kind of the object that the token lives with: Pod, Secret, Node"),
	T(name, 0, "bound-object-name", FLAG_STRING, "", "Name of that object"),
	T(uid, 0, "bound-object-uid", FLAG_STRING, "", "UID of that object"),
	T(duration_ms, 0, "duration", FLAG_DURATION, "0s", "How long the token is to be valid"),
	OPT_END,
};

static struct status *check(const struct token_options *o)
{
	if (o->duration_ms < 0)
		return user_error("--duration must be greater than or equal to 0");
	if (o->duration_ms % 1000)
		return user_error("--duration cannot be expressed in units less than seconds");
	if (str_empty(o->kind) && !str_empty(o->name))
		return user_error("--bound-object-name can only be set if --bound-object-kind is provided");
	if (str_empty(o->kind) && !str_empty(o->uid))
		return user_error("--bound-object-uid can only be set if --bound-object-kind is provided");
	if (!str_empty(o->kind) && str_empty(o->name))
		return user_error("--bound-object-name is required if --bound-object-kind is provided");
	return NULL;
}

static struct status *token_run(struct kubectl *k, struct call *call)
{
	struct token_options *o = call->options;
	const struct api_resource *mapping;
	const char *namespace;
	struct arena *arena = k->arena;
	if (call->n_args != 1)
		return usage_error(call, "exactly one NAME is required, got %zu", call->n_args);
	TRY(check(o));
	cJSON *request = obj_new(arena, "authentication.k8s.io/v1", "TokenRequest", NULL), *answer;
	append_strings(arena, obj_array(arena, request, "spec.audiences"), o->audiences.items, o->audiences.n_items);
	if (o->duration_ms)
		obj_set_int(arena, request, "spec.expirationSeconds", o->duration_ms / 1000);
	if (!str_empty(o->kind)) {
		obj_set_string(arena, request, "spec.boundObjectRef.kind", o->kind);
		obj_set_string(arena, request, "spec.boundObjectRef.apiVersion", "v1");
		obj_set_string(arena, request, "spec.boundObjectRef.name", o->name);
		if (!str_empty(o->uid))
			obj_set_string(arena, request, "spec.boundObjectRef.uid", o->uid);
	}
	TRY(kubectl_namespace(k, &namespace));
	TRY(mapping_find(k, "serviceaccounts", &mapping));
	struct rest rest = {.method = "POST",
		.path = rest_path(arena, mapping, namespace, call->args[0], "token"),
		.tree = request};
	struct status *s = rest_do(k, arena, &rest, &answer);
	if (status_is_servers(s)) {
		struct status *named = user_error("failed to create token: %s", s->message);
		status_free(s);
		return named;
	}
	TRY(s);
	if (str_empty(obj_string(answer, "status.token")))
		return user_error("failed to create token: no token in server response");
	if (!str_empty(o->print.output))
		return print_result(k, &o->print, "created", DRY_RUN_NONE, answer);
	printf("%s\n", obj_string(answer, "status.token"));
	return NULL;
}

const struct command create_token_command = {
	.name = "token",
	.usage = "SERVICE_ACCOUNT_NAME",
	.summary = "Request a token of a service account",
	.flags = token_flags,
	.options_size = sizeof(struct token_options),
	.run = token_run,
};
