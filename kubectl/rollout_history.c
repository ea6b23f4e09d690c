#include "api/patch.h"
#include "kubectl/describe/describe.h"
#include "kubectl/rollout.h"
#include "net/url.h"

#define REVISION "deployment.kubernetes.io/revision"

/* One revision of a workload: a replica set, or a controller revision. */
struct revision {
	int64_t number;
	cJSON *object;
};

static int by_number(const void *a, const void *b)
{
	const struct revision *ra = a, *rb = b;
	return (ra->number > rb->number) - (ra->number < rb->number);
}

static bool is_deployment(const struct info *info)
{
	return str_eq(info->mapping->kind, "Deployment");
}

/* The revisions that belong to the object, the oldest first. */
static struct status *list_revisions(struct kubectl *k, const struct info *info, struct revision **ret, size_t *ret_n)
{
	struct client_resource resource = {.group = "apps",
		.version = "v1",
		.plural = is_deployment(info) ? "replicasets" : "controllerrevisions",
		.namespaced = true};
	const char *kind = info->mapping->kind, *uid = obj_string(info->object, "metadata.uid");
	CLEANUP(strbuf_done) struct strbuf query = STRBUF_INIT;
	cJSON *list;
	*ret = NULL;
	*ret_n = 0;
	if (!is_deployment(info) && !str_eq(kind, "DaemonSet") && !str_eq(kind, "StatefulSet"))
		return user_error("no history viewer has been implemented for \"%s\"",
			mapping_kind_group(k->arena, info->mapping));
	query_add(&query, "labelSelector", obj_format_selector(k->arena, obj_at(info->object, "spec.selector"), ""));
	TRY(rest_get(k, k->arena, client_path(k->arena, &resource, info->namespace, NULL, NULL), query.buf, &list));
	TREE_FOREACH (item, tree_get(list, "items")) {
		struct revision revision = {.object = item, .number = obj_int(item, "revision", 0)};
		bool owned = false;
		TREE_FOREACH (owner, obj_at(item, "metadata.ownerReferences"))
			owned |= obj_bool(owner, "controller") && str_eq(obj_string(owner, "uid"), uid);
		if (!owned)
			continue;
		if (is_deployment(info) &&
			!str_to_int64(obj_annotation(item, REVISION), 0, INT64_MAX, &revision.number))
			continue;
		tree_set_string(k->arena, item, "apiVersion", "apps/v1");
		tree_set_string(k->arena, item, "kind", is_deployment(info) ? "ReplicaSet" : "ControllerRevision");
		ARENA_PUSH(k->arena, *ret, *ret_n) = revision;
	}
	if (*ret_n)
		qsort(*ret, *ret_n, sizeof(**ret), by_number);
	return NULL;
}

/* The pod template as it was in a revision. */
static struct status *template_of(
	struct kubectl *k, const struct info *info, const struct revision *revision, cJSON **ret)
{
	if (is_deployment(info)) {
		*ret = tree_copy(k->arena, obj_at(revision->object, "spec.template"));
		const char *cause = obj_annotation(revision->object, CHANGE_CAUSE);
		if (*cause)
			tree_set_string(
				k->arena, obj_object(k->arena, *ret, "metadata.annotations"), CHANGE_CAUSE, cause);
		return NULL;
	}
	cJSON *patched;
	TRY(patch_strategic(k->arena, schema_of_mapping(info->mapping), info->object,
		tree_get(revision->object, "data"), &patched));
	*ret = obj_at(patched, "spec.template");
	return NULL;
}

static struct status *print_template(
	struct kubectl *k, const struct info *info, const struct revision *revision, char **ret)
{
	struct desc d = {.k = k, .arena = k->arena, .info = info};
	cJSON *template;
	struct strbuf text = STRBUF_INIT;
	TRY(template_of(k, info, revision, &template));
	tabwriter_init(&d.w, k->arena, 0, 2, false, stdout);
	describe_pod_template(&d, template);
	/* shown without alignment: cells keep the tabs between them */
	*ret = arena_strdup(k->arena, d.w.text.buf);
	strbuf_done(&d.w.text);
	strbuf_done(&text);
	return NULL;
}

static const struct revision *find_revision(const struct revision *items, size_t n, int64_t number)
{
	for (size_t i = 0; i < n; i++)
		if (items[i].number == number)
			return &items[i];
	return NULL;
}

struct status *rollout_history(struct kubectl *k, const struct info *info, int64_t number, char **ret_text)
{
	struct revision *items;
	size_t n;
	TRY(list_revisions(k, info, &items, &n));
	if (!n) {
		*ret_text = arena_strdup(k->arena, "No rollout history found.");
		return NULL;
	}
	if (number > 0) {
		const struct revision *revision = find_revision(items, n, number);
		return revision ? print_template(k, info, revision, ret_text)
				: user_error("unable to find the specified revision");
	}
	struct tabwriter w;
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	tabwriter_init(&w, k->arena, 0, 2, false, stdout);
	tabwriter_adds(&w, "REVISION\tCHANGE-CAUSE\n");
	for (size_t i = 0; i < n; i++)
		tabwriter_printf(&w, "%lld\t%s\n", (long long)items[i].number,
			str_or(obj_annotation(items[i].object, CHANGE_CAUSE), "<none>"));
	tabwriter_layout(&w, &out);
	strbuf_done(&w.text);
	*ret_text = arena_strdup(k->arena, out.buf);
	return NULL;
}

