#include "kubectl/command.h"

#include <stdlib.h>
#include "base/log.h"
#include "kubectl/kubectl.h"

bool call_changed(const struct call *call, const char *flag)
{
	for (size_t i = 0; call->flags[i].name; i++)
		if (str_eq(call->flags[i].name, flag))
			return call->changed[i];
	return false;
}

struct status *usage_error(const struct call *call, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
	strbuf_vprintf(&text, format, args);
	va_end(args);
	return user_error("%s\nSee '%s -h' for help and examples", text.buf, call->path);
}

const struct command *command_child(const struct command *command, const char *name)
{
	for (const struct command *const *c = command->children; c && *c; c++)
		if (str_eq((*c)->name, name) || ((*c)->aliases && str_in(name, (*c)->aliases)))
			return *c;
	return NULL;
}

static void flatten(struct arena *arena, const struct option *flags, size_t base, struct option **items, size_t *n)
{
	for (const struct option *o = flags; o && (o->name || o->group); o++) {
		if (o->group) {
			flatten(arena, o->group, base + o->offset, items, n);
			continue;
		}
		struct option copy = *o;
		copy.offset += base;
		ARENA_PUSH(arena, *items, *n) = copy;
	}
}

struct option *command_flatten(struct arena *arena, const struct option *flags, size_t base, size_t *ret_n)
{
	struct option *items = NULL;
	*ret_n = 0;
	flatten(arena, flags, base, &items, ret_n);
	return items;
}

static struct flag *bind_flags(struct arena *arena, const struct option *flags, void *options, bool **ret_changed)
{
	size_t n;
	struct option *items = command_flatten(arena, flags, 0, &n);
	struct flag *bound = ARENA_ARRAY(arena, struct flag, n + 1);
	bool *changed = ARENA_ARRAY(arena, bool, n + 1);
	for (size_t i = 0; i < n; i++) {
		const struct option *o = &items[i];
		bound[i] = (struct flag){.name = o->name,
			.short_name = o->short_name,
			.type = o->type,
			.ptr = (char *)options + o->offset,
			.def = o->def,
			.usage = o->usage,
			.changed = &changed[i],
			.no_opt_value = o->no_opt_value,
			.hidden = o->hidden};
		if (o->type == FLAG_STRING && str_empty(o->def))
			*(char **)bound[i].ptr = arena_strdup(arena, "");
	}
	*ret_changed = changed;
	return bound;
}

static bool takes_value(const struct option *flags, const char *arg)
{
	for (const struct option *o = flags; o && o->name; o++) {
		if (o->type == FLAG_BOOL || o->type == FLAG_IGNORED_BOOL || o->no_opt_value)
			continue;
		if (arg[1] == '-' ? str_eq(o->name, arg + 2) : (arg[1] == o->short_name && o->short_name && !arg[2]))
			return true;
	}
	return false;
}

/*
 * The next argument that is no flag, from *pos on; NULL if there is none. Only global flags may stand before the name
 * of a command, so these alone decide whether an argument is a flag's value.
 */
static const char *next_name(int argc, char **argv, int *pos)
{
	for (int i = *pos; i < argc; i++) {
		if (str_eq(argv[i], "--"))
			return NULL;
		if (argv[i][0] != '-' || !argv[i][1]) {
			*pos = i;
			return argv[i];
		}
		if (!strchr(argv[i], '=') && takes_value(global_flags, argv[i]))
			i++;
	}
	return NULL;
}

static void remove_arg(int *argc, char **argv, int pos)
{
	memmove(&argv[pos], &argv[pos + 1], (size_t)(*argc - pos) * sizeof(*argv));
	--*argc;
}

/* Follows the names in argv down the tree, taking them out of it. */
static const struct command *find_command(struct arena *arena, int *argc, char **argv, char **path)
{
	const struct command *command = &root_command;
	*path = arena_strdup(arena, root_command.name);
	while (command->children) {
		int pos = 1;
		const char *name = next_name(*argc, argv, &pos);
		const struct command *child = name ? command_child(command, name) : NULL;
		if (!child)
			break;
		*path = arena_printf(arena, "%s %s", *path, child->name);
		command = child;
		remove_arg(argc, argv, pos);
		if (command->raw_args)
			break;
	}
	return command;
}

static size_t distance(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b), row[64];
	if (la > 60 || lb > 60)
		return 100;
	for (size_t j = 0; j <= lb; j++)
		row[j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			size_t cost = diagonal + (a[i - 1] != b[j - 1]), above = row[j];
			size_t best = row[j - 1] + 1 < above + 1 ? row[j - 1] + 1 : above + 1;
			row[j] = cost < best ? cost : best;
			diagonal = above;
		}
	}
	return row[lb];
}

static int unknown_command(const struct command *command, const char *path, const char *name)
{
	bool any = false;
	fprintf(stderr, "error: unknown command \"%s\" for \"%s\"\n", name, path);
	for (const struct command *const *c = command->children; c && *c; c++) {
		if (distance(name, (*c)->name) > 2 && !str_starts_with((*c)->name, name))
			continue;
		fprintf(stderr, "%s\t%s\n", any ? "" : "\nDid you mean this?\n", (*c)->name);
		any = true;
	}
	return 1;
}

static bool wants_help(int argc, char **argv)
{
	for (int i = 1; i < argc && !str_eq(argv[i], "--"); i++)
		if (str_eq(argv[i], "--help") || str_eq(argv[i], "-h"))
			return true;
	return false;
}

static int report(struct kubectl *k, struct status *s)
{
	if (!s)
		return k->exit_code;
	report_error(k, s);
	status_free(s);
	return k->exit_code ? k->exit_code : 1;
}

static int run(struct kubectl *k, const struct command *command, const char *path, int argc, char **argv)
{
	struct call call = {.command = command, .path = path, .dash_dash = -1};
	call.options = arena_zalloc(k->arena, command->options_size ? command->options_size : 1);
	call.flags = bind_flags(k->arena, command->flags, call.options, &call.changed);
	bool *global_changed;
	struct flag *global = bind_flags(k->arena, global_flags, &k->global, &global_changed);
	const struct flag *tables[] = {call.flags, global, NULL};
	struct flag_args args = {.dash_dash = -1};
	if (command->raw_args) {
		call.args = argv + 1;
		call.n_args = (size_t)argc - 1;
		return report(k, command->run(k, &call));
	}
	CLEANUP_STATUS struct status *bad = flags_parse_tables(tables, argc, argv, true, &args);
	if (bad) {
		fprintf(stderr, "error: %s\nSee '%s --help' for usage.\n", bad->message, path);
		return 1;
	}
	call.args = args.items;
	call.n_args = args.n_items;
	call.dash_dash = args.dash_dash;
	log_set_verbosity((int)k->global.verbosity);
	return report(k, command->run(k, &call));
}

int command_main(struct kubectl *k, int argc, char **argv)
{
	char *path;
	char **args = arena_dup(k->arena, argv, ((size_t)argc + 1) * sizeof(*argv));
	const struct command *command = find_command(k->arena, &argc, args, &path);
	if (!command->raw_args && wants_help(argc, args)) {
		command_help(command, path, stdout);
		return 0;
	}
	int pos = 1;
	const char *name = next_name(argc, args, &pos);
	if (command == &root_command && name)
		return unknown_command(command, path, name);
	if (!command->run) {
		if (name && command->children) {
			fprintf(stderr, "error: unknown command \"%s\"\nSee '%s -h' for help and examples\n", name,
				path);
			return 1;
		}
		command_help(command, path, stdout);
		return 0;
	}
	return run(k, command, path, argc, args);
}
