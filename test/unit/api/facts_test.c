/* Holds every type of the schema against the table of API facts: names, numbers, presence, list types, merge keys,
 * enums. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "api/schema.h"
#include "base/io.h"
#include "base/map.h"
#include "base/str.h"

enum column {
	TYPE,
	JSON_NAME,
	JSON_FLAGS,
	GO_FIELD,
	GO_TYPE,
	NUMBER,
	WIRE,
	STRATEGY,
	MERGE_KEY,
	REQUIRED,
	LIST_TYPE,
	LIST_KEYS,
	MAP_TYPE,
	DEFAULT,
	ENUM,
	FORMAT,
	N_COLUMNS
};

/* What a Go package is called in the schema where the names differ. */
static const char *const packages[][2] = {
	{"api.resource.", "resource."},
	{"util.intstr.", "intstr."},
	{"client-go.pkg.apis.clientauthentication.v1.", "clientauthentication.v1."},
	{"component-base.config.v1alpha1.", "componentconfig.v1alpha1."},
	{"component-base.logs.api.v1.", "logs.v1."},
	{"component-base.tracing.api.v1.", "tracing.v1."},
	{"kube-proxy.config.v1alpha1.", "kubeproxy.v1alpha1."},
	{"kube-scheduler.config.v1.", "kubescheduler.v1."},
	{"kubelet.config.v1.", "kubeletconfig.v1."},
	{"kubelet.config.v1beta1.", "kubelet.v1beta1."},
	{"metrics.pkg.apis.metrics.v1beta1.", "metrics.v1beta1."},
	{"pod-security-admission.admission.api.v1.", "podsecurity.v1."},
	{"v1.", "clientcmd.v1."},
};

static const struct schema_type *find_type(struct arena *arena, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(packages); i++) {
		if (str_starts_with(name, packages[i][0])) {
			name = arena_printf(arena, "%s%s", packages[i][1], name + strlen(packages[i][0]));
			break;
		}
	}
	return schema_find_type(name);
}

static size_t n_wrong;

static void differ(char *const *row, const char *what, const char *want, const char *got)
{
	n_wrong++;
	print_error(
		"%s.%s: %s: the table says \"%s\", the schema \"%s\"\n", row[TYPE], row[JSON_NAME], what, want, got);
}

static void check(char *const *row, const char *what, const char *want, const char *got)
{
	if (!str_eq(want, got))
		differ(row, what, want, str_or_empty(got));
}

/* Of types that are embedded in others the table does not have what only the documents of those others say. */
static void check_said(char *const *row, const char *what, const char *want, const char *got)
{
	if (*want)
		check(row, what, want, got);
}

static void check_bool(char *const *row, const char *what, bool want, bool got)
{
	if (want != got)
		differ(row, what, want ? "true" : "false", got ? "true" : "false");
}

static char *join_words(struct arena *arena, const char *const *words, const char *separator)
{
	size_t n = 0;

	while (words && words[n])
		n++;
	return n ? str_join(arena, (char *const *)(uintptr_t)words, n, separator) : arena_strdup(arena, "");
}

static const char *list_type_name(unsigned type)
{
	static const char *const names[] = {"", "atomic", "set", "map", "granular"};

	return names[type];
}

static char *strategy(struct arena *arena, const struct schema_field *f)
{
	const char *words[4] = {0};
	size_t n = 0;

	if (f->flags & SCHEMA_PATCH_MERGE)
		words[n++] = "merge";
	if (f->flags & SCHEMA_PATCH_REPLACE)
		words[n++] = "replace";
	if (f->flags & SCHEMA_PATCH_RETAIN_KEYS)
		words[n++] = "retainKeys";
	return join_words(arena, words, ",");
}

static void check_shape(char *const *row, const struct schema_field *f)
{
	const char *go = row[GO_TYPE];
	bool pointer = *go == '*',
	     list = (str_starts_with(go, "[]") || strstr(go, "=[]")) && *go != 'm' && f->kind != SCHEMA_BYTES,
	     map = str_starts_with(go, "map[") || strstr(go, "=map[");
	bool zero_omitted = strstr(row[JSON_FLAGS], "omitzero");

	if (list && f->shape == SCHEMA_SINGLE && f->type && f->type->form == SCHEMA_FORM_LIST)
		return; /* a named list type, which the wire has as a message */
	check_bool(row, "list", list, f->shape == SCHEMA_LIST);
	check_bool(row, "map", map, f->shape == SCHEMA_MAP);
	if (list || map)
		return;
	if (f->kind != SCHEMA_MESSAGE)
		check_bool(row, "presence", pointer, f->flags & SCHEMA_PRESENCE);
	else if (!zero_omitted && f->type->form != SCHEMA_FORM_LIST)
		check_bool(row, "by value", !pointer, f->flags & SCHEMA_BY_VALUE);
}

