#include "kubectl/printer.h"
#include "kubectl/request.h"
#include "kubectl/rules.h"
#include "kubectl/verbs/verbs.h"

struct can_i_options {
	bool all_namespaces, list, no_headers, quiet;
	char *subresource;
};

#define C(...) OPT(struct can_i_options, __VA_ARGS__)
static const struct option can_i_flags[] = {
	C(all_namespaces, 'A', "all-namespaces", FLAG_BOOL, "false", "In all namespaces"),
	C(list, 0, "list", FLAG_BOOL, "false", "Show all that is allowed in the namespace"),
	C(no_headers, 0, "no-headers", FLAG_BOOL, "false", "Leave the column headers out"),
	C(quiet, 'q', "quiet", FLAG_BOOL, "false", "Only the exit code"),
	C(subresource, 0, "subresource", FLAG_STRING, "", "Subresource, such as log or scale"),
	OPT_END,
};

static struct status *review(struct kubectl *k, const char *plural, const cJSON *body, cJSON **ret)
{
	char *path = arena_printf(k->arena, "/apis/authorization.k8s.io/v1/%s", plural);
	struct rest request = {.method = "POST", .path = path, .tree = body};
	return rest_do(k, k->arena, &request, ret);
}

static char *bracketed(struct arena *arena, const cJSON *list)
{
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
	strbuf_addc(&text, '[');
	TREE_FOREACH (item, list)
		strbuf_printf(&text, "%s%s", item == list->child ? "" : " ", str_or_empty(tree_string(item)));
	strbuf_addc(&text, ']');
	return arena_strdup(arena, text.buf);
}

static struct status *list_rules(struct kubectl *k, const struct can_i_options *o, const char *namespace)
{
	cJSON *body = obj_new(k->arena, "authorization.k8s.io/v1", "SelfSubjectRulesReview", NULL), *answer;
	struct rule_table rules = {.arena = k->arena, .keys = {.arena = k->arena}};
	struct tabwriter w;
	obj_set_string(k->arena, body, "spec.namespace", namespace);
	TRY(review(k, "selfsubjectrulesreviews", body, &answer));
	if (obj_bool(answer, "status.incomplete"))
		fprintf(stderr, "warning: the list may be incomplete: %s\n",
			obj_string(answer, "status.evaluationError"));
	rules_add(&rules, obj_at(answer, "status.resourceRules"));
	rules_add(&rules, obj_at(answer, "status.nonResourceRules"));
	rules_sort(&rules);
	tabwriter_init(&w, k->arena, 6, 3, false, stdout);
	if (!o->no_headers)
		tabwriter_adds(&w, "Resources\tNon-Resource URLs\tResource Names\tVerbs\n");
	rules_print(&w, "", &rules);
	tabwriter_flush(&w);
	return NULL;
}

/* What the arguments ask: a verb on a resource, an object of it, or a path. */
static struct status *fill_attributes(struct kubectl *k, struct call *call, const char *namespace, cJSON *body)
{
	struct can_i_options *o = call->options;
	struct arena *arena = k->arena;
	const char *verb = call->args[0], *what = call->args[1], *slash = strchr(what, '/');
	if (*what == '/') {
		obj_set_string(arena, body, "spec.nonResourceAttributes.verb", verb);
		obj_set_string(arena, body, "spec.nonResourceAttributes.path", what);
		return NULL;
	}
	char *type = slash ? arena_strndup(arena, what, (size_t)(slash - what)) : arena_strdup(arena, what);
	const char *name = slash ? slash + 1 : call->n_args > 2 ? call->args[2] : "";
	const struct api_resource *mapping = NULL;
	struct status *s = str_eq(type, "*") ? NULL : mapping_find(k, type, &mapping);
	if (s) {
		char *dot = strchr(type, '.');
		fprintf(stderr,
			dot ? "Warning: the server doesn't have a resource type '%.*s' in group '%s'\n\n"
			    : "Warning: the server doesn't have a resource type '%.*s'%s\n\n",
			dot ? (int)(dot - type) : (int)strlen(type), type, dot ? dot + 1 : "");
		status_drop(s, "the question is asked all the same");
	} else if (mapping && !mapping->rest.namespaced && !str_empty(k->global.namespace)) {
		fprintf(stderr, "Warning: resource '%s' is not namespace scoped%s%s%s\n\n", mapping->rest.plural,
			*mapping->rest.group ? " in group '" : "", mapping->rest.group,
			*mapping->rest.group ? "'" : "");
	} else if (mapping && !mapping->rest.namespaced) {
		fprintf(stderr, "Warning: resource '%s' is not namespace scoped%s%s%s\n\n", mapping->rest.plural,
			*mapping->rest.group ? " in group '" : "", mapping->rest.group,
			*mapping->rest.group ? "'" : "");
	}
	obj_set_string(arena, body, "spec.resourceAttributes.namespace", namespace);
	obj_set_string(arena, body, "spec.resourceAttributes.verb", verb);
	obj_set_string(arena, body, "spec.resourceAttributes.group", mapping ? mapping->rest.group : "");
	obj_set_string(arena, body, "spec.resourceAttributes.resource", mapping ? mapping->rest.plural : type);
	obj_set_string(arena, body, "spec.resourceAttributes.subresource", o->subresource);
	obj_set_string(arena, body, "spec.resourceAttributes.name", name);
	return NULL;
}

