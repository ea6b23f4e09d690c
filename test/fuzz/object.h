/*
 * Objects of any kind out of any bytes: JSON text that is right by the schema, so that a run of the fuzzer goes deep
 * instead of failing at the first letter.
 *
 *	struct fuzz_bytes bytes = {data, data + size};
 *	const struct schema_type *type = fuzz_kind(&bytes);
 *	const char *text = fuzz_object(arena, &bytes, type);
 *
 * The same bytes give the same object; when they run out, what is left is empty.
 */
#ifndef FUZZ_OBJECT_H
#define FUZZ_OBJECT_H

#include "api/json.h"
#include "api/types.h"
#include "test/fuzz/target.h"

/* One of the kinds that the schema has. */
static inline const struct schema_type *fuzz_kind(struct fuzz_bytes *b)
{
	return schema_kinds[fuzz_below(b, schema_n_kinds)];
}

static inline const char *fuzz_text(struct fuzz_bytes *b, const struct schema_field *field)
{
	static const char *const pool[] = {"", "a", "b", "web", "app", "kube-system", "10.0.0.1", "fd00::1",
		"10.0.0.0/24", "x.example.com", "example.com/name", "Always", "TCP", "http", "80", "8080-9090", "25%",
		"/data", "../up", "true", "null", "1e3", "0x1f", "~", "*", "@hourly", "*/5 * * * *", "Europe/Berlin",
		"image:1.2", "sha256:00", "2024-02-29T23:59:59Z", "1h2m", "100m", "In", "NotIn", "Exists", "Gt",
		"metadata.name", "limits.cpu", "a b", "\\\"\\\\\\n", "\\u0001\\u007f", "<&>", "\xc3\xa9\xe2\x82\xac",
		"\xf0\x9f\x98\x80", "\\u2028", "{{.x}}", "$(A)", "- x", "a: b", "#", " ", "\\t"};

	if (field && field->values && fuzz_byte(b) % 8) {
		size_t n = 0;
		while (field->values[n])
			n++;
		return n ? field->values[fuzz_below(b, n)] : "";
	}
	return FUZZ_PICK(b, pool);
}

/* One element of a list or map, or a field that is neither. */
static inline void fuzz_single(struct strbuf *out, struct fuzz_bytes *b, const struct schema_field *field, int depth);
static inline void fuzz_message(struct strbuf *out, struct fuzz_bytes *b, const struct schema_type *type, int depth);

static inline void fuzz_number(struct strbuf *out, struct fuzz_bytes *b, enum schema_kind kind)
{
	static const char *const wide[] = {
		"9007199254740993", "9223372036854775807", "-9223372036854775808", "1700000000", "4294967296"};
	static const char *const narrow[] = {"0", "1", "-1", "2", "80", "8080", "65535", "65536", "30000", "127", "600",
		"2147483647", "-2147483648", "100", "3", "5"};
	static const char *const positive[] = {"0", "1", "7", "4294967295", "1000"};
	static const char *const real[] = {"0", "0.5", "-1.25", "1e21", "1e-7", "3", "123456789.125", "100"};

	if (kind == SCHEMA_FLOAT || kind == SCHEMA_DOUBLE)
		strbuf_adds(out, FUZZ_PICK(b, real));
	else if (kind == SCHEMA_UINT32 || kind == SCHEMA_UINT64)
		strbuf_adds(out, FUZZ_PICK(b, positive));
	else if (kind == SCHEMA_INT64 && fuzz_byte(b) % 4 == 3)
		strbuf_adds(out, FUZZ_PICK(b, wide));
	else
		strbuf_adds(out, FUZZ_PICK(b, narrow));
}

static inline void fuzz_list(
	struct strbuf *out, struct fuzz_bytes *b, const struct schema_field *field, size_t min, int depth)
{
	size_t n = min + fuzz_below(b, 4);

	strbuf_addc(out, '[');
	for (size_t i = 0; i < n; i++) {
		strbuf_adds(out, i ? "," : "");
		fuzz_single(out, b, field, depth);
	}
	strbuf_addc(out, ']');
}

static inline void fuzz_map(struct strbuf *out, struct fuzz_bytes *b, const struct schema_field *field, int depth)
{
	static const char *const keys[] = {"a", "app", "cpu", "memory", "example.com/x", "kubernetes.io/hostname",
		"b.c", "tls.crt", "", "hugepages-2Mi", "pods", "k:{}", "f:x", "."};
	size_t n = fuzz_below(b, 4), used = 0;

	strbuf_addc(out, '{');
	for (size_t i = 0; i < n; i++) {
		size_t key = fuzz_below(b, ARRAY_SIZE(keys));
		if (used >> key & 1)
			continue;
		strbuf_printf(out, "%s\"%s\":", used ? "," : "", keys[key]);
		used |= (size_t)1 << key;
		fuzz_single(out, b, schema_map_value(field), depth);
	}
	strbuf_addc(out, '}');
}

static inline void fuzz_single(struct strbuf *out, struct fuzz_bytes *b, const struct schema_field *field, int depth)
{
	static const char *const bytes[] = {"", "AA==", "aGVsbG8=", "/+8=", "AAECAwQFBgc="};

	switch ((enum schema_kind)field->kind) {
	case SCHEMA_BOOL:
		strbuf_adds(out, fuzz_byte(b) & 1 ? "true" : "false");
		break;
	case SCHEMA_STRING:
		strbuf_printf(out, "\"%s\"", fuzz_text(b, field));
		break;
	case SCHEMA_BYTES:
		strbuf_printf(out, "\"%s\"", FUZZ_PICK(b, bytes));
		break;
	case SCHEMA_MESSAGE:
		fuzz_message(out, b, field->type, depth + 1);
		break;
	default:
		fuzz_number(out, b, field->kind);
	}
}

