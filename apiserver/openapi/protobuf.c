/*
 * A document's protobuf form out of its JSON: gnostic's messages, whose numbers are in its OpenAPIv2.proto and
 * OpenAPIv3.proto. Members that have no place there are passed over, as are those that hold what is not expected.
 */
#include "api/json.h"
#include "apiserver/http/answer.h"
#include "apiserver/openapi/document.h"

enum kind {
	STRING,
	STRINGS, /* one or a list of them */
	BOOL,
	INTEGER,
	DOUBLE,
	ANY,	  /* any value, as YAML: its JSON is that too */
	ANYS,	  /* a list of them */
	DEFAULT,  /* a scalar in the form of its type */
	SCHEMA,	  /* a schema, or a reference to one */
	EXTENDED, /* a schema or a boolean */
	MESSAGE,
	MESSAGES,
};

struct message;

struct member {
	const char *name; /* NULL: any other */
	unsigned number;
	enum kind kind;
	const struct message *message;
	unsigned within; /* not 0: a message of its own around the value, in this field */
};

struct message {
	const struct member *members; /* the last has no name, and number 0 unless other names are members too */
	unsigned extensions;	      /* the field of members x-… */
	/* How a value is told from a reference: in which field it then is. */
	unsigned value, reference;
	bool parameter; /* of version 2, whose place depends on what it is in */
};

struct converter {
	enum openapi_version version;
	struct json_reader *reader;
};

/* --- version 2 --- */

static const struct message schema2;
#define NUMBERS2(base)                                                                                                 \
	{"multipleOf", (base), DOUBLE}, {"maximum", (base) + 1, DOUBLE}, {"exclusiveMaximum", (base) + 2, BOOL},       \
		{"minimum", (base) + 3, DOUBLE}, {"exclusiveMinimum", (base) + 4, BOOL},                               \
		{"maxLength", (base) + 5, INTEGER}, {"minLength", (base) + 6, INTEGER},                                \
		{"pattern", (base) + 7, STRING}, {"maxItems", (base) + 8, INTEGER}, {"minItems", (base) + 9, INTEGER}, \
	{                                                                                                              \
		"uniqueItems", (base) + 10, BOOL                                                                       \
	}
static const struct message properties2 = {.members = (const struct member[]){{NULL, 1, SCHEMA}}};
static const struct message schema2 = {
	.members = (const struct member[]){{"$ref", 1, STRING}, {"format", 2, STRING}, {"title", 3, STRING},
		{"description", 4, STRING}, {"default", 5, ANY}, NUMBERS2(6), {"maxProperties", 17, INTEGER},
		{"minProperties", 18, INTEGER}, {"required", 19, STRINGS}, {"enum", 20, ANYS},
		{"additionalProperties", 21, EXTENDED}, {"type", 22, STRINGS, NULL, 1}, {"items", 23, SCHEMA, NULL, 1},
		{"allOf", 24, MESSAGES, &schema2}, {"properties", 25, MESSAGE, &properties2},
		{"discriminator", 26, STRING}, {"readOnly", 27, BOOL}, {"example", 30, ANY}, {0}},
	.extensions = 31,
};
static const struct message info2 = {.members = (const struct member[]){{"title", 1, STRING}, {"version", 2, STRING},
					     {"description", 3, STRING}, {0}}};
static const struct message body2 = {
	.members = (const struct member[]){{"description", 1, STRING}, {"name", 2, STRING}, {"in", 3, STRING},
		{"required", 4, BOOL}, {"schema", 5, SCHEMA}, {0}},
	.extensions = 6,
};
static const struct message query2 = {
	.members = (const struct member[]){{"required", 1, BOOL}, {"in", 2, STRING}, {"description", 3, STRING},
		{"name", 4, STRING}, {"type", 6, STRING}, {"format", 7, STRING}, {"uniqueItems", 20, BOOL}, {0}},
	.extensions = 23,
};
static const struct message path_parameter2 = {
	.members = (const struct member[]){{"required", 1, BOOL}, {"in", 2, STRING}, {"description", 3, STRING},
		{"name", 4, STRING}, {"type", 5, STRING}, {"format", 6, STRING}, {"uniqueItems", 19, BOOL}, {0}},
	.extensions = 22,
};
static const struct message reference2 = {
	.members = (const struct member[]){{"$ref", 1, STRING}, {"description", 2, STRING}, {0}}};
