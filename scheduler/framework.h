/*
 * The scheduling framework: what a plugin is, what it is given, and how a profile runs its plugins.
 *
 * A plugin is one file in scheduler/plugins/ that exports one record (struct plugin), listed in plugins/table.c. It
 *fills in the extension points it takes part in; the framework skips the others.
 *
 *	static struct verdict filter(void *self, struct cycle *cycle, uint32_t row)
 *	{
 *		return cycle->nodes->flags[row] & NODE_UNSCHEDULABLE ? unresolvable("node(s) were unschedulable") :
 *success();
 *	}
 *	const struct plugin plugin_node_unschedulable = {.name = "NodeUnschedulable", .filter = filter};
 *
 * Threads: everything runs on the scheduler's own thread and must not block, save pre_bind and bind, which run on a
 * worker and may.
 */
#ifndef SCHEDULER_FRAMEWORK_H
#define SCHEDULER_FRAMEWORK_H

#include "api/tree.h"
#include "base/clock.h"
#include "scheduler/event.h"
#include "scheduler/nodes.h"

enum verdict_code {
	VERDICT_SUCCESS,
	VERDICT_ERROR,	       /* something broke; the pod is tried again after back-off */
	VERDICT_UNSCHEDULABLE, /* not here and now; preemption may help */
	VERDICT_UNRESOLVABLE,  /* not here, whatever is removed */
	VERDICT_WAIT,	       /* permit: decide later */
	VERDICT_SKIP,	       /* pre_filter, pre_score: leave this plugin out of the cycle; bind: not mine */
	VERDICT_PENDING,       /* like UNRESOLVABLE, and retried at once when the awaited event comes */
};

#define VERDICT_MAX_REASONS 6

/* Reasons are literals or live in the cycle's arena. */
struct verdict {
	enum verdict_code code;
	uint8_t plugin; /* index in the profile; set by the framework */
	uint8_t n_reasons;
	const char *reasons[VERDICT_MAX_REASONS];
};

static inline struct verdict success(void)
{
	return (struct verdict){.code = VERDICT_SUCCESS};
}
static inline struct verdict skipped(void)
{
	return (struct verdict){.code = VERDICT_SKIP};
}
static inline struct verdict unschedulable(const char *reason)
{
	return (struct verdict){.code = VERDICT_UNSCHEDULABLE, .n_reasons = 1, .reasons = {reason}};
}
static inline struct verdict unresolvable(const char *reason)
{
	return (struct verdict){.code = VERDICT_UNRESOLVABLE, .n_reasons = 1, .reasons = {reason}};
}
static inline struct verdict verdict_error(const char *reason)
{
	return (struct verdict){.code = VERDICT_ERROR, .n_reasons = 1, .reasons = {reason}};
}
static inline bool verdict_rejects(enum verdict_code code)
{
	return code == VERDICT_UNSCHEDULABLE || code == VERDICT_UNRESOLVABLE || code == VERDICT_PENDING;
}
/* The reasons joined with ", ". */
const char *verdict_message(struct arena *arena, const struct verdict *verdict);

enum { MAX_PLUGINS = 32 };
#define MAX_NODE_SCORE 100

struct profile;
struct scheduler_handle;

/* A set of plugins of one profile. */
typedef uint32_t plugin_set;

/* The outcome for each node that was looked at. */
struct diagnosis {
	struct verdict *by_node; /* by row; code SUCCESS: not looked at or feasible */
	bool *explicit_;	 /* by row: by_node holds its own verdict */
	size_t n_explicit;
	struct verdict absent; /* of the nodes without one of their own */
	plugin_set unschedulable, pending;
	const char *pre_filter_message;	 /* NULL: the pre-filters passed */
	const char *post_filter_message; /* NULL: none */
	bool preemption_tried;
};

/* One attempt to place one pod: what the plugins share and keep between their calls. */
struct cycle {
	struct arena *arena; /* dies with the attempt, after binding */
	const struct profile *profile;
	struct scheduler_handle *handle;
	struct nodes *nodes;
	struct pod_info *pod;
	void *state[MAX_PLUGINS]; /* by plugin index in the profile */
	plugin_set skip_filter, skip_score;
	uint8_t plugin; /* the plugin running now */
	bool try_out;	/* a dry run: filters must not keep what they learn */
};

