/*
 * The bootstrap policy, reconciled as the original does: what is missing is created; a role that lacks rules of the
 * table gets them, a binding that lacks subjects gets them; what a user added stays; what is annotated with
 * rbac.authorization.kubernetes.io/autoupdate=false is left alone.
 */
#include <string.h>
#include "api/copy.h"
#include "api/meta.h"
#include "apiserver/authz/rules.h"
#include "apiserver/boot/internal.h"
#include "apiserver/boot/policy.h"
#include "base/str.h"

#define AUTOUPDATE "rbac.authorization.kubernetes.io/autoupdate"
#define RBAC_GROUP "rbac.authorization.k8s.io"

void boot_words(struct arena *arena, const char *text, char ***ret_words, size_t *ret_n)
{
	if (!text)
		return;
	if (!*text) {
		ARENA_PUSH(arena, *ret_words, *ret_n) = arena_strdup(arena, "");
		return;
	}
	for (const char *p = text;;) {
		size_t len = strcspn(p, ",");
		ARENA_PUSH(arena, *ret_words, *ret_n) = arena_strndup(arena, p, len);
		if (!p[len])
			return;
		p += len + 1;
	}
}

static RbacV1PolicyRule *rule_of(struct arena *arena, const struct policy_rule *row)
{
	RbacV1PolicyRule *rule = API_NEW(arena, RbacV1PolicyRule);
	boot_words(arena, row->verbs, &rule->verbs, &rule->n_verbs);
	boot_words(arena, row->resources, &rule->resources, &rule->n_resources);
	if (rule->n_resources)
		boot_words(arena, str_or_empty(row->groups), &rule->api_groups, &rule->n_api_groups);
	if (!str_empty(row->names))
		boot_words(arena, row->names, &rule->resource_names, &rule->n_resource_names);
	if (!str_empty(row->urls))
		boot_words(arena, row->urls, &rule->non_resource_urls, &rule->n_non_resource_urls);
	return rule;
}

static void set_labels(struct arena *arena, MetaV1ObjectMeta *meta, const char *extra)
{
	char **pairs;
	meta_set_label(arena, meta, "kubernetes.io/bootstrapping", "rbac-defaults");
	size_t n = str_split(arena, extra, ',', &pairs);
	for (size_t i = 0; i < n; i++) {
		char *equals = strchr(pairs[i], '=');
		if (!equals)
			continue;
		*equals = '\0';
		meta_set_label(arena, meta, pairs[i], equals + 1);
	}
	meta_set_annotation(arena, meta, AUTOUPDATE, "true");
}

static RbacV1AggregationRule *aggregation_of(struct arena *arena, const char *label)
{
	RbacV1AggregationRule *rule = API_NEW(arena, RbacV1AggregationRule);
	MetaV1LabelSelector *selector = API_NEW(arena, MetaV1LabelSelector);
	char *key = arena_strdup(arena, label), *equals = strchr(key, '=');
	if (equals)
		*equals = '\0';
	map_set(arena, &selector->match_labels, &selector->n_match_labels, key, equals ? equals + 1 : "");
	ARENA_PUSH(arena, rule->cluster_role_selectors, rule->n_cluster_role_selectors) = selector;
	return rule;
}

static void *role_object(struct arena *arena, const struct policy_role *row)
{
	RbacV1PolicyRule **rules = NULL;
	size_t n = 0;
	for (const struct policy_rule *r = row->rules; r && r->verbs; r++)
		ARENA_PUSH(arena, rules, n) = rule_of(arena, r);
	if (!str_empty(row->namespace)) {
		RbacV1Role *role = API_NEW(arena, RbacV1Role);
		role->rules = rules;
		role->n_rules = n;
		return role;
	}
	RbacV1ClusterRole *role = API_NEW(arena, RbacV1ClusterRole);
	role->rules = rules;
	role->n_rules = n;
	if (!str_empty(row->aggregate))
		role->aggregation_rule = aggregation_of(arena, row->aggregate);
	return role;
}

/* Group:/name, User:/name, ServiceAccount:namespace/name */
static RbacV1Subject *subject_of(struct arena *arena, const char *text)
{
	RbacV1Subject *s = API_NEW(arena, RbacV1Subject);
	const char *colon = strchr(text, ':'), *slash = strchr(text, '/');
	s->kind = arena_strndup(arena, text, (size_t)(colon - text));
	s->namespace = arena_strndup(arena, colon + 1, (size_t)(slash - colon - 1));
	s->name = arena_strdup(arena, slash + 1);
	if (!str_eq(s->kind, "ServiceAccount"))
		s->api_group = RBAC_GROUP;
	return s;
}

