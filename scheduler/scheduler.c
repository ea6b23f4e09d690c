#include "scheduler/scheduler.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "scheduler/internal.h"

enum { N_WORKERS = 8, MAX_QUEUED = 100000, DEFAULT_QPS = 50, DEFAULT_BURST = 100 };

struct program {
	struct daemon_options options;
	char *config_path, *write_config_to;
	int64_t max_unschedulable_ms;
	int64_t seed;
	KubeschedulerV1KubeSchedulerConfiguration *config;
	struct scheduler scheduler;
};

static int64_t milliseconds(const MetaV1Duration *d, int64_t fallback_ms)
{
	return d && d->duration ? d->duration / 1000000 : fallback_ms;
}

static void use_leader_election(struct daemon_options *o, const ComponentconfigV1alpha1LeaderElectionConfiguration *c)
{
	if (!c)
		return;
	if (c->has_leader_elect)
		o->leader_elect = c->leader_elect;
	o->lease_duration_ms = milliseconds(c->lease_duration, o->lease_duration_ms);
	o->renew_deadline_ms = milliseconds(c->renew_deadline, o->renew_deadline_ms);
	o->retry_period_ms = milliseconds(c->retry_period, o->retry_period_ms);
	if (!str_empty(c->resource_name))
		o->leader_name = c->resource_name;
	if (!str_empty(c->resource_namespace))
		o->leader_namespace = c->resource_namespace;
}

static void use_client_connection(
	struct daemon_options *o, const ComponentconfigV1alpha1ClientConnectionConfiguration *c)
{
	if (!c)
		return;
	if (!str_empty(c->kubeconfig))
		o->kubeconfig = c->kubeconfig;
	if (c->qps != 0)
		o->qps = c->qps;
	if (c->burst)
		o->burst = c->burst;
}

static struct status *configure(struct daemon *d, void *data)
{
	struct program *p = data;
	struct scheduler *s = &p->scheduler;
	s->config_arena = arena_new();
	if (!str_empty(p->config_path)) {
		TRY(scheduler_config_load(s->config_arena, p->config_path, &p->config));
		use_leader_election(&p->options, p->config->leader_election);
		use_client_connection(&p->options, p->config->client_connection);
	}
	/*
	 * The original's own limit of 50 requests a second would hold a burst of pods back for minutes, and the server
	 * protects itself; a limit that somebody chose is kept.
	 */
	if (p->options.qps == DEFAULT_QPS && p->options.burst == DEFAULT_BURST) {
		p->options.qps = 20 * DEFAULT_QPS;
		p->options.burst = 20 * DEFAULT_BURST;
	}
	s->random_state = (uint64_t)p->seed;
	s->resource_names = resource_names_new();
	s->nodes = nodes_new(s->resource_names);
	s->handle.clock = clock_system();
	if (p->config && p->config->has_percentage_of_nodes_to_score)
		s->handle.percentage_of_nodes_to_score = p->config->percentage_of_nodes_to_score;
	scheduler_handle_init(s);
	return profiles_make(s->config_arena, p->config, &s->handle, &s->profiles);
}

static void *run_loop(void *data)
{
	loop_run(data);
	return NULL;
}

static struct status *start(struct daemon *d, void *data)
{
	struct program *p = data;
	struct scheduler *s = &p->scheduler;
	struct queue_config queue = {.initial_backoff_ms = 1000,
		.max_backoff_ms = 10000,
		.max_unschedulable_ms = p->max_unschedulable_ms,
		.clock = s->handle.clock};
	if (p->config && p->config->has_pod_initial_backoff_seconds)
		queue.initial_backoff_ms = p->config->pod_initial_backoff_seconds * 1000;
	if (p->config && p->config->has_pod_max_backoff_seconds)
		queue.max_backoff_ms = p->config->pod_max_backoff_seconds * 1000;
	s->daemon = d;
	s->client = daemon_client(d);
	s->recorders = ARENA_ARRAY(s->config_arena, struct event_recorder *, s->profiles.n_items);
	for (size_t i = 0; i < s->profiles.n_items; i++)
		s->recorders[i] = event_recorder_new(s->client, s->profiles.items[i]->scheduler_name, "");
	scheduler_metrics_init(s, daemon_metrics(d));
	s->queue = queue_new(&queue);
	s->nominator = nominator_new();
	s->placed = strmap_new(NULL);
	s->preempting = strmap_new(NULL);
	s->scratch = arena_new();
	s->workers = workers_new("bind", N_WORKERS, MAX_QUEUED);
	s->loop = loop_new(s->handle.clock);
	s->informers = informers_new(s->client);
	scheduler_watch(s);
	s->thread = thread_start("scheduler", run_loop, s->loop);
	return informers_start(s->informers);
}

static void begin(void *data)
{
	struct scheduler *s = data;
	s->leading = true;
	scheduler_wake(s);
}

static struct status *lead(struct daemon *d, void *data)
{
	struct program *p = data;
	loop_post(p->scheduler.loop, begin, &p->scheduler);
	daemon_wait(d);
	return NULL;
}

static void stop_deciding(void *data)
{
	((struct scheduler *)data)->leading = false;
}

static void stop(struct daemon *d, void *data)
{
	struct scheduler *s = &((struct program *)data)->scheduler;
	if (!s->loop)
		return;
	loop_post(s->loop, stop_deciding, s);
	informers_free(s->informers);
	workers_free(s->workers);
	loop_stop(s->loop);
	pthread_join(s->thread, NULL);
	for (size_t i = 0; i < s->profiles.n_items; i++)
		event_recorder_free(s->recorders[i]);
	/* What is left belongs to the process, which ends now. */
}

int scheduler_main(int argc, char **argv)
{
	static struct program program; /* zeroed, and as long-lived as the process */
	struct program *p = &program;
	p->options = (struct daemon_options){.secure_port = 10259,
		.qps = DEFAULT_QPS,
		.burst = DEFAULT_BURST,
		.leader_elect = true,
		.leader_name = mem_strdup("kube-scheduler")};
	const struct flag own[] = {
		{"config", 0, FLAG_STRING, &p->config_path, "", "The path to the configuration file."},
		{"write-config-to", 0, FLAG_STRING, &p->write_config_to, "", "Accepted for compatibility."},
		{"pod-max-in-unschedulable-pods-duration", 0, FLAG_DURATION, &p->max_unschedulable_ms, "5m",
			"How long a pod may wait unschedulable before it is tried again."},
		{"random-seed", 0, FLAG_INT, &p->seed, "0",
			"Makes the choice between equal nodes repeatable; 0: random.", .hidden = true},
		{"emulated-version", 0, FLAG_IGNORED, NULL, "", "Accepted for compatibility."},
		{NULL},
	};
	const struct flag *const flags[] = {own, NULL};
	const struct daemon_spec spec = {
		.name = "kube-scheduler",
		.description = "Chooses a node for every pod.",
		.options = &p->options,
		.groups = DAEMON_CLIENT | DAEMON_SERVING | DAEMON_DELEGATED | DAEMON_LEADER | DAEMON_DEBUG,
		.flags = flags,
		.configure = configure,
		.start = start,
		.lead = lead,
		.stop = stop,
		.data = p,
	};
	return daemon_main(&spec, argc, argv);
}
