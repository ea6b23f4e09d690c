#include "kubectl/change.h"
#include "kubectl/verbs/verbs.h"

struct taint_options {
	struct print_options print;
	char *dry_run, *field_manager, *selector, *validate;
	bool all, overwrite;
};

#define T(...) OPT(struct taint_options, __VA_ARGS__)
static const struct option taint_flags[] = {
	OPT_GROUP(struct taint_options, print, print_flags),
	OPT_DRY_RUN(struct taint_options, dry_run),
	OPT_FIELD_MANAGER(struct taint_options, field_manager, "kubectl-taint"),
	T(all, 0, "all", FLAG_BOOL, "false", "All nodes"),
	T(overwrite, 0, "overwrite", FLAG_BOOL, "false", "Allow other values to be replaced"),
	T(selector, 'l', "selector", FLAG_STRING, "", "Select by labels"),
	T(validate, 0, "validate", FLAG_STRING, "strict", "strict, warn or ignore what the schema does not know"),
	OPT_END,
};

struct taint {
	char *key, *value, *effect;
	bool remove;
};

struct tainter {
	struct taint_options *o;
	struct taint *taints;
	size_t n_taints;
};

static struct status *parse_taint(struct kubectl *k, struct tainter *t, const char *text)
{
	struct taint taint = {.value = arena_strdup(k->arena, ""), .effect = arena_strdup(k->arena, "")};
	char *spec = arena_strdup(k->arena, text), *colon, *equals;
	size_t size = strlen(spec);
	if (size && spec[size - 1] == '-') {
		taint.remove = true;
		spec[size - 1] = 0;
	}
	colon = strchr(spec, ':');
	if (colon) {
		*colon = 0;
		taint.effect = colon + 1;
	}
	equals = strchr(spec, '=');
	if (equals) {
		*equals = 0;
		taint.value = equals + 1;
	}
	taint.key = spec;
	const char *key_error = label_key_error(k->arena, spec),
		   *value_error = label_value_error(k->arena, taint.value);
	if ((colon && strchr(taint.effect, ':')) || (!colon && !taint.remove))
		return user_error("invalid taint spec: %s", text);
	if (key_error || value_error)
		return user_error("invalid taint spec: %s, %s", text, key_error ? key_error : value_error);
	static const char *const effects[] = {"NoSchedule", "PreferNoSchedule", "NoExecute", NULL};
	if ((colon || !taint.remove) && *taint.effect && !str_in(taint.effect, effects))
		return user_error("invalid taint effect: %s, unsupported taint effect", taint.effect);
	if (!taint.remove && !*taint.effect)
		return user_error("invalid taint effect: %s, unsupported taint effect", taint.effect);
	for (size_t i = 0; i < t->n_taints; i++)
		if (!taint.remove && !t->taints[i].remove && str_eq(t->taints[i].key, taint.key) &&
			str_eq(t->taints[i].effect, taint.effect))
			return user_error("duplicated taints with the same key and effect: {%s %s %s <nil>}", taint.key,
				taint.value, taint.effect);
	ARENA_PUSH(k->arena, t->taints, t->n_taints) = taint;
	return NULL;
}

static cJSON *find_taint(cJSON *list, const char *key, const char *effect)
{
	TREE_FOREACH (item, list)
		if (str_eq(obj_string(item, "key"), key) && (!*effect || str_eq(obj_string(item, "effect"), effect)))
			return item;
	return NULL;
}

static struct status *remove_taint(cJSON *list, const struct taint *taint)
{
	bool any = false;
	size_t i = 0;
	for (cJSON *item; (item = tree_at(list, i));) {
		if (str_eq(obj_string(item, "key"), taint->key) &&
			(!*taint->effect || str_eq(obj_string(item, "effect"), taint->effect))) {
			(void)tree_remove_at(list, i);
			any = true;
		} else {
			i++;
		}
	}
	if (any)
		return NULL;
	return user_error("taint \"%s%s%s\" not found", taint->key, *taint->effect ? ":" : "", taint->effect);
}

static struct status *check_overwrites(struct kubectl *k, const struct tainter *t, cJSON *list, const char *node)
{
	CLEANUP(strbuf_done) struct strbuf found = STRBUF_INIT;
	for (size_t i = 0; i < t->n_taints && !t->o->overwrite; i++) {
		const struct taint *taint = &t->taints[i];
		const cJSON *present = taint->remove ? NULL : find_taint(list, taint->key, taint->effect);
		if (present)
			strbuf_printf(&found, "%s{%s %s %s <nil>}", found.len ? " " : "", taint->key, taint->value,
				taint->effect);
	}
	if (!found.len)
		return NULL;
	return user_error(
		"node %s already has [%s] taint(s) with same effect(s) and --overwrite is false", node, found.buf);
}

