/*
 * How a joining machine learns which API server to trust: cluster-info is public, signed with the token's secret, and
 * its CA must match the hash that the administrator copied.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "api/meta.h"
#include "base/str.h"
#include "client/kubeconfig.h"
#include "kubeadm.h"
#include "pki/jwt.h"

static struct status *fetch(struct kubeadm *k, const char *server, const char *ca_pem, CoreV1ConfigMap **ret)
{
	CLEANUP(client_freep) struct client *client = NULL;
	struct client_config config = {
		.host = server,
		.ca_data = ca_pem,
		.ca_size = ca_pem ? strlen(ca_pem) : 0,
		.insecure = !ca_pem,
		.timeout_ms = 10000,
		.user_agent = "kubeadm/" KUBEC_VERSION,
	};
	TRY(client_new(&config, k->clock, &client));
	return client_get(client, k->arena, &CoreV1ConfigMap_schema, "kube-public", "cluster-info", ret);
}

static bool is_signed(struct kubeadm *k, const CoreV1ConfigMap *info, const char *kubeconfig, const char *token)
{
	char *id = arena_strndup(k->arena, token, 6);
	const char *signature = MAP_GET(info, data, arena_printf(k->arena, "jws-kubeconfig-%s", id));
	return signature &&
	       str_eq(signature, jws_detached_hs256(k->arena, id, token + 7, kubeconfig, strlen(kubeconfig)));
}

/* Waits until the signer has signed for a token that was just made. */
static struct status *fetch_signed(struct kubeadm *k, const char *server, const char *token, CoreV1ConfigMap **ret_info,
	const char **ret_kubeconfig)
{
	int64_t deadline = clock_mono_ms(k->clock) + 60000;
	for (;;) {
		struct status *s = fetch(k, server, NULL, ret_info);
		if (!s) {
			*ret_kubeconfig = MAP_GET(*ret_info, data, "kubeconfig");
			if (*ret_kubeconfig && is_signed(k, *ret_info, *ret_kubeconfig, token))
				return NULL;
			s = status_new(STATUS_UNAUTHORIZED,
				"cluster-info holds no signature for token ID \"%.6s\": is the token right and not "
				"expired?",
				token);
		}
		if (clock_mono_ms(k->clock) > deadline)
			return s;
		status_drop(s, "not there yet");
		nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
	}
}

static struct status *check_hash(struct kubeadm *k, const char *ca_pem, const KubeadmV1beta4BootstrapTokenDiscovery *d)
{
	CLEANUP(pki_cert_freep) struct pki_cert *ca = NULL;
	if (!d->n_ca_cert_hashes && d->unsafe_skip_ca_verification)
		return NULL;
	TRY(status_wrap(pki_cert_parse(ca_pem, strlen(ca_pem), &ca), "the CA in cluster-info"));
	char *hash = pki_cert_public_key_hash(k->arena, ca);
	if (str_in_n(hash, d->ca_cert_hashes, d->n_ca_cert_hashes))
		return NULL;
	return status_new(STATUS_UNAUTHORIZED,
		"the cluster's CA has the public key hash %s, which is none of those given: %s", hash,
		str_join(k->arena, d->ca_cert_hashes, d->n_ca_cert_hashes, ", "));
}

struct status *discovery_by_token(struct kubeadm *k, char **ret_server, char **ret_ca_pem)
{
	const KubeadmV1beta4BootstrapTokenDiscovery *d = k->join->discovery->bootstrap_token;
	char *server = arena_printf(k->arena, "https://%s", d->api_server_endpoint);
	CoreV1ConfigMap *info;
	const char *text = NULL;
	ClientcmdV1Config *config = NULL;
	printf("[discovery] Reading cluster-info from %s\n", server);
	TRY(status_wrap(fetch_signed(k, server, d->token, &info, &text), "discovery from %s", server));
	TRY(kubeconfig_parse(k->arena, text, strlen(text), "cluster-info", &config));
	if (!config->n_clusters || !config->clusters[0]->cluster)
		return status_bad_request("cluster-info names no cluster");
	const ClientcmdV1Cluster *cluster = config->clusters[0]->cluster;
	char *ca = arena_strndup(
		k->arena, (char *)cluster->certificate_authority_data.data, cluster->certificate_authority_data.len);
	TRY(check_hash(k, ca, d));
	/* Once more, now with TLS verified against that CA: what is trusted must be what was signed. */
	TRY(status_wrap(fetch(k, server, ca, &info), "discovery from %s", server));
	if (!str_eq(MAP_GET(info, data, "kubeconfig"), text))
		return status_new(STATUS_CONFLICT, "cluster-info changed between the first and the verified reading");
	*ret_server = arena_strdup(k->arena, cluster->server);
	*ret_ca_pem = ca;
	return NULL;
}