static struct status *can_i_run(struct kubectl *k, struct call *call)
{
	struct can_i_options *o = call->options;
	const char *namespace = "";
	if (!o->all_namespaces)
		TRY(kubectl_namespace(k, &namespace));
	if (o->list) {
		if (call->n_args)
			return user_error("list option must be specified with no arguments");
		return list_rules(k, o, namespace);
	}
	if (call->n_args != 2 && call->n_args != 3)
		return user_error("you must specify two arguments: verb resource or verb resource/resourceName.\n"
				  "See 'kubectl auth can-i -h' for help and examples.");
	cJSON *body = obj_new(k->arena, "authorization.k8s.io/v1", "SelfSubjectAccessReview", NULL), *answer;
	TRY(fill_attributes(k, call, namespace, body));
	TRY(review(k, "selfsubjectaccessreviews", body, &answer));
	bool allowed = obj_bool(answer, "status.allowed");
	const char *reason = obj_string(answer, "status.reason"), *error = obj_string(answer, "status.evaluationError");
	if (!o->quiet && allowed)
		puts("yes");
	if (!o->quiet && !allowed)
		printf("no%s%s%s%s\n", *reason ? " - " : "", reason, *error ? " - " : "", error);
	k->exit_code = allowed ? 0 : 1;
	return NULL;
}

struct whoami_options {
	struct print_options print;
};

static const struct option whoami_flags[] = {
	OPT_GROUP(struct whoami_options, print, print_flags),
	OPT_END,
};

/* What the server says of the question itself is no help to who asks. */
static struct status *whoami_refused(struct status *refused)
{
	bool unknown = status_is(refused, STATUS_NOT_FOUND);
	if (!unknown && !status_is(refused, STATUS_FORBIDDEN))
		return refused;
	status_drop(refused, "said in other words");
	return unknown ? user_error("the selfsubjectreviews API is not enabled in the cluster\n"
				    "enable APISelfSubjectReview feature gate and authentication.k8s.io/v1alpha1 or "
				    "authentication.k8s.io/v1beta1 API")
		       : user_error("the selfsubjectreviews API is not enabled in the cluster or you do not have "
				    "permission to call it");
}

static struct status *whoami_run(struct kubectl *k, struct call *call)
{
	struct whoami_options *o = call->options;
	cJSON *body = obj_new(k->arena, "authentication.k8s.io/v1", "SelfSubjectReview", NULL), *answer;
	struct rest request = {
		.method = "POST", .path = "/apis/authentication.k8s.io/v1/selfsubjectreviews", .tree = body};
	struct tabwriter w;
	struct status *refused = rest_do(k, k->arena, &request, &answer);
	if (refused)
		return whoami_refused(refused);
	o->print.in_order = true;
	if (!str_empty(o->print.output) || !str_empty(o->print.template))
		return print_result(k, &o->print, NULL, DRY_RUN_NONE, answer);
	const cJSON *user = obj_at(answer, "status.userInfo");
	tabwriter_init(&w, k->arena, 6, 3, false, stdout);
	tabwriter_printf(&w, "ATTRIBUTE\tVALUE\nUsername\t%s\n", obj_string(user, "username"));
	if (*obj_string(user, "uid"))
		tabwriter_printf(&w, "UID\t%s\n", obj_string(user, "uid"));
	if (tree_size(tree_get(user, "groups")))
		tabwriter_printf(&w, "Groups\t%s\n", bracketed(k->arena, tree_get(user, "groups")));
	size_t n;
	cJSON **extra = obj_sorted(k->arena, tree_get(user, "extra"), &n);
	for (size_t i = 0; i < n; i++)
		tabwriter_printf(&w, "Extra: %s\t%s\n", extra[i]->string, bracketed(k->arena, extra[i]));
	tabwriter_flush(&w);
	return NULL;
}

static const struct command can_i_command = {
	.name = "can-i",
	.usage = "VERB [TYPE | TYPE/NAME | NONRESOURCEURL]",
	.summary = "Check whether an action is allowed",
	.flags = can_i_flags,
	.options_size = sizeof(struct can_i_options),
	.run = can_i_run,
};
static const struct command whoami_command = {
	.name = "whoami",
	.summary = "Show who the server takes you for",
	.flags = whoami_flags,
	.options_size = sizeof(struct whoami_options),
	.run = whoami_run,
};
static const struct command *const children[] = {&can_i_command, &whoami_command, NULL};
const struct command auth_command = {
	.name = "auth",
	.section = "Troubleshooting and Debugging Commands:",
	.summary = "Inspect authorization",
	.children = children,
};
