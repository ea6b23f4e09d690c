/*
 * The static pods of the control plane. Each component is a row: its flags, its folders, how it is probed. A user's
 * extra arguments replace flags of the same name.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/io.h"
#include "base/map.h"
#include "base/str.h"
#include "kubeadm.h"

struct args {
	struct kubeadm *k;
	char **items; /* name=value */
	size_t n;
};

static void arg(struct args *a, const char *name, const char *format, ...) PRINTF(3, 4);

static void arg(struct args *a, const char *name, const char *format, ...)
{
	va_list list;
	va_start(list, format);
	ARENA_PUSH(a->k->arena, a->items, a->n) =
		arena_printf(a->k->arena, "%s=%s", name, arena_vprintf(a->k->arena, format, list));
	va_end(list);
}

/* Flags whose value is a file of the certificate folder. */
static void cert_args(struct args *a, const char *const (*rows)[2], size_t n)
{
	for (size_t i = 0; i < n; i++)
		arg(a, rows[i][0], "%s", cert_path(a->k, rows[i][1]));
}

static void etcd_client_args(struct args *a)
{
	static const char *const local[][2] = {{"etcd-cafile", "etcd/ca.crt"},
		{"etcd-certfile", "apiserver-etcd-client.crt"}, {"etcd-keyfile", "apiserver-etcd-client.key"}};
	const KubeadmV1beta4ExternalEtcd *e = a->k->cluster->etcd->external;
	if (!e) {
		arg(a, "etcd-servers", "https://127.0.0.1:2379");
		cert_args(a, local, ARRAY_SIZE(local));
		return;
	}
	arg(a, "etcd-servers", "%s", str_join(a->k->arena, e->endpoints, e->n_endpoints, ","));
	const char *const files[][2] = {
		{"etcd-cafile", e->ca_file}, {"etcd-certfile", e->cert_file}, {"etcd-keyfile", e->key_file}};
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (!str_empty(files[i][1]))
			arg(a, files[i][0], "%s", files[i][1]);
}

static void api_server_args(struct args *a)
{
	static const char *const files[][2] = {
		{"client-ca-file", "ca.crt"},
		{"tls-cert-file", "apiserver.crt"},
		{"tls-private-key-file", "apiserver.key"},
		{"service-account-key-file", "sa.pub"},
		{"service-account-signing-key-file", "sa.key"},
		{"kubelet-client-certificate", "apiserver-kubelet-client.crt"},
		{"kubelet-client-key", "apiserver-kubelet-client.key"},
		{"requestheader-client-ca-file", "front-proxy-ca.crt"},
		{"proxy-client-cert-file", "front-proxy-client.crt"},
		{"proxy-client-key-file", "front-proxy-client.key"},
	};
	const KubeadmV1beta4APIEndpoint *e = a->k->init->local_api_endpoint;
	arg(a, "advertise-address", "%s", e->advertise_address);
	arg(a, "secure-port", "%d", e->bind_port);
	arg(a, "allow-privileged", "true");
	arg(a, "authorization-mode", "Node,RBAC");
	arg(a, "enable-admission-plugins", "NodeRestriction");
	arg(a, "enable-bootstrap-token-auth", "true");
	arg(a, "kubelet-preferred-address-types", "InternalIP,ExternalIP,Hostname");
	arg(a, "requestheader-allowed-names", "front-proxy-client");
	arg(a, "requestheader-extra-headers-prefix", "X-Remote-Extra-");
	arg(a, "requestheader-group-headers", "X-Remote-Group");
	arg(a, "requestheader-username-headers", "X-Remote-User");
	arg(a, "service-account-issuer", "https://kubernetes.default.svc.%s", a->k->cluster->networking->dns_domain);
	arg(a, "service-cluster-ip-range", "%s", a->k->cluster->networking->service_subnet);
	cert_args(a, files, ARRAY_SIZE(files));
	etcd_client_args(a);
}

static void kubeconfig_args(struct args *a, const char *file)
{
	static const char *const names[] = {"kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig"};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		arg(a, names[i], KUBERNETES_DIR "/%s", file);
	arg(a, "bind-address", "127.0.0.1");
	arg(a, "leader-elect", "true");
}

