#include "kubectl/builder.h"

#include "api/selector.h"
#include "net/url.h"

struct builder {
	struct kubectl *k;
	const struct selection *selection;
	const char *namespace; /* "" for all */
	struct infos *infos;
	struct status *errors;
};

struct tuple {
	const char *type, *name;
};

static struct status *missing_resource(void)
{
	return user_error("You must provide one or more resources by argument or filename.\n"
			  "Example resource specifications include:\n"
			  "   '-f rsrc.yaml'\n"
			  "   '--filename=rsrc.json'\n"
			  "   '<resource> <name>'\n"
			  "   '<resource>'");
}

/* Keeps an error; true if the work is to go on. */
static bool keep_error(struct builder *b, struct status *s)
{
	if (!s)
		return true;
	if (b->selection->ignore_not_found && s->reason == STATUS_NOT_FOUND) {
		status_drop(s, "the caller asked to pass over what is not there");
		return true;
	}
	errors_add(&b->errors, s);
	return !b->selection->stop_at_error;
}

static void add_info(struct builder *b, struct info info)
{
	ARENA_PUSH(b->k->arena, b->infos->items, b->infos->n_items) = info;
}

/* The items of a list become infos of their own when that is asked for. */
static struct status *add_answer(struct builder *b, struct info info)
{
	struct kubectl *k = b->k;
	if (!b->selection->flatten || !obj_is_list(info.object)) {
		add_info(b, info);
		return NULL;
	}
	const char *kind = obj_kind(info.object);
	TREE_FOREACH (item, tree_get(info.object, "items")) {
		if (str_empty(obj_kind(item)) && strlen(kind) > strlen("List")) {
			tree_set_string(
				k->arena, item, "kind", arena_strndup(k->arena, kind, strlen(kind) - strlen("List")));
			tree_set_string(k->arena, item, "apiVersion", obj_string(info.object, "apiVersion"));
		}
		struct info one = {.mapping = info.mapping,
			.namespace = obj_namespace(item),
			.name = obj_name(item),
			.object = item,
			.source = info.source};
		add_info(b, one);
	}
	return NULL;
}

struct status *info_fetch(struct kubectl *k, struct info *info)
{
	char *path = rest_path(k->arena, info->mapping, info->namespace, info->name, NULL);
	return rest_get(k, k->arena, path, NULL, &info->object);
}

char *info_display(struct kubectl *k, const struct info *info)
{
	if (!info->mapping) {
		const char *version = obj_string(info->object, "apiVersion"), *slash = strchr(version, '/');
		char *kind = str_lower(k->arena, obj_kind(info->object));
		if (!slash)
			return arena_printf(k->arena, "%s/%s", kind, info->name);
		return arena_printf(k->arena, "%s.%.*s/%s", kind, (int)(slash - version), version, info->name);
	}
	return arena_printf(k->arena, "%s/%s", mapping_kind_group(k->arena, info->mapping), info->name);
}

static struct status *fetch_one(struct builder *b, const struct api_resource *mapping, const char *name)
{
	const struct selection *sel = b->selection;
	struct info info = {
		.mapping = mapping, .namespace = mapping->rest.namespaced ? b->namespace : "", .name = name};
	if (mapping->rest.namespaced && !*b->namespace)
		return user_error(sel->all_namespaces
					  ? "a resource cannot be retrieved by name across all namespaces"
					  : "namespace may not be empty when retrieving a resource by name");
	if (!sel->names_only) {
		struct rest request = {.path = rest_path(b->k->arena, mapping, b->namespace, name, sel->subresource),
			.query = sel->query,
			.accept = sel->accept};
		TRY(rest_do(b->k, b->k->arena, &request, &info.object));
		if (obj_is_list(info.object))
			return add_answer(b, info);
	}
	add_info(b, info);
	return NULL;
}

