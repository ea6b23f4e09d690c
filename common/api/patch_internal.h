/* What applying and making strategic patches share: directives, what the schema says of a field, lists as arrays. */
#ifndef API_PATCH_INTERNAL_H
#define API_PATCH_INTERNAL_H

#include "api/patch.h"

#define DIRECTIVE "$patch"
#define RETAIN_KEYS "$retainKeys"
#define DELETE_LIST "$deleteFromPrimitiveList"
#define SET_ORDER "$setElementOrder"

/* Where in the schema an object stands: a struct's type, or the values of a map; neither: the schema ends above. */
struct patch_scope {
	const struct schema_type *type;
	const struct schema_field *value;
};

/* What the schema says of one member that is an object or array. */
struct patch_rule {
	struct patch_scope scope; /* of the member, or of its elements */
	bool merge, replace, retain_keys;
	bool single; /* neither a list nor behind a pointer in Go */
	const char *merge_key;
};

/* What the schema says of a member that is an object or a list. Of a map's it says nothing, which is an error. */
struct status *patch_rule(
	const struct patch_scope *scope, const char *key, bool is_list, struct patch_rule *ret_rule) MUST_USE;

/* What a field of one message holds, into another of its type. */
void patch_put_field(void *to, const void *from, const struct schema_field *f);

struct merge_options {
	bool parallel_lists; /* apply the list directives; false: they are kept, when patches are joined */
	bool ignore_nulls;   /* a null for a member that is not there says nothing */
};

/* Changes original and patch. *ret_merged may be either or new. original may be NULL. */
struct status *patch_merge_maps(struct arena *arena, cJSON *original, cJSON *patch, const struct patch_scope *scope,
	const struct merge_options *options, cJSON **ret_merged) MUST_USE;

/* What would take more than a second is refused: n things searched for among m. */
struct status *patch_check_work(size_t n, size_t m) MUST_USE;

struct nodes {
	cJSON **items;
	size_t n;
};

void nodes_add(struct arena *arena, struct nodes *nodes, cJSON *node);
/* The children of an array (none of NULL). */
struct nodes nodes_of(struct arena *arena, const cJSON *array);
/* An array of these nodes; they leave where they were. */
cJSON *nodes_to_array(struct arena *arena, const struct nodes *nodes);
/* cJSON_Object, cJSON_String, … of all elements; an error when they differ, or are arrays, or there are none. */
struct status *nodes_kind(const struct nodes *a, const struct nodes *b, int *ret_kind) MUST_USE;
/* The place of a node in a list, by merge key for objects; SIZE_MAX if it is not there. */
size_t nodes_index(const struct nodes *list, const cJSON *node, const char *merge_key);
/* The same for many searches in one list, which may grow meanwhile; what is in it keeps its key. */
struct places {
	struct arena *arena;
	const struct nodes *list;
	const char *merge_key;
	struct place_slot *slots;
	size_t n_slots, n_texts, n_seen;
	struct nodes others;
};
struct places places_of(struct arena *arena, const struct nodes *list, const char *merge_key);
size_t places_find(struct places *places, const cJSON *node);
/* Sorts by the places in order; elements marked for deletion go last. Objects without the merge key are an error. */
struct status *nodes_sort_by(struct arena *arena, struct nodes *list, const struct nodes *order, const char *merge_key,
	bool objects) MUST_USE;
struct status *patch_no_merge_key(const cJSON *map, const char *key) MUST_USE;
/* `unknown patch type: x in map: map[…]` */
/* An argument of another type than wanted, in Go's words. */
struct status *patch_bad_argument(const char *wanted, const cJSON *found) MUST_USE;
struct status *patch_bad_type(const cJSON *map, const cJSON *directive) MUST_USE;

/* int, bool, string, object, array and null as one number each, as Go compares types. */
int tree_kind(const cJSON *node);

#endif
