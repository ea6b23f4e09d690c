#include "api/qos.h"
#include "api/quantity.h"
#include "base/cleanup.h"
#include "base/str.h"

enum { CPU, MEMORY, N_KINDS };
static const char *const kind_names[] = {[CPU] = "cpu", [MEMORY] = "memory"};

struct sums {
	struct quantity requests[N_KINDS], limits[N_KINDS];
	bool has_request[N_KINDS], has_limit[N_KINDS];
	bool all_limited; /* every container has both limits */
};

/* Adds what is above zero; which kinds were there. */
static void add(struct quantity *sums, bool *has, MapQuantityEntry *const *list, size_t n, bool *ret_found)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < N_KINDS; k++) {
			if (!str_eq(list[i]->key, kind_names[k]))
				continue;
			struct quantity q = quantity_of(list[i]->value);
			if (quantity_sign(&q) <= 0)
				continue;
			quantity_add(&sums[k], &q);
			has[k] = true;
			if (ret_found)
				ret_found[k] = true;
		}
}

static void add_resources(struct sums *sums, const CoreV1ResourceRequirements *r)
{
	bool limited[N_KINDS] = {false};
	if (r) {
		add(sums->requests, sums->has_request, r->requests, r->n_requests, NULL);
		add(sums->limits, sums->has_limit, r->limits, r->n_limits, limited);
	}
	sums->all_limited &= limited[CPU] && limited[MEMORY];
}

const char *pod_qos_class(const CoreV1PodSpec *spec)
{
	struct sums sums = {.all_limited = true};
	if (spec->resources) {
		add_resources(&sums, spec->resources);
	} else {
		for (size_t i = 0; i < spec->n_containers; i++)
			add_resources(&sums, spec->containers[i]->resources);
		for (size_t i = 0; i < spec->n_init_containers; i++)
			add_resources(&sums, spec->init_containers[i]->resources);
	}
	bool any = false, equal = true;
	for (size_t k = 0; k < N_KINDS; k++) {
		any |= sums.has_request[k] || sums.has_limit[k];
		equal &= sums.has_request[k] == sums.has_limit[k] &&
			 !quantity_compare(&sums.requests[k], &sums.limits[k]);
	}
	if (!any)
		return "BestEffort";
	return sums.all_limited && equal ? "Guaranteed" : "Burstable";
}