static struct status *unable_to_list(struct builder *b, const struct api_resource *mapping, struct status *s)
{
	const struct selection *sel = b->selection;
	if (!status_is_servers(s) || (s->reason != STATUS_BAD_REQUEST && s->reason != STATUS_NOT_FOUND))
		return s;
	char *resource = arena_printf(
		b->k->arena, "%s/%s, Resource=%s", mapping->rest.group, mapping->rest.version, mapping->rest.plural);
	if (str_empty(sel->selector) && str_empty(sel->field_selector))
		return status_wrap(s, "Unable to list \"%s\"", resource);
	return status_wrap(s, "Unable to find \"%s\" that match label selector \"%s\", field selector \"%s\"", resource,
		str_or_empty(sel->selector), str_or_empty(sel->field_selector));
}

/* All pages of a list. Tables and plain lists become one object each: later pages' rows are appended to the first. */
static struct status *fetch_list(struct builder *b, const struct api_resource *mapping)
{
	const struct selection *sel = b->selection;
	struct arena *arena = b->k->arena;
	struct info info = {.mapping = mapping, .namespace = mapping->rest.namespaced ? b->namespace : "", .name = ""};
	const char *continue_ = NULL;
	do {
		CLEANUP(strbuf_done) struct strbuf query = STRBUF_INIT;
		query_add(&query, "labelSelector", str_empty(sel->selector) ? NULL : sel->selector);
		query_add(&query, "fieldSelector", str_empty(sel->field_selector) ? NULL : sel->field_selector);
		if (sel->chunk_size > 0)
			query_add_int(&query, "limit", sel->chunk_size);
		query_add(&query, "continue", continue_);
		if (!str_empty(sel->query))
			strbuf_printf(&query, "%s%s", query.len ? "&" : "", sel->query);
		struct rest request = {.path = rest_path(arena, mapping, b->namespace, NULL, NULL),
			.query = query.buf,
			.accept = sel->accept};
		cJSON *page;
		struct status *s = rest_do(b->k, arena, &request, &page);
		if (s)
			return unable_to_list(b, mapping, s);
		const char *rows = tree_get(page, "rows") ? "rows" : "items";
		continue_ = obj_string(page, "metadata.continue");
		if (!info.object) {
			info.object = page;
			continue;
		}
		cJSON *into = obj_array(arena, info.object, rows), *row;
		while ((row = tree_remove_at(tree_get(page, rows), 0)))
			tree_append(into, row);
		obj_remove(info.object, "metadata.continue");
		obj_set_string(
			arena, info.object, "metadata.resourceVersion", obj_string(page, "metadata.resourceVersion"));
	} while (*continue_);
	obj_remove(info.object, "metadata.continue");
	obj_remove(info.object, "metadata.remainingItemCount");
	return add_answer(b, info);
}

/* Resolves "pods,svc,all" to mappings. */
static struct status *find_mappings(
	struct builder *b, const char *types, const struct api_resource ***ret_items, size_t *ret_n)
{
	char **parts;
	struct arena *arena = b->k->arena;
	struct discovery *discovery;
	TRY(kubectl_discovery(b->k, &discovery));
	size_t n = str_split(arena, types, ',', &parts);
	for (size_t i = 0; i < n; i++) {
		const struct api_resource *const *category;
		size_t n_category = 0;
		if (!*parts[i])
			continue;
		TRY(discovery_category(discovery, parts[i], &category, &n_category));
		for (size_t j = 0; j < n_category; j++)
			ARENA_PUSH(arena, *ret_items, *ret_n) = category[j];
		if (n_category)
			continue;
		const struct api_resource *mapping;
		TRY(discovery_find(discovery, parts[i], &mapping));
		ARENA_PUSH(arena, *ret_items, *ret_n) = mapping;
	}
	return NULL;
}

static struct status *split_tuple(struct builder *b, const char *arg, struct tuple *ret)
{
	char **parts;
	size_t n = str_split(b->k->arena, arg, '/', &parts);
	if (n != 2)
		return user_error("arguments in resource/name form may not have more than one slash");
	if (!*parts[0] || !*parts[1] || strchr(parts[0], ','))
		return user_error("arguments in resource/name form must have a single resource and name");
	*ret = (struct tuple){parts[0], parts[1]};
	return NULL;
}

