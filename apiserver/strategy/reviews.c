#include "api/meta.h"
#include "apiserver/strategy/context.h"
#include "apiserver/strategy/records.h"
#include "base/str.h"

/* Questions in the form of objects: answered, not stored. */

static struct status *review_token(struct request *request, ProtobufCMessage *object, ProtobufCMessage **ret_object)
{
	*ret_object = object;
	return authn_review_token(request->context->authn, request->arena, (AuthenticationV1TokenReview *)object);
}

static struct status *review_user(struct request *request, ProtobufCMessage *object, ProtobufCMessage **ret_object)
{
	AuthenticationV1SelfSubjectReview *review = (AuthenticationV1SelfSubjectReview *)object;
	review->metadata = API_NEW(request->arena, MetaV1ObjectMeta);
	review->metadata->creation_timestamp = time_new(request->arena, clock_wall_s(request->clock));
	review->status = API_NEW(request->arena, AuthenticationV1SelfSubjectReviewStatus);
	authn_user_info(request->arena, request->user, &review->status->user_info);
	*ret_object = object;
	return NULL;
}

static struct status *review_subject(struct request *request, ProtobufCMessage *object, ProtobufCMessage **ret_object)
{
	*ret_object = object;
	return authz_review_subject(
		request->context->authz, request->arena, (AuthorizationV1SubjectAccessReview *)object);
}

static struct status *review_local(struct request *request, ProtobufCMessage *object, ProtobufCMessage **ret_object)
{
	*ret_object = object;
	return authz_review_local(request->context->authz, request->arena, request->namespace,
		(AuthorizationV1LocalSubjectAccessReview *)object);
}

static struct status *review_self(struct request *request, ProtobufCMessage *object, ProtobufCMessage **ret_object)
{
	*ret_object = object;
	return authz_review_self(request->context->authz, request->arena, request->user,
		(AuthorizationV1SelfSubjectAccessReview *)object);
}

/* The answer is a new object: nothing of the request comes back. */
static struct status *review_rules(struct request *request, ProtobufCMessage *object, ProtobufCMessage **ret_object)
{
	AuthorizationV1SelfSubjectRulesReview *review = (AuthorizationV1SelfSubjectRulesReview *)object;
	TRY(authz_review_rules(request->context->authz, request->arena, request->user, review));
	review->metadata = NULL;
	review->spec = NULL;
	*ret_object = object;
	return NULL;
}

#define REVIEW(name, group_, plural, fn) \
	const struct strategy name = {.group = group_, .resource = plural, .create_virtual = fn}

REVIEW(token_review_strategy, "authentication.k8s.io", "tokenreviews", review_token);
REVIEW(self_subject_review_strategy, "authentication.k8s.io", "selfsubjectreviews", review_user);
REVIEW(subject_access_review_strategy, "authorization.k8s.io", "subjectaccessreviews", review_subject);
REVIEW(local_subject_access_review_strategy, "authorization.k8s.io", "localsubjectaccessreviews", review_local);
REVIEW(self_subject_access_review_strategy, "authorization.k8s.io", "selfsubjectaccessreviews", review_self);
REVIEW(self_subject_rules_review_strategy, "authorization.k8s.io", "selfsubjectrulesreviews", review_rules);
