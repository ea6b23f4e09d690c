/*
 * kubeadm: makes a machine the first node of a cluster, joins others to it, and undoes both.
 *
 * A command fills one struct kubeadm from flags and configuration file (config.c) and then runs phases, each a file of
 * its own: certificates, kubeconfigs, manifests, kubelet, and what is put into the cluster's own API (cluster.c,
 * token.c, addon.c). Every phase leaves alone what exists and is right, so that a run cut short can be repeated.
 *
 * Ownership: everything lives in the arena of struct kubeadm.
 */
#ifndef KUBEADM_KUBEADM_H
#define KUBEADM_KUBEADM_H

#include "api/tree.h"
#include "api/types.h"
#include "base/clock.h"
#include "base/flags.h"
#include "base/status.h"
#include "client/client.h"
#include "pki/pki.h"

#define KUBERNETES_DIR "/etc/kubernetes"
#define MANIFESTS_DIR KUBERNETES_DIR "/manifests"
#define KUBELET_DIR "/var/lib/kubelet"
#define ADMIN_CONF KUBERNETES_DIR "/admin.conf"

struct kubeadm {
	struct arena *arena;
	const struct clock *clock;
	KubeadmV1beta4InitConfiguration *init;
	KubeadmV1beta4ClusterConfiguration *cluster;
	KubeadmV1beta4JoinConfiguration *join; /* NULL unless joining */
	cJSON *kubelet;			       /* KubeletConfiguration */
	cJSON *proxy;			       /* KubeProxyConfiguration */
	struct flag_list skip_phases;
};

/* A command of the tool: `kubeadm NAME [SUB]`. */
struct kubeadm_command {
	const char *name;
	const char *sub; /* NULL: none */
	const char *summary;
	struct status *(*run)(struct kubeadm *k, int argc, char **argv);
};
extern const struct kubeadm_command kubeadm_commands[];

/* --- config.c: files, flags and defaults --- */

/* Reads the documents of a file into k (path NULL: none). An unknown kind or field is an error that names it. */
struct status *config_read(struct kubeadm *k, const char *path) MUST_USE;
/* Fills in what neither file nor flags said, and checks the result. */
struct status *config_complete(struct kubeadm *k) MUST_USE;
/* The nth address of a range ("10.96.0.0/12", 10 → 10.96.0.10); only the first of a comma-separated pair is used. */
struct status *config_nth_address(struct arena *arena, const char *cidr, unsigned n, char **ret_address) MUST_USE;
/* "host:port" of the API server as clients reach it: the control plane endpoint, or the local one. */
char *config_server(const struct kubeadm *k);
char *config_image(const struct kubeadm *k, const char *name);
bool phase_skipped(const struct kubeadm *k, const char *name);
char *cert_path(const struct kubeadm *k, const char *name);

/* --- certs.c --- */

struct status *certs_create(struct kubeadm *k) MUST_USE;
struct status *certs_renew(struct kubeadm *k, const char *name) MUST_USE; /* "all", or the name of one */
struct status *certs_print_expiration(struct kubeadm *k) MUST_USE;
/* A client certificate and key in PEM, signed by the cluster's CA. */
struct status *certs_client(
	struct kubeadm *k, const char *common_name, const char *organization, char **ret_cert, char **ret_key) MUST_USE;
/* A certificate file and its key beside it: NAME.crt and NAME.key under the certificate folder. */
struct status *certs_load(
	struct kubeadm *k, const char *name, struct pki_cert **ret_cert, struct pki_key **ret_key) MUST_USE;
struct status *certs_load_cert(struct kubeadm *k, const char *path, struct pki_cert **ret_cert) MUST_USE;

/* --- kubeconfigs.c --- */

struct status *kubeconfigs_create(struct kubeadm *k) MUST_USE;
/* Renews the client certificate inside one of them ("admin.conf", …). */
struct status *kubeconfigs_renew(struct kubeadm *k, const char *file) MUST_USE;
/* Writes a kubeconfig with one cluster and one user; any of the credentials may be NULL. */
struct status *kubeconfig_write_simple(struct kubeadm *k, const char *path, const char *server, const char *ca_pem,
	const char *user, const char *cert_pem, const char *key_pem, const char *token) MUST_USE;
