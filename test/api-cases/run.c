/*
 * A case file: what stands before the cases is made on the server, each group's base is asked alone and then with each
 * of its mutations. Nothing but what stands before and the bases of updates is stored.
 */
#include <stdio.h>
#include <stdlib.h>
#include "api/yaml.h"
#include "base/io.h"
#include "base/mem.h"
#include "test/api-cases/cases.h"

enum { MAX_FILE_BYTES = 16 << 20 };

struct run {
	struct server *server;
	bool keep; /* only store the bases */
	struct arena *arena;
	struct results *results;
	const char *focus;
	const cJSON *file;
};

struct group {
	const char *name, *path;
	cJSON *base;
	const cJSON *spec;
	cJSON *live; /* the stored object, for updates */
};

struct question {
	const char *method, *path, *label;
	const cJSON *body;
	const cJSON *expected;	    /* what a success answers when there is nothing to say */
	const struct answer *usual; /* to the base, or NULL */
};

static void record(struct run *run, const struct group *group, const struct question *q, const struct answer *answer)
{
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
	outcome_print(&text, run->arena, answer, q->expected, q->usual);
	ARENA_PUSH(run->results->arena, run->results->items, run->results->n_items) = (struct result){
		.name = arena_printf(run->results->arena, "%s: %s", group->name, q->label),
		.text = arena_strdup(run->results->arena, text.buf),
	};
}

static struct status *ask(
	struct run *run, const struct group *group, const struct question *q, struct answer *ret_answer)
{
	TRY(server_ask(run->server, run->arena, q->method,
		arena_printf(run->arena, "%s%cdryRun=All", q->path, strchr(q->path, '?') ? '&' : '?'), q->body,
		ret_answer));
	record(run, group, q, ret_answer);
	return NULL;
}

/* A request that must succeed: it prepares what the cases are about. */
static struct status *prepare(struct run *run, const char *method, const char *path, const cJSON *body, cJSON **ret)
{
	struct answer answer;
	TRY(server_ask(run->server, run->arena, method, path, body, &answer));
	if (answer.code >= 300 && answer.code != 409)
		return status_bad_request("%s %s: %d %s", method, path, answer.code,
			str_or_empty(tree_string(tree_get(answer.body, "message"))));
	if (ret)
		*ret = answer.body;
	return NULL;
}

static char *path_of(struct run *run, const char *collection, const cJSON *object)
{
	const char *name = tree_string(tree_get_path(object, "metadata", "name", NULL));
	return arena_printf(run->arena, "%s/%s", collection, str_or_empty(name));
}

/* {path, object} creates, {path, put} and {path, patch} change. */
static struct status *prepare_all(struct run *run, const cJSON *list)
{
	TREE_FOREACH (entry, list) {
		const char *path = tree_string(tree_get(entry, "path"));
		const cJSON *object = tree_get(entry, "object"), *patch = tree_get(entry, "patch");
		if (!path || (!object && !patch))
			return status_bad_request("what stands before has a path, and an object or a patch");
		TRY(prepare(run, object ? "POST" : "PATCH", path, object ? object : patch, NULL));
	}
	return NULL;
}

static struct status *take_away(struct run *run, const char *path)
{
	cJSON *options = tree_new_object(run->arena), *patch = tree_new_object(run->arena);
	cJSON *meta = tree_new_object(run->arena);
	struct answer answer;
	tree_set(run->arena, options, "gracePeriodSeconds", tree_new_int(run->arena, 0));
	tree_set(run->arena, meta, "finalizers", tree_new_null(run->arena));
	tree_set(run->arena, patch, "metadata", meta);
	TRY(server_ask(run->server, run->arena, "DELETE", path, options, &answer));
	return server_ask(run->server, run->arena, "PATCH", path, patch, &answer);
}

static struct status *mutations_of(
	struct run *run, const cJSON *list, const cJSON *paths, const cJSON *base, struct mutations *ret)
{
	*ret = (struct mutations){.arena = run->arena};
	TRY(mutations_read(ret, list));
	mutations_generate(ret, base, paths);
	return NULL;
}

