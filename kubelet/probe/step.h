/*
 * The state machine of one probe: whether to attempt now, and when a row of outcomes becomes a result. Pure.
 */
#ifndef KUBELET_PROBE_STEP_H
#define KUBELET_PROBE_STEP_H

#include "kubelet/probe/probe.h"

struct probe_step {
	enum probe_type type;
	enum probe_result initial; /* of a container that was not probed yet */
	char *container_id;	   /* owned; NULL before the first */
	bool on_hold;		   /* the result is final for this container */
	bool last_success;
	int32_t run; /* how many of the last outcomes were equal */
};

struct probe_facts {
	bool running;
	bool terminated;
	bool started;  /* the startup probe has passed, or there is none */
	bool restarts; /* a container that ends is started again */
	bool deleting;
	int64_t age_s; /* since the container started */
};

enum probe_decision { PROBE_WAIT, PROBE_ATTEMPT, PROBE_SET_FAILURE, PROBE_SET_SUCCESS, PROBE_END };

void probe_step_new_container(struct probe_step *step, const char *id);
enum probe_decision probe_step_decide(
	const struct probe_step *step, const CoreV1Probe *spec, const struct probe_facts *facts);
/* Notes an outcome; returns whether it is to be taken for the result. */
bool probe_step_outcome(struct probe_step *step, const CoreV1Probe *spec, bool success);

#endif
