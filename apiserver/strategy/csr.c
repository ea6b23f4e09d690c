#include <stdlib.h>
#include "api/meta.h"
#include "apiserver/strategy/generic.h"
#include "apiserver/strategy/records.h"
#include "base/encode.h"
#include "base/nameset.h"
#include "base/str.h"
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

enum { MAX_DOMAIN = 253, MAX_SIGNER = 253 + 1 + 253 + 1 + 63 };

/* The first label that is bad, with each thing that is wrong with it. */
static void check_labels(struct field_errors *errors, const struct field_path *path, const char *text,
	const char *(*check)(struct arena *arena, const char *label))
{
	char **labels, *nothing[] = {(char *)""};
	size_t n = str_split(errors->arena, text, '.', &labels);
	if (!n) {
		labels = nothing;
		n = 1;
	}
	for (size_t i = 0; i < n; i++) {
		const char *problem = check(errors->arena, labels[i]);
		bool bad = problem;
		while (problem) {
			const char *end = strstr(problem, "; ");
			int len = end ? (int)(end - problem) : (int)strlen(problem);
			field_invalid(errors, path, text,
				arena_printf(errors->arena, "validating label \"%s\": %.*s", labels[i], len, problem));
			problem = end ? end + 2 : NULL;
		}
		if (bad)
			return;
	}
}

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
	if (strlen(domain) > MAX_DOMAIN)
		field_too_long(errors, path, MAX_DOMAIN);
	check_labels(errors, path, domain, check_dns_label);
	if (!strchr(domain, '.'))
		field_invalid(errors, path, domain, "should be a domain with at least two segments separated by dots");
	check_labels(errors, path, slash + 1, check_dns_subdomain);
	if (strlen(name) > MAX_SIGNER)
		field_too_long(errors, path, MAX_SIGNER);
}

static void check_request(
	struct field_errors *errors, const struct field_path *path, const ProtobufCBinaryData *request)
{
	CLEANUP(pki_csr_freep) struct pki_csr *parsed = NULL;
	CLEANUP_STATUS struct status *s = pki_csr_parse((const char *)request->data, request->len, &parsed);
	const char *problem = s ? s->message : pki_csr_signature_problem(parsed);
	char *text = problem ? base64_encode(errors->arena, request->data, request->len) : NULL;
	if (problem)
		field_invalid_json(errors, path, request->data ? field_quote(errors->arena, text) : "null", problem);
}

/* What an update takes because the object was so before. */
struct leniency {
	bool unknown_usages, duplicate_usages, legacy_signer, both_verdicts, duplicate_types, empty_types,
		any_certificate;
};

static void check_spec(
	struct field_errors *errors, const CertificatesV1CertificateSigningRequestSpec *spec, const struct leniency *l)
{
	const struct field_path *path = FIELD(NULL, "spec"), *at = FIELD(path, "usages");
	check_request(errors, FIELD(path, "request"), &spec->request);
	if (!spec->n_usages)
		field_required(errors, at, "");
	for (size_t i = 0; i < spec->n_usages && !l->unknown_usages; i++)
		if (!str_in(spec->usages[i], usages))
			field_unsupported(errors, FIELD_INDEX(at, i), spec->usages[i], usages);
	struct nameset seen = {.arena = errors->arena};
	for (size_t i = 0; i < spec->n_usages && !l->duplicate_usages; i++)
		if (!nameset_add(&seen, spec->usages[i]))
			field_duplicate(errors, FIELD_INDEX(at, i), spec->usages[i]);
	if (!l->legacy_signer && str_eq(spec->signer_name, "kubernetes.io/legacy-unknown"))
		field_invalid(errors, FIELD(path, "signerName"), spec->signer_name,
			"the legacy signerName is not allowed via this API version");
	else
		check_signer(errors, FIELD(path, "signerName"), spec->signer_name);
	if (spec->has_expiration_seconds && spec->expiration_seconds < MIN_EXPIRATION_S)
		field_invalid_int(errors, FIELD(path, "expirationSeconds"), spec->expiration_seconds,
			"may not specify a duration less than 600 seconds (10 minutes)");
}

static void check_condition(struct field_errors *errors, const struct field_path *path,
	const CertificatesV1CertificateSigningRequestCondition *c, bool may_be_empty)
{
	static const char *const all[] = {"False", "True", "Unknown", NULL};
	static const char *const only_true[] = {"True", NULL};
	bool known = is_verdict(c) || str_eq(c->type, "Failed");
	if (str_empty(c->type) && !may_be_empty)
		field_required(errors, FIELD(path, "type"), "");
	if (str_empty(c->status))
		field_required(errors, FIELD(path, "status"), "");
	else if (!str_in(c->status, known ? only_true : all))
		field_unsupported(errors, FIELD(path, "status"), c->status, known ? only_true : all);
}

static void check_conditions(struct field_errors *errors, const CertificatesV1CertificateSigningRequestStatus *status,
	const struct leniency *l)
{
	const struct field_path *path = FIELD(FIELD(NULL, "status"), "conditions");
	bool approved = false, denied = false;
	struct nameset seen = {.arena = errors->arena};
	for (size_t i = 0; status && i < status->n_conditions; i++) {
		const CertificatesV1CertificateSigningRequestCondition *c = status->conditions[i];
		check_condition(errors, FIELD_INDEX(path, i), c, l->empty_types);
		approved |= str_eq(c->type, "Approved");
		denied |= str_eq(c->type, "Denied");
		if (!l->both_verdicts && approved && denied && is_verdict(c))
			field_invalid(errors, path, c->type, "Approved and Denied conditions are mutually exclusive");
		if (!nameset_add(&seen, c->type) && !l->duplicate_types)
			field_duplicate(errors, FIELD(FIELD_INDEX(path, i), "type"), c->type);
	}
}

