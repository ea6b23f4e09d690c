#include <inttypes.h>
#include <stdlib.h>
#include "api/json.h"
#include "api/meta.h"
#include "api/print/print.h"
#include "api/protobuf.h"
#include "api/selector.h"
#include "api/tree.h"
#include "apiserver/http/answer.h"
#include "apiserver/http/decode.h"
#include "apiserver/http/verbs.h"
#include "apiserver/registry/private.h"
#include "base/encode.h"

#define WAIT_MS 3000

/* --- options --- */

struct status *version_parse(const char *text, int64_t *ret_version)
{
	*ret_version = -1;
	if (str_empty(text) || str_to_int64(text, 0, INT64_MAX, ret_version))
		return NULL;
	struct status *s = status_new(STATUS_UNKNOWN,
		"resourceVersion: Invalid value: \"%s\": strconv.ParseUint: parsing \"%s\": invalid syntax", text,
		text);
	return status_with_code(s, 500);
}

/* A list tells of a bad version as of any bad option; a watch, whose storage reads it, as of an error of its own. */
static struct status *parse_version(const char *text, bool watch, int64_t *ret_version)
{
	struct status *wrong = version_parse(text, ret_version);
	if (!wrong || watch)
		return wrong;
	struct status *s = status_bad_request("invalid resource version: %s", wrong->message);
	status_free(wrong);
	return s;
}

