#include "kubectl/describe/describe.h"
#include "kubectl/pods.h"

struct counts {
	int running, waiting, succeeded, failed;
};

static struct status *count_pods(struct desc *d, const cJSON *object, struct counts *ret)
{
	char *selector;
	cJSON **pods;
	size_t n;
	*ret = (struct counts){0};
	TRY(pod_selector(d->k, object, &selector));
	TRY(list_pods(d->k, obj_namespace(object), selector, &pods, &n));
	const char *uid = obj_string(object, "metadata.uid");
	for (size_t i = 0; i < n; i++) {
		const char *phase = obj_string(pods[i], "status.phase");
		bool owned = false;
		TREE_FOREACH (owner, obj_at(pods[i], "metadata.ownerReferences"))
			owned |= obj_bool(owner, "controller") && str_eq(obj_string(owner, "uid"), uid);
		if (!owned)
			continue;
		ret->running += str_eq(phase, "Running");
		ret->waiting += str_eq(phase, "Pending");
		ret->succeeded += str_eq(phase, "Succeeded");
		ret->failed += str_eq(phase, "Failed");
	}
	return NULL;
}

static struct status *describe_counts(struct desc *d, const cJSON *object)
{
	struct counts c;
	struct status *s = count_pods(d, object, &c);
	if (s) {
		line(d, 0, "Pods Status:\terror in fetching pods: %s\n", s->message);
		status_free(s);
		return NULL;
	}
	line(d, 0, "Pods Status:\t%d Running / %d Waiting / %d Succeeded / %d Failed\n", c.running, c.waiting,
		c.succeeded, c.failed);
	return NULL;
}

static void describe_conditions(struct desc *d, const cJSON *conditions)
{
	if (!tree_size(conditions))
		return;
	line(d, 0, "Conditions:\n  Type\tStatus\tReason\n");
	line(d, 1, "----\t------\t------\n");
	TREE_FOREACH (c, conditions)
		line(d, 1, "%s \t%s\t%s\n", obj_string(c, "type"), obj_string(c, "status"), obj_string(c, "reason"));
}

/* Templates are the same when they differ in nothing but the hash label. */
static bool same_template(struct arena *arena, const cJSON *a, const cJSON *b)
{
	cJSON *ca = tree_copy(arena, a), *cb = tree_copy(arena, b);
	(void)tree_remove(obj_at(ca, "metadata.labels"), "pod-template-hash");
	(void)tree_remove(obj_at(cb, "metadata.labels"), "pod-template-hash");
	return tree_equal(ca, cb);
}

static void describe_replica_sets(struct desc *d, const cJSON *deployment)
{
	static const struct client_resource sets = {
		.group = "apps", .version = "v1", .plural = "replicasets", .namespaced = true};
	cJSON *list;
	char *old = NULL, *present = NULL;
	struct status *s = rest_get(
		d->k, d->arena, client_path(d->arena, &sets, obj_namespace(deployment), NULL, NULL), NULL, &list);
	if (s) {
		status_drop(s, "the rest of the description does without");
		return;
	}
	TREE_FOREACH (set, tree_get(list, "items")) {
		bool owned = false;
		TREE_FOREACH (owner, obj_at(set, "metadata.ownerReferences"))
			owned |= str_eq(obj_string(owner, "uid"), obj_string(deployment, "metadata.uid"));
		if (!owned)
			continue;
		char *text = arena_printf(d->arena, "%s (%lld/%lld replicas created)", obj_name(set),
			(long long)obj_int(set, "status.replicas", 0), (long long)obj_int(set, "spec.replicas", 1));
		if (!present &&
			same_template(d->arena, obj_at(set, "spec.template"), obj_at(deployment, "spec.template")))
			present = text;
		else
			old = old ? arena_printf(d->arena, "%s, %s", old, text) : text;
	}
	if (!old && !present)
		return;
	line(d, 0, "OldReplicaSets:\t%s\n", str_or(old, "<none>"));
	line(d, 0, "NewReplicaSet:\t%s\n", str_or(present, "<none>"));
}

