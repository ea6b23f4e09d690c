#include "serve/strict.h"
#include <string.h>
#include "base/str.h"

/* What a name and a host may have beside letters and digits. */
#define TOKEN "!#$%&'*+-.^_`|~"
#define HOST "!$%&'()*+,-.:;=[]_~"

enum refusal {
	TAKEN,
	BAD_NAME,
	BAD_VALUE,
	NO_HOST,
	MANY_HOSTS,
	BAD_HOST,
	TWO_LENGTHS,
	BAD_CODING,
	OLD_CODING,
	BAD_EXPECTATION,
};

static const struct strict_refusal refusals[] = {
	[BAD_NAME] = {400, "400 Bad Request: invalid header name"},
	[BAD_VALUE] = {400, "400 Bad Request: invalid header value"},
	[NO_HOST] = {400, "400 Bad Request: missing required Host header"},
	[MANY_HOSTS] = {400, "400 Bad Request: too many Host headers"},
	[BAD_HOST] = {400, "400 Bad Request: malformed Host header"},
	[TWO_LENGTHS] = {400, "400 Bad Request"},
	[BAD_CODING] = {501, "501 Not Implemented: Unsupported transfer encoding"},
	[OLD_CODING] = {400, "400 Bad Request"},
	[BAD_EXPECTATION] = {417, "417 Expectation Failed"},
};

struct look {
	bool is_old; /* HTTP/1.0 */
	size_t n_hosts, n_codings;
	const char *length;
	enum refusal found;
};

static bool is_made_of(const char *s, size_t size, const char *marks)
{
	for (size_t i = 0; i < size; i++) {
		const unsigned char c = (unsigned char)s[i];
		const bool letter = (c | 0x20u) - 'a' < 26u, digit = c - (unsigned)'0' < 10u;
		if (!letter && !digit && (!c || !strchr(marks, c)))
			return false;
	}
	return true;
}

/* No control characters, but tabs. */
static bool is_value(const char *s, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (((unsigned char)s[i] < ' ' && s[i] != '\t') || s[i] == 0x7f)
			return false;
	return true;
}

static enum refusal refusal_of(struct look *look, const char *name, size_t name_size, const char *value, size_t size)
{
	if (!name_size || !is_made_of(name, name_size, TOKEN))
		return BAD_NAME;
	if (!is_value(value, size))
		return BAD_VALUE;
	if (str_eq_nocase(name, "Host")) {
		if (look->n_hosts++)
			return MANY_HOSTS;
		return is_made_of(value, size, HOST) ? TAKEN : BAD_HOST;
	}
	if (str_eq_nocase(name, "Content-Length")) {
		const char *before = look->length;
		look->length = value;
		return before && !str_eq(before, value) ? TWO_LENGTHS : TAKEN;
	}
	if (str_eq_nocase(name, "Transfer-Encoding")) {
		if (look->is_old)
			return OLD_CODING;
		return look->n_codings++ || !str_eq_nocase(value, "chunked") ? BAD_CODING : TAKEN;
	}
	if (str_eq_nocase(name, "Expect") && !look->is_old && !str_eq_nocase(value, "100-continue"))
		return BAD_EXPECTATION;
	return TAKEN;
}

static enum MHD_Result look_at(
	void *data, enum MHD_ValueKind kind, const char *name, size_t name_size, const char *value, size_t size)
{
	struct look *look = data;
	look->found = refusal_of(look, str_or_empty(name), name_size, str_or_empty(value), size);
	return look->found == TAKEN ? MHD_YES : MHD_NO;
}

bool strict_is_target(const char *uri)
{
	for (const char *p = uri; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f)
			return false;
	return *uri == '/' || str_eq(uri, "*") || strchr(uri, ':');
}

bool strict_refuses(struct MHD_Connection *connection, const char *version, struct strict_refusal *ret_refusal)
{
	struct look look = {.is_old = str_eq(version, MHD_HTTP_VERSION_1_0)};
	MHD_get_connection_values_n(connection, MHD_HEADER_KIND, look_at, &look);
	if (!look.found && !look.n_hosts && !look.is_old)
		look.found = NO_HOST;
	if (look.found)
		*ret_refusal = refusals[look.found];
	return look.found != TAKEN;
}
