#include <pthread.h>
#include "api/copy.h"
#include "api/meta.h"
#include "apiserver/authz/internal.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"

/* One object of the cache, copied: it lives until the next version of it arrives. */
struct entry {
	struct arena *arena;
	ProtobufCMessage *object;
};

struct rbac {
	pthread_rwlock_t lock;	      /* guards the maps */
	struct strmap *cluster_roles; /* name -> entry */
	struct strmap *roles;	      /* namespace/name -> entry */
	struct strmap *cluster_bindings;
	struct strmap *bindings; /* namespace -> strmap of name -> entry */
};

static void entry_free(void *p)
{
	struct entry *entry = p;
	arena_free(entry->arena);
	free(entry);
}

static void map_free(void *p)
{
	strmap_free(p);
}

static void put(struct strmap *map, const char *key, enum object_event event, const ProtobufCMessage *object)
{
	if (event == OBJECT_DELETED) {
		strmap_remove(map, key);
		return;
	}
	struct entry *entry = mem_zalloc(sizeof(*entry));
	entry->arena = arena_new_sized(1024);
	entry->object = api_copy_msg(entry->arena, object);
	strmap_put(map, key, entry);
}

static void on_event(void *data, enum object_event event, const ProtobufCMessage *object)
{
	struct rbac *rbac = data;
	const char *name = object_name(object), *namespace = object_namespace(object);
	pthread_rwlock_wrlock(&rbac->lock);
	if (API_IS(object, RbacV1ClusterRole)) {
		put(rbac->cluster_roles, name, event, object);
	} else if (API_IS(object, RbacV1ClusterRoleBinding)) {
		put(rbac->cluster_bindings, name, event, object);
	} else if (API_IS(object, RbacV1Role)) {
		CLEANUP_FREE char *key = mem_printf("%s/%s", namespace, name);
		put(rbac->roles, key, event, object);
	} else {
		struct strmap *in = strmap_get(rbac->bindings, namespace);
		if (!in) {
			in = strmap_new(entry_free);
			strmap_put(rbac->bindings, namespace, in);
		}
		put(in, name, event, object);
		if (!strmap_count(in))
			strmap_remove(rbac->bindings, namespace);
	}
	pthread_rwlock_unlock(&rbac->lock);
}

struct rbac *rbac_new(struct objects *objects)
{
	struct rbac *rbac = mem_zalloc(sizeof(*rbac));
	pthread_rwlock_init(&rbac->lock, NULL);
	rbac->cluster_roles = strmap_new(entry_free);
	rbac->roles = strmap_new(entry_free);
	rbac->cluster_bindings = strmap_new(entry_free);
	rbac->bindings = strmap_new(map_free);
	objects_subscribe(objects, &RbacV1ClusterRole_schema, on_event, rbac);
	objects_subscribe(objects, &RbacV1Role_schema, on_event, rbac);
	objects_subscribe(objects, &RbacV1ClusterRoleBinding_schema, on_event, rbac);
	objects_subscribe(objects, &RbacV1RoleBinding_schema, on_event, rbac);
	return rbac;
}

void rbac_free(struct rbac *rbac)
{
	if (!rbac)
		return;
	strmap_free(rbac->cluster_roles);
	strmap_free(rbac->roles);
	strmap_free(rbac->cluster_bindings);
	strmap_free(rbac->bindings);
	pthread_rwlock_destroy(&rbac->lock);
	free(rbac);
}

static bool is_account(const char *user, const char *namespace, const char *name)
{
	size_t prefix = strlen(SERVICE_ACCOUNT_USER_PREFIX), len = strlen(namespace);
	return !strncmp(user, SERVICE_ACCOUNT_USER_PREFIX, prefix) && !strncmp(user + prefix, namespace, len) &&
	       user[prefix + len] == ':' && !strcmp(user + prefix + len + 1, name);
}

