/*
 * Quantities: 100m, 2Gi, 1.5e3, as k8s.io/apimachinery/pkg/api/resource reads, keeps and writes them.
 *
 *	struct quantity q;
 *	if (!quantity_parse("1.5Gi", &q)) ...
 *	int64_t bytes = quantity_value(&q);
 *
 * Exact to nano within 128 bits; what is smaller is rounded up, what is larger is capped, as the original does.
 */
#ifndef API_QUANTITY_H
#define API_QUANTITY_H

#include <stdbool.h>
#include <stdint.h>
#include "api/types.h"
#include "base/arena.h"

enum quantity_format { QUANTITY_DECIMAL_SI, QUANTITY_BINARY_SI, QUANTITY_DECIMAL_EXPONENT };

struct quantity {
	__int128 nanos; /* the value times 10^9 */
	enum quantity_format format;
};

/* Why a text is no quantity, in the words of the original. */
const char *quantity_problem(const char *s, size_t size);
#define QUANTITY_ERROR "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"

/* False for what is no quantity. NULL and "" are not one. */
bool quantity_parse(const char *s, struct quantity *ret_q);
bool quantity_parse_n(const char *s, size_t size, struct quantity *ret_q);
/* The value of a message; zero when NULL, unset or bad. */
struct quantity quantity_of(const ResourceQuantity *q);
struct quantity quantity_from_int(int64_t value, enum quantity_format format);
struct quantity quantity_from_milli(int64_t milli, enum quantity_format format);
/* The canonical text. */
char *quantity_format(struct arena *arena, const struct quantity *q);
ResourceQuantity *quantity_new(struct arena *arena, const struct quantity *q);
ResourceQuantity *quantity_new_text(struct arena *arena, const char *text);

int quantity_compare(const struct quantity *a, const struct quantity *b);
void quantity_add(struct quantity *a, const struct quantity *b);
void quantity_sub(struct quantity *a, const struct quantity *b);
bool quantity_is_zero(const struct quantity *q);
int quantity_sign(const struct quantity *q);
/* Whole units, rounded up; capped to int64. */
int64_t quantity_value(const struct quantity *q);
int64_t quantity_milli_value(const struct quantity *q);
/* Whether it is a whole number when it is counted in thousandths. */
bool quantity_is_whole(const struct quantity *q);

/* Straight from the message. */
int64_t quantity_msg_value(const ResourceQuantity *q);
int64_t quantity_msg_milli(const ResourceQuantity *q);
int quantity_msg_compare(const ResourceQuantity *a, const ResourceQuantity *b);

#endif