/* The state of the plugin that runs now. */
#define cycle_state(cycle) ((cycle)->state[(cycle)->plugin])

/* What pre_filter may narrow the search to: node names. all: no narrowing. */
struct node_names {
	bool all;
	const char **items;
	size_t n_items;
};

struct bind_job;

struct plugin {
	const char *name;
	/* Makes the instance out of its arguments (NULL: defaults). May be NULL when there is nothing to keep. */
	struct status *(*init)(struct arena *arena, const struct profile *profile, const cJSON *args, void **ret_self);
	/* May the pod enter the active queue? */
	struct verdict (*pre_enqueue)(void *self, struct arena *arena, const struct pod_info *pod);
	/* Whether a goes before b: queue sort. Times are when each was queued. */
	bool (*before)(const struct pod_info *a, int64_t time_a, const struct pod_info *b, int64_t time_b);
	struct verdict (*pre_filter)(void *self, struct cycle *cycle, struct node_names *ret_names);
	/* Another pod is taken to be (or not to be) on that row as well: keep the pre_filter state true. */
	void (*add_pod)(void *self, struct cycle *cycle, const struct pod_info *other, uint32_t row);
	void (*remove_pod)(void *self, struct cycle *cycle, const struct pod_info *other, uint32_t row);
	struct verdict (*filter)(void *self, struct cycle *cycle, uint32_t row);
	/* Nothing fits: try to make room. Success names a node in *ret_node (arena), possibly "" to clear a nomination.
	 */
	struct verdict (*post_filter)(
		void *self, struct cycle *cycle, struct diagnosis *diagnosis, const char **ret_node);
	struct verdict (*pre_score)(void *self, struct cycle *cycle, const uint32_t *rows, size_t n_rows);
	int64_t (*score)(void *self, struct cycle *cycle, uint32_t row);
	/* Brings raw scores into 0..MAX_NODE_SCORE. NULL: they already are. */
	void (*normalize)(void *self, struct cycle *cycle, const uint32_t *rows, int64_t *scores, size_t n_rows);
	struct verdict (*reserve)(void *self, struct cycle *cycle, uint32_t row);
	void (*unreserve)(void *self, struct cycle *cycle, const char *node);
	/* WAIT sets *ret_timeout_ms. */
	struct verdict (*permit)(void *self, struct cycle *cycle, const char *node, int64_t *ret_timeout_ms);
	/* These two run on a worker: they see the pod and the node's name, never the columns. */
	struct verdict (*pre_bind)(void *self, struct cycle *cycle, const char *node);
	struct verdict (*bind)(void *self, struct cycle *cycle, const char *node);
	void (*post_bind)(void *self, struct cycle *cycle, const char *node);
	/* What may make a pod that this plugin turned away schedulable; ends with actions == 0. NULL: every event. */
	const struct event_interest *events;
};

/* All plugins, in the order in which they run by default; ends with NULL. */
extern const struct plugin *const plugin_table[];
const struct plugin *plugin_find(const char *name);
/* The weight of a score plugin in the default profile, 0 for others. */
int plugin_default_weight(const char *name);

enum extension_point {
	POINT_PRE_ENQUEUE,
	POINT_QUEUE_SORT,
	POINT_PRE_FILTER,
	POINT_FILTER,
	POINT_POST_FILTER,
	POINT_PRE_SCORE,
	POINT_SCORE,
	POINT_RESERVE,
	POINT_PERMIT,
	POINT_PRE_BIND,
	POINT_BIND,
	POINT_POST_BIND,
	N_POINTS,
};

struct profile_plugin {
	const struct plugin *plugin;
	void *self;
	int weight;
};

