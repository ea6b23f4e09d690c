/* YAML documents to trees, over libyaml's events. */
#include <string.h>
#include <yaml.h>
#include "api/internal.h"
#include "api/yaml.h"
#include "api/yaml_internal.h"
#include "base/map.h"

#define MAX_YAML_DEPTH 500
#define MAX_NODES (4u << 20)
#define MAX_ALIASED_NODES 400000

struct anchor {
	cJSON *node;
	size_t n_nodes;
};

struct yaml_stream {
	struct arena *arena;
	const char *data;
	size_t size;
	bool json_first; /* the text looks like JSON and is tried so */
	size_t json_at;
	bool begun, ended;
	bool slashes;	    /* somewhere a slash is escaped */
	size_t at, at_rune; /* a place in the text that events have come to: in bytes, and as the parser counts */
	yaml_parser_t parser;
	struct strmap *anchors; /* of this document: name -> struct anchor */
	size_t n_nodes, n_aliased;
	const char *not_finite; /* a number that JSON does not have: told of a text that is YAML otherwise */
	struct json_strict *strict;
};

static struct status *parse_node(struct yaml_stream *s, yaml_event_t *event, int depth, cJSON **ret_node);

static void parser_free(void *data)
{
	struct yaml_stream *s = data;

	yaml_parser_delete(&s->parser);
	strmap_free(s->anchors);
}

struct yaml_stream *yaml_stream_new(struct arena *arena, const char *data, size_t size)
{
	struct yaml_stream *s = ARENA_NEW(arena, struct yaml_stream);
	size_t at = 0;

	s->arena = arena;
	s->data = data;
	s->size = size;
	while (at < size && (data[at] == ' ' || data[at] == '\t' || data[at] == '\r' || data[at] == '\n'))
		at++;
	s->json_first = at < size && data[at] == '{';
	return s;
}

static void begin(struct yaml_stream *s)
{
	yaml_parser_initialize(&s->parser);
	arena_defer(s->arena, parser_free, s);
	yaml_parser_set_encoding(&s->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&s->parser, (const unsigned char *)s->data, s->size);
	s->slashes = memmem(s->data, s->size, "\\/", 2);
	s->begun = true;
}

static struct status *yaml_error(const struct yaml_stream *s)
{
	const yaml_parser_t *p = &s->parser;

	const char *problem = str_or(p->problem, "broken");
	size_t line = p->problem_mark.line;

	/* As the original counts: from one what is no token, from nought what has no place; it leaves out nought. */
	if (line)
		line += p->error == YAML_SCANNER_ERROR;
	else
		line = p->context_mark.line;
	if (!line)
		return status_bad_request("yaml: %s", problem);
	return status_bad_request("yaml: line %zu: %s", line, problem);
}

static struct status *unknown_escape(size_t line)
{
	return line ? status_bad_request("yaml: line %zu: found unknown escape character", line + 1)
		    : status_bad_request("yaml: found unknown escape character");
}

/* JSON may escape a slash, and so may YAML since version 1.2, which the original does not read. Scalars come in their
 * order: where one begins is counted on from the last. */
static struct status *check_slashes(struct yaml_stream *s, const yaml_event_t *event)
{
	const char *end = s->data + s->size;
	size_t line = event->start_mark.line;
	for (; s->at < s->size && s->at_rune < event->start_mark.index; s->at_rune++)
		do
			s->at++;
		while (s->at < s->size && ((unsigned char)s->data[s->at] & 0xC0) == 0x80);
	if (s->at >= s->size || s->data[s->at] != '"')
		return NULL;
	for (const char *p = s->data + s->at + 1; p + 1 < end && *p != '"'; p++) {
		if (*p == '\\' && p[1] == '/')
			return unknown_escape(line);
		p += *p == '\\';
		line += *p == '\n';
	}
	return NULL;
}

static struct status *next_event(struct yaml_stream *s, yaml_event_t *event)
{
	if (!yaml_parser_parse(&s->parser, event))
		return yaml_error(s);
	if (!s->slashes || event->type != YAML_SCALAR_EVENT ||
		event->data.scalar.style != YAML_DOUBLE_QUOTED_SCALAR_STYLE)
		return NULL;
	struct status *bad = check_slashes(s, event);
	if (bad)
		yaml_event_delete(event);
	return bad;
}

