#include "apiserver/encryption/transformations.h"
#include <pthread.h>
#include <stdlib.h>
#include "base/map.h"
#include "base/mem.h"
#include "serve/metrics.h"

static const double seconds_bounds[] = {5e-06, 1e-05, 2e-05, 4e-05, 8e-05, 0.00016, 0.00032, 0.00064, 0.00128, 0.00256,
	0.00512, 0.01024, 0.02048, 0.04096, 0.08192, 0.16384, 0.32768, 0.65536, 1.31072, 2.62144, 5.24288, 10.48576,
	20.97152, 41.94304, 83.88608};
static const struct tally_bounds bounds = {seconds_bounds, ARRAY_SIZE(seconds_bounds)};

static const char *const kinds[] = {[FROM_STORAGE] = "from_storage", [TO_STORAGE] = "to_storage"};

struct transformations {
	pthread_mutex_t lock;	  /* guards the maps, by labels */
	struct strmap *totals;	  /* uint64_t */
	struct strmap *durations; /* struct tally_slot */
};

static void slot_free(void *slot)
{
	tally_done(slot);
	free(slot);
}

struct transformations *transformations_new(void)
{
	struct transformations *t = mem_zalloc(sizeof(*t));
	pthread_mutex_init(&t->lock, NULL);
	t->totals = strmap_new(free);
	t->durations = strmap_new(slot_free);
	return t;
}

void transformations_free(struct transformations *t)
{
	strmap_free(t->totals);
	strmap_free(t->durations);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

static void *take(struct strmap *map, const char *labels, size_t size)
{
	void *found = strmap_get(map, labels);
	if (!found) {
		found = mem_zalloc(size);
		strmap_put(map, labels, found);
	}
	return found;
}

void transformations_count(struct transformations *t, const struct schema_resource *resource, enum transformation kind,
	const char *prefix, double seconds)
{
	CLEANUP(strbuf_done) struct strbuf full = STRBUF_INIT, total = STRBUF_INIT, duration = STRBUF_INIT;
	strbuf_printf(&full, *resource->type->group ? "%s.%s" : "%s", resource->plural, resource->type->group);
	metrics_add_label(&total, "resource", full.buf);
	metrics_add_label(&total, "status", seconds < 0 ? "unknown-non-grpc" : "OK");
	metrics_add_label(&total, "transformation_type", kinds[kind]);
	metrics_add_label(&total, "transformer_prefix", prefix);
	metrics_add_label(&duration, "transformation_type", kinds[kind]);
	metrics_add_label(&duration, "transformer_prefix", prefix);
	pthread_mutex_lock(&t->lock);
	++*(uint64_t *)take(t->totals, total.buf, sizeof(uint64_t));
	if (seconds >= 0)
		tally_observe(take(t->durations, duration.buf, sizeof(struct tally_slot)), &bounds, seconds);
	pthread_mutex_unlock(&t->lock);
}

void transformations_write(struct transformations *t, struct strbuf *out)
{
	static const char durations[] = "apiserver_storage_transformation_duration_seconds",
			  totals[] = "apiserver_storage_transformation_operations_total";
	pthread_mutex_lock(&t->lock);
	metrics_write_head(out, durations, "histogram", "How long it took to encrypt or decrypt a value.");
	STRMAP_FOREACH (t->durations, it)
		metrics_write_tally(out, durations, it.key, it.value, &bounds);
	metrics_write_head(out, totals, "counter", "Values that were encrypted or decrypted, and how that ended.");
	STRMAP_FOREACH (t->totals, it)
		metrics_write_sample(out, totals, it.key, (double)*(uint64_t *)it.value);
	pthread_mutex_unlock(&t->lock);
}
