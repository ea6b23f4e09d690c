/*
 * A container runtime that answers with any bytes: what it says becomes a pod's state, or an error. cri_call() is here
 * the fuzzer's: each answer is a piece of the input.
 */
#include "kubelet/runtime/query.h"
#include "rpc/private.h"
#include "test/fuzz/target.h"

static const uint8_t *at, *end; /* what is left to be answered */

static const struct {
	const char *method;
	const ProtobufCMessageDescriptor *answer;
} methods[] = {{"ListPodSandbox", &CriListPodSandboxResponse_descriptor},
	{"ListContainers", &CriListContainersResponse_descriptor},
	{"PodSandboxStatus", &CriPodSandboxStatusResponse_descriptor},
	{"ContainerStatus", &CriContainerStatusResponse_descriptor}};

struct status *cri_call(struct cri *cri, const char *method, const void *request, struct arena *arena, void *ret)
{
	size_t size = at < end ? *at++ : 0;

	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		if (!str_eq(methods[i].method, method))
			continue;
		if (size > (size_t)(end - at))
			size = (size_t)(end - at);
		at += size;
		struct rpc_message *message = arena_alloc(arena, sizeof(*message) + size);
		message->size = size;
		memcpy(message->data, at - size, size);
		return rpc_unpack(arena, methods[i].answer, message, ret);
	}
	return status_internal("unexpected call of %s", method);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct runtime_pods pods;
	struct pod_status *status = NULL;

	at = data;
	end = data + size;
	struct status *s = runtime_list_pods(NULL, arena, size & 1, &pods);
	for (size_t i = 0; !s && i < pods.n_items; i++)
		assert(runtime_pods_find(&pods, pods.items[i].uid));
	status_free(s);
	s = runtime_pod_status(NULL, "uid", "name", "namespace", &status);
	if (!s) {
		for (size_t i = 0; i < status->n_containers; i++)
			assert(pod_status_find_id(status, status->containers[i].id));
		pod_status_any_running(status);
		pod_status_unref(status);
	}
	status_free(s);
	return 0;
}
