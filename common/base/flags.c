#include "base/flags.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "base/str.h"

static void list_add(struct flag_list *list, const char *s, size_t len)
{
	list->items = mem_realloc(list->items, (list->n_items + 1) * sizeof(*list->items));
	list->items[list->n_items++] = mem_strndup(s, len);
}

static void list_add_split(struct flag_list *list, const char *value)
{
	while (*value) {
		const char *end = strchrnul(value, ',');
		list_add(list, value, (size_t)(end - value));
		value = *end ? end + 1 : end;
	}
}

/* False where the text does not fit the type. */
static bool set_value(const struct flag *flag, const char *value)
{
	char *end;
	int64_t ns;
	switch (flag->type) {
	case FLAG_BOOL:
		return str_to_bool(value, flag->ptr);
	case FLAG_INT:
		return str_to_int64(value, INT64_MIN, INT64_MAX, flag->ptr);
	case FLAG_FLOAT:
		*(double *)flag->ptr = strtod(value, &end);
		return end != value && !*end && isfinite(*(double *)flag->ptr);
	case FLAG_STRING:
		*(char **)flag->ptr = mem_strdup(value);
		return true;
	case FLAG_DURATION:
		if (!duration_parse(value, &ns))
			return false;
		*(int64_t *)flag->ptr = ns / 1000000;
		return true;
	case FLAG_STRINGS:
		list_add_split(flag->ptr, value);
		return true;
	case FLAG_MAP: {
		struct flag_list *list = flag->ptr;
		size_t before = list->n_items;
		list_add_split(list, value);
		for (size_t i = before; i < list->n_items; i++)
			if (!strchr(list->items[i], '='))
				return false;
		return true;
	}
	case FLAG_STRING_ARRAY:
		list_add(flag->ptr, value, strlen(value));
		return true;
	case FLAG_COUNT:
		if (str_eq(value, "+1")) {
			++*(int64_t *)flag->ptr;
			return true;
		}
		return str_to_int64(value, 0, INT32_MAX, flag->ptr);
	case FLAG_IGNORED:
	case FLAG_IGNORED_BOOL:
		return true;
	}
	return false;
}

struct status *flags_set(const struct flag *flag, const char *value)
{
	if (set_value(flag, value))
		return NULL;
	return status_bad_request("invalid argument \"%s\" for \"--%s\" flag: malformed value", value, flag->name);
}

struct parser {
	const struct flag *const *tables;
	int argc, pos;
	char **argv;
	struct flag_args *args;
	const struct flag **given; /* the list flags that stood on the command line */
	size_t n_given, cap_given;
};

static const struct flag *find(const struct parser *p, const char *name, size_t len, char short_name)
{
	for (const struct flag *const *t = p->tables; *t; t++) {
		for (const struct flag *f = *t; f->name; f++) {
			if (short_name ? f->short_name == short_name
				       : strlen(f->name) == len && !strncmp(f->name, name, len))
				return f;
		}
	}
	return NULL;
}

static const char *implied_value(const struct flag *flag)
{
	if (flag->type == FLAG_BOOL || flag->type == FLAG_IGNORED_BOOL)
		return "true";
	return flag->type == FLAG_COUNT ? "+1" : flag->no_opt_value;
}

/* What is given for a list replaces its default; what is given again adds to it. */
static void begin_list(struct parser *p, const struct flag *flag)
{
	for (size_t i = 0; i < p->n_given; i++)
		if (p->given[i] == flag)
			return;
	mem_grow(&p->given, &p->cap_given, p->n_given + 1, sizeof(const struct flag *));
	p->given[p->n_given++] = flag;
	struct flag_list *list = flag->ptr;
	while (!str_empty(flag->def) && list->n_items)
		free(list->items[--list->n_items]);
}

static struct status *apply(struct parser *p, const struct flag *flag, const char *value)
{
	if (flag->type == FLAG_STRINGS || flag->type == FLAG_STRING_ARRAY || flag->type == FLAG_MAP)
		begin_list(p, flag);
	if (flag->changed)
		*flag->changed = true;
	if (flag->deprecated)
		fprintf(stderr, "Flag --%s has been deprecated, %s\n", flag->name, flag->deprecated);
	return flags_set(flag, value);
}

static struct status *parse_long(struct parser *p, const char *arg)
{
	const char *name = arg + 2, *equals = strchrnul(name, '=');
	if (!*name || *name == '=' || *name == '-')
		return status_bad_request("bad flag syntax: %s", arg);
	const struct flag *flag = find(p, name, (size_t)(equals - name), 0);
	if (!flag)
		return status_bad_request("unknown flag: --%.*s", (int)(equals - name), name);
	if (*equals)
		return apply(p, flag, equals + 1);
	if (implied_value(flag))
		return apply(p, flag, implied_value(flag));
	if (p->pos + 1 >= p->argc)
		return status_bad_request("flag needs an argument: --%s", flag->name);
	return apply(p, flag, p->argv[++p->pos]);
}