static struct status *at_line(const yaml_event_t *event, const char *what)
{
	return status_bad_request("yaml: line %zu: %s", event->start_mark.line + 1, what);
}

static const struct anchor *find_anchor(const struct yaml_stream *s, const char *name)
{
	return strmap_get(s->anchors, name);
}

static cJSON *scalar_node(struct yaml_stream *s, const yaml_event_t *event)
{
	CLEANUP(strbuf_done) struct strbuf number = STRBUF_INIT;
	const char *text = (const char *)event->data.scalar.value;
	const char *tag = (const char *)event->data.scalar.tag;
	size_t size = event->data.scalar.length;
	bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !tag;

	if (tag && (!strcmp(tag, YAML_INT_TAG) || !strcmp(tag, YAML_FLOAT_TAG) || !strcmp(tag, YAML_BOOL_TAG) ||
			   !strcmp(tag, YAML_NULL_TAG)))
		plain = true;
	switch (plain ? yaml_resolve(text, size, &number) : YAML_STR) {
	case YAML_NULL:
		return tree_new_null(s->arena);
	case YAML_TRUE:
	case YAML_FALSE:
		return tree_new_bool(s->arena, yaml_resolve(text, size, &number) == YAML_TRUE);
	case YAML_INT:
	case YAML_FLOAT:
		if (number.len)
			return tree_new_number(s->arena, number.buf, number.len);
		break;
	default:
		break;
	}
	return tree_new_string(s->arena, arena_strndup(s->arena, text, size));
}

/* Which of the floats a text is that JSON does not have: .inf, -.inf, .nan; NULL for any other text. */
static const char *not_finite(const yaml_event_t *event)
{
	CLEANUP(strbuf_done) struct strbuf number = STRBUF_INIT;
	const char *text = (const char *)event->data.scalar.value;

	if (event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE || event->data.scalar.tag ||
		yaml_resolve(text, event->data.scalar.length, &number) != YAML_FLOAT || number.len)
		return NULL;
	return strchr("nN", text[1]) ? "NaN" : *text == '-' ? "-Inf" : "+Inf";
}

/* A key as a string: numbers, booleans as they would be printed. */
static struct status *parse_key(struct yaml_stream *s, yaml_event_t *event, char **ret_key)
{
	cJSON *node = NULL;

	if (event->type != YAML_SCALAR_EVENT && event->type != YAML_ALIAS_EVENT)
		return at_line(event, "a key must be a scalar");
	if (event->type == YAML_SCALAR_EVENT &&
		strlen((const char *)event->data.scalar.value) != event->data.scalar.length)
		return at_line(event, "a text holds a NUL character, which is not supported");
	if (event->type == YAML_ALIAS_EVENT) {
		const struct anchor *a = find_anchor(s, (const char *)event->data.alias.anchor);
		node = a ? a->node : NULL;
	} else {
		node = scalar_node(s, event);
	}
	if (!node || cJSON_IsObject(node) || cJSON_IsArray(node))
		return at_line(event, "a key must be a scalar");
	*ret_key = cJSON_IsBool(node)	? arena_strdup(s->arena, cJSON_IsTrue(node) ? "true" : "false")
		   : cJSON_IsNull(node) ? arena_strdup(s->arena, "null")
					: node->valuestring;
	return NULL;
}

static void report_duplicate(struct yaml_stream *s, size_t line, const char *key)
{
	if (s->strict && s->strict->n_errors < 100)
		ARENA_PUSH(s->arena, s->strict->errors, s->strict->n_errors) =
			arena_printf(s->arena, "line %zu: key \"%s\" already set in map", line + 1, key);
}

/* Puts a member, whose value begins in that line; of members with one name the last stays, in the first's place. The
 * map keeps large mappings from being searched one by one. */
static void put_member(
	struct yaml_stream *s, size_t line, cJSON *object, struct strmap *members, const char *key, cJSON *value)
{
	cJSON *old = strmap_get(members, key);

