#include "controller-manager/job/policy.h"

#include "base/str.h"
#include "controller-manager/support/pods.h"

bool job_is_indexed(const BatchV1Job *job)
{
	return str_eq(job->spec->completion_mode, "Indexed");
}

bool job_is_suspended(const BatchV1Job *job)
{
	return job->spec->has_suspend && job->spec->suspend;
}

bool job_replaces_failed_only(const BatchV1Job *job)
{
	return str_eq(job->spec->pod_replacement_policy, "Failed");
}

const BatchV1JobCondition *job_condition(const BatchV1JobStatus *status, const char *type)
{
	for (size_t i = 0; i < status->n_conditions; i++)
		if (str_eq(status->conditions[i]->type, type))
			return status->conditions[i];
	return NULL;
}

bool job_is_finished(const BatchV1Job *job)
{
	const BatchV1JobCondition *complete = job_condition(job->status, "Complete");
	const BatchV1JobCondition *failed = job_condition(job->status, "Failed");
	return (complete && str_eq(complete->status, "True")) || (failed && str_eq(failed->status, "True"));
}

bool job_pod_has_failed(const BatchV1Job *job, const CoreV1Pod *pod)
{
	if (str_eq(pod->status->phase, "Failed"))
		return true;
	/* One that is deleted may never come to say that it failed. */
	return !job_replaces_failed_only(job) && pod->metadata->deletion_timestamp &&
	       !str_eq(pod->status->phase, "Succeeded");
}

static bool has_code(const BatchV1PodFailurePolicyOnExitCodesRequirement *r, int32_t code)
{
	for (size_t i = 0; i < r->n_values; i++)
		if (r->values[i] == code)
			return true;
	return false;
}

static const CoreV1ContainerStatus *exit_matches(
	CoreV1ContainerStatus *const *list, size_t n, const BatchV1PodFailurePolicyOnExitCodesRequirement *r)
{
	for (size_t i = 0; i < n; i++) {
		const CoreV1ContainerStateTerminated *t = list[i]->state ? list[i]->state->terminated : NULL;
		if (!t || !t->exit_code || (r->container_name && !str_eq(r->container_name, list[i]->name)))
			continue;
		if (has_code(r, t->exit_code) == str_eq(r->operator, "In"))
			return list[i];
	}
	return NULL;
}

static const CoreV1PodCondition *condition_matches(const CoreV1Pod *pod, const BatchV1PodFailurePolicyRule *rule)
{
	for (size_t i = 0; i < pod->status->n_conditions; i++)
		for (size_t j = 0; j < rule->n_on_pod_conditions; j++)
			if (str_eq(pod->status->conditions[i]->type, rule->on_pod_conditions[j]->type) &&
				str_eq(pod->status->conditions[i]->status, rule->on_pod_conditions[j]->status))
				return pod->status->conditions[i];
	return NULL;
}

static enum job_failure action_of(const BatchV1PodFailurePolicyRule *rule)
{
	return str_eq(rule->action, "Ignore")	   ? FAILURE_IGNORED
	       : str_eq(rule->action, "FailIndex") ? FAILURE_FAILS_INDEX
	       : str_eq(rule->action, "FailJob")   ? FAILURE_FAILS_JOB
						   : FAILURE_COUNTS;
}

enum job_failure job_judge_failure(
	struct arena *arena, const BatchV1Job *job, const CoreV1Pod *pod, const char **ret_message)
{
	const BatchV1PodFailurePolicy *policy = job->spec->pod_failure_policy;
	const MetaV1ObjectMeta *meta = pod->metadata;
	for (size_t i = 0; policy && i < policy->n_rules; i++) {
		const BatchV1PodFailurePolicyRule *rule = policy->rules[i];
		if (rule->on_exit_codes) {
			const CoreV1ContainerStatus *c = exit_matches(pod->status->container_statuses,
				pod->status->n_container_statuses, rule->on_exit_codes);
			if (!c)
				c = exit_matches(pod->status->init_container_statuses,
					pod->status->n_init_container_statuses, rule->on_exit_codes);
			if (!c)
				continue;
			*ret_message = arena_printf(arena,
				"Container %s for pod %s/%s failed with exit code %d matching %s rule at index %zu",
				c->name, meta->namespace, meta->name, c->state->terminated->exit_code, rule->action, i);
			return action_of(rule);
		}
		const CoreV1PodCondition *c = condition_matches(pod, rule);
		if (!c)
			continue;
		*ret_message = arena_printf(arena, "Pod %s/%s has condition %s matching %s rule at index %zu",
			meta->namespace, meta->name, c->type, rule->action, i);
		return action_of(rule);
	}
	return FAILURE_COUNTS;
}

int job_success_rule(struct arena *arena, const BatchV1Job *job, const struct index_set *succeeded)
{
	const BatchV1SuccessPolicy *policy = job->spec->success_policy;
	int32_t total = index_set_count(succeeded);
	for (size_t i = 0; policy && total && i < policy->n_rules; i++) {
		const BatchV1SuccessPolicyRule *rule = policy->rules[i];
		int32_t have = total, want = rule->has_succeeded_count ? rule->succeeded_count : INT32_MAX;
		if (rule->succeeded_indexes) {
			struct index_set asked = index_set_parse(arena, rule->succeeded_indexes, succeeded->n);
			if (!rule->has_succeeded_count)
				want = index_set_count(&asked);
			if (!index_set_count(&asked))
				continue;
			have = 0;
			for (int32_t j = 0; j < asked.n; j++)
				have += asked.has[j] && succeeded->has[j];
		}
		if (have >= want)
			return (int)i;
	}
	return -1;
}

int32_t pod_annotation_count(const CoreV1Pod *pod, const char *annotation)
{
	const char *text = ANNOTATION_GET(pod->metadata, annotation);
	int64_t value;
	return text && str_to_int64(text, 0, INT32_MAX, &value) ? (int32_t)value : 0;
}

int32_t pod_completion_index(const CoreV1Pod *pod)
{
	const char *text = ANNOTATION_GET(pod->metadata, JOB_INDEX);
	int64_t value;
	return text && str_to_int64(text, 0, INT32_MAX, &value) ? (int32_t)value : -1;
}

/* The last container's end; 0 while one has not ended. */
static int64_t containers_finished_ns(const CoreV1Pod *pod)
{
	int64_t latest = 0;
	for (size_t i = 0; i < pod->status->n_container_statuses; i++) {
		const CoreV1ContainerState *state = pod->status->container_statuses[i]->state;
		int64_t at = state && state->terminated ? time_ns(state->terminated->finished_at) : 0;
		if (!at)
			return 0;
		latest = at > latest ? at : latest;
	}
	return latest;
}

int64_t pod_finished_ns(const CoreV1Pod *pod)
{
	int64_t at = containers_finished_ns(pod);
	const CoreV1PodCondition *ready = pod_condition(pod, "Ready");
	if (!at && ready && str_eq(ready->status, "False"))
		at = time_ns(ready->last_transition_time);
	if (!at && pod->metadata->deletion_timestamp)
		at = time_ns(pod->metadata->deletion_timestamp) -
		     pod->metadata->deletion_grace_period_seconds * 1000000000;
	return at ? at : time_ns(pod->metadata->creation_timestamp);
}
