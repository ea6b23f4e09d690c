#include <stdio.h>
#include <string.h>
#include "api/meta.h"
#include "base/io.h"
#include "base/str.h"
#include "kubeadm.h"

#define SUPER_ADMIN_CONF KUBERNETES_DIR "/super-admin.conf"

static char *config_path, *advertise_address, *endpoint, *pod_cidr, *service_cidr, *dns_domain, *node_name, *token,
	*cri_socket, *repository, *version, *cert_dir;
static struct flag_list ignore, skip, extra_sans;
static int64_t bind_port, token_ttl_ms;
static bool skip_token_print, skip_certificate_key_print, upload_certs;

static const struct flag flags[] = {
	{"config", 0, FLAG_STRING, &config_path, "", "a kubeadm configuration file"},
	{"apiserver-advertise-address", 0, FLAG_STRING, &advertise_address, "",
		"the address that the API server announces"},
	{"apiserver-bind-port", 0, FLAG_INT, &bind_port, "", "the port of the API server (6443)"},
	{"apiserver-cert-extra-sans", 0, FLAG_STRINGS, &extra_sans, "", "more names for the API server's certificate"},
	{"cert-dir", 0, FLAG_STRING, &cert_dir, "", "folder of the certificates"},
	{"control-plane-endpoint", 0, FLAG_STRING, &endpoint, "", "a stable address of the control plane"},
	{"cri-socket", 0, FLAG_STRING, &cri_socket, "", "socket of the container runtime"},
	{"ignore-preflight-errors", 0, FLAG_STRINGS, &ignore, "", "checks that only warn; all for every check"},
	{"image-repository", 0, FLAG_STRING, &repository, "", "where the control plane's images come from"},
	{"kubernetes-version", 0, FLAG_STRING, &version, "", "the version of the control plane"},
	{"node-name", 0, FLAG_STRING, &node_name, "", "the name of this node"},
	{"pod-network-cidr", 0, FLAG_STRING, &pod_cidr, "", "the range of pod addresses"},
	{"service-cidr", 0, FLAG_STRING, &service_cidr, "", "the range of service addresses (10.96.0.0/12)"},
	{"service-dns-domain", 0, FLAG_STRING, &dns_domain, "", "the domain of services (cluster.local)"},
	{"skip-phases", 0, FLAG_STRINGS, &skip, "", "phases to leave out"},
	{"skip-token-print", 0, FLAG_BOOL, &skip_token_print, "", "do not print the join command"},
	{"skip-certificate-key-print", 0, FLAG_BOOL, &skip_certificate_key_print, "",
		"accepted; there is no such key here"},
	{"token", 0, FLAG_STRING, &token, "", "the bootstrap token; random when not given"},
	{"token-ttl", 0, FLAG_DURATION, &token_ttl_ms, "24h0m0s", "how long the token is valid; 0: for ever"},
	{"upload-certs", 0, FLAG_BOOL, &upload_certs, "", "not supported yet", .hidden = true},
	{NULL},
};

