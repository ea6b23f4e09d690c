#include "kubelet/cert/request.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>
#include "api/meta.h"
#include "base/encode.h"
#include "base/io.h"
#include "base/log.h"
#include "base/str.h"

#define POLL_MS 1000
#define MAX_CERT_BYTES (1u << 20)

char *cert_current_path(struct arena *arena, const char *dir, const char *prefix)
{
	return arena_printf(arena, "%s/%s-current.pem", dir, prefix);
}

struct status *cert_renewal_time(const char *path, int64_t *ret_when, int64_t *ret_end)
{
	CLEANUP_FREE char *pem = NULL;
	size_t size;
	CLEANUP(pki_cert_freep) struct pki_cert *cert = NULL;
	TRY(io_read_file(path, MAX_CERT_BYTES, &pem, &size));
	TRY(pki_cert_parse(pem, size, &cert));
	int64_t from = pki_cert_not_before_s(cert), to = pki_cert_not_after_s(cert);
	*ret_when = from + (to - from) * (int64_t)(70 + random_below(20)) / 100;
	*ret_end = to;
	return NULL;
}

/* A new file, then the link moves: whoever reads sees the old pair or the new one. */
static struct status *store(
	const struct cert_request *r, struct arena *arena, const char *cert, size_t cert_size, const char *key)
{
	time_t now = (time_t)clock_wall_s(r->clock);
	struct tm tm;
	char stamp[32];
	gmtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "%Y-%m-%d-%H-%M-%S", &tm);
	CLEANUP(strbuf_done) struct strbuf both = STRBUF_INIT;
	strbuf_add(&both, cert, cert_size);
	if (both.len && both.buf[both.len - 1] != '\n')
		strbuf_addc(&both, '\n');
	strbuf_adds(&both, key);
	TRY(io_mkdirs(r->dir, 0755));
	char *path = arena_printf(arena, "%s/%s-%s.pem", r->dir, r->prefix, stamp);
	TRY(io_write_file(path, both.buf, both.len, 0600));
	char *link = cert_current_path(arena, r->dir, r->prefix), *fresh = arena_printf(arena, "%s.new", link);
	unlink(fresh);
	if (symlink(path, fresh) || rename(fresh, link))
		return status_errno(errno, "link %s", link);
	return NULL;
}

static struct status *submit(
	const struct cert_request *r, struct arena *arena, const struct pki_key *key, char **ret_name)
{
	CLEANUP(pki_csr_freep) struct pki_csr *csr = NULL;
	TRY(pki_csr_create(key, r->subject, &csr));
	char *pem = pki_csr_pem(arena, csr);
	CertificatesV1CertificateSigningRequest *o = API_NEW(arena, CertificatesV1CertificateSigningRequest), *made;
	o->metadata = API_NEW(arena, MetaV1ObjectMeta);
	/* The name follows from the key: asking again for the same key finds the same request. */
	o->metadata->name = arena_printf(arena, "node-csr-%s", pki_key_id(arena, key));
	for (char *p = o->metadata->name; *p; p++)
		if (*p == '_')
			*p = '-';
	*ret_name = str_lower(arena, o->metadata->name);
	for (size_t n = strlen(*ret_name); n && (*ret_name)[n - 1] == '-'; n--)
		(*ret_name)[n - 1] = 'x';
	o->metadata->name = *ret_name;
	o->spec = API_NEW(arena, CertificatesV1CertificateSigningRequestSpec);
	o->spec->request.data = (uint8_t *)pem;
	o->spec->request.len = strlen(pem);
	o->spec->signer_name = arena_strdup(arena, r->signer);
	for (size_t i = 0; r->usages[i]; i++)
		ARENA_PUSH(arena, o->spec->usages, o->spec->n_usages) = arena_strdup(arena, r->usages[i]);
	struct status *s = client_create(r->client, arena, o, &made);
	if (status_is(s, STATUS_ALREADY_EXISTS)) {
		status_drop(s, "asked for before");
		return NULL;
	}
	return status_wrap(s, "certificate signing request");
}

/* *ret_cert stays NULL while nothing is decided. */
static struct status *look(
	const struct cert_request *r, struct arena *arena, const char *name, char **ret_cert, size_t *ret_size)
{
	CertificatesV1CertificateSigningRequest *o;
	TRY(client_get(r->client, arena, &CertificatesV1CertificateSigningRequest_schema, NULL, name, &o));
	for (size_t i = 0; o->status && i < o->status->n_conditions; i++) {
		const CertificatesV1CertificateSigningRequestCondition *c = o->status->conditions[i];
		if (str_eq(c->type, "Denied") || str_eq(c->type, "Failed"))
			return status_new(STATUS_FORBIDDEN, "certificate signing request %s was %s: %s %s", name,
				str_eq(c->type, "Denied") ? "denied" : "failed", c->reason, c->message);
	}
	if (o->status && o->status->certificate.len) {
		*ret_cert = arena_strndup(arena, (char *)o->status->certificate.data, o->status->certificate.len);
		*ret_size = o->status->certificate.len;
	}
	return NULL;
}

static bool stopping(const struct cert_request *r)
{
	return r->stopping && *r->stopping;
}

struct status *cert_request_run(const struct cert_request *r)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(pki_key_freep) struct pki_key *key = NULL;
	char *name, *cert = NULL;
	size_t size = 0;
	TRY(pki_key_generate(PKI_ECDSA_P256, &key));
	TRY(submit(r, arena, key, &name));
	log_info("waiting for certificate signing request %s to be signed", name);
	int64_t start = clock_mono_ms(r->clock);
	while (!cert) {
		struct status *s = look(r, arena, name, &cert, &size);
		if (status_is(s, STATUS_UNAVAILABLE) || status_is(s, STATUS_TIMEOUT))
			log_status(s, "certificate signing request %s", name);
		else if (s)
			return s;
		if (cert)
			break;
		if (stopping(r))
			return status_new(STATUS_UNAVAILABLE, "stopped while waiting for a certificate");
		if (r->timeout_ms > 0 && clock_mono_ms(r->clock) - start > r->timeout_ms)
			return status_new(
				STATUS_TIMEOUT, "certificate signing request %s was not signed in time", name);
		nanosleep(&(struct timespec){.tv_sec = POLL_MS / 1000, .tv_nsec = POLL_MS % 1000 * 1000000}, NULL);
	}
	return store(r, arena, cert, size, pki_key_pem(arena, key));
}
