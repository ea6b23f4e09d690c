/* kubectl explain, without the connection. */
#ifndef KUBECTL_VERBS_EXPLAIN_H
#define KUBECTL_VERBS_EXPLAIN_H

#include "kubectl/kubectl.h"
#include "kubectl/object.h"

/* What an OpenAPI v3 document says of a resource's kind, or of the field that the path leads to. Whatever the document
 * says, it ends. */
struct status *explain_document(struct arena *arena, const cJSON *document, const struct api_resource *resource,
	char **path, size_t n_path, bool recursive, FILE *out) MUST_USE;

#endif
