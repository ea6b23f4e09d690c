#include "api/selector.h"
#include "apiserver/validation/ip.h"
#include "apiserver/validation/meta.h"
#include "base/str.h"

#define UNDER_FORMAT "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
#define SEARCH_ERROR                                                                                               \
	"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and " \
	"must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "     \
	"'" UNDER_FORMAT "(\\." UNDER_FORMAT ")*')"

static bool is_low_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* The same with underscores, and one before each label. */
const char *check_search_domain(struct arena *arena, const char *value)
{
	char *plain = arena_strdup(arena, value);
	bool good = true;
	for (char *c = plain; *c; c++) {
		bool first = c == plain || c[-1] == '.', last = !c[1] || c[1] == '.';
		good &= *c != '_' || (first && !last) || (!first && !last);
		*c = *c == '_' ? 'a' : *c;
	}
	return name_problems(arena, strlen(value) > 253 ? "must be no more than 253 characters" : NULL,
		good && is_dns_subdomain(plain) ? NULL : SEARCH_ERROR);
}

/* A generateName may end with a dash: something is put behind it. As in the original an 'a' stands for the last two
 * characters then, whatever the other was. */
static const char *without_dash(struct arena *arena, const char *name, bool prefix)
{
	size_t len = strlen(name);
	if (!prefix || len < 2 || name[len - 1] != '-')
		return name;
	return arena_printf(arena, "%.*sa", (int)len - 2, name);
}

const char *name_is_dns_subdomain(struct arena *arena, const char *name, bool prefix)
{
	return check_dns_subdomain(arena, without_dash(arena, name, prefix));
}

const char *name_is_dns_label(struct arena *arena, const char *name, bool prefix)
{
	return check_dns_label(arena, without_dash(arena, name, prefix));
}

const char *name_is_dns_1035_label(struct arena *arena, const char *name, bool prefix)
{
	return check_dns_1035_label(arena, without_dash(arena, name, prefix));
}

const char *name_is_path_segment(struct arena *arena, const char *name, bool prefix)
{
	if (!prefix && (!strcmp(name, ".") || !strcmp(name, "..")))
		return arena_printf(arena, "may not be '%s'", name);
	return name_problems(arena, strchr(name, '/') ? "may not contain '/'" : NULL,
		strchr(name, '%') ? "may not contain '%'" : NULL);
}

struct status *check_name_parameter(struct arena *arena, const char *name)
{
	const char *wrong = name_is_path_segment(arena, name, false);
	return wrong ? status_bad_request("Name parameter invalid: %s: %s", field_quote(arena, name), wrong) : NULL;
}

const char *name_is_any(struct arena *arena, const char *name, bool prefix)
{
	return NULL;
}

const char *check_qualified_name(struct arena *arena, const char *value)
{
	return label_key_error(arena, value);
}

const char *check_label_value(struct arena *arena, const char *value)
{
	return label_value_error(arena, value);
}

const char *check_port_name(struct arena *arena, const char *value)
{
	size_t len = strlen(value);
	bool charset = len, letter = false;
	const char *found = len > 15 ? "must be no more than 15 characters" : NULL;
	for (size_t i = 0; i < len; i++) {
		charset &= is_low_alnum(value[i]) || value[i] == '-';
		letter |= value[i] >= 'a' && value[i] <= 'z';
	}
	if (!charset)
		found = name_problems(
			arena, found, "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
	if (!letter)
		found = name_problems(arena, found, "must contain at least one letter (a-z)");
	if (strstr(value, "--"))
		found = name_problems(arena, found, "must not contain consecutive hyphens");
	if (len && (value[0] == '-' || value[len - 1] == '-'))
		found = name_problems(arena, found, "must not begin or end with a hyphen");
	return found;
}

const char *check_port_number(int64_t port)
{
	return port >= 1 && port <= 65535 ? NULL : "must be between 1 and 65535, inclusive";
}

const char *check_env_name(struct arena *arena, const char *value)
{
	if (!*value)
		return "environment variable name must be non-empty";
	for (const unsigned char *p = (const unsigned char *)value; *p; p++)
		if (*p < 0x20 || *p > 0x7e || *p == '=')
			return "a valid environment variable name must consist only of printable ASCII characters "
			       "other than '='";
	return NULL;
}

static const char *upward(struct arena *arena, const char *value)
{
	if (!strcmp(value, ".") || !strcmp(value, ".."))
		return arena_printf(arena, "must not be '%s'", value);
	return str_starts_with(value, "..") ? "must not start with '..'" : NULL;
}

const char *check_config_key(struct arena *arena, const char *value)
{
	size_t good = strspn(value, "-._abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
	const char *length = strlen(value) > 253 ? "must be no more than 253 characters" : NULL;
	const char *form = NULL;
	if (!good || value[good])
		form = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. "
		       "'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
	return name_problems(arena, name_problems(arena, length, form), upward(arena, value));
}

const char *check_header_name(struct arena *arena, const char *value)
{
	size_t good = strspn(value, "-abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
	return good && !value[good] ? NULL
				    : "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. "
				      "'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')";
}

const char *name_is_ip(struct arena *arena, const char *name, bool prefix)
{
	return check_ip_strict(arena, name);
}
