/*
 * Table rows: what `kubectl get` shows of an object, as the original's server-side printers.
 *
 *	struct print_cell *cells;
 *	size_t n = print_cells(arena, pod, now, &cells);
 *
 * The columns of a kind are those of its resource in the schema; kinds without a printer of their own have Name and
 *Age.
 */
#ifndef API_PRINT_PRINT_H
#define API_PRINT_PRINT_H

#include "api/schema.h"
#include "api/types.h"
#include "base/str.h"

struct print_cell {
	const char *text; /* of a string or date */
	int64_t number;
	bool is_number;
	bool is_bool; /* number is 0 or 1 */
	bool is_age;  /* of print_row_new's: text, how long ago number (seconds since 1970) was, and then after */
	const char *after;
};

/* The columns of a type: its resource's, or Name and Age ("Created At" of type date as the original's default). */
size_t print_columns(const struct schema_type *type, const struct schema_column **ret_columns);
/* It is shown as every kind is that has no columns of its own: Name and Created At. */
bool print_is_plain(const struct schema_type *type);
/* One cell for each column. now: seconds since 1970, for ages. */
size_t print_cells(struct arena *arena, const void *msg, int64_t now, struct print_cell **ret_cells);
struct print_table_options {
	int64_t now;
	const char *include; /* what of an object goes with its row: "None", "Metadata" (NULL: this) or "Object" */
	const char *metadata_version; /* apiVersion of that metadata; NULL: meta.k8s.io/v1 */
	bool with_headers;
};
/* An object's metadata alone. It shares parts with the object. */
MetaV1PartialObjectMetadata *print_metadata(struct arena *arena, const void *msg);
/* Whether that is always the object's metadata as it stands. */
bool print_metadata_is_part(const struct schema_type *type);
/* A Table of an object or of a list's items. */
MetaV1Table *print_table(struct arena *arena, const void *msg, const struct print_table_options *options);
/*
 * An object's row as JSON, cells and conditions, up to where its "object" follows: for those who hold that as bytes.
 * The row is made once and told at any time, for ages are filled in then.
 *
 *	struct print_row *row = print_row_new(pod);      // one block; free() it
 *	print_row_add(&out, row, now);
 */
struct print_row;
struct print_row *print_row_new(const void *msg);
size_t print_row_size(const struct print_row *row);
void print_row_add(struct strbuf *out, const struct print_row *row, int64_t now);
/* The reason a pod shows as its STATUS (Running, CrashLoopBackOff, Init:0/1, Terminating, …). */
char *print_pod_status(struct arena *arena, const CoreV1Pod *pod);

#endif
