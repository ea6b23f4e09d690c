#include <ctype.h>
#include <inttypes.h>
#include "base/str.h"
#include "health/health.h"
#include "kubelet/probe/probe.h"
#include "net/stream.h"

#define MAX_OUTPUT 10240

static struct status *run_exec(struct kubelet *k, struct arena *arena, const CoreV1Container *c,
	const CoreV1Probe *probe, const char *id, enum probe_outcome *ret_outcome, char **ret_output)
{
	const CoreV1ExecAction *exec = probe->handler->exec;
	int32_t code;
	struct status *s = cri_exec_sync(
		k->cri, id, exec->command, exec->n_command, probe->timeout_seconds, NULL, arena, ret_output, &code);
	if (status_is(s, STATUS_TIMEOUT)) {
		*ret_outcome = PROBE_OUTCOME_FAILURE;
		*ret_output = arena_printf(arena, "command timed out: \"%s\" timed out after %" PRId32 "s",
			str_join(arena, exec->command, exec->n_command, " "), probe->timeout_seconds);
		status_free(s);
		return NULL;
	}
	if (s) {
		*ret_outcome = PROBE_OUTCOME_UNKNOWN;
		char *text = cri_error_text(arena, s);
		status_free(s);
		return status_internal("%s", text);
	}
	if (strlen(*ret_output) > MAX_OUTPUT)
		(*ret_output)[MAX_OUTPUT] = '\0';
	*ret_outcome = code ? PROBE_OUTCOME_FAILURE : PROBE_OUTCOME_SUCCESS;
	return NULL;
}

/* The system's words begin with a capital; users know them without ("EOF" stays). */
static char *reason_text(struct arena *arena, const struct status *s)
{
	char *text = arena_strdup(arena, s->message), *last = text;
	for (char *p = text; (p = strstr(p, ": ")); p += 2)
		last = p + 2;
	if (*last && islower((unsigned char)last[1]))
		*last = (char)tolower((unsigned char)*last);
	return text;
}

static struct status *run_http(struct arena *arena, const CoreV1Container *c, const CoreV1Probe *probe,
	const char *pod_ip, enum probe_outcome *ret_outcome, char **ret_output)
{
	const CoreV1HTTPGetAction *action = probe->handler->http_get;
	struct http_get get = {
		.host = str_or(action->host, pod_ip),
		.path = action->path,
		.tls = str_eq_nocase(action->scheme, "HTTPS"),
		.headers = action->http_headers,
		.n_headers = action->n_http_headers,
		.user_agent = "kube-probe/1.34",
		.timeout_ms = probe->timeout_seconds * 1000LL,
	};
	TRY(container_port(c, action->port, &get.port));
	int code = 0;
	char *body;
	bool elsewhere;
	struct status *s = http_get(arena, &get, &code, &body, &elsewhere);
	if (s) {
		/* No answer is a failed probe, not one that could not be run. */
		*ret_outcome = PROBE_OUTCOME_FAILURE;
		const char *scheme = get.tls ? "https" : "http";
		bool v6 = strchr(get.host, ':') != NULL;
		*ret_output = arena_printf(arena, "Get \"%s://%s%s%s:%u%s%s\": %s", scheme, v6 ? "[" : "", get.host,
			v6 ? "]" : "", get.port, str_or(get.path, "/")[0] == '/' ? "" : "/", str_or(get.path, "/"),
			status_is(s, STATUS_TIMEOUT)
				? "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
				: reason_text(arena, s));
		status_free(s);
		return NULL;
	}
	if (elsewhere) {
		*ret_outcome = PROBE_OUTCOME_WARNING;
		*ret_output = arena_printf(arena, "Probe terminated redirects, Response body: %s", body);
	} else if (code >= 200 && code < 400) {
		*ret_outcome = PROBE_OUTCOME_SUCCESS;
		*ret_output = body;
	} else {
		*ret_outcome = PROBE_OUTCOME_FAILURE;
		*ret_output = arena_printf(arena, "HTTP probe failed with statuscode: %d", code);
	}
	return NULL;
}

