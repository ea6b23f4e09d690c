/*
 * Bodies into objects: media, group version and kind checks, strictness as fieldValidation asks.
 */
#ifndef APISERVER_HTTP_DECODE_H
#define APISERVER_HTTP_DECODE_H

#include "api/tree.h"
#include "apiserver/http/negotiate.h"
#include "apiserver/http/server.h"
#include "apiserver/registry/request.h"

/* The body as an object of the type, defaulted. Warnings are added to the request. */
struct status *decode_body(struct exchange *exchange, struct request *request, const struct schema_type *type,
	ProtobufCMessage **ret_object) MUST_USE;
/* What the strategy's conversion says of an object of the resource's own kind. */
struct status *decode_convert(struct request *request, ProtobufCMessage *object) MUST_USE;
/* What is wrong with a text, for those who tell it in words of their own; all in the request's arena. */
struct decode_error {
	bool names_kind;	/* the message begins with what the text was to be read as */
	const char *other_kind; /* the text says that it is something else: that, without such a beginning; or NULL */
	const char *bad_fields; /* those that are unknown or come twice, where that is an error; or NULL */
};
/* JSON text as an object of the type, with what fieldValidation says of unknown fields; not defaulted. error may be
 * NULL. */
struct status *decode_json(struct request *request, const struct schema_type *type, const char *data, size_t size,
	ProtobufCMessage **ret_object, struct decode_error *error) MUST_USE;
/*
 * What a JSON or merge patch made may say no apiVersion. The original then reads it as its internal type, whose fields
 * have no JSON names: nothing in it is known, and what comes of it has no name.
 */
bool is_unversioned(const struct schema_type *type, const cJSON *tree);
struct status *decode_unversioned(struct request *request, const struct schema_type *type, const cJSON *tree,
	ProtobufCMessage **ret_object, struct decode_error *error) MUST_USE;
/* The body without defaults. */
struct status *decode_body_plainly(struct exchange *exchange, struct request *request, const struct schema_type *type,
	ProtobufCMessage **ret_object) MUST_USE;

#endif