struct status *describe_deployment(struct desc *d, const cJSON *o)
{
	line(d, 0, "Name:\t%s\n", obj_name(o));
	line(d, 0, "Namespace:\t%s\n", obj_namespace(o));
	line(d, 0, "CreationTimestamp:\t%s\n", rfc1123(d->arena, obj_string(o, "metadata.creationTimestamp")));
	describe_labels(d, "Labels", obj_at(o, "metadata.labels"));
	describe_annotations(d, "Annotations", obj_at(o, "metadata.annotations"));
	line(d, 0, "Selector:\t%s\n", obj_format_selector(d->arena, obj_at(o, "spec.selector"), ""));
	line(d, 0, "Replicas:\t%lld desired | %lld updated | %lld total | %lld available | %lld unavailable\n",
		(long long)obj_int(o, "spec.replicas", 1), (long long)obj_int(o, "status.updatedReplicas", 0),
		(long long)obj_int(o, "status.replicas", 0), (long long)obj_int(o, "status.availableReplicas", 0),
		(long long)obj_int(o, "status.unavailableReplicas", 0));
	line(d, 0, "StrategyType:\t%s\n", obj_string(o, "spec.strategy.type"));
	line(d, 0, "MinReadySeconds:\t%lld\n", (long long)obj_int(o, "spec.minReadySeconds", 0));
	if (obj_has(o, "spec.strategy.rollingUpdate"))
		line(d, 0, "RollingUpdateStrategy:\t%s max unavailable, %s max surge\n",
			text_of(d, o, "spec.strategy.rollingUpdate.maxUnavailable", ""),
			text_of(d, o, "spec.strategy.rollingUpdate.maxSurge", ""));
	describe_pod_template(d, obj_at(o, "spec.template"));
	describe_conditions(d, obj_at(o, "status.conditions"));
	describe_replica_sets(d, o);
	describe_events(d, o);
	return NULL;
}

static struct status *describe_replicas(struct desc *d, const cJSON *o, const char *selector)
{
	line(d, 0, "Name:\t%s\n", obj_name(o));
	line(d, 0, "Namespace:\t%s\n", obj_namespace(o));
	line(d, 0, "Selector:\t%s\n", selector);
	describe_labels(d, "Labels", obj_at(o, "metadata.labels"));
	describe_annotations(d, "Annotations", obj_at(o, "metadata.annotations"));
	if (*controller_of(d->arena, o))
		line(d, 0, "Controlled By:\t%s\n", controller_of(d->arena, o));
	line(d, 0, "Replicas:\t%lld current / %lld desired\n", (long long)obj_int(o, "status.replicas", 0),
		(long long)obj_int(o, "spec.replicas", 1));
	TRY(describe_counts(d, o));
	describe_pod_template(d, obj_at(o, "spec.template"));
	describe_conditions(d, obj_at(o, "status.conditions"));
	describe_events(d, o);
	return NULL;
}

struct status *describe_replica_set(struct desc *d, const cJSON *o)
{
	return describe_replicas(d, o, obj_format_selector(d->arena, obj_at(o, "spec.selector"), "<none>"));
}

struct status *describe_replication_controller(struct desc *d, const cJSON *o)
{
	return describe_replicas(d, o, obj_format_map(d->arena, obj_at(o, "spec.selector"), "<none>"));
}

