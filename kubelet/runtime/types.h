/*
 * What the container runtime says about a pod: its sandboxes and containers, newest first.
 *
 * A pod_status is filled once by runtime_pod_status() and then shared by reference count; nothing in it changes
 * afterwards. Ownership: all strings and lists live in its arena.
 */
#ifndef KUBELET_RUNTIME_TYPES_H
#define KUBELET_RUNTIME_TYPES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/cleanup.h"

enum container_state { CONTAINER_CREATED, CONTAINER_RUNNING, CONTAINER_EXITED, CONTAINER_UNKNOWN };

struct container_status {
	const char *id; /* the runtime's, without "containerd://" */
	const char *name;
	const char *sandbox_id;
	enum container_state state;
	int64_t created_at; /* nanoseconds since 1970, as the next two; 0: not yet */
	int64_t started_at;
	int64_t finished_at;
	int32_t exit_code;
	const char *image;
	const char *image_id;
	const char *image_ref;
	uint64_t hash;
	int32_t restart_count;
	const char *reason;
	const char *message; /* of the runtime, then the termination message */
	const char *log_path;
	bool has_resources;
	int64_t cpu_quota, cpu_period, cpu_shares, memory_limit;
};

struct sandbox_status {
	const char *id;
	bool ready;
	uint32_t attempt;
	int64_t created_at;
	bool host_network;
	bool has_network; /* the runtime speaks of a network at all */
	const char **ips;
	size_t n_ips;
};

struct pod_status {
	atomic_int refs;
	struct arena *arena;
	const char *uid;
	const char *name;
	const char *namespace;
	const char **ips; /* of the newest sandbox, if that is ready */
	size_t n_ips;
	struct sandbox_status *sandboxes;
	size_t n_sandboxes;
	struct container_status *containers;
	size_t n_containers;
	const char *active_sandbox; /* NULL: none is ready */
};

/* An empty one, for a pod that the runtime does not know. */
struct pod_status *pod_status_new(const char *uid, const char *name, const char *namespace);
struct pod_status *pod_status_ref(const struct pod_status *status);
void pod_status_unref(struct pod_status *status);
DEFINE_CLEANUP(struct pod_status *, pod_status_unref)
/* The newest container of that name; NULL if there is none. */
const struct container_status *pod_status_find(const struct pod_status *status, const char *container_name);
const struct container_status *pod_status_find_id(const struct pod_status *status, const char *container_id);
/* Whether any container runs or any sandbox is ready. */
bool pod_status_any_running(const struct pod_status *status);

/* A pod as a list of the runtime shows it: enough to see what changed, and to stop what nobody wants. */
struct runtime_container {
	const char *id;
	const char *name;
	const char *sandbox_id;
	const char *image;
	enum container_state state;
	int64_t created_at;
};
struct runtime_sandbox {
	const char *id;
	bool ready;
	int64_t created_at;
	uint32_t attempt;
};
struct runtime_pod {
	const char *uid;
	const char *name;
	const char *namespace;
	struct runtime_container *containers;
	size_t n_containers;
	struct runtime_sandbox *sandboxes;
	size_t n_sandboxes;
};
struct runtime_pods {
	struct runtime_pod *items;
	size_t n_items;
};

#endif
