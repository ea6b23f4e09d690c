#include <inttypes.h>
#include "base/str.h"
#include "kubelet/pod/pleg.h"
#include "kubelet/runtime/logs.h"
#include "kubelet/runtime/query.h"
#include "kubelet/server/server.h"
#include "kubelet/status/status.h"

struct reader {
	struct http_request *request;
	struct kubelet *k;
	const char *container_id;
};

static bool write_piece(void *data, const void *bytes, size_t size)
{
	struct reader *r = data;
	return http_write(r->request, bytes, size);
}

static bool still_running(void *data)
{
	struct reader *r = data;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CriContainerStatusRequest *ask = RPC_NEW(arena, CriContainerStatusRequest);
	CriContainerStatusResponse *answer;
	ask->container_id = arena_strdup(arena, r->container_id);
	struct status *s = cri_call(r->k->cri, "ContainerStatus", ask, arena, &answer);
	if (s) {
		bool gone = status_is(s, STATUS_NOT_FOUND);
		status_drop(s, "a runtime that is away for a moment does not end the log");
		return !gone;
	}
	return answer->status && answer->status->state == CRI_CONTAINER_STATE_CONTAINER_RUNNING;
}

static bool client_gone(void *data)
{
	struct reader *r = data;
	return *r->k->stopping || http_client_gone(r->request);
}

/* A number that may be absent (*ret stays); false after a 400 was answered. */
static bool number_query(struct http_request *request, const char *key, int64_t min, int64_t *ret)
{
	const char *text = http_query(request, key);
	if (str_empty(text) || str_to_int64(text, min, INT64_MAX, ret))
		return true;
	http_respondf(request, 400, "{\"message\": \"Unable to decode query.\"}");
	return false;
}

static bool read_options(struct http_request *request, struct kubelet *k, struct log_options *o)
{
	int64_t since_seconds = 0;
	*o = (struct log_options){.tail_lines = -1, .limit_bytes = -1};
	o->follow = http_query_bool(request, "follow");
	o->timestamps = http_query_bool(request, "timestamps");
	const char *tail = http_query(request, "tailLines");
	if (!str_eq(tail, "all") && !number_query(request, "tailLines", 0, &o->tail_lines))
		return false;
	if (!number_query(request, "limitBytes", 1, &o->limit_bytes) ||
		!number_query(request, "sinceSeconds", 1, &since_seconds))
		return false;
	if (since_seconds)
		o->since_ns = clock_wall_ns(k->clock) - since_seconds * 1000000000;
	const char *since = http_query(request, "sinceTime");
	if (!str_empty(since) && !log_parse_time(since, strlen(since), &o->since_ns)) {
		http_respondf(request, 400, "{\"message\": \"Unable to decode query.\"}");
		return false;
	}
	const char *stream = http_query(request, "stream");
	o->only_stdout = str_eq(stream, "Stdout");
	o->only_stderr = str_eq(stream, "Stderr");
	return true;
}

static const CoreV1ContainerStatus *api_container(const CoreV1PodStatus *s, const char *name)
{
	for (size_t i = 0; i < s->n_container_statuses; i++)
		if (str_eq(s->container_statuses[i]->name, name))
			return s->container_statuses[i];
	for (size_t i = 0; i < s->n_init_container_statuses; i++)
		if (str_eq(s->init_container_statuses[i]->name, name))
			return s->init_container_statuses[i];
	for (size_t i = 0; i < s->n_ephemeral_container_statuses; i++)
		if (str_eq(s->ephemeral_container_statuses[i]->name, name))
			return s->ephemeral_container_statuses[i];
	return NULL;
}

static const char *bare_id(const char *id)
{
	const char *rest = str_empty(id) ? NULL : strstr(id, "://");
	return rest ? rest + 3 : str_or_empty(id);
}

/* Which instance's log is meant; NULL after the refusal was answered. */
static const char *log_of(struct http_request *request, const struct pod *pod, const CoreV1ContainerStatus *cs,
	const char *name, bool previous)
{
	const CoreV1ContainerState *state = cs->state, *last = cs->last_state;
	if (previous) {
		if (last && last->terminated && !str_empty(last->terminated->container_id))
			return bare_id(last->terminated->container_id);
		http_respondf(
			request, 400, "previous terminated container \"%s\" in pod \"%s\" not found", name, pod->name);
		return NULL;
	}
	if (state && state->running)
		return bare_id(cs->container_id);
	if (state && state->terminated && !str_empty(state->terminated->container_id))
		return bare_id(state->terminated->container_id);
	if (last && last->terminated && !str_empty(last->terminated->container_id))
		return bare_id(last->terminated->container_id);
	if (state && state->waiting) {
		const char *reason = state->waiting->reason;
		if (str_eq(reason, "ErrImagePull"))
			http_respondf(request, 400,
				"container \"%s\" in pod \"%s\" is waiting to start: image can't be pulled", name,
				pod->name);
		else if (str_eq(reason, "ImagePullBackOff"))
			http_respondf(request, 400,
				"container \"%s\" in pod \"%s\" is waiting to start: trying and failing to pull "
				"image",
				name, pod->name);
		else
			http_respondf(request, 400, "container \"%s\" in pod \"%s\" is waiting to start: %s", name,
				pod->name, reason);
		return NULL;
	}
	http_respondf(request, 400, "container \"%s\" in pod \"%s\" is not available", name, pod->name);
	return NULL;
}

static struct status *log_path_of(struct kubelet *k, struct arena *arena, const char *id, char **ret)
{
	CriContainerStatusRequest *ask = RPC_NEW(arena, CriContainerStatusRequest);
	CriContainerStatusResponse *answer;
	ask->container_id = arena_strdup(arena, id);
	TRY(cri_call(k->cri, "ContainerStatus", ask, arena, &answer));
	if (!answer->status || str_empty(answer->status->log_path))
		return status_new(STATUS_NOT_FOUND, "the runtime knows no log of container %s", id);
	*ret = answer->status->log_path;
	return NULL;
}

static void stream_log(
	struct http_request *request, struct kubelet *k, const char *id, const struct log_options *options)
{
	char *path = NULL;
	struct status *s = log_path_of(k, request->arena, id, &path);
	if (s) {
		http_respondf(request, 500, "failed to get container status \"%s\": %s", id,
			cri_error_text(request->arena, s));
		status_free(s);
		return;
	}
	struct reader r = {request, k, id};
	struct log_sink sink = {write_piece, still_running, client_gone, &r};
	http_begin(request, 200, "text/plain");
	s = log_read(path, options, &sink);
	if (s) {
		char *text = arena_printf(request->arena, "%s\n", s->message);
		http_write(request, text, strlen(text));
		status_free(s);
	}
}

void serve_container_logs(struct http_request *request)
{
	struct server_context *c = request->data;
	struct log_options options;
	const char *name = http_capture(request, "container");
	CLEANUP(pod_unrefp) struct pod *pod = server_find_pod(request);
	if (!pod || !read_options(request, c->k, &options))
		return;
	if (!pod_container(pod, name)) {
		http_respondf(request, 404, "container \"%s\" not found in pod \"%s\"", name, pod->name);
		return;
	}
	const CoreV1PodStatus *status = status_manager_get(c->k->statuses, request->arena, pod->uid);
	const CoreV1ContainerStatus *cs = api_container(status ? status : pod->api->status, name);
	if (!cs) {
		http_respondf(request, 400, "container \"%s\" in pod \"%s\" is not available", name, pod->name);
		return;
	}
	const char *id = log_of(request, pod, cs, name, http_query_bool(request, "previous"));
	if (id)
		stream_log(request, c->k, id, &options);
}
