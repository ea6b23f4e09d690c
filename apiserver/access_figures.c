#include "apiserver/access_figures.h"
#include "serve/metrics.h"

static const double waits[] = {
	0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024, 2.048, 4.096, 8.192, 16.384};
static const struct tally_bounds wait_bounds = {waits, ARRAY_SIZE(waits)};
static const double filter_waits[] = {0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 5, 10, 15, 30};
static const struct tally_bounds filter_bounds = {filter_waits, ARRAY_SIZE(filter_waits)};
static const double ages[] = {
	0, 1800, 3600, 7200, 21600, 43200, 86400, 172800, 345600, 604800, 2592000, 7776000, 15552000, 31104000};
static const struct tally_bounds age_bounds = {ages, ARRAY_SIZE(ages)};

/* Whom the original names; others have one line in common, for their names are without number. */
static const char *const names[ACCESS_NAMES - 2] = {
	"admin", "client", "kube_proxy", "kubelet", "system:serviceaccount:kube-system:default"};
enum { EMAIL = ACCESS_NAMES - 2, OTHER };
static const char *const others[] = {"email_id", "other"};

static size_t index_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (str_eq(names[i], name))
			return i;
	return strchr(name, '@') ? EMAIL : OTHER;
}

void access_identified(struct access_figures *figures, enum access_result result, const struct user *user,
	double seconds, int64_t now_s)
{
	tally_observe(&figures->identified[result], &wait_bounds, seconds);
	if (!user)
		return;
	atomic_fetch_add_explicit(&figures->users[index_of(user->name)], 1, memory_order_relaxed);
	if (user->certificate_until_s)
		tally_observe(&figures->certificates, &age_bounds, (double)(user->certificate_until_s - now_s));
}

void access_decided(struct access_figures *figures, enum authz_decision decision, double seconds)
{
	tally_observe(&figures->decided[decision], &wait_bounds, seconds);
}

void access_filtered(struct access_figures *figures, enum access_filter filter, double seconds)
{
	tally_observe(&figures->filtered[filter], &filter_bounds, seconds);
}

static void write_filtered(const struct access_figures *f, struct strbuf *out)
{
	static const char name[] = "apiserver_request_filter_duration_seconds";
	static const char *const filters[] = {[ACCESS_AUTHENTICATION] = "authentication",
		[ACCESS_IMPERSONATION] = "impersonation",
		[ACCESS_AUTHORIZATION] = "authorization"};
	metrics_write_head(out, name, "histogram", "How long a request was looked at before it was let in.");
	for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
		CLEANUP(strbuf_done) struct strbuf labels = STRBUF_INIT;
		metrics_add_label(&labels, "filter", filters[i]);
		metrics_write_tally(out, name, labels.buf, &f->filtered[i], &filter_bounds);
	}
}

static void write_count(
	struct strbuf *out, const char *name, const char *label, const char *value, uint64_t count, bool always)
{
	CLEANUP(strbuf_done) struct strbuf labels = STRBUF_INIT;
	metrics_add_label(&labels, label, value);
	if (count || always)
		metrics_write_sample(out, name, labels.buf, (double)count);
}

static void write_identified(const struct access_figures *f, struct strbuf *out)
{
	static const char *const results[] = {
		[ACCESS_SUCCESS] = "success", [ACCESS_ERROR] = "error", [ACCESS_FAILURE] = "failure"};
	metrics_write_head(out, "authenticated_user_requests", "counter", "Requests by who asks.");
	for (size_t i = 0; i < ACCESS_NAMES; i++)
		write_count(out, "authenticated_user_requests", "username", i < EMAIL ? names[i] : others[i - EMAIL],
			atomic_load(&f->users[i]), false);
	metrics_write_head(out, "authentication_attempts", "counter", "Requests by whether it is known who asks.");
	for (size_t i = 0; i < ACCESS_RESULTS; i++)
		write_count(out, "authentication_attempts", "result", results[i],
			tally_count(&f->identified[i], &wait_bounds), i == ACCESS_SUCCESS);
	metrics_write_head(out, "authentication_duration_seconds", "histogram", "How long it took to know who asks.");
	for (size_t i = 0; i < ACCESS_RESULTS; i++) {
		CLEANUP(strbuf_done) struct strbuf labels = STRBUF_INIT;
		metrics_add_label(&labels, "result", results[i]);
		metrics_write_tally(
			out, "authentication_duration_seconds", labels.buf, &f->identified[i], &wait_bounds);
	}
	metrics_write_head(out, "apiserver_client_certificate_expiration_seconds", "histogram",
		"How long the certificates that requests came with go on to be valid.");
	metrics_write_tally(out, "apiserver_client_certificate_expiration_seconds", "", &f->certificates, &age_bounds);
}

static void write_decided(const struct access_figures *f, struct strbuf *out)
{
	static const char *const results[] = {
		[AUTHZ_NO_OPINION] = "no-opinion", [AUTHZ_ALLOW] = "allowed", [AUTHZ_DENY] = "denied"};
	metrics_write_head(out, "authorization_attempts_total", "counter", "Requests by whether they are allowed.");
	for (size_t i = 0; i < ARRAY_SIZE(results); i++)
		write_count(out, "authorization_attempts_total", "result", results[i],
			tally_count(&f->decided[i], &wait_bounds), i == AUTHZ_ALLOW);
	metrics_write_head(out, "authorization_duration_seconds", "histogram",
		"How long it took to know whether a request is allowed.");
	for (size_t i = 0; i < ARRAY_SIZE(results); i++) {
		CLEANUP(strbuf_done) struct strbuf labels = STRBUF_INIT;
		metrics_add_label(&labels, "result", results[i]);
		metrics_write_tally(out, "authorization_duration_seconds", labels.buf, &f->decided[i], &wait_bounds);
	}
}

void access_write(const struct access_figures *figures, struct strbuf *out)
{
	write_identified(figures, out);
	write_decided(figures, out);
	write_filtered(figures, out);
}