	if (!old) {
		strmap_put(members, key, value);
		value->string = arena_strdup(s->arena, key);
		tree_append(object, value);
		return;
	}
	report_duplicate(s, line, key);
	value->next = old->next;
	value->prev = old->prev;
	value->string = old->string;
	*old = *value;
}

static void merge_object(struct yaml_stream *s, size_t line, cJSON *object, struct strmap *members, const cJSON *from)
{
	TREE_FOREACH (child, from)
		put_member(s, line, object, members, child->string, tree_copy(s->arena, child));
}

/* The << key: the members of a mapping, or of a list of them of which the first counts most, as if they stood here. */
static struct status *merge_into(
	struct yaml_stream *s, size_t line, cJSON *object, struct strmap *members, const cJSON *from)
{
	size_t n = cJSON_IsArray(from) ? tree_size(from) : 1, at = 0;
	const cJSON **all = ARENA_ARRAY(s->arena, const cJSON *, n + 1);

	if (cJSON_IsArray(from))
		TREE_FOREACH (child, from)
			all[at++] = child;
	else
		all[at++] = from;
	for (; at > 0; at--) {
		if (!cJSON_IsObject(all[at - 1]))
			return status_bad_request("yaml: map merge requires map or sequence of maps as the value");
		merge_object(s, line, object, members, all[at - 1]);
	}
	return NULL;
}

static bool is_merge(const yaml_event_t *event)
{
	return event->type == YAML_SCALAR_EVENT && event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	       !event->data.scalar.tag && !strcmp((const char *)event->data.scalar.value, "<<");
}

static struct status *parse_member(
	struct yaml_stream *s, yaml_event_t *key_event, int depth, cJSON *object, struct strmap *members)
{
	yaml_event_t event;
	cJSON *value = NULL;
	char *key = NULL;

	TRY(parse_key(s, key_event, &key));
	TRY(next_event(s, &event));
	const size_t line = event.start_mark.line;
	struct status *status = parse_node(s, &event, depth + 1, &value);
	yaml_event_delete(&event);
	if (status)
		return status;
	if (is_merge(key_event))
		return merge_into(s, key_event->start_mark.line, object, members, value);
	put_member(s, line, object, members, key, value);
	return NULL;
}

static struct status *parse_mapping(struct yaml_stream *s, int depth, cJSON *object)
{
	CLEANUP(strmap_freep) struct strmap *members = strmap_new(NULL);
	yaml_event_t event;

	for (;;) {
		TRY(next_event(s, &event));
		bool end = event.type == YAML_MAPPING_END_EVENT;
		struct status *status = end ? NULL : parse_member(s, &event, depth, object, members);
		yaml_event_delete(&event);
		if (status || end)
			return status;
	}
}

static struct status *parse_sequence(struct yaml_stream *s, int depth, cJSON *array)
{
	yaml_event_t event;

	for (;;) {
		cJSON *child = NULL;
		TRY(next_event(s, &event));
		bool end = event.type == YAML_SEQUENCE_END_EVENT;
		struct status *status = end ? NULL : parse_node(s, &event, depth + 1, &child);
		yaml_event_delete(&event);
		if (status || end)
			return status;
		tree_append(array, child);
	}
}

static struct status *parse_alias(struct yaml_stream *s, const yaml_event_t *event, cJSON **ret_node)
{
	const struct anchor *a = find_anchor(s, (const char *)event->data.alias.anchor);

	if (!a || !a->node)
		return status_bad_request(
			"yaml: unknown anchor '%s' referenced", (const char *)event->data.alias.anchor);
	s->n_aliased += a->n_nodes;
	if (s->n_aliased > MAX_ALIASED_NODES)
		return status_bad_request("yaml: document contains excessive aliasing");
	s->n_nodes += a->n_nodes;
	*ret_node = tree_copy(s->arena, a->node);
	(*ret_node)->string = NULL;
	return NULL;
}

static const char *anchor_of(const yaml_event_t *event)
{
	return (const char *)(event->type == YAML_SCALAR_EVENT		? event->data.scalar.anchor
			      : event->type == YAML_MAPPING_START_EVENT ? event->data.mapping_start.anchor
									: event->data.sequence_start.anchor);
}