/* Sorts the arguments into type/name pairs or a list of types. */
static struct status *read_args(struct builder *b, struct tuple **ret_tuples, size_t *ret_n, const char **ret_types)
{
	const struct selection *sel = b->selection;
	struct arena *arena = b->k->arena;
	char **types;
	size_t n_slash = 0;
	if (!sel->n_args)
		return NULL;
	for (size_t i = 0; i < sel->n_args; i++)
		n_slash += strchr(sel->args[i], '/') != NULL;
	if (sel->default_type) {
		for (size_t i = 0; i < sel->n_args; i++) {
			struct tuple t = {sel->default_type, sel->args[i]};
			if (strchr(sel->args[i], '/'))
				TRY(split_tuple(b, sel->args[i], &t));
			ARENA_PUSH(arena, *ret_tuples, *ret_n) = t;
		}
		return NULL;
	}
	if (n_slash && n_slash < sel->n_args)
		return user_error(
			"there is no need to specify a resource type as a separate argument when passing arguments in "
			"resource/name form (e.g. 'kubectl get resource/<resource_name>' instead of 'kubectl get "
			"resource resource/<resource_name>'");
	if (n_slash) {
		for (size_t i = 0; i < sel->n_args; i++) {
			struct tuple t;
			TRY(split_tuple(b, sel->args[i], &t));
			ARENA_PUSH(arena, *ret_tuples, *ret_n) = t;
		}
		return NULL;
	}
	size_t n_types = str_split(arena, sel->args[0], ',', &types);
	for (size_t t = 0; t < n_types; t++)
		for (size_t i = 1; i < sel->n_args; i++)
			ARENA_PUSH(arena, *ret_tuples, *ret_n) = (struct tuple){types[t], sel->args[i]};
	if (sel->n_args == 1)
		*ret_types = sel->args[0];
	return NULL;
}

static void visit_tuples(struct builder *b, const struct tuple *tuples, size_t n)
{
	struct discovery *discovery;
	b->infos->single_item_implied = n == 1;
	if (!keep_error(b, kubectl_discovery(b->k, &discovery)) || b->errors)
		return;
	for (size_t i = 0; i < n; i++) {
		const struct api_resource *mapping;
		struct status *s = discovery_find(discovery, tuples[i].type, &mapping);
		if (s) { /* an unknown type ends it all, as there is nothing to visit then */
			errors_add(&b->errors, s);
			return;
		}
		if (!keep_error(b, fetch_one(b, mapping, tuples[i].name)))
			return;
	}
}

static void visit_types(struct builder *b, const char *types)
{
	const struct api_resource **mappings = NULL;
	size_t n = 0;
	struct status *s = find_mappings(b, types, &mappings, &n);
	if (!s && b->selection->single_type && n > 1)
		s = user_error("you may only specify a single resource type");
	if (s) {
		errors_add(&b->errors, s);
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (!keep_error(b, fetch_list(b, mappings[i])))
			return;
}

/* Objects of files: the namespace is filled in and must be the one asked for. */
static struct status *place_manifest(struct builder *b, struct info *info)
{
	struct kubectl *k = b->k;
	if (!info->mapping || !info->mapping->rest.namespaced)
		return NULL;
	if (str_empty(info->namespace)) {
		TRY(kubectl_namespace(k, &info->namespace));
		obj_set_string(k->arena, info->object, "metadata.namespace", info->namespace);
		return NULL;
	}
	if (!str_empty(k->global.namespace) && !str_eq(k->global.namespace, info->namespace))
		return user_error(
			"the namespace from the provided object \"%s\" does not match the namespace \"%s\". You "
			"must pass "
			"'--namespace=%s' to perform this operation.",
			info->namespace, k->global.namespace, info->namespace);
	return NULL;
}

static struct status *fetch_latest(struct builder *b, struct info *info)
{
	const struct selection *sel = b->selection;
	if (!sel->latest || !info->mapping)
		return NULL;
	if (str_empty(info->name))
		return user_error("resource name may not be empty");
	struct rest request = {
		.path = rest_path(b->k->arena, info->mapping, info->namespace, info->name, sel->subresource),
		.query = sel->query,
		.accept = sel->accept};
	return rest_do(b->k, b->k->arena, &request, &info->object);
}

bool tree_matches_labels(const cJSON *object, const struct label_selector *selector)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	MapStringEntry **entries = NULL;
	size_t n = 0;
	TREE_FOREACH (label, obj_at(object, "metadata.labels")) {
		MapStringEntry *entry = API_NEW(arena, MapStringEntry);
		entry->key = label->string;
		entry->value = arena_strdup(arena, str_or_empty(tree_string(label)));
		ARENA_PUSH(arena, entries, n) = entry;
	}
	return label_selector_matches(selector, entries, n);
}

