#include "kubelet/runtime/query.h"

#include <inttypes.h>
#include "base/io.h"
#include "base/map.h"
#include "base/str.h"
#include "kubelet/runtime/logs.h"
#include "kubelet/runtime/names.h"

#define MAX_TERMINATION_MESSAGE 4096
#define MAX_TERMINATION_LOG_BYTES 2048
#define MAX_TERMINATION_LOG_LINES 80

#define LABEL(list, n, wanted)                                 \
	__extension__({                                        \
		const char *value_ = "";                       \
		for (size_t i_ = 0; i_ < (n); i_++)            \
			if (str_eq((list)[i_]->key, (wanted))) \
				value_ = (list)[i_]->value;    \
		value_;                                        \
	})

static enum container_state state_of(int state)
{
	switch (state) {
	case CRI_CONTAINER_STATE_CONTAINER_CREATED:
		return CONTAINER_CREATED;
	case CRI_CONTAINER_STATE_CONTAINER_RUNNING:
		return CONTAINER_RUNNING;
	case CRI_CONTAINER_STATE_CONTAINER_EXITED:
		return CONTAINER_EXITED;
	default:
		return CONTAINER_UNKNOWN;
	}
}

static struct runtime_pod *pod_entry(struct arena *arena, struct runtime_pods *pods, struct strmap *index,
	const char *uid, const char *name, const char *namespace)
{
	/* The index holds position + 1, for the array moves as it grows. */
	uintptr_t at = (uintptr_t)strmap_get(index, uid);
	if (at)
		return &pods->items[at - 1];
	struct runtime_pod pod = {arena_strdup(arena, uid), arena_strdup(arena, name), arena_strdup(arena, namespace)};
	ARENA_PUSH(arena, pods->items, pods->n_items) = pod;
	strmap_put(index, uid, (void *)(uintptr_t)pods->n_items);
	return &pods->items[pods->n_items - 1];
}

static struct status *list_sandboxes(
	struct cri *cri, struct arena *arena, bool all, struct strmap *index, struct runtime_pods *pods)
{
	CriListPodSandboxRequest *request = RPC_NEW(arena, CriListPodSandboxRequest);
	if (!all) {
		request->filter = RPC_NEW(arena, CriPodSandboxFilter);
		request->filter->state = RPC_NEW(arena, CriPodSandboxStateValue);
		request->filter->state->state = CRI_POD_SANDBOX_STATE_SANDBOX_READY;
	}
	CriListPodSandboxResponse *response;
	TRY(cri_call(cri, "ListPodSandbox", request, arena, &response));
	for (size_t i = 0; i < response->n_items; i++) {
		const CriPodSandbox *s = response->items[i];
		if (!s->metadata)
			continue;
		struct runtime_pod *pod =
			pod_entry(arena, pods, index, s->metadata->uid, s->metadata->name, s->metadata->namespace_);
		struct runtime_sandbox sandbox = {arena_strdup(arena, s->id),
			s->state == CRI_POD_SANDBOX_STATE_SANDBOX_READY, s->created_at, s->metadata->attempt};
		ARENA_PUSH(arena, pod->sandboxes, pod->n_sandboxes) = sandbox;
	}
	return NULL;
}

static struct status *list_containers(
	struct cri *cri, struct arena *arena, bool all, struct strmap *index, struct runtime_pods *pods)
{
	CriListContainersRequest *request = RPC_NEW(arena, CriListContainersRequest);
	if (!all) {
		request->filter = RPC_NEW(arena, CriContainerFilter);
		request->filter->state = RPC_NEW(arena, CriContainerStateValue);
		request->filter->state->state = CRI_CONTAINER_STATE_CONTAINER_RUNNING;
	}
	CriListContainersResponse *response;
	TRY(cri_call(cri, "ListContainers", request, arena, &response));
	for (size_t i = 0; i < response->n_containers; i++) {
		const CriContainer *c = response->containers[i];
		const char *uid = LABEL(c->labels, c->n_labels, LABEL_POD_UID);
		if (!uid[0])
			continue;
		struct runtime_pod *pod =
			pod_entry(arena, pods, index, uid, LABEL(c->labels, c->n_labels, LABEL_POD_NAME),
				LABEL(c->labels, c->n_labels, LABEL_POD_NAMESPACE));
		struct runtime_container item = {
			.id = arena_strdup(arena, c->id),
			.name = arena_strdup(arena, LABEL(c->labels, c->n_labels, LABEL_CONTAINER_NAME)),
			.sandbox_id = arena_strdup(arena, c->pod_sandbox_id),
			.image = arena_strdup(arena, c->image_ref),
			.state = state_of((int)c->state),
			.created_at = c->created_at,
		};
		ARENA_PUSH(arena, pod->containers, pod->n_containers) = item;
	}
	return NULL;
}

