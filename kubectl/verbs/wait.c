#include <strings.h>
#include "api/jsonpath.h"
#include "kubectl/await.h"
#include "kubectl/printer.h"
#include "kubectl/verbs/verbs.h"

struct wait_options {
	struct print_options print;
	struct filename_options files;
	char *selector, *field_selector, *condition;
	bool all, all_namespaces, local;
	int64_t timeout_ms;
};

#define W(...) OPT(struct wait_options, __VA_ARGS__)
static const struct option wait_flags[] = {
	OPT_GROUP(struct wait_options, print, print_flags),
	W(files.filenames, 'f', "filename", FLAG_STRINGS, "", "File or directory that names the objects"),
	W(files.recursive, 'R', "recursive", FLAG_BOOL, "true", "Descend into the directories given with -f"),
	W(all, 0, "all", FLAG_BOOL, "false", "All objects of the type"),
	W(all_namespaces, 'A', "all-namespaces", FLAG_BOOL, "false", "In all namespaces"),
	W(field_selector, 0, "field-selector", FLAG_STRING, "", "Select by fields"),
	W(condition, 0, "for", FLAG_STRING, "", "create, delete, condition=NAME[=VALUE] or jsonpath='{...}'[=VALUE]"),
	W(local, 0, "local", FLAG_BOOL, "false", "Look at the files only"),
	W(selector, 'l', "selector", FLAG_STRING, "", "Select by labels"),
	W(timeout_ms, 0, "timeout", FLAG_DURATION, "30s", "How long to wait; 0: look once; negative: a week"),
	OPT_END,
};

enum wanted { WANT_DELETE, WANT_CREATE, WANT_CONDITION, WANT_JSONPATH };

struct waiter {
	struct kubectl *k;
	enum wanted wanted;
	const char *name, *value; /* of the condition; the value of the JSONPath, NULL for any */
	struct jsonpath *path;
	const struct info *info;
	cJSON *last;
};

static struct status *parse_jsonpath(struct waiter *w, const char *text)
{
	struct arena *arena = w->k->arena;
	CLEANUP(strbuf_done) struct strbuf part = STRBUF_INIT;
	char *parts[3] = {NULL}, *full;
	size_t n = 0;
	for (const char *c = text;; c++) {
		if (*c == '=' && c[1] == '=') {
			strbuf_adds(&part, "==");
			c++;
		} else if (*c == '=' || !*c) {
			if (n < 3)
				parts[n++] = arena_strdup(arena, part.buf);
			strbuf_reset(&part);
			if (!*c)
				break;
		} else {
			strbuf_addc(&part, *c);
		}
	}
	if (n > 2)
		return user_error("jsonpath wait format must be --for=jsonpath='{.status.readyReplicas}'=3 or "
				  "--for=jsonpath='{.status.readyReplicas}'");
	TRY(jsonpath_relax(arena, parts[0], &full));
	if (n == 2) {
		char *value = parts[1];
		size_t size = strlen(value);
		while (size && strchr("'\"", value[size - 1]))
			value[--size] = 0;
		value += strspn(value, "'\"");
		if (!*value)
			return user_error("jsonpath wait has to have a value after equal sign, like "
					  "--for=jsonpath='{.status.readyReplicas}'=3");
		w->value = value;
	}
	if (!*parts[0])
		return user_error("jsonpath expression cannot be empty");
	TRY(jsonpath_parse(arena, full, &w->path));
	jsonpath_allow_missing(w->path, true);
	return NULL;
}

static struct status *parse_condition(struct waiter *w, const char *text)
{
	if (!strcasecmp(text, "delete")) {
		w->wanted = WANT_DELETE;
	} else if (!strcasecmp(text, "create")) {
		w->wanted = WANT_CREATE;
	} else if (str_starts_with(text, "condition=")) {
		char *name = arena_strdup(w->k->arena, text + strlen("condition=")), *equals = strchr(name, '=');
		w->wanted = WANT_CONDITION;
		w->name = name;
		w->value = equals ? equals + 1 : "true";
		if (equals)
			*equals = 0;
	} else if (str_starts_with(text, "jsonpath=")) {
		w->wanted = WANT_JSONPATH;
		return parse_jsonpath(w, text + strlen("jsonpath="));
	} else {
		return user_error("unrecognized condition: \"%s\"", text);
	}
	return NULL;
}

static bool condition_met(const struct waiter *w, const cJSON *object)
{
	TREE_FOREACH (condition, obj_at(object, "status.conditions")) {
		if (strcasecmp(obj_string(condition, "type"), w->name))
			continue;
		int64_t generation = obj_int(object, "metadata.generation", 0);
		int64_t observed = obj_int(
			condition, "observedGeneration", obj_int(object, "status.observedGeneration", generation));
		return observed >= generation && !strcasecmp(obj_string(condition, "status"), w->value);
	}
	return false;
}

