/* Several clients with a connection each, doing one thing as fast as they are answered. */
#include <stdatomic.h>
#include "base/mem.h"
#include "base/workers.h"
#include "test/bench/load/load.h"

struct run {
	struct crowd *crowd;
	atomic_llong next;
	atomic_bool stop;
	double deadline;
	pthread_mutex_t lock; /* guards failed and crowd->ms */
	struct status *failed;
};

struct member {
	struct run *run;
	struct crowd_client client;
};

static void fail(struct run *r, struct status *failed)
{
	atomic_store(&r->stop, true);
	pthread_mutex_lock(&r->lock);
	if (r->failed)
		status_drop(failed, "the first one is told");
	else
		r->failed = failed;
	pthread_mutex_unlock(&r->lock);
}

static void *work(void *data)
{
	struct member *m = data;
	struct run *r = m->run;
	struct samples ms = {0};
	while (!atomic_load(&r->stop) && now_s() < r->deadline) {
		int64_t i = atomic_fetch_add(&r->next, 1);
		if (r->crowd->max && i >= r->crowd->max)
			break;
		double begin = now_s();
		struct status *failed = r->crowd->op(&m->client, i);
		if (failed) {
			fail(r, failed);
			break;
		}
		samples_add(&ms, (now_s() - begin) * 1000);
	}
	pthread_mutex_lock(&r->lock);
	samples_join(&r->crowd->ms, &ms);
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

static struct status *member_init(struct member *m, struct run *r, int64_t index)
{
	struct load *l = r->crowd->load;
	*m = (struct member){
		.run = r, .client = {.load = l, .arena = arena_new(), .index = index, .data = r->crowd->data}};
	strbuf_init(&m->client.scratch);
	return r->crowd->no_wire ? NULL : wire_dial(&l->target, &m->client.wire);
}

static void member_done(struct member *m)
{
	if (m->client.wire)
		wire_free(m->client.wire);
	if (m->client.arena)
		arena_free(m->client.arena);
	strbuf_done(&m->client.scratch);
}

struct status *crowd_run(struct crowd *crowd)
{
	int64_t n = crowd->load->clients, ready = 0;
	struct run r = {.crowd = crowd, .lock = PTHREAD_MUTEX_INITIALIZER};
	CLEANUP_FREE struct member *members = mem_calloc((size_t)n, sizeof *members);
	CLEANUP_FREE pthread_t *threads = mem_calloc((size_t)n, sizeof *threads);
	for (; ready < n && !r.failed; ready++)
		r.failed = member_init(&members[ready], &r, ready);
	double begin = now_s();
	r.deadline = begin + crowd->load->seconds;
	for (int64_t i = 0; !r.failed && i < n; i++)
		threads[i] = thread_start("client", work, &members[i]);
	for (int64_t i = 0; i < n && threads[i]; i++)
		pthread_join(threads[i], NULL);
	crowd->seconds = now_s() - begin;
	crowd->done = (int64_t)crowd->ms.n;
	for (int64_t i = 0; i < ready; i++)
		member_done(&members[i]);
	return r.failed;
}

void crowd_figure(struct crowd *crowd, const char *name, struct gauge *gauge)
{
	const struct load *l = crowd->load;
	figure_print(&(struct figure){.name = str_or(l->figure, name),
		.unit = "1/s",
		.value = (double)crowd->done / crowd->seconds,
		.p99 = samples_quantile(&crowd->ms, 0.99),
		.cpu = gauge_cpu_s(gauge) * 1000 / (double)(crowd->done ? crowd->done : 1),
		.peak = gauge_peak_mib(gauge)});
}