/* The served OpenAPI has a default that the table lacks. */
static const char *default_of(char *const *row)
{
	bool port = str_eq(row[TYPE], "core.v1.ContainerPort") || str_eq(row[TYPE], "core.v1.ServicePort");
	return port && str_eq(row[JSON_NAME], "protocol") ? "\"TCP\"" : row[DEFAULT];
}

static void check_field(struct arena *arena, char *const *row, const struct schema_field *f)
{
	bool kept = !strstr(row[JSON_FLAGS], "omitempty") && !strstr(row[JSON_FLAGS], "omitzero");

	if (*row[NUMBER])
		check(row, "number", row[NUMBER], arena_printf(arena, "%u", f->number));
	check_bool(row, "kept when empty", kept, f->flags & SCHEMA_KEEP_EMPTY);
	check_shape(row, f);
	check(row, "patch strategy", row[STRATEGY], strategy(arena, f));
	check(row, "merge key", row[MERGE_KEY], f->merge_key);
	if (*row[REQUIRED])
		check_bool(row, "required", true, f->flags & SCHEMA_REQUIRED);
	check_said(row, "list type", row[LIST_TYPE], list_type_name(f->list_type));
	check_said(row, "list keys", row[LIST_KEYS], join_words(arena, f->list_keys, ","));
	/* Of a list it says how the items are owned, which the table has with the items' type. */
	if (f->shape != SCHEMA_LIST)
		check(row, "map type", row[MAP_TYPE], list_type_name(f->map_type));
	check_said(row, "default", default_of(row), f->default_json);
	check_said(row, "enum", row[ENUM], join_words(arena, f->values, "|"));
}

static const struct schema_field *own_field(const struct schema_type *type, const char *json_name)
{
	for (size_t i = 0; i < type->n_fields; i++)
		if (str_eq(type->fields[i].json_name, json_name) && !(type->fields[i].flags & SCHEMA_INLINE))
			return &type->fields[i];
	return NULL;
}

/* An embedded struct: apiVersion and kind, or fields that stand in this type's JSON. */
static void check_inline(char *const *row, const struct schema_type *type)
{
	if (str_ends_with(row[GO_TYPE], "TypeMeta") && !*row[NUMBER]) {
		check_bool(row, "carries apiVersion and kind", true, type->root);
		return;
	}
	for (size_t i = 0; i < type->n_fields; i++)
		if (type->fields[i].flags & SCHEMA_INLINE &&
			(!*row[NUMBER] || (uint32_t)strtoul(row[NUMBER], NULL, 10) == type->fields[i].number))
			return;
	differ(row, "inlined struct", row[GO_TYPE], "none");
}

static void check_row(struct arena *arena, char *const *row, const struct schema_type *type, struct strmap *seen)
{
	if (str_eq(row[JSON_FLAGS], "inline")) {
		check_inline(row, type);
		return;
	}
	if (type->form != SCHEMA_FORM_OBJECT)
		return; /* its JSON is not that of its fields */
	const struct schema_field *f = own_field(type, row[JSON_NAME]);
	strmap_put(seen, arena_printf(arena, "%s.%s", type->name, row[JSON_NAME]), (void *)(uintptr_t)row);
	if (f)
		check_field(arena, row, f);
	else if (str_eq(row[JSON_NAME], "-") || !*row[JSON_NAME])
		return;
	else
		differ(row, "field", row[GO_TYPE], "missing");
}

static char *read_facts(void)
{
	const char *folder = getenv("KUBEC_FACTS");
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	char *data = NULL;
	size_t size;
	struct status *status = io_read_file(
		arena_printf(arena, "%s/api-fields.tsv", folder ? folder : "../shared/facts"), 4u << 20, &data, &size);

	if (status) {
		print_message("skipped: %s (KUBEC_FACTS names the folder of the tables)\n", status->message);
		status_drop(status, "the tables are not part of the source");
	}
	return data;
}

static void every_type_is_as_the_table_says(void **state)
{
	CLEANUP_FREE char *data = read_facts();
	char **lines, **row;
	size_t n_checked = 0;

	if (!data)
		skip();
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(strmap_freep) struct strmap *seen = strmap_new(NULL);
	size_t n = str_split(arena, data, '\n', &lines);
	for (size_t i = 1; i < n; i++) {
		if (!*lines[i])
			continue;
		assert_int_equal(str_split(arena, lines[i], '\t', &row), N_COLUMNS);
		const struct schema_type *type = find_type(arena, row[TYPE]);
		if (!type)
			continue;
		check_row(arena, row, type, seen);
		n_checked++;
	}
	print_message("%zu rows checked, %zu wrong\n", n_checked, n_wrong);
	assert_true(n_checked > 2500);
	assert_int_equal(n_wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_type_is_as_the_table_says)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
