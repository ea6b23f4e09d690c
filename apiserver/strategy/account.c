#include "apiserver/strategy/context.h"
#include "apiserver/strategy/records.h"

/* POST serviceaccounts/NAME/token */
static struct status *create_token(struct request *request, ProtobufCMessage *body, ProtobufCMessage **ret_object)
{
	if (!API_IS(body, AuthenticationV1TokenRequest))
		return status_bad_request("not a TokenRequest");
	const ProtobufCMessage *account;
	TRY(objects_get_live(request->objects, request->arena, &CoreV1ServiceAccount_schema, request->namespace,
		request->name, &account));
	TRY(authn_issue_token(request->context->authn, request->arena, request->user,
		(const CoreV1ServiceAccount *)account, (AuthenticationV1TokenRequest *)body));
	*ret_object = body;
	return NULL;
}

static const struct subresource_handler subresources[] = {
	{.name = "token", .create = create_token},
};

const struct strategy service_account_strategy = {
	.group = "",
	.resource = "serviceaccounts",
	.subresources = subresources,
	.n_subresources = ARRAY_SIZE(subresources),
};
