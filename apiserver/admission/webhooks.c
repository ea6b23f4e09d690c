#include "apiserver/admission/plugins.h"
#include "apiserver/config_file.h"
#include "apiserver/validation/field.h"
#include "base/str.h"
#include "client/kubeconfig.h"

/*
 * Webhooks and admission policies are kept, but nobody is asked yet: these plugins refuse and change nothing. What the
 * configuration says of them is read all the same, so that what is wrong in it is told.
 */

static const struct config_form form = {.type = &ApiserverV1WebhookAdmissionConfiguration_schema,
	.names = {{"apiserver.config.k8s.io/v1", "WebhookAdmissionConfiguration"},
		{"apiserver.config.k8s.io/v1alpha1", "WebhookAdmission"}}};

static struct status *start(struct admission_context *context, const struct admission_start *start)
{
	struct field_errors errors = FIELD_ERRORS_INIT(start->arena);
	ApiserverV1WebhookAdmissionConfiguration *config;
	struct client_config client;
	if (!start->config)
		return NULL;
	TRY(config_decode(start->arena, start->config, start->config_size, &form, &config));
	if (*str_or_empty(config->kube_config_file) != '/')
		field_invalid(&errors, FIELD(NULL, "kubeConfigFile"), config->kube_config_file,
			"must be an absolute file path");
	TRY(config_errors(&errors));
	const struct kubeconfig_overrides overrides = {.path = config->kube_config_file, .no_in_cluster = true};
	return kubeconfig_load(start->arena, &overrides, &client, NULL);
}

const struct admission_plugin mutating_webhook_plugin = {
	.name = "MutatingAdmissionWebhook",
	.on_by_default = true,
	.operations = ON_ALL,
	.start = start,
};

const struct admission_plugin validating_webhook_plugin = {
	.name = "ValidatingAdmissionWebhook",
	.on_by_default = true,
	.operations = ON_ALL,
	.start = start,
};

const struct admission_plugin mutating_policy_plugin = {
	.name = "MutatingAdmissionPolicy",
	.on_by_default = true,
	.operations = ON_ALL,
};

const struct admission_plugin validating_policy_plugin = {
	.name = "ValidatingAdmissionPolicy",
	.on_by_default = true,
	.operations = ON_ALL,
};