static struct status *ask_creates(struct run *run, struct group *group)
{
	const cJSON *list = tree_get(group->spec, "create");
	const cJSON *paths = tree_get_path(group->spec, "generate", "create", NULL);
	struct mutations m;
	struct answer answer, first;
	struct question q = {.method = "POST", .path = group->path, .body = group->base, .expected = group->base};
	if (!list && !paths)
		return NULL;
	q.label = "create";
	TRY(ask(run, group, &q, &first));
	const cJSON *usual = first.code < 300 ? first.body : group->base;
	q.usual = &first;
	TRY(mutations_of(run, list, paths, group->base, &m));
	for (size_t i = 0; i < m.n_items; i++) {
		cJSON *body, *expected;
		TRY(mutate(run->arena, group->base, m.items[i].changes, &body));
		/* A default may have put something at the path: then the answer tells more than it must. */
		struct status *failed = mutate(run->arena, usual, m.items[i].changes, &expected);
		if (failed)
			expected = body;
		status_drop(failed, "the answer is compared with what was sent");
		q.label = arena_printf(run->arena, "create %s", m.items[i].label);
		q.body = body;
		q.expected = expected;
		TRY(ask(run, group, &q, &answer));
	}
	return NULL;
}

static struct status *ask_updates(
	struct run *run, struct group *group, const char *subresource, const cJSON *list, const cJSON *paths)
{
	struct mutations m;
	struct answer answer;
	const char *path = path_of(run, group->path, group->live);
	if (*subresource)
		path = arena_printf(run->arena, "%s/%s", path, subresource);
	TRY(mutations_of(run, list, paths, group->live, &m));
	for (size_t i = 0; i < m.n_items; i++) {
		struct question q = {.method = "PUT", .path = path};
		cJSON *body;
		TRY(mutate(run->arena, group->live, m.items[i].changes, &body));
		q.label = arena_printf(
			run->arena, "update%s%s %s", *subresource ? "/" : "", subresource, m.items[i].label);
		q.body = body;
		q.expected = body;
		TRY(ask(run, group, &q, &answer));
	}
	return NULL;
}

/* update, and what is called update/SUBRESOURCE, of an object that is stored as the base with "then" patched in. */
static struct status *ask_all_updates(struct run *run, struct group *group)
{
	const cJSON *generate = tree_get(group->spec, "generate");
	TREE_FOREACH (entry, group->spec)
		if (str_starts_with(entry->string, "update")) {
			const char *sub = entry->string[6] == '/' ? entry->string + 7 : "";
			TRY(ask_updates(run, group, sub, entry, tree_get(generate, entry->string)));
		}
	TREE_FOREACH (entry, generate)
		if (str_starts_with(entry->string, "update") && !tree_get(group->spec, entry->string)) {
			const char *sub = entry->string[6] == '/' ? entry->string + 7 : "";
			TRY(ask_updates(run, group, sub, NULL, entry));
		}
	return NULL;
}

/* post: [{to: SUBRESOURCE, body: {…}, cases: […]}] */
static struct status *ask_posts(struct run *run, struct group *group)
{
	TREE_FOREACH (entry, tree_get(group->spec, "post")) {
		const char *to = str_or_empty(tree_string(tree_get(entry, "to")));
		const cJSON *base = tree_get(entry, "body");
		struct mutations m;
		struct answer answer;
		const char *path = arena_printf(run->arena, "%s/%s", path_of(run, group->path, group->live), to);
		struct question q = {.method = "POST", .path = path, .body = base, .expected = base};
		q.label = arena_printf(run->arena, "post/%s", to);
		TRY(ask(run, group, &q, &answer));
		TRY(mutations_of(run, tree_get(entry, "cases"), tree_get(entry, "generate"), base, &m));
		for (size_t i = 0; i < m.n_items; i++) {
			cJSON *body;
			TRY(mutate(run->arena, base, m.items[i].changes, &body));
			q.label = arena_printf(run->arena, "post/%s %s", to, m.items[i].label);
			q.body = body;
			q.expected = body;
			TRY(ask(run, group, &q, &answer));
		}
	}
	return NULL;
}

