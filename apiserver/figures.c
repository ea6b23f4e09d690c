#include "apiserver/figures.h"
#include <stdlib.h>
#include "api/types.h"
#include "base/map.h"
#include "base/mem.h"
#include "serve/metrics.h"

enum {
	SLOTS = 4096,
	PROBES = 64,
	MAX_CODES = 12,
	N_SECONDS = 23,
	N_SIZES = 7,
	N_EVENT_SIZES = 8,
	N_BODY_SIZES = 31,
	N_BEGIN_SECONDS = 17
};

static const double seconds_bounds[N_SECONDS] = {
	0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60};
static const double begin_bounds[N_BEGIN_SECONDS] = {
	0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 2, 4, 6, 8, 10, 15, 20, 30, 45, 60};
static const double size_bounds[N_SIZES] = {1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
static const double event_bounds[N_EVENT_SIZES] = {1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072};

struct code_count {
	atomic_int code; /* 0: free */
	atomic_uint_least64_t n;
};

struct figure {
	struct figure_key key;
	struct code_count codes[MAX_CODES];
	atomic_uint_least64_t seconds[N_SECONDS + 1], microseconds;
	atomic_uint_least64_t sizes[N_SIZES + 1], bytes;
	atomic_uint_least64_t event_sizes[N_EVENT_SIZES + 1], event_bytes;
	atomic_uint_least64_t body_sizes[N_BODY_SIZES + 1], body_bytes;
	atomic_uint_least64_t lists, consistent_lists, looked_at, told;
	atomic_uint_least64_t begin_seconds[N_BEGIN_SECONDS + 1], begin_microseconds;
	atomic_int running;
	atomic_bool lasts; /* has run for long once */
};

struct figures {
	_Atomic(struct figure *) slots[SLOTS];
};

struct figures *figures_new(void)
{
	return mem_zalloc(sizeof(struct figures));
}

void figures_free(struct figures *figures)
{
	for (size_t i = 0; figures && i < SLOTS; i++)
		free(atomic_load(&figures->slots[i]));
	free(figures);
}

static size_t hash_of(const struct figure_key *key)
{
	size_t h = (uintptr_t)key->schema / sizeof(void *);
	for (const char *p = key->subresource; *p; p++)
		h = h * 31 + (unsigned char)*p;
	h = h * 31 + (size_t)key->verb;
	h = h * 31 + (size_t)key->scope;
	return (h * 31 + key->dry_run) * 2654435761u;
}

static bool same(const struct figure_key *a, const struct figure_key *b)
{
	return a->schema == b->schema && a->verb == b->verb && a->scope == b->scope && a->dry_run == b->dry_run &&
	       str_eq(a->subresource, b->subresource);
}

struct figure *figures_find(struct figures *figures, const struct figure_key *key)
{
	size_t at = hash_of(key);
	struct figure *made = NULL;
	for (size_t i = 0; i < PROBES; i++) {
		_Atomic(struct figure *) *slot = &figures->slots[(at + i) % SLOTS];
		struct figure *there = atomic_load_explicit(slot, memory_order_acquire);
		if (!there && !made) {
			made = mem_zalloc(sizeof(*made));
			made->key = *key;
		}
		if (!there && atomic_compare_exchange_strong(slot, &there, made))
			return made;
		if (same(&there->key, key)) {
			free(made);
			return there;
		}
	}
	free(made);
	return NULL;
}

static void add(atomic_uint_least64_t *count, uint64_t n)
{
	atomic_fetch_add_explicit(count, n, memory_order_relaxed);
}

static size_t bucket_of(const double *bounds, size_t n, double value)
{
	size_t i = 0;
	while (i < n && value > bounds[i])
		i++;
	return i;
}

static void count_code(struct figure *figure, int code)
{
	for (size_t i = 0; i < MAX_CODES; i++) {
		int there = 0;
		struct code_count *c = &figure->codes[i];
		if (atomic_load_explicit(&c->code, memory_order_relaxed) != code &&
			!atomic_compare_exchange_strong(&c->code, &there, code) && there != code)
			continue;
		add(&c->n, 1);
		return;
	}
}

void figure_count(struct figure *figure, int code, double seconds, size_t reply_size)
{
	if (!figure)
		return;
	count_code(figure, code);
	if (figure->key.verb != FIGURE_WATCH && figure->key.verb != FIGURE_CONNECT) {
		add(&figure->seconds[bucket_of(seconds_bounds, N_SECONDS, seconds)], 1);
		add(&figure->microseconds, (uint64_t)(seconds * 1e6));
	}
	if (figure->key.verb <= FIGURE_WATCH) {
		add(&figure->sizes[bucket_of(size_bounds, N_SIZES, (double)reply_size)], 1);
		add(&figure->bytes, reply_size);
	}
}

/* 50,000 and every 100,000 bytes more. */
static size_t body_bucket(size_t size)
{
	size_t i = size <= 50000 ? 0 : (size - 50000 + 99999) / 100000;
	return i < N_BODY_SIZES ? i : N_BODY_SIZES;
}

void figure_body(struct figure *figure, size_t size)
{
	if (!figure)
		return;
	add(&figure->body_sizes[body_bucket(size)], 1);
	add(&figure->body_bytes, size);
}

void figure_listed(struct figure *figure, bool consistent, size_t looked_at, size_t told)
{
	if (!figure)
		return;
	add(&figure->lists, 1);
	add(&figure->consistent_lists, consistent);
	add(&figure->looked_at, looked_at);
	add(&figure->told, told);
}

void figure_runs(struct figure *figure, int change)
{
	if (!figure)
		return;
	atomic_fetch_add_explicit(&figure->running, change, memory_order_relaxed);
	atomic_store_explicit(&figure->lasts, true, memory_order_relaxed);
}

void figure_sent(struct figure *figure, size_t size)
{
	if (!figure)
		return;
	add(&figure->event_sizes[bucket_of(event_bounds, N_EVENT_SIZES, (double)size)], 1);
	add(&figure->event_bytes, size);
}

void figure_began(struct figure *figure, double seconds)
{
	if (!figure)
		return;
	add(&figure->begin_seconds[bucket_of(begin_bounds, N_BEGIN_SECONDS, seconds)], 1);
	add(&figure->begin_microseconds, (uint64_t)(seconds * 1e6));
}

/* --- as text --- */

static const char *const verbs[] = {"GET", "LIST", "WATCH", "POST", "PUT", "PATCH", "APPLY", "DELETE", "CONNECT"};
static const char *const scopes[] = {"cluster", "namespace", "resource", ""};

enum { WITH_DRY_RUN = 1, WITHOUT_SCOPE = 2 };

/* Labels stand in the order of their names. */
static void add_labels(struct strbuf *labels, const struct figure_key *k, unsigned which)
{
	const struct schema_type *type = k->schema ? k->schema->type : NULL;
	metrics_add_label(labels, "component", type ? "apiserver" : "");
	if (which & WITH_DRY_RUN)
		metrics_add_label(labels, "dry_run", k->dry_run ? "All" : "");
	metrics_add_label(labels, "group", type ? type->group : "");
	metrics_add_label(labels, "resource", type ? k->schema->plural : "");
	metrics_add_label(labels, "scope", scopes[k->scope]);
	metrics_add_label(labels, "subresource", k->subresource);
	metrics_add_label(labels, "verb", verbs[k->verb]);
	metrics_add_label(labels, "version", type ? type->version : "");
}

static uint64_t copy_counts(const atomic_uint_least64_t *from, size_t n, uint64_t *to)
{
	uint64_t total = 0;
	for (size_t i = 0; i < n; i++)
		total += to[i] = atomic_load_explicit(&from[i], memory_order_relaxed);
	return total;
}

static void write_requests(struct strbuf *out, const char *name, const struct figure *f)
{
	for (size_t i = 0; i < MAX_CODES; i++) {
		int code = atomic_load(&f->codes[i].code);
		CLEANUP(strbuf_done) struct strbuf labels = STRBUF_INIT;
		if (!code)
			break;
		strbuf_printf(&labels, "code=\"%d\"", code);
		add_labels(&labels, &f->key, WITH_DRY_RUN);
		metrics_write_sample(out, name, labels.buf, (double)atomic_load(&f->codes[i].n));
	}
}

static void write_seconds(struct strbuf *out, const char *name, const struct figure *f, unsigned labels_of)
{
	uint64_t counts[N_SECONDS + 1];
	CLEANUP(strbuf_done) struct strbuf labels = STRBUF_INIT;
	if (!copy_counts(f->seconds, N_SECONDS + 1, counts))
		return;
	add_labels(&labels, &f->key, labels_of);
	metrics_write_histogram(
		out, name, labels.buf, seconds_bounds, N_SECONDS, counts, (double)atomic_load(&f->microseconds) / 1e6);
}

static void write_latency(struct strbuf *out, const char *name, const struct figure *f)
{
	write_seconds(out, name, f, WITH_DRY_RUN);
}

/* Nothing that requests wait for is left out, as webhooks are with the original. */
static void write_indicator(struct strbuf *out, const char *name, const struct figure *f)
{
	if (!f->key.dry_run)
		write_seconds(out, name, f, 0);
}

static void write_sizes(struct strbuf *out, const char *name, const struct figure *f)
{
	uint64_t counts[N_SIZES + 1];
	CLEANUP(strbuf_done) struct strbuf labels = STRBUF_INIT;
	if (!copy_counts(f->sizes, N_SIZES + 1, counts))
		return;
	add_labels(&labels, &f->key, 0);
	metrics_write_histogram(out, name, labels.buf, size_bounds, N_SIZES, counts, (double)atomic_load(&f->bytes));
}

static void write_begin(struct strbuf *out, const char *name, const struct figure *f)
{
	uint64_t counts[N_BEGIN_SECONDS + 1];
	CLEANUP(strbuf_done) struct strbuf labels = STRBUF_INIT;
	if (!copy_counts(f->begin_seconds, N_BEGIN_SECONDS + 1, counts))
		return;
	metrics_add_label(&labels, "group", f->key.schema->type->group);
	metrics_add_label(&labels, "resource", f->key.schema->plural);
	metrics_add_label(&labels, "scope", scopes[f->key.scope]);
	metrics_add_label(&labels, "version", f->key.schema->type->version);
	metrics_write_histogram(out, name, labels.buf, begin_bounds, N_BEGIN_SECONDS, counts,
		(double)atomic_load(&f->begin_microseconds) / 1e6);
}

static void write_running(struct strbuf *out, const char *name, const struct figure *f)
{
	CLEANUP(strbuf_done) struct strbuf labels = STRBUF_INIT;
	if (!atomic_load(&f->lasts))
		return;
	add_labels(&labels, &f->key, 0);
	metrics_write_sample(out, name, labels.buf, atomic_load(&f->running));
}

/* One series a resource, whatever the scope of its watches. */
static bool sum_events(struct figures *figures, const struct schema_resource *r, uint64_t *counts, double *ret_bytes)
{
	static const enum figure_scope of[] = {FIGURE_CLUSTER, FIGURE_NAMESPACE, FIGURE_RESOURCE};
	uint64_t total = 0, some[N_EVENT_SIZES + 1];
	*ret_bytes = 0;
	for (size_t i = 0; i <= N_EVENT_SIZES; i++)
		counts[i] = 0;
	for (size_t s = 0; s < ARRAY_SIZE(of); s++) {
		const struct figure *f = figures_find(figures, &(struct figure_key){r, "", FIGURE_WATCH, of[s], false});
		if (!f)
			continue;
		total += copy_counts(f->event_sizes, N_EVENT_SIZES + 1, some);
		*ret_bytes += (double)atomic_load(&f->event_bytes);
		for (size_t i = 0; i <= N_EVENT_SIZES; i++)
			counts[i] += some[i];
	}
	return total;
}

static void write_events(struct figures *figures, struct strbuf *out)
{
	CLEANUP(strbuf_done) struct strbuf totals = STRBUF_INIT;
	metrics_write_head(out, "apiserver_watch_events_sizes", "histogram", "Sizes of events sent to watchers.");
	metrics_write_head(&totals, "apiserver_watch_events_total", "counter", "Events sent to watchers.");
	SCHEMA_FOREACH_RESOURCE(r)
	{
		uint64_t counts[N_EVENT_SIZES + 1], total = 0;
		double bytes;
		CLEANUP(strbuf_done) struct strbuf labels = STRBUF_INIT;
		if (!str_in("watch", r->verbs) || !sum_events(figures, r, counts, &bytes))
			continue;
		metrics_add_label(&labels, "group", r->type->group);
		metrics_add_label(&labels, "resource", r->plural);
		metrics_add_label(&labels, "version", r->type->version);
		metrics_write_histogram(
			out, "apiserver_watch_events_sizes", labels.buf, event_bounds, N_EVENT_SIZES, counts, bytes);
		for (size_t i = 0; i <= N_EVENT_SIZES; i++)
			total += counts[i];
		metrics_write_sample(&totals, "apiserver_watch_events_total", labels.buf, (double)total);
	}
	strbuf_add(out, totals.buf, totals.len);
}

/* What figures of one group, resource and verb have together, whatever their versions, subresources and scopes. */
struct sum {
	const struct schema_resource *resource;
	const char *verb;
	uint64_t bodies[N_BODY_SIZES + 1];
	double body_bytes, lists, consistent_lists, looked_at, told;
};

static struct sum *sum_of(struct strmap *sums, const struct figure *f)
{
	static const char *const operations[] = {[FIGURE_POST] = "create",
		[FIGURE_PUT] = "update",
		[FIGURE_PATCH] = "patch",
		[FIGURE_APPLY] = "patch",
		[FIGURE_DELETE] = "delete"};
	const struct schema_resource *r = f->key.schema;
	CLEANUP(strbuf_done) struct strbuf key = STRBUF_INIT;
	const bool of_many = f->key.verb == FIGURE_DELETE && f->key.scope != FIGURE_RESOURCE;
	const char *verb = of_many ? "delete_collection" : str_or(operations[f->key.verb], "list");
	strbuf_printf(&key, "%s/%s/%s", r->type->group, r->plural, verb);
	struct sum *sum = strmap_get(sums, key.buf);
	if (!sum) {
		sum = mem_zalloc(sizeof(*sum));
		*sum = (struct sum){.resource = r, .verb = verb};
		strmap_put(sums, key.buf, sum);
	}
	return sum;
}

static struct strmap *sums_of(struct figures *figures)
{
	struct strmap *sums = strmap_new(free);
	for (size_t i = 0; i < SLOTS; i++) {
		uint64_t counts[N_BODY_SIZES + 1];
		const struct figure *f = atomic_load(&figures->slots[i]);
		if (!f || !f->key.schema ||
			(!copy_counts(f->body_sizes, N_BODY_SIZES + 1, counts) && !atomic_load(&f->lists)))
			continue;
		struct sum *sum = sum_of(sums, f);
		for (size_t k = 0; k <= N_BODY_SIZES; k++)
			sum->bodies[k] += counts[k];
		sum->body_bytes += (double)atomic_load(&f->body_bytes);
		sum->lists += (double)atomic_load(&f->lists);
		sum->consistent_lists += (double)atomic_load(&f->consistent_lists);
		sum->looked_at += (double)atomic_load(&f->looked_at);
		sum->told += (double)atomic_load(&f->told);
	}
	return sums;
}

static void write_bodies(const struct strmap *sums, struct strbuf *out)
{
	static const char name[] = "apiserver_request_body_size_bytes";
	double bounds[N_BODY_SIZES];
	for (size_t i = 0; i < N_BODY_SIZES; i++)
		bounds[i] = 50000 + 100000 * (double)i;
	metrics_write_head(out, name, "histogram", "Sizes of the bodies of writes, in bytes.");
	STRMAP_FOREACH (sums, it) {
		const struct sum *sum = it.value;
		CLEANUP(strbuf_done) struct strbuf labels = STRBUF_INIT;
		metrics_add_label(&labels, "group", sum->resource->type->group);
		metrics_add_label(&labels, "resource", sum->resource->plural);
		metrics_add_label(&labels, "verb", sum->verb);
		if (!sum->lists)
			metrics_write_histogram(
				out, name, labels.buf, bounds, N_BODY_SIZES, sum->bodies, sum->body_bytes);
	}
}

/* One of the numbers that sums of lists have, with the labels that stand before and behind group. */
static void write_lists(const struct strmap *sums, struct strbuf *out, const char *name, const char *help,
	size_t offset, const char *first, const char *behind)
{
	metrics_write_head(out, name, "counter", help);
	STRMAP_FOREACH (sums, it) {
		const struct sum *sum = it.value;
		CLEANUP(strbuf_done) struct strbuf labels = STRBUF_INIT;
		double value = *(const double *)(const void *)((const char *)it.value + offset);
		if (!sum->lists)
			continue;
		strbuf_adds(&labels, first);
		metrics_add_label(&labels, "group", sum->resource->type->group);
		strbuf_adds(&labels, behind);
		metrics_add_label(&labels, "resource", sum->resource->plural);
		if (*first)
			metrics_add_label(&labels, "success", "true");
		metrics_write_sample(out, name, labels.buf, value);
	}
}

/* Kinds that are said to be deprecated, once anybody has asked for them. */
static void write_deprecated(struct figures *figures, struct strbuf *out)
{
	static const char name[] = "apiserver_requested_deprecated_apis";
	const struct schema_type *const types[] = {&CoreV1Endpoints_schema, &CoreV1ComponentStatus_schema};
	metrics_write_head(out, name, "gauge", "Deprecated kinds that were asked for.");
	for (size_t t = 0; t < ARRAY_SIZE(types); t++) {
		bool asked = false;
		for (size_t i = 0; i < SLOTS && !asked; i++) {
			const struct figure *f = atomic_load(&figures->slots[i]);
			asked = f && f->key.schema && f->key.schema->type == types[t];
		}
		if (!asked)
			continue;
		CLEANUP(strbuf_done) struct strbuf labels = STRBUF_INIT;
		metrics_add_label(&labels, "group", types[t]->group);
		metrics_add_label(&labels, "removed_release", "");
		metrics_add_label(&labels, "resource", types[t]->resource->plural);
		metrics_add_label(&labels, "subresource", "");
		metrics_add_label(&labels, "version", types[t]->version);
		metrics_write_sample(out, name, labels.buf, 1);
	}
}

static void write_sums(struct figures *figures, struct strbuf *out)
{
	static const char index[] = ",index=\"\"", no_fallback[] = "fallback=\"false\"";
	CLEANUP(strmap_freep) struct strmap *sums = sums_of(figures);
	write_bodies(sums, out);
	write_lists(sums, out, "apiserver_cache_list_total", "Lists out of memory.", offsetof(struct sum, lists), "",
		index);
	write_lists(sums, out, "apiserver_cache_list_fetched_objects_total", "Objects in memory that lists looked at.",
		offsetof(struct sum, looked_at), "", index);
	write_lists(sums, out, "apiserver_cache_list_returned_objects_total", "Objects in memory that lists told.",
		offsetof(struct sum, told), "", "");
	write_lists(sums, out, "apiserver_watch_cache_consistent_read_total",
		"Lists out of memory that are as new as etcd.", offsetof(struct sum, consistent_lists), no_fallback,
		"");
}

/* A metric, of which each figure writes its lines. */
struct family {
	const char *name, *type, *help;
	void (*write)(struct strbuf *out, const char *name, const struct figure *f);
};

static void write_families(struct figures *figures, const struct family *families, size_t n, struct strbuf *out)
{
	for (size_t m = 0; m < n; m++) {
		metrics_write_head(out, families[m].name, families[m].type, families[m].help);
		for (size_t i = 0; i < SLOTS; i++) {
			const struct figure *f = atomic_load(&figures->slots[i]);
			if (f)
				families[m].write(out, families[m].name, f);
		}
	}
}

void figures_write(struct figures *figures, struct strbuf *out)
{
	static const struct family families[] = {
		{"apiserver_longrunning_requests", "gauge", "Watches and connections that are open.", write_running},
		{"apiserver_watch_list_duration_seconds", "histogram",
			"How long watches took to tell all that there was.", write_begin},
		{"apiserver_request_duration_seconds", "histogram", "How long requests took.", write_latency},
		{"apiserver_request_sli_duration_seconds", "histogram",
			"How long requests took, without what they waited for outside the server.", write_indicator},
		{"apiserver_request_total", "counter", "Requests by verb, group, version, resource, scope and code.",
			write_requests},
		{"apiserver_response_sizes", "histogram", "Sizes of the answers to reads, in bytes.", write_sizes},
	};
	write_families(figures, families, ARRAY_SIZE(families), out);
	write_events(figures, out);
	write_sums(figures, out);
	write_deprecated(figures, out);
}

/* --- calls to etcd --- */

static void add_etcd_labels(struct strbuf *labels, const struct figure_key *k)
{
	static const char *const operations[] = {[FIGURE_GET] = "get",
		[FIGURE_LIST] = "list",
		[FIGURE_POST] = "create",
		[FIGURE_PUT] = "update",
		[FIGURE_DELETE] = "delete"};
	metrics_add_label(labels, "group", k->schema->type->group);
	metrics_add_label(labels, "operation", operations[k->verb]);
	metrics_add_label(labels, "resource", k->schema->plural);
}

static void write_etcd_calls(struct strbuf *out, const char *name, const struct figure *f)
{
	CLEANUP(strbuf_done) struct strbuf labels = STRBUF_INIT;
	uint64_t n = 0;
	for (size_t i = 0; i < MAX_CODES; i++)
		n += atomic_load(&f->codes[i].n);
	add_etcd_labels(&labels, &f->key);
	metrics_write_sample(out, name, labels.buf, (double)n);
}

static void write_etcd_failures(struct strbuf *out, const char *name, const struct figure *f)
{
	CLEANUP(strbuf_done) struct strbuf labels = STRBUF_INIT;
	uint64_t n = 0;
	for (size_t i = 0; i < MAX_CODES; i++)
		if (atomic_load(&f->codes[i].code) != 200)
			n += atomic_load(&f->codes[i].n);
	add_etcd_labels(&labels, &f->key);
	if (n)
		metrics_write_sample(out, name, labels.buf, (double)n);
}

static void write_etcd_seconds(struct strbuf *out, const char *name, const struct figure *f)
{
	uint64_t counts[N_SECONDS + 1];
	CLEANUP(strbuf_done) struct strbuf labels = STRBUF_INIT;
	add_etcd_labels(&labels, &f->key);
	if (copy_counts(f->seconds, N_SECONDS + 1, counts))
		metrics_write_histogram(out, name, labels.buf, seconds_bounds, N_SECONDS, counts,
			(double)atomic_load(&f->microseconds) / 1e6);
}

void figures_write_etcd(struct figures *figures, struct strbuf *out)
{
	static const struct family families[] = {
		{"etcd_request_duration_seconds", "histogram", "How long calls to etcd took.", write_etcd_seconds},
		{"etcd_request_errors_total", "counter", "Calls to etcd that failed.", write_etcd_failures},
		{"etcd_requests_total", "counter", "Calls to etcd.", write_etcd_calls},
	};
	write_families(figures, families, ARRAY_SIZE(families), out);
}
