/*
 * The server as a whole: its parts, and the way of a request through them.
 */
#ifndef APISERVER_APP_H
#define APISERVER_APP_H

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include "apiserver/access_figures.h"
#include "apiserver/admission/admission.h"
#include "apiserver/authn/authn.h"
#include "apiserver/authz/authz.h"
#include "apiserver/boot/boot.h"
#include "apiserver/encryption/encryption.h"
#include "apiserver/figures.h"
#include "apiserver/http/origin.h"
#include "apiserver/http/server.h"
#include "apiserver/registry/registry.h"
#include "apiserver/served.h"
#include "apiserver/strategy/context.h"
#include "base/clock.h"
#include "net/tls.h"
#include "serve/metric_filter.h"
#include "serve/metrics.h"

/* What a health check said, by the endpoint that it was asked through. */
enum { HEALTH_CHECKS = 48, HEALTH_ENDPOINTS = 3 };
struct health_count {
	atomic_uint_least64_t passed, failed;
	atomic_bool well; /* the last time */
};

enum { FIELD_VALIDATIONS = 5 };

struct app {
	const struct clock *clock;
	struct etcd *etcd;
	struct encryption *encryption; /* NULL: none */
	struct registry *registry;
	struct authn *authn;
	struct authz *authz;
	struct admission *admission;
	struct strategy_context strategies;
	struct boot *boot;
	struct alloc_repair *repair;
	struct server *server;
	struct metrics *metrics;
	struct metric_filter *metric_filter;
	struct figures *figures;
	atomic_int n_reads, n_writes;			  /* being worked on */
	struct tally_slot validations[FIELD_VALIDATIONS]; /* how long writes took, by how strictly fields are read */
	struct access_figures access;
	/* Requests for logs of pods: whether the kubelet is to be verified, and those that failed because it is not. */
	struct {
		atomic_uint_least64_t verified, unverified, unverifiable;
	} logs;
	struct health_count health[HEALTH_CHECKS][HEALTH_ENDPOINTS];
	struct origins *origins;
	_Atomic(const char *) advertised; /* host:port for discovery; "" until the port is known */
	/* How kubelets are spoken to. */
	struct tls_context *kubelet_tls;
	struct tls_context *kubelet_tls_unverified; /* for who does not ask who it is */
	char *const *kubelet_address_types;
	size_t n_kubelet_address_types;
	bool profiling;
	int64_t compaction_ms;
	bool send_retry_after; /* to who comes too late */
	clock_t cpu;	       /* used, at the last tick */
	unsigned ticks;
	atomic_bool stopping;
	struct openapi *openapi;
	struct served *served;
};

/* The server's callbacks. */
void app_handle(struct exchange *exchange, void *data);
/* The same on the listener's thread, for what can be answered without waiting; false: app_handle() is to do it. */
bool app_handle_at_once(struct exchange *exchange, void *data);
void app_done(struct exchange *exchange, void *data);
/* apiserver/app_metrics.c: counting requests. Only of those that may be made is more known than their number; one that
 * lasts is counted while it does, until app_done(). */
void app_request_begins(struct app *app, const struct request *r);
void app_request_ends(struct app *app, const struct request *r);
void app_request_admitted(struct app *app, struct request *r);
void app_metrics_init(struct app *app);

#endif
