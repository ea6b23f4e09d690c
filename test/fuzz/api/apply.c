/*
 * Server-side apply of objects of any kind, by two appliers over what a third has written. Applying twice changes
 * nothing, what is applied is there, owned fields are fields of the object, a conflict changes nothing and can be
 * forced, and who applies nothing owns nothing.
 */
#include "api/apply.h"
#include "api/managers.h"
#include "api/patch.h"
#include "test/fuzz/settle.h"

struct world {
	struct arena *arena;
	const struct schema_type *type;
	struct field_place root;
	const cJSON *before, *after;
	struct managers managers;
};

static bool place(void *data, const char *api_version, struct field_place *ret_place)
{
	*ret_place = ((struct world *)data)->root;
	return str_eq(api_version, "v");
}

static const struct fieldset *reset(void *data, const char *api_version)
{
	return NULL;
}

static bool values(void *data, const char *api_version, struct field_value *ret_before, struct field_value *ret_after)
{
	const struct world *w = data;

	*ret_before = field_value_of_tree(w->before);
	*ret_after = field_value_of_tree(w->after);
	return true;
}

static const cJSON *convert(void *data, const cJSON *tree, const char *api_version)
{
	return tree;
}

static struct managers_versions versions_of(struct world *w)
{
	return (struct managers_versions){w, place, reset, values, convert};
}

/* All entries as they are stored. */
static char *told(struct world *w)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	struct managers again;
	MetaV1ManagedFieldsEntry **entries;
	size_t n;

	managers_write(w->arena, &w->managers, &entries, &n);
	for (size_t i = 0; i < n; i++)
		strbuf_printf(&out, "%s %s %s\n", entries[i]->manager, entries[i]->operation,
			arena_strndup(
				w->arena, (char *)entries[i]->fields_v1->raw.data, entries[i]->fields_v1->raw.len));
	fuzz_ok("entries", managers_read(w->arena, entries, n, false, &again));
	assert(again.n_items == w->managers.n_items);
	return arena_strdup(w->arena, out.buf);
}

static const struct fieldset *fields_of(struct world *w, const cJSON *tree)
{
	return field_set_with_parents(w->arena, &w->root, field_set_of(w->arena, &w->root, field_value_of_tree(tree)));
}

static const struct fieldset *owned_by(struct world *w, const char *name)
{
	const struct manager_id id = manager_id_of(name, true, "v", "");
	const struct manager *m = managers_find(&w->managers, &id);

	return m ? m->set : NULL;
}

/* The fields of an object, and its empty lists: they are no fields by themselves, but who writes one owns it, and it
 * shows in the difference to nothing. */
static const struct fieldset *there(struct world *w, const cJSON *object)
{
	const cJSON *nothing = tree_new_object(w->arena);
	struct field_changes written =
		field_compare(w->arena, &w->root, field_value_of_tree(nothing), field_value_of_tree(object));

	return field_set_with_parents(
		w->arena, &w->root, fieldset_union(w->arena, fields_of(w, object), written.changed));
}

/* Every owner's fields are the object's. */
static void owned_is_there(struct world *w, const cJSON *object)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	const struct fieldset *all = there(w, object);

	for (size_t i = 0; i < w->managers.n_items; i++) {
		const struct fieldset *mine = field_set_with_parents(w->arena, &w->root, w->managers.items[i].set);
		const struct fieldset *gone = fieldset_difference(w->arena, mine, all);
		if (fieldset_empty(gone))
			continue;
		fieldset_print(&out, gone);
		FUZZ_FAIL("%s owns what is not there: %s\n%s", w->managers.items[i].id.name, out.buf,
			tree_to_string(w->arena, object, 0));
	}
}

/* The object after it; the same one when it stays as it was. */
static const cJSON *apply(
	struct world *w, const char *name, const cJSON *live, const cJSON *config, bool force, size_t *ret_conflicts)
{
	const struct managers_versions versions = versions_of(w);
	const struct managers_call call = {w->arena, &versions, "v", manager_id_of(name, true, "v", ""), 5};
	struct manager_conflicts conflicts;
	cJSON *tree = NULL;