static struct status *jsonpath_met(struct waiter *w, const cJSON *object, bool *ret)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	cJSON **nodes;
	size_t n = 0;
	*ret = false;
	TRY(jsonpath_find(arena, w->path, object, &nodes, &n));
	if (!n)
		return NULL;
	if (n > 1)
		return user_error("given jsonpath expression matches more than one value");
	*ret = !w->value;
	if (*ret)
		return NULL;
	if (cJSON_IsObject(nodes[0]) || cJSON_IsArray(nodes[0]))
		return user_error("jsonpath leads to a nested object or list which is not supported");
	*ret = str_eq(str_trim(arena, obj_text(arena, nodes[0])), str_trim(arena, w->value));
	return NULL;
}

static struct status *check(void *data, const cJSON *object, enum await_answer *ret_answer)
{
	struct waiter *w = data;
	bool met = false;
	if (object)
		w->last = tree_copy(w->k->arena, object);
	if (w->wanted == WANT_DELETE) {
		met = !object;
	} else if (!object) {
		return status_from_server(status_new(STATUS_NOT_FOUND, "%s \"%s\" not found",
			mapping_plural_group(w->k->arena, w->info->mapping), w->info->name));
	} else if (w->wanted == WANT_CONDITION) {
		met = condition_met(w, object);
	} else if (w->wanted == WANT_JSONPATH) {
		TRY(jsonpath_met(w, object, &met));
	} else {
		met = true;
	}
	*ret_answer = met ? AWAIT_DONE : AWAIT_MORE;
	return NULL;
}

static struct status *wait_one(struct waiter *w, const struct wait_options *o, const struct info *info)
{
	struct printer *printer;
	struct await await = {.check = check, .data = w, .timeout_ms = o->timeout_ms};
	w->info = info;
	w->last = info->object;
	if (!*info->name)
		return user_error("resource name must be provided");
	if (w->wanted != WANT_CREATE) {
		struct status *s = await_object(w->k, info, &await);
		if (status_is(s, STATUS_TIMEOUT) && !o->timeout_ms) {
			status_free(s);
			return user_error("condition not met for %s/%s", info->mapping->rest.plural, info->name);
		}
		TRY(s);
	}
	TRY(printer_new(w->k, &o->print, "condition met", &printer));
	return printer_print(printer, w->last ? w->last : info->object, stdout);
}

static struct status *find_objects(
	struct waiter *w, const struct wait_options *o, const struct selection *sel, struct infos *infos)
{
	int64_t deadline = now_ms() + o->timeout_ms;
	for (;;) {
		struct status *s = select_objects(w->k, sel, infos);
		bool absent = status_is(s, STATUS_NOT_FOUND) || (!s && !infos->n_items);
		if (w->wanted != WANT_CREATE || !absent)
			return s;
		status_drop(s, "it is not there yet");
		if (now_ms() >= deadline)
			return user_error("timed out waiting for the condition");
		sleep_ms(500);
	}
}

static struct status *wait_run(struct kubectl *k, struct call *call)
{
	struct wait_options *o = call->options;
	struct waiter w = {.k = k};
	struct infos infos;
	if (o->timeout_ms < 0)
		o->timeout_ms = 168LL * 3600 * 1000;
	TRY(parse_condition(&w, o->condition));
	struct selection sel = {.files = &o->files,
		.args = call->args,
		.n_args = call->n_args,
		.selector = o->selector,
		.field_selector = o->field_selector,
		.all = o->all,
		.all_namespaces = o->all_namespaces,
		.flatten = true,
		.latest = true,
		.ignore_not_found = w.wanted == WANT_DELETE};
	struct status *errors = find_objects(&w, o, &sel, &infos);
	if (errors && !infos.n_items)
		return errors;
	if (!infos.n_items && w.wanted != WANT_DELETE)
		return user_error("no matching resources found");
	for (size_t i = 0; i < infos.n_items; i++)
		errors_add(&errors, wait_one(&w, o, &infos.items[i]));
	return errors;
}

const struct command wait_command = {
	.name = "wait",
	.section = "Advanced Commands:",
	.summary = "Wait for a specific condition on one or many resources",
	.usage = "([-f FILENAME] | resource.group/resource.name | resource.group [(-l label | --all)]) "
		 "[--for=create|--for=delete|--for condition=available|--for=jsonpath='{}'[=value]]",
	.examples = "# until a pod is ready\nkubectl wait --for=condition=Ready pod/web-0\n\n"
		    "# until it is gone\nkubectl wait --for=delete pod/web-0 --timeout=60s",
	.flags = wait_flags,
	.options_size = sizeof(struct wait_options),
	.run = wait_run,
};