static struct status *matches_selector(struct builder *b, const struct info *info, bool *ret)
{
	struct label_selector *selector;
	*ret = true;
	if (str_empty(b->selection->selector))
		return NULL;
	TRY(label_selector_parse(b->k->arena, b->selection->selector, &selector));
	*ret = tree_matches_labels(info->object, selector);
	return NULL;
}

static void visit_files(struct builder *b)
{
	const struct selection *sel = b->selection;
	struct infos found = {0};
	if (!keep_error(b, read_manifests(b->k, sel->files, sel->local, &found)) && !found.n_items)
		return;
	for (size_t i = 0; i < found.n_items; i++) {
		struct info *info = &found.items[i];
		bool matches;
		struct status *s = matches_selector(b, info, &matches);
		if (s || !matches) {
			if (!keep_error(b, s))
				return;
			continue;
		}
		s = place_manifest(b, info);
		if (!s)
			s = fetch_latest(b, info);
		if (!s)
			add_info(b, *info);
		else if (!keep_error(b, s))
			return;
	}
	b->infos->single_item_implied = found.n_items == 1;
}

static void visit_args(struct builder *b)
{
	const struct selection *sel = b->selection;
	struct tuple *tuples = NULL;
	size_t n_tuples = 0;
	const char *types = sel->n_args ? NULL : sel->default_type;
	bool selecting = !str_empty(sel->selector) || !str_empty(sel->field_selector) || sel->all;
	struct status *s = read_args(b, &tuples, &n_tuples, &types);
	if (!s && sel->all && !str_empty(sel->selector))
		s = user_error("setting 'all' parameter but found a non empty selector. ");
	if (!s && selecting && n_tuples)
		s = user_error(strchr(sel->args[0], '/')
				       ? "selectors and the all flag cannot be used when passing resource/name "
					 "arguments"
				       : "name cannot be provided when a selector is specified");
	if (!s && selecting && !types)
		s = user_error("at least one resource must be specified to use a selector");
	if (!s && !types && !n_tuples)
		s = missing_resource();
	if (!s && types && !selecting && !sel->list_without_selector) {
		const struct api_resource **mappings = NULL;
		size_t n = 0;
		s = find_mappings(b, types, &mappings, &n);
		if (!s)
			s = user_error("resource(s) were provided, but no name was specified");
	}
	if (s)
		errors_add(&b->errors, s);
	else if (n_tuples)
		visit_tuples(b, tuples, n_tuples);
	else
		visit_types(b, types);
}

struct status *select_objects(struct kubectl *k, const struct selection *selection, struct infos *ret_infos)
{
	struct builder b = {.k = k, .selection = selection, .infos = ret_infos, .namespace = ""};
	*ret_infos = (struct infos){0};
	if (!selection->all_namespaces && !selection->local)
		TRY(kubectl_namespace(k, &b.namespace));
	if (selection->files && has_files(selection->files)) {
		if (selection->n_args && !selection->default_type)
			return user_error(
				"when paths, URLs, or stdin is provided as input, you may not specify resource "
				"arguments as "
				"well");
		visit_files(&b);
	} else if (selection->local) {
		return user_error("error: you must specify resources by --filename when --local is set.\n"
				  "Example resource specifications include:\n"
				  "   '-f rsrc.yaml'\n"
				  "   '--filename=rsrc.json'");
	} else {
		visit_args(&b);
	}
	return b.errors;
}
