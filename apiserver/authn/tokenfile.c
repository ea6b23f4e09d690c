#include "apiserver/authn/internal.h"
#include "base/io.h"
#include "base/log.h"
#include "base/str.h"

enum { MAX_TOKEN_FILE = 16 << 20 };

/* One field of a CSV line, quoted or not; *at moves behind it. */
static char *csv_field(struct arena *arena, const char **at)
{
	CLEANUP(strbuf_done) struct strbuf field = STRBUF_INIT;
	const char *p = *at;
	while (*p == ' ' || *p == '\t')
		p++;
	if (*p == '"') {
		for (p++; *p && (*p != '"' || p[1] == '"'); p++) {
			p += *p == '"';
			strbuf_addc(&field, *p);
		}
		while (*p && *p != ',')
			p++;
	} else {
		for (; *p && *p != ','; p++)
			strbuf_addc(&field, *p);
	}
	*at = *p ? p + 1 : p;
	return str_trim(arena, field.buf);
}

/* token,user,uid[,"group1,group2"] */
static struct status *load_line(struct authn *authn, const char *path, const char *line, size_t number)
{
	char *fields[4] = {0};
	size_t n = 0;
	for (const char *at = line; *at && n < ARRAY_SIZE(fields); n++)
		fields[n] = csv_field(authn->arena, &at);
	if (n < 3)
		return status_bad_request("token file %s must have at least 3 columns (token, user name, user uid), "
					  "found %zu in line %zu",
			path, n, number);
	if (str_empty(fields[0])) {
		log_warn("empty token has been found in token file: file=%s line=%zu", path, number);
		return NULL;
	}
	struct user *user = user_new(authn->arena, fields[1], fields[2]);
	char **groups;
	size_t n_groups = str_split(authn->arena, str_or_empty(fields[3]), ',', &groups);
	for (size_t i = 0; i < n_groups; i++)
		user_add_group(authn->arena, user, groups[i]);
	if (!strmap_put(authn->static_tokens, fields[0], user))
		log_warn("duplicate token has been found in token file: file=%s line=%zu", path, number);
	return NULL;
}

struct status *authn_load_static_tokens(struct authn *authn, const char *path)
{
	CLEANUP_FREE char *text = NULL;
	size_t size;
	TRY(io_read_file(path, MAX_TOKEN_FILE, &text, &size));
	authn->static_tokens = strmap_new(NULL);
	char **lines;
	size_t n = str_split(authn->arena, text, '\n', &lines);
	for (size_t i = 0; i < n; i++) {
		char *line = str_trim(authn->arena, lines[i]);
		if (*line && *line != '#')
			TRY(load_line(authn, path, line, i + 1));
	}
	return NULL;
}