/* A configured set of plugins under a scheduler name. */
struct profile {
	const char *scheduler_name;
	int percentage_of_nodes_to_score; /* -1: the scheduler's own */
	struct profile_plugin plugins[MAX_PLUGINS];
	size_t n_plugins;
	uint8_t points[N_POINTS][MAX_PLUGINS]; /* indexes into plugins, in running order */
	size_t n_points[N_POINTS];
	struct scheduler_handle *handle;
};

/* What plugins may ask of the scheduler; the scheduler fills it in (tests fill in what they need). */
struct scheduler_handle {
	void *data;
	struct nodes *nodes;
	const struct clock *clock;
	int percentage_of_nodes_to_score; /* 0: adaptive */
	uint32_t (*random_below)(void *data, uint32_t n);
	/* Labels of a namespace; NULL and 0 if unknown. */
	void (*namespace_labels)(void *data, const char *name, MapStringEntry *const **ret_labels, size_t *ret_n);
	/* Selectors of the services, replica sets, ... that own a pod: for default spreading. May be NULL. */
	size_t (*pod_selectors)(
		void *data, struct arena *arena, const struct pod_info *pod, const MetaV1LabelSelector ***ret);
	/* Storage, by name; NULL: there is none, or (claim NULL) it is not looked after. Valid during the cycle. */
	const CoreV1PersistentVolumeClaim *(*claim)(void *data, const char *namespace_, const char *name);
	const CoreV1PersistentVolume *(*volume)(void *data, const char *name);
	const StorageV1StorageClass *(*storage_class)(void *data, const char *name);
	/* Pods nominated to a node. */
	size_t (*nominated)(void *data, const char *node, struct pod_info *const **ret_pods);
	/* All PodDisruptionBudgets. May be NULL. */
	size_t (*disruption_budgets)(void *data, struct arena *arena, PolicyV1PodDisruptionBudget ***ret);
	/* Starts evicting victims for the cycle's pod, asynchronously. */
	void (*preempt)(void *data, struct cycle *cycle, const char *node, struct pod_info *const *victims, size_t n);
	bool (*is_preempting)(void *data, const struct pod_info *pod);
	/* Blocking, from a worker: posts the Binding. */
	struct status *(*bind)(void *data, struct cycle *cycle, const char *node);
};

/* Which plugins of the profile reject at present and what interests them. */
bool profile_event_helps(const struct profile *profile, plugin_set plugins, const struct pod_info *pod,
	const struct cluster_event *event);
const struct verdict *diagnosis_verdict(const struct diagnosis *diagnosis, uint32_t row);

struct verdict framework_pre_enqueue(
	const struct profile *profile, struct arena *arena, const struct pod_info *pod, int first_plugin);
/* Runs the pre-filters. On rejection diagnosis has the message and the plugins. */
struct verdict framework_pre_filter(struct cycle *cycle, struct diagnosis *diagnosis, struct node_names *ret_names);
/* One node through all filters, with and without the pods nominated to it that matter more. */
struct verdict framework_filter(struct cycle *cycle, uint32_t row);
void framework_add_pod(struct cycle *cycle, const struct pod_info *other, uint32_t row);
void framework_remove_pod(struct cycle *cycle, const struct pod_info *other, uint32_t row);
struct verdict framework_post_filter(struct cycle *cycle, struct diagnosis *diagnosis, const char **ret_node);
/* Total scores of the rows into ret_totals. */
struct verdict framework_score(struct cycle *cycle, const uint32_t *rows, size_t n_rows, int64_t *ret_totals);
struct verdict framework_reserve(struct cycle *cycle, uint32_t row);
void framework_unreserve(struct cycle *cycle, const char *node);
struct verdict framework_permit(struct cycle *cycle, const char *node, int64_t *ret_timeout_ms);
struct verdict framework_pre_bind(struct cycle *cycle, const char *node);
struct verdict framework_bind(struct cycle *cycle, const char *node);
void framework_post_bind(struct cycle *cycle, const char *node);

/* The usual normalization: the highest becomes MAX_NODE_SCORE; reversed: the highest becomes 0. */
void normalize_to_max(int64_t *scores, size_t n, bool reverse);

#endif
