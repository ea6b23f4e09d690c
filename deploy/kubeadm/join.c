#include <stdio.h>
#include <string.h>
#include <time.h>
#include "api/meta.h"
#include "api/yaml.h"
#include "base/io.h"
#include "base/str.h"
#include "kubeadm.h"

static char *config_path, *token, *discovery_token, *tls_token, *node_name, *cri_socket;
static struct flag_list hashes, ignore, skip;
static bool unsafe, control_plane;

static const struct flag flags[] = {
	{"config", 0, FLAG_STRING, &config_path, "", "a kubeadm configuration file"},
	{"cri-socket", 0, FLAG_STRING, &cri_socket, "", "socket of the container runtime"},
	{"control-plane", 0, FLAG_BOOL, &control_plane, "", "join as a further control-plane node", .hidden = true},
	{"discovery-token", 0, FLAG_STRING, &discovery_token, "", "the token that validates cluster-info"},
	{"discovery-token-ca-cert-hash", 0, FLAG_STRINGS, &hashes, "", "hash of the CA's public key (sha256:<hex>)"},
	{"discovery-token-unsafe-skip-ca-verification", 0, FLAG_BOOL, &unsafe, "",
		"join without knowing the CA's hash"},
	{"ignore-preflight-errors", 0, FLAG_STRINGS, &ignore, "", "checks that only warn; all for every check"},
	{"node-name", 0, FLAG_STRING, &node_name, "", "the name of this node"},
	{"skip-phases", 0, FLAG_STRINGS, &skip, "", "phases to leave out"},
	{"tls-bootstrap-token", 0, FLAG_STRING, &tls_token, "",
		"the token that authenticates the kubelet for its first certificate"},
	{"token", 0, FLAG_STRING, &token, "", "both tokens at once"},
	{NULL},
};

