/* Waiting for others to do their work on N pods: the scheduler to place them, the controllers to make or delete them.
 */
#include "api/meta.h"
#include "base/cleanup.h"
#include "client/client.h"
#include "client/kubeconfig.h"
#include "test/bench/load/load.h"

struct waiting {
	enum { PLACED, MADE, DELETED } what;
	int64_t seen, wanted;
	double first_s, last_s;
};

static bool counts(const struct waiting *w, const struct watch_event *event)
{
	const CoreV1Pod *pod = event->msg;
	switch (w->what) {
	case PLACED:
		/* The binding alone: whatever else changes the pod later also has conditions from elsewhere. */
		return event->type == WATCH_MODIFIED && pod && pod->spec && !str_empty(pod->spec->node_name);
	case MADE:
		return event->type == WATCH_ADDED;
	case DELETED:
		return event->type == WATCH_DELETED;
	}
	return false;
}

static bool on_event(void *data, const struct watch_event *event)
{
	struct waiting *w = data;
	if (!counts(w, event))
		return true;
	w->last_s = now_s();
	if (!w->seen++)
		w->first_s = w->last_s;
	return w->seen < w->wanted;
}

static struct status *connect_to(struct load *l, struct client **ret)
{
	struct client_config config;
	TRY(kubeconfig_load_file(l->arena, l->kubeconfig, NULL, &config));
	config.user_agent = "bench-load";
	config.qps = -1;
	return client_new(&config, clock_system(), ret);
}

/* Says "watching" when it is, then waits at most l->seconds; the figure is N over the time from the first to the last,
 * and p99 the time from the beginning to the last, in ms. */
struct status *load_wait(struct load *l)
{
	struct waiting w = {.wanted = l->n,
		.what = str_eq(l->what, "placed")    ? PLACED
			: str_eq(l->what, "deleted") ? DELETED
						     : MADE};
	CLEANUP(client_freep) struct client *client = NULL;
	TRY(connect_to(l, &client));
	const struct client_list_options one = {.limit = 1, .one_page = true};
	struct client_list list;
	TRY(client_list(client, l->arena, &CoreV1Pod_schema, l->namespace, &one, &list));
	puts("# watching");
	fflush(stdout);
	struct gauge gauge = gauge_start(l->server_pid);
	double begin = now_s();
	const struct watch_options options = {
		.resource_version = list.resource_version, .timeout_seconds = (int)l->seconds};
	TRY(client_watch(client, client_resource_of(client, &CoreV1Pod_schema), &CoreV1Pod_schema, l->namespace,
		&options, on_event, &w));
	if (w.seen < w.wanted)
		return status_new(STATUS_TIMEOUT, "%lld of %lld pods were %s within %.0f s", (long long)w.seen,
			(long long)w.wanted, l->what, l->seconds);
	double seconds = w.last_s - w.first_s;
	figure_print(&(struct figure){str_or(l->figure, l->what), "1/s",
		(double)w.seen / (seconds > 0.001 ? seconds : 0.001), (w.last_s - begin) * 1000,
		gauge_cpu_s(&gauge) * 1000 / (double)w.seen, gauge_peak_mib(&gauge)});
	return NULL;
}