static const struct message parameter2 = {.parameter = true, .value = 1, .reference = 2};
static const struct message shared_parameter2 = {.parameter = true};
static const struct message shared_parameters2 = {
	.members = (const struct member[]){{NULL, 1, MESSAGE, &shared_parameter2}}};
static const struct message response2 = {
	.members = (const struct member[]){{"description", 1, STRING}, {"schema", 2, SCHEMA, NULL, 1}, {0}},
	.extensions = 5,
	.value = 1,
	.reference = 2,
};
static const struct message responses2 = {
	.members = (const struct member[]){{NULL, 1, MESSAGE, &response2}}, .extensions = 2};
static const struct message strings = {.members = (const struct member[]){{NULL, 1, STRINGS, NULL, 1}}};
static const struct message operation2 = {
	.members = (const struct member[]){{"tags", 1, STRINGS}, {"summary", 2, STRING}, {"description", 3, STRING},
		{"operationId", 5, STRING}, {"produces", 6, STRINGS}, {"consumes", 7, STRINGS},
		{"parameters", 8, MESSAGES, &parameter2}, {"responses", 9, MESSAGE, &responses2},
		{"schemes", 10, STRINGS}, {"deprecated", 11, BOOL}, {"security", 12, MESSAGES, &strings}, {0}},
	.extensions = 13,
};
static const struct message path2 = {
	.members = (const struct member[]){{"$ref", 1, STRING}, {"get", 2, MESSAGE, &operation2},
		{"put", 3, MESSAGE, &operation2}, {"post", 4, MESSAGE, &operation2},
		{"delete", 5, MESSAGE, &operation2}, {"options", 6, MESSAGE, &operation2},
		{"head", 7, MESSAGE, &operation2}, {"patch", 8, MESSAGE, &operation2},
		{"parameters", 9, MESSAGES, &parameter2}, {0}},
	.extensions = 10,
};
static const struct message paths2 = {.members = (const struct member[]){{NULL, 2, MESSAGE, &path2}}, .extensions = 1};
static const struct message api_key2 = {
	.members = (const struct member[]){{"type", 1, STRING}, {"name", 2, STRING}, {"in", 3, STRING},
		{"description", 4, STRING}, {0}},
	.extensions = 5,
};
static const struct message security2 = {.members = (const struct member[]){{NULL, 1, MESSAGE, &api_key2, 2}}};
static const struct message document2 = {
	.members = (const struct member[]){{"swagger", 1, STRING}, {"info", 2, MESSAGE, &info2}, {"host", 3, STRING},
		{"basePath", 4, STRING}, {"schemes", 5, STRINGS}, {"consumes", 6, STRINGS}, {"produces", 7, STRINGS},
		{"paths", 8, MESSAGE, &paths2}, {"definitions", 9, MESSAGE, &properties2},
		{"parameters", 10, MESSAGE, &shared_parameters2}, {"security", 12, MESSAGES, &strings},
		{"securityDefinitions", 13, MESSAGE, &security2}, {0}},
	.extensions = 16,
};

/* --- version 3 --- */

static const struct message properties3 = {.members = (const struct member[]){{NULL, 1, SCHEMA}}};
static const struct message schema3 = {
	.members = (const struct member[]){{"nullable", 1, BOOL}, {"readOnly", 3, BOOL}, {"writeOnly", 4, BOOL},
		{"example", 7, ANY}, {"deprecated", 8, BOOL}, {"title", 9, STRING}, NUMBERS2(10),
		{"maxProperties", 21, INTEGER}, {"minProperties", 22, INTEGER}, {"required", 23, STRINGS},
		{"enum", 24, ANYS}, {"type", 25, STRING}, {"allOf", 26, MESSAGES}, {"oneOf", 27, MESSAGES},
		{"anyOf", 28, MESSAGES}, {"items", 30, SCHEMA, NULL, 1}, {"properties", 31, MESSAGE, &properties3},
		{"additionalProperties", 32, EXTENDED}, {"default", 33, DEFAULT}, {"description", 34, STRING},
		{"format", 35, STRING}, {0}},
	.extensions = 36,
	.value = 1,
	.reference = 2,
};
static const struct message info3 = {.members = (const struct member[]){{"title", 1, STRING},
					     {"description", 2, STRING}, {"version", 6, STRING}, {0}}};
