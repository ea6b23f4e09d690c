/* kubectl drain, cordon and uncordon. */
#include "kubectl/await.h"
#include "kubectl/send.h"
#include "kubectl/verbs/verbs.h"
#include "net/url.h"

#define RETRY_MS 5000

struct drain_options {
	struct print_options print;
	char *dry_run, *pod_selector, *selector;
	bool delete_emptydir, disable_eviction, force, ignore_daemonsets;
	int64_t chunk_size, grace, skip_wait_seconds, timeout_ms;
};

#define D(...) OPT(struct drain_options, __VA_ARGS__)
static const struct option drain_flags[] = {
	OPT_DRY_RUN(struct drain_options, dry_run),
	D(chunk_size, 0, "chunk-size", FLAG_INT, "500", "Fetch long lists in pieces of this size"),
	D(delete_emptydir, 0, "delete-emptydir-data", FLAG_BOOL, "false", "Go on although pods keep data in emptyDirs"),
	D(delete_emptydir, 0, "delete-local-data", FLAG_BOOL, "false", "The older name of --delete-emptydir-data"),
	D(disable_eviction, 0, "disable-eviction", FLAG_BOOL, "false", "Delete pods; do not ask disruption budgets"),
	D(force, 0, "force", FLAG_BOOL, "false", "Go on although pods have no controller"),
	D(grace, 0, "grace-period", FLAG_INT, "-1", "Seconds to end gracefully; negative: as each pod says"),
	D(ignore_daemonsets, 0, "ignore-daemonsets", FLAG_BOOL, "false", "Pass over pods of daemon sets"),
	D(pod_selector, 0, "pod-selector", FLAG_STRING, "", "Only pods with these labels"),
	D(selector, 'l', "selector", FLAG_STRING, "", "Select nodes by labels"),
	D(skip_wait_seconds, 0, "skip-wait-for-delete-timeout", FLAG_INT, "0",
		"Do not wait for pods that have been ending for longer than this"),
	D(timeout_ms, 0, "timeout", FLAG_DURATION, "0s", "How long to try; 0: for ever"),
	OPT_END,
};
static const struct option cordon_flags[] = {
	OPT_DRY_RUN(struct drain_options, dry_run),
	D(selector, 'l', "selector", FLAG_STRING, "", "Select nodes by labels"),
	OPT_END,
};

struct drainer {
	struct kubectl *k;
	struct drain_options *o;
	enum dry_run dry_run;
	const struct api_resource *pods;
	int64_t deadline;
};

static struct status *cordon_one(struct drainer *d, struct info *info, bool desired)
{
	const char *operation = desired ? "cordoned" : "uncordoned";
	struct send_options send = {.dry_run = d->dry_run};
	if (obj_bool(info->object, "spec.unschedulable") == desired)
		return print_result(d->k, &d->o->print, desired ? "already cordoned" : "already uncordoned", d->dry_run,
			info->object);
	if (d->dry_run != DRY_RUN_CLIENT) {
		const char *patch =
			desired ? "{\"spec\":{\"unschedulable\":true}}" : "{\"spec\":{\"unschedulable\":null}}";
		struct status *s = send_patch(d->k, info, CLIENT_PATCH_STRATEGIC, patch, &send, &info->object);
		if (s) {
			fprintf(stderr, "error: unable to %s node \"%s\": %s\n", desired ? "cordon" : "uncordon",
				info->name, s->message);
			status_free(s);
			return NULL;
		}
	}
	return print_result(d->k, &d->o->print, operation, d->dry_run, info->object);
}

enum verdict { EVICT, SKIP, WARN_EVICT, WARN_SKIP, REFUSE };

static const cJSON *controller(const cJSON *pod)
{
	TREE_FOREACH (owner, obj_at(pod, "metadata.ownerReferences"))
		if (obj_bool(owner, "controller"))
			return owner;
	return NULL;
}

static bool has_local_storage(const cJSON *pod)
{
	TREE_FOREACH (volume, obj_at(pod, "spec.volumes"))
		if (obj_has(volume, "emptyDir"))
			return true;
	return false;
}

static enum verdict judge_daemon(struct drainer *d, const cJSON *pod, const cJSON *owner, const char **ret_why)
{
	struct client_resource sets = {.group = "apps", .version = "v1", .plural = "daemonsets", .namespaced = true};
	cJSON *set;
	struct status *s = rest_get(d->k, d->k->arena,
		client_path(d->k->arena, &sets, obj_namespace(pod), obj_string(owner, "name"), NULL), NULL, &set);
	if (s) {
		bool gone = status_is(s, STATUS_NOT_FOUND) && d->o->force;
		*ret_why = arena_strdup(d->k->arena, s->message);
		status_free(s);
		return gone ? WARN_EVICT : REFUSE;
	}
	*ret_why = d->o->ignore_daemonsets ? "ignoring DaemonSet-managed Pods"
					   : "DaemonSet-managed Pods (use --ignore-daemonsets to ignore)";
	return d->o->ignore_daemonsets ? WARN_SKIP : REFUSE;
}

