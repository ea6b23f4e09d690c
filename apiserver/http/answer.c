#include "apiserver/http/answer.h"
#include <stdio.h>
#include "api/go_names.h"
#include "api/json.h"
#include "api/meta.h"
#include "api/print/print.h"
#include "api/protobuf.h"
#include "api/tree.h"
#include "api/yaml.h"
#include "base/clock.h"

#define ANSWER_BYTES 1024

static ProtobufCMessage *metadata_list_of(struct arena *arena, const ProtobufCMessage *list)
{
	MetaV1PartialObjectMetadataList *partial = API_NEW(arena, MetaV1PartialObjectMetadataList);
	partial->metadata = object_list_meta(list);
	void **items;
	size_t n = list_items(list, &items);
	for (size_t i = 0; i < n; i++)
		ARENA_PUSH(arena, partial->items, partial->n_items) = print_metadata(arena, items[i]);
	return &partial->base;
}

/* Of Tables and metadata in an old shape, the metadata in a Table's rows included; NULL: they are asked for as they are
 * now. */
static const char *old_version(const struct accept *accept)
{
	bool old = accept->shape != SHAPE_OBJECT && str_eq(accept->shape_version, "v1beta1");
	return old ? "meta.k8s.io/v1beta1" : NULL;
}

struct status *table_include(const struct exchange *exchange, const char **ret_include)
{
	static const char *const includes[] = {"None", "Metadata", "Object", NULL};
	*ret_include = str_or(exchange_query(exchange, "includeObject"), "Metadata");
	if (str_in(*ret_include, includes))
		return NULL;
	return status_bad_request("Unable to convert to Table as requested: includeObject: Invalid value: "
				  "\"%s\": must be 'Metadata', 'Object', 'None', or empty",
		*ret_include);
}

struct status *shape_object(struct exchange *exchange, const struct accept *accept, const ProtobufCMessage *object,
	bool with_columns, ProtobufCMessage **ret_object)
{
	bool list = schema_item_of(schema_of(object)) != NULL;
	*ret_object = (ProtobufCMessage *)(uintptr_t)object;
	/* Errors and options are themselves in every shape. */
	if (schema_of(object) == &MetaV1Status_schema || accept->shape == SHAPE_OBJECT)
		return NULL;
	if (accept->shape == SHAPE_TABLE) {
		const char *include;
		TRY(table_include(exchange, &include));
		const struct print_table_options options = {.now = clock_wall_s(clock_system()),
			.include = include,
			.metadata_version = old_version(accept),
			.with_headers = with_columns};
		*ret_object = &print_table(exchange->arena, object, &options)->base;
		return NULL;
	}
	if (list != (accept->shape == SHAPE_METADATA_LIST))
		return status_new(STATUS_NOT_ACCEPTABLE,
			"you requested %s, but the requested object is %s list (*%s.%s)",
			list ? "PartialObjectMetadata" : "PartialObjectMetadataList", list ? "a" : "not a",
			go_package_of(exchange->arena, schema_of(object)), schema_of(object)->kind);
	*ret_object = list ? metadata_list_of(exchange->arena, object) : &print_metadata(exchange->arena, object)->base;
	return NULL;
}

unsigned json_form(bool pretty)
{
	return pretty ? JSON_PRETTY | JSON_INDENT2 : JSON_NEWLINE;
}

static void indent(struct strbuf *text)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	cJSON *tree;
	struct status *s = tree_parse(arena, text->buf, text->len, NULL, &tree);
	if (s) {
		status_drop(s, "then it stays as it is");
		return;
	}
	strbuf_reset(text);
	tree_print(text, tree, json_form(true));
}

/* The items of this one list carry their kind. */
static void encode_metadata_list(
	struct strbuf *out, const MetaV1PartialObjectMetadataList *list, const char *as, bool pretty)
{
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
	strbuf_printf(&text, "{\"kind\":\"PartialObjectMetadataList\",\"apiVersion\":\"%s\",\"metadata\":", as);
	if (list->metadata)
		json_encode(&text, list->metadata, 0);
	else
		strbuf_adds(&text, "{}");
	strbuf_adds(&text, list->n_items ? ",\"items\":[" : ",\"items\":null");
	for (size_t i = 0; i < list->n_items; i++) {
		if (i)
			strbuf_addc(&text, ',');
		json_encode_as(&text, list->items[i], as, "PartialObjectMetadata", 0);
	}
	strbuf_adds(&text, list->n_items ? "]}\n" : "}\n");
	if (pretty)
		indent(&text);
	strbuf_add(out, text.buf, text.len);
}

