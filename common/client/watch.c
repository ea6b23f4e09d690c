#include "api/json.h"
#include "api/meta.h"
#include "api/protobuf.h"
#include "client/internal.h"

void watch_reader_init(struct watch_reader *r)
{
	*r = (struct watch_reader){0};
	strbuf_init(&r->in);
}

void watch_reader_done(struct watch_reader *r)
{
	strbuf_done(&r->in);
}

void watch_reader_reset(struct watch_reader *r)
{
	watch_reader_done(r);
	watch_reader_init(r);
}

/* --- protobuf: a length of four bytes, then a WatchEvent{type = 1, object = 2 {raw = 1}} --- */

static bool read_varint(const uint8_t **p, const uint8_t *end, uint64_t *ret)
{
	uint64_t value = 0;
	for (int shift = 0; shift < 64 && *p < end; shift += 7) {
		uint8_t byte = *(*p)++;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			*ret = value;
			return true;
		}
	}
	return false;
}

/* The next length-delimited field; other wire types are errors, as no field of ours has them. */
static bool read_field(
	const uint8_t **p, const uint8_t *end, uint64_t *ret_number, const uint8_t **ret_data, size_t *ret_size)
{
	uint64_t tag, size;
	if (!read_varint(p, end, &tag) || (tag & 7) != 2 || !read_varint(p, end, &size) || size > (uint64_t)(end - *p))
		return false;
	*ret_number = tag >> 3;
	*ret_data = *p;
	*ret_size = (size_t)size;
	*p += size;
	return true;
}

static struct status *parse_protobuf(const uint8_t *p, size_t size, struct watch_frame *ret)
{
	const uint8_t *end = p + size, *data, *inner_data;
	uint64_t number;
	size_t n, inner_n;
	*ret = (struct watch_frame){.type = "", .object = "", .protobuf = true};
	while (p < end) {
		if (!read_field(&p, end, &number, &data, &n))
			return status_bad_request("malformed watch event");
		if (number == 1) {
			ret->type = (const char *)data;
			ret->type_size = n;
		}
		for (const uint8_t *q = data; number == 2 && q < data + n;) {
			uint64_t inner;
			if (!read_field(&q, data + n, &inner, &inner_data, &inner_n))
				return status_bad_request("malformed watch event object");
			if (inner == 1) {
				ret->object = inner_data;
				ret->object_size = inner_n;
			}
		}
	}
	return NULL;
}

static struct status *next_protobuf(struct watch_reader *r, size_t start, struct watch_frame *ret, size_t *ret_used)
{
	const uint8_t *p = (const uint8_t *)r->in.buf + start;
	size_t have = r->in.len - start;
	*ret_used = 0;
	if (have < 4)
		return NULL;
	size_t size = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
	if (size > CLIENT_MAX_FRAME_BYTES)
		return status_new(STATUS_TOO_LARGE, "watch event of %zu bytes", size);
	if (have - 4 < size)
		return NULL;
	TRY(parse_protobuf(p + 4, size, ret));
	*ret_used = 4 + size;
	return NULL;
}

/* --- JSON: objects one after another --- */

/* Finds the end of the value that begins at start; remembers how far it has looked. */
static size_t find_json_end(struct watch_reader *r, size_t start)
{
	for (size_t i = start + r->scanned; i < r->in.len; i++) {
		char c = r->in.buf[i];
		if (r->in_string) {
			if (r->escaped)
				r->escaped = false;
			else if (c == '\\')
				r->escaped = true;
			else if (c == '"')
				r->in_string = false;
		} else if (c == '"') {
			r->in_string = true;
		} else if (c == '{' || c == '[') {
			r->depth++;
		} else if ((c == '}' || c == ']') && --r->depth <= 0) {
			r->scanned = 0;
			r->depth = 0;
			return i + 1;
		}
	}
	r->scanned = r->in.len - start;
	return 0;
}

/* The extent of member `name` in the object text; NULL if it is absent. */
static const char *json_member(const char *p, const char *end, const char *name, size_t *ret_size)
{
	size_t name_len = strlen(name);
	int depth = 0;
	const char *key = NULL, *value = NULL;
	size_t key_len = 0;
	bool expect_key = false;
	for (; p < end; p++) {
		if (*p == '"') {
			const char *start = ++p;
			while (p < end && *p != '"')
				p += *p == '\\' ? 2 : 1;
			if (depth == 1 && expect_key) {
				key = start;
				key_len = (size_t)(p - start);
				expect_key = false;
			}
		} else if (*p == '{' || *p == '[') {
			depth++;
			expect_key = depth == 1;
		} else if (depth == 1 && *p == ':' && !value && key && key_len == name_len &&
			   !memcmp(key, name, name_len)) {
			value = p + 1;
		} else if (*p == '}' || *p == ']' || (*p == ',' && depth == 1)) {
			if (depth == 1 && value) {
				*ret_size = (size_t)(p - value);
				return value;
			}
			if (*p != ',')
				depth--;
			else
				expect_key = true;
		}
	}
	return NULL;
}

static struct status *next_json(struct watch_reader *r, size_t start, struct watch_frame *ret, size_t *ret_used)
{
	*ret_used = 0;
	if (!r->scanned)
		while (start < r->in.len && strchr(" \t\r\n", r->in.buf[start])) {
			start++;
			++*ret_used;
		}
	size_t end = find_json_end(r, start);
	if (!end) {
		if (r->in.len - start > CLIENT_MAX_FRAME_BYTES)
			return status_new(STATUS_TOO_LARGE, "watch event is too large");
		/* White space in front is let go once the value is whole. */
		r->scanned += *ret_used;
		*ret_used = 0;
		return NULL;
	}
	*ret = (struct watch_frame){.type = "", .object = ""};
	const char *type = json_member(r->in.buf + start, r->in.buf + end, "type", &ret->type_size);
	const char *object = json_member(r->in.buf + start, r->in.buf + end, "object", &ret->object_size);
	const char *quote = type ? memchr(type, '"', ret->type_size) : NULL;
	const char *close = quote ? memchr(quote + 1, '"', ret->type_size - (size_t)(quote + 1 - type)) : NULL;
	if (!close || !object)
		return status_bad_request("malformed watch event");
	ret->type = quote + 1;
	ret->type_size = (size_t)(close - quote - 1);
	ret->object = object;
	*ret_used += end - start;
	return NULL;
}

