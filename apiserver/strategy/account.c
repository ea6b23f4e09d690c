#include "api/meta.h"
#include "apiserver/managed/managed.h"
#include "apiserver/registry/registry.h"
#include "apiserver/strategy/context.h"
#include "apiserver/strategy/records.h"

#define ENFORCE "kubernetes.io/enforce-mountable-secrets"

static struct status *check_named(struct request *request, const char *name)
{
	struct field_errors errors = FIELD_ERRORS_INIT(request->arena);
	if (!str_empty(name) && !str_eq(name, request->name))
		field_invalid(&errors, FIELD(FIELD(NULL, "metadata"), "name"), name,
			"must match the service account name if specified");
	return field_errors_status(&errors, "authentication.k8s.io", "TokenRequest", request->name);
}

/* POST serviceaccounts/NAME/token */
static struct status *create_token(struct request *request, ProtobufCMessage *body, ProtobufCMessage **ret_object)
{
	if (!API_IS(body, AuthenticationV1TokenRequest))
		return status_bad_request("not a TokenRequest");
	const ProtobufCMessage *account;
	const char *warning;
	TRY(check_named(request, object_name(body)));
	TRY(objects_get_live(request->objects, request->arena, &CoreV1ServiceAccount_schema, request->namespace,
		request->name, &account));
	managed_create(request, body);
	TRY(authn_issue_token(request->context->authn, request->arena, (const CoreV1ServiceAccount *)account,
		(AuthenticationV1TokenRequest *)body, &warning));
	if (warning)
		request_warn(request, "%s", warning);
	*ret_object = body;
	return NULL;
}

/* Of a Secret the name counts, whatever else a reference could say. */
static void prepare_create(struct request *request, ProtobufCMessage *object)
{
	CoreV1ServiceAccount *account = (CoreV1ServiceAccount *)object;
	CoreV1ObjectReference **names = arena_calloc(request->arena, account->n_secrets + 1, sizeof(*names));
	for (size_t i = 0; i < account->n_secrets; i++) {
		names[i] = API_NEW(request->arena, CoreV1ObjectReference);
		names[i]->name = account->secrets[i]->name;
	}
	if (account->n_secrets)
		account->secrets = names;
}

static void prepare_update(struct request *request, ProtobufCMessage *object, const ProtobufCMessage *old)
{
	prepare_create(request, object);
}

static void warn(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old)
{
	if (meta_annotation(object_meta(object), ENFORCE) && !(old && meta_annotation(object_meta(old), ENFORCE)))
		request_warn(request, "metadata.annotations[" ENFORCE
				      "]: deprecated in v1.32+; prefer separate namespaces to isolate "
				      "access to mounted secrets");
}

static const struct subresource_handler subresources[] = {
	{.name = "token", .create = create_token},
};

const struct strategy service_account_strategy = {
	.group = "",
	.resource = "serviceaccounts",
	.update_checks = {CHECK_META_CHANGE, CHECK_META, CHECK_CHANGE},
	.prepare_create = prepare_create,
	.prepare_update = prepare_update,
	.warn = warn,
	.subresources = subresources,
	.n_subresources = ARRAY_SIZE(subresources),
};
