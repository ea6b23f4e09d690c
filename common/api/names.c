#include <ctype.h>
#include "api/names.h"
#include "base/str.h"

#define LABEL_FORMAT "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
#define LABEL_ERROR                                                                                                 \
	"a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and " \
	"end with an "                                                                                              \
	"alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '" LABEL_FORMAT "')"
#define SUBDOMAIN_ERROR                                                                                            \
	"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must " \
	"start and end "                                                                                           \
	"with an alphanumeric character (e.g. 'example.com', regex used for validation is '" LABEL_FORMAT          \
	"(\\." LABEL_FORMAT ")*')"
#define DNS_1035_ERROR                                                                                          \
	"a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic " \
	"character, and end "                                                                                   \
	"with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "          \
	"'[a-z]([-a-z0-9]*[a-z0-9])?')"

static bool is_low_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_label(const char *s, size_t len)
{
	if (!len || !is_low_alnum(s[0]) || !is_low_alnum(s[len - 1]))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_low_alnum(s[i]) && s[i] != '-')
			return false;
	return true;
}

bool is_dns_subdomain(const char *value)
{
	for (const char *part = value;; part++) {
		size_t len = strcspn(part, ".");
		if (!is_label(part, len))
			return false;
		part += len;
		if (!*part)
			return true;
	}
}

const char *name_problems(struct arena *arena, const char *first, const char *second)
{
	return first && second ? arena_printf(arena, "%s; %s", first, second) : first ? first : second;
}

const char *check_dns_label(struct arena *arena, const char *value)
{
	size_t len = strlen(value);
	/* A dot is the usual mistake, and gets a sentence of its own. */
	return name_problems(arena, len > 63 ? "must be no more than 63 characters" : NULL,
		is_label(value, len)	  ? NULL
		: is_dns_subdomain(value) ? "must not contain dots"
					  : LABEL_ERROR);
}

const char *check_dns_subdomain(struct arena *arena, const char *value)
{
	return name_problems(arena, strlen(value) > 253 ? "must be no more than 253 characters" : NULL,
		is_dns_subdomain(value) ? NULL : SUBDOMAIN_ERROR);
}

const char *check_dns_1035_label(struct arena *arena, const char *value)
{
	size_t len = strlen(value);
	return name_problems(arena, len > 63 ? "must be no more than 63 characters" : NULL,
		is_label(value, len) && isalpha((unsigned char)value[0]) ? NULL : DNS_1035_ERROR);
}
