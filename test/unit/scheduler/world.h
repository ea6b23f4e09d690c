/*
 * A small cluster for tests: nodes and pods from JSON, one default profile, a fixed seed, a fake clock.
 */
#ifndef TEST_SCHEDULER_WORLD_H
#define TEST_SCHEDULER_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "api/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "scheduler/config.h"
#include "scheduler/queue.h"
#include "scheduler/schedule.h"

struct world {
	struct arena *arena;
	struct intern *names;
	struct nodes *nodes;
	struct scheduler_handle handle;
	struct profiles profiles;
	struct schedule_cursor cursor;
	struct clock *clock;
	const char *preempted_on;
	size_t n_victims;
	char *victims[8];
};

static inline uint32_t world_random(void *data, uint32_t n)
{
	return n - 1; /* never the newcomer of a tie: the first wins */
}

static inline void world_preempt(
	void *data, struct cycle *cycle, const char *node, struct pod_info *const *victims, size_t n)
{
	struct world *w = data;
	w->preempted_on = arena_strdup(w->arena, node);
	w->n_victims = 0;
	for (size_t i = 0; i < n && i < ARRAY_SIZE(w->victims); i++)
		w->victims[w->n_victims++] = arena_strdup(w->arena, victims[i]->name);
}

static inline void world_init(struct world *w)
{
	memset(w, 0, sizeof *w);
	w->arena = arena_new();
	w->names = resource_names_new();
	w->nodes = nodes_new(w->names);
	w->clock = clock_fake_new(0);
	w->handle = (struct scheduler_handle){.data = w,
		.nodes = w->nodes,
		.clock = w->clock,
		.random_below = world_random,
		.preempt = world_preempt};
	assert_null(profiles_make(w->arena, NULL, &w->handle, &w->profiles));
}

static inline void world_done(struct world *w)
{
	nodes_free(w->nodes);
	intern_free(w->names);
	clock_fake_free(w->clock);
	arena_free(w->arena);
}

static inline void *world_decode(struct world *w, const struct schema_type *type, const char *json)
{
	void *msg = NULL;
	CLEANUP_STATUS struct status *failed = json_decode(w->arena, type, json, strlen(json), NULL, &msg);
	if (failed)
		fail_msg("%s: %s", json, failed->message);
	return msg;
}

/* A node of 4 cores, 8Gi, 110 pods; spec and labels as JSON, NULL: none. */
static inline const CoreV1Node *world_node(struct world *w, const char *name, const char *labels, const char *spec)
{
	const CoreV1Node *node = world_decode(w, &CoreV1Node_schema,
		arena_printf(w->arena,
			"{\"metadata\":{\"name\":\"%s\",\"labels\":%s},\"spec\":%s,\"status\":{\"allocatable\":{"
			"\"cpu\":\"4\","
			"\"memory\":\"8Gi\",\"pods\":\"110\",\"ephemeral-storage\":\"10Gi\"}}}",
			name, str_or(labels, "{}"), str_or(spec, "{}")));
	nodes_put(w->nodes, node);
	return node;
}

/* A pod with a spec as JSON; labels {"app": name's part before '-'}. The caller unrefs. */
static inline struct pod_info *world_pod(struct world *w, const char *name, const char *spec)
{
	const CoreV1Pod *pod = world_decode(w, &CoreV1Pod_schema,
		arena_printf(w->arena,
			"{\"metadata\":{\"name\":\"%s\",\"namespace\":\"default\",\"uid\":\"%s\",\"labels\":{\"app\":"
			"\"%.*s\"}},"
			"\"spec\":%s}",
			name, name, (int)strcspn(name, "-"), name, str_or(spec, "{}")));
	return pod_info_new(w->names, pod, NULL, NULL);
}

static inline void world_place(struct world *w, const char *node, const char *name, const char *spec)
{
	struct pod_info *pod = world_pod(w, name, spec);
	nodes_add_pod(w->nodes, nodes_ensure_row(w->nodes, node), pod);
	pod_info_unref(pod);
}

/* The node chosen for a pod, or the message why none was; in the world's arena. */
static inline const char *world_schedule(struct world *w, const char *spec)
{
	struct pod_info *pod = world_pod(w, "web-new", spec);
	struct cycle *cycle = cycle_new(w->profiles.items[0], &w->handle, w->nodes, pod);
	struct schedule_result result;
	schedule_pod(cycle, &w->cursor, &result);
	char *answer = arena_strdup(w->arena, result.code == VERDICT_SUCCESS ? result.node : result.message);
	cycle_free(cycle);
	pod_info_unref(pod);
	return answer;
}

#define CPU(amount) "{\"containers\":[{\"name\":\"c\",\"resources\":{\"requests\":{\"cpu\":\"" amount "\"}}}]}"

#endif
