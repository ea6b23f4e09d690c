#include "api/meta.h"
#include "apiserver/strategy/generic.h"
#include "apiserver/strategy/records.h"
#include "base/str.h"
#include "base/encode.h"
#include "pki/pki.h"

enum { MIN_EXPIRATION_S = 600 };

/* Who asked is what the server saw, not what the object says. */
static void prepare_create(struct request *request, ProtobufCMessage *object)
{
	CertificatesV1CertificateSigningRequest *csr = (CertificatesV1CertificateSigningRequest *)object;
	CertificatesV1CertificateSigningRequestSpec *spec =
		ENSURE(request->arena, csr->spec, CertificatesV1CertificateSigningRequestSpec);
	const struct user *user = request->user;
	spec->username = (char *)user->name;
	spec->uid = (char *)user->uid;
	spec->groups = user->groups;
	spec->n_groups = user->n_groups;
	spec->n_extra = 0;
	spec->extra = NULL;
	for (size_t i = 0; i < user->n_extra; i++) {
		CertificatesV1CertificateSigningRequestSpecExtraEntry *entry =
			API_NEW(request->arena, CertificatesV1CertificateSigningRequestSpecExtraEntry);
		entry->key = (char *)user->extra[i].key;
		entry->value = API_NEW(request->arena, CertificatesV1ExtraValue);
		entry->value->items = user->extra[i].values;
		entry->value->n_items = user->extra[i].n_values;
		ARENA_PUSH(request->arena, spec->extra, spec->n_extra) = entry;
	}
	csr->status = NULL;
}

static bool is_verdict(const CertificatesV1CertificateSigningRequestCondition *c)
{
	return str_eq(c->type, "Approved") || str_eq(c->type, "Denied");
}

static size_t count_of(const CertificatesV1CertificateSigningRequestStatus *status, const char *type)
{
	size_t n = 0;
	for (size_t i = 0; status && i < status->n_conditions; i++)
		n += str_eq(status->conditions[i]->type, type);
	return n;
}

/* A write of status leaves the verdicts as they were; where it adds or removes one, validation says so. */
static void keep_verdicts(CertificatesV1CertificateSigningRequestStatus *status,
	const CertificatesV1CertificateSigningRequestStatus *old, const char *type)
{
	size_t k = 0;
	if (!old || count_of(status, type) != count_of(old, type))
		return;
	for (size_t i = 0; i < status->n_conditions; i++) {
		if (!str_eq(status->conditions[i]->type, type))
			continue;
		while (!str_eq(old->conditions[k]->type, type))
			k++;
		status->conditions[i] = old->conditions[k++];
	}
}

/* When a condition that is there with the same status was set; NULL if there is none. */
static MetaV1Time *transition_of(const CertificatesV1CertificateSigningRequestStatus *old,
	const CertificatesV1CertificateSigningRequestCondition *c)
{
	for (size_t i = 0; old && i < old->n_conditions; i++)
		if (str_eq(old->conditions[i]->type, c->type) && str_eq(old->conditions[i]->status, c->status) &&
			!time_is_zero(old->conditions[i]->last_transition_time))
			return old->conditions[i]->last_transition_time;
	return NULL;
}

static void fill_times(struct request *request, CertificatesV1CertificateSigningRequestStatus *status,
	const CertificatesV1CertificateSigningRequestStatus *old)
{
	MetaV1Time *now = time_new(request->arena, clock_wall_s(request->clock));
	for (size_t i = 0; i < status->n_conditions; i++) {
		CertificatesV1CertificateSigningRequestCondition *c = status->conditions[i];
		if (time_is_zero(c->last_update_time))
			c->last_update_time = now;
		if (time_is_zero(c->last_transition_time))
			c->last_transition_time = transition_of(old, c);
		if (!c->last_transition_time)
			c->last_transition_time = now;
	}
}

static void prepare_update(struct request *request, ProtobufCMessage *object, const ProtobufCMessage *before)
{
	CertificatesV1CertificateSigningRequest *csr = (CertificatesV1CertificateSigningRequest *)object;
	const CertificatesV1CertificateSigningRequest *old = (const CertificatesV1CertificateSigningRequest *)before;
	bool approval = !strcmp(request->subresource, "approval");
	csr->spec = old->spec;
	if (!approval && !generic_is_status(request)) {
		csr->status = old->status;
		return;
	}
	CertificatesV1CertificateSigningRequestStatus *status =
		ENSURE(request->arena, csr->status, CertificatesV1CertificateSigningRequestStatus);
	if (!approval) {
		keep_verdicts(status, old->status, "Approved");
		keep_verdicts(status, old->status, "Denied");
	}
	if (approval && old->status)
		status->certificate = old->status->certificate;
	else if (approval)
		status->certificate = (ProtobufCBinaryData){0};
	fill_times(request, status, old->status);
}

static const char *const usages[] = {"any", "cert sign", "client auth", "code signing", "content commitment",
	"crl sign", "data encipherment", "decipher only", "digital signature", "email protection", "encipher only",
	"ipsec end system", "ipsec tunnel", "ipsec user", "key agreement", "key encipherment", "microsoft sgc",
	"netscape sgc", "ocsp signing", "s/mime", "server auth", "signing", "timestamping", NULL};

