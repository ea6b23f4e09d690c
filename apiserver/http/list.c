#include <inttypes.h>
#include <stdlib.h>
#include "api/json.h"
#include "api/meta.h"
#include "api/print/print.h"
#include "api/protobuf.h"
#include "api/selector.h"
#include "api/tree.h"
#include "apiserver/http/answer.h"
#include "apiserver/http/continue.h"
#include "apiserver/http/verbs.h"
#include "apiserver/registry/private.h"
#include "base/encode.h"

/* --- options --- */

struct status *version_parse(const char *text, int64_t *ret_version)
{
	uint64_t version;
	*ret_version = -1;
	if (str_empty(text))
		return NULL;
	if (str_to_uint64(text, UINT64_MAX, &version)) {
		*ret_version = version > INT64_MAX ? INT64_MAX : (int64_t)version;
		return NULL;
	}
	struct status *s = status_new(STATUS_UNKNOWN,
		"resourceVersion: Invalid value: \"%s\": strconv.ParseUint: parsing \"%s\": %s", text, text,
		text[strspn(text, "0123456789")] ? "invalid syntax" : "value out of range");
	return status_with_code(s, 500);
}

struct status *version_parse_option(const char *text, int64_t *ret_version)
{
	struct status *wrong = version_parse(text, ret_version);
	if (!wrong)
		return NULL;
	struct status *s = status_bad_request("invalid resource version: %s", wrong->message);
	status_free(wrong);
	return s;
}