static void controller_manager_args(struct args *a)
{
	static const char *const files[][2] = {
		{"client-ca-file", "ca.crt"},
		{"root-ca-file", "ca.crt"},
		{"requestheader-client-ca-file", "front-proxy-ca.crt"},
		{"service-account-private-key-file", "sa.key"},
		{"cluster-signing-cert-file", "ca.crt"},
		{"cluster-signing-key-file", "ca.key"},
	};
	const KubeadmV1beta4Networking *net = a->k->cluster->networking;
	kubeconfig_args(a, "controller-manager.conf");
	cert_args(a, files, ARRAY_SIZE(files));
	arg(a, "cluster-name", "%s", a->k->cluster->cluster_name);
	arg(a, "controllers", "*,bootstrapsigner,tokencleaner");
	arg(a, "use-service-account-credentials", "true");
	if (!str_empty(net->pod_subnet)) {
		arg(a, "allocate-node-cidrs", "true");
		arg(a, "cluster-cidr", "%s", net->pod_subnet);
		arg(a, "service-cluster-ip-range", "%s", net->service_subnet);
	}
}

static void scheduler_args(struct args *a)
{
	kubeconfig_args(a, "scheduler.conf");
}

static void etcd_args(struct args *a)
{
	static const char *const files[][2] = {
		{"cert-file", "etcd/server.crt"},
		{"key-file", "etcd/server.key"},
		{"trusted-ca-file", "etcd/ca.crt"},
		{"peer-cert-file", "etcd/peer.crt"},
		{"peer-key-file", "etcd/peer.key"},
		{"peer-trusted-ca-file", "etcd/ca.crt"},
	};
	const char *ip = a->k->init->local_api_endpoint->advertise_address, *name = a->k->init->node_registration->name;
	arg(a, "name", "%s", name);
	arg(a, "data-dir", "%s", a->k->cluster->etcd->local->data_dir);
	arg(a, "listen-client-urls", "https://127.0.0.1:2379,https://%s:2379", ip);
	arg(a, "advertise-client-urls", "https://%s:2379", ip);
	arg(a, "listen-peer-urls", "https://%s:2380", ip);
	arg(a, "initial-advertise-peer-urls", "https://%s:2380", ip);
	arg(a, "initial-cluster", "%s=https://%s:2380", name, ip);
	arg(a, "listen-metrics-urls", "http://127.0.0.1:2381");
	arg(a, "client-cert-auth", "true");
	arg(a, "peer-client-cert-auth", "true");
	arg(a, "snapshot-count", "10000");
	arg(a, "experimental-initial-corrupt-check", "true");
	cert_args(a, files, ARRAY_SIZE(files));
}

/* A host folder or file that the pod sees under the same path. */
struct mount {
	const char *name, *path, *type;
	bool writable, only_if_there;
};

struct probe {
	const char *kind, *path;
	int delay_s, period_s, failures;
};

static const struct component {
	const char *name;
	void (*args)(struct args *a);
	const char *cpu, *memory;
	int port;	    /* 0: the API endpoint's own */
	const char *scheme; /* of the probes */
	struct mount mounts[6];
	struct probe probes[3];
} components[] = {
	{
		"etcd",
		etcd_args,
		"100m",
		"100Mi",
		2381,
		"HTTP",
		{{"etcd-data", "@data", "DirectoryOrCreate", true}, {"etcd-certs", "@etcd", "DirectoryOrCreate", true}},
		{{"livenessProbe", "/health?serializable=true", 10, 10, 8},
			{"startupProbe", "/health?serializable=false", 1, 2, 60}},
	},
	{
		"kube-apiserver",
		api_server_args,
		"250m",
		NULL,
		0,
		"HTTPS",
		{{"k8s-certs", "@pki", "DirectoryOrCreate"}, {"ca-certs", "/etc/ssl/certs", "DirectoryOrCreate"}},
		{{"livenessProbe", "/livez", 10, 10, 8}, {"readinessProbe", "/readyz", 0, 1, 3},
			{"startupProbe", "/livez", 1, 2, 60}},
	},
	{
		"kube-controller-manager",
		controller_manager_args,
		"200m",
		NULL,
		10257,
		"HTTPS",
		{{"k8s-certs", "@pki", "DirectoryOrCreate"}, {"ca-certs", "/etc/ssl/certs", "DirectoryOrCreate"},
			{"kubeconfig", KUBERNETES_DIR "/controller-manager.conf", "FileOrCreate"},
			{"flexvolume-dir", "/usr/libexec/kubernetes/kubelet-plugins/volume/exec", "DirectoryOrCreate",
				true, true}},
		{{"livenessProbe", "/healthz", 10, 10, 8}, {"startupProbe", "/healthz", 1, 2, 60}},
	},
	{
		"kube-scheduler",
		scheduler_args,
		"100m",
		NULL,
		10259,
		"HTTPS",
		{{"kubeconfig", KUBERNETES_DIR "/scheduler.conf", "FileOrCreate"}},
		{{"livenessProbe", "/livez", 10, 10, 8}, {"readinessProbe", "/readyz", 0, 1, 3},
			{"startupProbe", "/livez", 1, 2, 60}},
	},
};

