#include "kubelet/runtime/resolv.h"

#include <string.h>
#include "base/str.h"

#define MAX_NAME 253

static size_t fields_of(struct arena *arena, const char *line, size_t len, char ***ret)
{
	size_t n = 0;
	*ret = NULL;
	for (size_t i = 0; i < len;) {
		while (i < len && strchr(" \t\r", line[i]))
			i++;
		size_t start = i;
		while (i < len && !strchr(" \t\r", line[i]))
			i++;
		if (i > start)
			ARENA_PUSH(arena, *ret, n) = arena_strndup(arena, line + start, i - start);
	}
	return n;
}

static char *option_name(struct arena *arena, const char *option)
{
	return arena_strndup(arena, option, strcspn(option, ":"));
}

static void set_option(struct arena *arena, struct resolv *r, const char *option)
{
	char *name = option_name(arena, option);
	for (size_t i = 0; i < r->n_options; i++)
		if (str_eq(option_name(arena, r->options[i]), name)) {
			r->options[i] = arena_strdup(arena, option);
			return;
		}
	ARENA_PUSH(arena, r->options, r->n_options) = arena_strdup(arena, option);
}

static void read_search(struct arena *arena, char **fields, size_t n, struct resolv *r)
{
	/* The last search line is the one that counts. */
	r->searches = NULL;
	r->n_searches = 0;
	for (size_t i = 1; i < n; i++) {
		size_t len = strlen(fields[i]);
		if (str_eq(fields[i], "."))
			continue;
		if (fields[i][len - 1] == '.')
			fields[i][len - 1] = '\0';
		ARENA_PUSH(arena, r->searches, r->n_searches) = fields[i];
	}
}

void resolv_parse(struct arena *arena, const char *text, struct resolv *ret)
{
	*ret = (struct resolv){0};
	while (*text) {
		size_t len = strcspn(text, "\n");
		char **fields;
		size_t n = fields_of(arena, text, len, &fields);
		text += len + (text[len] == '\n');
		if (!n || fields[0][0] == '#')
			continue;
		if (str_eq(fields[0], "nameserver") && n > 1)
			ARENA_PUSH(arena, ret->servers, ret->n_servers) = fields[1];
		else if (str_eq(fields[0], "search"))
			read_search(arena, fields, n, ret);
		else if (str_eq(fields[0], "options"))
			for (size_t i = 1; i < n; i++)
				set_option(arena, ret, fields[i]);
	}
}

void resolv_add_unique(struct arena *arena, char ***list, size_t *n, const char *item)
{
	if (!str_in_n(item, *list, *n))
		ARENA_PUSH(arena, *list, *n) = arena_strdup(arena, item);
}

void resolv_apply(struct arena *arena, struct resolv *r, const CoreV1PodDNSConfig *config)
{
	for (size_t i = 0; i < config->n_nameservers; i++)
		resolv_add_unique(arena, &r->servers, &r->n_servers, config->nameservers[i]);
	for (size_t i = 0; i < config->n_searches; i++)
		resolv_add_unique(arena, &r->searches, &r->n_searches, config->searches[i]);
	for (size_t i = 0; i < config->n_options; i++) {
		const CoreV1PodDNSConfigOption *o = config->options[i];
		set_option(arena, r, str_empty(o->value) ? o->name : arena_printf(arena, "%s:%s", o->name, o->value));
	}
}

static bool limit_searches(struct resolv *r)
{
	bool cut = r->n_searches > RESOLV_MAX_SEARCHES;
	if (cut)
		r->n_searches = RESOLV_MAX_SEARCHES;
	size_t kept = 0, chars = 0;
	for (size_t i = 0; i < r->n_searches; i++) {
		if (strlen(r->searches[i]) > MAX_NAME) {
			cut = true;
			continue;
		}
		r->searches[kept++] = r->searches[i];
	}
	r->n_searches = kept;
	for (size_t i = 0; i < r->n_searches; i++) {
		chars += strlen(r->searches[i]) + (i > 0);
		if (chars > RESOLV_MAX_SEARCH_CHARS) {
			r->n_searches = i;
			cut = true;
		}
	}
	return cut;
}

char *resolv_limit(struct arena *arena, struct resolv *r)
{
	char *text = NULL;
	if (r->n_servers > RESOLV_MAX_SERVERS) {
		r->n_servers = RESOLV_MAX_SERVERS;
		text = arena_printf(arena,
			"Nameserver limits were exceeded, some nameservers have been omitted, "
			"the applied nameserver line is: %s",
			str_join(arena, r->servers, r->n_servers, " "));
	}
	if (limit_searches(r))
		text = arena_printf(arena,
			"Search Line limits were exceeded, some search paths have been omitted, "
			"the applied search line is: %s",
			str_join(arena, r->searches, r->n_searches, " "));
	return text;
}
