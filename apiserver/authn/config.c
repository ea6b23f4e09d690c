#include "apiserver/authn/authn.h"
#include "apiserver/config_file.h"
#include "apiserver/validation/field.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

/*
 * --authentication-config: who may come without credentials, and whose tokens are believed
 * (apiserver/pkg/apis/apiserver/validation, kubernetes/pkg/kubeapiserver/options). Others' tokens are not read yet.
 */

static const struct config_form form = {.type = &ApiserverV1AuthenticationConfiguration_schema,
	.strict = true,
	.names = {{"apiserver.config.k8s.io/v1", "AuthenticationConfiguration"},
		{"apiserver.config.k8s.io/v1beta1", "AuthenticationConfiguration"},
		{"apiserver.config.k8s.io/v1alpha1", "AuthenticationConfiguration"}}};

static struct status *read_config(
	struct arena *arena, const char *path, ApiserverV1AuthenticationConfiguration **ret_config)
{
	const char *text;
	size_t size;
	TRY(config_file_read(arena, path, &text, &size));
	if (!size)
		return status_bad_request("empty config data");
	return config_decode(arena, text, size, &form, ret_config);
}

static struct status *settle_anonymous(
	struct arena *arena, const ApiserverV1AnonymousAuthConfig *told, struct authn_options *o)
{
	struct field_errors errors = FIELD_ERRORS_INIT(arena);
	const struct field_path *path = FIELD(NULL, "anonymous");
	if (!told)
		return NULL;
	if (!told->enabled && told->n_conditions)
		field_invalid_internal(&errors, FIELD(path, "conditions"), told->conditions[0],
			"enabled should be set to true when conditions are defined");
	TRY(config_errors(&errors));
	if (o->anonymous_auth_given)
		field_forbidden(&errors, path,
			"--anonymous-auth flag cannot be set when anonymous field is configured in authentication "
			"configuration file");
	TRY(config_errors(&errors));
	o->anonymous_auth = told->enabled;
	o->anonymous_paths = (struct flag_list){
		.items = mem_calloc(told->n_conditions, sizeof(char *)), .n_items = told->n_conditions};
	for (size_t i = 0; i < told->n_conditions; i++)
		o->anonymous_paths.items[i] = mem_strdup(str_or_empty(told->conditions[i]->path));
	return NULL;
}

struct status *authn_settle(struct authn_options *o)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	ApiserverV1AuthenticationConfiguration *config;
	if (str_empty(o->config_file))
		return NULL;
	TRY(status_wrap(read_config(arena, o->config_file, &config),
		"failed to load authentication configuration from file \"%s\"", o->config_file));
	if (config->n_jwt)
		log_warn("--authentication-config: tokens of other issuers are not read yet");
	return settle_anonymous(arena, config->anonymous, o);
}
