/* Approves the requests of kubelets for client certificates, where the requester has the right to them. */
#include "base/log.h"
#include "base/str.h"
#include "controller-manager/certificates/requests.h"
#include "controller-manager/controller.h"

struct approver {
	struct controller_context *ctx;
	struct informer *requests;
	struct workqueue *queue;
};

struct recogniser {
	const char *subresource;
	const char *message;
	bool self; /* only for a request that the node itself makes */
};

static const struct recogniser recognisers[] = {
	{"selfnodeclient", "Auto approving self kubelet client certificate after SubjectAccessReview.", true},
	{"nodeclient", "Auto approving kubelet client certificate after SubjectAccessReview.", false},
};

static bool recognises(struct arena *arena, const struct recogniser *r,
	const CertificatesV1CertificateSigningRequest *csr, const struct pki_subject *subject)
{
	if (!str_eq(csr->spec->signer_name, SIGNER_KUBELET_CLIENT) || request_refusal(arena, csr, subject))
		return false;
	return !r->self || str_eq(csr->spec->username, subject->common_name);
}

static struct status *ask(struct approver *c, struct arena *arena, const CertificatesV1CertificateSigningRequest *csr,
	const char *subresource, bool *ret_allowed)
{
	AuthorizationV1SubjectAccessReview *review = API_NEW(arena, AuthorizationV1SubjectAccessReview), *answer;
	AuthorizationV1SubjectAccessReviewSpec *spec = review->spec =
		API_NEW(arena, AuthorizationV1SubjectAccessReviewSpec);
	spec->user = csr->spec->username;
	spec->uid = csr->spec->uid;
	spec->groups = csr->spec->groups;
	spec->n_groups = csr->spec->n_groups;
	for (size_t i = 0; i < csr->spec->n_extra; i++) {
		__typeof__(*spec->extra) entry =
			api_new(arena, &AuthorizationV1SubjectAccessReviewSpecExtraEntry_schema);
		entry->key = csr->spec->extra[i]->key;
		entry->value = API_NEW(arena, AuthorizationV1ExtraValue);
		if (csr->spec->extra[i]->value) {
			entry->value->items = csr->spec->extra[i]->value->items;
			entry->value->n_items = csr->spec->extra[i]->value->n_items;
		}
		ARENA_PUSH(arena, spec->extra, spec->n_extra) = entry;
	}
	AuthorizationV1ResourceAttributes *a = spec->resource_attributes =
		API_NEW(arena, AuthorizationV1ResourceAttributes);
	a->group = arena_strdup(arena, "certificates.k8s.io");
	a->resource = arena_strdup(arena, "certificatesigningrequests");
	a->verb = arena_strdup(arena, "create");
	a->subresource = arena_strdup(arena, subresource);
	a->version = arena_strdup(arena, "*");
	TRY(client_create(c->ctx->client, arena, review, &answer));
	*ret_allowed = answer->status && answer->status->allowed;
	return NULL;
}

static struct status *approve(struct approver *c, struct arena *arena,
	const CertificatesV1CertificateSigningRequest *csr, const char *message)
{
	CertificatesV1CertificateSigningRequest *copy = object_copy(arena, csr);
	CertificatesV1CertificateSigningRequestCondition *condition =
		API_NEW(arena, CertificatesV1CertificateSigningRequestCondition);
	condition->type = arena_strdup(arena, "Approved");
	condition->status = arena_strdup(arena, "True");
	condition->reason = arena_strdup(arena, "AutoApproved");
	condition->message = arena_strdup(arena, message);
	ARENA_PUSH(arena, copy->status->conditions, copy->status->n_conditions) = condition;
	struct status *s = client_update_subresource(c->ctx->client, arena, "approval", copy, NULL);
	return s ? status_wrap(s, "error updating approval for csr") : NULL;
}

static struct status *sync_request(void *data, struct arena *arena, const char *key)
{
	struct approver *c = data;
	const CertificatesV1CertificateSigningRequest *csr = informer_get_key(c->requests, arena, key);
	if (!csr || csr->status->certificate.len || request_has_condition(csr, "Approved") ||
		request_has_condition(csr, "Denied"))
		return NULL;
	CLEANUP(pki_csr_freep) struct pki_csr *request = NULL;
	struct pki_subject subject;
	TRY(request_parse(csr, &request));
	pki_csr_subject(arena, request, &subject);
	for (size_t i = 0; i < ARRAY_SIZE(recognisers); i++) {
		bool allowed;
		if (!recognises(arena, &recognisers[i], csr, &subject))
			continue;
		TRY(ask(c, arena, csr, recognisers[i].subresource, &allowed));
		if (allowed)
			return approve(c, arena, csr, recognisers[i].message);
		log_v(4, "csr %s is recognised as %s, but its requester lacks the right", key,
			recognisers[i].subresource);
		/* The right may be given later. */
		workqueue_add_rate_limited(c->queue, key);
	}
	return NULL;
}

static struct status *start(struct controller_context *ctx)
{
	struct approver *c = controller_state(ctx, sizeof(*c));
	c->ctx = ctx;
	c->requests = controller_informer(ctx, &CertificatesV1CertificateSigningRequest_schema);
	c->queue = controller_queue(ctx, "csrapproving", 1, sync_request, c);
	informer_add_handler(c->requests, &enqueue_self, c->queue);
	return NULL;
}

const struct controller csr_approving_controller = {.name = "certificatesigningrequest-approving-controller",
	.alias = "csrapproving",
	.service_account = "certificate-controller",
	.start = start};