static struct status *unsupported_field(const struct request *request, const char *path)
{
	if (request->schema->type == &ResourceV1ResourceSlice_schema)
		return status_bad_request(
			"field label not supported for resource.k8s.io/v1, Kind=ResourceSlice: %s", path);
	if (request->schema->type == &BatchV1Job_schema)
		return status_bad_request("field label \"%s\" not supported for Job", path);
	if (request->schema->selectable && request->schema->selectable[0])
		return status_bad_request("field label not supported: %s", path);
	return status_bad_request(
		"\"%s\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"", path);
}

/* Events of the newer group are stored as core events: their selectors name the same fields otherwise. */
static char *stored_path(struct request *request, char *path)
{
	static const char regarding[] = "regarding.";
	if (!str_eq(request->group, "events.k8s.io"))
		return path;
	if (str_eq(path, "reportingController"))
		return arena_strdup(request->arena, "reportingComponent");
	if (!str_starts_with(path, regarding))
		return path;
	return arena_printf(request->arena, "involvedObject.%s", path + strlen(regarding));
}

struct status *list_fields_settle(struct request *request, struct list_options *o)
{
	for (size_t i = 0; o->fields && i < o->fields->n_requirements; i++) {
		struct field_requirement *r = &o->fields->requirements[i];
		if (!field_selector_supported(request->schema, r->path))
			return unsupported_field(request, r->path);
		r->path = stored_path(request, r->path);
	}
	if (!str_empty(request->name) && o->fields && o->fields->n_requirements &&
		!str_eq(field_selector_required(o->fields, "metadata.name"), request->name))
		return status_bad_request("fieldSelector metadata.name doesn't match requested name");
	return NULL;
}

struct status *list_version_settle(struct request *request, struct list_options *o)
{
	bool watch = str_eq(request->verb, "watch");
	if (watch || str_empty(o->token))
		return watch ? version_parse(o->version_text, &o->version)
			     : version_parse_option(o->version_text, &o->version);
	struct continue_position position;
	TRY(continue_read(request->arena, o->token, request_prefix(request), &position));
	if (!str_empty(o->version_text) && !str_eq(o->version_text, "0"))
		return status_bad_request("specifying resource version is not allowed when using continue");
	return NULL;
}

/* A list may go on with what is there now: revision -1. */
static struct status *token_expired(struct request *request, const struct continue_position *position)
{
	return status_continue(status_new(STATUS_EXPIRED,
				       "The provided continue parameter is too old to display a consistent list "
				       "result. You can start a new list without the continue parameter, or use the "
				       "continue token in this response to retrieve the remainder of the results. "
				       "Continuing with the provided token results in an inconsistent list - objects "
				       "that were created, modified, or deleted between the time the first chunk was "
				       "returned and now may show up in the list."),
		continue_make_now(request->arena, request_prefix(request), position));
}

/* --- choosing what is listed --- */

struct listing {
	struct snapshot snapshot; /* in the end, of what was chosen */
	const char *token;	  /* "" at the end */
	int64_t remaining;	  /* -1: unknown */
	bool stored;		  /* read from etcd, not out of memory */
};

static void listing_done(struct listing *l)
{
	snapshot_done(&l->snapshot);
}

/* As it was at a revision: from memory, or from etcd once that is too long ago. */
static struct status *snapshot_at(
	struct request *request, const struct list_options *o, int64_t revision, struct listing *l)
{
	struct table *table = request_table(request);
	const char *prefix = request_prefix(request);
	TRY(request_catch_up(request, revision));
	if (table_list_at(table, prefix, o->labels, revision, &l->snapshot))
		return NULL;
	l->stored = true;
	return revision > 0 ? table_list_stored(table, prefix, revision, &l->snapshot)
			    : status_new(STATUS_EXPIRED, "nothing is known of revision 0");
}

static struct status *take_snapshot(
	struct request *request, const struct list_options *o, struct listing *l, struct continue_position *ret_start)
{
	struct table *table = request_table(request);
	const char *prefix = request_prefix(request);
	*ret_start = (struct continue_position){0};
	if (!str_empty(o->token)) {
		TRY(continue_read(request->arena, o->token, prefix, ret_start));
		if (ret_start->revision < 0) {
			TRY(request_catch_up(request, -1));
			table_list(table, prefix, o->labels, &l->snapshot);
			return NULL;
		}
		struct status *s = snapshot_at(request, o, ret_start->revision, l);
		if (!status_is(s, STATUS_EXPIRED))
			return s;
		status_free(s);
		return token_expired(request, ret_start);
	}
	if (str_eq(o->match, "Exact") || (o->version > 0 && o->limit > 0 && str_empty(o->match))) {
		struct status *s = snapshot_at(request, o, o->version, l);
		if (!status_is(s, STATUS_EXPIRED))
			return s;
		status_free(s);
		return status_new(STATUS_EXPIRED, "The resourceVersion for the provided list is too old.");
	}
	if (o->version)
		TRY(request_catch_up(request, o->version));
	table_list(table, prefix, o->labels, &l->snapshot);
	return NULL;
}

/* Whether the list is of one key, or of what the original finds by an index: only what is selected stands behind it. */
static bool is_found_by_field(const struct request *request, const struct list_options *o)
{
	if (!o->fields || !str_empty(o->token))
		return false;
	if (field_selector_required(o->fields, "metadata.name"))
		return !request->schema->namespaced || !str_empty(request->namespace);
	return request->schema->type == &CoreV1Pod_schema && field_selector_required(o->fields, "spec.nodeName");
}

/* A page that is full goes on where anything stands behind it, whether that is selected or not: the last of all is in
 * the snapshot, whatever its labels are. */
static void choose(
	struct request *request, const struct list_options *o, const struct continue_position *start, struct listing *l)
{
	struct snapshot *s = &l->snapshot;
	const bool found = is_found_by_field(request, o);
	size_t i, kept = 0;
	l->token = "";
	l->remaining = -1;
	for (i = 0; i < s->n_items; i++) {
		struct entry *entry = s->items[i];
		if (continue_is_past(start, entry->key)) {
			entry_unref(entry);
			continue;
		}
		const bool matches = entry_matches(entry, o->labels, o->fields);
		if (o->limit > 0 && kept == (size_t)o->limit && (!found || matches)) {
			l->token = continue_make(
				request->arena, s->revision, request_prefix(request), s->items[kept - 1]->key);
			if (!o->labels && !o->fields)
				l->remaining = (int64_t)(s->n_items - i);
			break;
		}
		if (matches)
			s->items[kept++] = entry;
		else
			entry_unref(entry);
	}
	for (; i < s->n_items; i++)
		entry_unref(s->items[i]);
	s->n_items = kept;
}

/* --- writing it --- */

static MetaV1ListMeta *list_meta(struct request *request, const struct listing *l)
{
	MetaV1ListMeta *meta = API_NEW(request->arena, MetaV1ListMeta);
	meta->resource_version = arena_printf(request->arena, "%" PRId64, l->snapshot.revision);
	meta->continue_ = arena_strdup(request->arena, l->token);
	meta->has_remaining_item_count = l->remaining >= 0;
	meta->remaining_item_count = l->remaining >= 0 ? l->remaining : 0;
	return meta;
}

static void gather_json(
	struct request *request, const struct listing *l, const struct schema_type *type, struct gather *g)
{
	CLEANUP(strbuf_done) struct strbuf head = STRBUF_INIT;
	strbuf_printf(&head, "{\"kind\":\"%s\",\"apiVersion\":\"%s\",\"metadata\":", type->kind, type->api_version);
	json_encode(&head, list_meta(request, l), 0);
	strbuf_adds(&head, ",\"items\":[");
	gather_copy(g, head.buf, head.len);
	gather_entries(g, l->snapshot.items, l->snapshot.n_items, ENTRY_JSON);
	gather_copy(g, "]}\n", 3);
}

/* The table of no rows, and the rows out of what the entries keep. */
static void gather_table(
	struct request *request, const struct listing *l, const struct schema_type *type, struct gather *g)
{
	static const char end[] = "]}\n", none[] = "[]}\n", null[] = "null}\n";
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
	ProtobufCMessage *list = api_new(request->arena, type);
	*object_child_p(list, "metadata") = list_meta(request, l);
	int64_t now = clock_wall_s(request->clock);
	const struct print_table_options options = {.now = now, .include = "None", .with_headers = true};
	json_encode(&text, print_table(request->arena, list, &options), JSON_NEWLINE);
	/* The original makes the tables of such kinds otherwise. */
	if (!l->snapshot.n_items && print_is_plain(request->schema->type)) {
		gather_copy(g, text.buf, text.len - (sizeof(none) - 1));
		gather_copy(g, null, sizeof(null) - 1);
		return;
	}
	gather_copy(g, text.buf, text.len - (sizeof(end) - 1));
	gather_rows(g, l->snapshot.items, l->snapshot.n_items, now);
	gather_copy(g, end, sizeof(end) - 1);
}

static size_t put_varint(uint8_t *out, uint64_t value)
{
	size_t n = 0;
	for (; value >= 0x80; value >>= 7)
		out[n++] = (uint8_t)(value | 0x80);
	out[n++] = (uint8_t)value;
	return n;
}

static void copy_tagged(struct gather *g, uint8_t tag, uint64_t size)
{
	uint8_t head[11] = {tag};
	gather_copy(g, head, 1 + put_varint(head + 1, size));
}

static size_t varint_size(uint64_t value)
{
	uint8_t scratch[10];
	return put_varint(scratch, value);
}

/* The envelope of a list: its TypeMeta as a message of its own, then raw = metadata and items, gathered. */
static void gather_protobuf(
	struct request *request, const struct listing *l, const struct schema_type *type, struct gather *g)
{
	CLEANUP(strbuf_done) struct strbuf meta = STRBUF_INIT;
	protobuf_pack(&meta, list_meta(request, l));
	uint64_t raw = 1 + varint_size(meta.len) + meta.len;
	for (size_t i = 0; i < l->snapshot.n_items; i++) {
		size_t size = l->snapshot.items[i]->size;
		raw += 1 + varint_size(size) + size;
	}
	size_t version = strlen(type->api_version), kind = strlen(type->kind);
	gather_copy(g, PROTOBUF_MAGIC, PROTOBUF_MAGIC_SIZE);
	copy_tagged(g, 0x0a, 1 + varint_size(version) + version + 1 + varint_size(kind) + kind);
	copy_tagged(g, 0x0a, version);
	gather_copy(g, type->api_version, version);
	copy_tagged(g, 0x12, kind);
	gather_copy(g, type->kind, kind);
	copy_tagged(g, 0x12, raw);
	copy_tagged(g, 0x0a, meta.len);
	gather_copy(g, meta.buf, meta.len);
	gather_entries(g, l->snapshot.items, l->snapshot.n_items, ENTRY_PROTOBUF);
	/* contentEncoding and contentType, as the original writes them: empty. */
	gather_copy(g, "\x1a\0\x22\0", 4);
}

static struct status *decoded_list(struct request *request, const struct listing *l, ProtobufCMessage **ret_list)
{
	const struct schema_type *type = schema_list_of(request->schema->type);
	ProtobufCMessage *list = api_new(request->arena, type);
	*object_child_p(list, "metadata") = list_meta(request, l);
	for (size_t i = 0; i < l->snapshot.n_items; i++) {
		ProtobufCMessage *object = entry_decode(l->snapshot.items[i], request->arena);
		TRY(convert_object(request->arena, request->schema->type, object, &object));
		list_append(request->arena, list, object);
	}
	*ret_list = list;
	return NULL;
}

/* Whether the list can be put together out of the bytes that entries keep. */
static bool in_pieces(
	struct exchange *exchange, const struct request *request, const struct accept *accept, bool *ret_table)
{
	const char *include = str_or(exchange_query(exchange, "includeObject"), "Metadata");
	*ret_table = accept->shape == SHAPE_TABLE && accept->media == MEDIA_JSON && str_eq(include, "Metadata") &&
		     !str_eq(accept->shape_version, "v1beta1") && print_metadata_is_part(request->schema->type) &&
		     schema_field_by_name(request->schema->type, "metadata");
	return (accept->shape == SHAPE_OBJECT || *ret_table) && !accept->pretty && accept->media != MEDIA_YAML;
}

static struct status *answer_list(
	struct exchange *exchange, struct request *request, const struct accept *accept, struct listing *l)
{
	const struct schema_type *type = schema_list_of(request->schema->type);
	bool stored = table_resource(request_table(request)) == request->schema;
	bool table;
	if (!stored || !in_pieces(exchange, request, accept, &table)) {
		ProtobufCMessage *list;
		TRY(decoded_list(request, l, &list));
		answer_object(exchange, request, accept, 200, list);
		return NULL;
	}
	struct gather *g = gather_new();
	if (table)
		gather_table(request, l, type, g);
	else if (accept->media == MEDIA_PROTOBUF)
		gather_protobuf(request, l, type, g);
	else
		gather_json(request, l, type, g);
	gather_hold(g, STEAL(l->snapshot.items), l->snapshot.n_items);
	l->snapshot.n_items = 0;
	answer_warnings(exchange, request);
	reply_gather(exchange, 200, media_name(accept->media), g);
	return NULL;
}

static bool is_selected(const struct list_options *o, const ProtobufCMessage *object)
{
	const MetaV1ObjectMeta *meta = object_meta(object);
	return (!o->labels || label_selector_matches(o->labels, meta->labels, meta->n_labels)) &&
	       (!o->fields || field_selector_matches_object(o->fields, object));
}

static struct status *list_virtual(
	struct exchange *exchange, struct request *request, const struct accept *accept, const struct list_options *o)
{
	ProtobufCMessage **objects;
	size_t n;
	if (!request->strategy->list_virtual)
		return status_not_allowed();
	TRY(request->strategy->list_virtual(request, &objects, &n));
	ProtobufCMessage *list = api_new(request->arena, schema_list_of(request->schema->type));
	for (size_t i = 0; i < n; i++)
		if (is_selected(o, objects[i]))
			list_append(request->arena, list, objects[i]);
	answer_object(exchange, request, accept, 200, list);
	return NULL;
}

/* The order in which those who look at a table want to see its rows. */
static void order_rows(struct request *request, struct listing *l)
{
	struct row {
		const ProtobufCMessage *object; /* first: what is compared */
		struct entry *entry;
	} *rows = ARENA_ARRAY(request->arena, struct row, l->snapshot.n_items + 1);
	for (size_t i = 0; i < l->snapshot.n_items; i++)
		rows[i] = (struct row){entry_decode(l->snapshot.items[i], request->arena), l->snapshot.items[i]};
	qsort(rows, l->snapshot.n_items, sizeof(*rows), request->strategy->compare_rows);
	for (size_t i = 0; i < l->snapshot.n_items; i++)
		l->snapshot.items[i] = rows[i].entry;
}

/* As in the original, where pages come out of etcd, which has a value that cannot be read, and all else out of a cache
 * that cannot be filled. */
static struct status *check_readable(struct request *request, const struct list_options *o)
{
	const bool paged = o->limit > 0 && !o->labels && !o->fields;
	return (paged ? table_check_prefix : table_check_ready)(request_table(request), request_prefix(request));
}

struct status *verb_list(struct exchange *exchange, struct request *request, const struct accept *accept)
{
	struct list_options o;
	struct continue_position start;
	TRY(list_options_parse(exchange, request, &o));
	TRY(list_fields_settle(request, &o));
	TRY(list_version_settle(request, &o));
	if (!request_table(request))
		return list_virtual(exchange, request, accept, &o);
	CLEANUP(listing_done) struct listing l = {0};
	TRY(take_snapshot(request, &o, &l, &start));
	TRY(check_readable(request, &o));
	request->listed.done = !l.stored;
	request->listed.consistent = o.version < 0 && str_empty(o.token);
	request->listed.looked_at = l.snapshot.n_items;
	choose(request, &o, &start, &l);
	request->listed.told = l.snapshot.n_items;
	if (accept->shape == SHAPE_TABLE && request->strategy->compare_rows)
		order_rows(request, &l);
	return answer_list(exchange, request, accept, &l);
}

struct status *list_objects(struct request *request, const struct list_options *o, ProtobufCMessage **ret_list)
{
	struct continue_position start;
	CLEANUP(listing_done) struct listing l = {0};
	TRY(take_snapshot(request, o, &l, &start));
	TRY(table_check_prefix(request_table(request), request_prefix(request)));
	choose(request, o, &start, &l);
	return decoded_list(request, &l, ret_list);
}