static const struct message media3 = {.members = (const struct member[]){{"schema", 1, SCHEMA}, {0}}, .extensions = 5};
static const struct message content3 = {.members = (const struct member[]){{NULL, 1, MESSAGE, &media3}}};
static const struct message parameter3 = {
	.members = (const struct member[]){{"name", 1, STRING}, {"in", 2, STRING}, {"description", 3, STRING},
		{"required", 4, BOOL}, {"schema", 10, SCHEMA}, {0}},
	.extensions = 14,
	.value = 1,
	.reference = 2,
};
static const struct message request_body3 = {
	.members = (const struct member[]){{"description", 1, STRING}, {"content", 2, MESSAGE, &content3},
		{"required", 3, BOOL}, {0}},
	.extensions = 4,
	.value = 1,
	.reference = 2,
};
static const struct message response3 = {
	.members = (const struct member[]){{"description", 1, STRING}, {"content", 3, MESSAGE, &content3}, {0}},
	.extensions = 5,
	.value = 1,
	.reference = 2,
};
static const struct message responses3 = {
	.members = (const struct member[]){{"default", 1, MESSAGE, &response3}, {NULL, 2, MESSAGE, &response3}},
	.extensions = 3,
};
static const struct message operation3 = {
	.members = (const struct member[]){{"tags", 1, STRINGS}, {"summary", 2, STRING}, {"description", 3, STRING},
		{"operationId", 5, STRING}, {"parameters", 6, MESSAGES, &parameter3},
		{"requestBody", 7, MESSAGE, &request_body3}, {"responses", 8, MESSAGE, &responses3},
		{"deprecated", 10, BOOL}, {"security", 11, MESSAGES, &strings}, {0}},
	.extensions = 13,
};
static const struct message path3 = {
	.members = (const struct member[]){{"get", 4, MESSAGE, &operation3}, {"put", 5, MESSAGE, &operation3},
		{"post", 6, MESSAGE, &operation3}, {"delete", 7, MESSAGE, &operation3},
		{"options", 8, MESSAGE, &operation3}, {"head", 9, MESSAGE, &operation3},
		{"patch", 10, MESSAGE, &operation3}, {"trace", 11, MESSAGE, &operation3},
		{"parameters", 13, MESSAGES, &parameter3}, {0}},
	.extensions = 14,
};
static const struct message paths3 = {.members = (const struct member[]){{NULL, 1, MESSAGE, &path3}}, .extensions = 2};
static const struct message security_scheme3 = {
	.members = (const struct member[]){{"type", 1, STRING}, {"description", 2, STRING}, {"name", 3, STRING},
		{"in", 4, STRING}, {"scheme", 5, STRING}, {"bearerFormat", 6, STRING}, {0}},
	.extensions = 9,
	.value = 1,
	.reference = 2,
};
static const struct message security_schemes3 = {
	.members = (const struct member[]){{NULL, 1, MESSAGE, &security_scheme3}}};
static const struct message components3 = {
	.members = (const struct member[]){{"schemas", 1, MESSAGE, &properties3},
		{"securitySchemes", 7, MESSAGE, &security_schemes3}, {0}},
	.extensions = 10,
};
static const struct message document3 = {
	.members = (const struct member[]){{"openapi", 1, STRING}, {"info", 2, MESSAGE, &info3},
		{"paths", 4, MESSAGE, &paths3}, {"components", 5, MESSAGE, &components3},
		{"security", 6, MESSAGES, &strings}, {0}},
	.extensions = 9,
};

/* --- the wire --- */

static void add_bytes(struct strbuf *out, unsigned number, const void *data, size_t size)
{
	strbuf_varint(out, number << 3 | 2);
	strbuf_varint(out, size);
	strbuf_add(out, data, size);
}

static void add_number(struct strbuf *out, unsigned number, uint64_t value)
{
	strbuf_varint(out, number << 3);
	strbuf_varint(out, value);
}

static void add_fixed(struct strbuf *out, unsigned number, double value)
{
	uint64_t bits;
	memcpy(&bits, &value, sizeof(bits));
	strbuf_varint(out, number << 3 | 1);
	for (int i = 0; i < 8; i++, bits >>= 8)
		strbuf_addc(out, (char)bits);
}

