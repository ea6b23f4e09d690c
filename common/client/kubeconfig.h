/*
 * kubeconfig files: loading by the rules of clientcmd, resolving to a client configuration, and writing them.
 *
 *	struct kubeconfig_overrides overrides = {.path = flag_kubeconfig, .context = flag_context};
 *	struct client_config config;
 *	char *namespace;
 *	TRY(kubeconfig_load(arena, &overrides, &config, &namespace));
 *
 * Precedence of files: an explicit path alone; else the list in $KUBECONFIG (":"), merged, the first file that sets a
 *value wins and missing files are skipped; else $HOME/.kube/config; and, where none of them says anything, the
 *in-cluster service account. Relative paths in a file are relative to that file.
 *
 * Ownership: everything returned lives in the arena. Threads: reads the environment; otherwise free of shared state.
 */
#ifndef CLIENT_KUBECONFIG_H
#define CLIENT_KUBECONFIG_H

#include "api/types.h"
#include "base/arena.h"
#include "base/status.h"
#include "client/config.h"

/* What the command line says; any may be NULL. */
struct kubeconfig_overrides {
	const char *path;      /* --kubeconfig */
	const char *context;   /* --context */
	const char *cluster;   /* --cluster */
	const char *user;      /* --user */
	const char *namespace; /* -n */
	const char *server;    /* -s, --master */
	const char *tls_server_name;
	const char *certificate_authority;
	const char *client_certificate;
	const char *client_key;
	const char *token;
	const char *username;
	const char *password;
	const char *as;
	const char *as_uid;
	const char *const *as_groups;
	size_t n_as_groups;
	bool insecure_skip_tls_verify;
	bool disable_compression;
	int timeout_ms;
	const char *default_server; /* where no file names one: kubectl's http://localhost:8080; NULL: an error */
	bool no_in_cluster;	    /* do not fall back on the in-cluster configuration */
};

struct client_exec {
	const char *command;
	char *const *args;
	size_t n_args;
	char *const *env_names; /* added to the environment */
	char *const *env_values;
	size_t n_env;
	const char *api_version;
	const char *install_hint;
	bool provide_cluster_info;
	const char *interactive_mode;  /* Never, IfAvailable, Always */
	const char *cluster_info_json; /* spec.cluster of the ExecCredential, when provide_cluster_info */
	const char *base_dir;	       /* of a relative command */
};

/*
 * Files → one configuration → client configuration. *ret_namespace: the one to work in ("default" if none is said); may
 * be NULL. Errors name the file and the entry: `context "x" does not exist`, "invalid configuration: …", as clientcmd
 * words them. With nothing configured: the original's "invalid configuration: no configuration has been provided, …"
 * error.
 */
struct status *kubeconfig_load(struct arena *arena, const struct kubeconfig_overrides *overrides,
	struct client_config *ret_config, char **ret_namespace) MUST_USE;
/* For a daemon's --kubeconfig and --master; both empty: in-cluster. */
struct status *kubeconfig_load_file(
	struct arena *arena, const char *path, const char *master, struct client_config *ret) MUST_USE;
/* The service account of the pod that this process runs in. */
struct status *kubeconfig_in_cluster(struct arena *arena, struct client_config *ret, char **ret_namespace) MUST_USE;

/* --- the files themselves: kubectl config, kubeadm --- */

/* One file; a missing one is STATUS_NOT_FOUND; strict about what it understands, lenient about unknown fields. */
struct status *kubeconfig_read(struct arena *arena, const char *path, ClientcmdV1Config **ret) MUST_USE;
struct status *kubeconfig_parse(
	struct arena *arena, const char *text, size_t size, const char *path, ClientcmdV1Config **ret) MUST_USE;
/* The files that the precedence above names; n is at least 1. */
void kubeconfig_paths(struct arena *arena, const char *explicit_path, char ***ret_paths, size_t *ret_n);
/* The merged view of those files; paths inside made absolute. Missing files are skipped. */
struct status *kubeconfig_merged(struct arena *arena, const char *explicit_path, ClientcmdV1Config **ret) MUST_USE;
/* Adds to `into` what it lacks (entries by name; current-context if empty). */
void kubeconfig_merge(struct arena *arena, ClientcmdV1Config *into, const ClientcmdV1Config *from);
/* Writes atomically, mode 0600, creating the directory; apiVersion and kind are filled in. */
struct status *kubeconfig_write(const char *path, const ClientcmdV1Config *config) MUST_USE;
/* As YAML text, the form of the original (sorted keys). */
struct status *kubeconfig_print(struct arena *arena, const ClientcmdV1Config *config, char **ret_yaml) MUST_USE;
/* Reads all referenced files into the …-data fields (config view --flatten). */
struct status *kubeconfig_flatten(struct arena *arena, ClientcmdV1Config *config, const char *base_dir) MUST_USE;

/* Entries by name: NULL if absent; _add returns the entry, made new if absent. */
ClientcmdV1Cluster *kubeconfig_cluster(const ClientcmdV1Config *config, const char *name);
ClientcmdV1AuthInfo *kubeconfig_user(const ClientcmdV1Config *config, const char *name);
ClientcmdV1Context *kubeconfig_context(const ClientcmdV1Config *config, const char *name);
ClientcmdV1Cluster *kubeconfig_add_cluster(struct arena *arena, ClientcmdV1Config *config, const char *name);
ClientcmdV1AuthInfo *kubeconfig_add_user(struct arena *arena, ClientcmdV1Config *config, const char *name);
ClientcmdV1Context *kubeconfig_add_context(struct arena *arena, ClientcmdV1Config *config, const char *name);
/* Removes an entry by name; false if it was not there. */
bool kubeconfig_remove_cluster(ClientcmdV1Config *config, const char *name);
bool kubeconfig_remove_user(ClientcmdV1Config *config, const char *name);
bool kubeconfig_remove_context(ClientcmdV1Config *config, const char *name);

#endif
