/* Functions: their overloads, as tables, and what a signature says. */
#ifndef CEL_FUNCTION_H
#define CEL_FUNCTION_H

#include "cel/value.h"

struct cel_call;
struct regex;

/*
 * A row of a library. The signature reads "(list(A), A) -> bool", or "list(A).(A) -> bool" of what is called on a
 * value; capital letters are types to be found out.
 */
struct cel_overload {
	const char *function, *id, *signature;
	struct cel_value (*eval)(struct cel_call *call);
};

/* A call whose arguments fit the overload. */
struct cel_call {
	struct arena *arena;
	const struct cel_overload *overload;
	const struct cel_value *args;
	size_t n_args;
	const struct regex *regex; /* of a pattern that is constant, else NULL */
};

enum { CEL_MAX_ARGS = 4 };

/* What a signature says; the value that a member is called on is the first argument. */
struct cel_signature {
	bool is_member;
	const struct cel_type *args[CEL_MAX_ARGS];
	size_t n_args;
	const struct cel_type *result;
};

/* Gives the letters of a signature types; NULL leaves them as they are. */
struct cel_letters {
	const struct cel_type *(*type_of)(void *data);
	void *data;
	const struct cel_type *found[26];
};

struct cel_signature cel_signature(struct arena *arena, const char *text, struct cel_letters *letters);

/* A library; n rows, there from a minor version of Kubernetes on (0: always). */
struct cel_library {
	const struct cel_overload *rows;
	size_t n_rows;
	int since;
};

extern const struct cel_library cel_texts, cel_conversions, cel_times, cel_lists, cel_more_lists, cel_optionals,
	cel_numbers, cel_addresses, cel_formats, cel_authorizations;
extern const struct cel_library *const cel_libraries[];
extern const size_t cel_n_libraries;

/* The first overload of a function; NULL if there is none. */
const struct cel_overload *cel_overload_named(const char *function);

#endif