/* What is in the buffer becomes the field of a message of its own. */
static void wrap(struct strbuf *buf, unsigned number)
{
	struct strbuf outer = STRBUF_INIT;
	if (!number)
		return;
	add_bytes(&outer, number, buf->buf, buf->len);
	strbuf_done(buf);
	*buf = outer;
}

/* --- values --- */

static void convert(struct converter *c, const struct message *m, struct strbuf *out);

static const struct message *schema_of_version(const struct converter *c)
{
	return c->version == OPENAPI_V2 ? &schema2 : &schema3;
}

/* A member's text in the object that comes next, without reading it; false: it has none. */
static bool look(const struct converter *c, const char *name, const char **ret_text, size_t *ret_size)
{
	struct json_reader ahead = *c->reader;
	bool first = true;
	const char *key;
	size_t size;
	if (json_peek(&ahead) != JSON_OBJECT || !json_enter(&ahead))
		return false;
	while (json_next_member(&ahead, &first, &key, &size)) {
		if (size == strlen(name) && !memcmp(key, name, size))
			return json_peek(&ahead) == JSON_STRING && json_read_string(&ahead, ret_text, ret_size);
		json_skip(&ahead, NULL, NULL);
	}
	return false;
}

static void convert_any(struct converter *c, struct strbuf *out)
{
	const char *text;
	size_t size;
	if (json_skip(c->reader, &text, &size)) {
		CLEANUP(strbuf_done) struct strbuf yaml = STRBUF_INIT;
		strbuf_add(&yaml, text, size);
		strbuf_addc(&yaml, '\n');
		add_bytes(out, 2, yaml.buf, yaml.len);
	}
}

static void convert_default(struct converter *c, struct strbuf *out)
{
	const char *text;
	size_t size;
	double value;
	switch (json_peek(c->reader)) {
	case JSON_NUMBER:
		if (json_read_number(c->reader, &text, &size) && json_number_double(text, size, &value))
			add_fixed(out, 1, value);
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		add_number(out, 2, json_peek(c->reader) == JSON_TRUE);
		json_skip(c->reader, NULL, NULL);
		break;
	case JSON_STRING:
		if (json_read_string(c->reader, &text, &size))
			add_bytes(out, 3, text, size);
		break;
	default:
		json_skip(c->reader, NULL, NULL);
	}
}

static void convert_scalar(struct converter *c, const struct member *m, struct strbuf *out)
{
	const char *text;
	size_t size;
	int64_t integer;
	double value;
	enum json_type type = json_peek(c->reader);
	if (type == JSON_STRING && m->kind == STRING && json_read_string(c->reader, &text, &size)) {
		if (size)
			add_bytes(out, m->number, text, size);
	} else if (type == JSON_NUMBER && m->kind == INTEGER && json_read_number(c->reader, &text, &size)) {
		if (json_number_int64(text, size, &integer) && integer)
			add_number(out, m->number, (uint64_t)integer);
	} else if (type == JSON_NUMBER && m->kind == DOUBLE && json_read_number(c->reader, &text, &size)) {
		if (json_number_double(text, size, &value) && (value < 0 || value > 0))
			add_fixed(out, m->number, value);
	} else {
		if (type == JSON_TRUE && m->kind == BOOL)
			add_number(out, m->number, 1);
		json_skip(c->reader, NULL, NULL);
	}
}

static void convert_strings(struct converter *c, unsigned number, struct strbuf *out)
{
	const char *text;
	size_t size;
	bool first = true;
	if (json_peek(c->reader) == JSON_STRING) {
		if (json_read_string(c->reader, &text, &size))
			add_bytes(out, number, text, size);
		return;
	}
	if (json_peek(c->reader) != JSON_ARRAY || !json_enter(c->reader)) {
		json_skip(c->reader, NULL, NULL);
		return;
	}
	while (json_next_element(c->reader, &first))
		if (json_peek(c->reader) != JSON_STRING)
			json_skip(c->reader, NULL, NULL);
		else if (json_read_string(c->reader, &text, &size))
			add_bytes(out, number, text, size);
}

/* One message as the contents of its field. */
static void convert_one(struct converter *c, const struct member *m, struct strbuf *buf)
{
	switch (m->kind) {
	case ANY:
	case ANYS:
		convert_any(c, buf);
		break;
	case DEFAULT:
		convert_default(c, buf);
		break;
	case STRINGS:
		convert_strings(c, m->within, buf);
		return;
	case EXTENDED:
		if (json_peek(c->reader) == JSON_OBJECT) {
			convert(c, schema_of_version(c), buf);
			wrap(buf, 1);
		} else {
			add_number(buf, 2, json_peek(c->reader) == JSON_TRUE);
			json_skip(c->reader, NULL, NULL);
		}
		break;
	default:
		convert(c, m->message ? m->message : schema_of_version(c), buf);
	}
	wrap(buf, m->within);
}

