/*
 * Annotations of pods that mean something: those that fields have replaced, and those that no field replaced yet.
 */
#include "api/json.h"
#include "api/meta.h"
#include "api/tree.h"
#include "apiserver/validation/meta.h"
#include "apiserver/validation/pod/pod.h"
#include "apiserver/validation/pod/volume.h"
#include "base/nameset.h"
#include "base/str.h"

#define MIRROR "kubernetes.io/config.mirror"
#define TOLERATIONS "scheduler.alpha.kubernetes.io/tolerations"
#define DELETION_COST "controller.kubernetes.io/pod-deletion-cost"
#define SECCOMP_POD "seccomp.security.alpha.kubernetes.io/pod"
#define SECCOMP_CONTAINER "container.seccomp.security.alpha.kubernetes.io/"
#define APP_ARMOR "container.apparmor.security.beta.kubernetes.io/"
#define LOCALHOST "localhost/"

static const char *bad_json(struct arena *arena, const char *text)
{
	const char *problem = json_problem(arena, text, strlen(text));
	if (problem)
		return problem;
	bool object = text[strspn(text, " \t\r\n")] == '{';
	return arena_printf(arena, "json: cannot unmarshal %s into Go value of type []core.Toleration",
		object ? "object" : "string");
}

static void check_tolerations(struct field_errors *errors, const struct field_path *path, const char *text)
{
	cJSON *tree = NULL;
	struct status *failed = tree_parse(errors->arena, text, strlen(text), NULL, &tree);
	bool good = !failed && cJSON_IsArray(tree);
	status_drop(failed, "said in the original's words below");
	if (!good) {
		field_invalid(errors, path, TOLERATIONS, bad_json(errors->arena, text));
		return;
	}
	size_t n = tree_size(tree), i = 0;
	CoreV1Toleration **all = ARENA_ARRAY(errors->arena, CoreV1Toleration *, n + 1);
	TREE_FOREACH (item, tree) {
		failed = tree_to_typed(errors->arena, item, &CoreV1Toleration_schema, NULL, &all[i]);
		i += !failed;
		status_drop(failed, "what is no toleration is none");
	}
	validate_tolerations(errors, FIELD(path, TOLERATIONS), all, i);
}

/* An int32 as strconv prints it: no plus, no leading zero. */
static bool is_plain_int32(const char *text)
{
	int64_t value;
	const char *digits = *text == '-' ? text + 1 : text;
	return *text != '+' && (*digits != '0' || !digits[1]) && str_to_int64(text, INT32_MIN, INT32_MAX, &value);
}

static void check_seccomp(struct field_errors *errors, const struct field_path *path, const char *profile)
{
	static const char *const known[] = {"runtime/default", "docker/default", "unconfined", NULL};
	if (str_in(profile, known))
		return;
	if (str_starts_with(profile, LOCALHOST))
		check_descending_path(errors, path, profile + strlen(LOCALHOST));
	else
		field_invalid(errors, path, profile, "must be a valid seccomp profile");
}

static struct nameset names_of_containers(struct arena *arena, const CoreV1PodSpec *spec)
{
	struct nameset names = {.arena = arena};
	struct pod_container *all;
	size_t n = pod_containers(arena, spec, &all);
	for (size_t i = 0; i < n; i++)
		nameset_add(&names, all[i].container->name);
	return names;
}

static void check_app_armor(struct field_errors *errors, const struct field_path *path, const MapStringEntry *a,
	const struct nameset *containers)
{
	static const char *const known[] = {"", "runtime/default", "unconfined", NULL};
	const char *container = a->key + strlen(APP_ARMOR), *profile = str_or_empty(a->value);
	if (!nameset_has(containers, container))
		field_invalid(errors, FIELD_KEY(path, a->key), container, "container not found");
	if (!str_in(profile, known) && !str_starts_with(profile, LOCALHOST))
		field_invalid(errors, FIELD_KEY(path, a->key), profile,
			arena_printf(errors->arena, "invalid AppArmor profile name: %s",
				field_quote(errors->arena, profile)));
}

void validate_pod_annotations(struct field_errors *errors, const struct field_path *path, const MetaV1ObjectMeta *meta,
	const CoreV1PodSpec *spec)
{
	const char *mirror = meta_annotation(meta, MIRROR), *cost = meta_annotation(meta, DELETION_COST);
	const char *tolerations = meta_annotation(meta, TOLERATIONS), *seccomp = meta_annotation(meta, SECCOMP_POD);
	if (mirror && str_empty(spec->node_name))
		field_invalid(errors, FIELD_KEY(path, MIRROR), mirror,
			"must set spec.nodeName if mirror pod annotation is set");
	if (!str_empty(tolerations))
		check_tolerations(errors, path, tolerations);
	if (cost && !is_plain_int32(cost))
		field_invalid(errors, FIELD_KEY(path, DELETION_COST), cost, "must be a 32bit integer");
	if (seccomp)
		check_seccomp(errors, FIELD(path, SECCOMP_POD), seccomp);
	for (size_t i = 0; i < meta->n_annotations; i++)
		if (str_starts_with(meta->annotations[i]->key, SECCOMP_CONTAINER))
			check_seccomp(errors, FIELD(path, meta->annotations[i]->key),
				str_or_empty(meta->annotations[i]->value));
	const struct nameset containers = names_of_containers(errors->arena, spec);
	for (size_t i = 0; i < meta->n_annotations; i++)
		if (str_starts_with(meta->annotations[i]->key, APP_ARMOR))
			check_app_armor(errors, path, meta->annotations[i], &containers);
}