static bool subject_is(const RbacV1Subject *subject, const struct user *user, const char *namespace)
{
	if (str_eq(subject->kind, "User"))
		return str_eq(subject->name, user->name);
	if (str_eq(subject->kind, "Group"))
		return user_in_group(user, str_or_empty(subject->name));
	if (!str_eq(subject->kind, "ServiceAccount"))
		return false;
	const char *in = str_or(subject->namespace, namespace);
	return !str_empty(in) && is_account(user->name, in, str_or_empty(subject->name));
}

static const RbacV1Subject *find_subject(
	RbacV1Subject *const *subjects, size_t n, const struct user *user, const char *namespace)
{
	for (size_t i = 0; i < n; i++)
		if (subject_is(subjects[i], user, namespace))
			return subjects[i];
	return NULL;
}

struct visit {
	struct arena *arena;
	const struct user *user;
	const char *namespace;
	/* False ends the visit. */
	bool (*each)(struct visit *v, const RbacV1PolicyRule *rule);
	const struct authz_attributes *attributes; /* of rbac_authorize */
	struct rule_list *rules;		   /* of rbac_rules_for */
	struct problem_list problems;
	bool as_resources; /* how roles that are missing are called */
	/* where the present rule comes from */
	const char *binding_kind;
	const char *binding;
	const RbacV1RoleRef *ref;
	const RbacV1Subject *subject;
	const char *reason;
};

static bool find_role(struct rbac *rbac, const char *namespace, const RbacV1RoleRef *ref, struct arena *arena,
	RbacV1PolicyRule ***rules, size_t *n)
{
	if (str_eq(ref->kind, "ClusterRole")) {
		struct entry *entry = strmap_get(rbac->cluster_roles, str_or_empty(ref->name));
		RbacV1ClusterRole *role = entry ? (RbacV1ClusterRole *)entry->object : NULL;
		*rules = role ? role->rules : NULL;
		*n = role ? role->n_rules : 0;
		return role;
	}
	struct entry *entry = strmap_get(rbac->roles, arena_printf(arena, "%s/%s", namespace, str_or_empty(ref->name)));
	RbacV1Role *role = entry ? (RbacV1Role *)entry->object : NULL;
	*rules = role ? role->rules : NULL;
	*n = role ? role->n_rules : 0;
	return role;
}

static bool visit_binding(struct rbac *rbac, struct visit *v, const char *kind, const char *name, const char *namespace,
	RbacV1Subject *const *subjects, size_t n_subjects, const RbacV1RoleRef *ref)
{
	v->subject = find_subject(subjects, n_subjects, v->user, namespace);
	if (!v->subject || !ref)
		return true;
	RbacV1PolicyRule **rules;
	size_t n;
	if (!find_role(rbac, namespace, ref, v->arena, &rules, &n)) {
		bool cluster = str_eq(ref->kind, "ClusterRole");
		problem_add(&v->problems,
			arena_printf(v->arena, "%s%s.rbac.authorization.k8s.io \"%s\" not found",
				cluster ? "clusterrole" : "role", v->as_resources ? "s" : "", str_or_empty(ref->name)));
		return true;
	}
	v->binding_kind = kind;
	v->binding = name;
	v->ref = ref;
	for (size_t i = 0; i < n; i++)
		if (!v->each(v, rules[i]))
			return false;
	return true;
}

/* Every rule that applies: of the cluster's bindings first, then of the namespace's. */
static void visit_rules(struct rbac *rbac, struct visit *v)
{
	STRMAP_FOREACH (rbac->cluster_bindings, it) {
		RbacV1ClusterRoleBinding *b = (RbacV1ClusterRoleBinding *)((struct entry *)it.value)->object;
		if (!visit_binding(rbac, v, "ClusterRoleBinding", it.key, "", b->subjects, b->n_subjects, b->role_ref))
			return;
	}
	struct strmap *in = str_empty(v->namespace) ? NULL : strmap_get(rbac->bindings, v->namespace);
	if (!in)
		return;
	STRMAP_FOREACH (in, it) {
		RbacV1RoleBinding *b = (RbacV1RoleBinding *)((struct entry *)it.value)->object;
		if (!visit_binding(
			    rbac, v, "RoleBinding", it.key, v->namespace, b->subjects, b->n_subjects, b->role_ref))
			return;
	}
}

