/* What a label key and a label value may look like, worded as users know it. */
#include <string.h>
#include "api/selector.h"
#include "base/str.h"

#define MAX_NAME 63
#define MAX_PREFIX 253
#define NAME_RULE                                                                                                \
	"must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric " \
	"character "                                                                                             \
	"(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "                            \
	"'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
#define PREFIX_RULE                                                                                                \
	"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must " \
	"start and end "                                                                                           \
	"with an alphanumeric character (e.g. 'example.com', regex used for validation is "                        \
	"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
#define VALUE_RULE                                                                                                \
	"a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must " \
	"start and end with "                                                                                     \
	"an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "   \
	"'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_name(const char *s)
{
	size_t size = strlen(s);

	if (!size || !is_alnum(s[0]) || !is_alnum(s[size - 1]))
		return false;
	for (size_t i = 0; i < size; i++)
		if (!is_alnum(s[i]) && s[i] != '-' && s[i] != '_' && s[i] != '.')
			return false;
	return true;
}

static bool is_subdomain(const char *s)
{
	for (size_t i = 0; s[i]; i++) {
		bool upper = s[i] >= 'A' && s[i] <= 'Z';
		if (upper || (!is_alnum(s[i]) && s[i] != '-' && s[i] != '.'))
			return false;
		bool edge = i == 0 || s[i - 1] == '.' || !s[i + 1] || s[i + 1] == '.';
		if (edge && !is_alnum(s[i]))
			return false;
	}
	return *s;
}

static void add_error(struct strbuf *out, const char *separator, const char *part, const char *rule)
{
	if (out->len)
		strbuf_adds(out, separator);
	strbuf_adds(out, part);
	strbuf_adds(out, rule);
}

const char *label_key_problems(struct arena *arena, const char *key, const char *separator)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	const char *text = str_or_empty(key), *slash = strchr(text, '/'), *name = slash ? slash + 1 : text;

	if (slash && strchr(name, '/'))
		return "a qualified name " NAME_RULE
		       " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
	if (slash) {
		char *prefix = arena_strndup(arena, text, (size_t)(slash - text));
		if (!*prefix)
			add_error(&out, separator, "prefix part ", "must be non-empty");
		else if (strlen(prefix) > MAX_PREFIX)
			add_error(&out, separator, "prefix part ", "must be no more than 253 characters");
		if (*prefix && !is_subdomain(prefix))
			add_error(&out, separator, "prefix part ", PREFIX_RULE);
	}
	if (!*name)
		add_error(&out, separator, "name part ", "must be non-empty");
	else if (strlen(name) > MAX_NAME)
		add_error(&out, separator, "name part ", "must be no more than 63 characters");
	if (!is_name(name))
		add_error(&out, separator, "name part ", NAME_RULE);
	return out.len ? arena_strndup(arena, out.buf, out.len) : NULL;
}

const char *label_value_problems(struct arena *arena, const char *value, const char *separator)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	const char *text = str_or_empty(value);

	if (strlen(text) > MAX_NAME)
		add_error(&out, separator, "", "must be no more than 63 characters");
	if (*text && !is_name(text))
		add_error(&out, separator, "", VALUE_RULE);
	return out.len ? arena_strndup(arena, out.buf, out.len) : NULL;
}

const char *label_key_error(struct arena *arena, const char *key)
{
	return label_key_problems(arena, key, "; ");
}

const char *label_value_error(struct arena *arena, const char *value)
{
	return label_value_problems(arena, value, "; ");
}