void encode_media(struct strbuf *out, const struct accept *accept, const ProtobufCMessage *object, const void *printed)
{
	/* A Status has but one version. */
	bool shaped = str_eq(schema_of(object)->group, "meta.k8s.io") && !API_IS(object, MetaV1Status);
	const char *old = shaped ? old_version(accept) : NULL;
	const char *as = str_or(old, schema_of(object)->api_version);
	if (accept->media == MEDIA_PROTOBUF)
		protobuf_encode_as(out, object, as, schema_of(object)->kind);
	else if (accept->media == MEDIA_YAML)
		yaml_encode(out, object);
	else if (API_IS(object, MetaV1PartialObjectMetadataList))
		encode_metadata_list(out, (const MetaV1PartialObjectMetadataList *)object, as, accept->pretty);
	else
		json_encode_printed(out, object, as, schema_of(object)->kind, json_form(accept->pretty), printed);
}

/* One header; of the text at most so many runes. What no header can hold is not told. */
static void answer_warning(struct exchange *exchange, const char *text, size_t most)
{
	CLEANUP(strbuf_done) struct strbuf line = STRBUF_INIT;
	strbuf_adds(&line, "299 - \"");
	for (const char *end = str_skip_runes(text, most), *p = text; p < end; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return;
		if (*p == '"' || *p == '\\')
			strbuf_addc(&line, '\\');
		strbuf_addc(&line, *p);
	}
	strbuf_addc(&line, '"');
	reply_header(exchange, "Warning", line.buf);
}

/* Up to WARNINGS_MAX_RUNES they are sent as they are. Beyond, all are cut; those that came before the limit was passed
 * are sent, and then more while they fit (k8s.io/apiserver/pkg/endpoints/filters/warning.go). */
void answer_warnings(struct exchange *exchange, const struct request *request)
{
	size_t whole = 0, cut = 0, n = request ? request->n_warnings : 0, n_before = 0;
	for (; n_before < n && whole <= WARNINGS_MAX_RUNES; n_before++)
		whole += str_runes(request->warnings[n_before]);
	for (size_t i = 0; i < n; i++) {
		bool all = whole <= WARNINGS_MAX_RUNES;
		if (!all && i >= n_before && cut >= WARNINGS_MAX_RUNES)
			return;
		cut += warning_runes(request->warnings[i]);
		answer_warning(exchange, request->warnings[i], all ? SIZE_MAX : WARNING_MAX_RUNES);
	}
}

void answer_object(struct exchange *exchange, struct request *request, const struct accept *accept, int code,
	const ProtobufCMessage *object)
{
	CLEANUP(strbuf_done) struct strbuf body = STRBUF_INIT;
	ProtobufCMessage *shaped;
	struct status *status = shape_object(exchange, accept, object, true, &shaped);
	answer_warnings(exchange, request);
	if (status) {
		answer_status(exchange, status);
		return;
	}
	/* What was sent comes back with defaults and owners of fields. */
	strbuf_grow(&body, ANSWER_BYTES + 2 * exchange->body_size);
	encode_media(&body, accept, shaped, request->printed_fields);
	reply_strbuf(exchange, code, media_name(accept->media), &body);
}

size_t strbuf_varint(struct strbuf *out, uint64_t value)
{
	size_t n = 1;
	for (; value >= 0x80; value >>= 7, n++)
		strbuf_addc(out, (char)(value | 0x80));
	strbuf_addc(out, (char)value);
	return n;
}

static void put_tagged(struct strbuf *out, char tag, const char *text)
{
	strbuf_addc(out, tag);
	strbuf_varint(out, strlen(text));
	strbuf_adds(out, text);
}

