/*
 * The kubelet's own API on :10250: logs, exec, attach, port-forward, pods, stats, metrics, health. Who asks is found
 * out and allowed by the apiserver (delegated), or by client certificate.
 */
#ifndef KUBELET_SERVER_SERVER_H
#define KUBELET_SERVER_SERVER_H

#include "kubelet/kubelet.h"
#include "serve/health.h"
#include "serve/http.h"

struct server;

struct status *server_start(struct kubelet *k, struct health *health, struct server **ret) MUST_USE;
void server_free(struct server *s);

/* What handlers get as their data. */
struct server_context {
	struct kubelet *k;
	struct health *health;
	struct delegated *delegated; /* NULL: everybody may do everything */
};

/* Handlers, each in its file. */
void serve_container_logs(struct http_request *request); /* logs.c */
void serve_exec(struct http_request *request);		 /* streams.c */
void serve_attach(struct http_request *request);
void serve_port_forward(struct http_request *request);
void serve_run(struct http_request *request);
void serve_pods(struct http_request *request); /* pods.c */
void serve_running_pods(struct http_request *request);
void serve_stats_summary(struct http_request *request);	   /* summary.c; measures the disk that pods use each time */
void serve_resource_metrics(struct http_request *request); /* stats.c */
void serve_node_logs(struct http_request *request);	   /* node_logs.c: /var/log as a file server shows it */

/* When the container began, in nanoseconds since 1970; 0 if that is not known. */
int64_t container_started_ns(struct kubelet *k, const CriContainerStats *s);
/* The pod that a request's {namespace} and {pod} name; NULL after a 404 has been answered. */
struct pod *server_find_pod(struct http_request *request);

#endif