static struct status *run_tcp(struct arena *arena, const CoreV1Container *c, const CoreV1Probe *probe,
	const char *pod_ip, enum probe_outcome *ret_outcome, char **ret_output)
{
	const CoreV1TCPSocketAction *action = probe->handler->tcp_socket;
	uint16_t port;
	TRY(container_port(c, action->port, &port));
	const char *host = str_or(action->host, pod_ip);
	struct stream *stream;
	struct status *s = stream_dial(host, port, NULL, probe->timeout_seconds * 1000, &stream);
	*ret_output = arena_strdup(arena, "");
	*ret_outcome = s ? PROBE_OUTCOME_FAILURE : PROBE_OUTCOME_SUCCESS;
	if (s) {
		*ret_output = arena_strdup(arena, reason_text(arena, s));
		status_free(s);
	} else {
		stream_free(stream);
	}
	return NULL;
}

/* Why a health check had no answer, as the original words it. */
static char *grpc_failure(struct arena *arena, const char *target, int32_t timeout_s, const struct status *s)
{
	if (strstr(s->message, "failed to connect"))
		return arena_printf(arena,
			"timeout: failed to connect service \"%s\" within %" PRId32 "s: context deadline exceeded",
			target, timeout_s);
	if (s->reason == STATUS_METHOD_NOT_ALLOWED)
		return arena_printf(arena,
			"error: this server does not implement the grpc health protocol (grpc.health.v1.Health): %s",
			s->message);
	if (s->reason == STATUS_TIMEOUT)
		return arena_printf(arena, "timeout: health rpc did not complete within %" PRId32 "s", timeout_s);
	return arena_printf(arena, "error: health rpc probe failed: %s", cri_error_text(arena, s));
}

static const char *serving_text(struct arena *arena, GrpcHealthCheckResponseServingStatus status)
{
	static const char *const names[] = {"UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"};
	int number = (int)status;
	return number >= 0 && (size_t)number < ARRAY_SIZE(names) ? names[number] : arena_printf(arena, "%d", number);
}

static struct status *run_grpc(struct arena *arena, const CoreV1Probe *probe, const char *pod_ip,
	enum probe_outcome *ret_outcome, char **ret_output)
{
	const CoreV1GRPCAction *action = probe->handler->grpc;
	const char *target =
		arena_printf(arena, strchr(pod_ip, ':') ? "[%s]:%" PRId32 : "%s:%" PRId32, pod_ip, action->port);
	struct rpc_options options = {.targets = &target, .n_targets = 1};
	CLEANUP(rpc_channel_freep) struct rpc_channel *channel = NULL;
	TRY(rpc_channel_new(&options, &channel));
	GrpcHealthCheckRequest *request = RPC_NEW(arena, GrpcHealthCheckRequest);
	GrpcHealthCheckResponse *response;
	request->service = arena_strdup(arena, str_or_empty(action->service));
	*ret_outcome = PROBE_OUTCOME_FAILURE;
	struct status *s = rpc_call(
		channel, &grpc_health_service, "Check", request, probe->timeout_seconds * 1000LL, arena, &response);
	if (s) {
		*ret_output = grpc_failure(arena, target, probe->timeout_seconds, s);
		status_free(s);
		return NULL;
	}
	if (response->status == GRPC_HEALTH_CHECK_RESPONSE_SERVING_STATUS_SERVING) {
		*ret_outcome = PROBE_OUTCOME_SUCCESS;
		*ret_output = arena_strdup(arena, "service healthy");
	} else {
		*ret_output = arena_printf(
			arena, "service unhealthy (responded with \"%s\")", serving_text(arena, response->status));
	}
	return NULL;
}

struct status *probe_run(struct kubelet *k, struct arena *arena, const struct pod *pod, const CoreV1Container *c,
	const CoreV1Probe *probe, const char *container_id, const char *pod_ip, enum probe_outcome *ret_outcome,
	char **ret_output)
{
	const CoreV1ProbeHandler *handler = probe->handler;
	*ret_outcome = PROBE_OUTCOME_UNKNOWN;
	*ret_output = arena_strdup(arena, "");
	if (handler && handler->exec)
		return run_exec(k, arena, c, probe, container_id, ret_outcome, ret_output);
	if (handler && handler->http_get)
		return run_http(arena, c, probe, pod_ip, ret_outcome, ret_output);
	if (handler && handler->tcp_socket)
		return run_tcp(arena, c, probe, pod_ip, ret_outcome, ret_output);
	if (handler && handler->grpc)
		return run_grpc(arena, probe, pod_ip, ret_outcome, ret_output);
	return status_bad_request("missing probe handler for %s:%s", pod_format(arena, pod), c->name);
}
