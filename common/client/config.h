/*
 * How to reach an apiserver and as whom: what kubeconfig_load() fills in and client_new() takes.
 *
 * Ownership: plain data; strings live in the arena of whoever filled it. client_new() copies all it needs.
 */
#ifndef CLIENT_CONFIG_H
#define CLIENT_CONFIG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct status;
struct client_exec; /* an exec credential plugin (client/kubeconfig.h) */

struct client_config {
	const char *host; /* "https://10.0.0.1:6443", with a path prefix if it has one */
	const char *proxy_url;

	/* Data wins over file. Files are read again when they change. */
	const char *ca_file;
	const void *ca_data;
	size_t ca_size;
	bool insecure;
	const char *tls_server_name;

	const char *cert_file;
	const void *cert_data;
	size_t cert_size;
	const char *key_file;
	const void *key_data;
	size_t key_size;
	const char *token;
	const char *token_file; /* wins over token; read again when it changes, at most once in ten seconds */
	/*
	 * Wins over both: makes a token (on the heap, taken) and says when it expires (wall clock, seconds; 0: never).
	 * Asked when none is held, when the one held has less than a minute or a tenth of its life left, and again
	 * after a 401. One call at a time.
	 */
	struct status *(*token_source)(void *data, char **ret_token, int64_t *ret_expires_s);
	void *token_data;
	const char *username; /* basic authentication */
	const char *password;
	const struct client_exec *exec;

	const char *as_user;
	const char *as_uid;
	const char *const *as_groups;
	size_t n_as_groups;
	const char *const *as_extra_keys; /* pairs of key and value; a key may repeat */
	const char *const *as_extra_values;
	size_t n_as_extra;

	const char *user_agent;
	struct client_figures *figures; /* client/figures.h; NULL: requests are not counted */
	double qps;			/* 0: 5; negative: no limit */
	int burst;			/* 0: 10 */
	int timeout_ms;			/* of one request that is no watch; 0: none */
	bool json;			/* no protobuf on the wire */
	bool disable_compression;
	/* A time of the monotonic clock (ms) from which on nothing is sent that may change something: the end of a
	 * leader's term, which the leader moves on. It outlives the client. NULL: no end. */
	const atomic_llong *writes_end_ms;
};

#endif
