/* kube-proxy, as a DaemonSet. */
#include <stdio.h>
#include "api/yaml.h"
#include "base/str.h"
#include "kubeadm.h"

static const char accounts[] =
	"apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: kube-proxy, namespace: kube-system}\n"
	"---\n"
	"apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: "
	"\"kubeadm:node-proxier\"}\n"
	"roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: \"system:node-proxier\"}\n"
	"subjects:\n- {kind: ServiceAccount, name: kube-proxy, namespace: kube-system}\n";

static const char kubeconfig[] =
	"apiVersion: v1\nkind: Config\nclusters:\n- cluster:\n"
	"    certificate-authority: /var/run/secrets/kubernetes.io/serviceaccount/ca.crt\n"
	"    server: https://%s\n  name: default\n"
	"contexts:\n- context: {cluster: default, namespace: default, user: default}\n  name: default\n"
	"current-context: default\n"
	"users:\n- name: default\n  user: {tokenFile: /var/run/secrets/kubernetes.io/serviceaccount/token}\n";

static const char daemon_set[] =
	"apiVersion: apps/v1\nkind: DaemonSet\n"
	"metadata: {name: kube-proxy, namespace: kube-system, labels: {k8s-app: kube-proxy}}\n"
	"spec:\n"
	"  selector: {matchLabels: {k8s-app: kube-proxy}}\n"
	"  updateStrategy: {type: RollingUpdate}\n"
	"  template:\n"
	"    metadata: {labels: {k8s-app: kube-proxy}}\n"
	"    spec:\n"
	"      priorityClassName: system-node-critical\n"
	"      serviceAccountName: kube-proxy\n"
	"      hostNetwork: true\n"
	"      nodeSelector: {kubernetes.io/os: linux}\n"
	"      tolerations: [{operator: Exists}]\n"
	"      containers:\n"
	"      - name: kube-proxy\n"
	"        image: %s\n"
	"        imagePullPolicy: IfNotPresent\n"
	"        command: [/usr/local/bin/kube-proxy, --config=/var/lib/kube-proxy/config.conf, "
	"--hostname-override=$(NODE_NAME)]\n"
	"        env: [{name: NODE_NAME, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}]\n"
	"        securityContext: {privileged: true}\n"
	"        volumeMounts:\n"
	"        - {name: kube-proxy, mountPath: /var/lib/kube-proxy}\n"
	"        - {name: xtables-lock, mountPath: /run/xtables.lock}\n"
	"        - {name: lib-modules, mountPath: /lib/modules, readOnly: true}\n"
	"      volumes:\n"
	"      - {name: kube-proxy, configMap: {name: kube-proxy}}\n"
	"      - {name: xtables-lock, hostPath: {path: /run/xtables.lock, type: FileOrCreate}}\n"
	"      - {name: lib-modules, hostPath: {path: /lib/modules}}\n";

static char *proxy_config(struct kubeadm *k)
{
	struct arena *arena = k->arena;
	cJSON *c = k->proxy, *connection = tree_new_object(arena);
	tree_set_string(arena, c, "apiVersion", "kubeproxy.config.k8s.io/v1alpha1");
	tree_set_string(arena, c, "kind", "KubeProxyConfiguration");
	tree_set_string(arena, connection, "kubeconfig", "/var/lib/kube-proxy/kubeconfig.conf");
	tree_set(arena, c, "clientConnection", connection);
	if (!tree_get(c, "clusterCIDR") && !str_empty(k->cluster->networking->pod_subnet))
		tree_set_string(arena, c, "clusterCIDR", k->cluster->networking->pod_subnet);
	if (!tree_get(c, "mode"))
		tree_set_string(arena, c, "mode", "nftables");
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	yaml_print_tree(&out, c);
	return arena_strdup(arena, out.buf);
}

struct status *addon_proxy(struct kubeadm *k, struct client *client)
{
	CLEANUP(strbuf_done) struct strbuf config = STRBUF_INIT, set = STRBUF_INIT;
	strbuf_printf(&config, kubeconfig, config_server(k));
	strbuf_printf(&set, daemon_set, config_image(k, "kube-proxy"));
	printf("[addons] Applied essential addon: kube-proxy\n");
	TRY(cluster_apply(k, client, accounts));
	TRY(cluster_apply(k, client,
		arena_printf(k->arena,
			"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kube-proxy, namespace: kube-system, labels: "
			"{app: kube-proxy}}\n"
			"data:\n  kubeconfig.conf: |\n%s  config.conf: |\n%s",
			indent(k->arena, config.buf, 4), indent(k->arena, proxy_config(k), 4))));
	return cluster_apply(k, client, set.buf);
}
