/* What the printers of kinds share: cells are added one after the other, in the order of the columns. They do not know
 * what time it is: a cell may say since when. */
#ifndef API_PRINT_INTERNAL_H
#define API_PRINT_INTERNAL_H

#include "api/meta.h"
#include "api/print/print.h"
#include "base/str.h"

struct printer {
	struct arena *arena;
	struct print_cell *cells;
	size_t n_cells;
};

void cell_text(struct printer *p, const char *s); /* NULL is "" */
void cell_printf(struct printer *p, const char *format, ...) PRINTF(2, 3);
void cell_number(struct printer *p, int64_t number);
void cell_bool(struct printer *p, bool value);
/* The text, or <none> for an empty one. */
void cell_or_none(struct printer *p, const char *s);
void cell_name(struct printer *p, const void *msg);
/* How long ago that was, in seconds since 1970, between two texts that say nothing but numbers and words. */
void cell_since(struct printer *p, const char *before, int64_t since, const char *after);
/* The same; <unknown> for no time. */
void cell_time(struct printer *p, const MetaV1Time *t);
/* How long ago the object was made. */
void cell_age(struct printer *p, const void *msg);
/* Two cells: the names and the images of containers. */
void cell_containers(struct printer *p, const CoreV1PodTemplateSpec *template);
/* k=v,k2=v2 or <none>. */
void cell_labels(struct printer *p, MapStringEntry *const *entries, size_t n);

char *join(struct printer *p, char *const *items, size_t n, const char *separator);

/* One printer a kind: adds its cells. */
struct kind_printer {
	const struct schema_type *type;
	void (*print)(struct printer *p, const void *msg);
};

/* Tables of them, each ended by a NULL type. */
extern const struct kind_printer print_pod_kinds[];
extern const struct kind_printer print_core_kinds[];
extern const struct kind_printer print_network_kinds[];
extern const struct kind_printer print_workload_kinds[];
extern const struct kind_printer print_access_kinds[];
extern const struct kind_printer print_storage_kinds[];
extern const struct kind_printer print_extension_kinds[];
extern const struct kind_printer print_autoscaling_kinds[];

#endif