static bool check_rule(struct visit *v, const RbacV1PolicyRule *rule)
{
	if (!rule_allows(rule, v->attributes))
		return true;
	const RbacV1Subject *s = v->subject;
	bool account = str_eq(s->kind, "ServiceAccount"), in_namespace = !strcmp(v->binding_kind, "RoleBinding");
	v->reason = arena_printf(v->arena, "RBAC: allowed by %s \"%s%s%s\" of %s \"%s\" to %s \"%s%s%s\"",
		v->binding_kind, v->binding, in_namespace ? "/" : "", in_namespace ? v->namespace : "",
		str_or_empty(v->ref->kind), str_or_empty(v->ref->name), str_or_empty(s->kind), str_or_empty(s->name),
		account ? "/" : "", account ? str_or(s->namespace, v->namespace) : "");
	return false;
}

enum authz_decision rbac_authorize(
	struct rbac *rbac, struct arena *arena, const struct authz_attributes *a, const char **ret_reason)
{
	struct visit v = {.arena = arena,
		.user = a->user,
		.namespace = a->namespace,
		.each = check_rule,
		.attributes = a,
		.problems = {.seen = {.arena = arena}}};
	pthread_rwlock_rdlock(&rbac->lock);
	visit_rules(rbac, &v);
	pthread_rwlock_unlock(&rbac->lock);
	if (v.reason)
		*ret_reason = v.reason;
	else if (v.problems.n_items)
		*ret_reason = arena_printf(arena, "RBAC: %s", problems_text(arena, &v.problems));
	return v.reason ? AUTHZ_ALLOW : AUTHZ_NO_OPINION;
}

static bool collect_rule(struct visit *v, const RbacV1PolicyRule *rule)
{
	ARENA_PUSH(v->arena, v->rules->items, v->rules->n_items) = api_copy_msg(v->arena, rule);
	return true;
}

void rbac_rules_for(struct rbac *rbac, struct arena *arena, const struct user *user, const char *namespace,
	bool as_resources, struct rule_list *rules, struct problem_list *problems)
{
	struct visit v = {.arena = arena,
		.user = user,
		.namespace = namespace,
		.each = collect_rule,
		.rules = rules,
		.problems = *problems,
		.as_resources = as_resources};
	pthread_rwlock_rdlock(&rbac->lock);
	visit_rules(rbac, &v);
	pthread_rwlock_unlock(&rbac->lock);
	*problems = v.problems;
}

struct status *rbac_role_rules(struct rbac *rbac, struct arena *arena, const char *namespace, const RbacV1RoleRef *ref,
	struct rule_list *ret_rules)
{
	RbacV1PolicyRule **rules;
	size_t n;
	*ret_rules = (struct rule_list){0};
	pthread_rwlock_rdlock(&rbac->lock);
	bool found = find_role(rbac, namespace, ref, arena, &rules, &n);
	for (size_t i = 0; found && i < n; i++)
		ARENA_PUSH(arena, ret_rules->items, ret_rules->n_items) = api_copy_msg(arena, rules[i]);
	pthread_rwlock_unlock(&rbac->lock);
	if (found)
		return NULL;
	const char *plural = str_eq(ref->kind, "ClusterRole") ? "clusterroles" : "roles";
	return status_details(status_new(STATUS_NOT_FOUND, "%s.rbac.authorization.k8s.io \"%s\" not found", plural,
				      str_or_empty(ref->name)),
		"rbac.authorization.k8s.io", plural, ref->name);
}
