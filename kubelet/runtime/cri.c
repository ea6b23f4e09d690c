#include "kubelet/runtime/cri.h"

#include <pthread.h>
#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"

#define MAX_MESSAGE_BYTES (16u << 20)
#define MAX_EXEC_OUTPUT (16u << 20)
#define NO_TIMEOUT_MS (24LL * 3600 * 1000)
#define PULL_TIMEOUT_MS (3600 * 1000)

struct cri {
	struct rpc_channel *runtime;
	struct rpc_channel *image; /* the same as runtime where there is one socket */
	char *endpoint;
	int64_t timeout_ms;
	const struct kubelet_figures *figures;
	pthread_mutex_t lock; /* guards the next two, which once set are never freed before the cri */
	char *name;
	char *version;
};

static struct status *open_channel(const char *endpoint, struct rpc_channel **ret)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const char *target = endpoint;
	if (target[0] == '/')
		target = arena_printf(arena, "unix://%s", endpoint);
	if (!str_starts_with(target, "unix:"))
		return status_bad_request(
			"container runtime endpoint \"%s\": only unix sockets are supported", endpoint);
	struct rpc_options options = {.targets = &target, .n_targets = 1, .max_message_bytes = MAX_MESSAGE_BYTES};
	return rpc_channel_new(&options, ret);
}

struct status *cri_new(const char *endpoint, const char *image_endpoint, int64_t timeout_ms,
	const struct kubelet_figures *figures, struct cri **ret)
{
	CLEANUP(cri_freep) struct cri *cri = mem_zalloc(sizeof(*cri));
	pthread_mutex_init(&cri->lock, NULL);
	cri->endpoint = mem_strdup(endpoint);
	cri->timeout_ms = timeout_ms;
	cri->figures = figures;
	cri->name = mem_strdup("");
	cri->version = mem_strdup("");
	TRY(open_channel(endpoint, &cri->runtime));
	if (str_empty(image_endpoint) || str_eq(image_endpoint, endpoint))
		cri->image = cri->runtime;
	else
		TRY(open_channel(image_endpoint, &cri->image));
	*ret = STEAL(cri);
	return NULL;
}

void cri_free(struct cri *cri)
{
	if (cri->image && cri->image != cri->runtime)
		rpc_channel_free(cri->image);
	if (cri->runtime)
		rpc_channel_free(cri->runtime);
	pthread_mutex_destroy(&cri->lock);
	free(cri->endpoint);
	free(cri->name);
	free(cri->version);
	free(cri);
}

const char *cri_runtime_name(const struct cri *cri)
{
	return cri->name;
}

const char *cri_runtime_version(const struct cri *cri)
{
	return cri->version;
}

/* --- calls --- */

/* What the original calls the runtime's methods. */
static const char *const operations[][2] = {{"Version", "version"}, {"RunPodSandbox", "run_podsandbox"},
	{"StopPodSandbox", "stop_podsandbox"}, {"RemovePodSandbox", "remove_podsandbox"},
	{"PodSandboxStatus", "podsandbox_status"}, {"ListPodSandbox", "list_podsandbox"},
	{"CreateContainer", "create_container"}, {"StartContainer", "start_container"},
	{"StopContainer", "stop_container"}, {"RemoveContainer", "remove_container"},
	{"ListContainers", "list_containers"}, {"ContainerStatus", "container_status"},
	{"UpdateContainerResources", "update_container"}, {"ReopenContainerLog", "reopen_container_log"},
	{"ExecSync", "exec_sync"}, {"Exec", "exec"}, {"Attach", "attach"}, {"PortForward", "port_forward"},
	{"ContainerStats", "container_stats"}, {"ListContainerStats", "list_container_stats"},
	{"PodSandboxStats", "podsandbox_stats"}, {"ListPodSandboxStats", "list_podsandbox_stats"},
	{"UpdateRuntimeConfig", "update_runtime_config"}, {"Status", "status"}, {"ListImages", "list_images"},
	{"ImageStatus", "image_status"}, {"PullImage", "pull_image"}, {"RemoveImage", "remove_image"},
	{"ImageFsInfo", "image_fs_info"}};

/* Counts a call that began then and has just ended; returns its status. */
static struct status *counted(struct cri *cri, const char *method, int64_t begin_ns, struct status *status)
{
	const char *operation = method;
	for (size_t i = 0; i < ARRAY_SIZE(operations); i++)
		if (str_eq(operations[i][0], method))
			operation = operations[i][1];
	metric_add(cri->figures->calls, 1, operation);
	metric_observe(cri->figures->call_seconds, (double)(clock_mono_ns(clock_system()) - begin_ns) / 1e9, operation);
	if (status)
		metric_add(cri->figures->failed_calls, 1, operation);
	return status;
}

struct status *cri_connect(struct cri *cri)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CriVersionRequest *request = RPC_NEW(arena, CriVersionRequest);
	request->version = arena_strdup(arena, "v1");
	CriVersionResponse *response;
	struct status *s = cri_call_for(cri, "Version", request, 10000, arena, &response);
	if (s)
		return status_wrap(s, "container runtime at %s", cri->endpoint);
	pthread_mutex_lock(&cri->lock);
	if (!cri->name[0]) {
		free(cri->name);
		free(cri->version);
		cri->name = mem_strdup(response->runtime_name);
		cri->version = mem_strdup(response->runtime_version);
	}
	pthread_mutex_unlock(&cri->lock);
	return NULL;
}

struct status *cri_call_for(
	struct cri *cri, const char *method, const void *request, int64_t timeout_ms, struct arena *arena, void *ret)
{
	int64_t begin_ns = clock_mono_ns(clock_system());
	return counted(cri, method, begin_ns,
		rpc_call(cri->runtime, &cri_runtime_service, method, request, timeout_ms, arena, ret));
}