/* Puts what the flags say over what the file said. */
static void take_flags(struct kubeadm *k)
{
	KubeadmV1beta4InitConfiguration *init = ENSURE(k->arena, k->init, KubeadmV1beta4InitConfiguration);
	KubeadmV1beta4ClusterConfiguration *c = ENSURE(k->arena, k->cluster, KubeadmV1beta4ClusterConfiguration);
	KubeadmV1beta4APIEndpoint *e = ENSURE(k->arena, init->local_api_endpoint, KubeadmV1beta4APIEndpoint);
	KubeadmV1beta4NodeRegistrationOptions *node =
		ENSURE(k->arena, init->node_registration, KubeadmV1beta4NodeRegistrationOptions);
	KubeadmV1beta4Networking *net = ENSURE(k->arena, c->networking, KubeadmV1beta4Networking);
	const struct {
		char **field, *value;
	} rows[] = {
		{&e->advertise_address, advertise_address},
		{&c->control_plane_endpoint, endpoint},
		{&net->pod_subnet, pod_cidr},
		{&net->service_subnet, service_cidr},
		{&net->dns_domain, dns_domain},
		{&node->name, node_name},
		{&node->cri_socket, cri_socket},
		{&c->image_repository, repository},
		{&c->kubernetes_version, version},
		{&c->certificates_dir, cert_dir},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (!str_empty(rows[i].value))
			*rows[i].field = rows[i].value;
	if (bind_port)
		e->bind_port = (int32_t)bind_port;
	KubeadmV1beta4APIServer *api = ENSURE(k->arena, c->api_server, KubeadmV1beta4APIServer);
	for (size_t i = 0; i < extra_sans.n_items; i++)
		ARENA_PUSH(k->arena, api->cert_sans, api->n_cert_sans) = extra_sans.items[i];
	for (size_t i = 0; i < ignore.n_items; i++)
		ARENA_PUSH(k->arena, node->ignore_preflight_errors, node->n_ignore_preflight_errors) = ignore.items[i];
	k->skip_phases = skip;
}

/* Without a word about taints the first node is kept for the control plane, as users expect of kubeadm. */
static void default_taints(struct kubeadm *k, bool taints_said)
{
	KubeadmV1beta4NodeRegistrationOptions *node = k->init->node_registration;
	if (taints_said || node->n_taints)
		return;
	CoreV1Taint *taint = API_NEW(k->arena, CoreV1Taint);
	taint->key = "node-role.kubernetes.io/control-plane";
	taint->effect = "NoSchedule";
	ARENA_PUSH(k->arena, node->taints, node->n_taints) = taint;
}

/* `taints: []` means none, which the typed form cannot tell from silence. */
static bool file_says_taints(const char *path)
{
	CLEANUP_FREE char *data = NULL;
	if (str_empty(path))
		return false;
	struct status *s = io_read_file(path, 3 << 20, &data, NULL);
	if (s) {
		status_drop(s, "read before");
		return false;
	}
	return strstr(data, "taints:") != NULL;
}

/* The administrators' group is bound with the super administrator's certificate; everything after uses the ordinary
 * one. */
static struct status *bind_administrators(struct kubeadm *k)
{
	CLEANUP(client_freep) struct client *client = NULL;
	TRY(client_for(k, SUPER_ADMIN_CONF, &client));
	TRY(cluster_wait_api(k, client, 240000));
	return cluster_apply(k, client,
		"apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: "
		"\"kubeadm:cluster-admins\"}\n"
		"roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}\n"
		"subjects:\n- {apiGroup: rbac.authorization.k8s.io, kind: Group, name: \"kubeadm:cluster-admins\"}\n");
}

static struct status *create_tokens(struct kubeadm *k, struct client *client, char **ret_token)
{
	static char *default_usages[] = {"signing", "authentication"};
	static char *default_groups[] = {"system:bootstrappers:kubeadm:default-node-token"};
	struct flag_list usages = {default_usages, 2}, groups = {default_groups, 1};
	char *text = str_empty(token) ? NULL : token;
	int64_t ttl = token_ttl_ms / 1000;
	if (!text && k->init->n_bootstrap_tokens && k->init->bootstrap_tokens[0]->token) {
		const BootstraptokenV1BootstrapToken *t = k->init->bootstrap_tokens[0];
		text = arena_printf(k->arena, "%s.%s", t->token->id, t->token->secret);
		if (t->ttl)
			ttl = t->ttl->duration / 1000000000;
	}
	if (!text)
		text = token_generate(k->arena);
	struct status *s = token_create(
		k, client, text, ttl, "The default bootstrap token generated by 'kubeadm init'.", &usages, &groups);
	if (status_is(s, STATUS_ALREADY_EXISTS)) {
		status_free(s);
		s = NULL;
	}
	*ret_token = text;
	return s;
}

static struct status *configure_cluster(struct kubeadm *k, char **ret_join_command)
{
	CLEANUP(client_freep) struct client *client = NULL;
	char *text;
	TRY(client_for(k, ADMIN_CONF, &client));
	TRY(cluster_upload(k, client));
	if (!phase_skipped(k, "bootstrap-token")) {
		TRY(create_tokens(k, client, &text));
		TRY(cluster_bootstrap_rules(k, client));
		TRY(cluster_info_create(k, client));
		TRY(token_join_command(k, client, ADMIN_CONF, text, ret_join_command));
	}
	if (!phase_skipped(k, "addon") && !phase_skipped(k, "addon/kube-proxy") &&
		!(k->cluster->proxy && k->cluster->proxy->disabled))
		TRY(addon_proxy(k, client));
	if (!phase_skipped(k, "mark-control-plane"))
		TRY(cluster_mark_control_plane(k, client));
	return kubeconfigs_finalize_kubelet(k);
}

struct status *run_init(struct kubeadm *k, int argc, char **argv)
{
	struct flag_args args;
	char *join_command = NULL;
	setvbuf(stdout, NULL, _IOLBF, 0);
	TRY(flags_parse(flags, argc, argv, &args));
	if (upload_certs)
		return status_bad_request(
			"--upload-certs is not supported: copy the certificates by hand to join control-plane nodes");
	if (!str_empty(token) && !token_is_valid(token))
		return status_bad_request(
			"the bootstrap token \"%s\" is not of the form \"[a-z0-9]{6}.[a-z0-9]{16}\"", token);
	TRY(config_read(k, config_path));
	take_flags(k);
	TRY(config_complete(k));
	default_taints(k, file_says_taints(config_path));
	const KubeadmV1beta4NodeRegistrationOptions *node = k->init->node_registration;
	printf("[init] Using Kubernetes version: %s\n", k->cluster->kubernetes_version);
	if (!phase_skipped(k, "preflight"))
		TRY(preflight(k, false, node->ignore_preflight_errors, node->n_ignore_preflight_errors));
	TRY(certs_create(k));
	TRY(kubeconfigs_create(k));
	TRY(manifests_write(k));
	TRY(kubelet_write_config(k, kubelet_config_yaml(k)));
	kubelet_start(k);
	TRY(bind_administrators(k));
	TRY(configure_cluster(k, &join_command));
	printf("\nYour Kubernetes control-plane has initialized successfully!\n\n"
	       "To start using your cluster:\n\n  export KUBECONFIG=" ADMIN_CONF "\n\n"
	       "You should now deploy a pod network to the cluster.\n");
	if (join_command && !skip_token_print)
		printf("\nThen you can join any number of worker nodes by running the following on each as "
		       "root:\n\n%s\n",
			join_command);
	return NULL;
}
