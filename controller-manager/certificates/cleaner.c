/* Deletes requests that are over: issued, denied or failed an hour ago, pending for a day, or their certificate has
 * expired. */
#include "base/log.h"
#include "base/str.h"
#include "controller-manager/certificates/requests.h"
#include "controller-manager/controller.h"

enum { PERIOD_MS = 3600 * 1000, DONE_S = 3600, PENDING_S = 24 * 3600 };

struct cleaner {
	struct controller_context *ctx;
	struct informer *requests;
};

static bool older(const MetaV1Time *time, int64_t seconds, int64_t now_s)
{
	return !time_is_zero(time) && now_s - time->seconds > seconds;
}

static bool has_expired(const CertificatesV1CertificateSigningRequest *csr, int64_t now_s)
{
	CLEANUP(pki_cert_freep) struct pki_cert *cert = NULL;
	const ProtobufCBinaryData *pem = &csr->status->certificate;
	struct status *s = pem->len ? pki_cert_parse((const char *)pem->data, pem->len, &cert) : NULL;
	status_drop(s, "no certificate cannot expire");
	return cert && now_s > pki_cert_not_after_s(cert);
}

static bool is_over(const CertificatesV1CertificateSigningRequest *csr, int64_t now_s)
{
	const CertificatesV1CertificateSigningRequestStatus *status = csr->status;
	if (!status->n_conditions)
		return older(csr->metadata->creation_timestamp, PENDING_S, now_s);
	for (size_t i = 0; i < status->n_conditions; i++) {
		const CertificatesV1CertificateSigningRequestCondition *c = status->conditions[i];
		bool approved = str_eq(c->type, "Approved");
		if (approved && !status->certificate.len)
			continue;
		if (older(c->last_update_time, DONE_S, now_s) || (approved && has_expired(csr, now_s)))
			return true;
	}
	return false;
}

static void clean(void *data, struct arena *arena)
{
	struct cleaner *c = data;
	size_t n;
	const void *const *all = informer_list(c->requests, arena, NULL, &n);
	for (size_t i = 0; i < n; i++) {
		const CertificatesV1CertificateSigningRequest *csr = all[i];
		if (!is_over(csr, clock_wall_s(c->ctx->clock)))
			continue;
		log_info("cleaning CSR %s: it is over", csr->metadata->name);
		struct status *s = client_delete(c->ctx->client, arena, &CertificatesV1CertificateSigningRequest_schema,
			NULL, csr->metadata->name, NULL);
		if (status_is(s, STATUS_NOT_FOUND))
			status_drop(s, "gone");
		else
			log_status(s, "unable to delete CSR %s", csr->metadata->name);
	}
}

static struct status *start(struct controller_context *ctx)
{
	struct cleaner *c = controller_state(ctx, sizeof(*c));
	c->ctx = ctx;
	c->requests = controller_informer(ctx, &CertificatesV1CertificateSigningRequest_schema);
	controller_every(ctx, "csr-cleaner", PERIOD_MS, clean, c);
	return NULL;
}

const struct controller csr_cleaner_controller = {.name = "certificatesigningrequest-cleaner-controller",
	.alias = "csrcleaner",
	.service_account = "certificate-controller",
	.start = start};
