/*
 * Whether the components of the control plane answer, asked when somebody looks: the scheduler and the controller
 * manager at their usual ports on this machine, and etcd. (k8s.io/kubernetes/pkg/registry/core/componentstatus)
 */
#include "api/meta.h"
#include "apiserver/strategy/context.h"
#include "apiserver/strategy/records.h"
#include "base/str.h"
#include "client/client.h"

enum { TIMEOUT_MS = 20000, MOST_SHOWN = 1024 };

static CoreV1ComponentStatus *component(
	struct arena *arena, const char *name, const char *status, const char *message, const char *error)
{
	CoreV1ComponentStatus *out = API_NEW(arena, CoreV1ComponentStatus);
	CoreV1ComponentCondition *healthy = API_NEW(arena, CoreV1ComponentCondition);
	object_meta_ensure(arena, out)->name = arena_strdup(arena, name);
	healthy->type = (char *)"Healthy";
	healthy->status = arena_strdup(arena, status);
	healthy->message = arena_strndup(arena, message, strnlen(message, MOST_SHOWN));
	healthy->error = arena_strdup(arena, error);
	ARENA_PUSH(arena, out->conditions, out->n_conditions) = healthy;
	return out;
}

/* Nobody's certificate is checked: the question is only whether the process answers. */
static struct status *ask(struct request *request, const char *host, struct client_response *ret)
{
	const struct client_config config = {.host = host, .insecure = true, .qps = -1, .timeout_ms = TIMEOUT_MS};
	const struct client_request get = {.method = "GET", .path = "/healthz", .max_body_bytes = 1u << 16};
	CLEANUP(client_freep) struct client *client = NULL;
	TRY(client_new(&config, request->clock, &client));
	return client_do(client, request->arena, &get, ret);
}

static CoreV1ComponentStatus *probe(struct request *request, const char *name, int port)
{
	struct arena *arena = request->arena;
	const char *host = arena_printf(arena, "https://127.0.0.1:%d", port);
	struct client_response answer = {0};
	struct status *s = ask(request, host, &answer);
	if (!s)
		return component(arena, name, "True", str_or_empty(answer.body), "");
	const char *why = arena_strdup(arena, s->message);
	status_free(s);
	return component(arena, name, "False", answer.code ? str_or_empty(answer.body) : why, "");
}

static CoreV1ComponentStatus *probe_etcd(struct request *request)
{
	int64_t bytes;
	struct status *s = etcd_size(request->context->etcd, &bytes);
	if (!s)
		return component(request->arena, "etcd-0", "True", "ok", "");
	const char *why = arena_strdup(request->arena, s->message);
	status_free(s);
	return component(request->arena, "etcd-0", "False", why, "");
}

static struct status *list(struct request *request, ProtobufCMessage ***ret_objects, size_t *ret_n)
{
	ProtobufCMessage **all = NULL;
	size_t n = 0;
	ARENA_PUSH(request->arena, all, n) = &probe(request, "controller-manager", 10257)->base;
	ARENA_PUSH(request->arena, all, n) = &probe(request, "scheduler", 10259)->base;
	ARENA_PUSH(request->arena, all, n) = &probe_etcd(request)->base;
	*ret_objects = all;
	*ret_n = n;
	return NULL;
}

const struct strategy component_status_strategy = {.group = "", .resource = "componentstatuses", .list_virtual = list};
