/* What the server tells of itself: requests (apiserver/figures.h), who asks, what is stored. */
#include <stdlib.h>
#include "api/meta.h"
#include "api/types.h"
#include "apiserver/app.h"
#include "apiserver/registry/private.h"
#include "apiserver/store/cache.h"
#include "base/log.h"
#include "base/mem.h"

/* Lists and watches of one name are among those of many, but for what is told of them while they run. */
static enum figure_scope scope_of(const struct request *r, bool runs)
{
	const bool of_many = !runs && str_in(r->verb, (const char *const[]){"list", "watch", NULL});
	if ((*r->name && !of_many) || str_eq(r->verb, "create"))
		return FIGURE_RESOURCE;
	return *r->namespace ? FIGURE_NAMESPACE : FIGURE_CLUSTER;
}

static bool connects(const struct request *r)
{
	static const char *const connections[] = {"log", "exec", "attach", "portforward", "proxy", NULL};
	return *r->subresource && str_in(r->subresource, connections);
}

/* By method, as the original counts them; what is done through a connection is a CONNECT. */
static enum figure_verb verb_of(const struct request *r)
{
	static const struct {
		const char *verb;
		enum figure_verb is;
	} verbs[] = {{"get", FIGURE_GET}, {"list", FIGURE_LIST}, {"watch", FIGURE_WATCH}, {"create", FIGURE_POST},
		{"update", FIGURE_PUT}, {"patch", FIGURE_PATCH}, {"delete", FIGURE_DELETE},
		{"deletecollection", FIGURE_DELETE}};
	if (connects(r))
		return FIGURE_CONNECT;
	if (r->applies)
		return FIGURE_APPLY;
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (str_eq(r->verb, verbs[i].verb))
			return verbs[i].is;
	return FIGURE_CONNECT;
}

/* What the few paths that are counted are called; NULL: it is none of them. */
static const char *counted_path(const char *path)
{
	static const char *const paths[] = {"/healthz", "/livez", "/readyz"};
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (str_eq(path, paths[i]))
			return paths[i];
	return str_eq(path, "/openapi/v3") ? "openapi/v3" : NULL;
}

static struct figure *figure_of(struct app *app, const struct request *r, bool runs)
{
	if (!r->schema) {
		const char *path = r->is_resource ? NULL : counted_path(r->path);
		return path ? figures_find(app->figures,
				      &(struct figure_key){NULL, path, FIGURE_GET, FIGURE_NO_SCOPE, false})
			    : NULL;
	}
	const struct schema_subresource *sub = schema_find_subresource(r->schema, r->subresource);
	const struct figure_key key = {r->schema, sub ? sub->name : "", verb_of(r), scope_of(r, runs), r->dry_run};
	return figures_find(app->figures, &key);
}

void app_request_admitted(struct app *app, struct request *r)
{
	r->counted = true;
	if (!r->schema)
		return;
	if (verb_of(r) != FIGURE_WATCH && !connects(r))
		return;
	r->figure = figure_of(app, r, true);
	figure_runs(r->figure, 1);
}

static bool reads(const struct request *r)
{
	return str_in(r->verb, (const char *const[]){"get", "list", "watch", NULL});
}

void app_request_begins(struct app *app, const struct request *r)
{
	atomic_fetch_add_explicit(reads(r) ? &app->n_reads : &app->n_writes, 1, memory_order_relaxed);
}

void app_request_ends(struct app *app, const struct request *r)
{
	atomic_fetch_sub_explicit(reads(r) ? &app->n_reads : &app->n_writes, 1, memory_order_relaxed);
}

static const char *const validations[FIELD_VALIDATIONS] = {"", "Ignore", "Strict", "Warn", "invalid"};
static const double validation_seconds[] = {
	0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60};
static const struct tally_bounds validation_bounds = {validation_seconds, ARRAY_SIZE(validation_seconds)};

static void count_validation(struct app *app, const struct request *r, double seconds)
{
	size_t i = 0;
	if (!r->schema || !str_in(r->verb, (const char *const[]){"create", "update", "patch", NULL}))
		return;
	while (i + 1 < FIELD_VALIDATIONS && !str_eq(validations[i], r->field_validation))
		i++;
	tally_observe(&app->validations[i], &validation_bounds, seconds);
}

