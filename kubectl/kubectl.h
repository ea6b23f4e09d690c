/*
 * What every verb is given: the connection, the mapping from names to resources, the namespace, and how to fail.
 *
 * Ownership: everything here lives as long as the process; a verb takes memory from k->arena without giving it back.
 * Threads: one.
 */
#ifndef KUBECTL_KUBECTL_H
#define KUBECTL_KUBECTL_H

#include "base/arena.h"
#include "base/flags.h"
#include "base/status.h"
#include "base/str.h"
#include "client/client.h"
#include "client/discovery.h"
#include "client/kubeconfig.h"
#include "kubectl/command.h"

struct global_options {
	char *kubeconfig, *context, *cluster, *user, *namespace, *server, *tls_server_name, *certificate_authority;
	char *client_certificate, *client_key, *token, *username, *password, *as, *as_uid, *cache_dir, *request_timeout;
	struct flag_list as_group;
	bool insecure, disable_compression, match_server_version, warnings_as_errors;
	int64_t verbosity;
	char *ignored;
};

struct kubectl {
	struct arena *arena;
	struct global_options global;
	int exit_code; /* of a verb that succeeded */
	/* made when first asked for */
	struct client *client;
	struct discovery *discovery;
	char *namespace;
	bool has_config;
	struct client_config config;
	size_t n_warnings;
};

/* Connection, discovery and namespace, made at the first call. */
struct status *kubectl_client(struct kubectl *k, struct client **ret) MUST_USE;
/* How long a watch may last: as long as any request; 0: for ever. Once there is a client. */
int64_t kubectl_watch_seconds(const struct kubectl *k);
struct status *kubectl_discovery(struct kubectl *k, struct discovery **ret) MUST_USE;
/* The namespace to work in. */
struct status *kubectl_namespace(struct kubectl *k, const char **ret) MUST_USE;
struct kubeconfig_overrides kubectl_overrides(struct kubectl *k);

/* An error of our own: shown as "error: ...". */
#define user_error(...) status_with_code(status_new(STATUS_UNKNOWN, __VA_ARGS__), 1)
/* Errors that the server sent are told apart by an offset on their code. */
#define SERVER_CODE 10000
/* A message that is complete as it stands: several errors, one a line. */
#define SEVERAL_CODE (-1)
struct status *status_from_server(struct status *s) MUST_USE;
static inline bool status_is_servers(const struct status *s)
{
	return s && s->code >= SERVER_CODE;
}
/* Writes an error as users know it to standard error. */
void report_error(struct kubectl *k, const struct status *s);
/* Collects several errors: the first becomes *into, the others are appended to it. */
void errors_add(struct status **into, struct status *s);

/* Duration as the original prints ages: 5s, 3m12s, 2d3h. */
char *human_duration(struct arena *arena, int64_t seconds);
/* Age of an RFC 3339 time; "<unknown>" for none. */
char *human_age(struct arena *arena, const char *time);
/* RFC 3339 to seconds since 1970; false if malformed. */
bool rfc3339_parse(const char *text, int64_t *ret_s, int64_t *ret_ns);
char *rfc3339_format(struct arena *arena, int64_t seconds);
/* "5s", "1m", "0" to milliseconds, negative means for ever; error names the flag. */
int64_t now_ms(void);
void sleep_ms(int64_t ms);

#endif