	fuzz_ok("apply", managers_apply(&call, &w->managers, live, config, force, &tree, &conflicts));
	*ret_conflicts = conflicts.n_items;
	if (conflicts.n_items) {
		CLEANUP_STATUS struct status *s = manager_conflicts_status(w->arena, &conflicts);
		assert(!force && !tree && s->n_causes);
	}
	return tree ? tree : live;
}

static void changes_nothing(struct world *w, const char *name, const cJSON *object, const cJSON *config)
{
	size_t conflicts;
	const char *before = told(w);
	const cJSON *again = apply(w, name, object, config, false, &conflicts);

	if (conflicts || !tree_equal(object, again))
		FUZZ_FAIL("%s applied again: %s\n%zu conflicts\nonce  %s\ntwice %s", name,
			tree_to_string(w->arena, config, 0), conflicts, tree_to_string(w->arena, object, 0),
			tree_to_string(w->arena, again, 0));
	fuzz_same_text("owners after the second time", before, told(w));
}

static const cJSON *apply_twice(struct world *w, const char *name, const cJSON *live, const cJSON *config)
{
	size_t conflicts;
	const char *before = told(w);
	const cJSON *object = apply(w, name, live, config, false, &conflicts);

	if (conflicts) {
		fuzz_same_text("owners after a conflict", before, told(w));
		assert(object == live);
		object = apply(w, name, live, config, true, &conflicts);
	}
	owned_is_there(w, object);
	const struct fieldset *named = fields_of(w, config);
	const struct fieldset *lost = fieldset_difference(w->arena, named, there(w, object));
	if (!fieldset_empty(lost)) {
		CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
		fieldset_print(&out, lost);
		FUZZ_FAIL("applied and not there: %s\n%s", out.buf, tree_to_string(w->arena, object, 0));
	}
	changes_nothing(w, name, object, config);
	return object;
}

/* A configuration that the server would take, one of its own or one that is much like another. */
static const cJSON *config_of(struct world *w, struct fuzz_bytes *bytes, const cJSON *like)
{
	cJSON *tree = like && fuzz_byte(bytes) % 2 ? fuzz_altered(w->arena, bytes, like, w->type)
						   : fuzz_settled(w->arena, bytes, w->type);

	return *field_validate(w->arena, &w->root, tree, false) ? NULL : tree;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct fuzz_bytes bytes = {data, data + size};
	struct world w = {.arena = arena, .type = fuzz_kind(&bytes)};
	size_t third = (size_t)(bytes.end - bytes.at) / 3, conflicts;
	struct fuzz_bytes parts[3];

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		parts[i] = (struct fuzz_bytes){bytes.at + i * third, bytes.at + (i + 1) * third};
	w.root = field_place_of_type(w.type);
	const cJSON *live = config_of(&w, &parts[0], NULL), *first = config_of(&w, &parts[1], live),
		    *second = config_of(&w, &parts[2], fuzz_byte(&parts[2]) % 2 ? first : live);
	if (!live || !first || !second)
		return 0;
	w.before = tree_new_object(arena);
	w.after = live;
	const struct managers_versions versions = versions_of(&w);
	const struct managers_call call = {arena, &versions, "v", manager_id_of("writer", false, "v", ""), 1};
	managers_update(&call, &w.managers);
	owned_is_there(&w, live);
	const cJSON *object = apply_twice(&w, "ann", live, first);
	object = apply_twice(&w, "bob", object, second);
	object = apply_twice(&w, "ann", object, first);
	object = apply(&w, "bob", object, tree_new_object(arena), false, &conflicts);
	assert(!conflicts && fieldset_empty(owned_by(&w, "bob")));
	owned_is_there(&w, object);
	return 0;
}