static const char *certificate_problem(struct arena *arena, const ProtobufCBinaryData *pem)
{
	return pem->len ? pki_certificates_problem(arena, (const char *)pem->data, pem->len) : NULL;
}

static void check_all(
	struct field_errors *errors, const CertificatesV1CertificateSigningRequest *csr, const struct leniency *l)
{
	const ProtobufCBinaryData *pem = csr->status ? &csr->status->certificate : NULL;
	const char *problem = pem && !l->any_certificate ? certificate_problem(errors->arena, pem) : NULL;
	check_spec(errors, csr->spec, l);
	check_conditions(errors, csr->status, l);
	if (problem)
		field_invalid(errors, FIELD(FIELD(NULL, "status"), "certificate"), "<certificate data>", problem);
}

static void validate_create(struct request *request, const ProtobufCMessage *object, struct field_errors *errors)
{
	check_all(errors, (const CertificatesV1CertificateSigningRequest *)object,
		&(struct leniency){.unknown_usages = false});
}

static bool same_bytes(const ProtobufCBinaryData *a, const ProtobufCBinaryData *b)
{
	return a->len == b->len && (!a->len || !memcmp(a->data, b->data, a->len));
}

static const CertificatesV1CertificateSigningRequestStatus *status_of(const ProtobufCMessage *object)
{
	const CertificatesV1CertificateSigningRequestStatus *s =
		((const CertificatesV1CertificateSigningRequest *)object)->status;
	return s ? s : CertificatesV1CertificateSigningRequestStatus_schema.zero;
}

static struct leniency leniency_of(struct arena *arena, const ProtobufCMessage *object, const ProtobufCMessage *before)
{
	const CertificatesV1CertificateSigningRequestSpec *spec =
		((const CertificatesV1CertificateSigningRequest *)before)->spec;
	const CertificatesV1CertificateSigningRequestStatus *old = status_of(before);
	struct leniency l = {.legacy_signer = spec && str_eq(spec->signer_name, "kubernetes.io/legacy-unknown"),
		.both_verdicts = count_of(old, "Approved") && count_of(old, "Denied"),
		.any_certificate = same_bytes(&status_of(object)->certificate, &old->certificate) ||
				   certificate_problem(arena, &old->certificate)};
	struct nameset used = {.arena = arena}, types = {.arena = arena};
	for (size_t i = 0; spec && i < spec->n_usages; i++) {
		l.unknown_usages |= !str_in(spec->usages[i], usages);
		l.duplicate_usages |= !nameset_add(&used, spec->usages[i]);
	}
	for (size_t i = 0; i < old->n_conditions; i++) {
		l.duplicate_types |= !nameset_add(&types, old->conditions[i]->type);
		l.empty_types |= str_empty(old->conditions[i]->type);
	}
	return l;
}

/* Conditions that decide are not taken back, and only approval gives verdicts. */
static void check_decisions(struct field_errors *errors, const CertificatesV1CertificateSigningRequestStatus *status,
	const CertificatesV1CertificateSigningRequestStatus *old, bool approval)
{
	static const char *const types[] = {"Approved", "Denied", "Failed"};
	const struct field_path *path = FIELD(FIELD(NULL, "status"), "conditions");
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (count_of(status, types[i]) < count_of(old, types[i]))
			field_forbidden(errors, path,
				arena_printf(
					errors->arena, "updates may not remove a condition of type \"%s\"", types[i]));
	for (size_t i = 0; i < 2 && !approval; i++)
		if (count_of(status, types[i]) > count_of(old, types[i]))
			field_forbidden(errors, path,
				arena_printf(
					errors->arena, "updates may not add a condition of type \"%s\"", types[i]));
}

static void validate_update(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *before,
	struct field_errors *errors)
{
	const struct field_path *certificate = FIELD(FIELD(NULL, "status"), "certificate");
	const CertificatesV1CertificateSigningRequestStatus *status = status_of(object), *old = status_of(before);
	struct leniency l = leniency_of(errors->arena, object, before);
	check_all(errors, (const CertificatesV1CertificateSigningRequest *)object, &l);
	check_decisions(errors, status, old, str_eq(request->subresource, "approval"));
	if (same_bytes(&status->certificate, &old->certificate))
		return;
	if (!generic_is_status(request))
		field_forbidden(errors, certificate, "updates may not set certificate content");
	else if (old->certificate.len)
		field_forbidden(errors, certificate, "updates may not modify existing certificate content");
}

const struct strategy csr_strategy = {
	.group = "certificates.k8s.io",
	.resource = "certificatesigningrequests",
	.update_checks = {CHECK_META, CHECK_CHANGE, CHECK_META_CHANGE},
	.status_checks = {CHECK_META, CHECK_CHANGE, CHECK_META_CHANGE},
	.check_name = name_is_any,
	.prepare_create = prepare_create,
	.validate_create = validate_create,
	.prepare_update = prepare_update,
	.validate_update = validate_update,
};