/* Points kubelet.conf to the certificate that the kubelet rotates. */
struct status *kubeconfigs_finalize_kubelet(struct kubeadm *k) MUST_USE;
/* The kubeconfig files with a client certificate in them, NULL-terminated. */
extern const char *const kubeconfig_files[];

/* --- manifests.c --- */

struct status *manifests_write(struct kubeadm *k) MUST_USE;
/* The YAML of one component's static pod, for tests. */
char *manifest_text(struct kubeadm *k, const char *component);

/* --- kubelet.c --- */

/* Writes config.yaml and the file of flags. */
struct status *kubelet_write_config(struct kubeadm *k, const char *config_yaml) MUST_USE;
/* Starts or restarts the kubelet through the init system where there is one; otherwise says so. */
void kubelet_start(struct kubeadm *k);
void kubelet_stop(struct kubeadm *k);
char *kubelet_config_yaml(struct kubeadm *k);

/* --- cluster.c: what init leaves in the API --- */

struct status *client_for(struct kubeadm *k, const char *kubeconfig, struct client **ret) MUST_USE;
/* Waits until the API server answers /livez. */
struct status *cluster_wait_api(struct kubeadm *k, struct client *client, int64_t timeout_ms) MUST_USE;
struct status *cluster_upload(struct kubeadm *k, struct client *client) MUST_USE;
struct status *cluster_mark_control_plane(struct kubeadm *k, struct client *client) MUST_USE;
struct status *cluster_bootstrap_rules(struct kubeadm *k, struct client *client) MUST_USE;
struct status *cluster_info_create(struct kubeadm *k, struct client *client) MUST_USE;
struct status *addon_proxy(struct kubeadm *k, struct client *client) MUST_USE;
/* Creates or updates every object of a YAML stream. */
struct status *cluster_apply(struct kubeadm *k, struct client *client, const char *yaml) MUST_USE;
/* Indents every line of a text by n spaces, for a block in YAML. */
char *indent(struct arena *arena, const char *text, int n);

/* --- token.c --- */

/* "abcdef.0123456789abcdef", random. */
char *token_generate(struct arena *arena);
bool token_is_valid(const char *token);
/* The Secret of a bootstrap token; ttl_seconds 0: never expires. */
struct status *token_create(struct kubeadm *k, struct client *client, const char *token, int64_t ttl_seconds,
	const char *description, const struct flag_list *usages, const struct flag_list *groups) MUST_USE;
/* "kubeadm join …" for a token of the cluster that the client and its kubeconfig speak to. */
struct status *token_join_command(struct kubeadm *k, const struct client *client, const char *kubeconfig,
	const char *token, char **ret_command) MUST_USE;

/* --- discovery.c --- */

/* Finds the cluster through its public cluster-info, checks its signature and the CA, and gives server URL and CA. */
struct status *discovery_by_token(struct kubeadm *k, char **ret_server, char **ret_ca_pem) MUST_USE;

/* --- preflight.c --- */

/* Prints warnings; an error joins all that failed and is not in `ignore` ("all", or names of checks). */
struct status *preflight(struct kubeadm *k, bool joining, char *const *ignore, size_t n_ignore) MUST_USE;

/* --- reset.c --- */

/* Where something is mounted below a folder, sorted, out of the text of /proc/self/mounts. */
size_t mounts_below(struct arena *arena, const char *mounts, const char *dir, char ***ret_paths);

/* --- the commands --- */

struct status *run_init(struct kubeadm *k, int argc, char **argv);
struct status *run_join(struct kubeadm *k, int argc, char **argv);
struct status *run_reset(struct kubeadm *k, int argc, char **argv);
struct status *run_token_create(struct kubeadm *k, int argc, char **argv);
struct status *run_token_list(struct kubeadm *k, int argc, char **argv);
struct status *run_token_delete(struct kubeadm *k, int argc, char **argv);
struct status *run_token_generate(struct kubeadm *k, int argc, char **argv);
struct status *run_certs_renew(struct kubeadm *k, int argc, char **argv);
struct status *run_certs_check(struct kubeadm *k, int argc, char **argv);
struct status *run_certs_key(struct kubeadm *k, int argc, char **argv);
struct status *run_version(struct kubeadm *k, int argc, char **argv);
struct status *run_config_print(struct kubeadm *k, int argc, char **argv);

#endif