static void check_signer(struct field_errors *errors, const struct field_path *path, const char *name)
{
	if (str_empty(name)) {
		field_required(errors, path, "");
		return;
	}
	const char *slash = strchr(name, '/');
	if (!slash || strchr(slash + 1, '/')) {
		field_invalid(errors, path, name,
			"must be a fully qualified domain and path of the form 'example.com/signer-name'");
		return;
	}
	const char *domain = arena_strndup(errors->arena, name, (size_t)(slash - name));
	const char *problem = check_dns_subdomain(errors->arena, domain);
	if (problem)
		field_invalid(errors, path, domain,
			arena_printf(errors->arena, "validating label \"%s\": %s", domain, problem));
	else if (!strchr(domain, '.'))
		field_invalid(errors, path, domain, "should be a domain with at least two segments separated by dots");
	problem = check_dns_subdomain(errors->arena, slash + 1);
	if (problem)
		field_invalid(errors, path, slash + 1, problem);
}

static void validate_create(struct request *request, const ProtobufCMessage *object, struct field_errors *errors)
{
	const CertificatesV1CertificateSigningRequestSpec *spec =
		((const CertificatesV1CertificateSigningRequest *)object)->spec;
	const struct field_path *path = FIELD(NULL, "spec");
	struct pki_csr *parsed = NULL;
	struct status *s = pki_csr_parse((const char *)spec->request.data, spec->request.len, &parsed);
	if (s) {
		char *text = base64_encode(errors->arena, spec->request.data, spec->request.len);
		field_invalid_json(errors, FIELD(path, "request"), field_quote(errors->arena, text), s->message);
		status_free(s);
	}
	pki_csr_free(parsed);
	if (!spec->n_usages)
		field_required(errors, FIELD(path, "usages"), "");
	for (size_t i = 0; i < spec->n_usages; i++) {
		if (!str_in(spec->usages[i], usages))
			field_unsupported(errors, FIELD_INDEX(FIELD(path, "usages"), i), spec->usages[i], usages);
		if (str_in_n(spec->usages[i], spec->usages, i))
			field_duplicate(errors, FIELD_INDEX(FIELD(path, "usages"), i), spec->usages[i]);
	}
	check_signer(errors, FIELD(path, "signerName"), spec->signer_name);
	if (str_eq(spec->signer_name, "kubernetes.io/legacy-unknown"))
		field_invalid(errors, FIELD(path, "signerName"), spec->signer_name,
			"the legacy signerName is not allowed via this API version");
	if (spec->has_expiration_seconds && spec->expiration_seconds < MIN_EXPIRATION_S)
		field_invalid_int(errors, FIELD(path, "expirationSeconds"), spec->expiration_seconds,
			"may not specify a duration less than 600 seconds (10 minutes)");
}

static void check_condition(struct field_errors *errors, const struct field_path *path,
	const CertificatesV1CertificateSigningRequestCondition *c)
{
	static const char *const all[] = {"False", "True", "Unknown", NULL};
	static const char *const only_true[] = {"True", NULL};
	bool known = is_verdict(c) || str_eq(c->type, "Failed");
	if (str_empty(c->type))
		field_required(errors, FIELD(path, "type"), "");
	if (str_empty(c->status))
		field_required(errors, FIELD(path, "status"), "");
	else if (!str_in(c->status, known ? only_true : all))
		field_unsupported(errors, FIELD(path, "status"), c->status, known ? only_true : all);
}

/* Conditions that decide are not taken back, and only approval gives verdicts. */
static void check_decisions(struct request *request, struct field_errors *errors, const struct field_path *path,
	const CertificatesV1CertificateSigningRequestStatus *status,
	const CertificatesV1CertificateSigningRequestStatus *old)
{
	static const char *const types[] = {"Approved", "Denied", "Failed"};
	bool approval = str_eq(request->subresource, "approval");
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		size_t before = count_of(old, types[i]), now = count_of(status, types[i]);
		if (now < before)
			field_forbidden(errors, path,
				arena_printf(
					errors->arena, "updates may not remove a condition of type \"%s\"", types[i]));
		else if (now > before && !approval && i < 2)
			field_forbidden(errors, path,
				arena_printf(
					errors->arena, "updates may not add a condition of type \"%s\"", types[i]));
	}
}

static void validate_update(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *before,
	struct field_errors *errors)
{
	const CertificatesV1CertificateSigningRequestStatus *status =
		((const CertificatesV1CertificateSigningRequest *)object)->status;
	const struct field_path *path = FIELD(FIELD(NULL, "status"), "conditions");
	bool approved = false, denied = false;
	check_decisions(
		request, errors, path, status, ((const CertificatesV1CertificateSigningRequest *)before)->status);
	for (size_t i = 0; status && i < status->n_conditions; i++) {
		check_condition(errors, FIELD_INDEX(path, i), status->conditions[i]);
		approved |= str_eq(status->conditions[i]->type, "Approved");
		denied |= str_eq(status->conditions[i]->type, "Denied");
		for (size_t k = 0; k < i; k++)
			if (str_eq(status->conditions[k]->type, status->conditions[i]->type))
				field_duplicate(
					errors, FIELD(FIELD_INDEX(path, i), "type"), status->conditions[i]->type);
	}
	if (approved && denied)
		field_invalid(errors, path, "Denied", "Approved and Denied conditions are mutually exclusive");
}

const struct strategy csr_strategy = {
	.group = "certificates.k8s.io",
	.resource = "certificatesigningrequests",
	.prepare_create = prepare_create,
	.validate_create = validate_create,
	.prepare_update = prepare_update,
	.validate_update = validate_update,
};