static struct status *parse_node(struct yaml_stream *s, yaml_event_t *event, int depth, cJSON **ret_node)
{
	size_t before = s->n_nodes;

	if (depth > MAX_YAML_DEPTH)
		return at_line(event, "exceeded max depth");
	if (++s->n_nodes > MAX_NODES)
		return at_line(event, "too many nodes");
	if (event->type == YAML_ALIAS_EVENT)
		return parse_alias(s, event, ret_node);
	if (event->type == YAML_SCALAR_EVENT) {
		if (strlen((const char *)event->data.scalar.value) != event->data.scalar.length)
			return at_line(event, "a text holds a NUL character, which is not supported");
		s->not_finite = s->not_finite ? s->not_finite : not_finite(event);
		*ret_node = scalar_node(s, event);
	} else if (event->type == YAML_MAPPING_START_EVENT) {
		*ret_node = tree_new_object(s->arena);
		TRY(parse_mapping(s, depth, *ret_node));
	} else if (event->type == YAML_SEQUENCE_START_EVENT) {
		*ret_node = tree_new_array(s->arena);
		TRY(parse_sequence(s, depth, *ret_node));
	} else {
		return at_line(event, "unexpected content");
	}
	if (anchor_of(event)) {
		struct anchor *a = ARENA_NEW(s->arena, struct anchor);
		*a = (struct anchor){*ret_node, s->n_nodes - before};
		strmap_put(s->anchors, anchor_of(event), a);
	}
	return NULL;
}

/* The next value of a run of JSON texts; false when it is not JSON after all. */
static bool next_json(struct yaml_stream *s, const struct json_options *options, cJSON **ret_tree)
{
	struct json_reader r;
	const char *text;
	size_t size;

	json_reader_init(&r, s->arena, s->data + s->json_at, s->size - s->json_at, JSON_MAX_DEPTH);
	if (json_at_end(&r)) {
		*ret_tree = NULL;
		return true;
	}
	json_reader_init(&r, s->arena, s->data + s->json_at, s->size - s->json_at, JSON_MAX_DEPTH);
	if (!json_skip(&r, &text, &size))
		return false;
	struct status *status = tree_parse(s->arena, text, size, options, ret_tree);
	if (status) {
		status_drop(status, "it is read as YAML, whose error is told");
		return false;
	}
	s->json_at = (size_t)(r.at - s->data);
	return true;
}

/* One document between its start and end events. */
static struct status *parse_document(struct yaml_stream *s, cJSON **ret_tree)
{
	yaml_event_t event;

	strmap_free(s->anchors);
	s->anchors = strmap_new(NULL);
	TRY(next_event(s, &event));
	struct status *status = parse_node(s, &event, 0, ret_tree);
	yaml_event_delete(&event);
	if (status)
		return status;
	TRY(next_event(s, &event)); /* the document's end */
	yaml_event_delete(&event);
	if (s->not_finite)
		return status_bad_request("json: unsupported value: %s", s->not_finite);
	return NULL;
}

static struct status *next_yaml(struct yaml_stream *s, cJSON **ret_tree)
{
	yaml_event_t event;

	if (!s->begun)
		begin(s);
	while (!s->ended) {
		TRY(next_event(s, &event));
		yaml_event_type_t type = event.type;
		yaml_event_delete(&event);
		if (type == YAML_STREAM_END_EVENT)
			s->ended = true;
		if (type != YAML_DOCUMENT_START_EVENT)
			continue;
		TRY(parse_document(s, ret_tree));
		if (!cJSON_IsNull(*ret_tree))
			return NULL;
	}
	*ret_tree = NULL;
	return NULL;
}

static struct status *next_document(struct yaml_stream *s, const struct json_options *options, cJSON **ret_tree)
{
	size_t max_size = options && options->max_size ? options->max_size : JSON_MAX_SIZE;

	if (s->size > max_size)
		return status_new(
			STATUS_TOO_LARGE, "the text of %zu bytes is larger than the limit of %zu", s->size, max_size);
	s->strict = options ? options->strict : NULL;
	if (s->json_first) {
		if (next_json(s, options, ret_tree))
			return NULL;
		if (s->json_at) {
			/* What follows the JSON values is read from there on. */
			s->data += s->json_at;
			s->size -= s->json_at;
		}
		s->json_first = false;
	}
	return next_yaml(s, ret_tree);
}

