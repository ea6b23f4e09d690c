/* The parsed form of a JSONPath template, between its parser and its evaluator. */
#ifndef API_JSONPATH_INTERNAL_H
#define API_JSONPATH_INTERNAL_H

#include "api/jsonpath.h"

enum path_kind {
	PATH_TEXT,	 /* printed as it is */
	PATH_EXPRESSION, /* {…}: steps, each taking what the one before found */
	PATH_RANGE,	 /* {range …} body {end} */
	PATH_FIELD,
	PATH_SLICE,
	PATH_FILTER,
	PATH_VALUE, /* a literal */
	PATH_WILDCARD,
	PATH_RECURSIVE,
	PATH_UNION,
};

struct path_nodes {
	struct path_node **items;
	size_t n;
};

struct path_node {
	enum path_kind kind;
	const char *text; /* of text, a field's name, an operator of a filter ("exists") */
	size_t size;
	cJSON *value;
	struct path_nodes steps; /* of an expression, range, the left side of a filter; the alternatives of a union */
	struct path_nodes body;	 /* of a range, the right side of a filter */
	int64_t bounds[3];
	bool known[3];
	bool single; /* [n]: the end follows from the start */
};

struct jsonpath {
	struct arena *arena;
	struct path_nodes nodes;
	bool allow_missing;
};

#endif
