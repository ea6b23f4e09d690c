#include "api/copy.h"
#include "api/json.h"
#include "api/meta.h"
#include "api/qos.h"
#include "apiserver/admission/plugins.h"
#include "apiserver/config_file.h"
#include "apiserver/validation/pod/pod.h"
#include "base/nameset.h"
#include "base/str.h"

/*
 * What the pods of a namespace tolerate by default, and what they may: its annotations, or the configuration, say so.
 */

#define DEFAULTS "scheduler.alpha.kubernetes.io/defaultTolerations"
#define ALLOWED "scheduler.alpha.kubernetes.io/tolerationsWhitelist"

typedef PodtolerationrestrictionV1alpha1Configuration Configuration;

static const struct config_form config_form = {.type = &PodtolerationrestrictionV1alpha1Configuration_schema,
	.names = {{"podtolerationrestriction.admission.k8s.io/v1alpha1", "Configuration"}}};

struct tolerations {
	CoreV1Toleration **items;
	size_t n_items;
};

static struct status *check_config(struct arena *arena, const Configuration *config)
{
	struct field_errors errors = FIELD_ERRORS_INIT(arena);
	const struct field_path *path = FIELD(NULL, "podtolerationrestriction");
	char **all = NULL;
	size_t n = 0;
	validate_tolerations(&errors, FIELD(path, "default"), config->default_, config->n_default);
	validate_tolerations(&errors, FIELD(path, "whitelist"), config->whitelist, config->n_whitelist);
	for (size_t i = 0; i < errors.n_items; i++)
		ARENA_PUSH(arena, all, n) = arena_printf(arena, "%s: %s", errors.items[i].field, errors.items[i].body);
	return n ? status_bad_request("invalid config: [%s]", str_join(arena, all, n, " ")) : NULL;
}

static struct status *start(struct admission_context *context, const struct admission_start *start)
{
	Configuration *config = API_NEW(start->arena, PodtolerationrestrictionV1alpha1Configuration);
	if (start->config)
		TRY(config_decode(start->arena, start->config, start->config_size, &config_form, &config));
	TRY(check_config(start->arena, config));
	context->own = config;
	return NULL;
}

/* --- which tolerations bear all that another bears --- */

/*
 * Among tolerations of one form (operator, key, value where it counts, effect) only the time differs for which they
 * bear a taint that evicts. So what bears more is found by a few looks, however many tolerations there are.
 */
struct bearing {
	struct nameset forms;
	int64_t *longest; /* of each form; INT64_MAX: for ever */
};

static int64_t time_of(const CoreV1Toleration *t)
{
	return str_eq(t->effect, "NoExecute") && t->has_toleration_seconds ? t->toleration_seconds : INT64_MAX;
}

static char *form_of(struct arena *arena, const char *operator, const char * key, const char *value, const char *effect)
{
	const bool any = str_eq(operator, "Exists");
	const char *const parts[] = {
		str_or_empty(operator), str_or_empty(key), any ? "" : str_or_empty(value), str_or_empty(effect)};
	return nameset_join(arena, parts, ARRAY_SIZE(parts));
}

static char *own_form(struct arena *arena, const CoreV1Toleration *t)
{
	return form_of(arena, t->operator, t->key, t->value, t->effect);
}

static struct bearing bearing_of(struct arena *arena, const struct tolerations *all)
{
	struct bearing b = {.forms = {.arena = arena}, .longest = ARENA_ARRAY(arena, int64_t, all->n_items + 1)};
	for (size_t i = 0; i < all->n_items; i++) {
		const char *form = own_form(arena, all->items[i]);
		const int64_t time = time_of(all->items[i]);
		const bool is_new = nameset_add(&b.forms, form);
		const size_t at = nameset_find(&b.forms, form);
		if (is_new || time > b.longest[at])
			b.longest[at] = time;
	}
	return b;
}

static int64_t longest_of(const struct bearing *b, const char *form)
{
	const size_t at = nameset_find(&b->forms, form);
	return at == SIZE_MAX ? INT64_MIN : b->longest[at];
}

