#include <math.h>
#include <pthread.h>
#include <sys/stat.h>
#include "base/cond.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/workers.h"
#include "client/kubeconfig.h"
#include "kubelet/cert/cert.h"
#include "kubelet/cert/request.h"
#include "kubelet/node/node.h"

#define CHECK_SECONDS 60
#define REQUEST_TIMEOUT_MS (15 * 60 * 1000)

struct cert_rotation {
	struct kubelet *k;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	atomic_bool stopping;
	pthread_t thread;
};

static struct status *renew(struct cert_rotation *r, bool server)
{
	static const char *const client_usages[] = {"digital signature", "client auth", NULL};
	static const char *const server_usages[] = {"digital signature", "server auth", NULL};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const struct settings *s = r->k->settings;
	struct pki_subject subject = {.common_name = arena_printf(arena, "system:node:%s", s->node_name)};
	ARENA_PUSH(arena, subject.organizations, subject.n_organizations) = arena_strdup(arena, "system:nodes");
	if (server) {
		ARENA_PUSH(arena, subject.dns_names, subject.n_dns_names) = s->hostname;
		ARENA_PUSH(arena, subject.ip_addresses, subject.n_ip_addresses) =
			arena_strdup(arena, node_ip(r->k->node));
	}
	return cert_request_run(&(struct cert_request){.client = r->k->client,
		.clock = r->k->clock,
		.signer = server ? "kubernetes.io/kubelet-serving" : "kubernetes.io/kube-apiserver-client-kubelet",
		.usages = server ? server_usages : client_usages,
		.subject = &subject,
		.dir = s->cert_dir,
		.prefix = server ? "kubelet-server" : "kubelet-client",
		.stopping = &r->stopping,
		.timeout_ms = REQUEST_TIMEOUT_MS});
}

/* Renews when the time has come; a certificate that is not there is due at once. */
static void check(struct cert_rotation *r, bool server, int64_t *when)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	char *path = cert_current_path(arena, r->k->settings->cert_dir, server ? "kubelet-server" : "kubelet-client");
	int64_t end, now = clock_wall_s(r->k->clock);
	struct stat st;
	if (server && !lstat(path, &st) && !S_ISLNK(st.st_mode)) {
		*when = now; /* one of our own making, to begin with */
	} else if (!*when) {
		struct status *s = cert_renewal_time(path, when, &end);
		if (s && !server) {
			/* The client's certificate came from elsewhere: not ours to renew. */
			status_drop(s, "no certificate of ours");
			*when = INT64_MAX;
			return;
		}
		status_drop(s, "asked for now");
	}
	if (now < *when)
		return;
	log_info("%s certificate is due for renewal", server ? "serving" : "client");
	struct status *s = renew(r, server);
	if (s) {
		metric_add(server ? r->k->figures.server_renewals_failed : r->k->figures.client_renewals_failed, 1);
		log_status(s, "renew certificate");
	} else {
		*when = 0;
	}
}

static void *rotation_thread(void *data)
{
	struct cert_rotation *r = data;
	const KubeletV1beta1KubeletConfiguration *c = r->k->settings->config;
	int64_t client_when = 0, server_when = 0;
	while (!r->stopping) {
		if (c->rotate_certificates)
			check(r, false, &client_when);
		if (c->server_tls_bootstrap && !r->stopping)
			check(r, true, &server_when);
		pthread_mutex_lock(&r->lock);
		if (!r->stopping)
			cond_wait_for(&r->wake, &r->lock, CHECK_SECONDS * 1000);
		pthread_mutex_unlock(&r->lock);
	}
	return NULL;
}

/* Seconds that a certificate goes on to be valid; infinite when there is none. */
static double seconds_left(const struct kubelet *k, const char *prefix)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	int64_t when, end;
	struct status *none = cert_renewal_time(cert_current_path(arena, k->settings->cert_dir, prefix), &when, &end);
	bool found = !none;
	status_drop(none, "then it does not end");
	return found ? (double)(end - clock_wall_s(k->clock)) : INFINITY;
}

static double client_seconds_left(void *data)
{
	return seconds_left(data, "kubelet-client");
}

static double server_seconds_left(void *data)
{
	return seconds_left(data, "kubelet-server");
}

static void make_metrics(struct kubelet *k)
{
	const KubeletV1beta1KubeletConfiguration *c = k->settings->config;
	if (c->rotate_certificates)
		metrics_function(k->metrics, "kubelet_certificate_manager_client_ttl_seconds",
			"Seconds that the client certificate goes on to be valid.", "gauge", client_seconds_left, k);
	if (c->server_tls_bootstrap)
		metrics_function(k->metrics, "kubelet_certificate_manager_server_ttl_seconds",
			"Seconds that the serving certificate goes on to be valid.", "gauge", server_seconds_left, k);
}

struct cert_rotation *cert_rotation_start(struct kubelet *k)
{
	const KubeletV1beta1KubeletConfiguration *c = k->settings->config;
	if (!k->client || (!c->rotate_certificates && !c->server_tls_bootstrap))
		return NULL;
	struct cert_rotation *r = mem_zalloc(sizeof(*r));
	r->k = k;
	if (k->metrics)
		make_metrics(k);
	pthread_mutex_init(&r->lock, NULL);
	cond_init(&r->wake);
	r->thread = thread_start("certs", rotation_thread, r);
	return r;
}

void cert_rotation_free(struct cert_rotation *r)
{
	if (!r)
		return;
	pthread_mutex_lock(&r->lock);
	r->stopping = true;
	pthread_cond_broadcast(&r->wake);
	pthread_mutex_unlock(&r->lock);
	pthread_join(r->thread, NULL);
	pthread_cond_destroy(&r->wake);
	pthread_mutex_destroy(&r->lock);
	free(r);
}
