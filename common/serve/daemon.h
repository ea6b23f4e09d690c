/*
 * The skeleton of every daemon: flags, logging, signals, client, leader election, health, metrics, stop.
 *
 *	int main(int argc, char **argv)
 *	{
 *		struct scheduler s = {0};
 *		struct daemon_options options = {.secure_port = 10259, .leader_elect = true, .leader_name =
 *"kube-scheduler"}; const struct flag *const flags[] = {scheduler_flags(&s), NULL}; const struct daemon_spec spec = {
 *			.name = "kube-scheduler", .options = &options, .groups = DAEMON_CLIENT | DAEMON_SERVING |
 *DAEMON_LEADER, .flags = flags, .configure = configure, .start = start, .lead = lead, .stop = stop, .data = &s,
 *		};
 *		return daemon_main(&spec, argc, argv);
 *	}
 *
 * Order: flags are parsed → configure() → client made → start() → serving begins → (leadership is acquired →) lead() on
 *a thread of its own → … SIGTERM or SIGINT, or daemon_stop() → lead() must return → leadership released → stop() →
 *process exit 0. Losing leadership exits at once with code 1. A second signal exits at once. An error from any step is
 *printed and exits 1.
 *
 * Threads: configure, start and stop run on the main thread; the main thread's loop is daemon_loop().
 */
#ifndef SERVE_DAEMON_H
#define SERVE_DAEMON_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/flags.h"
#include "base/loop.h"
#include "client/client.h"
#include "client/events.h"
#include "serve/delegated.h"
#include "serve/health.h"
#include "serve/http.h"
#include "serve/metrics.h"

struct daemon;

/* Which standard flags a daemon has. */
enum daemon_group {
	DAEMON_CLIENT = 1, /* --kubeconfig --master --kube-api-qps --kube-api-burst --kube-api-content-type */
	DAEMON_SERVING = 2, /* --bind-address --secure-port --tls-cert-file --tls-private-key-file --cert-dir --tls-… */
	DAEMON_DELEGATED =
		4, /* --authentication-kubeconfig --authorization-kubeconfig --client-ca-file --requestheader-… */
	DAEMON_LEADER = 8, /* --leader-elect --leader-elect-… */
	DAEMON_DEBUG = 16, /* --profiling --contention-profiling: accepted */
};

/* Defaults go in, values come out; configure() may change any. Durations in milliseconds. */
struct daemon_options {
	char *kubeconfig;
	char *master;
	double qps;    /* 0: 20 */
	int64_t burst; /* 0: 30 */
	char *content_type;

	char *bind_address;  /* NULL: 0.0.0.0 */
	int64_t secure_port; /* 0: no HTTPS */
	char *cert_file;
	char *key_file;
	char *cert_dir;		/* NULL: a self-signed certificate in memory */
	char *insecure_address; /* "127.0.0.1:10249": a plain HTTP listener besides, NULL or "": none */
	char *health_address;	/* the same, with the health handlers only */

	char *client_ca_file;
	char *authentication_kubeconfig;
	char *authorization_kubeconfig;
	struct flag_list always_allow_paths;
	bool tolerate_lookup_failure;
	bool skip_lookup;

	bool leader_elect;
	char *leader_name;
	char *leader_namespace; /* NULL: kube-system */
	char *leader_resource_lock;
	int64_t lease_duration_ms;
	int64_t renew_deadline_ms;
	int64_t retry_period_ms;
	bool no_release_on_stop;

	bool no_client; /* configure() sets it: runs without an apiserver (the standalone kubelet) */
};

struct daemon_spec {
	const char *name; /* also user agent and event source */
	const char *description;
	unsigned groups;
	struct daemon_options *options;
	const struct flag *const
		*flags; /* NULL-terminated array of the daemon's own tables; found before the standard ones */
	/* Any of these may be NULL. */
	struct status *(*configure)(struct daemon *d, void *data);
	struct status *(*start)(struct daemon *d, void *data);
	/* Returns when daemon_stopping() becomes true (see daemon_wait()). NULL or an error that ends the process. */
	struct status *(*lead)(struct daemon *d, void *data);
	void (*stop)(struct daemon *d, void *data);
	/* What /configz shows, as JSON under the daemon's component name. */
	void (*configz)(void *data, struct strbuf *out);
	const struct http_route *routes; /* own routes beside the standard ones; data is the spec's */
	void *data;
};

int daemon_main(const struct daemon_spec *spec, int argc, char **argv);

struct client *daemon_client(struct daemon *d);			    /* NULL with no_client */
const struct client_config *daemon_client_config(struct daemon *d); /* to make further clients from */
struct loop *daemon_loop(struct daemon *d);
struct health *daemon_health(struct daemon *d);
struct metrics *daemon_metrics(struct daemon *d);
struct event_recorder *daemon_recorder(struct daemon *d);
/* For threads: true once the daemon is to end, or leadership is lost. */
const atomic_bool *daemon_stopping(struct daemon *d);
/* Blocks until the daemon is to end. */
void daemon_wait(struct daemon *d);
/* From any thread: begins the stop; error NULL is a normal end. Takes the error. */
void daemon_stop(struct daemon *d, struct status *error);
/* A warning line for each flag accepted without effect is not printed; --version and --help are handled. */

/* For programs that are no daemons: small resident memory (arenas, trim thresholds) as daemon_main() sets it. */
void daemon_tune_memory(void);
/* Gives free heap and unused text pages back to the system; the skeleton does it every minute. Any thread. */
void daemon_trim_memory(void);

#endif
