/*
 * Bodies into objects: media, group version and kind checks, strictness as fieldValidation asks.
 */
#ifndef APISERVER_HTTP_DECODE_H
#define APISERVER_HTTP_DECODE_H

#include "apiserver/http/negotiate.h"
#include "apiserver/http/server.h"
#include "apiserver/registry/request.h"

/* The body as an object of the type, defaulted. Warnings are added to the request. */
struct status *decode_body(struct exchange *exchange, struct request *request, const struct schema_type *type,
	ProtobufCMessage **ret_object) MUST_USE;
/* JSON text as an object of the type, with what fieldValidation says of unknown fields; not defaulted. */
struct status *decode_json(struct request *request, const struct schema_type *type, const char *data, size_t size,
	ProtobufCMessage **ret_object) MUST_USE;
/* The same without defaults. */
struct status *decode_body_plainly(struct exchange *exchange, struct request *request, const struct schema_type *type,
	ProtobufCMessage **ret_object) MUST_USE;

#endif