static struct status *parse_short(struct parser *p, const char *arg)
{
	for (const char *c = arg + 1; *c; c++) {
		const struct flag *flag = find(p, NULL, 0, *c);
		if (!flag)
			return status_bad_request("unknown shorthand flag: '%c' in %s", *c, arg);
		if (c[1] == '=')
			return apply(p, flag, c + 2);
		if (implied_value(flag)) {
			TRY(apply(p, flag, implied_value(flag)));
			continue;
		}
		if (c[1])
			return apply(p, flag, c + 1);
		if (p->pos + 1 >= p->argc)
			return status_bad_request("flag needs an argument: '%c' in %s", *c, arg);
		return apply(p, flag, p->argv[++p->pos]);
	}
	return NULL;
}

static void add_arg(struct parser *p, char *arg)
{
	struct flag_args *args = p->args;
	args->items = mem_realloc(args->items, (args->n_items + 1) * sizeof(*args->items));
	args->items[args->n_items++] = arg;
}

static struct status *set_defaults(const struct flag *const *tables)
{
	for (const struct flag *const *t = tables; *t; t++)
		for (const struct flag *f = *t; f->name; f++)
			if (!str_empty(f->def) && f->type != FLAG_IGNORED && f->type != FLAG_IGNORED_BOOL)
				TRY(status_wrap(flags_set(f, f->def), "default"));
	return NULL;
}

static struct status *parse_all(struct parser *p, bool interspersed)
{
	for (p->pos = 1; p->pos < p->argc; p->pos++) {
		char *arg = p->argv[p->pos];
		bool is_flag = arg[0] == '-' && arg[1];
		if (!strcmp(arg, "--") || (!is_flag && !interspersed)) {
			bool dashes = !strcmp(arg, "--");
			if (dashes)
				p->args->dash_dash = (long)p->args->n_items;
			for (p->pos += dashes; p->pos < p->argc; p->pos++)
				add_arg(p, p->argv[p->pos]);
			break;
		}
		if (!is_flag)
			add_arg(p, arg);
		else if (arg[1] == '-')
			TRY(parse_long(p, arg));
		else
			TRY(parse_short(p, arg));
	}
	return NULL;
}

struct status *flags_parse_tables(
	const struct flag *const *tables, int argc, char **argv, bool interspersed, struct flag_args *ret_args)
{
	struct parser p = {.tables = tables, .argc = argc, .argv = argv, .args = ret_args};
	*ret_args = (struct flag_args){.dash_dash = -1};
	TRY(set_defaults(tables));
	struct status *s = parse_all(&p, interspersed);
	free(p.given);
	return s;
}

struct status *flags_parse(const struct flag *flags, int argc, char **argv, struct flag_args *ret_args)
{
	const struct flag *const tables[] = {flags, NULL};
	return flags_parse_tables(tables, argc, argv, true, ret_args);
}

static const char *type_name(const struct flag *flag)
{
	switch (flag->type) {
	case FLAG_INT:
	case FLAG_COUNT:
		return " int";
	case FLAG_FLOAT:
		return " float";
	case FLAG_STRING:
		return " string";
	case FLAG_DURATION:
		return " duration";
	case FLAG_STRINGS:
		return " strings";
	case FLAG_STRING_ARRAY:
		return " stringArray";
	case FLAG_MAP:
		return " mapStringString";
	default:
		return "";
	}
}

void flags_print(const struct flag *flags, FILE *out)
{
	int width = 0;
	for (const struct flag *f = flags; f->name; f++) {
		int w = (int)(strlen(f->name) + strlen(type_name(f)));
		if (!f->hidden && !f->deprecated && w > width)
			width = w;
	}
	for (const struct flag *f = flags; f->name; f++) {
		if (f->hidden || f->deprecated)
			continue;
		if (f->short_name)
			fprintf(out, "  -%c, --", f->short_name);
		else
			fprintf(out, "      --");
		int pad = width - (int)(strlen(f->name) + strlen(type_name(f)));
		fprintf(out, "%s%s%*s   %s", f->name, type_name(f), pad, "", str_or_empty(f->usage));
		if (!str_empty(f->def) && !str_eq(f->def, "false"))
			fprintf(out, f->type == FLAG_STRING ? " (default \"%s\")" : " (default %s)", f->def);
		fputc('\n', out);
	}
}