/* What is to become of a pod, by the rules in the order of the original; the last that says anything gives the reason.
 */
static enum verdict judge(struct drainer *d, const cJSON *pod, const char **ret_why)
{
	const char *phase = obj_string(pod, "status.phase");
	const cJSON *owner = controller(pod);
	bool ended = str_eq(phase, "Succeeded") || str_eq(phase, "Failed");
	enum verdict verdict = EVICT;
	*ret_why = NULL;
	if (d->o->skip_wait_seconds > 0 && obj_has(pod, "metadata.deletionTimestamp"))
		return SKIP;
	if (owner && str_eq(obj_string(owner, "kind"), "DaemonSet") && !ended) {
		verdict = judge_daemon(d, pod, owner, ret_why);
		if (verdict != EVICT && verdict != WARN_EVICT)
			return verdict;
	}
	if (*obj_annotation(pod, "kubernetes.io/config.mirror"))
		return SKIP;
	if (has_local_storage(pod) && !ended) {
		if (!d->o->delete_emptydir) {
			*ret_why = "Pods with local storage (use --delete-emptydir-data to override)";
			return REFUSE;
		}
		*ret_why = NULL; /* only the last rule's warning is shown */
		verdict = EVICT;
	}
	if (!owner && !ended) {
		*ret_why = d->o->force ? "deleting Pods that declare no controller"
				       : "cannot delete Pods that declare no controller (use --force to override)";
		verdict = d->o->force ? WARN_EVICT : REFUSE;
	}
	return verdict;
}

/* Names of pods by the reason that concerns them: "reason: ns/a, ns/b". */
static void add_reason(struct arena *arena, cJSON *reasons, const char *why, const cJSON *pod)
{
	const char *sofar = tree_string(tree_get(reasons, why));
	char *name = arena_printf(arena, "%s/%s", obj_namespace(pod), obj_name(pod));
	tree_set_string(arena, reasons, why, sofar ? arena_printf(arena, "%s, %s", sofar, name) : name);
}

static char *join_reasons(struct arena *arena, const cJSON *reasons, const char *prefix, const char *separator)
{
	char *text = NULL;
	TREE_FOREACH (reason, reasons)
		text = arena_printf(arena, "%s%s%s%s: %s", str_or_empty(text), text ? separator : "", prefix,
			reason->string, reason->valuestring);
	return text;
}

static struct status *pods_of_node(struct drainer *d, const char *node, bool warn, cJSON ***ret, size_t *ret_n)
{
	struct arena *arena = d->k->arena;
	cJSON *refusals = tree_new_object(arena), *warnings = tree_new_object(arena), *list;
	CLEANUP(strbuf_done) struct strbuf query = STRBUF_INIT;
	*ret = NULL;
	*ret_n = 0;
	query_add(&query, "fieldSelector", arena_printf(arena, "spec.nodeName=%s", node));
	query_add(&query, "labelSelector", str_empty(d->o->pod_selector) ? NULL : d->o->pod_selector);
	TRY(rest_get(d->k, arena, rest_path(arena, d->pods, NULL, NULL, NULL), query.buf, &list));
	TREE_FOREACH (pod, tree_get(list, "items")) {
		const char *why;
		enum verdict verdict = judge(d, pod, &why);
		if (verdict == REFUSE)
			add_reason(arena, refusals, why, pod);
		else if (why)
			add_reason(arena, warnings, why, pod);
		if (verdict == EVICT || verdict == WARN_EVICT)
			ARENA_PUSH(arena, *ret, *ret_n) = pod;
	}
	if (refusals->child)
		return user_error(
			refusals->child->next ? "[%s]" : "%s", join_reasons(arena, refusals, "cannot delete ", ", "));
	if (warn && warnings->child)
		fprintf(stderr, "Warning: %s\n", join_reasons(arena, warnings, "", "; "));
	return NULL;
}

static struct status *evict(struct drainer *d, const cJSON *pod)
{
	struct arena *arena = d->k->arena;
	cJSON *eviction = obj_new(arena, "policy/v1", "Eviction", obj_name(pod));
	obj_set_string(arena, eviction, "metadata.namespace", obj_namespace(pod));
	obj_object(arena, eviction, "deleteOptions");
	if (d->o->grace >= 0)
		obj_set_int(arena, eviction, "deleteOptions.gracePeriodSeconds", d->o->grace);
	struct rest request = {.method = "POST",
		.path = rest_path(arena, d->pods, obj_namespace(pod), obj_name(pod), "eviction"),
		.query = d->dry_run == DRY_RUN_SERVER ? "dryRun=All" : NULL,
		.tree = eviction};
	cJSON *answer;
	return rest_do(d->k, arena, &request, &answer);
}

