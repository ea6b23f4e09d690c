/*
 * /openapi/v2, /openapi/v3 and the documents under it. A document is written when it is first asked for and then kept;
 * of the others the index of version 3 makes only the digests that it names.
 *
 * Threads: any.
 */
#ifndef APISERVER_OPENAPI_OPENAPI_H
#define APISERVER_OPENAPI_OPENAPI_H

#include "apiserver/http/server.h"
#include "apiserver/served.h"

struct openapi;

/* Of what is served, which must live as long. */
struct openapi *openapi_new(const struct served *served);
/* False: the path is none of these. */
bool openapi_respond(struct openapi *openapi, struct exchange *exchange);

#endif
