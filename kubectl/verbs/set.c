#include "kubectl/change.h"
#include "kubectl/verbs/create/generator.h"
#include "kubectl/verbs/verbs.h"

struct set_options {
	struct print_options print;
	struct filename_options files;
	char *dry_run, *field_manager, *selector, *containers, *limits, *requests, *from, *prefix, *resource_version;
	struct flag_list env, keys, users, groups, accounts;
	bool all, local, list, overwrite, resolve;
};

#define S(...) OPT(struct set_options, __VA_ARGS__)
#define COMMON                                                                                                   \
	OPT_GROUP(struct set_options, print, print_flags), OPT_GROUP(struct set_options, files, filename_flags), \
		OPT_DRY_RUN(struct set_options, dry_run),                                                        \
		OPT_FIELD_MANAGER(struct set_options, field_manager, "kubectl-set"),                             \
		S(all, 0, "all", FLAG_BOOL, "false", "All objects of the type in the namespace"),                \
		S(local, 0, "local", FLAG_BOOL, "false", "Change the files' objects only, ask no server"),       \
		S(selector, 'l', "selector", FLAG_STRING, "", "Select by labels")
static const struct option image_flags[] = {COMMON, OPT_END};
static const struct option resources_flags[] = {
	COMMON,
	S(containers, 'c', "containers", FLAG_STRING, "*", "Names of containers, with * for any text"),
	S(limits, 0, "limits", FLAG_STRING, "", "Limits as resource=quantity, joined by commas"),
	S(requests, 0, "requests", FLAG_STRING, "", "Requests as resource=quantity, joined by commas"),
	OPT_END,
};
static const struct option env_flags[] = {
	COMMON,
	S(containers, 'c', "containers", FLAG_STRING, "*", "Names of containers, with * for any text"),
	S(env, 'e', "env", FLAG_STRING_ARRAY, "", "Variable as name=value"),
	S(from, 0, "from", FLAG_STRING, "", "Secret or config map whose entries become variables"),
	S(keys, 0, "keys", FLAG_STRINGS, "", "Only these entries of --from"),
	S(list, 0, "list", FLAG_BOOL, "false", "Show the variables"),
	S(overwrite, 0, "overwrite", FLAG_BOOL, "true", "Allow other values to be replaced"),
	S(prefix, 0, "prefix", FLAG_STRING, "", "Put before the names of new variables"),
	S(resolve, 0, "resolve", FLAG_BOOL, "false", "With --list: show the values of references"),
	OPT_END,
};

struct pair {
	char *key, *value; /* value NULL: remove */
	cJSON *from;	   /* valueFrom, instead of a value */
};

struct setter {
	struct set_options *o;
	struct call *call;
	struct pair *pairs;
	size_t n_pairs;
};

static const char *const lists[] = {"initContainers", "containers"};

/* A name pattern in which * stands for any text. */
static bool name_matches(const char *pattern, const char *name)
{
	const char *star = strchr(pattern, '*');
	if (!star)
		return str_eq(pattern, name);
	size_t head = (size_t)(star - pattern), tail = strlen(star + 1), size = strlen(name);
	return size >= head + tail && !strncmp(pattern, name, head) && !strcmp(name + size - tail, star + 1);
}

static struct status *split_args(struct kubectl *k, struct setter *s, const char *what, size_t *ret_n_names)
{
	*ret_n_names = 0;
	for (size_t i = 0; i < s->call->n_args; i++) {
		char *arg = s->call->args[i];
		struct pair pair = {0};
		bool remove = str_eq(what, "environment") && str_ends_with(arg, "-") && !strchr(arg, '=');
		if (!remove && !split_pair(k->arena, arg, &pair.key, &pair.value)) {
			if (s->n_pairs)
				return user_error("all resources must be specified before %s changes: %s", what, arg);
			++*ret_n_names;
			continue;
		}
		if (remove)
			pair.key = arena_strndup(k->arena, arg, strlen(arg) - 1);
		ARENA_PUSH(k->arena, s->pairs, s->n_pairs) = pair;
	}
	return NULL;
}

static struct status *run_change(struct kubectl *k, struct setter *s, size_t n_names, struct change *change)
{
	struct set_options *o = s->o;
	if (o->all && !str_empty(o->selector))
		return user_error("cannot set --all and --selector at the same time");
	if (!n_names && !has_files(&o->files))
		return user_error("one or more resources must be specified as <resource> <name> or <resource>/<name>");
	if (o->local && str_eq(o->dry_run, "server"))
		return user_error("cannot specify --local and --dry-run=server - did you mean --dry-run=client?");
	change->print = &o->print;
	change->local = o->local;
	change->data = s;
	change->send.field_manager = o->field_manager;
	TRY(dry_run_parse(o->dry_run, &change->send.dry_run));
	struct selection sel = {.files = &o->files,
		.args = s->call->args,
		.n_args = n_names,
		.selector = o->selector,
		.all = o->all,
		.local = o->local,
		.flatten = true,
		.latest = !o->local};
	return change_objects(k, &sel, change);
}