static struct status *delete_pod(struct drainer *d, const cJSON *pod)
{
	struct info info = {.mapping = d->pods, .namespace = obj_namespace(pod), .name = obj_name(pod)};
	struct delete_options how = {.grace_seconds = d->o->grace, .dry_run = d->dry_run};
	return send_delete(d->k, &info, &how, NULL);
}

static bool timed_out(const struct drainer *d)
{
	return d->o->timeout_ms && now_ms() >= d->deadline;
}

/* The pod as it is by now, if it can be had. */
static void refresh(struct drainer *d, cJSON **pod)
{
	char *path = rest_path(d->k->arena, d->pods, obj_namespace(*pod), obj_name(*pod), NULL);
	cJSON *fresh;
	struct status *s = rest_get(d->k, d->k->arena, path, NULL, &fresh);
	if (s)
		status_drop(s, "the eviction will tell");
	else
		*pod = fresh;
}

/* Whether an eviction that was refused is to be asked for again; says so. */
static bool try_later(const cJSON *pod, const struct status *s)
{
	const char *name = obj_name(pod), *namespace = obj_namespace(pod);
	if (status_is(s, STATUS_TOO_MANY_REQUESTS))
		fprintf(stderr, "error when evicting pods/\"%s\" -n \"%s\" (will retry after 5s): %s\n", name,
			namespace, s->message);
	else if (status_has_cause(s, CAUSE_NAMESPACE_TERMINATING) && !obj_string(pod, "metadata.deletionTimestamp"))
		fprintf(stderr,
			"error when evicting pod \"%s\" from terminating namespace \"%s\" (will retry after 5s): %s\n",
			name, namespace, s->message);
	else
		return false;
	return true;
}

/* Returns whether the pod is settled. *ret_gone: it needs no waiting. */
static bool evict_one(struct drainer *d, const cJSON *pod, bool *ret_gone, struct status **errors)
{
	const char *name = obj_name(pod), *namespace = obj_namespace(pod);
	char limit[40];
	printf("evicting pod %s/%s%s\n", namespace, name, d->dry_run == DRY_RUN_SERVER ? " (server dry run)" : "");
	fflush(stdout);
	if (timed_out(d)) {
		errors_add(errors, user_error("error when evicting pods/\"%s\" -n \"%s\": global timeout reached: %s",
					   name, namespace, duration_format(d->o->timeout_ms * 1000000, limit)));
		*ret_gone = true;
		return true;
	}
	CLEANUP_STATUS struct status *s = evict(d, pod);
	if (s && try_later(pod, s))
		return false;
	/* In a namespace that ends nothing is evicted, but what is being deleted goes. */
	*ret_gone = s && !status_has_cause(s, CAUSE_NAMESPACE_TERMINATING);
	if (*ret_gone && !status_is(s, STATUS_NOT_FOUND))
		errors_add(errors,
			user_error("error when evicting pods/\"%s\" -n \"%s\": %s", name, namespace, s->message));
	return true;
}

/* Asks for every pod's eviction until all are granted; *gone marks those that need no waiting. */
static struct status *evict_all(struct drainer *d, cJSON **pods, size_t n, bool *gone)
{
	bool *settled = ARENA_ARRAY(d->k->arena, bool, n);
	struct status *errors = NULL;
	for (size_t left = n; left;) {
		for (size_t i = 0; i < n; i++) {
			if (settled[i])
				continue;
			settled[i] = evict_one(d, pods[i], &gone[i], &errors);
			left -= settled[i];
		}
		if (!left)
			break;
		sleep_ms(RETRY_MS);
		for (size_t i = 0; i < n; i++)
			if (!settled[i])
				refresh(d, &pods[i]);
	}
	return errors;
}

static struct status *delete_all(struct drainer *d, cJSON **pods, size_t n, bool *gone)
{
	for (size_t i = 0; i < n; i++) {
		struct status *s = delete_pod(d, pods[i]);
		gone[i] = s != NULL;
		if (status_is(s, STATUS_NOT_FOUND))
			status_drop(s, "then it is gone");
		else
			TRY(s);
	}
	return NULL;
}