/* The runtime lists in any order; here it is always the same: newest first. */
static int container_order(const void *a, const void *b)
{
	const struct runtime_container *x = a, *y = b;
	if (x->created_at != y->created_at)
		return x->created_at < y->created_at ? 1 : -1;
	return strcmp(x->id, y->id);
}

static int sandbox_order(const void *a, const void *b)
{
	const struct runtime_sandbox *x = a, *y = b;
	if (x->created_at != y->created_at)
		return x->created_at < y->created_at ? 1 : -1;
	return strcmp(x->id, y->id);
}

struct status *runtime_list_pods(struct cri *cri, struct arena *arena, bool all, struct runtime_pods *ret)
{
	*ret = (struct runtime_pods){0};
	CLEANUP(strmap_freep) struct strmap *index = strmap_new(NULL);
	TRY(list_sandboxes(cri, arena, all, index, ret));
	TRY(list_containers(cri, arena, all, index, ret));
	for (size_t i = 0; i < ret->n_items; i++) {
		struct runtime_pod *pod = &ret->items[i];
		if (pod->n_containers)
			qsort(pod->containers, pod->n_containers, sizeof(pod->containers[0]), container_order);
		if (pod->n_sandboxes)
			qsort(pod->sandboxes, pod->n_sandboxes, sizeof(pod->sandboxes[0]), sandbox_order);
	}
	return NULL;
}

const struct runtime_pod *runtime_pods_find(const struct runtime_pods *pods, const char *uid)
{
	for (size_t i = 0; i < pods->n_items; i++)
		if (str_eq(pods->items[i].uid, uid))
			return &pods->items[i];
	return NULL;
}

static void read_network(struct arena *arena, const CriPodSandboxStatus *s, struct sandbox_status *ret)
{
	ret->has_network = s->network != NULL;
	if (!s->network)
		return;
	if (!str_empty(s->network->ip))
		ARENA_PUSH(arena, ret->ips, ret->n_ips) = arena_strdup(arena, s->network->ip);
	for (size_t i = 0; i < s->network->n_additional_ips; i++)
		ARENA_PUSH(arena, ret->ips, ret->n_ips) = arena_strdup(arena, s->network->additional_ips[i]->ip);
}

static struct status *sandbox_status(struct cri *cri, struct arena *scratch, const char *id, struct pod_status *status)
{
	CriPodSandboxStatusRequest *request = RPC_NEW(scratch, CriPodSandboxStatusRequest);
	request->pod_sandbox_id = (char *)id;
	CriPodSandboxStatusResponse *response;
	struct status *error = cri_call(cri, "PodSandboxStatus", request, scratch, &response);
	if (status_is(error, STATUS_NOT_FOUND)) {
		status_drop(error, "removed between the list and now");
		return NULL;
	}
	if (error)
		return error;
	const CriPodSandboxStatus *s = response->status;
	if (!s)
		return status_internal("pod sandbox status is nil");
	struct arena *arena = status->arena;
	struct sandbox_status item = {
		.id = arena_strdup(arena, s->id),
		.ready = s->state == CRI_POD_SANDBOX_STATE_SANDBOX_READY,
		.attempt = s->metadata ? s->metadata->attempt : 0,
		.created_at = s->created_at,
	};
	if (s->linux && s->linux->namespaces && s->linux->namespaces->options)
		item.host_network = s->linux->namespaces->options->network == CRI_NAMESPACE_MODE_NODE;
	read_network(arena, s, &item);
	ARENA_PUSH(arena, status->sandboxes, status->n_sandboxes) = item;
	return NULL;
}

