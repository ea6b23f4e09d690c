#include "kubelet/runtime/types.h"

#include "base/str.h"

struct pod_status *pod_status_new(const char *uid, const char *name, const char *namespace)
{
	struct arena *arena = arena_new_sized(2048);
	struct pod_status *status = ARENA_NEW(arena, struct pod_status);
	atomic_init(&status->refs, 1);
	status->arena = arena;
	status->uid = arena_strdup(arena, str_or_empty(uid));
	status->name = arena_strdup(arena, str_or_empty(name));
	status->namespace = arena_strdup(arena, str_or_empty(namespace));
	return status;
}

struct pod_status *pod_status_ref(const struct pod_status *status)
{
	struct pod_status *s = (struct pod_status *)status;
	if (s)
		atomic_fetch_add(&s->refs, 1);
	return s;
}

void pod_status_unref(struct pod_status *status)
{
	if (status && atomic_fetch_sub(&status->refs, 1) == 1)
		arena_free(status->arena);
}

const struct container_status *pod_status_find(const struct pod_status *status, const char *container_name)
{
	for (size_t i = 0; i < status->n_containers; i++)
		if (str_eq(status->containers[i].name, container_name))
			return &status->containers[i];
	return NULL;
}

const struct container_status *pod_status_find_id(const struct pod_status *status, const char *container_id)
{
	for (size_t i = 0; i < status->n_containers; i++)
		if (str_eq(status->containers[i].id, container_id))
			return &status->containers[i];
	return NULL;
}

bool pod_status_any_running(const struct pod_status *status)
{
	for (size_t i = 0; i < status->n_containers; i++)
		if (status->containers[i].state == CONTAINER_RUNNING)
			return true;
	for (size_t i = 0; i < status->n_sandboxes; i++)
		if (status->sandboxes[i].ready)
			return true;
	return false;
}