struct status *describe_daemon_set(struct desc *d, const cJSON *o)
{
	static const struct {
		const char *title, *path;
	} counts[] = {{"Desired Number of Nodes Scheduled", "status.desiredNumberScheduled"},
		{"Current Number of Nodes Scheduled", "status.currentNumberScheduled"},
		{"Number of Nodes Scheduled with Up-to-date Pods", "status.updatedNumberScheduled"},
		{"Number of Nodes Scheduled with Available Pods", "status.numberAvailable"},
		{"Number of Nodes Misscheduled", "status.numberMisscheduled"}};
	line(d, 0, "Name:\t%s\n", obj_name(o));
	line(d, 0, "Namespace:\t%s\n", obj_namespace(o));
	line(d, 0, "Selector:\t%s\n", obj_format_selector(d->arena, obj_at(o, "spec.selector"), ""));
	line(d, 0, "Node-Selector:\t%s\n",
		obj_format_map(d->arena, obj_at(o, "spec.template.spec.nodeSelector"), "<none>"));
	describe_labels(d, "Labels", obj_at(o, "metadata.labels"));
	describe_annotations(d, "Annotations", obj_at(o, "metadata.annotations"));
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
		line(d, 0, "%s: %lld\n", counts[i].title, (long long)obj_int(o, counts[i].path, 0));
	TRY(describe_counts(d, o));
	describe_pod_template(d, obj_at(o, "spec.template"));
	describe_events(d, o);
	return NULL;
}

struct status *describe_stateful_set(struct desc *d, const cJSON *o)
{
	line(d, 0, "Name:\t%s\n", obj_name(o));
	line(d, 0, "Namespace:\t%s\n", obj_namespace(o));
	line(d, 0, "CreationTimestamp:\t%s\n", rfc1123(d->arena, obj_string(o, "metadata.creationTimestamp")));
	line(d, 0, "Selector:\t%s\n", obj_format_selector(d->arena, obj_at(o, "spec.selector"), ""));
	describe_labels(d, "Labels", obj_at(o, "metadata.labels"));
	describe_annotations(d, "Annotations", obj_at(o, "metadata.annotations"));
	line(d, 0, "Replicas:\t%lld desired | %lld total\n", (long long)obj_int(o, "spec.replicas", 1),
		(long long)obj_int(o, "status.replicas", 0));
	line(d, 0, "Update Strategy:\t%s\n", obj_string(o, "spec.updateStrategy.type"));
	if (obj_has(o, "spec.updateStrategy.rollingUpdate.partition"))
		line(d, 1, "Partition:\t%lld\n",
			(long long)obj_int(o, "spec.updateStrategy.rollingUpdate.partition", 0));
	TRY(describe_counts(d, o));
	describe_pod_template(d, obj_at(o, "spec.template"));
	TREE_FOREACH (claim, obj_at(o, "spec.volumeClaimTemplates")) {
		if (claim == obj_at(o, "spec.volumeClaimTemplates.0"))
			line(d, 0, "Volume Claims:\n");
		line(d, 1, "Name:\t%s\n", obj_name(claim));
		line(d, 1, "StorageClass:\t%s\n", obj_string(claim, "spec.storageClassName"));
		describe_labels(d, "  Labels", obj_at(claim, "metadata.labels"));
		describe_annotations(d, "  Annotations", obj_at(claim, "metadata.annotations"));
		line(d, 1, "Capacity:\t%s\n", text_of(d, claim, "spec.resources.requests.storage", "<default>"));
		line(d, 1, "Access Modes:\t[%s]\n", join_strings(d->arena, obj_at(claim, "spec.accessModes"), " "));
	}
	if (!tree_size(obj_at(o, "spec.volumeClaimTemplates")))
		line(d, 0, "Volume Claims:\t<none>\n");
	describe_events(d, o);
	return NULL;
}

