#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "api/json.h"
#include "api/meta.h"
#include "api/yaml.h"
#include "base/io.h"
#include "base/str.h"
#include "kubeadm.h"
#include "net/host.h"

enum { MAX_CONFIG_BYTES = 3 << 20 };

/* Strict decoding of one document into *ret; an unknown field is an error that names it. */
static struct status *decode(struct kubeadm *k, const cJSON *doc, const struct schema_type *type, void *ret)
{
	struct json_strict strict = {0};
	struct json_options options = {.strict = &strict};
	TRY(tree_to_typed(k->arena, doc, type, &options, ret));
	if (strict.n_errors)
		return status_bad_request("%s", strict.errors[0]);
	return NULL;
}

static struct status *take_document(struct kubeadm *k, cJSON *doc)
{
	const char *kind = tree_string(tree_get(doc, "kind")), *version = tree_string(tree_get(doc, "apiVersion"));
	void *checked;
	if (str_eq(kind, "InitConfiguration"))
		return decode(k, doc, &KubeadmV1beta4InitConfiguration_schema, &k->init);
	if (str_eq(kind, "ClusterConfiguration"))
		return decode(k, doc, &KubeadmV1beta4ClusterConfiguration_schema, &k->cluster);
	if (str_eq(kind, "JoinConfiguration"))
		return decode(k, doc, &KubeadmV1beta4JoinConfiguration_schema, &k->join);
	if (str_eq(kind, "KubeletConfiguration")) {
		k->kubelet = doc;
		return decode(k, doc, &KubeletV1beta1KubeletConfiguration_schema, &checked);
	}
	if (str_eq(kind, "KubeProxyConfiguration")) {
		k->proxy = doc;
		return decode(k, doc, &KubeproxyV1alpha1KubeProxyConfiguration_schema, &checked);
	}
	return status_bad_request(
		"no kind \"%s\" is known for version \"%s\"", str_or_empty(kind), str_or_empty(version));
}

struct status *config_read(struct kubeadm *k, const char *path)
{
	if (str_empty(path))
		return NULL;
	CLEANUP_FREE char *data = NULL;
	size_t size;
	TRY(io_read_file(path, MAX_CONFIG_BYTES, &data, &size));
	struct yaml_stream *stream = yaml_stream_new(k->arena, data, size);
	for (;;) {
		cJSON *doc;
		TRY(status_wrap(yaml_stream_next(stream, NULL, &doc), "%s", path));
		if (!doc)
			return NULL;
		TRY(status_wrap(take_document(k, doc), "%s", path));
	}
}

static void complete_node(struct kubeadm *k, KubeadmV1beta4NodeRegistrationOptions *node)
{
	char host[256] = "";
	if (str_empty(node->name)) {
		gethostname(host, sizeof(host) - 1);
		node->name = str_lower(k->arena, host);
	}
	if (str_empty(node->cri_socket))
		node->cri_socket = "unix:///run/containerd/containerd.sock";
	else if (node->cri_socket[0] == '/')
		node->cri_socket = arena_printf(k->arena, "unix://%s", node->cri_socket);
	if (str_empty(node->image_pull_policy))
		node->image_pull_policy = "IfNotPresent";
}

static void complete_cluster(struct kubeadm *k)
{
	KubeadmV1beta4ClusterConfiguration *c = k->cluster;
	const struct {
		char **field;
		const char *value;
	} defaults[] = {
		{&c->kubernetes_version, KUBEC_VERSION},
		{&c->certificates_dir, KUBERNETES_DIR "/pki"},
		{&c->image_repository, "localhost"},
		{&c->cluster_name, "kubernetes"},
		{&c->encryption_algorithm, "RSA-2048"},
		{&ENSURE(k->arena, c->networking, KubeadmV1beta4Networking)->service_subnet, "10.96.0.0/12"},
		{&c->networking->dns_domain, "cluster.local"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++)
		if (str_empty(*defaults[i].field))
			*defaults[i].field = (char *)defaults[i].value;
	ENSURE(k->arena, c->etcd, KubeadmV1beta4Etcd);
	if (!c->etcd->external) {
		KubeadmV1beta4LocalEtcd *local = ENSURE(k->arena, c->etcd->local, KubeadmV1beta4LocalEtcd);
		if (str_empty(local->data_dir))
			local->data_dir = "/var/lib/etcd";
	}
	ENSURE(k->arena, c->api_server, KubeadmV1beta4APIServer);
	ENSURE(k->arena, c->api_server->control_plane_component, KubeadmV1beta4ControlPlaneComponent);
	ENSURE(k->arena, c->controller_manager, KubeadmV1beta4ControlPlaneComponent);
	ENSURE(k->arena, c->scheduler, KubeadmV1beta4ControlPlaneComponent);
}

static struct status *check_cidr(const char *field, const char *cidr)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	char *first;
	struct status *s = str_empty(cidr) ? NULL : config_nth_address(arena, cidr, 1, &first);
	return status_wrap(s, "networking.%s", field);
}

