#include <stdio.h>
#include <string.h>
#include <time.h>
#include "api/json.h"
#include "api/meta.h"
#include "api/yaml.h"
#include "base/encode.h"
#include "base/io.h"
#include "base/str.h"
#include "client/kubeconfig.h"
#include "kubeadm.h"

#define TOKEN_GROUP "system:bootstrappers:kubeadm:default-node-token"

struct status *client_for(struct kubeadm *k, const char *kubeconfig, struct client **ret)
{
	struct client_config config;
	TRY(kubeconfig_load_file(k->arena, kubeconfig, NULL, &config));
	config.qps = -1;
	config.timeout_ms = 30000;
	config.user_agent = "kubeadm/" KUBEC_VERSION;
	return client_new(&config, k->clock, ret);
}

struct status *cluster_wait_api(struct kubeadm *k, struct client *client, int64_t timeout_ms)
{
	int64_t deadline = clock_mono_ms(k->clock) + timeout_ms;
	const struct client_request request = {.path = "/livez", .timeout_ms = 5000};
	printf("[wait-control-plane] Waiting for the API server at %s\n", client_host(client));
	for (;;) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		struct status *s = client_do(client, arena, &request, NULL);
		if (!s || clock_mono_ms(k->clock) > deadline)
			return status_wrap(s, "the API server did not become healthy");
		status_drop(s, "not up yet");
		nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
	}
}

/* Creates an object, or brings the one that is there to the wanted state. */
static struct status *create_or_update(struct kubeadm *k, struct client *client, void *wanted)
{
	struct status *s = client_create(client, k->arena, wanted, NULL);
	if (!status_is(s, STATUS_ALREADY_EXISTS))
		return s;
	status_free(s);
	void *present;
	const char *namespace = object_namespace(wanted), *name = object_name(wanted);
	TRY(client_get(client, k->arena, schema_of(wanted), namespace, name, &present));
	MetaV1ObjectMeta *meta = object_meta(wanted);
	meta->resource_version = arena_strdup(k->arena, object_resource_version(present));
	meta->uid = arena_strdup(k->arena, object_uid(present));
	return client_update(client, k->arena, wanted, NULL);
}

struct status *cluster_apply(struct kubeadm *k, struct client *client, const char *yaml)
{
	struct yaml_stream *stream = yaml_stream_new(k->arena, yaml, strlen(yaml));
	for (;;) {
		cJSON *doc;
		void *object;
		TRY(yaml_stream_next(stream, NULL, &doc));
		if (!doc)
			return NULL;
		char *text = tree_to_string(k->arena, doc, 0);
		TRY(json_decode_any(k->arena, text, strlen(text), NULL, &object));
		TRY(status_wrap(
			create_or_update(k, client, object), "%s %s", object_kind(object), object_name(object)));
	}
}

char *indent(struct arena *arena, const char *text, int n)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	while (*text) {
		size_t len = strcspn(text, "\n");
		strbuf_printf(&out, "%*s%.*s\n", n, "", (int)len, text);
		text += len + (text[len] == '\n');
	}
	return arena_strdup(arena, out.buf);
}

/* A ConfigMap in kube-system that tokens and nodes may read. */
static char *config_map(struct kubeadm *k, const char *name, const char *key, const char *text, const char *role)
{
	return arena_printf(k->arena,
		"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s, namespace: kube-system}\ndata:\n  %s: |\n%s"
		"---\n"
		"apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: \"%s\", namespace: "
		"kube-system}\n"
		"rules:\n- {apiGroups: [\"\"], resources: [configmaps], resourceNames: [%s], verbs: [get]}\n"
		"---\n"
		"apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: \"%s\", namespace: "
		"kube-system}\n"
		"roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: \"%s\"}\n"
		"subjects:\n"
		"- {apiGroup: rbac.authorization.k8s.io, kind: Group, name: \"" TOKEN_GROUP "\"}\n"
		"- {apiGroup: rbac.authorization.k8s.io, kind: Group, name: \"system:nodes\"}\n",
		name, key, indent(k->arena, text, 4), role, name, role, role);
}

struct status *cluster_upload(struct kubeadm *k, struct client *client)
{
	CLEANUP(strbuf_done) struct strbuf cluster = STRBUF_INIT;
	yaml_encode(&cluster, k->cluster);
	printf("[upload-config] Storing the configuration in ConfigMaps \"kubeadm-config\" and \"kubelet-config\" in "
	       "\"kube-system\"\n");
	TRY(cluster_apply(k, client,
		config_map(k, "kubeadm-config", "ClusterConfiguration", cluster.buf, "kubeadm:nodes-kubeadm-config")));
	return cluster_apply(k, client,
		config_map(k, "kubelet-config", "kubelet", kubelet_config_yaml(k), "kubeadm:kubelet-config"));
}