static int newest_sandbox_first(const void *a, const void *b)
{
	const CriPodSandbox *x = *(CriPodSandbox *const *)a, *y = *(CriPodSandbox *const *)b;
	return (x->created_at < y->created_at) - (x->created_at > y->created_at);
}

static struct status *pod_sandboxes(struct cri *cri, struct arena *scratch, struct pod_status *status)
{
	CriListPodSandboxRequest *request = RPC_NEW(scratch, CriListPodSandboxRequest);
	request->filter = RPC_NEW(scratch, CriPodSandboxFilter);
	CriPodSandboxFilterLabelSelectorEntry *entry = RPC_NEW(scratch, CriPodSandboxFilterLabelSelectorEntry);
	entry->key = (char *)LABEL_POD_UID;
	entry->value = (char *)status->uid;
	ARENA_PUSH(scratch, request->filter->label_selector, request->filter->n_label_selector) = entry;
	CriListPodSandboxResponse *response;
	TRY(cri_call(cri, "ListPodSandbox", request, scratch, &response));
	if (response->n_items)
		qsort(response->items, response->n_items, sizeof(response->items[0]), newest_sandbox_first);
	for (size_t i = 0; i < response->n_items; i++)
		TRY(sandbox_status(cri, scratch, response->items[i]->id, status));
	if (status->n_sandboxes && status->sandboxes[0].ready) {
		status->active_sandbox = status->sandboxes[0].id;
		status->ips = status->sandboxes[0].ips;
		status->n_ips = status->sandboxes[0].n_ips;
	}
	return NULL;
}

/* The file that was mounted at the termination message path, or NULL to look into the log instead. */
static const char *message_from_file(
	struct arena *scratch, const CriContainerStatus *s, const char *path, bool *ret_use_log)
{
	for (size_t i = 0; i < s->n_mounts; i++) {
		if (!str_eq(s->mounts[i]->container_path, path))
			continue;
		char *tail;
		size_t size;
		struct status *error =
			log_tail_bytes(scratch, s->mounts[i]->host_path, MAX_TERMINATION_MESSAGE, &tail, &size);
		if (status_is(error, STATUS_NOT_FOUND)) {
			status_drop(error, "no message was left");
			return "";
		}
		if (error) {
			char *text = arena_printf(scratch, "Error on reading termination log %s: %s",
				s->mounts[i]->host_path, error->message);
			status_free(error);
			*ret_use_log = false;
			return text;
		}
		if (size)
			*ret_use_log = false;
		return tail;
	}
	return "";
}

static const char *termination_message(struct arena *scratch, const CriContainerStatus *s, const char *reason)
{
	const char *path = LABEL(s->annotations, s->n_annotations, ANNOTATION_TERMINATION_PATH);
	const char *policy = LABEL(s->annotations, s->n_annotations, ANNOTATION_TERMINATION_POLICY);
	bool use_log =
		str_eq(policy, "FallbackToLogsOnError") && s->exit_code != 0 && !str_eq(reason, "ContainerCannotRun");
	const char *message = "";
	if (path[0]) {
		if (path[0] != '/')
			path = arena_printf(scratch, "/%s", path);
		message = message_from_file(scratch, s, path, &use_log);
	}
	if (use_log)
		message = log_last_lines(scratch, s->log_path, MAX_TERMINATION_LOG_LINES, MAX_TERMINATION_LOG_BYTES);
	return message;
}

static void read_resources(const CriContainerStatus *s, struct container_status *ret)
{
	if (!s->resources || !s->resources->linux)
		return;
	ret->has_resources = true;
	ret->cpu_period = s->resources->linux->cpu_period;
	ret->cpu_quota = s->resources->linux->cpu_quota;
	ret->cpu_shares = s->resources->linux->cpu_shares;
	ret->memory_limit = s->resources->linux->memory_limit_in_bytes;
}