static struct status *unsupported_field(const struct request *request, const char *path)
{
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

static struct status *parse_fields(struct request *request, const char *text, struct field_selector **ret_fields)
{
	*ret_fields = NULL;
	if (str_empty(text))
		return NULL;
	struct status *status = field_selector_parse(request->arena, text, ret_fields);
	if (status) {
		status_free(status);
		return status_bad_request("invalid selector: '%s'; can't understand '%s'", text, text);
	}
	for (size_t i = 0; i < (*ret_fields)->n_requirements; i++) {
		struct field_requirement *r = &(*ret_fields)->requirements[i];
		if (!field_selector_supported(request->schema, r->path))
			return unsupported_field(request, r->path);
		r->path = stored_path(request, r->path);
	}
	return NULL;
}

struct status *list_options_parse(struct exchange *exchange, struct request *request, struct list_options *o)
{
	*o = (struct list_options){.version = -1};
	TRY(parse_version(exchange_query(exchange, "resourceVersion"), str_eq(request->verb, "watch"), &o->version));
	o->match = str_or_empty(exchange_query(exchange, "resourceVersionMatch"));
	o->token = str_or_empty(exchange_query(exchange, "continue"));
	TRY(query_number(exchange, "limit", &o->limit));
	TRY(query_number(exchange, "timeoutSeconds", &o->timeout_seconds));
	const char *labels = exchange_query(exchange, "labelSelector");
	if (!str_empty(labels)) {
		struct status *status = label_selector_parse(request->arena, labels, &o->labels);
		if (status)
			return status_with_code(status, 400);
	}
	TRY(parse_fields(request, exchange_query(exchange, "fieldSelector"), &o->fields));
	bool flag = false;
	if (str_to_bool(str_or_empty(exchange_query(exchange, "allowWatchBookmarks")), &flag))
		o->bookmarks = flag;
	const char *initial = exchange_query(exchange, "sendInitialEvents");
	o->has_initial = initial && str_to_bool(initial, &o->initial);
	return NULL;
}

static struct status *forbidden_option(const char *field, const char *value, const char *why)
{
	struct status *s =
		status_new(STATUS_INVALID, "ListOptions.meta.k8s.io \"\" is invalid: %s: %s: %s", field, value, why);
	status_add_cause(s, "FieldValueForbidden", field, "%s: %s", value, why);
	return status_details(s, "meta.k8s.io", "ListOptions", "");
}

static struct status *unknown_match(const char *match)
{
	static const char supported[] = "supported values: \"Exact\", \"NotOlderThan\", \"\"";
	struct status *s = status_new(STATUS_INVALID,
		"ListOptions.meta.k8s.io \"\" is invalid: resourceVersionMatch: Unsupported value: \"%s\": %s", match,
		supported);
	status_add_cause(
		s, "FieldValueNotSupported", "resourceVersionMatch", "Unsupported value: \"%s\": %s", match, supported);
	return status_details(s, "meta.k8s.io", "ListOptions", "");
}

static struct status *check_list_options(const struct list_options *o)
{
	if (o->has_initial)
		return forbidden_option("sendInitialEvents", "Forbidden", "sendInitialEvents is forbidden for list");
	if (!str_empty(o->match) && strcmp(o->match, "Exact") != 0 && strcmp(o->match, "NotOlderThan") != 0)
		return unknown_match(o->match);
	if (!str_empty(o->match) && o->version < 0)
		return forbidden_option("resourceVersionMatch", "Forbidden",
			"resourceVersionMatch is forbidden unless resourceVersion is provided");
	if (!str_empty(o->match) && !str_empty(o->token))
		return forbidden_option("resourceVersionMatch", "Forbidden",
			"resourceVersionMatch is forbidden when continue is provided");
	if (str_eq(o->match, "Exact") && o->version == 0)
		return forbidden_option("resourceVersionMatch", "Forbidden",
			"resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
	if (o->version > 0 && !str_empty(o->token))
		return status_bad_request("specifying resource version is not allowed when using continue");
	return NULL;
}

/* --- continue tokens: {"v":"meta.k8s.io/v1","rv":N,"start":"key"} in base64url --- */

const char *continue_token_make(struct arena *arena, int64_t revision, const char *start)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	strbuf_printf(&out, "{\"v\":\"meta.k8s.io/v1\",\"rv\":%" PRId64 ",\"start\":", revision);
	json_add_string(&out, start, strlen(start), true);
	strbuf_addc(&out, '}');
	return base64url_encode(arena, out.buf, out.len);
}

struct status *continue_token_read(
	struct arena *arena, const char *token, int64_t *ret_revision, const char **ret_start)
{
	uint8_t *data;
	size_t size;
	cJSON *tree = NULL;
	struct status *status = NULL;
	if (!base64url_decode(arena, token, strlen(token), &data, &size))
		return status_bad_request(
			"invalid continue token: continue key is not valid: illegal base64 data at input byte %zu",
			base64url_error_at(token, strlen(token)));
	status = tree_parse(arena, (const char *)data, size, NULL, &tree);
	status_drop(status, "a bad token is a bad token");
	const char *start = tree_string(tree_get(tree, "start"));
	if (!start || !tree_int(tree_get(tree, "rv"), ret_revision) ||
		!str_eq(tree_string(tree_get(tree, "v")), "meta.k8s.io/v1"))
		return status_bad_request(
			"invalid continue token: continue key is not valid: incorrect encoding or version");
	*ret_start = start;
	return NULL;
}

/* A list may go on with what is there now: revision -1. */
static struct status *token_expired(struct arena *arena, const char *start)
{
	return status_continue(status_new(STATUS_EXPIRED,
				       "The provided continue parameter is too old to display a consistent list "
				       "result. You can start a new list without the continue parameter, or use the "
				       "continue token in this response to retrieve the remainder of the results. "
				       "Continuing with the provided token results in an inconsistent list - objects "
				       "that were created, modified, or deleted between the time the first chunk was "
				       "returned and now may show up in the list."),
		continue_token_make(arena, -1, start));
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
	TRY(cache_wait(request->registry->cache, revision, WAIT_MS));
	if (table_list_at(table, prefix, o->labels, revision, &l->snapshot))
		return NULL;
	l->stored = true;
	return revision > 0 ? table_list_stored(table, prefix, revision, &l->snapshot)
			    : status_new(STATUS_EXPIRED, "nothing is known of revision 0");
}

static struct status *take_snapshot(
	struct request *request, const struct list_options *o, struct listing *l, const char **ret_start)
{
	struct table *table = request_table(request);
	struct cache *cache = request->registry->cache;
	const char *prefix = request_prefix(request);
	*ret_start = "";
	if (!str_empty(o->token)) {
		int64_t revision;
		TRY(continue_token_read(request->arena, o->token, &revision, ret_start));
		if (revision < 0) {
			TRY(cache_fresh(cache, WAIT_MS));
			table_list(table, prefix, o->labels, &l->snapshot);
			return NULL;
		}
		struct status *s = snapshot_at(request, o, revision, l);
		if (!status_is(s, STATUS_EXPIRED))
			return s;
		status_free(s);
		return token_expired(request->arena, *ret_start);
	}
	if (str_eq(o->match, "Exact") || (o->version > 0 && o->limit > 0 && str_empty(o->match))) {
		struct status *s = snapshot_at(request, o, o->version, l);
		if (!status_is(s, STATUS_EXPIRED))
			return s;
		status_free(s);
		return status_new(STATUS_EXPIRED, "The resourceVersion for the provided list is too old.");
	}
	if (o->version < 0)
		TRY(cache_fresh(cache, WAIT_MS));
	else if (o->version > 0)
		TRY(cache_wait(cache, o->version, WAIT_MS));
	table_list(table, prefix, o->labels, &l->snapshot);
	return NULL;
}

static void choose(struct request *request, const struct list_options *o, const char *start, struct listing *l)
{
	struct snapshot *s = &l->snapshot;
	size_t i, kept = 0;
	l->token = "";
	l->remaining = -1;
	for (i = 0; i < s->n_items; i++) {
		struct entry *entry = s->items[i];
		if ((*start && strcmp(entry->key, start) < 0) || !entry_matches(entry, o->labels, o->fields)) {
			entry_unref(entry);
			continue;
		}
		if (o->limit > 0 && kept == (size_t)o->limit) {
			l->token = continue_token_make(request->arena, s->revision, entry->key);
			if (!o->labels && !o->fields)
				l->remaining = (int64_t)(s->n_items - i);
			break;
		}
		s->items[kept++] = entry;
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
	static const char end[] = "]}\n";
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
	ProtobufCMessage *list = api_new(request->arena, type);
	*object_child_p(list, "metadata") = list_meta(request, l);
	int64_t now = clock_wall_s(request->clock);
	json_encode(&text, print_table(request->arena, list, now, "None", true), JSON_NEWLINE);
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
		     !str_eq(accept->shape_version, "v1beta1") &&
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

static struct status *list_virtual(struct exchange *exchange, struct request *request, const struct accept *accept)
{
	ProtobufCMessage **objects;
	size_t n;
	if (!request->strategy->list_virtual)
		return status_not_allowed();
	TRY(request->strategy->list_virtual(request, &objects, &n));
	ProtobufCMessage *list = api_new(request->arena, schema_list_of(request->schema->type));
	for (size_t i = 0; i < n; i++)
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

struct status *verb_list(struct exchange *exchange, struct request *request, const struct accept *accept)
{
	struct list_options o;
	const char *start;
	TRY(list_options_parse(exchange, request, &o));
	TRY(check_list_options(&o));
	if (!request_table(request))
		return list_virtual(exchange, request, accept);
	CLEANUP(listing_done) struct listing l = {0};
	TRY(take_snapshot(request, &o, &l, &start));
	request->listed.done = !l.stored;
	request->listed.consistent = o.version < 0 && str_empty(o.token);
	request->listed.looked_at = l.snapshot.n_items;
	choose(request, &o, start, &l);
	request->listed.told = l.snapshot.n_items;
	if (accept->shape == SHAPE_TABLE && request->strategy->compare_rows)
		order_rows(request, &l);
	return answer_list(exchange, request, accept, &l);
}

struct status *list_names(struct exchange *exchange, struct request *request, MetaV1ListMeta **ret_meta,
	char ***ret_namespaces, char ***ret_names, size_t *ret_n)
{
	struct list_options o;
	const char *start = "";
	int64_t revision;
	TRY(list_options_parse(exchange, request, &o));
	TRY(check_list_options(&o));
	if (!str_empty(o.token))
		TRY(continue_token_read(request->arena, o.token, &revision, &start));
	TRY(cache_fresh(request->registry->cache, WAIT_MS));
	CLEANUP(listing_done) struct listing l = {0};
	const char *prefix = request_prefix(request);
	table_list(request_table(request), prefix, o.labels, &l.snapshot);
	choose(request, &o, start, &l);
	*ret_n = l.snapshot.n_items;
	*ret_meta = list_meta(request, &l);
	*ret_names = ARENA_ARRAY(request->arena, char *, *ret_n + 1);
	*ret_namespaces = ARENA_ARRAY(request->arena, char *, *ret_n + 1);
	for (size_t i = 0; i < *ret_n; i++) {
		(*ret_names)[i] = arena_strdup(request->arena, l.snapshot.items[i]->name);
		(*ret_namespaces)[i] = arena_strdup(request->arena, l.snapshot.items[i]->namespace);
	}
	return NULL;
}