/* --- image --- */

static struct status *mutate_image(
	struct kubectl *k, void *data, const struct info *info, cJSON *object, const char **ret_operation)
{
	struct setter *s = data;
	cJSON *spec = obj_pod_spec(object);
	bool changed = false;
	struct status *errors = NULL;
	if (!spec)
		return user_error("error: %s the object is not a pod or does not have a pod template: %s",
			info_display(k, info), obj_kind(object));
	for (size_t i = 0; i < s->n_pairs; i++) {
		bool found = false;
		for (size_t l = 0; l < ARRAY_SIZE(lists); l++)
			TREE_FOREACH (container, tree_get(spec, lists[l])) {
				if (!str_eq(s->pairs[i].key, "*") &&
					!str_eq(s->pairs[i].key, obj_string(container, "name")))
					continue;
				found = true;
				changed |= !str_eq(obj_string(container, "image"), s->pairs[i].value);
				tree_set_string(k->arena, container, "image", s->pairs[i].value);
			}
		if (!found)
			errors_add(
				&errors, user_error("error: unable to find container named \"%s\"", s->pairs[i].key));
	}
	if (changed)
		*ret_operation = "image updated";
	return errors;
}

static struct status *image_run(struct kubectl *k, struct call *call)
{
	struct setter s = {.o = call->options, .call = call};
	struct change change = {.mutate = mutate_image};
	size_t n_names;
	TRY(split_args(k, &s, "image", &n_names));
	if (!s.n_pairs)
		return user_error("at least one image update is required");
	for (size_t i = 0; i < s.n_pairs && s.n_pairs > 1; i++)
		if (str_eq(s.pairs[i].key, "*"))
			return user_error("all containers are already specified by *, but saw more than one "
					  "container_name=container_image "
					  "pairs");
	return run_change(k, &s, n_names, &change);
}

/* --- resources --- */

static struct status *set_quantities(struct kubectl *k, cJSON *container, const char *path, const char *text)
{
	char **parts, *key, *value;
	size_t n = str_split(k->arena, text, ',', &parts);
	for (size_t i = 0; i < n; i++) {
		if (!split_pair(k->arena, parts[i], &key, &value))
			return user_error("Invalid argument syntax %s, expected <resource>=<value>", parts[i]);
		if (str_eq(value, "0"))
			(void)tree_remove(obj_object(k->arena, container, path), key);
		else
			tree_set_string(k->arena, obj_object(k->arena, container, path), key, value);
	}
	return NULL;
}

static struct status *mutate_resources(
	struct kubectl *k, void *data, const struct info *info, cJSON *object, const char **ret_operation)
{
	struct setter *s = data;
	cJSON *spec = obj_pod_spec(object), *before = tree_copy(k->arena, spec);
	bool found = false;
	for (size_t l = 0; l < ARRAY_SIZE(lists); l++)
		TREE_FOREACH (container, tree_get(spec, lists[l])) {
			if (!name_matches(s->o->containers, obj_string(container, "name")))
				continue;
			found = true;
			TRY(set_quantities(k, container, "resources.limits", s->o->limits));
			TRY(set_quantities(k, container, "resources.requests", s->o->requests));
		}
	if (!found)
		return user_error("error: unable to find container named %s", s->o->containers);
	if (!tree_equal(before, spec))
		*ret_operation = "resource requirements updated";
	return NULL;
}

static struct status *resources_run(struct kubectl *k, struct call *call)
{
	struct setter s = {.o = call->options, .call = call};
	struct change change = {.mutate = mutate_resources};
	if (str_empty(s.o->limits) && str_empty(s.o->requests))
		return user_error(
			"you must specify an update to requests or limits (in the form of --requests/--limits)");
	return run_change(k, &s, call->n_args, &change);
}

/* --- service account --- */

static struct status *mutate_account(
	struct kubectl *k, void *data, const struct info *info, cJSON *object, const char **ret_operation)
{
	struct setter *s = data;
	cJSON *spec = obj_pod_spec(object);
	const char *name = s->call->args[s->call->n_args];
	if (!spec)
		return user_error(
			"error: %s the object is not a pod or does not have a pod template", info_display(k, info));
	tree_set_string(k->arena, spec, "serviceAccountName", name);
	*ret_operation = "serviceaccount updated";
	return NULL;
}

static struct status *serviceaccount_run(struct kubectl *k, struct call *call)
{
	struct setter s = {.o = call->options, .call = call};
	struct change change = {.mutate = mutate_account};
	if (!call->n_args)
		return user_error("serviceaccount is required");
	call->n_args--; /* the last one is the account */
	return run_change(k, &s, call->n_args, &change);
}

