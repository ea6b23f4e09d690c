#include "api/image_reference.h"
#include <ctype.h>
#include <stddef.h>
#include "base/str.h"

enum { MAX_PATH = 255, MAX_TAG = 128, IDENTIFIER = 64 };
#define DEFAULT_FOLDER "library/"

static bool is_lower_alnum(char c)
{
	return islower((unsigned char)c) || isdigit((unsigned char)c);
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* Letters and digits, with one dot, one or two underscores, or any dashes between them; slashes between such parts. */
static bool is_path(const char *s, const char *end)
{
	while (s < end) {
		if (!is_lower_alnum(*s))
			return false;
		while (s < end && is_lower_alnum(*s))
			s++;
		if (s == end)
			return true;
		if (*s == '-')
			while (s + 1 < end && s[1] == '-')
				s++;
		else if (*s == '_' && s + 1 < end && s[1] == '_')
			s++;
		else if (*s != '_' && *s != '.' && *s != '/')
			return false;
		s++;
	}
	return false;
}

static bool is_host(const char *s, const char *end)
{
	const char *colon = memchr(s, ':', (size_t)(end - s));
	for (const char *c = colon ? colon + 1 : end; c < end; c++)
		if (!isdigit((unsigned char)*c))
			return false;
	if (colon && colon + 1 == end)
		return false;
	end = colon ? colon : end;
	for (const char *part = s; part <= end;) {
		const char *dot = memchr(part, '.', (size_t)(end - part));
		const char *stop = dot ? dot : end;
		if (part == stop || *part == '-' || stop[-1] == '-')
			return false;
		for (; part < stop; part++)
			if (!isalnum((unsigned char)*part) && *part != '-')
				return false;
		part = stop + 1;
	}
	return true;
}

static bool is_tag(const char *s, const char *end)
{
	if (s == end || !is_word(*s) || end - s > MAX_TAG)
		return false;
	for (; s < end; s++)
		if (!is_word(*s) && *s != '.' && *s != '-')
			return false;
	return true;
}

/* The algorithms that are known have so many digits. */
static bool is_digest(const char *s)
{
	static const struct {
		const char *name;
		size_t len;
	} known[] = {{"sha256", 64}, {"sha384", 96}, {"sha512", 128}};
	const char *colon = strchr(s, ':');
	for (size_t i = 0; colon && i < ARRAY_SIZE(known); i++)
		if (!strncmp(s, known[i].name, (size_t)(colon - s)) && !known[i].name[colon - s])
			return strlen(colon + 1) == known[i].len &&
			       strspn(colon + 1, "0123456789abcdef") == known[i].len;
	return false;
}

/* Where a host ends: a first part that can be no folder. */
static const char *host_end(const char *image)
{
	const char *slash = strchr(image, '/');
	bool host = false;
	for (const char *c = image; slash && c < slash; c++)
		host |= *c == '.' || *c == ':' || isupper((unsigned char)*c);
	return slash && (host || !strncmp(image, "localhost/", 10)) ? slash : NULL;
}

/* The tag's beginning and end, NULL for none; false for what is no reference. */
static bool split(const char *image, const char **ret_tag, const char **ret_end, bool *ret_digest)
{
	const char *host = host_end(image), *path = host ? host + 1 : image;
	const char *at = strchr(path, '@'), *end = at ? at : path + strlen(path);
	const char *colon = memchr(path, ':', (size_t)(end - path)), *name_end = colon ? colon : end;
	size_t len = (size_t)(name_end - path); /* of the path alone, whatever the host */
	if (!host && !memchr(path, '/', (size_t)(name_end - path)))
		len += strlen(DEFAULT_FOLDER);
	if ((host && !is_host(image, host)) || !is_path(path, name_end) || len > MAX_PATH)
		return false;
	if ((colon && !is_tag(colon + 1, end)) || (at && !is_digest(at + 1)))
		return false;
	*ret_tag = colon ? colon + 1 : NULL;
	*ret_end = end;
	*ret_digest = at;
	return true;
}

static bool is_identifier(const char *image)
{
	return strlen(image) == IDENTIFIER && strspn(image, "0123456789abcdef") == IDENTIFIER;
}

bool image_reference_is_valid(const char *image)
{
	const char *tag, *end;
	bool digest;
	return !str_empty(image) && !is_identifier(image) && split(image, &tag, &end, &digest);
}

bool image_reference_is_latest(const char *image)
{
	const char *tag, *end;
	bool digest;
	if (str_empty(image) || is_identifier(image) || !split(image, &tag, &end, &digest))
		return false;
	return tag ? end - tag == 6 && !strncmp(tag, "latest", 6) : !digest;
}
