/* What the generated tables promise, for every type there is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "api/copy.h"
#include "api/json.h"
#include "api/protobuf.h"
#include "api/types.h"

static void every_name_is_found(void **state)
{
	SCHEMA_FOREACH_TYPE(type)
	{
		assert_ptr_equal(schema_find_type(type->name), type);
		for (size_t i = 0; i < type->n_names; i++) {
			const struct schema_name *name = &type->names[i];
			assert_ptr_equal(schema_find_field(type, name->json_name, name->size), name);
		}
		assert_null(schema_find_field(type, "no such field", 13));
	}
}

static void every_root_is_found_by_kind(void **state)
{
	for (size_t i = 0; i < schema_n_kinds; i++) {
		const struct schema_type *type = schema_kinds[i];
		assert_ptr_equal(schema_find_kind(type->group, type->version, type->kind), type);
		assert_non_null(type->api_version);
	}
	assert_null(schema_find_kind("apps", "v1", "Pod"));
	assert_ptr_equal(schema_find_api_version("apps/v1", "Deployment"), &AppsV1Deployment_schema);
	assert_ptr_equal(schema_find_api_version("apps/v1", "DeleteOptions"), &MetaV1DeleteOptions_schema);
}

static void resources_answer_to_their_names(void **state)
{
	static const struct {
		const char *alias;
		const struct schema_type *type;
	} cases[] = {{"pods", &CoreV1Pod_schema}, {"po", &CoreV1Pod_schema}, {"pod", &CoreV1Pod_schema},
		{"Pod", &CoreV1Pod_schema}, {"deploy", &AppsV1Deployment_schema}, {"events", &CoreV1Event_schema},
		{"ns", &CoreV1Namespace_schema}, {"csr", &CertificatesV1CertificateSigningRequest_schema},
		{"nope", NULL}};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct schema_resource *r = schema_find_resource_alias(cases[i].alias);
		assert_ptr_equal(r ? r->type : NULL, cases[i].type);
	}
	SCHEMA_FOREACH_RESOURCE(r)
	assert_ptr_equal(schema_find_resource(r->type->group, r->type->version, r->plural), r);
}

static void fill(struct arena *arena, void *msg, int depth);

/* Puts something into one field, of every shape and kind. */
static void fill_field(struct arena *arena, void *msg, const struct schema_field *f, int depth)
{
	static const size_t sizes[] = {sizeof(protobuf_c_boolean), 4, 8, 4, 8, sizeof(float), sizeof(double),
		sizeof(char *), sizeof(ProtobufCBinaryData), sizeof(void *)};
	char *at = (char *)msg + f->offset;

	if (f->kind == SCHEMA_MESSAGE && depth <= 0)
		return;
	if (f->shape != SCHEMA_SINGLE) {
		*(size_t *)(void *)((char *)msg + f->quantifier_offset) = 1;
		*(void **)(void *)at = arena_zalloc(arena, sizes[f->kind]);
		at = *(char **)(void *)at;
	} else if (f->flags & SCHEMA_PRESENCE && f->kind < SCHEMA_STRING) {
		*(protobuf_c_boolean *)(void *)((char *)msg + f->quantifier_offset) = true;
	}
	if (f->kind == SCHEMA_STRING) {
		*(char **)(void *)at = arena_strdup(arena, f->name);
	} else if (f->kind == SCHEMA_BYTES) {
		*(ProtobufCBinaryData *)(void *)at = (ProtobufCBinaryData){2, arena_dup(arena, "{}", 2)};
	} else if (f->kind == SCHEMA_MESSAGE) {
		*(void **)(void *)at = api_new(arena, f->type);
		fill(arena, *(void **)(void *)at, depth - 1);
	} else if (f->kind == SCHEMA_FLOAT) {
		*(float *)(void *)at = 1.5f;
	} else if (f->kind == SCHEMA_DOUBLE) {
		*(double *)(void *)at = 1.5;
	} else {
		*at = 1;
	}
}

static void fill(struct arena *arena, void *msg, int depth)
{
	const struct schema_type *type = schema_of(msg);

	if (type->form == SCHEMA_FORM_QUANTITY) {
		((ResourceQuantity *)msg)->string = arena_strdup(arena, "1500m");
		return;
	}
	if (type->form >= SCHEMA_FORM_SCHEMA_OR_BOOL)
		depth = 1; /* one of two: the list wins, or the schema */
	for (size_t i = 0; i < type->n_fields; i++)
		fill_field(arena, msg, &type->fields[i], depth);
	if (type->form == SCHEMA_FORM_SCHEMA_OR_ARRAY || type->form == SCHEMA_FORM_SCHEMA_OR_STRING_ARRAY)
		*(void **)(void *)((char *)msg + type->fields[0].offset) = NULL;
	if (type->form == SCHEMA_FORM_INT_OR_STRING)
		((IntstrIntOrString *)msg)->int_val = 0;
	if (type->form == SCHEMA_FORM_TIME)
		((MetaV1Time *)msg)->nanos = 0;
	if (type->form == SCHEMA_FORM_MICRO_TIME)
		((MetaV1MicroTime *)msg)->nanos = 1000;
}

static void every_type_goes_through_every_codec(void **state)
{
	SCHEMA_FOREACH_TYPE(type)
	{
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		CLEANUP(strbuf_done) struct strbuf packed = STRBUF_INIT;
		void *msg = api_new(arena, type), *back = NULL;
		if (type->map_entry)
			continue;
		fill(arena, msg, 3);
		protobuf_pack(&packed, msg);
		assert_int_equal(packed.len, protobuf_c_message_get_packed_size(msg));
		assert_null(protobuf_unpack(arena, type, packed.buf, packed.len, &back));
		if (!api_equal(msg, back))
			fail_msg("%s is not the same after protobuf", type->name);
		assert_true(api_equal(msg, api_copy_msg(arena, msg)));
		char *text = json_to_string(arena, msg, 0);
		CLEANUP_STATUS struct status *status = json_decode(arena, type, text, strlen(text), NULL, &back);
		if (status)
			fail_msg("%s: %s in %s", type->name, status->message, text);
		assert_string_equal(json_to_string(arena, back, 0), text);
	}
}

static void zero_objects_are_empty(void **state)
{
	SCHEMA_FOREACH_TYPE(type)
	{
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		void *msg = api_new(arena, type);
		assert_int_equal(protobuf_c_message_get_packed_size(msg), 0);
		assert_true(api_is_empty(msg));
		assert_true(protobuf_c_message_check(msg));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_name_is_found),
		cmocka_unit_test(every_root_is_found_by_kind),
		cmocka_unit_test(resources_answer_to_their_names),
		cmocka_unit_test(every_type_goes_through_every_codec),
		cmocka_unit_test(zero_objects_are_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