static struct status *mutate(
	struct kubectl *k, void *data, const struct info *info, cJSON *object, const char **ret_operation)
{
	struct tainter *t = data;
	cJSON *list = obj_array(k->arena, object, "spec.taints");
	bool added = false, removed = false, modified = false;
	struct status *errors = NULL;
	TRY(check_overwrites(k, t, list, info->name));
	for (size_t i = 0; i < t->n_taints; i++) {
		const struct taint *taint = &t->taints[i];
		if (taint->remove) {
			errors_add(&errors, remove_taint(list, taint));
			removed = true;
			continue;
		}
		cJSON *item = find_taint(list, taint->key, taint->effect);
		modified |= item != NULL;
		added |= item == NULL;
		if (!item) {
			item = tree_new_object(k->arena);
			tree_set_string(k->arena, item, "key", taint->key);
			tree_append(list, item);
		}
		if (*taint->value)
			tree_set_string(k->arena, item, "value", taint->value);
		else
			(void)tree_remove(item, "value");
		tree_set_string(k->arena, item, "effect", taint->effect);
	}
	if (!tree_size(list))
		obj_remove(object, "spec.taints");
	*ret_operation = removed && !added && !modified	  ? "untainted"
			 : modified && !added && !removed ? "modified"
							  : "tainted";
	return errors;
}

static struct status *check_both_ways(const struct tainter *t)
{
	for (size_t i = 0; i < t->n_taints; i++)
		for (size_t j = 0; j < t->n_taints; j++)
			if (t->taints[i].remove && !t->taints[j].remove && str_eq(t->taints[i].key, t->taints[j].key) &&
				(!*t->taints[i].effect || str_eq(t->taints[i].effect, t->taints[j].effect)))
				return user_error(
					"can not both modify and remove the following taint(s) in the same command: %s",
					t->taints[i].key);
	return NULL;
}

static struct status *taint_run(struct kubectl *k, struct call *call)
{
	struct taint_options *o = call->options;
	struct tainter t = {.o = o};
	struct change change = {.print = &o->print, .data = &t, .mutate = mutate, .no_dry_run_mark = true};
	size_t n_names = 0;
	for (size_t i = 0; i < call->n_args; i++) {
		const char *arg = call->args[i];
		bool is_taint = strchr(arg, '=') || strchr(arg, ':') || str_ends_with(arg, "-");
		if (!is_taint && t.n_taints)
			return user_error("all resources must be specified before taint changes: %s", arg);
		if (is_taint)
			TRY(parse_taint(k, &t, arg));
		n_names += !is_taint;
	}
	if (!n_names)
		return user_error("one or more resources must be specified as <resource> <name>");
	if (!t.n_taints)
		return user_error("at least one taint update is required");
	if (o->all && !str_empty(o->selector))
		return user_error("setting 'all' parameter with a non empty selector is prohibited");
	if (!o->all && str_empty(o->selector) && n_names < 2 && !strchr(call->args[0], '/'))
		return user_error("at least one resource name must be specified since 'all' parameter is not set");
	if (!str_starts_with(call->args[0], "node") && !str_starts_with(call->args[0], "no"))
		return user_error("invalid resource type %s, only node types are supported", call->args[0]);
	TRY(check_both_ways(&t));
	change.send = (struct send_options){.field_manager = o->field_manager, .validate = o->validate};
	TRY(dry_run_parse(o->dry_run, &change.send.dry_run));
	struct selection sel = {.args = call->args,
		.n_args = n_names,
		.selector = o->selector,
		.all = o->all,
		.flatten = true,
		.latest = true};
	return change_objects(k, &sel, &change);
}

const struct command taint_command = {
	.name = "taint",
	.section = "Cluster Management Commands:",
	.summary = "Update the taints on one or more nodes",
	.usage = "NODE NAME KEY_1=VAL_1:TAINT_EFFECT_1 ... KEY_N=VAL_N:TAINT_EFFECT_N",
	.flags = taint_flags,
	.options_size = sizeof(struct taint_options),
	.run = taint_run,
};
