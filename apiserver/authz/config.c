#include <ctype.h>
#include "api/go_text.h"
#include "api/names.h"
#include "apiserver/authz/authz.h"
#include "apiserver/config_file.h"
#include "apiserver/validation/field.h"
#include "base/mem.h"
#include "base/nameset.h"
#include "base/str.h"

/*
 * --authorization-config: the authorizers in order, as --authorization-mode has them
 * (apiserver/pkg/apis/apiserver/validation, kubernetes/pkg/kubeapiserver/authorizer).
 */

#define WEBHOOK "Webhook"

static const char *const types[] = {"ABAC", "AlwaysAllow", "AlwaysDeny", "Node", "RBAC", WEBHOOK, NULL};
static const struct config_form form = {.type = &ApiserverV1AuthorizationConfiguration_schema,
	.strict = true,
	.names = {{"apiserver.config.k8s.io/v1", "AuthorizationConfiguration"},
		{"apiserver.config.k8s.io/v1beta1", "AuthorizationConfiguration"},
		{"apiserver.config.k8s.io/v1alpha1", "AuthorizationConfiguration"}}};

static void check_name(
	struct field_errors *errors, const struct field_path *path, const char *name, struct nameset *names)
{
	const char *problem = str_empty(name) ? NULL : check_dns_subdomain(errors->arena, name);
	const bool is_new = nameset_add(names, name);
	if (str_empty(name))
		field_required(errors, path, "");
	else if (!is_new)
		field_duplicate(errors, path, name);
	else if (problem)
		field_invalid(
			errors, path, name, arena_printf(errors->arena, "authorizer name is invalid: %s", problem));
}

static void check_authorizer(struct field_errors *errors, const struct field_path *path,
	const ApiserverV1AuthorizerConfiguration *a, struct nameset *seen, struct nameset *names)
{
	const bool is_webhook = str_eq(a->type, WEBHOOK);
	if (str_empty(a->type)) {
		field_required(errors, FIELD(path, "type"), "");
		return;
	}
	if (!str_in_n(a->type, (char **)types, ARRAY_SIZE(types) - 1)) {
		field_unsupported(errors, FIELD(path, "type"), a->type, types);
		return;
	}
	if (!nameset_add(seen, a->type) && !is_webhook) {
		field_duplicate(errors, FIELD(path, "type"), a->type);
		return;
	}
	check_name(errors, FIELD(path, "name"), a->name, names);
	if (is_webhook && !a->webhook)
		field_required(errors, FIELD(path, "webhook"), "required when type=Webhook");
	else if (!is_webhook && a->webhook)
		field_invalid(errors, FIELD(path, "webhook"), "non-null", "may only be specified when type=Webhook");
}

static struct status *check(struct arena *arena, const ApiserverV1AuthorizationConfiguration *config)
{
	struct field_errors errors = FIELD_ERRORS_INIT(arena);
	struct nameset seen = {.arena = arena}, names = {.arena = arena};
	const struct field_path *all = FIELD(NULL, "authorizers");
	if (!config->n_authorizers)
		field_required(&errors, all, "at least one authorization mode must be defined");
	for (size_t i = 0; i < config->n_authorizers; i++)
		check_authorizer(&errors, FIELD_INDEX(all, i), config->authorizers[i], &seen, &names);
	return config_errors(&errors);
}

/* Who is no webhook is called as his type. */
static struct status *check_called(struct arena *arena, const ApiserverV1AuthorizerConfiguration *a)
{
	char *called = arena_strdup(arena, a->type);
	for (char *c = called; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	if (str_eq(a->type, WEBHOOK) || str_eq(called, a->name))
		return NULL;
	return status_bad_request("expected name %s for authorizer %s instead of %s", called, a->type, a->name);
}

static struct status *read_config(const char *path, struct flag_list *ret_modes)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	ApiserverV1AuthorizationConfiguration *config = API_NEW(arena, ApiserverV1AuthorizationConfiguration);
	const char *text;
	size_t size;
	TRY(config_file_read(arena, path, &text, &size));
	if (size)
		TRY(status_wrap(config_decode(arena, text, size, &form, &config),
			"failed to load AuthorizationConfiguration from file"));
	TRY(check(arena, config));
	for (size_t i = 0; i < config->n_authorizers; i++)
		TRY(check_called(arena, config->authorizers[i]));
	*ret_modes = (struct flag_list){
		.items = mem_calloc(config->n_authorizers, sizeof(char *)), .n_items = config->n_authorizers};
	for (size_t i = 0; i < config->n_authorizers; i++)
		ret_modes->items[i] = mem_strdup(config->authorizers[i]->type);
	return NULL;
}

static struct status *check_modes(const struct flag_list *modes)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct nameset seen = {.arena = arena};
	char **quoted = ARENA_ARRAY(arena, char *, modes->n_items);
	bool repeated = false;
	for (size_t i = 0; i < modes->n_items; i++) {
		quoted[i] = go_quote(arena, modes->items[i]);
		repeated |= !nameset_add(&seen, modes->items[i]);
	}
	if (repeated)
		return status_bad_request("authorization-mode [%s] has mode specified more than once",
			str_join(arena, quoted, modes->n_items, " "));
	return NULL;
}

/* A file of policies, and the mode that reads it. */
static struct status *check_policy_file(const struct authz_options *o)
{
	const bool asked = str_in_n("ABAC", o->modes.items, o->modes.n_items);
	if (asked && str_empty(o->policy_file))
		return status_bad_request("authorization-mode ABAC's authorization policy file not passed");
	if (!asked && !str_empty(o->policy_file))
		return status_bad_request("cannot specify --authorization-policy-file without mode ABAC");
	return NULL;
}

struct status *authz_settle(struct authz_options *o)
{
	if (str_empty(o->config_file)) {
		TRY(check_policy_file(o));
		return check_modes(&o->modes);
	}
	if (o->modes_given)
		return status_bad_request("--authorization-config can not be specified when --authorization-mode or "
					  "--authorization-webhook-* flags are defined");
	return read_config(o->config_file, &o->modes);
}
