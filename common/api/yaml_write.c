/* Trees to YAML, in the style of the original: block style, keys in natural order, strings quoted only where they must
 * be. */
#include <stdlib.h>
#include <string.h>
#include <yaml.h>
#include "api/go_names.h"
#include "api/internal.h"
#include "api/yaml.h"
#include "api/yaml_internal.h"
#include "base/encode.h"

static bool is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80;
}

/* A run of digits, compared by its value and then its length. */
static int compare_runs(const char *a, const char *b, size_t at)
{
	int64_t an = 0, bn = 0;
	size_t ai = at, bi = at;

	if (a[at] == '0' || b[at] == '0') {
		for (size_t j = at; j > 0 && is_digit((unsigned char)a[j - 1]); j--) {
			if (a[j - 1] != '0') {
				an = bn = 1;
				break;
			}
		}
	}
	for (; is_digit((unsigned char)a[ai]) && an < INT64_MAX / 100; ai++)
		an = an * 10 + (a[ai] - '0');
	for (; is_digit((unsigned char)b[bi]) && bn < INT64_MAX / 100; bi++)
		bn = bn * 10 + (b[bi] - '0');
	if (an != bn)
		return an < bn ? -1 : 1;
	if (ai != bi)
		return ai < bi ? -1 : 1;
	return (unsigned char)a[at] < (unsigned char)b[at] ? -1 : 1;
}

/* The natural order of the original's YAML library: letters after other characters, numbers by value. */
static int compare_keys(const void *x, const void *y)
{
	const char *a = str_or_empty((*(cJSON *const *)x)->string), *b = str_or_empty((*(cJSON *const *)y)->string);
	size_t i = 0;

	while (a[i] && a[i] == b[i])
		i++;
	if (!a[i] || !b[i])
		return a[i] ? 1 : b[i] ? -1 : 0;
	bool al = is_letter((unsigned char)a[i]), bl = is_letter((unsigned char)b[i]);
	if (al && bl)
		return (unsigned char)a[i] < (unsigned char)b[i] ? -1 : 1;
	if (al || bl)
		return bl ? -1 : 1;
	return compare_runs(a, b, i);
}

static int write_out(void *out, unsigned char *buffer, size_t size)
{
	strbuf_add(out, buffer, size);
	return 1;
}

static void emit_text(yaml_emitter_t *e, const char *s, size_t size, const char *tag, yaml_scalar_style_t style)
{
	yaml_event_t event;

	yaml_scalar_event_initialize(
		&event, NULL, (const yaml_char_t *)tag, (const yaml_char_t *)s, (int)size, !tag, !tag, style);
	yaml_emitter_emit(e, &event);
}

static bool is_utf8(const char *s, size_t size)
{
	for (size_t i = 0, n; i < size; i += n) {
		n = json_utf8_len(s + i, s + size);
		if (!n)
			return false;
	}
	return true;
}

static void emit_string(yaml_emitter_t *e, const char *s)
{
	CLEANUP(strbuf_done) struct strbuf number = STRBUF_INIT;
	CLEANUP(arena_freep) struct arena *arena = NULL;
	size_t size = strlen(s);

	if (!is_utf8(s, size)) {
		arena = arena_new();
		char *text = base64_encode(arena, s, size);
		emit_text(e, text, strlen(text), "tag:yaml.org,2002:binary", YAML_PLAIN_SCALAR_STYLE);
		return;
	}
	bool plain = yaml_resolve(s, size, &number) == YAML_STR && !yaml_is_base60(s, size);
	emit_text(e, s, size, NULL,
		memchr(s, '\n', size) ? YAML_LITERAL_SCALAR_STYLE
		: plain		      ? YAML_PLAIN_SCALAR_STYLE
				      : YAML_DOUBLE_QUOTED_SCALAR_STYLE);
}

static void emit_node(yaml_emitter_t *e, const cJSON *node);