/* --- env --- */

static void list_env(struct kubectl *k, const cJSON *object, const cJSON *container)
{
	printf("# %s %s, container %s\n", obj_kind(object), obj_name(object), obj_string(container, "name"));
	TREE_FOREACH (variable, tree_get(container, "env")) {
		const char *name = obj_string(variable, "name");
		const cJSON *from = tree_get(variable, "valueFrom"), *ref;
		if (!from)
			printf("%s=%s\n", name, obj_string(variable, "value"));
		else if ((ref = tree_get(from, "configMapKeyRef")))
			printf("# %s from configmap %s, key %s\n", name, obj_string(ref, "name"),
				obj_string(ref, "key"));
		else if ((ref = tree_get(from, "secretKeyRef")))
			printf("# %s from secret %s, key %s\n", name, obj_string(ref, "name"), obj_string(ref, "key"));
		else if ((ref = tree_get(from, "fieldRef")))
			printf("# %s from field path %s\n", name, obj_string(ref, "fieldPath"));
		else if ((ref = tree_get(from, "resourceFieldRef")))
			printf("# %s from resource field %s\n", name, obj_string(ref, "resource"));
	}
}

static struct status *set_variable(struct kubectl *k, const struct setter *s, cJSON *container, const struct pair *pair)
{
	cJSON *env = obj_array(k->arena, container, "env"), *entry = NULL;
	size_t index = 0, at = 0;
	TREE_FOREACH (variable, env) {
		if (str_eq(obj_string(variable, "name"), pair->key)) {
			entry = variable;
			at = index;
		}
		index++;
	}
	if (!pair->value && !pair->from) {
		if (entry)
			(void)tree_remove_at(env, at);
		return NULL;
	}
	if (entry && !s->o->overwrite)
		return user_error("'%s' already has a value (%s), and --overwrite is false", pair->key,
			obj_string(entry, "value"));
	if (!entry) {
		entry = tree_new_object(k->arena);
		tree_set_string(k->arena, entry, "name", pair->key);
		tree_append(env, entry);
	}
	(void)tree_remove(entry, "value");
	(void)tree_remove(entry, "valueFrom");
	if (pair->from)
		tree_set(k->arena, entry, "valueFrom", tree_copy(k->arena, pair->from));
	else
		tree_set_string(k->arena, entry, "value", pair->value);
	return NULL;
}

static struct status *mutate_env(
	struct kubectl *k, void *data, const struct info *info, cJSON *object, const char **ret_operation)
{
	struct setter *s = data;
	cJSON *spec = obj_pod_spec(object), *before = tree_copy(k->arena, spec);
	bool found = false;
	for (size_t l = ARRAY_SIZE(lists); l-- > 0;)
		TREE_FOREACH (container, tree_get(spec, lists[l])) {
			if (!name_matches(s->o->containers, obj_string(container, "name")))
				continue;
			found = true;
			for (size_t i = 0; i < s->n_pairs; i++)
				TRY(set_variable(k, s, container, &s->pairs[i]));
			if (!tree_size(tree_get(container, "env")))
				(void)tree_remove(container, "env");
			if (s->o->list)
				list_env(k, object, container);
		}
	if (!found)
		fprintf(stderr, "Warning: %s/%s does not have any containers matching \"%s\"\n", obj_kind(object),
			obj_name(object), s->o->containers);
	if (!s->o->list && !tree_equal(before, spec))
		*ret_operation = "env updated";
	return NULL;
}

/* "my-key.x" becomes MY_KEY_X. */
static char *variable_name(struct arena *arena, const char *key)
{
	char *name = arena_strdup(arena, key);
	for (char *c = name; *c; c++)
		*c = *c >= 'a' && *c <= 'z' ? (char)(*c - 32) : *c == '-' || *c == '.' ? '_' : *c;
	return name;
}

static struct status *read_source(struct kubectl *k, struct setter *s)
{
	struct infos infos;
	struct selection sel = {.args = &s->o->from, .n_args = 1, .flatten = true, .stop_at_error = true};
	TRY(select_objects(k, &sel, &infos));
	for (size_t i = 0; i < infos.n_items; i++) {
		const cJSON *object = infos.items[i].object;
		bool secret = str_eq(obj_kind(object), "Secret");
		size_t n;
		if (!secret && !str_eq(obj_kind(object), "ConfigMap"))
			return user_error("unsupported resource specified in --from");
		cJSON **entries = obj_sorted(k->arena, tree_get(object, "data"), &n);
		for (size_t j = 0; j < n; j++) {
			const char *key = entries[j]->string;
			if (s->o->keys.n_items && !str_in_n(key, s->o->keys.items, s->o->keys.n_items))
				continue;
			struct pair pair = {.key = variable_name(k->arena, key), .from = tree_new_object(k->arena)};
			const char *ref = secret ? "secretKeyRef" : "configMapKeyRef";
			cJSON *source = obj_object(k->arena, pair.from, ref);
			tree_set_string(k->arena, source, "key", key);
			tree_set_string(k->arena, source, "name", obj_name(object));
			ARENA_PUSH(k->arena, s->pairs, s->n_pairs) = pair;
		}
	}
	return NULL;
}