struct status *cluster_mark_control_plane(struct kubeadm *k, struct client *client)
{
	const KubeadmV1beta4NodeRegistrationOptions *node = k->init->node_registration;
	int64_t deadline = clock_mono_ms(k->clock) + 60000;
	CoreV1Node *present;
	/* The kubelet registers the node by itself, some time after the API server is up. */
	for (;;) {
		struct status *s = client_get(client, k->arena, &CoreV1Node_schema, NULL, node->name, &present);
		if (!s)
			break;
		if (clock_mono_ms(k->clock) > deadline)
			return status_wrap(s, "node %s has not registered", node->name);
		status_drop(s, "not registered yet");
		nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
	}
	cJSON *patch = tree_new_object(k->arena), *metadata = tree_new_object(k->arena),
	      *labels = tree_new_object(k->arena);
	tree_set_string(k->arena, labels, "node-role.kubernetes.io/control-plane", "");
	tree_set_string(k->arena, labels, "node.kubernetes.io/exclude-from-external-load-balancers", "");
	tree_set(k->arena, metadata, "labels", labels);
	tree_set(k->arena, patch, "metadata", metadata);
	cJSON *taints = tree_new_array(k->arena), *spec = tree_new_object(k->arena);
	for (size_t i = 0; i < node->n_taints; i++) {
		cJSON *taint = tree_new_object(k->arena);
		tree_set_string(k->arena, taint, "key", node->taints[i]->key);
		tree_set_string(k->arena, taint, "value", str_or_empty(node->taints[i]->value));
		tree_set_string(k->arena, taint, "effect", node->taints[i]->effect);
		tree_append(taints, taint);
	}
	if (node->n_taints) {
		tree_set(k->arena, spec, "taints", taints);
		tree_set(k->arena, patch, "spec", spec);
	}
	char *text = tree_to_string(k->arena, patch, 0);
	printf("[mark-control-plane] Marking the node %s as control-plane\n", node->name);
	return client_patch(client, k->arena, &CoreV1Node_schema, NULL, node->name, NULL, CLIENT_PATCH_STRATEGIC, text,
		strlen(text), NULL, NULL);
}

/* A ClusterRoleBinding of a role to a group. */
static char *group_binding(struct kubeadm *k, const char *name, const char *role, const char *group)
{
	return arena_printf(k->arena,
		"apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: \"%s\"}\n"
		"roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: \"%s\"}\n"
		"subjects:\n- {apiGroup: rbac.authorization.k8s.io, kind: Group, name: \"%s\"}\n",
		name, role, group);
}

struct status *cluster_bootstrap_rules(struct kubeadm *k, struct client *client)
{
	static const char *const rows[][3] = {
		{"kubeadm:kubelet-bootstrap", "system:node-bootstrapper", TOKEN_GROUP},
		{"kubeadm:node-autoapprove-bootstrap",
			"system:certificates.k8s.io:certificatesigningrequests:nodeclient", TOKEN_GROUP},
		{"kubeadm:node-autoapprove-certificate-rotation",
			"system:certificates.k8s.io:certificatesigningrequests:selfnodeclient", "system:nodes"},
		{"kubeadm:get-nodes", "kubeadm:get-nodes", TOKEN_GROUP},
	};
	printf("[bootstrap-token] Configuring the rules that let nodes join with a token and rotate their "
	       "certificates\n");
	TRY(cluster_apply(k, client,
		"apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: \"kubeadm:get-nodes\"}\n"
		"rules:\n- {apiGroups: [\"\"], resources: [nodes], verbs: [get]}\n"));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		TRY(cluster_apply(k, client, group_binding(k, rows[i][0], rows[i][1], rows[i][2])));
	return NULL;
}

struct status *cluster_info_create(struct kubeadm *k, struct client *client)
{
	CLEANUP_FREE char *ca = NULL;
	size_t size;
	TRY(io_read_file(cert_path(k, "ca.crt"), 1 << 20, &ca, &size));
	char *kubeconfig = arena_printf(k->arena,
		"apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority-data: %s\n    server: https://%s\n  "
		"name: \"\"\n"
		"contexts: null\ncurrent-context: \"\"\nkind: Config\npreferences: {}\nusers: null\n",
		base64_encode(k->arena, ca, size), config_server(k));
	printf("[bootstrap-token] Creating the \"cluster-info\" ConfigMap in the \"kube-public\" namespace\n");
	return cluster_apply(k, client,
		arena_printf(k->arena,
			"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cluster-info, namespace: "
			"kube-public}\ndata:\n"
			"  kubeconfig: |\n%s"
			"---\n"
			"apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\n"
			"metadata: {name: \"kubeadm:bootstrap-signer-clusterinfo\", namespace: kube-public}\n"
			"rules:\n- {apiGroups: [\"\"], resources: [configmaps], resourceNames: [cluster-info], verbs: "
			"[get]}\n"
			"---\n"
			"apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\n"
			"metadata: {name: \"kubeadm:bootstrap-signer-clusterinfo\", namespace: kube-public}\n"
			"roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: "
			"\"kubeadm:bootstrap-signer-clusterinfo\"}\n"
			"subjects:\n- {apiGroup: rbac.authorization.k8s.io, kind: User, name: \"system:anonymous\"}\n",
			indent(k->arena, kubeconfig, 4)));
}
