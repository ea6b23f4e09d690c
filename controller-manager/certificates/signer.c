/* Signs approved requests for the signers of kubernetes.io. */
#include "base/io.h"
#include "base/log.h"
#include "base/str.h"
#include "controller-manager/certificates/requests.h"
#include "controller-manager/controller.h"

enum {
	BACKDATE_S = 5 * 60,
	/* Certificates shorter than this keep their whole time: the backdate would be too large a part of it. */
	SHORT_S = 8 * 3600,
	MAX_PEM_BYTES = 1 << 20,
};

struct signer {
	struct controller_context *ctx;
	struct informer *requests;
};

/* The CA for a signer; NULL: this manager does not sign for it. */
static const struct signing_files *files_for(const struct options *o, const char *signer)
{
	const struct signing_files *own = str_eq(signer, SIGNER_KUBELET_SERVING)    ? &o->signing_kubelet_serving
					  : str_eq(signer, SIGNER_KUBELET_CLIENT)   ? &o->signing_kubelet_client
					  : str_eq(signer, SIGNER_APISERVER_CLIENT) ? &o->signing_apiserver_client
					  : str_eq(signer, SIGNER_LEGACY)	    ? &o->signing_legacy
										    : NULL;
	if (!own)
		return NULL;
	bool any_own = !str_empty(o->signing_kubelet_serving.cert) || !str_empty(o->signing_kubelet_client.cert) ||
		       !str_empty(o->signing_apiserver_client.cert) || !str_empty(o->signing_legacy.cert);
	if (!str_empty(own->cert))
		return own;
	return any_own || str_empty(o->signing.cert) ? NULL : &o->signing;
}

/* Read anew each time: a CA that is rotated on disk counts at once. */
static struct status *load_ca(const struct signing_files *files, struct pki_cert **ret_cert, struct pki_key **ret_key)
{
	CLEANUP_FREE char *cert_pem = NULL, *key_pem = NULL;
	size_t cert_size, key_size;
	TRY(io_read_file(files->cert, MAX_PEM_BYTES, &cert_pem, &cert_size));
	TRY(io_read_file(files->key, MAX_PEM_BYTES, &key_pem, &key_size));
	struct status *s = pki_cert_parse(cert_pem, cert_size, ret_cert);
	if (s)
		return status_wrap(s, "%s", files->cert);
	s = pki_key_parse(key_pem, key_size, ret_key);
	explicit_bzero(key_pem, key_size);
	return s ? status_wrap(s, "%s", files->key) : NULL;
}

static struct status *sign(struct signer *c, const struct signing_files *files,
	const CertificatesV1CertificateSigningRequest *csr, const struct pki_csr *request, struct pki_cert **ret_cert)
{
	CLEANUP(pki_cert_freep) struct pki_cert *ca = NULL;
	CLEANUP(pki_key_freep) struct pki_key *key = NULL;
	unsigned usages;
	TRY(load_ca(files, &ca, &key));
	TRY(request_usages(csr->spec->usages, csr->spec->n_usages, &usages));
	int64_t now = clock_wall_s(c->ctx->clock), ca_end = pki_cert_not_after_s(ca);
	int64_t duration = request_duration_s(csr, c->ctx->options->signing_duration_ms / 1000);
	int64_t end = now + duration - (duration < SHORT_S ? 0 : BACKDATE_S);
	if (now >= ca_end)
		return status_internal(
			"refusing to sign a certificate that expired in the past: the CA %s has expired", files->cert);
	return pki_csr_sign(ca, key, request, usages, now - BACKDATE_S, end < ca_end ? end : ca_end, ret_cert);
}

static struct status *fail(
	struct signer *c, struct arena *arena, const CertificatesV1CertificateSigningRequest *csr, const char *message)
{
	CertificatesV1CertificateSigningRequest *copy = object_copy(arena, csr);
	CertificatesV1CertificateSigningRequestCondition *condition =
		API_NEW(arena, CertificatesV1CertificateSigningRequestCondition);
	condition->type = arena_strdup(arena, "Failed");
	condition->status = arena_strdup(arena, "True");
	condition->reason = arena_strdup(arena, "SignerValidationFailure");
	condition->message = arena_strdup(arena, message);
	condition->last_update_time = now_time(arena, c->ctx->clock);
	ARENA_PUSH(arena, copy->status->conditions, copy->status->n_conditions) = condition;
	struct status *s = client_update_status(c->ctx->client, arena, copy, NULL);
	return s ? status_wrap(s, "error adding failure condition for csr") : NULL;
}

static struct status *sync_request(void *data, struct arena *arena, const char *key)
{
	struct signer *c = data;
	const CertificatesV1CertificateSigningRequest *csr = informer_get_key(c->requests, arena, key);
	if (!csr || csr->status->certificate.len || !request_has_condition(csr, "Approved") ||
		request_has_condition(csr, "Denied") || request_has_condition(csr, "Failed"))
		return NULL;
	const struct signing_files *files = files_for(c->ctx->options, csr->spec->signer_name);
	if (!files)
		return NULL;
	CLEANUP(pki_csr_freep) struct pki_csr *request = NULL;
	CLEANUP(pki_cert_freep) struct pki_cert *cert = NULL;
	struct pki_subject subject;
	TRY(request_parse(csr, &request));
	pki_csr_subject(arena, request, &subject);
	const char *refusal = request_refusal(arena, csr, &subject);
	if (refusal)
		return fail(c, arena, csr, refusal);
	struct status *s = sign(c, files, csr, request, &cert);
	if (s)
		return status_wrap(s, "error auto signing csr");
	CertificatesV1CertificateSigningRequest *copy = object_copy(arena, csr);
	char *pem = pki_cert_pem(arena, cert);
	copy->status->certificate = (ProtobufCBinaryData){strlen(pem), (uint8_t *)pem};
	s = client_update_status(c->ctx->client, arena, copy, NULL);
	return s ? status_wrap(s, "error updating signature for csr") : NULL;
}

static bool wanted(const struct options *o)
{
	return !str_empty(o->signing.cert) || !str_empty(o->signing_kubelet_serving.cert) ||
	       !str_empty(o->signing_kubelet_client.cert) || !str_empty(o->signing_apiserver_client.cert) ||
	       !str_empty(o->signing_legacy.cert);
}

static struct status *start(struct controller_context *ctx)
{
	struct signer *c = controller_state(ctx, sizeof(*c));
	c->ctx = ctx;
	c->requests = controller_informer(ctx, &CertificatesV1CertificateSigningRequest_schema);
	informer_add_handler(c->requests, &enqueue_self, controller_queue(ctx, "csrsigning", 2, sync_request, c));
	return NULL;
}

const struct controller csr_signing_controller = {.name = "certificatesigningrequest-signing-controller",
	.alias = "csrsigning",
	.service_account = "certificate-controller",
	.wanted = wanted,
	.start = start};
