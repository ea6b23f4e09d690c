/*
 * kubectl's annotation of what it applied on the client's side: kubectl takes over those fields without a conflict, and
 * the annotation follows what it applies on the server's.
 */
#include "api/meta.h"
#include "apiserver/managed/private.h"
#include "base/str.h"

#define ANNOTATION "kubectl.kubernetes.io/last-applied-configuration"
#define MAX_ANNOTATIONS (256u << 10)

/* The fields that were applied and still are as they were applied. */
static bool allowed(struct request *request, const struct schema_type *type, const cJSON *live, const char *text,
	const struct fieldset **ret_set)
{
	struct arena *arena = request->arena;
	const struct field_place root = field_place_of_type(type);
	cJSON *last = NULL;
	struct status *status = tree_parse(arena, text, strlen(text), NULL, &last);
	status_drop(status, "an annotation of something else allows nothing");
	if (status || !str_eq(tree_string(tree_get(last, "apiVersion")), type->api_version))
		return false;
	if (*field_validate(arena, &root, last, false) || *field_validate(arena, &root, live, false))
		return false;
	const struct field_changes since =
		field_compare(arena, &root, field_value_of_tree(last), field_value_of_tree(live));
	const struct fieldset *set = field_set_of(arena, &root, field_value_of_tree(last));
	*ret_set = fieldset_difference(arena, fieldset_difference(arena, set, since.changed), since.removed);
	return true;
}

bool managed_allowed_by_annotation(
	struct request *request, const struct schema_type *type, const cJSON *live, struct manager_conflicts *conflicts)
{
	const char *text = tree_string(tree_get_path(live, "metadata", "annotations", ANNOTATION, NULL));
	const struct fieldset *set;
	size_t n = 0;
	if (str_empty(text) || !allowed(request, type, live, text, &set))
		return false;
	for (size_t i = 0; i < conflicts->n_items; i++) {
		struct manager_conflict c = conflicts->items[i];
		c.set = fieldset_difference(request->arena, c.set, set);
		if (!fieldset_empty(c.set))
			conflicts->items[n++] = c;
	}
	conflicts->n_items = n;
	return true;
}

void managed_renew_annotation(struct request *request, const cJSON *config, ProtobufCMessage *object)
{
	struct arena *arena = request->arena;
	MetaV1ObjectMeta *meta = object_meta(object);
	if (!str_eq(request->field_manager, "kubectl") || !meta || str_empty(meta_annotation(meta, ANNOTATION)))
		return;
	cJSON *copy = tree_copy(arena, config);
	cJSON *annotations = tree_get_path(copy, "metadata", "annotations", NULL);
	tree_remove(annotations, ANNOTATION);
	if (annotations && !annotations->child)
		tree_remove(tree_get(copy, "metadata"), "annotations");
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
	tree_print(&text, copy, TREE_SORTED | JSON_NEWLINE);
	size_t size = text.len + strlen(ANNOTATION);
	for (size_t i = 0; i < meta->n_annotations; i++)
		if (!str_eq(meta->annotations[i]->key, ANNOTATION))
			size += strlen(meta->annotations[i]->key) + strlen(str_or_empty(meta->annotations[i]->value));
	if (size > MAX_ANNOTATIONS)
		meta_remove_annotation(meta, ANNOTATION);
	else
		meta_set_annotation(arena, meta, ANNOTATION, text.buf);
}