static struct status *env_run(struct kubectl *k, struct call *call)
{
	struct setter s = {.o = call->options, .call = call};
	struct change change = {.mutate = mutate_env};
	size_t n_names;
	TRY(split_args(k, &s, "environment", &n_names));
	for (size_t i = 0; i < s.o->env.n_items; i++) {
		struct pair pair = {0};
		if (!split_pair(k->arena, s.o->env.items[i], &pair.key, &pair.value))
			return user_error("environment variables must be of the form key=value: %s", s.o->env.items[i]);
		ARENA_PUSH(k->arena, s.pairs, s.n_pairs) = pair;
	}
	if (s.o->keys.n_items && str_empty(s.o->from))
		return user_error("when specifying --keys, a configmap or secret must be provided with --from");
	if (s.o->list && !str_empty(s.o->print.output))
		return user_error("--list and --output may not be specified together");
	if (!str_empty(s.o->from))
		TRY(read_source(k, &s));
	for (size_t i = 0; i < s.n_pairs && !str_empty(s.o->prefix); i++)
		s.pairs[i].key = arena_printf(k->arena, "%s%s", s.o->prefix, s.pairs[i].key);
	if (!s.n_pairs && !s.o->list)
		return user_error("at least one environment variable must be provided");
	return run_change(k, &s, n_names, &change);
}

/* --- selector --- */

static struct status *mutate_selector(
	struct kubectl *k, void *data, const struct info *info, cJSON *object, const char **ret_operation)
{
	struct setter *s = data;
	char **parts, *key, *value;
	if (!str_eq(obj_kind(object), "Service"))
		return user_error("setting a selector is only supported for Services");
	cJSON *selector = tree_new_object(k->arena);
	size_t n = str_split(k->arena, s->call->args[s->call->n_args], ',', &parts);
	for (size_t i = 0; i < n; i++) {
		if (!split_pair(k->arena, parts[i], &key, &value))
			return user_error("match expression %s not supported on this object", parts[i]);
		tree_set_string(k->arena, selector, key, value);
	}
	obj_set(k->arena, object, "spec.selector", selector);
	*ret_operation = "selector updated";
	return NULL;
}

static struct status *selector_run(struct kubectl *k, struct call *call)
{
	struct setter s = {.o = call->options, .call = call};
	struct change change = {.mutate = mutate_selector};
	if (!call->n_args || (!strchr(call->args[call->n_args - 1], '=') && !has_files(&s.o->files)))
		return user_error("one selector is required");
	call->n_args--; /* the last one is the selector */
	return run_change(k, &s, call->n_args, &change);
}

#define COMMAND(verb, table, usage_, summary_, aliases_)             \
	static const struct command verb##_command = {.name = #verb, \
		.aliases = aliases_,                                 \
		.usage = (usage_),                                   \
		.summary = (summary_),                               \
		.flags = table,                                      \
		.options_size = sizeof(struct set_options),          \
		.run = verb##_run}
static const char *const account_aliases[] = {"sa", NULL};
COMMAND(env, env_flags, "RESOURCE/NAME KEY_1=VAL_1 ... KEY_N=VAL_N", "Update environment variables on a pod template",
	NULL);
COMMAND(image, image_flags,
	"(-f FILENAME | TYPE NAME) CONTAINER_NAME_1=CONTAINER_IMAGE_1 ... CONTAINER_NAME_N=CONTAINER_IMAGE_N",
	"Update the image of a pod template", NULL);
COMMAND(resources, resources_flags, "(-f FILENAME | TYPE NAME) ([--limits=LIMITS & --requests=REQUESTS]",
	"Update resource requests/limits on objects with pod templates", NULL);
COMMAND(selector, image_flags, "(-f FILENAME | TYPE NAME) EXPRESSIONS", "Set the selector on a resource", NULL);
COMMAND(serviceaccount, image_flags, "(-f FILENAME | TYPE NAME) SERVICE_ACCOUNT",
	"Update the service account of a resource", account_aliases);

static const struct command *const children[] = {
	&env_command, &image_command, &resources_command, &selector_command, &serviceaccount_command, NULL};
const struct command set_command = {
	.name = "set",
	.section = "Basic Commands (Beginner):",
	.summary = "Set specific features on objects",
	.usage = "SUBCOMMAND",
	.children = children,
};