static void *binding_object(struct arena *arena, const struct policy_binding *row)
{
	RbacV1RoleRef *ref = API_NEW(arena, RbacV1RoleRef);
	RbacV1Subject **subjects = NULL;
	size_t n = 0;
	char **texts;
	const char *slash = strchr(row->role, '/');
	ref->api_group = RBAC_GROUP;
	ref->kind = arena_strndup(arena, row->role, (size_t)(slash - row->role));
	ref->name = arena_strdup(arena, slash + 1);
	size_t n_texts = str_split(arena, row->subjects, ',', &texts);
	for (size_t i = 0; i < n_texts; i++)
		ARENA_PUSH(arena, subjects, n) = subject_of(arena, texts[i]);
	if (!str_empty(row->namespace)) {
		RbacV1RoleBinding *b = API_NEW(arena, RbacV1RoleBinding);
		b->role_ref = ref;
		b->subjects = subjects;
		b->n_subjects = n;
		return b;
	}
	RbacV1ClusterRoleBinding *b = API_NEW(arena, RbacV1ClusterRoleBinding);
	b->role_ref = ref;
	b->subjects = subjects;
	b->n_subjects = n;
	return b;
}

/* Single rights that no rule of the role covers. */
static size_t add_rules(
	struct arena *arena, RbacV1PolicyRule ***rules, size_t *n, RbacV1PolicyRule **wanted, size_t n_wanted)
{
	const struct rule_list have = {*rules, *n}, want = {wanted, n_wanted};
	struct rule_list missing = {0};
	if (!rules_missing(arena, &have, &want, &missing))
		return 0;
	for (size_t i = 0; i < missing.n_items; i++)
		ARENA_PUSH(arena, *rules, *n) = api_copy_msg(arena, missing.items[i]);
	return missing.n_items;
}

static bool holds(RbacV1Subject *const *items, size_t n, const RbacV1Subject *wanted)
{
	for (size_t i = 0; i < n; i++)
		if (api_equal(items[i], wanted))
			return true;
	return false;
}

static size_t add_subjects(
	struct arena *arena, RbacV1Subject ***subjects, size_t *n, RbacV1Subject **wanted, size_t n_wanted)
{
	const size_t before = *n;
	for (size_t i = 0; i < n_wanted; i++)
		if (!holds(*subjects, *n, wanted[i]))
			ARENA_PUSH(arena, *subjects, *n) = api_copy_msg(arena, wanted[i]);
	return *n - before;
}

