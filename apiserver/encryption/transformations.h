/* What is counted of values that were encrypted or decrypted, as the original counts it. Threads: any. */
#ifndef APISERVER_ENCRYPTION_TRANSFORMATIONS_H
#define APISERVER_ENCRYPTION_TRANSFORMATIONS_H

#include "api/schema.h"
#include "base/str.h"

enum transformation { FROM_STORAGE, TO_STORAGE };

struct transformations;

struct transformations *transformations_new(void);
void transformations_free(struct transformations *t);
/* prefix: of who did it. seconds < 0: it failed. */
void transformations_count(struct transformations *t, const struct schema_resource *resource, enum transformation kind,
	const char *prefix, double seconds);
void transformations_write(struct transformations *t, struct strbuf *out);

#endif
