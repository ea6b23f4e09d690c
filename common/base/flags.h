/*
 * Command-line flags in the form of the original (pflag): --name=value, --name value, -s value, --bool, --bool=false,
 * bundled short flags, "--" ends. An unknown flag is an error that names it.
 *
 *	static char *config;
 *	const struct flag flags[] = {
 *		{"config", 0, FLAG_STRING, &config, "", "the configuration file"},
 *		{NULL},
 *	};
 *	TRY(flags_parse(flags, argc, argv, &args));
 *
 * Ownership: strings and lists set by parsing live as long as the process (they are never freed by design: flags are
 *read once).
 */
#ifndef BASE_FLAGS_H
#define BASE_FLAGS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include "base/arena.h"
#include "base/status.h"

enum flag_type {
	FLAG_BOOL,	   /* bool */
	FLAG_INT,	   /* int64_t */
	FLAG_FLOAT,	   /* double */
	FLAG_STRING,	   /* char * */
	FLAG_DURATION,	   /* int64_t, milliseconds; 1h2m3.5s, 100ms */
	FLAG_STRINGS,	   /* struct flag_list: repeated, and split at commas */
	FLAG_STRING_ARRAY, /* struct flag_list: repeated, not split */
	FLAG_MAP,	   /* struct flag_list of key=value: repeated, and split at commas */
	FLAG_COUNT,	   /* int64_t, how often given */
	FLAG_IGNORED,	   /* any value: accepted and without effect; ptr may be NULL */
	FLAG_IGNORED_BOOL, /* the same for a boolean, which takes no separate value */
};

struct flag_list {
	char **items;
	size_t n_items;
};

struct flag {
	const char *name; /* NULL ends the table */
	char short_name;  /* 0: none */
	enum flag_type type;
	void *ptr;
	const char *def; /* default as text, parsed before the arguments; NULL or "" leaves *ptr as it is */
	const char *usage;
	bool *changed;		  /* set when given on the command line; may be NULL */
	const char *no_opt_value; /* the value when the flag stands without one (pflag's NoOptDefVal) */
	bool hidden;
	const char *deprecated; /* a hint printed when used; NULL: not deprecated */
};

struct flag_args {
	char **items; /* what is no flag, in order; borrowed from argv */
	size_t n_items;
	long dash_dash; /* index in items of the first one after "--", -1 if there was none */
};

/*
 * Parses argv[1..]. Tables is a NULL-terminated array of flag tables, looked up in order.
 * interspersed: flags may follow arguments (kubectl); otherwise the first argument ends them.
 * Error: STATUS_BAD_REQUEST naming the flag, worded as pflag words it ("unknown flag: --x").
 */
struct status *flags_parse_tables(const struct flag *const *tables, int argc, char **argv, bool interspersed,
	struct flag_args *ret_args) MUST_USE;
struct status *flags_parse(const struct flag *flags, int argc, char **argv, struct flag_args *ret_args) MUST_USE;
/* Sets one flag from text; for configuration files that name flags. */
struct status *flags_set(const struct flag *flag, const char *value) MUST_USE;
/* The usage table, aligned as pflag prints it. */
void flags_print(const struct flag *flags, FILE *out);

/* Go duration text to nanoseconds ("1h30m", "1.5s", "300ms", "0"); false if malformed. */
bool duration_parse(const char *s, int64_t *ret_ns);
/* What is wrong with it, as Go says it, in the arena; NULL: nothing. */
char *duration_problem(struct arena *arena, const char *s);
/* Go's Duration.String() into buf. Returns buf. */
char *duration_format(int64_t ns, char buf[static 40]);

#endif
