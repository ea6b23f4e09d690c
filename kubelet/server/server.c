#include "kubelet/server/server.h"

#include "api/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "kubelet/cert/cert.h"
#include "kubelet/node/node.h"
#include "kubelet/pod/manager.h"
#include "serve/delegated.h"

/* A session of exec or port-forward and a log that is followed each hold one; threads are made as needed. */
#define MAX_WORKERS 512

struct server {
	struct server_context context;
	struct http_server *https;
	struct http_server *read_only;
};

struct pod *server_find_pod(struct http_request *request)
{
	struct server_context *c = request->data;
	const char *namespace = http_capture(request, "namespace"), *name = http_capture(request, "pod");
	struct pod *pod = pod_manager_get_named(c->k->pods, namespace, name);
	if (!pod)
		pod = pod_manager_static(c->k->pods, arena_printf(request->arena, "%s_%s", name, namespace));
	if (!pod)
		http_respondf(request, 404, "pod does not exist\n");
	return pod;
}

static void serve_healthz(struct http_request *request)
{
	struct server_context *c = request->data;
	health_respond(c->health, request, HEALTH_LIVE);
}

static void serve_metrics(struct http_request *request)
{
	struct server_context *c = request->data;
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	metrics_write(c->k->metrics, &out);
	http_respond(request, 200, METRICS_CONTENT_TYPE, out.buf, out.len);
}

static void serve_configz(struct http_request *request)
{
	struct server_context *c = request->data;
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	strbuf_adds(&out, "{\"kubeletconfig\":");
	json_encode(&out, c->k->settings->config, 0);
	strbuf_addc(&out, '}');
	http_respond(request, 200, "application/json", out.buf, out.len);
}

static const struct http_route routes[] = {
	{"GET", "/configz", serve_configz},
	{"GET", "/healthz", serve_healthz},
	{"GET", "/healthz/{check...}", serve_healthz},
	{"GET", "/metrics", serve_metrics},
	{"GET", "/metrics/resource", serve_resource_metrics},
	{"GET", "/metrics/probes", serve_metrics},
	{"GET", "/metrics/cadvisor", serve_resource_metrics},
	{"GET", "/pods", serve_pods},
	{"GET", "/pods/", serve_pods},
	{"GET", "/runningpods/", serve_running_pods},
	{"GET", "/runningpods", serve_running_pods},
	{"GET", "/stats/summary", serve_stats_summary},
	{"POST", "/stats/summary", serve_stats_summary},
	{"GET", "/logs/{path...}", serve_node_logs},
	{"GET", "/containerLogs/{namespace}/{pod}/{container}", serve_container_logs},
	{"*", "/exec/{namespace}/{pod}/{container}", serve_exec},
	{"*", "/exec/{namespace}/{pod}/{uid}/{container}", serve_exec},
	{"*", "/attach/{namespace}/{pod}/{container}", serve_attach},
	{"*", "/attach/{namespace}/{pod}/{uid}/{container}", serve_attach},
	{"*", "/portForward/{namespace}/{pod}", serve_port_forward},
	{"*", "/portForward/{namespace}/{pod}/{uid}", serve_port_forward},
	{"POST", "/run/{namespace}/{pod}/{container}", serve_run},
	{"POST", "/run/{namespace}/{pod}/{uid}/{container}", serve_run},
	{NULL, NULL, NULL},
};

static const struct http_route read_only_routes[] = {
	{"GET", "/healthz", serve_healthz},
	{"GET", "/metrics", serve_metrics},
	{"GET", "/pods", serve_pods},
	{"GET", "/stats/summary", serve_stats_summary},
	{NULL, NULL, NULL},
};

/* --- who may: the path says which part of the node is asked for --- */

static const char *verb_of(const char *method)
{
	static const char *const verbs[][2] = {{"POST", "create"}, {"GET", "get"}, {"HEAD", "get"}, {"PUT", "update"},
		{"PATCH", "patch"}, {"DELETE", "delete"}};
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (str_eq(method, verbs[i][0]))
			return verbs[i][1];
	return "";
}

static bool below(const char *path, const char *prefix)
{
	size_t len = strlen(prefix);
	return !strncmp(path, prefix, len) && (!path[len] || path[len] == '/');
}

/* The finer subresource, which may be allowed where "proxy" as a whole is not; "" if the path has none. */
static const char *fine_subresource(const char *path)
{
	if (below(path, "/pods") || below(path, "/runningpods"))
		return "pods";
	if (below(path, "/healthz"))
		return "healthz";
	if (below(path, "/configz"))
		return "configz";
	return "";
}