static void convert_list(struct converter *c, const struct member *m, struct strbuf *out)
{
	bool first = true;
	if (json_peek(c->reader) != JSON_ARRAY || !json_enter(c->reader)) {
		json_skip(c->reader, NULL, NULL);
		return;
	}
	while (json_next_element(c->reader, &first)) {
		CLEANUP(strbuf_done) struct strbuf buf = STRBUF_INIT;
		convert_one(c, m, &buf);
		add_bytes(out, m->number, buf.buf, buf.len);
	}
}

static void convert_member(struct converter *c, const struct member *m, struct strbuf *out)
{
	CLEANUP(strbuf_done) struct strbuf buf = STRBUF_INIT;
	switch (m->kind) {
	case STRING:
	case BOOL:
	case INTEGER:
	case DOUBLE:
		convert_scalar(c, m, out);
		return;
	case STRINGS:
		if (!m->within) {
			convert_strings(c, m->number, out);
			return;
		}
		break;
	case ANYS:
	case MESSAGES:
		convert_list(c, m, out);
		return;
	default:
		break;
	}
	convert_one(c, m, &buf);
	add_bytes(out, m->number, buf.buf, buf.len);
}

/* {name, value}: what stands for a member whose name is not known beforehand. */
static void convert_named(
	struct converter *c, const struct member *m, const char *name, size_t size, struct strbuf *out)
{
	CLEANUP(strbuf_done) struct strbuf pair = STRBUF_INIT;
	CLEANUP(strbuf_done) struct strbuf value = STRBUF_INIT;
	add_bytes(&pair, 1, name, size);
	convert_one(c, m, &value);
	add_bytes(&pair, 2, value.buf, value.len);
	add_bytes(out, m->number, pair.buf, pair.len);
}

static void convert_members(struct converter *c, const struct message *m, struct strbuf *out)
{
	const char *name;
	size_t size;
	bool first = true;
	if (json_peek(c->reader) != JSON_OBJECT || !json_enter(c->reader)) {
		json_skip(c->reader, NULL, NULL);
		return;
	}
	while (json_next_member(c->reader, &first, &name, &size)) {
		const struct member *member = m->members;
		while (member->name && (strlen(member->name) != size || memcmp(member->name, name, size) != 0))
			member++;
		if (member->name)
			convert_member(c, member, out);
		else if (m->extensions && size > 2 && !memcmp(name, "x-", 2))
			convert_named(c, &(struct member){NULL, m->extensions, ANY}, name, size, out);
		else if (member->number)
			convert_named(c, member, name, size, out);
		else
			json_skip(c->reader, NULL, NULL);
	}
}

/* A parameter of version 2 that is no reference. */
static void convert_parameter(struct converter *c, struct strbuf *out)
{
	const char *in = "";
	size_t size = 0;
	look(c, "in", &in, &size);
	if (size == 4 && !memcmp(in, "body", 4)) {
		convert_members(c, &body2, out);
		wrap(out, 1);
		return;
	}
	bool path = size == 4 && !memcmp(in, "path", 4);
	convert_members(c, path ? &path_parameter2 : &query2, out);
	wrap(out, path ? 4 : 3);
	wrap(out, 2);
}

static void convert(struct converter *c, const struct message *m, struct strbuf *out)
{
	const char *text;
	size_t size;
	if (m->reference && look(c, "$ref", &text, &size)) {
		convert_members(c, &reference2, out);
		wrap(out, m->reference);
		return;
	}
	if (m->parameter)
		convert_parameter(c, out);
	else
		convert_members(c, m, out);
	wrap(out, m->value);
}

void document_to_protobuf(enum openapi_version version, const struct strbuf *json, struct strbuf *out)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct json_reader reader;
	struct converter c = {.version = version, .reader = &reader};
	json_reader_init(&reader, arena, json->buf, json->len, JSON_MAX_TYPED_DEPTH);
	convert_members(&c, version == OPENAPI_V2 ? &document2 : &document3, out);
}
