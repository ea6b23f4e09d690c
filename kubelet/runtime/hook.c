#include <inttypes.h>
#include "base/str.h"
#include "kubelet/pod/pleg.h"
#include "kubelet/pod/workers.h"
#include "kubelet/probe/probe.h"
#include "kubelet/runtime/runtime.h"

static struct status *run_exec(struct kubelet *k, struct arena *arena, const struct pod *pod, const CoreV1Container *c,
	const char *id, const CoreV1ExecAction *exec, int64_t timeout_ms)
{
	char *output;
	int32_t code;
	TRY(cri_exec_sync(k->cri, id, exec->command, exec->n_command, (timeout_ms + 999) / 1000,
		pod_workers_cancel(k->workers, pod->uid), arena, &output, &code));
	if (!code)
		return NULL;
	return status_internal(
		"Exec lifecycle hook ([%s]) for Container \"%s\" failed - error: command '%s' exited with %" PRId32
		": %s, message: \"%s\"",
		str_join(arena, exec->command, exec->n_command, " "), c->name,
		str_join(arena, exec->command, exec->n_command, " "), code, output, output);
}

static struct status *run_http(struct kubelet *k, struct arena *arena, const struct pod *pod, const CoreV1Container *c,
	const CoreV1HTTPGetAction *action, int64_t timeout_ms)
{
	const char *host = action->host;
	if (str_empty(host)) {
		CLEANUP(pod_status_unrefp) struct pod_status *status = NULL;
		TRY(pleg_pod_status(k->pleg, pod->uid, 0, &status));
		if (!status->n_ips)
			return status_internal("failed to find networking container: pod %s has no address", pod->ref);
		host = arena_strdup(arena, status->ips[0]);
	}
	struct http_get get = {
		.host = host,
		.path = action->path,
		.tls = str_eq_nocase(action->scheme, "HTTPS"),
		.headers = action->http_headers,
		.n_headers = action->n_http_headers,
		.user_agent = "kube-lifecycle/1.34",
		.timeout_ms = timeout_ms,
	};
	TRY(container_port(c, action->port, &get.port));
	int code;
	char *body;
	bool elsewhere;
	return http_get(arena, &get, &code, &body, &elsewhere);
}

struct status *hook_run(struct kubelet *k, const struct pod *pod, const CoreV1Container *c, const char *container_id,
	const CoreV1LifecycleHandler *handler, int64_t timeout_ms)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	if (handler->exec)
		return run_exec(k, arena, pod, c, container_id, handler->exec, timeout_ms);
	if (handler->http_get)
		return run_http(k, arena, pod, c, handler->http_get, timeout_ms);
	if (handler->sleep) {
		int64_t ms = handler->sleep->seconds * 1000;
		if (cancel_sleep_ms(pod_workers_cancel(k->workers, pod->uid), ms < timeout_ms ? ms : timeout_ms))
			return status_new(STATUS_TIMEOUT, "context canceled");
		return NULL;
	}
	return status_bad_request("invalid handler: %s", c->name);
}