/* One profile, named by an annotation and by a field. what: seccomp or apparmor. */
static void check_match(struct field_errors *errors, const struct field_path *path, const char *what, const char *type,
	const char *localhost, const char *annotation)
{
	bool same = true;
	if (str_eq(type, "Unconfined"))
		same = str_eq(annotation, "unconfined");
	else if (str_eq(type, "RuntimeDefault"))
		same = str_eq(annotation, "runtime/default") ||
		       (!strcmp(what, "seccomp") && str_eq(annotation, "docker/default"));
	else if (str_eq(type, "Localhost"))
		same = str_starts_with(annotation, LOCALHOST);
	if (!same)
		field_forbidden(errors, FIELD(path, "type"),
			arena_printf(errors->arena, "%s type in annotation and field must match", what));
	else if (str_eq(type, "Localhost") && (!localhost || strcmp(annotation + strlen(LOCALHOST), localhost) != 0))
		field_forbidden(errors, FIELD(path, "localhostProfile"),
			arena_printf(errors->arena, "%s profile in annotation and field must match", what));
}

static void match_seccomp(struct field_errors *errors, const struct field_path *path, const CoreV1SeccompProfile *p,
	const struct map_index *annotations, const char *key)
{
	const char *annotation = p ? map_index_get(annotations, key) : NULL;
	if (annotation)
		check_match(errors, FIELD(FIELD(path, "securityContext"), "seccompProfile"), "seccomp", p->type,
			p->localhost_profile, annotation);
}

void validate_profiles_match(struct field_errors *errors, const struct field_path *path, const MetaV1ObjectMeta *meta,
	const CoreV1PodSpec *spec)
{
	struct pod_container *all;
	size_t n = pod_containers(errors->arena, spec, &all);
	const CoreV1PodSecurityContext *pod = spec->security_context;
	const struct map_index annotations = map_index_of(errors->arena, meta->annotations, meta->n_annotations);
	match_seccomp(errors, path, pod ? pod->seccomp_profile : NULL, &annotations, SECCOMP_POD);
	for (size_t i = 0; i < n; i++) {
		const CoreV1SecurityContext *s = all[i].container->security_context;
		const char *key =
			arena_printf(errors->arena, SECCOMP_CONTAINER "%s", str_or_empty(all[i].container->name));
		match_seccomp(
			errors, POD_CONTAINER_PATH(path, &all[i]), s ? s->seccomp_profile : NULL, &annotations, key);
	}
	for (size_t i = 0; i < n && !(spec->os && str_eq(spec->os->name, "windows")); i++) {
		const CoreV1SecurityContext *s = all[i].container->security_context;
		const CoreV1AppArmorProfile *p = s && s->app_armor_profile ? s->app_armor_profile
						 : pod			   ? pod->app_armor_profile
									   : NULL;
		const char *name = str_or_empty(all[i].container->name);
		const char *annotation =
			p ? map_index_get(&annotations, arena_printf(errors->arena, APP_ARMOR "%s", name)) : NULL;
		if (annotation)
			check_match(errors,
				FIELD(FIELD(POD_CONTAINER_PATH(path, &all[i]), "securityContext"), "appArmorProfile"),
				"apparmor", p->type, p->localhost_profile, annotation);
	}
}

static void compare_annotations(struct field_errors *errors, const struct field_path *path,
	const MetaV1ObjectMeta *meta, const MetaV1ObjectMeta *other, bool added)
{
	const struct map_index others = map_index_of(errors->arena, other->annotations, other->n_annotations);
	for (size_t i = 0; i < meta->n_annotations; i++) {
		const char *key = meta->annotations[i]->key;
		const bool profile = str_starts_with(key, APP_ARMOR), mirror = !strcmp(key, MIRROR);
		if (!profile && !mirror)
			continue;
		const char *there = map_index_get(&others, key);
		bool same = added ? there != NULL : there && str_eq(there, meta->annotations[i]->value);
		if (same)
			continue;
		if (profile)
			field_forbidden(errors, FIELD_KEY(path, key),
				added ? "may not add AppArmor annotations"
				      : "may not remove or update AppArmor annotations");
		if (mirror)
			field_forbidden(errors, FIELD_KEY(path, key),
				added ? "may not add mirror pod annotation"
				      : "may not remove or update mirror pod annotation");
	}
}

void validate_pod_annotation_updates(struct field_errors *errors, const CoreV1Pod *pod, const CoreV1Pod *old)
{
	const struct field_path *path = FIELD(FIELD(NULL, "metadata"), "annotations");
	compare_annotations(errors, path, old->metadata, pod->metadata, false);
	compare_annotations(errors, path, pod->metadata, old->metadata, true);
	validate_pod_annotations(errors, path, pod->metadata, pod->spec);
}
