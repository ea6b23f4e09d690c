/* kubectl label and annotate: the same verb on two maps of the metadata. */
#include "api/selector.h"
#include "kubectl/change.h"
#include "kubectl/verbs/verbs.h"

struct label_options {
	struct print_options print;
	struct filename_options files;
	char *dry_run, *field_manager, *selector, *field_selector, *resource_version;
	bool all, all_namespaces, list, local, overwrite;
};

#define L(...) OPT(struct label_options, __VA_ARGS__)
#define COMMON                                                                                                       \
	OPT_GROUP(struct label_options, print, print_flags), OPT_GROUP(struct label_options, files, filename_flags), \
		OPT_DRY_RUN(struct label_options, dry_run),                                                          \
		L(all, 0, "all", FLAG_BOOL, "false", "All objects of the type in the namespace"),                    \
		L(all_namespaces, 'A', "all-namespaces", FLAG_BOOL, "false", "In all namespaces"),                   \
		L(field_selector, 0, "field-selector", FLAG_STRING, "", "Select by fields"),                         \
		L(list, 0, "list", FLAG_BOOL, "false", "Show the entries"),                                          \
		L(local, 0, "local", FLAG_BOOL, "false", "Change the files' objects only, ask no server"),           \
		L(overwrite, 0, "overwrite", FLAG_BOOL, "false", "Allow other values to be replaced"),               \
		L(resource_version, 0, "resource-version", FLAG_STRING, "",                                          \
			"Only if the object has this resource version"),                                             \
		L(selector, 'l', "selector", FLAG_STRING, "", "Select by labels")
static const struct option label_flags[] = {
	COMMON,
	OPT_FIELD_MANAGER(struct label_options, field_manager, "kubectl-label"),
	OPT_END,
};
static const struct option annotate_flags[] = {
	COMMON,
	OPT_FIELD_MANAGER(struct label_options, field_manager, "kubectl-annotate"),
	OPT_END,
};

struct edit {
	char *key, *value; /* value NULL: remove */
};

struct labeler {
	struct label_options *o;
	bool is_label;
	const char *path; /* metadata.labels */
	struct edit *edits;
	size_t n_edits;
	bool single;
};

static struct status *parse_edit(struct kubectl *k, struct labeler *l, const char *text)
{
	const char *equals = strchr(text, '=');
	size_t size = strlen(text);
	struct edit edit = {0};
	if (equals) {
		if (l->is_label && strchr(equals + 1, '='))
			return user_error("invalid label spec: %s", text);
		edit.key = arena_strndup(k->arena, text, (size_t)(equals - text));
		edit.value = arena_strdup(k->arena, equals + 1);
		const char *error = l->is_label ? label_value_error(k->arena, edit.value) : NULL;
		if (error)
			return user_error("invalid label value: \"%s\": %s", text, error);
	} else if (size && text[size - 1] == '-') {
		edit.key = arena_strndup(k->arena, text, size - 1);
	} else {
		return user_error(l->is_label ? "unknown label spec: %s" : "invalid annotation spec: %s", text);
	}
	for (size_t i = 0; i < l->n_edits; i++) {
		if (!str_eq(l->edits[i].key, edit.key) || !l->edits[i].value == !edit.value)
			continue;
		return l->is_label
			       ? user_error("can not both modify and remove a label in the same command")
			       : user_error("can not both modify and remove the following annotation(s) in the same "
					    "command: %s",
					 edit.key);
	}
	ARENA_PUSH(k->arena, l->edits, l->n_edits) = edit;
	return NULL;
}

static struct status *check_overwrites(struct kubectl *k, const struct labeler *l, const cJSON *object)
{
	const cJSON *map = obj_at(object, l->path);
	CLEANUP(strbuf_done) struct strbuf found = STRBUF_INIT;
	for (size_t i = 0; i < l->n_edits && !l->o->overwrite; i++) {
		const struct edit *e = &l->edits[i];
		const char *present = tree_string(tree_get(map, e->key));
		if (!e->value || !present || str_eq(present, e->value) || str_eq(e->key, "kubernetes.io/change-cause"))
			continue;
		if (l->is_label)
			return user_error("'%s' already has a value (%s), and --overwrite is false", e->key, present);
		strbuf_printf(&found, "%s'%s' already has a value (%s)", found.len ? "; " : "", e->key, present);
	}
	if (found.len)
		return user_error("--overwrite is false but found the following declared annotation(s): %s", found.buf);
	return NULL;
}

static void list_entries(struct kubectl *k, const struct labeler *l, const struct info *info, const cJSON *object)
{
	size_t n;
	cJSON **items = obj_sorted(k->arena, obj_at(object, l->path), &n);
	if (!l->single)
		printf("Listing %s for %s.%s/%s:\n", l->is_label ? "labels" : "annotations", obj_kind(object),
			info->mapping ? info->mapping->rest.group : "", obj_name(object));
	for (size_t i = 0; i < n; i++)
		printf("%s%s=%s\n", l->single ? "" : " ", items[i]->string, obj_text(k->arena, items[i]));
}

