/* Looks at what schemac made of all.proto, and packs and unpacks a full object with it. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "api/types.h"

const char schema_empty_string[1] = "";

static const struct schema_field *field(const char *name)
{
	for (size_t i = 0; i < TestV1Thing_schema.n_fields; i++)
		if (!strcmp(TestV1Thing_schema.fields[i].name, name))
			return &TestV1Thing_schema.fields[i];
	abort();
}

static void tables(void)
{
	const struct schema_type *t = &TestV1Thing_schema;

	assert(schema_n_resources == 1 && schema_n_kinds == 1 && schema_kinds[0] == t);
	assert(!strcmp(t->name, "test.v1.Thing") && !strcmp(t->api_version, "test.example/v1") && t->root &&
		t->recursive);
	assert(!strcmp(t->doc, "A thing of all shapes."));
	assert(!strcmp(field("name")->doc, "What it is called. \"Quoted\", and \\ kept."));
	assert(t->fields == field("name") && field("name")->flags == (SCHEMA_REQUIRED | SCHEMA_KEEP_EMPTY));
	assert(field("nick")->flags == SCHEMA_PRESENCE &&
		field("maybe")->quantifier_offset == offsetof(TestV1Thing, has_maybe));
	assert(field("strings")->shape == SCHEMA_LIST && field("strings")->list_type == SCHEMA_LIST_SET);
	assert(field("labels")->shape == SCHEMA_MAP && field("labels")->type == &MapStringEntry_schema);
	assert(field("blobs")->type == &MapBytesEntry_schema &&
		field("by_name")->type == &TestV1ThingByNameEntry_schema);
	assert(field("flags")->type->fields[1].kind == SCHEMA_BOOL);
	assert(field("inners")->flags == (SCHEMA_PATCH_MERGE | SCHEMA_PATCH_RETAIN_KEYS));
	assert(!strcmp(field("inners")->merge_key, "key") && !strcmp(field("inners")->list_keys[1], "value") &&
		!field("inners")->list_keys[2]);
	assert(!strcmp(field("mode")->values[2], "C") && !field("mode")->values[3] &&
		!strcmp(field("mode")->default_json, "\"A\""));
	assert(!strcmp(field("renamed")->json_name, "re-named") && !strcmp(field("renamed")->format, "ip"));
	assert(TestV1Quantity_schema.form == SCHEMA_FORM_QUANTITY &&
		TestV1IntOrString_schema.form == SCHEMA_FORM_INT_OR_STRING);
	assert(!TestV1Empty_schema.n_fields && !TestV1Empty_schema.n_names && !TestV1Inner_schema.recursive);
	assert(TestV1Shown_schema.shows_empty && TestV1AboveShown_schema.shows_empty && !t->shows_empty);
	const struct schema_resource *r = t->resource;
	assert(!strcmp(r->plural, "things") && !r->namespaced && !strcmp(r->short_names[1], "tg") &&
		!r->short_names[2]);
	assert(r->n_columns == 2 && r->columns[1].priority == 1 && r->n_subresources == 1 &&
		!strcmp(r->subresources[0].verbs[1], "update"));
	assert(!strcmp(r->selectable[0], "spec.x"));
}

static void names(void)
{
	const struct schema_type *t = &TestV1Thing_schema;
	bool deep = false;

	for (size_t i = 0; i < t->n_names; i++) {
		const struct schema_name *n = &t->names[i];
		assert(n->size == strlen(n->json_name));
		assert(!i || n[-1].size < n->size ||
			(n[-1].size == n->size && strcmp(n[-1].json_name, n->json_name) < 0));
		if (!strcmp(n->json_name, "deep")) {
			deep = true;
			assert(n->via[0] == field("embedded") && n->via[1] == &TestV1Embedded_schema.fields[1]);
		}
		assert(strcmp(n->json_name, "embedded"));
	}
	assert(deep && t->n_names == t->n_fields - 1 + 2);
	for (size_t i = 1; i < t->n_names; i++)
		assert(strcmp(t->names[t->by_name[i - 1].at].json_name, t->names[t->by_name[i].at].json_name) < 0);
}

static void *twice(const ProtobufCMessage *msg)
{
	uint8_t buf[4096];
	size_t size = protobuf_c_message_get_packed_size(msg);

	assert(size <= sizeof(buf) && protobuf_c_message_pack(msg, buf) == size && protobuf_c_message_check(msg));
	ProtobufCMessage *back = protobuf_c_message_unpack(msg->descriptor, NULL, size, buf);
	assert(back && protobuf_c_message_get_packed_size(back) == size);
	return back;
}

static void packing(void)
{
	TestV1Thing thing = *(const TestV1Thing *)TestV1Thing_schema.zero;
	TestV1Inner inner = *(const TestV1Inner *)TestV1Inner_schema.zero, *inners[] = {&inner};
	MapStringEntry label = *(const MapStringEntry *)MapStringEntry_schema.zero, *labels[] = {&label};
	char *strings[] = {"x", ""};
	int64_t numbers[] = {-1, INT64_MAX};

	assert(thing.name == schema_empty_string && !thing.nick && !protobuf_c_message_get_packed_size(&thing.base));
	thing.name = "n";
	thing.nick = "";
	thing.has_maybe = thing.has_maybe_small = thing.has_maybe_large = thing.has_maybe_double = true;
	thing.unsigned_ = UINT32_MAX;
	thing.long_ = 1.5;
	thing.default_ = "d";
	thing.inner = &inner;
	inner.key = label.key = "k";
	thing.inners = inners;
	thing.labels = labels;
	thing.n_inners = thing.n_labels = 1;
	thing.strings = strings;
	thing.large_numbers = numbers;
	thing.n_strings = thing.n_large_numbers = 2;
	TestV1Thing *back = twice(&thing.base);
	assert(!strcmp(back->name, "n") && !strcmp(back->nick, "") && back->has_maybe && !back->maybe &&
		back->has_maybe_large);
	assert(back->unsigned_ == UINT32_MAX && back->long_ == 1.5 && !back->pointer && !strcmp(back->inner->key, "k"));
	assert(back->n_strings == 2 && back->large_numbers[1] == INT64_MAX && !strcmp(back->labels[0]->value, ""));
	protobuf_c_message_free_unpacked(&back->base, NULL);
}

int main(void)
{
	tables();
	names();
	packing();
	return 0;
}