static struct status *check(struct kubeadm *k)
{
	unsigned char address[16];
	const KubeadmV1beta4APIEndpoint *e = k->init->local_api_endpoint;
	if (inet_pton(AF_INET, e->advertise_address, address) != 1 &&
		inet_pton(AF_INET6, e->advertise_address, address) != 1)
		return status_bad_request(
			"localAPIEndpoint.advertiseAddress: \"%s\" is not an IP address", e->advertise_address);
	if (e->bind_port < 1 || e->bind_port > 65535)
		return status_bad_request("localAPIEndpoint.bindPort: %d is not a port", e->bind_port);
	TRY(check_cidr("serviceSubnet", k->cluster->networking->service_subnet));
	TRY(check_cidr("podSubnet", k->cluster->networking->pod_subnet));
	for (size_t i = 0; i < k->init->n_bootstrap_tokens; i++) {
		const BootstraptokenV1BootstrapToken *t = k->init->bootstrap_tokens[i];
		if (t->token && !token_is_valid(arena_printf(k->arena, "%s.%s", t->token->id, t->token->secret)))
			return status_bad_request(
				"bootstrapTokens[%zu].token: not of the form abcdef.0123456789abcdef", i);
	}
	return NULL;
}

struct status *config_complete(struct kubeadm *k)
{
	ENSURE(k->arena, k->init, KubeadmV1beta4InitConfiguration);
	ENSURE(k->arena, k->cluster, KubeadmV1beta4ClusterConfiguration);
	KubeadmV1beta4APIEndpoint *e = ENSURE(k->arena, k->init->local_api_endpoint, KubeadmV1beta4APIEndpoint);
	if (str_empty(e->advertise_address))
		e->advertise_address = host_address(k->arena, "0.0.0.0");
	if (!e->bind_port)
		e->bind_port = 6443;
	complete_node(k, ENSURE(k->arena, k->init->node_registration, KubeadmV1beta4NodeRegistrationOptions));
	if (k->join)
		complete_node(k, ENSURE(k->arena, k->join->node_registration, KubeadmV1beta4NodeRegistrationOptions));
	complete_cluster(k);
	if (!k->kubelet)
		k->kubelet = tree_new_object(k->arena);
	if (!k->proxy)
		k->proxy = tree_new_object(k->arena);
	return k->join ? NULL : check(k);
}

struct status *config_nth_address(struct arena *arena, const char *cidr, unsigned n, char **ret_address)
{
	char text[INET6_ADDRSTRLEN], *first = arena_strndup(arena, cidr, strcspn(cidr, ","));
	char *slash = strchr(first, '/');
	int64_t bits;
	unsigned char ip[16];
	if (slash)
		*slash = '\0';
	int family = strchr(first, ':') ? AF_INET6 : AF_INET;
	if (!slash || !str_to_int64(slash + 1, 0, family == AF_INET ? 32 : 128, &bits) ||
		inet_pton(family, first, ip) != 1)
		return status_bad_request("\"%s\" is not a range of addresses such as 10.96.0.0/12", cidr);
	int size = family == AF_INET ? 4 : 16;
	for (int i = 0; i < size * 8; i++)
		if (i >= bits)
			ip[i / 8] &= (unsigned char)~(0x80 >> i % 8);
	for (int i = size - 1; i >= 0 && n; i--) {
		n += ip[i];
		ip[i] = (unsigned char)n;
		n >>= 8;
	}
	inet_ntop(family, ip, text, sizeof(text));
	*ret_address = arena_strdup(arena, text);
	return NULL;
}

char *config_server(const struct kubeadm *k)
{
	const char *endpoint = k->cluster->control_plane_endpoint;
	const KubeadmV1beta4APIEndpoint *local = k->init->local_api_endpoint;
	if (str_empty(endpoint)) {
		bool v6 = strchr(local->advertise_address, ':') != NULL;
		return arena_printf(k->arena, v6 ? "[%s]:%d" : "%s:%d", local->advertise_address, local->bind_port);
	}
	const char *colon = strrchr(endpoint, ':');
	bool has_port = colon && !strchr(colon, ']') && (endpoint[0] == '[' || strchr(endpoint, ':') == colon);
	return has_port ? arena_strdup(k->arena, endpoint)
			: arena_printf(k->arena, "%s:%d", endpoint, local->bind_port);
}

char *config_image(const struct kubeadm *k, const char *name)
{
	const KubeadmV1beta4ImageMeta *own = NULL;
	if (str_eq(name, "etcd") && k->cluster->etcd->local)
		own = k->cluster->etcd->local->image_meta;
	const char *repository =
		own ? str_or(own->image_repository, k->cluster->image_repository) : k->cluster->image_repository;
	const char *tag = own ? str_or(own->image_tag, k->cluster->kubernetes_version) : k->cluster->kubernetes_version;
	if (str_eq(name, "pause"))
		tag = "3.10.1";
	return arena_printf(k->arena, "%s/%s:%s", repository, name, tag);
}

bool phase_skipped(const struct kubeadm *k, const char *name)
{
	return str_in_n(name, k->skip_phases.items, k->skip_phases.n_items) ||
	       (k->init && str_in_n(name, k->init->skip_phases, k->init->n_skip_phases));
}

char *cert_path(const struct kubeadm *k, const char *name)
{
	return arena_printf(k->arena, "%s/%s", k->cluster->certificates_dir, name);
}
