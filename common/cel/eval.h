/* What the parts of the evaluator share. */
#ifndef CEL_EVAL_H
#define CEL_EVAL_H

#include "cel/internal.h"

/* What one call costs by the sizes of its arguments and its result. */
uint64_t cel_cost_of_call(struct arena *arena, const struct cel_overload *overload, const struct cel_value *args,
	size_t n_args, struct cel_value result);

/* Operators of any types of arguments. n_copied counts items of lists that were copied, which has a bound. */
struct cel_value operate(struct arena *arena, const char *function, const struct cel_value *args, size_t *n_copied);
bool is_operator(const char *function);

/* Lists whose items have no order, of one length. */
bool cel_unordered_equal(struct arena *arena, const struct cel_list *a, const struct cel_list *b);
/* The items of a, and of b what a does not have; objects of the same keys are b's. */
struct cel_value cel_unordered_join(struct arena *arena, const struct cel_list *a, const struct cel_list *b);

/* Whether a value may be given where a type is asked for. */
bool value_fits(struct cel_value v, const struct cel_type *type);

/* Times */
struct cel_value cel_read_timestamp(struct arena *arena, struct cel_text text);
bool cel_read_duration(const char *text, int64_t *ret_ns);
bool time_is_valid(int64_t seconds);

/* "%s of %d" with values put in: the text, or an error. */
struct cel_value cel_format_text(struct arena *arena, struct cel_text format, const struct cel_list *args);
/* Whether a format and the types of what is put in agree; the place and problem of what does not. */
void cel_check_format(struct cel_source *source, const struct expr *call);

const char *cel_timestamp_text(struct arena *arena, struct cel_time t);
const char *cel_duration_text(struct arena *arena, int64_t ns);
const char *cel_double_text(struct arena *arena, double d);
/* In quotes, as Go quotes texts. */
const char *cel_quoted(struct arena *arena, const char *text);
/* As it stands in messages. */
const char *cel_value_text(struct arena *arena, struct cel_value v);

/* What is wrong with a URL, in Go's words; NULL: nothing. */
const char *cel_url_problem(struct arena *arena, const char *text);
/* The same of the escapes (%2f) of a path. */
const char *cel_escape_problem(struct arena *arena, const char *path);
/* The same of what stands between // and the next slash; the host is given without escapes. */
const char *cel_authority_problem(struct arena *arena, const char *text, const char **ret_host);
struct ip;
/* The address of a text; NULL, or why it is none. */
const char *cel_address_problem(const char *text, struct ip *ret_ip);
/* The size of the pattern by which the cost of a named form counts. */
uint64_t cel_form_pattern_size(struct cel_value form);

#endif
