#include "api/copy.h"
#include "api/meta.h"
#include "apiserver/admission/plugins.h"
#include "base/str.h"
#include "pki/pki.h"

/* Approving and signing are rights on the signer, by its name or by its domain. */
static bool may(const struct admission_context *context, const struct admission_attributes *a, const char *verb,
	const char *signer)
{
	const char *slash = strchr(signer, '/');
	const char *names[] = {
		signer, slash ? arena_printf(a->arena, "%.*s/*", (int)(slash - signer), signer) : signer};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct authz_attributes attributes = {.user = a->user,
			.verb = verb,
			.resource_request = true,
			.group = "certificates.k8s.io",
			.version = "*",
			.resource = "signers",
			.name = names[i]};
		const char *reason;
		if (authz_authorize(context->authz, a->arena, &attributes, &reason) == AUTHZ_ALLOW)
			return true;
	}
	return false;
}

static const CertificatesV1CertificateSigningRequest *request_of(const ProtobufCMessage *object)
{
	return API_IS(object, CertificatesV1CertificateSigningRequest)
		       ? (const CertificatesV1CertificateSigningRequest *)object
		       : NULL;
}

static const char *signer_of(const CertificatesV1CertificateSigningRequest *csr)
{
	return csr && csr->spec ? str_or_empty(csr->spec->signer_name) : "";
}

static struct status *validate_approval(const struct admission_context *context, const struct admission_attributes *a)
{
	if (!admission_is(a, "certificates.k8s.io", "certificatesigningrequests", "approval"))
		return NULL;
	const char *signer = signer_of(request_of(a->old ? a->old : a->object));
	if (may(context, a, "approve", signer))
		return NULL;
	return admission_forbidden(a, "user not permitted to approve requests with signerName \"%s\"", signer);
}

const struct admission_plugin certificate_approval_plugin = {
	.name = "CertificateApproval",
	.on_by_default = true,
	.operations = ON_UPDATE,
	.validate = validate_approval,
};

static bool same_verdict(
	const CertificatesV1CertificateSigningRequest *csr, const CertificatesV1CertificateSigningRequest *old)
{
	const CertificatesV1CertificateSigningRequestStatus *now = csr ? csr->status : NULL,
							    *before = old ? old->status : NULL;
	size_t len = now ? now->certificate.len : 0, old_len = before ? before->certificate.len : 0;
	size_t n = now ? now->n_conditions : 0, old_n = before ? before->n_conditions : 0;
	bool same =
		len == old_len && (!len || !memcmp(now->certificate.data, before->certificate.data, len)) && n == old_n;
	for (size_t i = 0; same && i < n; i++)
		same = api_equal(now->conditions[i], before->conditions[i]);
	return same;
}

static struct status *validate_signing(const struct admission_context *context, const struct admission_attributes *a)
{
	if (!admission_is(a, "certificates.k8s.io", "certificatesigningrequests", "status"))
		return NULL;
	const CertificatesV1CertificateSigningRequest *csr = request_of(a->object), *old = request_of(a->old);
	if (same_verdict(csr, old))
		return NULL;
	const char *signer = signer_of(old ? old : csr);
	if (may(context, a, "sign", signer))
		return NULL;
	return admission_forbidden(a, "user not permitted to sign requests with signerName \"%s\"", signer);
}

const struct admission_plugin certificate_signing_plugin = {
	.name = "CertificateSigning",
	.on_by_default = true,
	.operations = ON_UPDATE,
	.validate = validate_signing,
};

/* No client certificate of the group that may do everything. */
static struct status *validate_subject(const struct admission_context *context, const struct admission_attributes *a)
{
	const CertificatesV1CertificateSigningRequest *csr = request_of(a->object);
	if (a->operation != ADMISSION_CREATE || !csr || !csr->spec || !str_empty(a->subresource) ||
		!str_eq(csr->spec->signer_name, "kubernetes.io/kube-apiserver-client"))
		return NULL;
	struct pki_csr *parsed = NULL;
	struct status *s = pki_csr_parse((const char *)csr->spec->request.data, csr->spec->request.len, &parsed);
	if (s)
		return admission_forbidden(
			a, "unable to parse CSR: %s", (status_drop(s, "wrapped"), "malformed request"));
	struct pki_subject subject = {0};
	pki_csr_subject(a->arena, parsed, &subject);
	pki_csr_free(parsed);
	if (str_in_n(GROUP_MASTERS, subject.organizations, subject.n_organizations))
		return admission_forbidden(a,
			"use of kubernetes.io/kube-apiserver-client signer with %s group is not allowed",
			GROUP_MASTERS);
	return NULL;
}

const struct admission_plugin certificate_subject_plugin = {
	.name = "CertificateSubjectRestriction",
	.on_by_default = true,
	.operations = ON_CREATE,
	.validate = validate_subject,
};