/* What a request that may be made was like. */
static void count_request(struct app *app, const struct exchange *exchange, const struct request *r, double seconds)
{
	struct figure *figure = figure_of(app, r, false);
	figure_count(figure, exchange_code(exchange), seconds, exchange_reply_size(exchange));
	if (!reads(r) && !connects(r))
		figure_body(figure, exchange->body_size);
	if (r->listed.done)
		figure_listed(figure, r->listed.consistent, r->listed.looked_at, r->listed.told);
	count_validation(app, r, seconds);
}

void app_done(struct exchange *exchange, void *data)
{
	struct app *app = data;
	struct request *r = exchange->user;
	if (!r)
		return;
	status_free(STEAL(r->fresh));
	int64_t ms = clock_mono_ms(app->clock) - exchange->started_ms;
	figure_runs(r->figure, -1);
	if (r->counted)
		count_request(app, exchange, r, (double)ms / 1000.0);
	if (r->is_resource)
		log_v(3, "%s %s %d %lldms %s", exchange->method, exchange->path, exchange_code(exchange), (long long)ms,
			r->user ? r->user->name : "-");
}

/* --- at a scrape --- */

static void sample(struct strbuf *out, const char *name, const char *label, const char *value, double number)
{
	CLEANUP(strbuf_done) struct strbuf labels = STRBUF_INIT;
	metrics_add_label(&labels, label, value);
	metrics_write_sample(out, name, labels.buf, number);
}

static void write_access(struct app *app, struct strbuf *out)
{
	metrics_write_head(out, "apiserver_current_inflight_requests", "gauge", "Requests being worked on, by kind.");
	sample(out, "apiserver_current_inflight_requests", "request_kind", "mutating", atomic_load(&app->n_writes));
	sample(out, "apiserver_current_inflight_requests", "request_kind", "readOnly", atomic_load(&app->n_reads));
	access_write(&app->access, out);
	authz_write_metrics(app->authz, out);
	authn_write_metrics(app->authn, out);
}

static void write_validations(struct app *app, struct strbuf *out)
{
	static const char name[] = "field_validation_request_duration_seconds";
	metrics_write_head(out, name, "histogram", "How long writes took, by how strictly their fields are read.");
	for (size_t i = 0; i < FIELD_VALIDATIONS; i++) {
		CLEANUP(strbuf_done) struct strbuf labels = STRBUF_INIT;
		metrics_add_label(&labels, "field_validation", validations[i]);
		metrics_write_tally(out, name, labels.buf, &app->validations[i], &validation_bounds);
	}
}

/* One line for every resource that is stored. */
static void write_stored(struct app *app, struct strbuf *out, const char *name, const char *help, bool by_group,
	double (*value)(struct cache *cache, struct table *table))
{
	struct cache *cache = registry_cache(app->registry);
	metrics_write_head(out, name, str_ends_with(name, "_total") ? "counter" : "gauge", help);
	SCHEMA_FOREACH_RESOURCE(r)
	{
		struct table *table = cache_table(cache, r->type->group, r->plural);
		CLEANUP(strbuf_done) struct strbuf labels = STRBUF_INIT, full = STRBUF_INIT;
		if (!table || table_resource(table) != r)
			continue;
		if (by_group)
			metrics_add_label(&labels, "group", r->type->group);
		strbuf_adds(&full, r->plural);
		if (!by_group && *r->type->group)
			strbuf_printf(&full, ".%s", r->type->group);
		metrics_add_label(&labels, "resource", full.buf);
		metrics_write_sample(out, name, labels.buf, value(cache, table));
	}
}

static void write_initial(struct app *app, struct strbuf *out)
{
	static const char name[] = "apiserver_init_events_total";
	struct cache *cache = registry_cache(app->registry);
	metrics_write_head(out, name, "counter", "Objects that watches were told of at their beginning.");
	SCHEMA_FOREACH_RESOURCE(r)
	{
		const struct table *table = cache_table(cache, r->type->group, r->plural);
		CLEANUP(strbuf_done) struct strbuf labels = STRBUF_INIT;
		if (!table || table_resource(table) != r || !table_initial(table))
			continue;
		metrics_add_label(&labels, "group", r->type->group);
		metrics_add_label(&labels, "resource", r->plural);
		metrics_write_sample(out, name, labels.buf, (double)table_initial(table));
	}
}