static inline void fuzz_field(struct strbuf *out, struct fuzz_bytes *b, const struct schema_field *field, int depth)
{
	if (field->shape == SCHEMA_LIST)
		fuzz_list(out, b, field, 0, depth);
	else if (field->shape == SCHEMA_MAP)
		fuzz_map(out, b, field, depth);
	else
		fuzz_single(out, b, field, depth);
}

static inline void fuzz_members(struct strbuf *out, struct fuzz_bytes *b, const struct schema_type *type, int depth)
{
	uint8_t seen[64] = {0};
	bool first = true;

	strbuf_addc(out, '{');
	if (type->root && type->api_version) {
		strbuf_printf(out, "\"kind\":\"%s\",\"apiVersion\":\"%s\"", type->kind, type->api_version);
		first = false;
	}
	for (size_t n = depth > 12 || !type->n_names ? 0 : fuzz_below(b, depth ? 6 : 10); n && b->at < b->end; n--) {
		size_t i = fuzz_below(b, type->n_names);
		if (i / 8 >= sizeof(seen) || seen[i / 8] >> i % 8 & 1)
			continue;
		seen[i / 8] |= (uint8_t)(1u << i % 8);
		strbuf_printf(out, "%s\"%s\":", first ? "" : ",", type->names[i].json_name);
		first = false;
		fuzz_field(out, b, type->names[i].field, depth);
	}
	strbuf_addc(out, '}');
}

static inline void fuzz_schema_or(struct strbuf *out, struct fuzz_bytes *b, const struct schema_type *type, int depth)
{
	size_t form = fuzz_below(b, 3);

	if (type->form == SCHEMA_FORM_SCHEMA_OR_BOOL && form < 2)
		strbuf_adds(out, form ? "true" : "false");
	else if (type->form != SCHEMA_FORM_SCHEMA_OR_BOOL && form == 1)
		fuzz_list(out, b, &type->fields[1], 1, depth); /* none is written as null, as the original does */
	else
		fuzz_message(out, b, schema_field_by_name(type, "schema")->type, depth + 1);
}

static inline void fuzz_message(struct strbuf *out, struct fuzz_bytes *b, const struct schema_type *type, int depth)
{
	static const char *const times[] = {"\"2024-02-29T23:59:59Z\"", "\"1970-01-01T00:00:01Z\"", "null",
		"\"2038-01-19T03:14:08Z\"", "\"2000-01-01T00:00:00+02:00\""};
	static const char *const micro[] = {
		"\"2024-02-29T23:59:59.123456Z\"", "\"1970-01-01T00:00:01.000000Z\"", "null"};
	static const char *const durations[] = {
		"\"0s\"", "\"1h2m3s\"", "\"1.5s\"", "\"-10m0s\"", "\"1ns\"", "\"300ms\""};
	static const char *const quantities[] = {"\"0\"", "\"1\"", "\"100m\"", "\"1Gi\"", "\"1.5\"", "\"1e3\"",
		"\"-5\"", "5", "\"1500m\"", "\"1Ei\"", "\"9223372036854775807\"", "\"0.000000001\"", "\"1024Ki\"",
		"\"+2k\""};
	static const char *const raws[] = {"{}", "{\"a\":1}", "[1,\"x\",null]", "\"s\"", "9007199254740993", "true",
		"{\"f:metadata\":{\"f:labels\":{\".\":{},\"f:a\":{}}}}", "{\"b\":{\"c\":[{}]}}", "1.5", "null"};

	switch ((enum schema_form)type->form) {
	case SCHEMA_FORM_OBJECT:
		fuzz_members(out, b, type, depth);
		break;
	case SCHEMA_FORM_TIME:
		strbuf_adds(out, FUZZ_PICK(b, times));
		break;
	case SCHEMA_FORM_MICRO_TIME:
		strbuf_adds(out, FUZZ_PICK(b, micro));
		break;
	case SCHEMA_FORM_DURATION:
		strbuf_adds(out, FUZZ_PICK(b, durations));
		break;
	case SCHEMA_FORM_QUANTITY:
		strbuf_adds(out, FUZZ_PICK(b, quantities));
		break;
	case SCHEMA_FORM_INT_OR_STRING:
		if (fuzz_byte(b) & 1)
			fuzz_number(out, b, SCHEMA_INT32);
		else
			strbuf_printf(out, "\"%s\"", fuzz_text(b, NULL));
		break;
	case SCHEMA_FORM_RAW:
		strbuf_adds(out, FUZZ_PICK(b, raws));
		break;
	case SCHEMA_FORM_LIST:
		fuzz_list(out, b, &type->fields[0], 0, depth);
		break;
	case SCHEMA_FORM_SCHEMA_OR_BOOL:
	case SCHEMA_FORM_SCHEMA_OR_ARRAY:
	case SCHEMA_FORM_SCHEMA_OR_STRING_ARRAY:
		fuzz_schema_or(out, b, type, depth);
		break;
	}
}

/* JSON text of an object of the type. */
static inline const char *fuzz_object(struct arena *arena, struct fuzz_bytes *b, const struct schema_type *type)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;

	fuzz_message(&out, b, type, 0);
	return arena_strdup(arena, out.buf);
}

/* The object itself. */
static inline void *fuzz_typed(struct arena *arena, struct fuzz_bytes *b, const struct schema_type *type)
{
	const char *text = fuzz_object(arena, b, type);
	void *msg = NULL;
	struct status *s = json_decode(arena, type, text, strlen(text), NULL, &msg);

	if (s)
		FUZZ_FAIL("%s: %s", text, s->message);
	return msg;
}

#endif