static const KubeadmV1beta4ControlPlaneComponent *settings_of(const struct kubeadm *k, const char *name)
{
	if (str_eq(name, "kube-apiserver"))
		return k->cluster->api_server->control_plane_component;
	if (str_eq(name, "kube-controller-manager"))
		return k->cluster->controller_manager;
	return str_eq(name, "kube-scheduler") ? k->cluster->scheduler : NULL;
}

/* A user's arguments take the place of ours with the same name. */
static void merge_extra(struct args *a, KubeadmV1beta4Arg *const *extra, size_t n_extra)
{
	for (size_t i = 0; i < n_extra; i++) {
		size_t kept = 0, len = strlen(extra[i]->name);
		for (size_t j = 0; j < a->n; j++)
			if (strncmp(a->items[j], extra[i]->name, len) || a->items[j][len] != '=')
				a->items[kept++] = a->items[j];
		if (kept < a->n)
			a->n = kept;
	}
	char **merged = NULL;
	size_t n = 0;
	for (size_t i = 0; i < a->n; i++)
		ARENA_PUSH(a->k->arena, merged, n) = a->items[i];
	for (size_t i = 0; i < n_extra; i++)
		ARENA_PUSH(a->k->arena, merged, n) =
			arena_printf(a->k->arena, "%s=%s", extra[i]->name, extra[i]->value);
	a->items = merged;
	a->n = n;
	if (n)
		qsort(a->items, a->n, sizeof(*a->items), str_cmp_qsort);
}

static const char *mount_path(const struct kubeadm *k, const struct mount *m)
{
	if (str_eq(m->path, "@pki"))
		return k->cluster->certificates_dir;
	if (str_eq(m->path, "@etcd"))
		return cert_path(k, "etcd");
	return str_eq(m->path, "@data") ? k->cluster->etcd->local->data_dir : m->path;
}

static bool is_used(const struct mount *m)
{
	return m->name && !(m->only_if_there && !io_exists(m->path));
}

static void add_volumes(struct kubeadm *k, const struct component *c, struct strbuf *out)
{
	const KubeadmV1beta4ControlPlaneComponent *s = settings_of(k, c->name);
	strbuf_adds(out, "    volumeMounts:\n");
	for (size_t i = 0; i < ARRAY_SIZE(c->mounts); i++)
		if (is_used(&c->mounts[i]))
			strbuf_printf(out, "    - mountPath: %s\n      name: %s\n      readOnly: %s\n",
				mount_path(k, &c->mounts[i]), c->mounts[i].name,
				c->mounts[i].writable ? "false" : "true");
	for (size_t i = 0; s && i < s->n_extra_volumes; i++)
		strbuf_printf(out, "    - mountPath: %s\n      name: %s\n      readOnly: %s\n",
			s->extra_volumes[i]->mount_path, s->extra_volumes[i]->name,
			s->extra_volumes[i]->read_only ? "true" : "false");
	strbuf_adds(out, "  volumes:\n");
	for (size_t i = 0; i < ARRAY_SIZE(c->mounts); i++)
		if (is_used(&c->mounts[i]))
			strbuf_printf(out, "  - hostPath:\n      path: %s\n      type: %s\n    name: %s\n",
				mount_path(k, &c->mounts[i]), c->mounts[i].type, c->mounts[i].name);
	for (size_t i = 0; s && i < s->n_extra_volumes; i++)
		strbuf_printf(out, "  - hostPath:\n      path: %s\n      type: \"%s\"\n    name: %s\n",
			s->extra_volumes[i]->host_path, s->extra_volumes[i]->path_type, s->extra_volumes[i]->name);
}