struct status *describe_job(struct desc *d, const cJSON *o)
{
	line(d, 0, "Name:\t%s\n", obj_name(o));
	line(d, 0, "Namespace:\t%s\n", obj_namespace(o));
	line(d, 0, "Selector:\t%s\n", obj_format_selector(d->arena, obj_at(o, "spec.selector"), ""));
	describe_labels(d, "Labels", obj_at(o, "metadata.labels"));
	describe_annotations(d, "Annotations", obj_at(o, "metadata.annotations"));
	if (*controller_of(d->arena, o))
		line(d, 0, "Controlled By:\t%s\n", controller_of(d->arena, o));
	line(d, 0, "Parallelism:\t%s\n", text_of(d, o, "spec.parallelism", "<unset>"));
	line(d, 0, "Completions:\t%s\n", text_of(d, o, "spec.completions", "<unset>"));
	line(d, 0, "Completion Mode:\t%s\n", text_of(d, o, "spec.completionMode", "NonIndexed"));
	line(d, 0, "Suspend:\t%s\n", text_of(d, o, "spec.suspend", "false"));
	line(d, 0, "Backoff Limit:\t%s\n", text_of(d, o, "spec.backoffLimit", "6"));
	if (obj_has(o, "status.startTime"))
		line(d, 0, "Start Time:\t%s\n", rfc1123(d->arena, obj_string(o, "status.startTime")));
	if (obj_has(o, "status.completionTime"))
		line(d, 0, "Completed At:\t%s\n", rfc1123(d->arena, obj_string(o, "status.completionTime")));
	if (obj_has(o, "spec.activeDeadlineSeconds"))
		line(d, 0, "Active Deadline Seconds:\t%llds\n", (long long)obj_int(o, "spec.activeDeadlineSeconds", 0));
	line(d, 0, "Pods Statuses:\t%lld Active (%lld Ready) / %lld Succeeded / %lld Failed\n",
		(long long)obj_int(o, "status.active", 0), (long long)obj_int(o, "status.ready", 0),
		(long long)obj_int(o, "status.succeeded", 0), (long long)obj_int(o, "status.failed", 0));
	describe_pod_template(d, obj_at(o, "spec.template"));
	describe_events(d, o);
	return NULL;
}

static void describe_job_template(struct desc *d, const cJSON *template)
{
	const cJSON *spec = tree_get(template, "spec");
	const cJSON *selector = tree_get(spec, "selector");
	line(d, 0, "Selector:\t%s\n", selector ? obj_format_selector(d->arena, selector, "") : "<unset>");
	line(d, 0, "Parallelism:\t%s\n", text_of(d, spec, "parallelism", "<unset>"));
	line(d, 0, "Completions:\t%s\n", text_of(d, spec, "completions", "<unset>"));
	if (obj_has(spec, "activeDeadlineSeconds"))
		line(d, 0, "Active Deadline Seconds:\t%llds\n", (long long)obj_int(spec, "activeDeadlineSeconds", 0));
	describe_pod_template(d, tree_get(spec, "template"));
}

struct status *describe_cron_job(struct desc *d, const cJSON *o)
{
	CLEANUP(strbuf_done) struct strbuf active = STRBUF_INIT;
	describe_head(d, o);
	line(d, 0, "Schedule:\t%s\n", obj_string(o, "spec.schedule"));
	line(d, 0, "Concurrency Policy:\t%s\n", obj_string(o, "spec.concurrencyPolicy"));
	line(d, 0, "Suspend:\t%s\n",
		!obj_has(o, "spec.suspend")   ? "<unset>"
		: obj_bool(o, "spec.suspend") ? "True"
					      : "False");
	line(d, 0, "Successful Job History Limit:\t%s\n", text_of(d, o, "spec.successfulJobsHistoryLimit", "<unset>"));
	line(d, 0, "Failed Job History Limit:\t%s\n", text_of(d, o, "spec.failedJobsHistoryLimit", "<unset>"));
	if (obj_has(o, "spec.startingDeadlineSeconds"))
		line(d, 0, "Starting Deadline Seconds:\t%llds\n",
			(long long)obj_int(o, "spec.startingDeadlineSeconds", 0));
	else
		line(d, 0, "Starting Deadline Seconds:\t<unset>\n");
	describe_job_template(d, obj_at(o, "spec.jobTemplate"));
	line(d, 0, "Last Schedule Time:\t%s\n",
		obj_has(o, "status.lastScheduleTime") ? rfc1123(d->arena, obj_string(o, "status.lastScheduleTime"))
						      : "<unset>");
	TREE_FOREACH (job, obj_at(o, "status.active"))
		strbuf_printf(&active, "%s%s", active.len ? ", " : "", obj_string(job, "name"));
	line(d, 0, "Active Jobs:\t%s\n", active.len ? active.buf : "<none>");
	describe_events(d, o);
	return NULL;
}
