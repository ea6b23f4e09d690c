/*
 * What an older release has stored in a version that is no longer served, of the same fields but of another meaning.
 */
#ifndef APISERVER_STORE_FORMER_H
#define APISERVER_STORE_FORMER_H

#include "api/types.h"

/* Whether a kind has such versions. */
bool former_has_versions(const struct schema_type *type);
/* Makes the object mean what it meant in the version that it was stored in; before it has its defaults. */
void former_settle(struct arena *arena, const char *api_version, ProtobufCMessage *object);

/* Takes from a selector what only policy/v1beta1 knew a meaning of: policy/v1 does so with all that it is sent. */
void former_settle_budget(PolicyV1PodDisruptionBudget *budget);

#endif