static void add_probes(struct kubeadm *k, const struct component *c, struct strbuf *out)
{
	const char *host = c->port ? "127.0.0.1" : k->init->local_api_endpoint->advertise_address;
	strbuf_printf(out, "    ports:\n    - containerPort: %d\n      name: probe-port\n      protocol: TCP\n",
		c->port ? c->port : k->init->local_api_endpoint->bind_port);
	for (size_t i = 0; i < ARRAY_SIZE(c->probes); i++) {
		const struct probe *p = &c->probes[i];
		if (!p->kind)
			continue;
		strbuf_printf(out,
			"    %s:\n      failureThreshold: %d\n      httpGet:\n        host: %s\n        path: %s\n"
			"        port: probe-port\n        scheme: %s\n      initialDelaySeconds: %d\n      "
			"periodSeconds: %d\n"
			"      timeoutSeconds: 15\n",
			p->kind, p->failures, host, p->path, c->scheme, p->delay_s, p->period_s);
	}
}

static void add_head(struct kubeadm *k, const struct component *c, struct strbuf *out)
{
	const KubeadmV1beta4APIEndpoint *e = k->init->local_api_endpoint;
	strbuf_adds(out, "apiVersion: v1\nkind: Pod\nmetadata:\n");
	if (str_eq(c->name, "kube-apiserver"))
		strbuf_printf(out,
			"  annotations:\n    kubeadm.kubernetes.io/kube-apiserver.advertise-address.endpoint: %s:%d\n",
			e->advertise_address, e->bind_port);
	else if (str_eq(c->name, "etcd"))
		strbuf_printf(out,
			"  annotations:\n    kubeadm.kubernetes.io/etcd.advertise-client-urls: https://%s:2379\n",
			e->advertise_address);
	strbuf_printf(out,
		"  labels:\n    component: %s\n    tier: control-plane\n  name: %s\n  namespace: kube-system\n",
		c->name, c->name);
}

static char *text_of(struct kubeadm *k, const struct component *c)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	struct args args = {.k = k};
	const KubeadmV1beta4ControlPlaneComponent *s = settings_of(k, c->name);
	c->args(&args);
	if (s)
		merge_extra(&args, s->extra_args, s->n_extra_args);
	else
		merge_extra(&args, k->cluster->etcd->local->extra_args, k->cluster->etcd->local->n_extra_args);
	add_head(k, c, &out);
	strbuf_printf(&out, "spec:\n  containers:\n  - command:\n    - %s\n", c->name);
	for (size_t i = 0; i < args.n; i++)
		strbuf_printf(&out, "    - --%s\n", args.items[i]);
	strbuf_printf(&out, "    image: %s\n    imagePullPolicy: IfNotPresent\n    name: %s\n",
		config_image(k, c->name), c->name);
	add_probes(k, c, &out);
	strbuf_printf(&out, "    resources:\n      requests:\n        cpu: %s\n", c->cpu);
	if (c->memory)
		strbuf_printf(&out, "        memory: %s\n", c->memory);
	strbuf_adds(&out, "  hostNetwork: true\n  priority: 2000001000\n  priorityClassName: system-node-critical\n"
			  "  securityContext:\n    seccompProfile:\n      type: RuntimeDefault\n");
	/* volumeMounts belong to the container: they go before what stands on the pod's own level. */
	CLEANUP(strbuf_done) struct strbuf volumes = STRBUF_INIT;
	add_volumes(k, c, &volumes);
	char *pod_level = strstr(volumes.buf, "  volumes:\n"), *host_network = strstr(out.buf, "  hostNetwork:");
	return arena_printf(k->arena, "%.*s%.*s%s%s", (int)(host_network - out.buf), out.buf,
		(int)(pod_level - volumes.buf), volumes.buf, host_network, pod_level);
}

char *manifest_text(struct kubeadm *k, const char *component)
{
	for (size_t i = 0; i < ARRAY_SIZE(components); i++)
		if (str_eq(components[i].name, component))
			return text_of(k, &components[i]);
	return NULL;
}

struct status *manifests_write(struct kubeadm *k)
{
	TRY(io_mkdirs(MANIFESTS_DIR, 0700));
	printf("[control-plane] Using manifest folder \"" MANIFESTS_DIR "\"\n");
	for (size_t i = 0; i < ARRAY_SIZE(components); i++) {
		const struct component *c = &components[i];
		bool is_etcd = str_eq(c->name, "etcd");
		if (is_etcd && k->cluster->etcd->external)
			continue;
		if (is_etcd)
			TRY(io_mkdirs(k->cluster->etcd->local->data_dir, 0700));
		char *text = text_of(k, c), *path = arena_printf(k->arena, MANIFESTS_DIR "/%s.yaml", c->name);
		printf("[%s] Creating static Pod manifest for \"%s\"\n", is_etcd ? "etcd" : "control-plane", c->name);
		TRY(io_write_file(path, text, strlen(text), 0600));
	}
	return NULL;
}