/* Whether one of another form bears all that t does. */
static bool other_form_bears(struct arena *arena, const struct bearing *b, const CoreV1Toleration *t)
{
	const char *const keys[] = {t->key, ""}, *const effects[] = {t->effect, ""}, *const equals[] = {"Equal", ""};
	const char *own = own_form(arena, t);
	for (size_t e = 0; e < ARRAY_SIZE(effects); e++) {
		/* Who bears all effects bears them for ever. */
		const int64_t time = str_empty(effects[e]) ? INT64_MIN + 1 : time_of(t);
		for (size_t k = 0; k < ARRAY_SIZE(keys); k++) {
			const char *form = form_of(arena, "Exists", keys[k], "", effects[e]);
			if (!str_eq(form, own) && longest_of(b, form) >= time)
				return true;
		}
		for (size_t o = 0; o < ARRAY_SIZE(equals) && str_eq(t->operator, "Equal"); o++) {
			const char *form = form_of(arena, equals[o], t->key, t->value, effects[e]);
			if (!str_eq(form, own) && longest_of(b, form) >= time)
				return true;
		}
	}
	return false;
}

static bool is_comparable(const CoreV1Toleration *t)
{
	return str_eq(t->operator, "Exists") || str_eq(t->operator, "Equal");
}

/* Of those that bear the same the first is kept of the last ones that are equal; an operator that is none, or is left
 * out, makes a toleration bear the same as its equals alone. */
static bool *last_of_same(struct arena *arena, const struct tolerations *all)
{
	bool *kept = ARENA_ARRAY(arena, bool, all->n_items + 1);
	size_t *first = ARENA_ARRAY(arena, size_t, all->n_items + 1);
	struct nameset same = {.arena = arena};
	for (size_t i = 0; i < all->n_items; i++) {
		const CoreV1Toleration *t = all->items[i];
		const int64_t time = is_comparable(t)		 ? time_of(t)
				     : t->has_toleration_seconds ? t->toleration_seconds
								 : INT64_MAX;
		const char *form = own_form(arena, t);
		const bool is_new = nameset_add_pair(&same, form, time);
		const size_t at = nameset_find_pair(&same, form, time);
		kept[i] = is_new || !api_equal(all->items[first[at]], t);
		if (!kept[i])
			continue;
		if (!is_new)
			kept[first[at]] = false;
		first[at] = i;
	}
	return kept;
}

/* Without those that bear nothing that another does not (util/tolerations, MergeTolerations). */
static struct tolerations merge(struct arena *arena, const struct tolerations *all)
{
	const struct bearing b = bearing_of(arena, all);
	const bool *last = last_of_same(arena, all);
	struct tolerations merged = {0};
	for (size_t i = 0; i < all->n_items; i++) {
		CoreV1Toleration *t = all->items[i];
		const bool shorter = is_comparable(t) && longest_of(&b, own_form(arena, t)) > time_of(t);
		if (last[i] && !shorter && !other_form_bears(arena, &b, t))
			ARENA_PUSH(arena, merged.items, merged.n_items) = t;
	}
	return merged;
}

static bool is_equal_to_one(const struct tolerations *all, const CoreV1Toleration *t)
{
	for (size_t i = 0; i < all->n_items; i++)
		if (api_equal(all->items[i], t))
			return true;
	return false;
}

static bool all_allowed(struct arena *arena, const struct tolerations *all, const struct tolerations *allowed)
{
	const struct bearing b = bearing_of(arena, allowed);
	for (size_t i = 0; i < all->n_items; i++) {
		const CoreV1Toleration *t = all->items[i];
		const bool own = is_comparable(t) ? longest_of(&b, own_form(arena, t)) >= time_of(t)
						  : longest_of(&b, own_form(arena, t)) != INT64_MIN &&
							    is_equal_to_one(allowed, t);
		if (!own && !other_form_bears(arena, &b, t))
			return false;
	}
	return true;
}

/* --- the plugin --- */

static const char *json_name(enum json_type type)
{
	static const char *const names[] = {[JSON_TRUE] = "bool",
		[JSON_FALSE] = "bool",
		[JSON_NUMBER] = "number",
		[JSON_STRING] = "string",
		[JSON_OBJECT] = "object"};
	return names[type];
}

static struct status *read_list(struct arena *arena, struct json_reader *r, struct tolerations *ret)
{
	const struct json_options options = {.no_place = true};
	const char *text;
	size_t size;
	bool first = true;
	if (json_peek(r) == JSON_NULL)
		return NULL;
	if (json_peek(r) != JSON_ARRAY)
		return status_bad_request(
			"json: cannot unmarshal %s into Go value of type []v1.Toleration", json_name(json_peek(r)));
	for (json_enter(r); json_next_element(r, &first) && json_skip(r, &text, &size);) {
		CoreV1Toleration *t;
		TRY(json_decode(arena, &CoreV1Toleration_schema, text, size, &options, &t));
		ARENA_PUSH(arena, ret->items, ret->n_items) = t;
	}
	return NULL;
}