static void write_pod_logs(struct app *app, struct strbuf *out)
{
	static const char failures[] = "kube_apiserver_pod_logs_backend_tls_failure_total",
			  totals[] = "kube_apiserver_pod_logs_insecure_backend_total";
	metrics_write_head(out, failures, "counter", "Logs that were not fetched, as the kubelet is not who it says.");
	metrics_write_sample(out, failures, "", (double)atomic_load(&app->logs.unverifiable));
	metrics_write_head(out, totals, "counter", "Logs asked for, by whether the kubelet is verified.");
	if (atomic_load(&app->logs.verified))
		sample(out, totals, "usage", "enforce_tls", (double)atomic_load(&app->logs.verified));
	if (atomic_load(&app->logs.unverified))
		sample(out, totals, "usage", "skip_tls_allowed", (double)atomic_load(&app->logs.unverified));
}

/* What cannot have happened, as there is nothing yet that could do it. */
static void write_nothing(struct strbuf *out)
{
	static const struct {
		const char *name, *help;
	} none[] = {
		{"apiserver_kube_aggregator_x509_insecure_sha1_total", "Extension servers with a SHA-1 certificate."},
		{"apiserver_kube_aggregator_x509_missing_san_total", "Extension servers without names in it."},
		{"apiserver_storage_data_key_generation_failures_total", "Keys for values that could not be made."},
		{"apiserver_storage_envelope_transformation_cache_misses_total", "Keys that a plugin had to decrypt."},
		{"apiserver_webhooks_x509_insecure_sha1_total", "Webhooks with a SHA-1 certificate."},
		{"apiserver_webhooks_x509_missing_san_total", "Webhooks without names in it."},
	};
	for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
		metrics_write_head(out, none[i].name, "counter", none[i].help);
		metrics_write_sample(out, none[i].name, "", 0);
	}
}

static void write_waits(struct app *app, struct strbuf *out)
{
	static const char name[] = "apiserver_watch_cache_read_wait_seconds";
	struct cache *cache = registry_cache(app->registry);
	metrics_write_head(out, name, "histogram", "How long reads waited for memory to be new enough.");
	SCHEMA_FOREACH_RESOURCE(r)
	{
		struct table *table = cache_table(cache, r->type->group, r->plural);
		CLEANUP(strbuf_done) struct strbuf labels = STRBUF_INIT;
		if (!table || table_resource(table) != r)
			continue;
		metrics_add_label(&labels, "group", r->type->group);
		metrics_add_label(&labels, "resource", r->plural);
		table_write_waits(table, out, name, labels.buf);
	}
}

static double count_of(struct cache *cache, struct table *table)
{
	return (double)table_count(table);
}

static double bytes_of(struct cache *cache, struct table *table)
{
	return (double)table_bytes(table);
}

static double revision_of(struct cache *cache, struct table *table)
{
	return (double)cache_revision(cache);
}

static double received_of(struct cache *cache, struct table *table)
{
	return (double)table_received(table);
}

static double ring_of(struct cache *cache, struct table *table)
{
	return (double)table_ring_size(table);
}

static double filled(struct cache *cache, struct table *table)
{
	return cache_synced(cache);
}

/* What is served here answers as long as this does; other servers as their object says. */
static bool is_available(const ApiregistrationV1APIService *service)
{
	const ApiregistrationV1APIServiceStatus *status = service->status;
	if (!service->spec || !service->spec->service)
		return true;
	for (size_t i = 0; status && i < status->n_conditions; i++)
		if (str_eq(status->conditions[i]->type, "Available"))
			return str_eq(status->conditions[i]->status, "True");
	return false;
}

static void write_api_services(struct app *app, struct strbuf *out)
{
	static const char name[] = "aggregator_unavailable_apiservice";
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct object_list list = {0};
	struct objects *objects = registry_objects(app->registry);
	status_drop(objects_list(objects, arena, &ApiregistrationV1APIService_schema, NULL, &list),
		"then none are told of");
	metrics_write_head(out, name, "gauge", "API services that cannot be reached.");
	for (size_t i = 0; i < list.n_items; i++)
		sample(out, name, "name", object_name(list.items[i]),
			!is_available((const ApiregistrationV1APIService *)list.items[i]));
}

