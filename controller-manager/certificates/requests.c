#include "controller-manager/certificates/requests.h"

#include "base/str.h"

bool request_has_condition(const CertificatesV1CertificateSigningRequest *csr, const char *type)
{
	for (size_t i = 0; i < csr->status->n_conditions; i++)
		if (str_eq(csr->status->conditions[i]->type, type) &&
			str_eq(str_or(csr->status->conditions[i]->status, "True"), "True"))
			return true;
	return false;
}

struct status *request_parse(const CertificatesV1CertificateSigningRequest *csr, struct pki_csr **ret_csr)
{
	struct status *s = pki_csr_parse((const char *)csr->spec->request.data, csr->spec->request.len, ret_csr);
	return s ? status_wrap(s, "unable to parse csr \"%s\"", csr->metadata->name) : NULL;
}

static bool usages_are(const CertificatesV1CertificateSigningRequest *csr, const char *auth)
{
	char *const *usages = csr->spec->usages;
	size_t n = csr->spec->n_usages;
	bool encipherment = str_in_n("key encipherment", usages, n);
	if (!str_in_n("digital signature", usages, n) || !str_in_n(auth, usages, n))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!str_eq(usages[i], "digital signature") && !str_eq(usages[i], "key encipherment") &&
			!str_eq(usages[i], auth))
			return false;
	return n == 2u + encipherment;
}

static const char *node_refusal(
	const CertificatesV1CertificateSigningRequest *csr, const struct pki_subject *subject, bool serving)
{
	if (subject->n_organizations != 1 || !str_eq(subject->organizations[0], "system:nodes"))
		return "subject organization is not system:nodes";
	if (serving && !subject->n_dns_names && !subject->n_ip_addresses)
		return "DNS or IP subjectAltName is required";
	if (!serving && subject->n_dns_names)
		return "DNS subjectAltNames are not allowed";
	if (subject->n_emails)
		return "Email subjectAltNames are not allowed";
	if (!serving && subject->n_ip_addresses)
		return "IP subjectAltNames are not allowed";
	if (subject->n_uris)
		return "URI subjectAltNames are not allowed";
	if (!serving && !str_starts_with(str_or_empty(subject->common_name), "system:node:"))
		return "subject common name does not begin with system:node:";
	if (!usages_are(csr, serving ? "server auth" : "client auth"))
		return serving ? "usages did not match [digital signature key encipherment server auth]"
			       : "usages did not match [client auth digital signature key encipherment]";
	if (!str_starts_with(str_or_empty(subject->common_name), "system:node:"))
		return "subject common name does not begin with system:node:";
	return NULL;
}

static const char *client_refusal(struct arena *arena, const CertificatesV1CertificateSigningRequest *csr)
{
	bool client_auth = false;
	for (size_t i = 0; i < csr->spec->n_usages; i++) {
		const char *usage = csr->spec->usages[i];
		client_auth |= str_eq(usage, "client auth");
		if (!str_eq(usage, "client auth") && !str_eq(usage, "digital signature") &&
			!str_eq(usage, "key encipherment"))
			return arena_printf(arena, "invalid usage for client certificate: %s", usage);
	}
	return client_auth ? NULL : "missing required usage for client certificate: client auth";
}

const char *request_refusal(
	struct arena *arena, const CertificatesV1CertificateSigningRequest *csr, const struct pki_subject *subject)
{
	const char *signer = csr->spec->signer_name;
	if (str_eq(signer, SIGNER_KUBELET_SERVING))
		return node_refusal(csr, subject, true);
	if (str_eq(signer, SIGNER_KUBELET_CLIENT))
		return node_refusal(csr, subject, false);
	return str_eq(signer, SIGNER_APISERVER_CLIENT) ? client_refusal(arena, csr) : NULL;
}

struct status *request_usages(char *const *usages, size_t n, unsigned *ret_usages)
{
	static const struct {
		const char *name;
		unsigned bit;
	} known[] = {
		{"signing", PKI_DIGITAL_SIGNATURE},
		{"digital signature", PKI_DIGITAL_SIGNATURE},
		{"content commitment", PKI_CONTENT_COMMITMENT},
		{"key encipherment", PKI_KEY_ENCIPHERMENT},
		{"key agreement", PKI_KEY_AGREEMENT},
		{"data encipherment", PKI_DATA_ENCIPHERMENT},
		{"cert sign", PKI_CERT_SIGN},
		{"crl sign", PKI_CRL_SIGN},
		{"server auth", PKI_SERVER_AUTH},
		{"client auth", PKI_CLIENT_AUTH},
		{"code signing", PKI_CODE_SIGNING},
		{"email protection", PKI_EMAIL_PROTECTION},
		{"s/mime", PKI_EMAIL_PROTECTION},
	};
	unsigned bits = 0;
	for (size_t i = 0; i < n; i++) {
		unsigned bit = 0;
		for (size_t j = 0; j < ARRAY_SIZE(known); j++)
			if (str_eq(usages[i], known[j].name))
				bit = known[j].bit;
		if (!bit)
			return status_bad_request("unrecognized usage values: [\"%s\"]", usages[i]);
		bits |= bit;
	}
	*ret_usages = bits;
	return NULL;
}

int64_t request_duration_s(const CertificatesV1CertificateSigningRequest *csr, int64_t max_s)
{
	enum { LEAST_S = 600 };
	if (!csr->spec->has_expiration_seconds || csr->spec->expiration_seconds > max_s)
		return max_s;
	return csr->spec->expiration_seconds < LEAST_S ? LEAST_S : csr->spec->expiration_seconds;
}