struct status *rollout_revision_object(struct kubectl *k, const struct info *info, int64_t number, cJSON **ret_object)
{
	struct revision *items;
	size_t n;
	TRY(list_revisions(k, info, &items, &n));
	if (number > 0) {
		const struct revision *revision = find_revision(items, n, number);
		if (!revision)
			return user_error("unable to find the specified revision");
		*ret_object = revision->object;
		return NULL;
	}
	*ret_object = obj_new(k->arena, "v1", "List", NULL);
	obj_set_string(k->arena, *ret_object, "metadata.resourceVersion", "");
	for (size_t i = 0; i < n; i++)
		tree_append(obj_array(k->arena, *ret_object, "items"), tree_copy(k->arena, items[i].object));
	return NULL;
}

static bool same_template(struct arena *arena, const cJSON *a, const cJSON *b)
{
	cJSON *ca = tree_copy(arena, a), *cb = tree_copy(arena, b);
	(void)tree_remove(obj_at(ca, "metadata.labels"), "pod-template-hash");
	(void)tree_remove(obj_at(cb, "metadata.labels"), "pod-template-hash");
	return tree_equal(ca, cb);
}

/* Annotations that belong to the deployment and not to what it was at a revision. */
static bool keeps_own(const char *key)
{
	static const char *const keys[] = {LAST_APPLIED, REVISION, "deployment.kubernetes.io/revision-history",
		"deployment.kubernetes.io/desired-replicas", "deployment.kubernetes.io/max-replicas",
		"deprecated.deployment.rollback.to", NULL};
	return str_in(key, keys);
}

static char *deployment_patch(struct kubectl *k, const struct info *info, const struct revision *to)
{
	struct arena *arena = k->arena;
	cJSON *template = tree_copy(arena, obj_at(to->object, "spec.template")), *annotations = tree_new_object(arena);
	cJSON *operations = tree_new_array(arena);
	(void)tree_remove(obj_at(template, "metadata.labels"), "pod-template-hash");
	TREE_FOREACH (a, obj_at(info->object, "metadata.annotations"))
		if (keeps_own(a->string))
			tree_set(arena, annotations, a->string, tree_copy(arena, a));
	TREE_FOREACH (a, obj_at(to->object, "metadata.annotations"))
		if (!keeps_own(a->string))
			tree_set(arena, annotations, a->string, tree_copy(arena, a));
	const struct {
		const char *path;
		cJSON *value;
	} changes[] = {{"/spec/template", template}, {"/metadata/annotations", annotations}};
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		cJSON *operation = tree_new_object(arena);
		tree_set_string(arena, operation, "op", "replace");
		tree_set_string(arena, operation, "path", changes[i].path);
		tree_set(arena, operation, "value", changes[i].value);
		tree_append(operations, operation);
	}
	return tree_to_string(arena, operations, 0);
}

static struct status *choose(
	const struct info *info, const struct revision *items, size_t n, int64_t number, const struct revision **ret)
{
	if (number < 0)
		return user_error("unable to find specified revision %lld in history", (long long)number);
	if (number > 0) {
		*ret = find_revision(items, n, number);
		return *ret ? NULL : user_error("unable to find specified revision %lld in history", (long long)number);
	}
	if (n < 2)
		return is_deployment(info) ? user_error("no rollout history found for deployment \"%s\"", info->name)
					   : user_error("no last revision to roll back to");
	*ret = &items[n - 2];
	return NULL;
}

struct status *rollout_undo(
	struct kubectl *k, struct info *info, int64_t number, enum dry_run dry_run, const char **ret_operation)
{
	struct revision *items;
	const struct revision *to = NULL;
	size_t n;
	cJSON *template;
	TRY(list_revisions(k, info, &items, &n));
	TRY(choose(info, items, n, number, &to));
	TRY(template_of(k, info, to, &template));
	if (dry_run == DRY_RUN_CLIENT)
		return print_template(k, info, to, (char **)(uintptr_t)ret_operation);
	if (obj_bool(info->object, "spec.paused"))
		return user_error(
			"you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume' "
			"and try "
			"again");
	if (same_template(k->arena, template, obj_at(info->object, "spec.template"))) {
		*ret_operation = arena_printf(k->arena,
			"skipped rollback (current template already matches revision %lld)", (long long)number);
		return NULL;
	}
	struct send_options send = {.dry_run = dry_run};
	char *patch = is_deployment(info) ? deployment_patch(k, info, to)
					  : tree_to_string(k->arena, tree_get(to->object, "data"), 0);
	struct status *s = send_patch(
		k, info, is_deployment(info) ? CLIENT_PATCH_JSON : CLIENT_PATCH_STRATEGIC, patch, &send, &info->object);
	if (!s)
		return NULL;
	struct status *named = user_error("failed restoring revision %lld: %s", (long long)number, s->message);
	status_free(s);
	return named;
}
