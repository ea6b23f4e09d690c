/*
 * Pods of one controller have the same namespace and labels, so a selector is asked once for each distinct set and the
 * answer is remembered for the cycle: counting matching pods is then a look into a small array for each pod.
 */
#ifndef SCHEDULER_SET_MEMO_H
#define SCHEDULER_SET_MEMO_H

#include "scheduler/nodes.h"

struct set_memo {
	int8_t *answers; /* by label set: 0 not asked, 1 yes, -1 no */
	size_t n_answers;
};

/* For the label sets that the table knows now; in the arena. */
struct set_memo set_memo_make(struct arena *arena, const struct nodes *nodes);

/* Remembers answer for the pod's set (if it has one that was known) and returns it. */
static inline bool set_memo_put(struct set_memo *memo, const struct pod_info *pod, bool answer)
{
	if (pod->label_set < memo->n_answers)
		memo->answers[pod->label_set] = answer ? 1 : -1;
	return answer;
}

/* 1 yes, -1 no, 0 ask. */
static inline int set_memo_get(const struct set_memo *memo, const struct pod_info *pod)
{
	return pod->label_set < memo->n_answers ? memo->answers[pod->label_set] : 0;
}

#endif
