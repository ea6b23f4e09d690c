#include "apiserver/store/lease.h"
#include <pthread.h>
#include <stdlib.h>
#include "base/cleanup.h"
#include "base/mem.h"
#include "base/tally.h"
#include "serve/metrics.h"

enum { MAX_VALUES = 1000, REUSE_PART = 20 };

static const double value_counts[] = {10, 50, 100, 500, 1000, 2500, 5000};
static const struct tally_bounds bounds = {value_counts, ARRAY_SIZE(value_counts)};

struct lease {
	struct lease_options options;
	struct tally_slot own_counts, *counts;
	pthread_mutex_t lock; /* of what follows */
	int64_t id, ends_ms;
	int64_t n_values;
};

struct lease *lease_new(const struct lease_options *options)
{
	struct lease *lease = mem_zalloc(sizeof(*lease));
	lease->options = *options;
	lease->counts = &lease->own_counts;
	pthread_mutex_init(&lease->lock, NULL);
	return lease;
}

struct lease *lease_new_beside(struct lease *first)
{
	struct lease *lease = lease_new(&first->options);
	lease->counts = first->counts;
	return lease;
}

void lease_free(struct lease *lease)
{
	if (!lease)
		return;
	pthread_mutex_destroy(&lease->lock);
	tally_done(&lease->own_counts);
	free(lease);
}

static int64_t reuse_of(const struct lease *lease, int64_t ttl_s)
{
	const int64_t part_s = ttl_s / REUSE_PART, reuse_s = lease->options.reuse_s;
	return part_s < reuse_s ? part_s : reuse_s;
}

/* Whether the lease at hand ends late enough for a value, and no later than one of its own would. */
static bool fits(const struct lease *lease, int64_t now_ms, int64_t ttl_s)
{
	const int64_t earliest_ms = now_ms + ttl_s * 1000, latest_ms = earliest_ms + reuse_of(lease, ttl_s) * 1000;
	return lease->id && earliest_ms < lease->ends_ms && lease->ends_ms <= latest_ms &&
	       lease->n_values <= MAX_VALUES;
}

static struct status *grant(struct lease *lease, int64_t now_ms, int64_t ttl_s)
{
	ttl_s += reuse_of(lease, ttl_s);
	TRY(lease->options.grant(lease->options.data, ttl_s, &lease->id));
	lease->ends_ms = now_ms + ttl_s * 1000;
	tally_observe(lease->counts, &bounds, (double)lease->n_values);
	lease->n_values = 1;
	return NULL;
}

struct status *lease_take(struct lease *lease, int64_t ttl_s, int64_t *ret_id)
{
	pthread_mutex_lock(&lease->lock);
	const int64_t now_ms = clock_mono_ms(lease->options.clock);
	lease->n_values++;
	struct status *status = fits(lease, now_ms, ttl_s) ? NULL : grant(lease, now_ms, ttl_s);
	*ret_id = lease->id;
	pthread_mutex_unlock(&lease->lock);
	return status;
}

void lease_write_metrics(const struct lease *lease, struct strbuf *out)
{
	if (!tally_count(lease->counts, &bounds))
		return;
	metrics_write_head(out, "etcd_lease_object_counts", "histogram", "Values that shared a lease of etcd.");
	metrics_write_tally(out, "etcd_lease_object_counts", "", lease->counts, &bounds);
}
