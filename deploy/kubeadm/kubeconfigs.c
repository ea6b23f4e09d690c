#include <stdio.h>
#include <string.h>
#include "api/meta.h"
#include "base/io.h"
#include "base/str.h"
#include "client/kubeconfig.h"
#include "kubeadm.h"

#define KUBELET_CURRENT KUBELET_DIR "/pki/kubelet-client-current.pem"

const char *const kubeconfig_files[] = {
	"admin.conf", "super-admin.conf", "controller-manager.conf", "scheduler.conf", NULL};

/* Who a kubeconfig speaks as. user NULL: the node itself. */
static const struct {
	const char *file, *user, *organization;
} rows[] = {
	{"admin.conf", "kubernetes-admin", "kubeadm:cluster-admins"},
	{"super-admin.conf", "kubernetes-super-admin", "system:masters"},
	{"kubelet.conf", NULL, "system:nodes"},
	{"controller-manager.conf", "system:kube-controller-manager", NULL},
	{"scheduler.conf", "system:kube-scheduler", NULL},
};

static ProtobufCBinaryData bytes_of(struct arena *arena, const char *text)
{
	return (ProtobufCBinaryData){.len = strlen(text), .data = arena_dup(arena, text, strlen(text))};
}

struct status *kubeconfig_write_simple(struct kubeadm *k, const char *path, const char *server, const char *ca_pem,
	const char *user, const char *cert_pem, const char *key_pem, const char *token)
{
	ClientcmdV1Config *config = API_NEW(k->arena, ClientcmdV1Config);
	const char *cluster_name = k->cluster->cluster_name;
	char *context_name = arena_printf(k->arena, "%s@%s", user, cluster_name);
	ClientcmdV1Cluster *cluster = kubeconfig_add_cluster(k->arena, config, cluster_name);
	cluster->server = arena_strdup(k->arena, server);
	cluster->certificate_authority_data = bytes_of(k->arena, ca_pem);
	ClientcmdV1AuthInfo *auth = kubeconfig_add_user(k->arena, config, user);
	if (cert_pem) {
		auth->client_certificate_data = bytes_of(k->arena, cert_pem);
		auth->client_key_data = bytes_of(k->arena, key_pem);
	}
	if (token)
		auth->token = arena_strdup(k->arena, token);
	ClientcmdV1Context *context = kubeconfig_add_context(k->arena, config, context_name);
	context->cluster = arena_strdup(k->arena, cluster_name);
	context->user = arena_strdup(k->arena, user);
	config->current_context = context_name;
	return kubeconfig_write(path, config);
}

struct status *kubeconfigs_create(struct kubeadm *k)
{
	CLEANUP_FREE char *ca = NULL;
	TRY(io_read_file(cert_path(k, "ca.crt"), 1 << 20, &ca, NULL));
	char *server = arena_printf(k->arena, "https://%s", config_server(k));
	TRY(io_mkdirs(KUBERNETES_DIR, 0755));
	printf("[kubeconfig] Using kubeconfig folder \"" KUBERNETES_DIR "\"\n");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *path = arena_printf(k->arena, KUBERNETES_DIR "/%s", rows[i].file), *cert, *key;
		const char *user = rows[i].user
					   ? rows[i].user
					   : arena_printf(k->arena, "system:node:%s", k->init->node_registration->name);
		if (io_exists(path)) {
			printf("[kubeconfig] Using existing kubeconfig file: \"%s\"\n", path);
			continue;
		}
		printf("[kubeconfig] Writing \"%s\" kubeconfig file\n", rows[i].file);
		TRY(certs_client(k, user, rows[i].organization, &cert, &key));
		TRY(kubeconfig_write_simple(k, path, server, ca, user, cert, key, NULL));
	}
	return NULL;
}

struct status *kubeconfigs_renew(struct kubeadm *k, const char *file)
{
	ClientcmdV1Config *config;
	char *path = arena_printf(k->arena, KUBERNETES_DIR "/%s", file), *cert, *key;
	TRY(kubeconfig_read(k->arena, path, &config));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		ClientcmdV1AuthInfo *auth = rows[i].user ? kubeconfig_user(config, rows[i].user) : NULL;
		if (!auth || !str_eq(rows[i].file, file))
			continue;
		TRY(certs_client(k, rows[i].user, rows[i].organization, &cert, &key));
		auth->client_certificate_data = bytes_of(k->arena, cert);
		auth->client_key_data = bytes_of(k->arena, key);
		TRY(kubeconfig_write(path, config));
		printf("certificate in %s renewed\n", file);
		return NULL;
	}
	return status_bad_request("%s has no user that kubeadm made", path);
}

struct status *kubeconfigs_finalize_kubelet(struct kubeadm *k)
{
	ClientcmdV1Config *config;
	if (!io_exists(KUBELET_CURRENT))
		return NULL;
	TRY(kubeconfig_read(k->arena, KUBERNETES_DIR "/kubelet.conf", &config));
	for (size_t i = 0; i < config->n_users; i++) {
		ClientcmdV1AuthInfo *auth = config->users[i]->user;
		if (!auth)
			continue;
		auth->client_certificate_data = (ProtobufCBinaryData){0};
		auth->client_key_data = (ProtobufCBinaryData){0};
		auth->client_certificate = KUBELET_CURRENT;
		auth->client_key = KUBELET_CURRENT;
	}
	printf("[kubelet-finalize] Updating \"" KUBERNETES_DIR
	       "/kubelet.conf\" to point to a rotatable kubelet client certificate\n");
	return kubeconfig_write(KUBERNETES_DIR "/kubelet.conf", config);
}
