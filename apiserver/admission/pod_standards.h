/*
 * The Pod Security Standards: what a pod of a level may not do, as of a version of the standards.
 *
 *	struct pod_findings found;
 *	pod_standard_check(arena, &standard, pod->metadata, pod->spec, &found);
 *	if (found.n)
 *		… pod_findings_text(arena, &found, true)
 *
 * Ownership: findings live in the arena.
 */
#ifndef APISERVER_ADMISSION_POD_STANDARDS_H
#define APISERVER_ADMISSION_POD_STANDARDS_H

#include <limits.h>
#include <stdbool.h>
#include "api/types.h"
#include "base/arena.h"

enum pod_level { POD_PRIVILEGED, POD_BASELINE, POD_RESTRICTED };
#define POD_LATEST INT_MAX

struct pod_standard {
	enum pod_level level;
	int version; /* of 1.x the x, or POD_LATEST */
};

struct pod_findings {
	char **reasons, **details;
	size_t n;
};

/* What the pod, or what pods are made of, does beyond the standard. */
void pod_standard_check(struct arena *arena, const struct pod_standard *standard, const MetaV1ObjectMeta *meta,
	const CoreV1PodSpec *spec, struct pod_findings *ret_found);
/* The reasons in one line, each with its detail if that is wanted. */
char *pod_findings_text(struct arena *arena, const struct pod_findings *found, bool details);

const char *pod_level_name(enum pod_level level);
/* "baseline:latest" */
char *pod_standard_text(struct arena *arena, const struct pod_standard *standard);
/* "latest", "v1.30" */
char *pod_version_text(struct arena *arena, int version);

#endif
