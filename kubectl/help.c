#include "base/str.h"
#include "kubectl/command.h"

static const char *default_text(const struct option *o)
{
	switch (o->type) {
	case FLAG_BOOL:
	case FLAG_IGNORED_BOOL:
		return str_or(o->def, "false");
	case FLAG_INT:
	case FLAG_FLOAT:
	case FLAG_COUNT:
		return str_or(o->def, "0");
	case FLAG_DURATION:
		return str_or(o->def, "0s");
	default:
		return str_or_empty(o->def);
	}
}

static int by_name(const void *a, const void *b)
{
	return str_cmp(((const struct option *)a)->name, ((const struct option *)b)->name);
}

/* Wraps text at 72 columns behind a tab-wide indent, as the flags' usage stands in the help. */
static void print_wrapped(const char *text, FILE *out)
{
	size_t column = 0;
	fputc('\t', out);
	for (const char *word = text; *word;) {
		size_t size = strcspn(word, " ");
		if (column && column + 1 + size > 100) {
			fputs("\n\t", out);
			column = 0;
		}
		column += (size_t)fprintf(out, "%s%.*s", column ? " " : "", (int)size, word);
		word += size;
		word += strspn(word, " ");
	}
	fputc('\n', out);
}

void flags_help(struct arena *arena, const struct option *flags, FILE *out)
{
	size_t n;
	struct option *items = command_flatten(arena, flags, 0, &n);
	if (n)
		qsort(items, n, sizeof(*items), by_name);
	for (size_t i = 0; i < n; i++) {
		const struct option *o = &items[i];
		bool list = o->type == FLAG_STRINGS || o->type == FLAG_STRING_ARRAY || o->type == FLAG_MAP;
		bool text = o->type == FLAG_STRING;
		if (o->hidden)
			continue;
		if (o->short_name)
			fprintf(out, "    -%c, ", o->short_name);
		else
			fputs("    ", out);
		fprintf(out, "--%s=%s%s%s:\n", o->name,
			list   ? "["
			: text ? "'"
			       : "",
			default_text(o),
			list   ? "]"
			: text ? "'"
			       : "");
		print_wrapped(str_or_empty(o->usage), out);
		if (i + 1 < n)
			fputc('\n', out);
	}
}

static void print_children(const struct command *command, FILE *out)
{
	const char *section = NULL;
	size_t width = 0;
	for (const struct command *const *c = command->children; *c; c++)
		width = strlen((*c)->name) > width ? strlen((*c)->name) : width;
	for (const struct command *const *c = command->children; *c; c++) {
		if (!(*c)->summary)
			continue;
		const char *title = str_or((*c)->section, "Available Commands:");
		if (!str_eq(section, title))
			fprintf(out, "%s%s\n", section ? "\n" : "", title);
		section = title;
		fprintf(out, "  %-*s   %s\n", (int)width, (*c)->name, str_or_empty((*c)->summary));
	}
	fputc('\n', out);
}

static void print_lines(const char *text, FILE *out)
{
	while (*text) {
		size_t size = strcspn(text, "\n");
		fprintf(out, "%s%.*s\n", size ? "  " : "", (int)size, text);
		text += size + (text[size] != 0);
	}
}

void command_help(const struct command *command, const char *path, FILE *out)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	fprintf(out, "%s\n\n", str_or(command->details, str_or_empty(command->summary)));
	if (command->aliases) {
		fprintf(out, "Aliases:\n%s", command->name);
		for (const char *const *a = command->aliases; *a; a++)
			fprintf(out, ", %s", *a);
		fputs("\n\n", out);
	}
	if (command->examples) {
		fputs("Examples:\n", out);
		print_lines(command->examples, out);
		fputc('\n', out);
	}
	if (command->children)
		print_children(command, out);
	size_t n;
	command_flatten(arena, command->flags, 0, &n);
	if (n) {
		fputs("Options:\n", out);
		flags_help(arena, command->flags, out);
		fputc('\n', out);
	}
	fprintf(out, "Usage:\n  %s%s%s%s\n\n", path,
		command->usage || command->children ? " "
		: n				    ? " [options]"
						    : "",
		str_or(command->usage, command->children ? "[flags] [options]" : ""),
		command->usage && n ? " [options]" : "");
	if (command->children)
		fprintf(out, "Use \"%s <command> --help\" for more information about a given command.\n", path);
	fputs("Use \"kubectl options\" for a list of global command-line options (applies to all commands).\n", out);
}
