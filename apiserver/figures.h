/*
 * What the server counts of its requests, under the original's names and labels: written at a scrape, counted without a
 * lock. A series is found in a table that only grows, by what makes its labels, and holds atomic counts.
 *
 *	struct figure *f = figures_find(figures, &(struct figure_key){schema, "", FIGURE_GET, FIGURE_RESOURCE, false});
 *	figure_count(f, 200, 0.003, 512);
 *
 * Ownership: series live as long as their table. Threads: any.
 */
#ifndef APISERVER_FIGURES_H
#define APISERVER_FIGURES_H

#include <stdatomic.h>
#include "api/schema.h"
#include "base/str.h"

enum figure_verb {
	FIGURE_GET,
	FIGURE_LIST,
	FIGURE_WATCH,
	FIGURE_POST,
	FIGURE_PUT,
	FIGURE_PATCH,
	FIGURE_APPLY,
	FIGURE_DELETE,
	FIGURE_CONNECT,
};
enum figure_scope { FIGURE_CLUSTER, FIGURE_NAMESPACE, FIGURE_RESOURCE, FIGURE_NO_SCOPE };

struct figure_key {
	const struct schema_resource *schema; /* NULL: a path that is no resource */
	const char *subresource;	      /* compared as text; must live as long as the table */
	enum figure_verb verb;
	enum figure_scope scope;
	bool dry_run;
};

struct figures;
struct figure;

struct figures *figures_new(void);
void figures_free(struct figures *figures);
/* NULL: the table is full, which counts nothing. */
struct figure *figures_find(struct figures *figures, const struct figure_key *key);
void figure_count(struct figure *figure, int code, double seconds, size_t reply_size);
/* A body of a write. */
void figure_body(struct figure *figure, size_t size);
/* A list out of memory: whether it was as new as etcd, how many objects were looked at, and how many told. */
void figure_listed(struct figure *figure, bool consistent, size_t looked_at, size_t told);
/* Requests that last: watches, connections; 1 at their beginning, -1 at their end. */
void figure_runs(struct figure *figure, int change);
/* Events sent to a watcher. */
void figure_sent(struct figure *figure, size_t size);
/* A watch that began with what there was has told all of it. */
void figure_began(struct figure *figure, double seconds);
void figures_write(struct figures *figures, struct strbuf *out);
/* A table of calls to etcd: keys without subresource and scope; a code that is not 200 failed. */
void figures_write_etcd(struct figures *figures, struct strbuf *out);

#endif
