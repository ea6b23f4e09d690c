/*
 * Probes and life cycle hooks of containers.
 */
#include "api/intstr.h"
#include "apiserver/validation/meta.h"
#include "apiserver/validation/pod/pod.h"
#include "base/mem.h"
#include "base/str.h"

static void check_port(struct field_errors *errors, const struct field_path *path, int64_t port)
{
	const char *problem = check_port_number(port);
	if (problem)
		field_invalid_int(errors, path, port, problem);
}

static void check_number_or_name(
	struct field_errors *errors, const struct field_path *path, const IntstrIntOrString *port)
{
	if (intstr_is_string(port))
		validate_text(errors, path, port->str_val, check_port_name(errors->arena, str_or_empty(port->str_val)));
	else
		check_port(errors, path, port ? port->int_val : 0);
}

static void check_http_get(struct field_errors *errors, const struct field_path *path, const CoreV1HTTPGetAction *get)
{
	static const char *const schemes[] = {"HTTP", "HTTPS", NULL};
	if (str_empty(get->path))
		field_required(errors, FIELD(path, "path"), "");
	check_number_or_name(errors, FIELD(path, "port"), get->port);
	if (!str_in(str_or_empty(get->scheme), schemes))
		field_unsupported(errors, FIELD(path, "scheme"), get->scheme, schemes);
	for (size_t i = 0; i < get->n_http_headers; i++) {
		const char *name = str_or_empty(get->http_headers[i]->name);
		validate_text(errors, FIELD(path, "httpHeaders"), name, check_header_name(errors->arena, name));
	}
}

static void check_exec(struct field_errors *errors, const struct field_path *path, const CoreV1ExecAction *exec)
{
	if (!exec->n_command)
		field_required(errors, FIELD(path, "command"), "");
}

/* Whether this is the first handler; a second one is forbidden. */
static bool only_handler(struct field_errors *errors, const struct field_path *path, const char *name, int *n)
{
	if ((*n)++)
		field_forbidden(errors, FIELD(path, name), "may not specify more than 1 handler type");
	return *n == 1;
}

static void check_probe_handler(struct field_errors *errors, const struct field_path *path, const CoreV1ProbeHandler *h)
{
	int n = 0;
	if (h && h->exec && only_handler(errors, path, "exec", &n))
		check_exec(errors, FIELD(path, "exec"), h->exec);
	if (h && h->http_get && only_handler(errors, path, "httpGet", &n))
		check_http_get(errors, FIELD(path, "httpGet"), h->http_get);
	if (h && h->tcp_socket && only_handler(errors, path, "tcpSocket", &n))
		check_number_or_name(errors, FIELD(FIELD(path, "tcpSocket"), "port"), h->tcp_socket->port);
	if (h && h->grpc && only_handler(errors, path, "grpc", &n))
		check_port(errors, FIELD(FIELD(path, "grpc"), "port"), h->grpc->port);
	if (!n)
		field_required(errors, path, "must specify a handler type");
}

void validate_probe(
	struct field_errors *errors, const struct field_path *path, const CoreV1Probe *probe, enum probe_use use)
{
	if (!probe)
		return;
	check_probe_handler(errors, path, probe->handler);
	validate_not_negative(errors, FIELD(path, "initialDelaySeconds"), probe->initial_delay_seconds);
	validate_not_negative(errors, FIELD(path, "timeoutSeconds"), probe->timeout_seconds);
	validate_not_negative(errors, FIELD(path, "periodSeconds"), probe->period_seconds);
	validate_not_negative(errors, FIELD(path, "successThreshold"), probe->success_threshold);
	validate_not_negative(errors, FIELD(path, "failureThreshold"), probe->failure_threshold);
	const struct field_path *grace = FIELD(path, "terminationGracePeriodSeconds");
	if (probe->has_termination_grace_period_seconds && probe->termination_grace_period_seconds <= 0)
		field_invalid_int(errors, grace, probe->termination_grace_period_seconds, "must be greater than 0");
	if (use == PROBE_READINESS && probe->has_termination_grace_period_seconds)
		field_invalid_int(
			errors, grace, probe->termination_grace_period_seconds, "must not be set for readinessProbes");
	if (use != PROBE_READINESS && probe->success_threshold != 1)
		field_invalid_int(errors, FIELD(path, "successThreshold"), probe->success_threshold, "must be 1");
}

static void check_sleep(struct field_errors *errors, const struct field_path *path, const CoreV1SleepAction *sleep,
	const CoreV1PodSpec *spec)
{
	int64_t grace = spec->termination_grace_period_seconds;
	if (spec->has_termination_grace_period_seconds && (sleep->seconds < 0 || sleep->seconds > grace))
		field_invalid_int(errors, path, sleep->seconds,
			arena_printf(errors->arena,
				"must be non-negative and less than terminationGracePeriodSeconds (%lld)",
				(long long)grace));
}

static void check_hook(struct field_errors *errors, const struct field_path *path, const CoreV1LifecycleHandler *h,
	const CoreV1PodSpec *spec)
{
	int n = 0;
	if (!h)
		return;
	if (h->exec && only_handler(errors, path, "exec", &n))
		check_exec(errors, FIELD(path, "exec"), h->exec);
	if (h->http_get && only_handler(errors, path, "httpGet", &n))
		check_http_get(errors, FIELD(path, "httpGet"), h->http_get);
	if (h->tcp_socket && only_handler(errors, path, "tcpSocket", &n))
		check_number_or_name(errors, FIELD(FIELD(path, "tcpSocket"), "port"), h->tcp_socket->port);
	if (h->sleep && only_handler(errors, path, "sleep", &n))
		check_sleep(errors, FIELD(path, "sleep"), h->sleep, spec);
	if (!n)
		field_required(errors, path, "must specify a handler type");
}

void validate_lifecycle(struct field_errors *errors, const struct field_path *path, const CoreV1Lifecycle *lifecycle,
	const CoreV1PodSpec *spec)
{
	if (!lifecycle)
		return;
	check_hook(errors, FIELD(path, "postStart"), lifecycle->post_start, spec);
	check_hook(errors, FIELD(path, "preStop"), lifecycle->pre_stop, spec);
}
