#include "kubelet/probe/step.h"

#include "base/mem.h"

void probe_step_new_container(struct probe_step *step, const char *id)
{
	free(step->container_id);
	step->container_id = mem_strdup(id);
	step->on_hold = false;
}

enum probe_decision probe_step_decide(
	const struct probe_step *step, const CoreV1Probe *spec, const struct probe_facts *facts)
{
	if (step->on_hold)
		return PROBE_WAIT;
	if (!facts->running)
		return PROBE_SET_FAILURE;
	if (facts->deleting && step->type != PROBE_READINESS)
		return PROBE_SET_SUCCESS;
	if (facts->age_s < spec->initial_delay_seconds)
		return PROBE_WAIT;
	/* The startup probe comes before the others, and ends when it has passed. */
	if (facts->started == (step->type == PROBE_STARTUP))
		return PROBE_WAIT;
	return PROBE_ATTEMPT;
}

bool probe_step_outcome(struct probe_step *step, const CoreV1Probe *spec, bool success)
{
	if (step->run && step->last_success == success)
		step->run++;
	else
		step->run = 1;
	step->last_success = success;
	int32_t needed = success ? spec->success_threshold : spec->failure_threshold;
	if (step->run < needed)
		return false;
	if ((step->type == PROBE_LIVENESS && !success) || step->type == PROBE_STARTUP) {
		/* A container about to be restarted, or that has started, is not asked again. */
		step->on_hold = true;
		step->run = 0;
	}
	return true;
}
