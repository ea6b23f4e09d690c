#include <inttypes.h>
#include "base/str.h"
#include "kubelet/admit/admit_private.h"
#include "kubelet/pod/resources.h"

struct candidates {
	const struct pod **items;
	size_t n_items;
};

static int64_t request_of(const struct pod *pod, const char *resource)
{
	if (str_eq(resource, "pods"))
		return 1;
	return str_eq(resource, "cpu") ? pod_request_cpu_milli(pod) : pod_request_value(pod, resource);
}

/* What is still short once these pods are gone. */
static struct admit_shortages less(const struct admit_shortages *shortages, const struct candidates *gone)
{
	struct admit_shortages left = {0};
	for (size_t i = 0; i < shortages->n_items; i++) {
		struct admit_shortage s = shortages->items[i];
		for (size_t j = 0; j < gone->n_items && s.amount > 0; j++)
			s.amount -= request_of(gone->items[j], s.resource);
		if (s.amount > 0)
			left.items[left.n_items++] = s;
	}
	return left;
}

/* How far the pod's end would leave us from what is short: the sum of squares of the fractions. */
static double distance(const struct admit_shortages *shortages, const struct pod *pod)
{
	double sum = 0;
	for (size_t i = 0; i < shortages->n_items; i++) {
		double amount = (double)shortages->items[i].amount;
		double rest = amount - (double)request_of(pod, shortages->items[i].resource);
		if (rest > 0)
			sum += rest / amount * (rest / amount);
	}
	return sum;
}

static bool smaller(const struct pod *a, const struct pod *b)
{
	int64_t x = pod_request_memory(a), y = pod_request_memory(b);
	if (x == y) {
		x = pod_request_cpu_milli(a);
		y = pod_request_cpu_milli(b);
	}
	return x <= y;
}

/* Moves pods from one list to the other until nothing is short: each time the one that helps most, the smaller of
 * equals. */
static void take_nearest(
	struct arena *arena, struct candidates from, struct admit_shortages shortages, struct candidates *ret)
{
	while (shortages.n_items && from.n_items) {
		size_t best = 0;
		double least = distance(&shortages, from.items[0]);
		for (size_t i = 1; i < from.n_items; i++) {
			double d = distance(&shortages, from.items[i]);
			if (d < least || (d <= least && smaller(from.items[i], from.items[best]))) {
				least = d;
				best = i;
			}
		}
		const struct pod *taken = from.items[best];
		ARENA_PUSH(arena, ret->items, ret->n_items) = taken;
		from.items[best] = from.items[--from.n_items];
		shortages = less(&shortages, &(struct candidates){&taken, 1});
	}
}

static struct candidates joined(struct arena *arena, const struct candidates *a, const struct candidates *b)
{
	struct candidates all = {0};
	for (size_t i = 0; i < a->n_items; i++)
		ARENA_PUSH(arena, all.items, all.n_items) = a->items[i];
	for (size_t i = 0; i < b->n_items; i++)
		ARENA_PUSH(arena, all.items, all.n_items) = b->items[i];
	return all;
}

static bool may_preempt(const struct pod *pod, const struct pod *other)
{
	const CoreV1PodSpec *a = pod_spec(pod), *b = pod_spec(other);
	if (pod_critical(pod) && !pod_critical(other))
		return true;
	return a->has_priority && b->has_priority && a->priority > b->priority;
}

static char *shortages_text(struct arena *arena, const struct admit_shortages *s)
{
	char *text = arena_strdup(arena, "[");
	for (size_t i = 0; i < s->n_items; i++)
		text = arena_printf(
			arena, "%s(res: %s, q: %" PRId64 "), ", text, s->items[i].resource, s->items[i].amount);
	return arena_printf(arena, "%s]", text);
}

bool admit_choose_victims(struct arena *arena, const struct admit_input *input, const struct pod *pod,
	const struct admit_shortages *shortages, struct admit_answer *answer)
{
	struct candidates by_qos[QOS_BEST_EFFORT + 1] = {0}, guaranteed = {0}, burstable = {0}, best_effort = {0};
	for (size_t i = 0; i < input->n_others; i++) {
		struct candidates *list = &by_qos[pod_qos(input->others[i])];
		if (may_preempt(pod, input->others[i]))
			ARENA_PUSH(arena, list->items, list->n_items) = input->others[i];
	}
	struct candidates cheap = joined(arena, &by_qos[QOS_BEST_EFFORT], &by_qos[QOS_BURSTABLE]);
	struct candidates all = joined(arena, &cheap, &by_qos[QOS_GUARANTEED]);
	struct admit_shortages left = less(shortages, &all);
	if (left.n_items) {
		answer->reason = "UnexpectedAdmissionError";
		answer->message = arena_printf(arena,
			"Unexpected error while attempting to recover from admission failure: preemption: error "
			"finding a set of pods to preempt: no set of running pods found to reclaim resources: %s",
			shortages_text(arena, &left));
		return false;
	}
	/* Guaranteed pods go only for what all others would not give; of the others the same, in their order. */
	take_nearest(arena, by_qos[QOS_GUARANTEED], less(shortages, &cheap), &guaranteed);
	struct candidates rest = joined(arena, &by_qos[QOS_BEST_EFFORT], &guaranteed);
	take_nearest(arena, by_qos[QOS_BURSTABLE], less(shortages, &rest), &burstable);
	rest = joined(arena, &burstable, &guaranteed);
	take_nearest(arena, by_qos[QOS_BEST_EFFORT], less(shortages, &rest), &best_effort);
	rest = joined(arena, &best_effort, &burstable);
	rest = joined(arena, &rest, &guaranteed);
	answer->victims = rest.items;
	answer->n_victims = rest.n_items;
	return true;
}
