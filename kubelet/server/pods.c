#include "api/copy.h"
#include "api/json.h"
#include "base/str.h"
#include "kubelet/pod/manager.h"
#include "kubelet/runtime/query.h"
#include "kubelet/server/server.h"
#include "kubelet/status/status.h"

static void respond_list(struct http_request *request, const CoreV1PodList *list)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	json_encode(&out, list, 0);
	http_respond(request, 200, "application/json", out.buf, out.len);
}

void serve_pods(struct http_request *request)
{
	struct server_context *c = request->data;
	CoreV1PodList *list = API_NEW(request->arena, CoreV1PodList);
	struct pod_list pods = pod_manager_list(c->k->pods);
	for (size_t i = 0; i < pods.n_items; i++) {
		CoreV1Pod *pod = api_copy_msg(request->arena, pods.items[i]->api);
		CoreV1PodStatus *status = status_manager_get(c->k->statuses, request->arena, pods.items[i]->uid);
		if (status)
			pod->status = status;
		ARENA_PUSH(request->arena, list->items, list->n_items) = pod;
	}
	pod_list_done(&pods);
	respond_list(request, list);
}

void serve_running_pods(struct http_request *request)
{
	struct server_context *c = request->data;
	struct arena *arena = request->arena;
	struct runtime_pods pods;
	struct status *s = runtime_list_pods(c->k->cri, arena, false, &pods);
	if (s) {
		http_respond_status(request, s);
		return;
	}
	CoreV1PodList *list = API_NEW(arena, CoreV1PodList);
	for (size_t i = 0; i < pods.n_items; i++) {
		CoreV1Pod *pod = API_NEW(arena, CoreV1Pod);
		pod->metadata = API_NEW(arena, MetaV1ObjectMeta);
		pod->metadata->name = arena_strdup(arena, pods.items[i].name);
		pod->metadata->namespace = arena_strdup(arena, pods.items[i].namespace);
		pod->metadata->uid = arena_strdup(arena, pods.items[i].uid);
		pod->spec = API_NEW(arena, CoreV1PodSpec);
		for (size_t j = 0; j < pods.items[i].n_containers; j++) {
			CoreV1Container *container = API_NEW(arena, CoreV1Container);
			container->name = arena_strdup(arena, pods.items[i].containers[j].name);
			container->image = arena_strdup(arena, pods.items[i].containers[j].image);
			ARENA_PUSH(arena, pod->spec->containers, pod->spec->n_containers) = container;
		}
		ARENA_PUSH(arena, list->items, list->n_items) = pod;
	}
	respond_list(request, list);
}