static void convert_container(
	struct arena *scratch, struct arena *arena, const CriContainerStatus *s, struct container_status *ret)
{
	ret->id = arena_strdup(arena, s->id);
	ret->name = arena_strdup(arena, LABEL(s->labels, s->n_labels, LABEL_CONTAINER_NAME));
	ret->state = state_of((int)s->state);
	ret->created_at = s->created_at;
	ret->image = arena_strdup(arena, s->image ? s->image->image : "");
	ret->image_ref = arena_strdup(arena, s->image_ref);
	ret->image_id = arena_strdup(arena, str_or(s->image_id, s->image_ref));
	ret->log_path = arena_strdup(arena, s->log_path);
	ret->hash = strtoull(LABEL(s->annotations, s->n_annotations, ANNOTATION_HASH), NULL, 16);
	ret->restart_count =
		(int32_t)strtol(LABEL(s->annotations, s->n_annotations, ANNOTATION_RESTART_COUNT), NULL, 10);
	if (ret->state != CONTAINER_CREATED)
		ret->started_at = s->started_at;
	read_resources(s, ret);
	if (ret->state != CONTAINER_EXITED)
		return;
	ret->reason = arena_strdup(arena, s->reason);
	ret->exit_code = s->exit_code;
	ret->finished_at = s->finished_at;
	const char *last_words = termination_message(scratch, s, s->reason);
	bool both = !str_empty(s->message) && last_words[0];
	ret->message = arena_printf(arena, "%s%s%s", s->message, both ? ": " : "", last_words);
}

static int newest_container_first(const void *a, const void *b)
{
	const struct container_status *x = a, *y = b;
	return (x->created_at < y->created_at) - (x->created_at > y->created_at);
}

static struct status *container_status(
	struct cri *cri, struct arena *scratch, const CriContainer *c, struct pod_status *status)
{
	CriContainerStatusRequest *request = RPC_NEW(scratch, CriContainerStatusRequest);
	request->container_id = c->id;
	CriContainerStatusResponse *response;
	struct status *error = cri_call(cri, "ContainerStatus", request, scratch, &response);
	if (status_is(error, STATUS_NOT_FOUND)) {
		status_drop(error, "removed between the list and now");
		return NULL;
	}
	if (error)
		return error;
	if (!response->status)
		return status_internal("container status is nil");
	struct container_status item = {.reason = "", .message = ""};
	convert_container(scratch, status->arena, response->status, &item);
	item.sandbox_id = arena_strdup(status->arena, c->pod_sandbox_id);
	ARENA_PUSH(status->arena, status->containers, status->n_containers) = item;
	return NULL;
}

static struct status *pod_containers(struct cri *cri, struct arena *scratch, struct pod_status *status)
{
	CriListContainersRequest *request = RPC_NEW(scratch, CriListContainersRequest);
	request->filter = RPC_NEW(scratch, CriContainerFilter);
	CriContainerFilterLabelSelectorEntry *entry = RPC_NEW(scratch, CriContainerFilterLabelSelectorEntry);
	entry->key = (char *)LABEL_POD_UID;
	entry->value = (char *)status->uid;
	ARENA_PUSH(scratch, request->filter->label_selector, request->filter->n_label_selector) = entry;
	CriListContainersResponse *response;
	TRY(cri_call(cri, "ListContainers", request, scratch, &response));
	for (size_t i = 0; i < response->n_containers; i++)
		TRY(container_status(cri, scratch, response->containers[i], status));
	if (status->n_containers)
		qsort(status->containers, status->n_containers, sizeof(status->containers[0]), newest_container_first);
	return NULL;
}

struct status *runtime_pod_status(
	struct cri *cri, const char *uid, const char *name, const char *namespace, struct pod_status **ret)
{
	CLEANUP(arena_freep) struct arena *scratch = arena_new();
	CLEANUP(pod_status_unrefp) struct pod_status *status = pod_status_new(uid, name, namespace);
	TRY(pod_sandboxes(cri, scratch, status));
	TRY(pod_containers(cri, scratch, status));
	*ret = STEAL(status);
	return NULL;
}