/* Addresses of the configured ranges, without the network's own and, of IPv4, the last. */
static void write_addresses(struct app *app, struct strbuf *out)
{
	static const char allocated[] = "kube_apiserver_clusterip_allocator_allocated_ips",
			  available[] = "kube_apiserver_clusterip_allocator_available_ips";
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(strbuf_done) struct strbuf left = STRBUF_INIT;
	const struct service_ips *ips = app->strategies.service_ips;
	struct object_list list = {0};
	struct objects *objects = registry_objects(app->registry);
	status_drop(objects_list(objects, arena, &NetworkingV1IPAddress_schema, NULL, &list), "then none is taken");
	metrics_write_head(out, allocated, "gauge", "Addresses of Services that are taken.");
	metrics_write_head(&left, available, "gauge", "Addresses of Services that are free.");
	for (size_t i = 0; i < service_ips_n_ranges(ips); i++) {
		const struct ip_range *range = service_ips_range(ips, i);
		double taken = 0;
		bool is_ipv6;
		ip_number ip;
		for (size_t k = 0; k < list.n_items; k++)
			taken += ip_number_read(object_name(list.items[k]), &is_ipv6, &ip) &&
				 ip_range_covers(range, is_ipv6, ip);
		sample(out, allocated, "cidr", ip_range_text(arena, range), taken);
		sample(&left, available, "cidr", ip_range_text(arena, range), (double)range->n_addresses - taken);
	}
	strbuf_add(out, left.buf, left.len);
	service_ips_write_metrics(ips, out);
	node_ports_write_metrics(app->strategies.node_ports, out);
}

/* There is no audit yet: nothing was recorded, and nothing refused for it. */
static void write_audit(struct strbuf *out)
{
	metrics_write_head(out, "apiserver_audit_event_total", "counter", "Audit events sent.");
	metrics_write_sample(out, "apiserver_audit_event_total", "", 0);
	metrics_write_head(out, "apiserver_audit_requests_rejected_total", "counter",
		"Requests refused because their audit failed.");
	metrics_write_sample(out, "apiserver_audit_requests_rejected_total", "", 0);
}

static void write_handshakes(struct app *app, struct strbuf *out)
{
	static const char name[] = "apiserver_tls_handshake_errors_total";
	metrics_write_head(out, name, "counter", "Connections that ended in their TLS handshake.");
	metrics_write_sample(out, name, "", (double)server_failed_handshakes(app->server));
}

static void write_size(struct app *app, struct strbuf *out)
{
	int64_t bytes;
	struct status *failed = etcd_size(app->etcd, &bytes);
	if (failed) {
		status_drop(failed, "readyz tells it");
		return;
	}
	metrics_write_head(out, "apiserver_storage_size_bytes", "gauge", "Bytes of etcd's database.");
	sample(out, "apiserver_storage_size_bytes", "storage_cluster_id", "etcd-0", (double)bytes);
}

static void write_all(void *data, struct strbuf *out)
{
	struct app *app = data;
	figures_write(app->figures, out);
	write_validations(app, out);
	write_access(app, out);
	admission_write_metrics(app->admission, out);
	registry_write_metrics(app->registry, out);
	etcd_write_metrics(app->etcd, out);
	encryption_write_metrics(app->encryption, out);
	write_stored(app, out, "apiserver_resource_objects", "Objects stored, by resource.", true, count_of);
	write_stored(app, out, "apiserver_resource_size_estimate_bytes", "Bytes of the objects stored, by resource.",
		true, bytes_of);
	write_waits(app, out);
	write_initial(app, out);
	write_pod_logs(app, out);
	write_nothing(out);
	write_stored(app, out, "apiserver_storage_objects", "Objects stored, by resource.", false, count_of);
	write_stored(app, out, "apiserver_watch_cache_resource_version", "The revision that memory has reached.", true,
		revision_of);
	write_stored(
		app, out, "apiserver_watch_cache_initializations_total", "Times that memory was filled.", true, filled);
	write_stored(app, out, "apiserver_watch_cache_events_received_total", "Changes that memory was told of.", true,
		received_of);
	write_stored(
		app, out, "apiserver_storage_events_received_total", "Changes that etcd told of.", true, received_of);
	write_stored(app, out, "apiserver_watch_cache_events_dispatched_total", "Changes that watches could hear of.",
		true, received_of);
	write_stored(app, out, "watch_cache_capacity", "Changes that are kept for watches.", true, ring_of);
	write_api_services(app, out);
	write_addresses(app, out);
	write_audit(out);
	write_handshakes(app, out);
	write_size(app, out);
}

void app_metrics_init(struct app *app)
{
	app->metrics = metrics_new();
	app->figures = figures_new();
	metrics_writer(app->metrics, write_all, app);
}