/* As most callers say it. */
static struct status *converting(struct status *status)
{
	return status_is(status, STATUS_BAD_REQUEST) ? status_wrap(status, "error converting YAML to JSON") : status;
}

struct status *yaml_stream_next(struct yaml_stream *s, const struct json_options *options, cJSON **ret_tree)
{
	return converting(next_document(s, options, ret_tree));
}

/* What JSON may escape and YAML may not: a slash, and halves of characters. */
static struct status *check_escapes(struct yaml_stream *s)
{
	const char *p = s->data, *end = s->data + s->size;
	size_t line = 0;

	for (; s->json_first && p + 1 < end; p++) {
		line += *p == '\n';
		if (*p != '\\')
			continue;
		if (p[1] == '/')
			return unknown_escape(line);
		if (end - p > 3 && p[1] == 'u' && (p[2] | 0x20) == 'd' && strchr("89abcdefABCDEF", p[3]))
			s->json_first = false; /* the reader of YAML tells */
		p++;
	}
	return NULL;
}

/* Numbers that are no integers as the reader of YAML hands them on: 1.0 is 1, 1e3 is 1000. */
static void settle_numbers(struct arena *arena, cJSON *tree)
{
	CLEANUP(strbuf_done) struct strbuf number = STRBUF_INIT;
	TREE_FOREACH (child, tree)
		settle_numbers(arena, child);
	if (!cJSON_IsNumber(tree) || !strpbrk(tree->valuestring, ".eE"))
		return;
	if (yaml_resolve(tree->valuestring, strlen(tree->valuestring), &number) == YAML_FLOAT && number.len) {
		const cJSON *settled = tree_new_number(arena, number.buf, number.len);
		tree->valuestring = settled->valuestring;
		tree->valuedouble = settled->valuedouble;
		tree->valueint = settled->valueint;
	}
}

static struct status *parse_one(
	struct arena *arena, const char *data, size_t size, const struct json_options *options, cJSON **ret_tree)
{
	struct yaml_stream *s = yaml_stream_new(arena, data, size);
	cJSON *tree = NULL;

	/* JSON is read as JSON only when it is all there is: what follows a value is an error of YAML. */
	if (s->json_first) {
		struct json_reader r;
		json_reader_init(&r, arena, data, size, JSON_MAX_DEPTH);
		s->json_first = json_skip(&r, NULL, NULL) && json_at_end(&r);
		TRY(check_escapes(s));
	}
	const bool json = s->json_first;
	TRY(next_document(s, options, &tree));
	if (json && tree)
		settle_numbers(arena, tree);
	*ret_tree = tree ? tree : tree_new_null(arena);
	return NULL;
}

struct status *yaml_parse(
	struct arena *arena, const char *data, size_t size, const struct json_options *options, cJSON **ret_tree)
{
	return converting(parse_one(arena, data, size, options, ret_tree));
}

struct status *yaml_find_duplicates(struct arena *arena, const char *data, size_t size, struct json_strict *ret_strict)
{
	const struct json_options options = {.strict = ret_strict};
	struct yaml_stream *s = yaml_stream_new(arena, data, size);
	cJSON *tree;

	s->json_first = false;
	return yaml_stream_next(s, &options, &tree);
}

struct status *yaml_to_json(struct arena *arena, const char *data, size_t size, const struct json_options *options,
	char **ret_json, size_t *ret_size)
{
	cJSON *tree;

	TRY(parse_one(arena, data, size, options, &tree));
	*ret_json = tree_to_string(arena, tree, TREE_SORTED);
	*ret_size = strlen(*ret_json);
	return NULL;
}

struct status *yaml_decode(struct arena *arena, const struct schema_type *type, const char *data, size_t size,
	const struct json_options *options, void *ret_msg)
{
	char *json;
	size_t json_size;

	struct status *status = yaml_to_json(arena, data, size, options, &json, &json_size);
	if (status)
		return converting(status);
	if (!type)
		return json_decode_any(arena, json, json_size, options, ret_msg);
	return json_decode(arena, type, json, json_size, options, ret_msg);
}
