/*
 * The server's Table form as text.
 */
#ifndef KUBECTL_TABLE_H
#define KUBECTL_TABLE_H

#include "base/flags.h"
#include "kubectl/object.h"
#include "kubectl/tabwriter.h"

struct table_options {
	bool wide, no_headers, with_namespace, show_labels;
	const char *kind; /* put before names: "deployment.apps"; NULL: not */
	struct flag_list label_columns;
	const char *event; /* type of the watch event the rows come from; NULL: none */
};

struct table_printer {
	struct arena *arena;
	cJSON *columns; /* those of the last table; watch events leave them out */
	bool headers_done;
};

bool is_table(const cJSON *object);
void table_print(struct table_printer *p, const cJSON *table, const struct table_options *options, struct tabwriter *w);

#endif