struct status *cri_call(struct cri *cri, const char *method, const void *request, struct arena *arena, void *ret)
{
	return cri_call_for(cri, method, request, cri->timeout_ms, arena, ret);
}

struct status *cri_image_call(
	struct cri *cri, const char *method, const void *request, int64_t timeout_ms, struct arena *arena, void *ret)
{
	int64_t begin_ns = clock_mono_ns(clock_system());
	return counted(cri, method, begin_ns,
		rpc_call(cri->image, &cri_image_service, method, request, timeout_ms ? timeout_ms : cri->timeout_ms,
			arena, ret));
}

struct status *cri_pull_image(struct cri *cri, const CriPullImageRequest *request, struct cancel *cancel,
	struct arena *arena, CriPullImageResponse **ret)
{
	int64_t begin_ns = clock_mono_ns(clock_system());
	return counted(cri, "PullImage", begin_ns,
		rpc_call_until(
			cri->image, &cri_image_service, "PullImage", request, PULL_TIMEOUT_MS, cancel, arena, ret));
}

/* By number, as Go's gRPC names them. */
static const char *const grpc_codes[] = {"OK", "Canceled", "Unknown", "InvalidArgument", "DeadlineExceeded", "NotFound",
	"AlreadyExists", "PermissionDenied", "ResourceExhausted", "FailedPrecondition", "Aborted", "OutOfRange",
	"Unimplemented", "Internal", "Unavailable", "DataLoss", "Unauthenticated"};

char *cri_error_text(struct arena *arena, const struct status *status)
{
	size_t code = (size_t)rpc_status_code(status);
	const char *name = code < ARRAY_SIZE(grpc_codes) ? grpc_codes[code] : "Unknown";
	return arena_printf(arena, "rpc error: code = %s desc = %s", name, status->message);
}

static struct status *forgive_not_found(struct status *s)
{
	if (status_is(s, STATUS_NOT_FOUND)) {
		status_drop(s, "what is gone need not be stopped");
		return NULL;
	}
	return s;
}

struct status *cri_stop_container(struct cri *cri, const char *id, int64_t grace_seconds, struct cancel *cancel)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CriStopContainerRequest *request = RPC_NEW(arena, CriStopContainerRequest);
	request->container_id = arena_strdup(arena, id);
	request->timeout = grace_seconds;
	CriStopContainerResponse *response;
	int64_t timeout_ms = grace_seconds * 1000 + cri->timeout_ms;
	int64_t begin_ns = clock_mono_ns(clock_system());
	return forgive_not_found(counted(cri, "StopContainer", begin_ns,
		rpc_call_until(cri->runtime, &cri_runtime_service, "StopContainer", request, timeout_ms, cancel, arena,
			&response)));
}

struct status *cri_remove_container(struct cri *cri, const char *id)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CriRemoveContainerRequest *request = RPC_NEW(arena, CriRemoveContainerRequest);
	request->container_id = arena_strdup(arena, id);
	CriRemoveContainerResponse *response;
	return forgive_not_found(cri_call(cri, "RemoveContainer", request, arena, &response));
}

struct status *cri_stop_sandbox(struct cri *cri, const char *id)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CriStopPodSandboxRequest *request = RPC_NEW(arena, CriStopPodSandboxRequest);
	request->pod_sandbox_id = arena_strdup(arena, id);
	CriStopPodSandboxResponse *response;
	return forgive_not_found(cri_call(cri, "StopPodSandbox", request, arena, &response));
}

struct status *cri_remove_sandbox(struct cri *cri, const char *id)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CriRemovePodSandboxRequest *request = RPC_NEW(arena, CriRemovePodSandboxRequest);
	request->pod_sandbox_id = arena_strdup(arena, id);
	CriRemovePodSandboxResponse *response;
	return forgive_not_found(cri_call(cri, "RemovePodSandbox", request, arena, &response));
}

struct status *cri_exec_sync(struct cri *cri, const char *container_id, char *const *command, size_t n_command,
	int64_t timeout_s, struct cancel *cancel, struct arena *arena, char **ret_output, int32_t *ret_exit_code)
{
	CriExecSyncRequest *request = RPC_NEW(arena, CriExecSyncRequest);
	request->container_id = arena_strdup(arena, container_id);
	request->cmd = (char **)command;
	request->n_cmd = n_command;
	request->timeout = timeout_s;
	CriExecSyncResponse *response;
	/* The runtime enforces the timeout itself; ours is for a runtime that hangs. */
	int64_t timeout_ms = timeout_s ? timeout_s * 1000 + cri->timeout_ms : NO_TIMEOUT_MS;
	int64_t begin_ns = clock_mono_ns(clock_system());
	TRY(counted(cri, "ExecSync", begin_ns,
		rpc_call_until(cri->runtime, &cri_runtime_service, "ExecSync", request, timeout_ms, cancel, arena,
			&response)));
	size_t out = response->stdout.len, err = response->stderr.len;
	if (out > MAX_EXEC_OUTPUT || err > MAX_EXEC_OUTPUT)
		return status_new(STATUS_TOO_LARGE, "output of %s is too large", n_command ? command[0] : "");
	char *text = arena_alloc(arena, out + err + 1);
	memcpy(text, response->stdout.data ? response->stdout.data : (const uint8_t *)"", out);
	memcpy(text + out, response->stderr.data ? response->stderr.data : (const uint8_t *)"", err);
	text[out + err] = '\0';
	*ret_output = text;
	*ret_exit_code = response->exit_code;
	return NULL;
}