static void emit_mapping(yaml_emitter_t *e, const cJSON *node)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new_sized(256);
	size_t n = tree_size(node), i = 0;
	cJSON **children = ARENA_ARRAY(arena, cJSON *, n + 1);
	yaml_event_t event;

	TREE_FOREACH (child, node)
		children[i++] = child;
	if (n > 1)
		qsort(children, n, sizeof(*children), compare_keys);
	yaml_mapping_start_event_initialize(
		&event, NULL, NULL, 1, n ? YAML_BLOCK_MAPPING_STYLE : YAML_FLOW_MAPPING_STYLE);
	yaml_emitter_emit(e, &event);
	for (i = 0; i < n; i++) {
		emit_string(e, str_or_empty(children[i]->string));
		emit_node(e, children[i]);
	}
	yaml_mapping_end_event_initialize(&event);
	yaml_emitter_emit(e, &event);
}

static void emit_sequence(yaml_emitter_t *e, const cJSON *node)
{
	yaml_event_t event;

	yaml_sequence_start_event_initialize(
		&event, NULL, NULL, 1, node->child ? YAML_BLOCK_SEQUENCE_STYLE : YAML_FLOW_SEQUENCE_STYLE);
	yaml_emitter_emit(e, &event);
	TREE_FOREACH (child, node)
		emit_node(e, child);
	yaml_sequence_end_event_initialize(&event);
	yaml_emitter_emit(e, &event);
}

static void emit_plain(yaml_emitter_t *e, const char *s)
{
	emit_text(e, s, strlen(s), NULL, YAML_PLAIN_SCALAR_STYLE);
}

/* What is no integer of 64 bits is a float, as Go prints one. */
static void emit_number(yaml_emitter_t *e, const cJSON *node)
{
	CLEANUP(strbuf_done) struct strbuf real = STRBUF_INIT;
	const char *text = str_or(node->valuestring, "0");
	int64_t whole;
	uint64_t large;

	if (!json_number_int64(text, strlen(text), &whole) && !str_to_uint64(text, UINT64_MAX, &large)) {
		go_add_double(&real, node->valuedouble);
		text = real.buf;
	}
	emit_plain(e, text);
}

static void emit_node(yaml_emitter_t *e, const cJSON *node)
{
	switch (node->type & 0xff) {
	case cJSON_True:
		emit_plain(e, "true");
		break;
	case cJSON_False:
		emit_plain(e, "false");
		break;
	case cJSON_Number:
		emit_number(e, node);
		break;
	case cJSON_String:
		emit_string(e, str_or_empty(node->valuestring));
		break;
	case cJSON_Object:
		emit_mapping(e, node);
		break;
	case cJSON_Array:
		emit_sequence(e, node);
		break;
	default:
		emit_plain(e, "null");
	}
}

void yaml_print_tree(struct strbuf *out, const cJSON *tree)
{
	yaml_emitter_t e;
	yaml_event_t event;

	yaml_emitter_initialize(&e);
	yaml_emitter_set_output(&e, write_out, out);
	yaml_emitter_set_unicode(&e, 1);
	yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING);
	yaml_emitter_emit(&e, &event);
	yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1);
	yaml_emitter_emit(&e, &event);
	emit_node(&e, tree);
	yaml_document_end_event_initialize(&event, 1);
	yaml_emitter_emit(&e, &event);
	yaml_stream_end_event_initialize(&event);
	yaml_emitter_emit(&e, &event);
	yaml_emitter_flush(&e);
	yaml_emitter_delete(&e);
	/* libyaml closes a document whose last text keeps its line breaks; the original's writer does not. */
	if (out->len > 5 && !strcmp(out->buf + out->len - 5, "\n...\n"))
		strbuf_truncate(out, out->len - 4);
}

void yaml_encode(struct strbuf *out, const void *msg)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();

	yaml_print_tree(out, tree_from_typed(arena, msg));
}

void yaml_encode_as(struct strbuf *out, const void *msg, const char *api_version, const char *kind)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(strbuf_done) struct strbuf json = STRBUF_INIT;
	cJSON *tree;

	json_encode_as(&json, msg, api_version, kind, 0);
	struct status *status = tree_parse(arena, json.buf, json.len, NULL, &tree);
	if (!status)
		yaml_print_tree(out, tree);
	status_drop(status, "what was just written can be read");
}
