#include "kubelet/figures.h"

static const double usual[] = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};
static const double calls[] = {0.005, 0.0125, 0.03125, 0.078125, 0.1953125, 0.48828125, 1.220703125, 3.0517578125,
	7.62939453125, 19.073486328125, 47.6837158203125, 119.20928955078125, 298.0232238769531, 745.0580596923828};
static const double statuses[] = {0.01, 0.05, 0.1, 0.5, 1, 5, 10, 20, 30, 45, 60};
static const double starts[] = {
	0.5, 1, 2, 3, 4, 5, 6, 8, 10, 20, 30, 45, 60, 120, 180, 240, 300, 360, 480, 600, 900, 1200, 1800, 2700, 3600};

struct kubelet_figures kubelet_figures(struct metrics *m)
{
	static const char *const by_operation[] = {"operation_type", NULL}, *const by_type[] = {"container_type", NULL},
				 *const by_code[] = {"container_type", "code", NULL};
	if (!m)
		return (struct kubelet_figures){0};
	return (struct kubelet_figures){
		.calls = metrics_counter(
			m, "kubelet_runtime_operations_total", "Calls of the container runtime.", by_operation),
		.failed_calls = metrics_counter(m, "kubelet_runtime_operations_errors_total",
			"Calls of the container runtime that failed.", by_operation),
		.call_seconds = metrics_histogram(m, "kubelet_runtime_operations_duration_seconds",
			"How long calls of the container runtime took.", by_operation, calls, ARRAY_SIZE(calls)),
		.relist_seconds = metrics_histogram(m, "kubelet_pleg_relist_duration_seconds",
			"How long it took to list what runs.", NULL, usual, ARRAY_SIZE(usual)),
		.relist_interval = metrics_histogram(m, "kubelet_pleg_relist_interval_seconds",
			"How long it was between two lists of what runs.", NULL, usual, ARRAY_SIZE(usual)),
		.last_relist = metrics_gauge(m, "kubelet_pleg_last_seen_seconds",
			"When what runs was listed last, in seconds since 1970.", NULL),
		.sync_seconds = metrics_histogram(m, "kubelet_pod_worker_duration_seconds",
			"How long one step of a pod took, by kind.", by_operation, usual, ARRAY_SIZE(usual)),
		.start_seconds = metrics_histogram(m, "kubelet_pod_start_duration_seconds",
			"How long pods took from when they were first seen until they ran.", NULL, starts,
			ARRAY_SIZE(starts)),
		.pod_starts = metrics_counter(m, "kubelet_started_pods_total", "Pods whose sandbox was begun.", NULL),
		.failed_pod_starts = metrics_counter(
			m, "kubelet_started_pods_errors_total", "Pods whose sandbox could not be made.", NULL),
		.container_starts = metrics_counter(
			m, "kubelet_started_containers_total", "Containers that were begun, by type.", by_type),
		.failed_container_starts = metrics_counter(m, "kubelet_started_containers_errors_total",
			"Containers that could not be started, by type and reason.", by_code),
		.status_seconds = metrics_histogram(m, "kubelet_pod_status_sync_duration_seconds",
			"From a change of a pod's status until the apiserver had it.", NULL, statuses,
			ARRAY_SIZE(statuses)),
		.client_renewals_failed =
			metrics_counter(m, "kubelet_certificate_manager_client_expiration_renew_errors",
				"Renewals of the client certificate that failed.", NULL),
		.server_renewals_failed = metrics_counter(m, "kubelet_server_expiration_renew_errors",
			"Renewals of the serving certificate that failed.", NULL),
	};
}
