/*
 * The command tree: a verb is one file that exports one record, listed in verbs/verbs.c.
 *
 *	struct label_options { bool list; ... };
 *	static const struct option label_flags[] = {
 *		OPT(struct label_options, list, 0, "list", FLAG_BOOL, "false", "show the labels instead of changing
 *them"), OPT_GROUP(struct label_options, print, print_flags), OPT_END,
 *	};
 *	const struct command label_command = {.name = "label", ..., .flags = label_flags, .run = label_run,
 *		.options_size = sizeof(struct label_options)};
 *
 * An option names the field of the options struct that it sets, so that no state is global. A group is a table of
 * options for a struct embedded in the options struct.
 */
#ifndef KUBECTL_COMMAND_H
#define KUBECTL_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include "base/arena.h"
#include "base/flags.h"
#include "base/status.h"

struct kubectl;
struct call;

struct option {
	const char *name; /* NULL: the end, or a group */
	char short_name;
	enum flag_type type;
	size_t offset;
	const char *def;
	const char *usage;
	const char *no_opt_value;
	const struct option *group;
	bool hidden;
};

#define OPT(S, field, short_, name_, type_, def_, usage_)                                                              \
	{                                                                                                              \
		.name = (name_), .short_name = (short_), .type = (type_), .offset = offsetof(S, field), .def = (def_), \
		.usage = (usage_)                                                                                      \
	}
#define OPT_IMPLIED(S, field, short_, name_, type_, def_, implied_, usage_)                                            \
	{                                                                                                              \
		.name = (name_), .short_name = (short_), .type = (type_), .offset = offsetof(S, field), .def = (def_), \
		.usage = (usage_), .no_opt_value = (implied_)                                                          \
	}
#define OPT_GROUP(S, field, table)                             \
	{                                                      \
		.group = (table), .offset = offsetof(S, field) \
	}
#define OPT_END              \
	{                    \
		.name = NULL \
	}

struct command {
	const char *name;
	const char *const *aliases; /* NULL-terminated; may be NULL */
	const char *usage;	    /* what follows the command's name in the usage line */
	const char *section;	    /* heading in the overview; only for top-level commands */
	const char *summary;
	const char *details;
	const char *examples;
	const struct command *const *children; /* NULL-terminated; may be NULL */
	const struct option *flags;
	size_t options_size;
	struct status *(*run)(struct kubectl *k, struct call *call);
	bool raw_args; /* what follows is passed on unparsed (completion) */
};

/* One use of a command: its parsed options and arguments. */
struct call {
	const struct command *command;
	const char *path; /* "kubectl create secret generic" */
	void *options;
	char **args;
	size_t n_args;
	long dash_dash; /* index of the first argument after "--", -1 */
	struct flag *flags;
	bool *changed;
};

/* Whether a flag was given on the command line. */
bool call_changed(const struct call *call, const char *flag);
/* The error for wrong usage, with the line that points to the help. */
struct status *usage_error(const struct call *call, const char *format, ...) MUST_USE PRINTF(2, 3);

extern const struct command root_command;
extern const struct option global_flags[];

/* Finds the command that argv names, parses its flags, runs it or shows help; returns the exit code. */
int command_main(struct kubectl *k, int argc, char **argv);
void command_help(const struct command *command, const char *path, FILE *out);
/* All flags of a command, global ones not included, flattened into the arena (for help and completion). */
struct option *command_flatten(struct arena *arena, const struct option *flags, size_t base, size_t *ret_n);
const struct command *command_child(const struct command *command, const char *name);
void flags_help(struct arena *arena, const struct option *flags, FILE *out);

#endif
