/*
 * Defaulting: what the original's SetDefaults_* functions fill into an object that leaves it out.
 *
 *	api_set_defaults(arena, &pod->base);
 *
 * The object is walked from its root downwards; every message whose type is in the table of defaulters gets its turn,
 *before the messages below it. Structs that are never absent in JSON (spec, status, metadata of templates) are made
 *where they lack. Applying it twice changes nothing. Ownership: what is added lives in the arena, which must live as
 *long as the object.
 */
#ifndef API_DEFAULTS_DEFAULTS_H
#define API_DEFAULTS_DEFAULTS_H

#include "api/schema.h"
#include "api/types.h"

void api_set_defaults(struct arena *arena, ProtobufCMessage *msg);
/* Whether a Job's labels are its template's by default. The original's are one map then, which grows for both; here the
 * two hold the same entries, until the Job is copied. */
bool job_shares_labels(const BatchV1Job *job);

#endif