static bool has_updates(const struct group *group)
{
	TREE_FOREACH (entry, group->spec)
		if (str_starts_with(entry->string, "update") || !strcmp(entry->string, "post"))
			return true;
	TREE_FOREACH (entry, tree_get(group->spec, "generate"))
		if (str_starts_with(entry->string, "update"))
			return true;
	return false;
}

/* then: patches of the stored base: {"": {…}, status: {…}} by subresource. */
static struct status *store_base(struct run *run, struct group *group)
{
	TRY(prepare(run, "POST", group->path, group->base, &group->live));
	const char *path = path_of(run, group->path, group->base);
	TREE_FOREACH (patch, tree_get(group->spec, "then")) {
		const char *at = *patch->string ? arena_printf(run->arena, "%s/%s", path, patch->string) : path;
		TRY(prepare(run, "PATCH", at, patch, NULL));
	}
	return prepare(run, "GET", path, NULL, &group->live);
}

/* What is only answered, such as a review, is stored nowhere. */
static struct status *keep_group(struct run *run, struct group *group)
{
	const char *path = path_of(run, group->path, group->base);
	struct answer answer;
	TRY(prepare(run, "POST", group->path, group->base, NULL));
	TRY(server_ask(run->server, run->arena, "GET", path, NULL, &answer));
	if (answer.code >= 300)
		return NULL;
	puts(path);
	return store_base(run, group);
}

static struct status *run_group(struct run *run, struct group *group)
{
	TRY(prepare_all(run, tree_get(group->spec, "before")));
	if (run->keep)
		return keep_group(run, group);
	TRY(ask_creates(run, group));
	if (!has_updates(group))
		return NULL;
	TRY(store_base(run, group));
	TRY(ask_all_updates(run, group));
	TRY(ask_posts(run, group));
	return take_away(run, path_of(run, group->path, group->base));
}

/* The base of a group, or that of the group named by "over" with changes. */
static struct status *base_of(struct run *run, const cJSON *spec, cJSON **ret_base)
{
	const char *over = tree_string(tree_get(spec, "over"));
	cJSON *own = tree_get(spec, "base");
	if (!over) {
		*ret_base = own;
		return own ? NULL : status_bad_request("a group has a base");
	}
	TREE_FOREACH (other, tree_get(run->file, "groups"))
		if (str_eq(tree_string(tree_get(other, "name")), over)) {
			cJSON *base;
			TRY(base_of(run, other, &base));
			return mutate(run->arena, base, tree_get(spec, "with"), ret_base);
		}
	return status_bad_request("there is no group %s", over);
}

static struct status *read_group(struct run *run, const cJSON *spec, struct group *ret)
{
	const char *path = tree_string(tree_get(spec, "path"));
	*ret = (struct group){.name = tree_string(tree_get(spec, "name")), .spec = spec};
	ret->path = path ? path : tree_string(tree_get(run->file, "path"));
	if (!ret->name || !ret->path)
		return status_bad_request("a group has a name and a path");
	return status_wrap(base_of(run, spec, &ret->base), "group %s", ret->name);
}

static struct status *run_groups(struct run *run)
{
	TRY(prepare_all(run, tree_get(run->file, "before")));
	TREE_FOREACH (spec, tree_get(run->file, "groups")) {
		struct group group;
		TRY(read_group(run, spec, &group));
		if (!run->focus || strstr(group.name, run->focus))
			TRY(status_wrap(run_group(run, &group), "group %s", group.name));
	}
	return NULL;
}

static struct status *read_and_run(struct run *run, const char *path)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	char *text = NULL;
	size_t size;
	cJSON *file;
	TRY(io_read_file(path, MAX_FILE_BYTES, &text, &size));
	struct status *failed = yaml_parse(arena, text, size, NULL, &file);
	free(text);
	run->arena = arena;
	run->file = file;
	if (!failed)
		failed = run_groups(run);
	return status_wrap(failed, "%s", path);
}

struct status *run_file(struct server *server, const char *path, const char *focus, struct results *results)
{
	struct run run = {.server = server, .results = results, .focus = focus};
	return read_and_run(&run, path);
}

struct status *keep_file(struct server *server, const char *path)
{
	struct run run = {.server = server, .keep = true};
	return read_and_run(&run, path);
}