/* A role's rules, a binding's subjects. */
static size_t add_items(struct arena *arena, void *object, void *wanted)
{
#define ADD(T, field, add)                                                                                \
	if (schema_of(object) == &T##_schema)                                                             \
		return add(arena, &((T *)object)->field, &((T *)object)->n_##field, ((T *)wanted)->field, \
			((T *)wanted)->n_##field);
	ADD(RbacV1Role, rules, add_rules)
	ADD(RbacV1ClusterRole, rules, add_rules)
	ADD(RbacV1RoleBinding, subjects, add_subjects)
	ADD(RbacV1ClusterRoleBinding, subjects, add_subjects)
#undef ADD
	return 0;
}

/* Adds to `object` what `wanted` has and it lacks; returns whether anything was missing. */
static bool add_missing(struct arena *arena, void *object, void *wanted)
{
	bool changed = add_items(arena, object, wanted);
	MetaV1ObjectMeta *meta = object_meta_ensure(arena, object), *wanted_meta = object_meta(wanted);
	for (size_t i = 0; i < wanted_meta->n_labels; i++) {
		const MapStringEntry *e = wanted_meta->labels[i];
		if (meta_label(meta, e->key))
			continue;
		meta_set_label(arena, meta, e->key, e->value);
		changed = true;
	}
	return changed;
}

static bool is_aggregated(const void *object)
{
	return schema_of(object) == &RbacV1ClusterRole_schema && ((const RbacV1ClusterRole *)object)->aggregation_rule;
}

static struct status *modify(void *data, struct arena *arena, ProtobufCMessage *object)
{
	add_missing(arena, object, data);
	return NULL;
}

static const RbacV1RoleRef *role_ref(const void *binding)
{
	if (schema_of(binding) == &RbacV1RoleBinding_schema)
		return ((const RbacV1RoleBinding *)binding)->role_ref;
	if (schema_of(binding) == &RbacV1ClusterRoleBinding_schema)
		return ((const RbacV1ClusterRoleBinding *)binding)->role_ref;
	return NULL;
}

static bool is_of_another_role(const void *present, const void *wanted)
{
	const RbacV1RoleRef *has = role_ref(present), *wants = role_ref(wanted);
	return has && wants && !api_equal(has, wants);
}

static struct status *reconcile(const struct boot_options *options, struct arena *arena, void *wanted)
{
	const ProtobufCMessage *present;
	const char *namespace = object_namespace(wanted), *name = object_name(wanted);
	struct status *s = objects_get(options->objects, arena, schema_of(wanted), namespace, name, &present);
	if (status_is(s, STATUS_NOT_FOUND)) {
		status_free(s);
		return boot_ensure(options, arena, wanted);
	}
	if (s)
		return s;
	/* The rules of an aggregated role are its controller's. */
	if (str_eq(meta_annotation(object_meta(present), AUTOUPDATE), "false") || is_aggregated(present))
		return NULL;
	/* What a binding refers to cannot be changed. */
	if (is_of_another_role(present, wanted)) {
		TRY(objects_delete_exact(
			options->objects, arena, schema_of(wanted), namespace, name, object_uid(present)));
		return boot_create(options, arena, wanted);
	}
	if (!add_missing(arena, api_copy_msg(arena, present), wanted))
		return NULL;
	return objects_modify(options->objects, arena, schema_of(wanted), "", namespace, name, modify, wanted, NULL);
}

static struct status *one(const struct boot_options *options, struct arena *arena, void *object, const char *namespace,
	const char *name, const char *labels)
{
	MetaV1ObjectMeta *meta = object_meta_ensure(arena, object);
	meta->name = arena_strdup(arena, name);
	meta->namespace = arena_strdup(arena, namespace);
	set_labels(arena, meta, labels);
	return status_wrap(reconcile(options, arena, object), "%s %s", object_kind(object), name);
}

static const struct policy_binding *binding_row(const char *name)
{
	const struct policy_binding *row = policy_bindings;
	while (!str_eq(row->name, name))
		row++;
	return row;
}

/*
 * What everybody may read of a cluster was a part of what system:discovery gives, before Kubernetes 1.14: where that
 * binding was changed, the new one is made like it. It must not give to the world what an administrator had taken from
 * it (registry/rbac/rest/storage_rbac.go).
 */
static struct status *split_discovery(const struct boot_options *options)
{
	static const char old[] = "system:discovery", new[] = "system:public-info-viewer";
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const ProtobufCMessage *found;
	struct status *s = objects_get(options->objects, arena, &RbacV1ClusterRoleBinding_schema, "", old, &found);
	if (status_is(s, STATUS_NOT_FOUND))
		return status_drop(s, "nothing to be like"), NULL;
	TRY(s);
	const RbacV1ClusterRoleBinding *present = (const RbacV1ClusterRoleBinding *)found;
	RbacV1ClusterRoleBinding *wanted = binding_object(arena, binding_row(new));
	MetaV1ObjectMeta *meta = object_meta_ensure(arena, wanted), *as = present->metadata;
	meta->name = arena_strdup(arena, new);
	for (size_t i = 0; i < as->n_labels; i++)
		meta_set_label(arena, meta, as->labels[i]->key, as->labels[i]->value);
	for (size_t i = 0; i < as->n_annotations; i++)
		meta_set_annotation(arena, meta, as->annotations[i]->key, as->annotations[i]->value);
	wanted->subjects = present->subjects;
	wanted->n_subjects = present->n_subjects;
	return status_wrap(boot_ensure(options, arena, wanted), "%s", new);
}

struct status *boot_roles(const struct boot_options *options)
{
	for (const struct policy_role *row = policy_roles; row->namespace; row++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		TRY(one(options, arena, role_object(arena, row), row->namespace, row->name, row->labels));
	}
	TRY(split_discovery(options));
	for (const struct policy_binding *row = policy_bindings; row->namespace; row++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		TRY(one(options, arena, binding_object(arena, row), row->namespace, row->name, ""));
	}
	return NULL;
}
