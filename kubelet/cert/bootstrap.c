#include <unistd.h>
#include "api/meta.h"
#include "base/io.h"
#include "base/log.h"
#include "base/str.h"
#include "client/kubeconfig.h"
#include "kubelet/cert/cert.h"
#include "kubelet/cert/request.h"

#define CLIENT_SIGNER "kubernetes.io/kube-apiserver-client-kubelet"
#define CLIENT_PREFIX "kubelet-client"
#define NODES_GROUP "system:nodes"
#define SELF_SIGNED_SECONDS (365 * 86400)
#define RETRY_SECONDS 5

/* Whether the kubeconfig can be used as it is: present, with a certificate that has not ended. */
static bool kubeconfig_good(const struct settings *s, const struct clock *clock)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct client_config config;
	if (!io_exists(s->kubeconfig))
		return false;
	struct status *error = kubeconfig_load_file(arena, s->kubeconfig, NULL, &config);
	if (error) {
		log_status(error, "%s cannot be used, asking for a new certificate", s->kubeconfig);
		return false;
	}
	if (!config.cert_file)
		return true;
	int64_t when, end;
	error = cert_renewal_time(config.cert_file, &when, &end);
	if (error || end <= clock_wall_s(clock)) {
		log_status(error, "client certificate");
		return false;
	}
	return true;
}

/* The kubeconfig to live by: the bootstrap's cluster, our own certificate. */
static struct status *write_kubeconfig(const struct settings *s)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	ClientcmdV1Config *from, *to = API_NEW(arena, ClientcmdV1Config);
	TRY(kubeconfig_merged(arena, s->bootstrap_kubeconfig, &from));
	ClientcmdV1Context *context = kubeconfig_context(from, from->current_context);
	ClientcmdV1Cluster *cluster = context ? kubeconfig_cluster(from, context->cluster) : NULL;
	if (!cluster)
		return status_bad_request("%s names no cluster", s->bootstrap_kubeconfig);
	*kubeconfig_add_cluster(arena, to, "default-cluster") = *cluster;
	ClientcmdV1AuthInfo *user = kubeconfig_add_user(arena, to, "default-auth");
	user->client_certificate = cert_current_path(arena, s->cert_dir, CLIENT_PREFIX);
	user->client_key = user->client_certificate;
	ClientcmdV1Context *own = kubeconfig_add_context(arena, to, "default-context");
	own->cluster = arena_strdup(arena, "default-cluster");
	own->namespace = arena_strdup(arena, "default");
	own->user = arena_strdup(arena, "default-auth");
	to->current_context = arena_strdup(arena, "default-context");
	return kubeconfig_write(s->kubeconfig, to);
}

static void node_subject(struct arena *arena, const struct settings *s, struct pki_subject *subject)
{
	*subject = (struct pki_subject){.common_name = arena_printf(arena, "system:node:%s", s->node_name)};
	ARENA_PUSH(arena, subject->organizations, subject->n_organizations) = arena_strdup(arena, NODES_GROUP);
}

static struct status *request_client(
	const struct settings *s, const struct clock *clock, struct client *client, const atomic_bool *stop)
{
	static const char *const usages[] = {"digital signature", "client auth", NULL};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct pki_subject subject;
	node_subject(arena, s, &subject);
	return cert_request_run(&(struct cert_request){.client = client,
		.clock = clock,
		.signer = CLIENT_SIGNER,
		.usages = usages,
		.subject = &subject,
		.dir = s->cert_dir,
		.prefix = CLIENT_PREFIX,
		.stopping = stop});
}

struct status *cert_bootstrap(const struct settings *s, const struct clock *clock)
{
	if (str_empty(s->bootstrap_kubeconfig) || str_empty(s->kubeconfig) || kubeconfig_good(s, clock))
		return NULL;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct client_config config;
	CLEANUP(client_freep) struct client *client = NULL;
	TRY(kubeconfig_load_file(arena, s->bootstrap_kubeconfig, NULL, &config));
	config.user_agent = "kubelet";
	TRY(client_new(&config, clock, &client));
	log_info("no client certificate: asking for one with %s", s->bootstrap_kubeconfig);
	struct status *error;
	/* The apiserver may come later than the kubelet. */
	while ((error = request_client(s, clock, client, NULL)) &&
		(status_is(error, STATUS_UNAVAILABLE) || status_is(error, STATUS_TIMEOUT))) {
		log_status(error, "bootstrap");
		sleep(RETRY_SECONDS);
	}
	if (error)
		return status_wrap(error, "bootstrap");
	return write_kubeconfig(s);
}

/* --- the server's --- */

static struct status *make_self_signed(const struct settings *s, const struct clock *clock, const char *ip,
	const char *cert_path, const char *key_path)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(pki_key_freep) struct pki_key *key = NULL;
	CLEANUP(pki_cert_freep) struct pki_cert *cert = NULL;
	struct pki_subject subject = {
		.common_name = arena_printf(arena, "%s@%lld", s->hostname, (long long)clock_wall_s(clock)),
		.usages = PKI_SERVER_AUTH | PKI_DIGITAL_SIGNATURE | PKI_KEY_ENCIPHERMENT};
	ARENA_PUSH(arena, subject.dns_names, subject.n_dns_names) = s->hostname;
	if (!str_empty(ip))
		ARENA_PUSH(arena, subject.ip_addresses, subject.n_ip_addresses) = arena_strdup(arena, ip);
	int64_t now = clock_wall_s(clock);
	TRY(pki_key_generate(PKI_ECDSA_P256, &key));
	TRY(pki_cert_self_signed(key, &subject, now - 3600, now + SELF_SIGNED_SECONDS, &cert));
	char *cert_pem = pki_cert_pem(arena, cert), *key_pem = pki_key_pem(arena, key);
	TRY(io_mkdirs(s->cert_dir, 0755));
	if (str_eq(cert_path, key_path)) {
		char *both = arena_printf(arena, "%s%s", cert_pem, key_pem);
		return io_write_file(cert_path, both, strlen(both), 0600);
	}
	TRY(io_write_file(key_path, key_pem, strlen(key_pem), 0600));
	return io_write_file(cert_path, cert_pem, strlen(cert_pem), 0644);
}

struct status *cert_serving_files(
	const struct settings *s, const struct clock *clock, const char *ip, char **ret_cert, char **ret_key)
{
	const KubeletV1beta1KubeletConfiguration *c = s->config;
	if (!str_empty(c->tls_cert_file) && !str_empty(c->tls_private_key_file)) {
		*ret_cert = c->tls_cert_file;
		*ret_key = c->tls_private_key_file;
		return NULL;
	}
	if (c->server_tls_bootstrap) {
		*ret_cert = *ret_key = cert_current_path(s->arena, s->cert_dir, "kubelet-server");
		/* Until one is issued: a file where the link will be. */
		return io_exists(*ret_cert) ? NULL : make_self_signed(s, clock, ip, *ret_cert, *ret_key);
	}
	*ret_cert = arena_printf(s->arena, "%s/kubelet.crt", s->cert_dir);
	*ret_key = arena_printf(s->arena, "%s/kubelet.key", s->cert_dir);
	int64_t when, end;
	if (io_exists(*ret_key)) {
		struct status *error = cert_renewal_time(*ret_cert, &when, &end);
		if (!error && end > clock_wall_s(clock))
			return NULL;
		log_status(error, "serving certificate");
	}
	return make_self_signed(s, clock, ip, *ret_cert, *ret_key);
}