static struct status *read_annotation(
	struct arena *arena, const CoreV1Namespace *ns, const char *key, struct tolerations *ret, bool *ret_there)
{
	const char *text = meta_annotation(ns->metadata, key);
	struct json_reader r;
	*ret = (struct tolerations){0};
	*ret_there = text != NULL;
	if (str_empty(text))
		return NULL;
	const char *problem = json_problem(arena, text, strlen(text));
	if (problem)
		return status_new(STATUS_UNKNOWN, "%s", problem);
	json_reader_init(&r, arena, text, strlen(text), JSON_MAX_DEPTH);
	struct status *wrong = read_list(arena, &r, ret);
	if (!wrong)
		return NULL;
	const char *why = arena_strdup(arena, wrong->message);
	status_drop(wrong, "it is an error of the server");
	return status_new(STATUS_UNKNOWN, "%s", why);
}

/* By its status, or as it comes. */
static const char *qos_of(const struct admission_attributes *a, const CoreV1PodSpec *spec)
{
	const CoreV1PodStatus *status = ((const CoreV1Pod *)a->object)->status;
	return status && !str_empty(status->qos_class) ? status->qos_class : pod_qos_class(spec);
}

static struct status *validate(const struct admission_context *context, const struct admission_attributes *a)
{
	const Configuration *config = context->own;
	const CoreV1PodSpec *spec = admission_pod_spec(a);
	const CoreV1Namespace *ns;
	struct tolerations allowed;
	bool there;
	if (!spec || !spec->n_tolerations)
		return NULL;
	TRY(admission_namespace(context, a, &ns));
	TRY(read_annotation(a->arena, ns, ALLOWED, &allowed, &there));
	if (!there)
		allowed = (struct tolerations){config->whitelist, config->n_whitelist};
	const struct tolerations own = {spec->tolerations, spec->n_tolerations};
	if (!allowed.n_items || all_allowed(a->arena, &own, &allowed))
		return NULL;
	return status_new(STATUS_UNKNOWN,
		"pod tolerations (possibly merged with namespace default tolerations) conflict with its %s whitelist",
		there ? "namespace" : "cluster");
}

static struct status *add_defaults(
	const struct admission_context *context, const struct admission_attributes *a, struct tolerations *all)
{
	const Configuration *config = context->own;
	const CoreV1Namespace *ns;
	struct tolerations more;
	bool there;
	TRY(admission_namespace(context, a, &ns));
	TRY(read_annotation(a->arena, ns, DEFAULTS, &more, &there));
	if (!there)
		more = (struct tolerations){config->default_, config->n_default};
	for (size_t i = 0; i < more.n_items; i++)
		ARENA_PUSH(a->arena, all->items, all->n_items) = api_copy_msg(a->arena, more.items[i]);
	return NULL;
}

static struct status *mutate(const struct admission_context *context, const struct admission_attributes *a)
{
	CoreV1PodSpec *spec = admission_pod_spec(a);
	struct tolerations all = {0};
	if (!spec)
		return NULL;
	for (size_t i = 0; i < spec->n_tolerations; i++)
		ARENA_PUSH(a->arena, all.items, all.n_items) = spec->tolerations[i];
	if (a->operation == ADMISSION_CREATE)
		TRY(add_defaults(context, a, &all));
	if (!str_eq(qos_of(a, spec), "BestEffort")) {
		CoreV1Toleration *t = API_NEW(a->arena, CoreV1Toleration);
		t->key = (char *)"node.kubernetes.io/memory-pressure";
		t->operator=(char *) "Exists";
		t->effect = (char *)"NoSchedule";
		ARENA_PUSH(a->arena, all.items, all.n_items) = t;
	}
	if (all.n_items > spec->n_tolerations) {
		all = merge(a->arena, &all);
		spec->tolerations = all.items;
		spec->n_tolerations = all.n_items;
	}
	return validate(context, a);
}

const struct admission_plugin pod_toleration_restriction_plugin = {
	.name = "PodTolerationRestriction",
	.operations = ON_CREATE | ON_UPDATE,
	.mutate = mutate,
	.validate = validate,
	.start = start,
};