struct status *watch_reader_feed(struct watch_reader *r, bool protobuf, const void *bytes, size_t size,
	bool (*on_frame)(void *data, const struct watch_frame *frame), void *data, bool *ret_stopped)
{
	strbuf_add(&r->in, bytes, size);
	*ret_stopped = false;
	size_t start = 0;
	struct status *error = NULL;
	while (!error && !*ret_stopped) {
		struct watch_frame frame;
		size_t used;
		error = protobuf ? next_protobuf(r, start, &frame, &used) : next_json(r, start, &frame, &used);
		if (error || !used)
			break;
		start += used;
		*ret_stopped = !on_frame(data, &frame);
	}
	strbuf_consume(&r->in, start);
	/* A large event must not keep its room for ever. */
	if (!r->in.len && r->in.cap > 16384) {
		strbuf_done(&r->in);
		strbuf_init(&r->in);
	}
	return error;
}

bool watch_frame_type(const struct watch_frame *frame, enum watch_event_type *ret)
{
	static const char *const names[] = {"ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strlen(names[i]) == frame->type_size && !memcmp(names[i], frame->type, frame->type_size)) {
			*ret = (enum watch_event_type)i;
			return true;
		}
	}
	return false;
}

struct status *watch_frame_decode(
	struct arena *arena, const struct schema_type *type, const struct watch_frame *frame, void *ret_msg)
{
	if (frame->protobuf)
		return protobuf_decode(arena, type, frame->object, frame->object_size, ret_msg);
	return json_decode(arena, type, frame->object, frame->object_size, NULL, ret_msg);
}

struct status *watch_frame_error(struct arena *arena, const struct watch_frame *frame)
{
	MetaV1Status *status;
	struct status *error = watch_frame_decode(arena, &MetaV1Status_schema, frame, &status);
	if (error)
		return status_wrap(error, "watch error event");
	error = status_from_api(status);
	return error ? error : status_internal("watch error event without a reason");
}

/* --- plain watches --- */

struct watcher {
	struct client *client;
	const struct schema_type *type;
	bool (*on_event)(void *data, const struct watch_event *event);
	void *data;
	struct watch_reader reader;
	int protobuf; /* -1: not known yet */
	struct status *error;
};

static bool tell(void *data, const struct watch_frame *frame)
{
	struct watcher *w = data;
	struct watch_event event = {0};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP_STATUS struct status *error = NULL;
	if (!watch_frame_type(frame, &event.type)) {
		w->error = status_internal("unknown watch event type \"%.*s\"", (int)frame->type_size, frame->type);
		return false;
	}
	if (event.type == WATCH_ERROR) {
		error = watch_frame_error(arena, frame);
		event.error = error;
	} else if (w->type) {
		void *msg = NULL;
		w->error = watch_frame_decode(arena, w->type, frame, &msg);
		event.msg = msg;
	}
	if (!w->type) {
		event.json = frame->object;
		event.json_size = frame->object_size;
	}
	return !w->error && w->on_event(w->data, &event);
}

static bool on_bytes(void *data, const void *bytes, size_t size)
{
	struct watcher *w = data;
	bool stopped;
	if (w->protobuf < 0)
		w->protobuf = watch_is_protobuf(bytes);
	struct status *error = watch_reader_feed(&w->reader, w->protobuf, bytes, size, tell, w, &stopped);
	if (error)
		w->error = error;
	return !w->error && !stopped;
}

struct status *client_watch(struct client *client, const struct client_resource *resource,
	const struct schema_type *type, const char *namespace, const struct watch_options *options,
	bool (*on_event)(void *data, const struct watch_event *event), void *data)
{
	static const struct watch_options none;
	const struct watch_options *o = options ? options : &none;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(strbuf_done) struct strbuf query = STRBUF_INIT;
	struct client_list_options list = {.label_selector = o->label_selector,
		.field_selector = o->field_selector,
		.resource_version = o->resource_version,
		.resource_version_match = o->send_initial_events ? "NotOlderThan" : NULL};
	client_list_query(&query, &list);
	query_add(&query, "watch", "true");
	if (o->bookmarks)
		query_add(&query, "allowWatchBookmarks", "true");
	if (o->send_initial_events)
		query_add(&query, "sendInitialEvents", "true");
	if (o->timeout_seconds)
		query_add_int(&query, "timeoutSeconds", o->timeout_seconds);
	const char *accept =
		type ? client_accept(client, arena, resource, type, false) : str_or(o->accept, "application/json");
	struct http_header header = {"Accept", arena_strdup(arena, accept)};
	struct watcher w = {.client = client, .type = type, .on_event = on_event, .data = data, .protobuf = -1};
	watch_reader_init(&w.reader);
	struct client_request request = {.path = client_path(arena, resource, namespace, NULL, NULL),
		.query = query.buf,
		.headers = &header,
		.n_headers = 1,
		.timeout_ms = -1,
		.on_data = on_bytes,
		.data = &w};
	struct status *error = client_do(client, arena, &request, NULL);
	watch_reader_done(&w.reader);
	if (w.error) {
		status_free(error);
		return w.error;
	}
	return error;
}
