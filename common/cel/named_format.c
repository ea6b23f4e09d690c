/* Named forms of texts. */
#include <ctype.h>
#include "api/meta.h"
#include "api/names.h"
#include "api/selector.h"
#include "base/encode.h"
#include "base/str.h"
#include "cel/eval.h"

typedef const char *check_fn(struct arena *arena, const char *text);

/* A name to which something is appended may end with a dash. */
static const char *without_dash(struct arena *arena, const char *text)
{
	size_t n = strlen(text);
	if (!n || text[n - 1] != '-')
		return text;
	char *copy = arena_strdup(arena, text);
	copy[n - 1] = 'a';
	return copy;
}

static const char *check_label_prefix(struct arena *arena, const char *text)
{
	return check_dns_label(arena, without_dash(arena, text));
}

static const char *check_subdomain_prefix(struct arena *arena, const char *text)
{
	return check_dns_subdomain(arena, without_dash(arena, text));
}

static const char *check_1035_prefix(struct arena *arena, const char *text)
{
	return check_dns_1035_label(arena, without_dash(arena, text));
}

static const char *check_qualified(struct arena *arena, const char *text)
{
	return label_key_problems(arena, text, "; ");
}

static const char *check_label_value(struct arena *arena, const char *text)
{
	return label_value_problems(arena, text, "; ");
}

static const char *check_uuid(struct arena *arena, const char *text)
{
	static const int groups[] = {8, 4, 4, 4, 12};
	const char *p = text;
	for (size_t g = 0; g < ARRAY_SIZE(groups); g++) {
		for (int i = 0; i < groups[g]; i++)
			if (!isxdigit((unsigned char)*p++))
				return "does not match the UUID format";
		if (g + 1 < ARRAY_SIZE(groups) && *p == '-')
			p++;
	}
	return *p ? "does not match the UUID format" : NULL;
}

static const char *check_byte(struct arena *arena, const char *text)
{
	uint8_t *data;
	size_t size;
	bool good = !strpbrk(text, "\r\n") && base64_decode(arena, text, strlen(text), &data, &size);
	return good ? NULL : "invalid base64";
}

static const char *check_date(struct arena *arena, const char *text)
{
	const char *full = arena_printf(arena, "%sT00:00:00Z", text);
	int64_t seconds;
	int32_t nanos;
	return strlen(text) == 10 && time_parse(full, strlen(full), &seconds, &nanos) ? NULL : "invalid date";
}

static const char *check_datetime(struct arena *arena, const char *text)
{
	int64_t seconds;
	int32_t nanos;
	size_t n = strlen(text);
	if (n < 4)
		return "invalid datetime";
	return time_parse(text, n, &seconds, &nanos) ? NULL : "invalid datetime";
}

static const struct form {
	const char *name;
	check_fn *check;
	uint64_t pattern_size; /* by which its cost counts */
} forms[] = {
	{"dns1123Label", check_dns_label, 30},
	{"dns1123Subdomain", check_dns_subdomain, 60},
	{"dns1035Label", check_dns_1035_label, 30},
	{"qualifiedName", check_qualified, 60},
	{"dns1123LabelPrefix", check_label_prefix, 30},
	{"dns1123SubdomainPrefix", check_subdomain_prefix, 60},
	{"dns1035LabelPrefix", check_1035_prefix, 30},
	{"labelValue", check_label_value, 40},
	{"uri", cel_url_problem, 1104},
	{"uuid", check_uuid, 72},
	{"byte", check_byte, 84},
	{"date", check_date, 72},
	{"datetime", check_datetime, 72},
};

uint64_t cel_form_pattern_size(struct cel_value form)
{
	return ((const struct form *)form.opaque->data)->pattern_size;
}

static const struct form *form_named(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
		if (!strcmp(forms[i].name, name))
			return &forms[i];
	return NULL;
}

static struct cel_value form_value(struct arena *arena, const struct form *form)
{
	return cel_opaque_of(arena, &cel_format, form);
}

static struct cel_value form(struct cel_call *call)
{
	return form_value(call->arena, form_named(call->overload->function + strlen("format.")));
}

static struct cel_value named(struct cel_call *call)
{
	const char *name = arena_strndup(call->arena, call->args[0].text.data, call->args[0].text.size);
	const struct form *found = form_named(name);
	struct cel_value v = CEL_NULL_VALUE;
	if (found)
		v = form_value(call->arena, found);
	return cel_optional_of(call->arena, found ? &v : NULL);
}

static struct cel_value validate(struct cel_call *call)
{
	const struct form *f = call->args[0].opaque->data;
	const char *text = arena_strndup(call->arena, call->args[1].text.data, call->args[1].text.size);
	const char *problems = f->check(call->arena, text);
	struct cel_value *items = NULL;
	size_t n = 0;
	for (const char *p = problems; p;) {
		const char *end = strstr(p, "; ");
		ARENA_PUSH(call->arena, items, n) =
			cel_text_of(end ? arena_strndup(call->arena, p, (size_t)(end - p)) : p);
		p = end ? end + 2 : NULL;
	}
	struct cel_value list = cel_list_of(call->arena, items, n);
	return cel_optional_of(call->arena, n ? &list : NULL);
}

static const struct cel_overload formats_rows[] = {
#define FORMAT(name)                                                 \
	{                                                            \
		"format." name, "format." name, "() -> Format", form \
	}
	FORMAT("dns1123Label"),
	FORMAT("dns1123Subdomain"),
	FORMAT("dns1035Label"),
	FORMAT("qualifiedName"),
	FORMAT("dns1123LabelPrefix"),
	FORMAT("dns1123SubdomainPrefix"),
	FORMAT("dns1035LabelPrefix"),
	FORMAT("labelValue"),
	FORMAT("uri"),
	FORMAT("uuid"),
	FORMAT("byte"),
	FORMAT("date"),
	FORMAT("datetime"),
	{"validate", "format-validate", "Format.(string) -> optional_type(list(string))", validate},
	{"format.named", "format-named", "(string) -> optional_type(Format)", named},
};
const struct cel_library cel_formats = {formats_rows, ARRAY_SIZE(formats_rows), 0};