static void take_flags(struct kubeadm *k, const struct flag_args *args)
{
	KubeadmV1beta4JoinConfiguration *join = ENSURE(k->arena, k->join, KubeadmV1beta4JoinConfiguration);
	KubeadmV1beta4Discovery *discovery = ENSURE(k->arena, join->discovery, KubeadmV1beta4Discovery);
	KubeadmV1beta4BootstrapTokenDiscovery *d =
		ENSURE(k->arena, discovery->bootstrap_token, KubeadmV1beta4BootstrapTokenDiscovery);
	KubeadmV1beta4NodeRegistrationOptions *node =
		ENSURE(k->arena, join->node_registration, KubeadmV1beta4NodeRegistrationOptions);
	const struct {
		char **field, *value;
	} rows[] = {
		{&d->token, token},
		{&discovery->tls_bootstrap_token, token},
		{&d->token, discovery_token},
		{&discovery->tls_bootstrap_token, tls_token},
		{&d->api_server_endpoint, args->n_items ? args->items[0] : NULL},
		{&node->name, node_name},
		{&node->cri_socket, cri_socket},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (!str_empty(rows[i].value))
			*rows[i].field = rows[i].value;
	for (size_t i = 0; i < hashes.n_items; i++)
		ARENA_PUSH(k->arena, d->ca_cert_hashes, d->n_ca_cert_hashes) = hashes.items[i];
	for (size_t i = 0; i < ignore.n_items; i++)
		ARENA_PUSH(k->arena, node->ignore_preflight_errors, node->n_ignore_preflight_errors) = ignore.items[i];
	d->unsafe_skip_ca_verification |= unsafe;
	if (str_empty(discovery->tls_bootstrap_token))
		discovery->tls_bootstrap_token = d->token;
	k->skip_phases = skip;
}

static struct status *check(const struct kubeadm *k)
{
	const KubeadmV1beta4BootstrapTokenDiscovery *d = k->join->discovery->bootstrap_token;
	if (str_empty(d->api_server_endpoint))
		return status_bad_request(
			"discovery.bootstrapToken.apiServerEndpoint: join needs the API server's host:port");
	if (!token_is_valid(d->token))
		return status_bad_request(
			"discovery.bootstrapToken.token: not of the form \"[a-z0-9]{6}.[a-z0-9]{16}\"");
	if (!d->n_ca_cert_hashes && !d->unsafe_skip_ca_verification)
		return status_bad_request("discovery.bootstrapToken.caCertHashes: one is needed, or "
					  "--discovery-token-unsafe-skip-ca-verification");
	for (size_t i = 0; i < d->n_ca_cert_hashes; i++)
		if (!str_starts_with(d->ca_cert_hashes[i], "sha256:") ||
			strlen(d->ca_cert_hashes[i]) != strlen("sha256:") + 64)
			return status_bad_request(
				"discovery.bootstrapToken.caCertHashes[%zu]: not of the form sha256:<64 hex digits>",
				i);
	return NULL;
}

static struct status *wait_for_certificate(struct kubeadm *k)
{
	int64_t deadline = clock_mono_ms(k->clock) + 300000;
	printf("[kubelet-start] Waiting for the kubelet to perform the TLS Bootstrap\n");
	while (!io_exists(KUBERNETES_DIR "/kubelet.conf")) {
		if (clock_mono_ms(k->clock) > deadline)
			return status_new(STATUS_TIMEOUT,
				"the kubelet did not get its certificate in time: see the kubelet's log");
		nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
	}
	return NULL;
}

/* Everything that needs the token: the cluster's settings for kubelets. */
static struct status *read_cluster(struct kubeadm *k, const char *bootstrap_conf, char **ret_kubelet_yaml)
{
	CLEANUP(client_freep) struct client *client = NULL;
	CoreV1ConfigMap *map;
	TRY(client_for(k, bootstrap_conf, &client));
	TRY(status_wrap(client_get(client, k->arena, &CoreV1ConfigMap_schema, "kube-system", "kubelet-config", &map),
		"read the kubelet's configuration"));
	const char *text = MAP_GET(map, data, "kubelet");
	if (!text)
		return status_new(STATUS_NOT_FOUND, "ConfigMap kube-system/kubelet-config has no key \"kubelet\"");
	*ret_kubelet_yaml = arena_strdup(k->arena, text);
	return NULL;
}

struct status *run_join(struct kubeadm *k, int argc, char **argv)
{
	struct flag_args args;
	char *server = NULL, *ca = NULL, *kubelet_yaml = NULL;
	setvbuf(stdout, NULL, _IOLBF, 0);
	TRY(flags_parse(flags, argc, argv, &args));
	TRY(config_read(k, config_path));
	take_flags(k, &args);
	if (control_plane || k->join->control_plane)
		return status_bad_request("joining a further control-plane node is not supported yet");
	TRY(config_complete(k));
	TRY(check(k));
	const KubeadmV1beta4NodeRegistrationOptions *node = k->join->node_registration;
	if (!phase_skipped(k, "preflight"))
		TRY(preflight(k, true, node->ignore_preflight_errors, node->n_ignore_preflight_errors));
	TRY(discovery_by_token(k, &server, &ca));
	TRY(io_mkdirs(KUBERNETES_DIR "/pki", 0755));
	TRY(io_mkdirs(MANIFESTS_DIR, 0700));
	TRY(io_write_file(KUBERNETES_DIR "/pki/ca.crt", ca, strlen(ca), 0644));
	const char *bootstrap_conf = KUBERNETES_DIR "/bootstrap-kubelet.conf";
	TRY(kubeconfig_write_simple(k, bootstrap_conf, server, ca, "tls-bootstrap-token-user", NULL, NULL,
		k->join->discovery->tls_bootstrap_token));
	TRY(read_cluster(k, bootstrap_conf, &kubelet_yaml));
	TRY(kubelet_write_config(k, kubelet_yaml));
	kubelet_start(k);
	TRY(wait_for_certificate(k));
	printf("\nThis node has joined the cluster:\n* Certificate signing request was sent to apiserver and a "
	       "response was received.\n"
	       "* The Kubelet was informed of the new secure connection details.\n");
	return NULL;
}