void protobuf_head(struct strbuf *out, const struct schema_type *type, size_t size)
{
	CLEANUP(strbuf_done) struct strbuf names = STRBUF_INIT;
	put_tagged(&names, 0x0a, type->api_version);
	put_tagged(&names, 0x12, type->kind);
	strbuf_add(out, PROTOBUF_MAGIC, PROTOBUF_MAGIC_SIZE);
	strbuf_addc(out, 0x0a);
	strbuf_varint(out, names.len);
	strbuf_add(out, names.buf, names.len);
	strbuf_addc(out, 0x12);
	strbuf_varint(out, size);
}

static struct gather *gather_json(struct entry *entry)
{
	const struct schema_type *type = entry->resource->type;
	const struct piece *json = atomic_load(&entry->json);
	/* Behind the opening brace come the members, of which there may be none. */
	if (!json || json->size <= 2)
		return NULL;
	CLEANUP(strbuf_done) struct strbuf head = STRBUF_INIT;
	struct gather *g = gather_new();
	strbuf_printf(&head, "{\"kind\":\"%s\",\"apiVersion\":\"%s\",", type->kind, type->api_version);
	gather_copy(g, head.buf, head.len);
	gather_borrow(g, json->data + 1, json->size - 1, entry);
	gather_copy(g, "\n", 1);
	return g;
}

static struct gather *gather_protobuf(struct entry *entry)
{
	CLEANUP(strbuf_done) struct strbuf head = STRBUF_INIT;
	struct gather *g = gather_new();
	protobuf_head(&head, entry->resource->type, entry->size);
	gather_copy(g, head.buf, head.len);
	gather_borrow(g, entry->bytes, entry->size, entry);
	gather_copy(g, PROTOBUF_TAIL, PROTOBUF_TAIL_SIZE);
	return g;
}

bool answer_entry(struct exchange *exchange, struct request *request, const struct accept *accept, struct entry *entry)
{
	if (accept->shape != SHAPE_OBJECT || accept->pretty || entry->resource != request->schema)
		return false;
	struct gather *g = accept->media == MEDIA_PROTOBUF ? gather_protobuf(entry)
			   : accept->media == MEDIA_JSON   ? gather_json(entry)
							   : NULL;
	if (!g)
		return false;
	answer_warnings(exchange, request);
	reply_gather(exchange, 200, media_name(accept->media), g);
	return true;
}

void answer_status(struct exchange *exchange, struct status *status)
{
	CLEANUP(strbuf_done) struct strbuf body = STRBUF_INIT;
	struct accept accept;
	struct status *refused = accept_parse(exchange, SHAPES_NONE, &accept);
	accept.pretty |= refused != NULL;
	status_drop(refused, "then it is told in JSON, for people");
	if (status->retry_after_seconds > 0) {
		char seconds[16];
		snprintf(seconds, sizeof(seconds), "%d", (int)status->retry_after_seconds);
		reply_header(exchange, "Retry-After", seconds);
	}
	MetaV1Status *object = status_to_api(exchange->arena, status);
	encode_media(&body, &accept, &object->base, NULL);
	reply_strbuf(exchange, status->code, media_name(accept.media), &body);
	status_free(status);
}

void answer_success(struct exchange *exchange, struct request *request, const struct accept *accept, const char *name,
	const char *uid)
{
	MetaV1Status *object = API_NEW(exchange->arena, MetaV1Status);
	object->status = arena_strdup(exchange->arena, "Success");
	object->details = API_NEW(exchange->arena, MetaV1StatusDetails);
	object->details->name = arena_strdup(exchange->arena, name);
	object->details->group = arena_strdup(exchange->arena, request->group);
	object->details->kind = arena_strdup(exchange->arena, request->resource);
	object->details->uid = arena_strdup(exchange->arena, uid);
	answer_object(exchange, request, accept, 200, &object->base);
}

void answer_text(struct exchange *exchange, int code, const char *text)
{
	if (code >= 400)
		reply_header(exchange, "X-Content-Type-Options", "nosniff");
	reply_bytes(exchange, code, "text/plain; charset=utf-8", text, strlen(text));
}