static struct status *mutate(
	struct kubectl *k, void *data, const struct info *info, cJSON *object, const char **ret_operation)
{
	struct labeler *l = data;
	bool removed = false, set = false;
	size_t before = strlen(tree_to_string(k->arena, object, 0));
	TRY(check_overwrites(k, l, object));
	for (size_t i = 0; i < l->n_edits; i++) {
		const struct edit *e = &l->edits[i];
		const char *present = tree_string(tree_get(obj_at(object, l->path), e->key));
		if (e->value) {
			set |= !str_eq(present, e->value) || !present;
			tree_set_string(k->arena, obj_object(k->arena, object, l->path), e->key, e->value);
		} else if (present) {
			removed = true;
			(void)tree_remove(obj_at(object, l->path), e->key);
		} else if (l->is_label && !l->o->list && !l->o->local && str_eq(l->o->dry_run, "none")) {
			printf("label \"%s\" not found.\n", e->key);
		}
	}
	if (!str_empty(l->o->resource_version))
		obj_set_string(k->arena, object, "metadata.resourceVersion", l->o->resource_version);
	if (l->o->list) {
		list_entries(k, l, info, object);
		return NULL;
	}
	bool shorter = !l->o->overwrite && strlen(tree_to_string(k->arena, object, 0)) < before;
	if (!l->is_label)
		*ret_operation = "annotated";
	else
		*ret_operation = !set && !removed ? "not labeled" : shorter ? "unlabeled" : "labeled";
	return NULL;
}

/* Splits the arguments into what they name and what is to be done to it. */
static struct status *split_args(struct kubectl *k, struct labeler *l, struct call *call, size_t *ret_n_names)
{
	const char *what = l->is_label ? "label" : "annotation";
	bool editing = false;
	*ret_n_names = 0;
	for (size_t i = 0; i < call->n_args; i++) {
		const char *arg = call->args[i];
		bool is_edit = strchr(arg, '=') || str_ends_with(arg, "-");
		if (editing && !is_edit)
			return user_error("all resources must be specified before %s changes: %s", what, arg);
		editing |= is_edit;
		if (is_edit)
			TRY(parse_edit(k, l, arg));
		else
			++*ret_n_names;
	}
	return NULL;
}

static struct status *check(const struct labeler *l, size_t n_names)
{
	const struct label_options *o = l->o;
	if (o->list && !str_empty(o->print.output))
		return user_error("--list and --output may not be specified together");
	if (o->all && !str_empty(o->selector))
		return user_error("cannot set --all and --selector at the same time");
	if (o->all && !str_empty(o->field_selector))
		return user_error("cannot set --all and --field-selector at the same time");
	if (o->local && str_eq(o->dry_run, "server"))
		return user_error("cannot specify --local and --dry-run=server - did you mean --dry-run=client?");
	if (!n_names && !has_files(&o->files))
		return user_error("one or more resources must be specified as <resource> <name> or <resource>/<name>");
	if (!l->n_edits && !o->list)
		return user_error("at least one %s update is required", l->is_label ? "label" : "annotation");
	return NULL;
}

static struct status *run(struct kubectl *k, struct call *call, bool is_label)
{
	struct label_options *o = call->options;
	struct labeler l = {
		.o = o, .is_label = is_label, .path = is_label ? "metadata.labels" : "metadata.annotations"};
	struct change change = {.print = &o->print, .local = o->local, .merge = true, .data = &l, .mutate = mutate};
	size_t n_names;
	TRY(split_args(k, &l, call, &n_names));
	TRY(check(&l, n_names));
	change.send.field_manager = o->field_manager;
	TRY(dry_run_parse(o->dry_run, &change.send.dry_run));
	l.single = n_names == 2 || (n_names == 1 && strchr(call->args[0], '/'));
	struct selection sel = {.files = &o->files,
		.args = call->args,
		.n_args = n_names,
		.selector = o->selector,
		.field_selector = o->field_selector,
		.all = o->all,
		.all_namespaces = o->all_namespaces,
		.local = o->local,
		.flatten = true,
		.latest = !o->local,
		.list_without_selector = o->all};
	return change_objects(k, &sel, &change);
}

static struct status *label_run(struct kubectl *k, struct call *call)
{
	return run(k, call, true);
}

static struct status *annotate_run(struct kubectl *k, struct call *call)
{
	return run(k, call, false);
}

const struct command label_command = {
	.name = "label",
	.section = "Settings Commands:",
	.summary = "Update the labels on a resource",
	.usage = "[--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N [--resource-version=version]",
	.examples = "# set one label, take another away\nkubectl label pods web-0 tier=front old-",
	.flags = label_flags,
	.options_size = sizeof(struct label_options),
	.run = label_run,
};
const struct command annotate_command = {
	.name = "annotate",
	.section = "Settings Commands:",
	.summary = "Update the annotations on a resource",
	.usage = "[--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N [--resource-version=version]",
	.flags = annotate_flags,
	.options_size = sizeof(struct label_options),
	.run = annotate_run,
};
