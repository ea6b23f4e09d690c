#include <ctype.h>
#include "base/str.h"
#include "kubelet/image/image.h"

/* The last path component's ':' is a tag; one before a '/' is a port. */
static const char *tag_of(const char *name)
{
	const char *slash = strrchr(name, '/');
	const char *colon = strrchr(slash ? slash : name, ':');
	return colon;
}

static bool valid_chars(const char *s)
{
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr("._-/:@[]+", *s))
			return false;
	return true;
}

/* Repositories are lower case and start and end with a letter or digit, component by component. */
static bool valid_repository(const char *s, size_t len)
{
	bool starts = true;
	for (size_t i = 0; i < len; i++) {
		char c = s[i];
		bool alnum = islower((unsigned char)c) || isdigit((unsigned char)c);
		if (starts && !alnum)
			return false;
		if (!alnum && !strchr("._-/", c))
			return false;
		starts = c == '/';
	}
	return len && !starts && (islower((unsigned char)s[len - 1]) || isdigit((unsigned char)s[len - 1]));
}

/* Whether the first component names a host: it has a dot, a port or a capital letter (no repository has), or is
 * localhost. */
static size_t host_len(const char *name)
{
	size_t len = strcspn(name, "/");
	if (!name[len])
		return 0;
	char first[256];
	if (len >= sizeof(first))
		return 0;
	memcpy(first, name, len);
	first[len] = '\0';
	bool capitals = false;
	for (const char *c = first; *c; c++)
		capitals |= isupper((unsigned char)*c) != 0;
	return capitals || strpbrk(first, ".:") || str_eq(first, "localhost") ? len : 0;
}

/* The repository of a name if it has capital letters, as Docker writes it in full; else NULL. */
static const char *capital_repository(struct arena *arena, const char *name)
{
	size_t host = host_len(name);
	const char *rest = name + (host ? host + 1 : 0);
	size_t len = strcspn(rest, ":");
	for (size_t i = 0; i < len; i++)
		if (isupper((unsigned char)rest[i]))
			return arena_printf(
				arena, "%s%.*s", host || strchr(rest, '/') ? "" : "library/", (int)len, rest);
	return NULL;
}

struct status *image_normalize(struct arena *arena, const char *name, char **ret)
{
	const char *capitals =
		strlen(str_or_empty(name)) <= 4096 ? capital_repository(arena, str_or_empty(name)) : NULL;
	if (capitals)
		return status_bad_request("couldn't parse image name \"%s\": invalid reference format: repository name "
					  "(%s) must be lowercase",
			name, capitals);
	if (str_empty(name) || strlen(name) > 4096 || !valid_chars(name))
		return status_bad_request(
			"couldn't parse image name \"%s\": invalid reference format", str_or_empty(name));
	const char *at = strchr(name, '@');
	char *bare = at ? arena_strndup(arena, name, (size_t)(at - name)) : arena_strdup(arena, name);
	const char *tag = tag_of(bare);
	size_t host = host_len(bare);
	const char *repository = bare + (host ? host + 1 : 0);
	size_t len = tag && tag > repository ? (size_t)(tag - repository) : strlen(repository);
	if (!valid_repository(repository, len) || (tag && !tag[1]))
		return status_bad_request("couldn't parse image name \"%s\": invalid reference format", name);
	*ret = at || tag ? arena_strdup(arena, name) : arena_printf(arena, "%s:latest", name);
	return NULL;
}

char *image_registry(struct arena *arena, const char *name)
{
	size_t host = host_len(name);
	return host ? arena_strndup(arena, name, host) : arena_strdup(arena, "docker.io");
}

/* "*.example.com" stands for one label. */
static bool host_matches(struct arena *arena, const char *pattern, const char *host)
{
	char **p, **h;
	size_t n = str_split(arena, pattern, '.', &p);
	if (n != str_split(arena, host, '.', &h))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!str_eq(p[i], "*") && !str_eq(p[i], h[i]))
			return false;
	return true;
}

bool image_matches_credentials(const char *key, const char *image)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const char *rest = strstr(key, "://");
	key = rest ? rest + 3 : key;
	size_t len = strcspn(key, "/");
	char *key_host = arena_strndup(arena, key, len);
	const char *key_path = key[len] ? key + len + 1 : "";
	if (str_in(key_path, (const char *const[]){"v1/", "v2/", "v1", "v2", NULL}))
		key_path = "";
	char *host = image_registry(arena, image);
	size_t own = host_len(image);
	const char *path = image + (own ? own + 1 : 0);
	if (str_eq(host, "docker.io"))
		host = arena_strdup(arena, "index.docker.io");
	if (str_eq(key_host, "docker.io"))
		key_host = arena_strdup(arena, "index.docker.io");
	return host_matches(arena, key_host, host) && str_starts_with(path, key_path);
}
