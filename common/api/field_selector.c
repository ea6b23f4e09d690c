#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "api/internal.h"
#include "api/meta.h"
#include "api/selector.h"
#include "base/str.h"

/* Splits at commas that no backslash stands before. */
static size_t split_terms(struct arena *arena, const char *text, char ***ret_terms)
{
	const char *start = text;
	size_t n = 0;

	*ret_terms = NULL;
	for (const char *p = text;; p++) {
		if (*p == '\\' && p[1]) {
			p++;
			continue;
		}
		if (*p && *p != ',')
			continue;
		ARENA_PUSH(arena, *ret_terms, n) = arena_strndup(arena, start, (size_t)(p - start));
		start = p + 1;
		if (!*p)
			return n;
	}
}

static struct status *unescape(struct arena *arena, const char *text, char **ret_value)
{
	char *value = arena_strdup(arena, text), *to = value;

	for (const char *p = text; *p; p++) {
		if (*p == ',' || *p == '=')
			return status_bad_request("invalid field selector: unescaped character in value: %d", *p);
		if (*p == '\\') {
			p++;
			if (*p != '\\' && *p != ',' && *p != '=')
				return status_bad_request("invalid field selector: invalid escape sequence: \\%.*s",
					(int)(str_skip_runes(p, *p != 0) - p), p);
		}
		*to++ = *p;
	}
	*to = '\0';
	*ret_value = value;
	return NULL;
}

struct status *field_selector_parse(struct arena *arena, const char *text, struct field_selector **ret_selector)
{
	struct field_selector *s = ARENA_NEW(arena, struct field_selector);
	char **terms;
	size_t n = split_terms(arena, str_or_empty(text), &terms);

	qsort(terms, n, sizeof(*terms), str_cmp_qsort);
	for (size_t i = 0; i < n; i++) {
		struct field_requirement r = {0};
		if (!*terms[i])
			continue;
		const char *op = strpbrk(terms[i], "!=");
		while (op && *op == '!' && op[1] != '=')
			op = strpbrk(op + 1, "!=");
		if (!op)
			return status_bad_request("invalid selector: '%s'; can't understand '%s'", text, terms[i]);
		r.not_equal = *op == '!';
		r.path = arena_strndup(arena, terms[i], (size_t)(op - terms[i]));
		TRY(unescape(arena, op + 1 + (op[1] == '='), &r.value));
		/* Nothing is asked of no field. */
		if (*r.path || *r.value)
			ARENA_PUSH(arena, s->requirements, s->n_requirements) = r;
	}
	*ret_selector = s;
	return NULL;
}

bool field_selector_matches(
	const struct field_selector *s, const char *(*value_of)(void *ctx, const char *path), void *ctx)
{
	for (size_t i = 0; s && i < s->n_requirements; i++) {
		const struct field_requirement *r = &s->requirements[i];
		if (str_eq(value_of(ctx, r->path), r->value) == r->not_equal)
			return false;
	}
	return true;
}

static const char *scalar_text(struct arena *arena, const void *msg, const struct schema_field *field)
{
	const void *at = field_at(msg, field);

	switch ((enum schema_kind)field->kind) {
	case SCHEMA_STRING:
		return str_or_empty(*(char *const *)at);
	case SCHEMA_BOOL:
		return *(const protobuf_c_boolean *)at ? "true" : "false";
	case SCHEMA_INT32:
		return arena_printf(arena, "%" PRId32, *(const int32_t *)at);
	case SCHEMA_INT64:
		return arena_printf(arena, "%" PRId64, *(const int64_t *)at);
	default:
		return "";
	}
}

/* What a struct field holds; the empty struct when unset. */
static const void *child_or_zero(const void *msg, const struct schema_field *field)
{
	const void *child = *(void *const *)field_at(msg, field);

	return child ? child : field->type->zero;
}

/* Selectable names that are not the path of a field. */
static const char *real_path(const void *msg, const char *path)
{
	if (API_IS(msg, BatchV1Job) && str_eq(path, "status.successful"))
		return "status.succeeded";
	if (!API_IS(msg, CoreV1Event) || !str_eq(path, "source"))
		return path;
	const CoreV1EventSource *source = ((const CoreV1Event *)msg)->source;
	return source && !str_empty(source->component) ? "source.component" : "reportingComponent";
}

const char *field_value(struct arena *arena, const void *msg, const char *path)
{
	if (!msg)
		return "";
	for (path = real_path(msg, path);;) {
		size_t size = strcspn(path, ".");
		const struct schema_name *name = schema_find_field(schema_of(msg), path, size);
		if (!name || name->field->shape != SCHEMA_SINGLE)
			return "";
		for (size_t i = 0; i < ARRAY_SIZE(name->via) && name->via[i]; i++)
			msg = child_or_zero(msg, name->via[i]);
		if (!path[size])
			return scalar_text(arena, msg, name->field);
		if (name->field->kind != SCHEMA_MESSAGE)
			return "";
		msg = child_or_zero(msg, name->field);
		path += size + 1;
	}
}

struct object_fields {
	struct arena *arena;
	const void *msg;
};

static const char *object_value(void *ctx, const char *path)
{
	const struct object_fields *o = ctx;

	return field_value(o->arena, o->msg, path);
}

bool field_selector_matches_object(const struct field_selector *s, const void *msg)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new_sized(256);
	struct object_fields fields = {arena, msg};

	return field_selector_matches(s, object_value, &fields);
}

bool field_selector_supported(const struct schema_resource *resource, const char *path)
{
	/* Kinds without fields of their own know the namespace, even where there is none. */
	const bool knows_namespace = resource->namespaced || !resource->selectable || !resource->selectable[0];
	if (str_eq(path, "metadata.name") || (knows_namespace && str_eq(path, "metadata.namespace")))
		return true;
	return str_in(path, resource->selectable);
}

static void add_escaped(struct strbuf *out, const char *s)
{
	for (; *s; s++) {
		if (*s == '\\' || *s == ',' || *s == '=')
			strbuf_addc(out, '\\');
		strbuf_addc(out, *s);
	}
}

char *field_selector_format(struct arena *arena, const struct field_selector *s)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;

	for (size_t i = 0; s && i < s->n_requirements; i++) {
		const struct field_requirement *r = &s->requirements[i];
		strbuf_printf(&out, "%s%s%s", i ? "," : "", r->path, r->not_equal ? "!=" : "=");
		add_escaped(&out, r->value);
	}
	return arena_strndup(arena, out.buf, out.len);
}

const char *field_selector_required(const struct field_selector *s, const char *path)
{
	for (size_t i = 0; s && i < s->n_requirements; i++)
		if (!s->requirements[i].not_equal && str_eq(s->requirements[i].path, path))
			return s->requirements[i].value;
	return NULL;
}
