#include "kube-proxy/health.h"
#include <pthread.h>
#include "api/meta.h"
#include "base/log.h"
#include "base/mem.h"
#include "serve/http.h"

struct checked_service {
	struct proxy_health *health;
	struct http_server *server;
	char *namespace_, *name;
	int32_t port;
	size_t n_local;
	bool seen;
};

struct proxy_health {
	const struct clock *clock;
	int64_t max_delay_ms;
	struct http_server *server;
	struct strmap *services; /* "namespace/name" -> struct checked_service; the map is the loop's own */
	pthread_mutex_t lock;	 /* guards what follows, and n_local of the services */
	int64_t queued_ms;	 /* 0: nothing is due */
	int64_t synced_ns;
	bool eligible;
};

static bool is_healthy(struct proxy_health *h)
{
	return !h->queued_ms || clock_mono_ms(h->clock) - h->queued_ms < h->max_delay_ms;
}

static void respond(struct http_request *request, int code, const char *json, size_t n_local, bool with_weight)
{
	CLEANUP_FREE char *weight = mem_printf("%zu", n_local);
	const struct http_header headers[] = {{"Content-Type", "application/json"},
		{"X-Content-Type-Options", "nosniff"}, {"X-Load-Balancing-Endpoint-Weight", weight}};
	http_respond_with(request, code, headers, with_weight ? 3 : 2, json, strlen(json));
}

static void own_health(struct http_request *request, bool with_eligibility)
{
	struct proxy_health *h = request->data;
	pthread_mutex_lock(&h->lock);
	bool healthy = is_healthy(h), eligible = h->eligible;
	int64_t now_ns = clock_wall_ns(h->clock), synced_ns = healthy ? now_ns : h->synced_ns;
	pthread_mutex_unlock(&h->lock);
	char *json =
		arena_printf(request->arena, "{\"lastUpdated\": \"%s\",\"currentTime\": \"%s\", \"nodeEligible\": %s}",
			time_format(request->arena, synced_ns / 1000000000),
			time_format(request->arena, now_ns / 1000000000), eligible ? "true" : "false");
	bool ok = healthy && (eligible || !with_eligibility);
	respond(request, ok ? 200 : 503, json, 0, false);
}

static void healthz(struct http_request *request)
{
	own_health(request, true);
}

static void livez(struct http_request *request)
{
	own_health(request, false);
}

static void service_health(struct http_request *request)
{
	struct checked_service *s = request->data;
	pthread_mutex_lock(&s->health->lock);
	bool healthy = is_healthy(s->health);
	size_t n_local = s->n_local;
	pthread_mutex_unlock(&s->health->lock);
	char *json = arena_printf(request->arena,
		"{\n\t\"service\": {\n\t\t\"namespace\": \"%s\",\n\t\t\"name\": \"%s\"\n\t},\n\t\"localEndpoints\": "
		"%zu,\n"
		"\t\"serviceProxyHealthy\": %s\n}",
		s->namespace_, s->name, n_local, healthy ? "true" : "false");
	respond(request, healthy && n_local ? 200 : 503, json, n_local, true);
}

static struct status *split_address(const char *address, char **ret_host, uint16_t *ret_port)
{
	const char *colon = strrchr(address, ':');
	uint64_t port;
	if (!colon || !str_to_uint64(colon + 1, 65535, &port))
		return status_bad_request("healthzBindAddress: Invalid value: \"%s\": must be IP:port", address);
	bool bracketed = *address == '[' && colon > address + 1;
	*ret_host = mem_strndup(address + bracketed, (size_t)(colon - address) - 2 * bracketed);
	*ret_port = (uint16_t)port;
	return NULL;
}

static void service_free(void *p)
{
	struct checked_service *s = p;
	http_server_free(s->server);
	free(s->namespace_);
	free(s->name);
	free(s);
}

struct status *proxy_health_new(
	const char *address, int64_t max_delay_ms, const struct clock *clock, struct proxy_health **ret)
{
	static const struct http_route routes[] = {{"*", "/healthz", healthz}, {"*", "/livez", livez}, {NULL}};
	struct proxy_health *h = mem_zalloc(sizeof *h);
	pthread_mutex_init(&h->lock, NULL);
	h->clock = clock;
	h->max_delay_ms = max_delay_ms;
	h->eligible = true;
	h->services = strmap_new(service_free);
	h->synced_ns = clock_wall_ns(clock);
	*ret = h;
	if (str_empty(address))
		return NULL;
	CLEANUP_FREE char *host = NULL;
	struct http_server_config config = {.routes = routes, .data = h, .max_workers = 1};
	TRY(split_address(address, &host, &config.port));
	config.address = host;
	return http_server_new(&config, &h->server);
}

void proxy_health_free(struct proxy_health *h)
{
	if (!h)
		return;
	if (h->server)
		http_server_free(h->server);
	strmap_free(h->services);
	pthread_mutex_destroy(&h->lock);
	free(h);
}

void proxy_health_queued(struct proxy_health *h)
{
	pthread_mutex_lock(&h->lock);
	if (!h->queued_ms)
		h->queued_ms = clock_mono_ms(h->clock);
	pthread_mutex_unlock(&h->lock);
}

void proxy_health_synced(struct proxy_health *h)
{
	pthread_mutex_lock(&h->lock);
	h->queued_ms = 0;
	h->synced_ns = clock_wall_ns(h->clock);
	pthread_mutex_unlock(&h->lock);
}

void proxy_health_eligible(struct proxy_health *h, bool eligible)
{
	pthread_mutex_lock(&h->lock);
	h->eligible = eligible;
	pthread_mutex_unlock(&h->lock);
}

static void listen_for(struct proxy_health *h, const struct sync_service *service)
{
	static const struct http_route routes[] = {{"*", "/", service_health}, {NULL}};
	struct checked_service *s = mem_zalloc(sizeof *s);
	const char *slash = strchr(service->key, '/');
	s->health = h;
	s->namespace_ = mem_strndup(service->key, (size_t)(slash - service->key));
	s->name = mem_strdup(slash + 1);
	s->port = service->health_check_node_port;
	s->n_local = service->n_local_ready;
	s->seen = true;
	const struct http_server_config config = {
		.port = (uint16_t)s->port, .routes = routes, .data = s, .max_workers = 1};
	struct status *failed = http_server_new(&config, &s->server);
	if (failed) {
		log_status(failed, "Health check node port of %s", service->key);
		free(s->namespace_);
		free(s->name);
		free(s);
		return;
	}
	strmap_put(h->services, service->key, s);
}

void proxy_health_services(struct proxy_health *h, const struct strmap *services)
{
	STRMAP_FOREACH (h->services, it)
		((struct checked_service *)it.value)->seen = false;
	STRMAP_FOREACH (services, it) {
		const struct sync_service *service = it.value;
		struct checked_service *s = strmap_get(h->services, it.key);
		if (!service->health_check_node_port || (s && s->port != service->health_check_node_port)) {
			continue;
		} else if (!s) {
			listen_for(h, service);
			continue;
		}
		pthread_mutex_lock(&h->lock);
		s->n_local = service->n_local_ready;
		s->seen = true;
		pthread_mutex_unlock(&h->lock);
	}
	STRMAP_FOREACH (h->services, it) {
		if (!((struct checked_service *)it.value)->seen)
			strmap_remove(h->services, it.key);
	}
}