static struct status *remove_pods(struct drainer *d, cJSON **pods, size_t n)
{
	bool *gone = ARENA_ARRAY(d->k->arena, bool, n);
	struct status *errors = d->o->disable_eviction ? delete_all(d, pods, n, gone) : evict_all(d, pods, n, gone);
	if (d->dry_run != DRY_RUN_NONE)
		return errors;
	for (size_t i = 0; i < n; i++) {
		struct info info = {.mapping = d->pods, .namespace = obj_namespace(pods[i]), .name = obj_name(pods[i])};
		int64_t left_ms = d->o->timeout_ms ? d->deadline - now_ms() : -1;
		if (gone[i])
			continue;
		struct status *s = await_deletion(d->k, &info, obj_string(pods[i], "metadata.uid"),
			left_ms < 0 && d->o->timeout_ms ? 0 : left_ms);
		if (!s) {
			printf("pod/%s %s\n", info.name, d->o->disable_eviction ? "deleted" : "evicted");
			fflush(stdout);
			continue;
		}
		errors_add(&errors,
			user_error("error when waiting for pod \"%s\" in namespace \"%s\" to terminate: global timeout "
				   "reached: %s",
				info.name, info.namespace,
				duration_format(d->o->timeout_ms * 1000000, arena_alloc(d->k->arena, 40))));
		status_free(s);
	}
	return errors;
}

static struct status *drain_node(struct drainer *d, const struct info *node)
{
	cJSON **pods;
	size_t n;
	TRY(pods_of_node(d, node->name, true, &pods, &n));
	if (d->dry_run == DRY_RUN_CLIENT) {
		for (size_t i = 0; i < n; i++)
			printf("evicting pod %s/%s (dry run)\n", obj_namespace(pods[i]), obj_name(pods[i]));
		return NULL;
	}
	struct status *s = remove_pods(d, pods, n);
	if (!s)
		return NULL;
	struct status *again = pods_of_node(d, node->name, false, &pods, &n);
	status_drop(again, "only the names are wanted here");
	if (n)
		fprintf(stderr, "There are pending pods in node \"%s\" when an error occurred: %s\n", node->name,
			s->message);
	for (size_t i = 0; i < n; i++)
		fprintf(stderr, "pod/%s\n", obj_name(pods[i]));
	return s;
}

static struct status *find_nodes(struct drainer *d, struct call *call, struct infos *ret)
{
	struct drain_options *o = d->o;
	if (!call->n_args && str_empty(o->selector))
		return usage_error(call, "USAGE: %s %s [flags]", call->command->name, call->command->usage);
	if (call->n_args && !str_empty(o->selector))
		return user_error("error: cannot specify both a node name and a --selector option");
	struct selection sel = {.args = call->args,
		.n_args = call->n_args,
		.default_type = "nodes",
		.selector = o->selector,
		.flatten = true};
	TRY(dry_run_parse(o->dry_run, &d->dry_run));
	TRY(mapping_find(d->k, "pods", &d->pods));
	return select_objects(d->k, &sel, ret);
}

static struct status *cordon(struct kubectl *k, struct call *call, bool desired)
{
	struct drainer d = {.k = k, .o = call->options};
	struct infos nodes = {0};
	struct status *errors = find_nodes(&d, call, &nodes);
	for (size_t i = 0; i < nodes.n_items; i++)
		errors_add(&errors, cordon_one(&d, &nodes.items[i], desired));
	return errors;
}

static struct status *cordon_run(struct kubectl *k, struct call *call)
{
	return cordon(k, call, true);
}

static struct status *uncordon_run(struct kubectl *k, struct call *call)
{
	return cordon(k, call, false);
}

static struct status *drain_run(struct kubectl *k, struct call *call)
{
	struct drain_options *o = call->options;
	struct drainer d = {.k = k, .o = o, .deadline = now_ms() + o->timeout_ms};
	struct infos nodes = {0};
	struct status *errors = NULL;
	CLEANUP(strbuf_done) struct strbuf pending = STRBUF_INIT;
	TRY(find_nodes(&d, call, &nodes));
	for (size_t i = 0; i < nodes.n_items; i++)
		TRY(cordon_one(&d, &nodes.items[i], true));
	for (size_t i = 0; i < nodes.n_items; i++) {
		struct status *s = drain_node(&d, &nodes.items[i]);
		if (!s) {
			TRY(print_result(k, &o->print, "drained", d.dry_run, nodes.items[i].object));
			continue;
		}
		fprintf(stderr, "error: unable to drain node \"%s\" due to error: %s, continuing command...\n",
			nodes.items[i].name, s->message);
		strbuf_printf(&pending, " %s\n", nodes.items[i].name);
		errors_add(&errors, s);
	}
	if (pending.len)
		fprintf(stderr, "There are pending nodes to be drained:\n%s", pending.buf);
	return errors;
}

#define COMMAND(verb, table, summary_)                        \
	const struct command verb##_command = {.name = #verb, \
		.section = "Cluster Management Commands:",    \
		.usage = "NODE",                              \
		.summary = (summary_),                        \
		.flags = table,                               \
		.options_size = sizeof(struct drain_options), \
		.run = verb##_run}
COMMAND(drain, drain_flags, "Drain node in preparation for maintenance");
COMMAND(cordon, cordon_flags, "Mark node as unschedulable");
COMMAND(uncordon, cordon_flags, "Mark node as schedulable");