static const char *subresource(const char *path)
{
	static const char *const parts[][2] = {{"/stats", "stats"}, {"/metrics", "metrics"}, {"/logs", "log"},
		{"/checkpoint", "checkpoint"}, {"/spec", "spec"}};
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (below(path, parts[i][0]))
			return parts[i][1];
	return "proxy";
}

static struct status *authorize(struct http_request *request, struct http_user *ret_user)
{
	struct server_context *c = request->data;
	if (!c->delegated)
		return NULL;
	struct status *s = delegated_authenticate(c->delegated, request, ret_user);
	if (s)
		return s;
	if (!str_eq(str_or(c->k->settings->config->authorization->mode, "Webhook"), "Webhook"))
		return NULL;
	struct delegated_attributes a = {.verb = verb_of(request->method),
		.group = "",
		.version = "v1",
		.resource = "nodes",
		.name = c->k->settings->node_name,
		.path = request->path};
	a.subresource = fine_subresource(request->path);
	if (a.subresource[0]) {
		s = delegated_authorize(c->delegated, request, ret_user, &a);
		if (!s)
			return NULL;
		status_drop(s, "the coarser permission is asked for next");
	}
	a.subresource = subresource(request->path);
	return delegated_authorize(c->delegated, request, ret_user, &a);
}

static struct status *make_delegated(struct kubelet *k, struct delegated **ret)
{
	const KubeletV1beta1KubeletConfiguration *c = k->settings->config;
	const KubeletV1beta1KubeletWebhookAuthentication *webhook = c->authentication->webhook;
	const KubeletV1beta1KubeletAnonymousAuthentication *anonymous = c->authentication->anonymous;
	bool is_webhook = str_eq(str_or(c->authorization->mode, "Webhook"), "Webhook");
	const char *ca = c->authentication->x509->client_ca_file;
	struct delegated_config config = {
		.authn_client = !webhook->has_enabled || webhook->enabled ? k->client : NULL,
		.authz_client = is_webhook ? k->client : NULL,
		.client_ca_file = str_empty(ca) ? NULL : ca,
		.anonymous = anonymous->has_enabled && anonymous->enabled,
		.token_ttl_ms = k->settings->authn_ttl_ms,
		.allow_ttl_ms = k->settings->allow_ttl_ms,
		.deny_ttl_ms = k->settings->deny_ttl_ms,
	};
	return delegated_new(&config, ret);
}

static struct status *listen_all(struct server *s)
{
	struct kubelet *k = s->context.k;
	const char *address = k->settings->config->address;
	char *cert, *key;
	TRY(cert_serving_files(k->settings, k->clock, node_ip(k->node), &cert, &key));
	struct http_server_config config = {
		.address = str_empty(address) ? NULL : address,
		.port = (uint16_t)k->settings->port,
		.cert_file = cert,
		.key_file = key,
		.ask_client_cert = true,
		.routes = routes,
		.data = &s->context,
		.authorize = authorize,
		.max_workers = MAX_WORKERS,
	};
	TRY(http_server_new(&config, &s->https));
	log_info("serving on port %d", http_server_port(s->https));
	if (!k->settings->read_only_port)
		return NULL;
	config.port = (uint16_t)k->settings->read_only_port;
	config.cert_file = config.key_file = NULL;
	config.routes = read_only_routes;
	config.authorize = NULL;
	return http_server_new(&config, &s->read_only);
}

struct status *server_start(struct kubelet *k, struct health *health, struct server **ret)
{
	struct server *s = mem_zalloc(sizeof(*s));
	s->context = (struct server_context){.k = k, .health = health};
	const KubeletV1beta1KubeletConfiguration *c = k->settings->config;
	struct status *error = NULL;
	if (k->client || !str_empty(c->authentication->x509->client_ca_file))
		error = make_delegated(k, &s->context.delegated);
	if (!error && (!c->has_enable_server || c->enable_server))
		error = listen_all(s);
	if (error) {
		server_free(s);
		return error;
	}
	*ret = s;
	return NULL;
}

void server_free(struct server *s)
{
	if (!s)
		return;
	if (s->https)
		http_server_free(s->https);
	if (s->read_only)
		http_server_free(s->read_only);
	if (s->context.delegated)
		delegated_free(s->context.delegated);
	free(s);
}
