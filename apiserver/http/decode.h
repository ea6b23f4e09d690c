/*
 * Bodies into objects: media, group version and kind checks, strictness as fieldValidation asks.
 */
#ifndef APISERVER_HTTP_DECODE_H
#define APISERVER_HTTP_DECODE_H

#include "apiserver/http/negotiate.h"
#include "apiserver/http/server.h"
#include "apiserver/registry/request.h"
#include "apiserver/validation/field.h"

/* The body as an object of the type, defaulted. Warnings are added to the request. */
struct status *decode_body(struct exchange *exchange, struct request *request, const struct schema_type *type,
	ProtobufCMessage **ret_object) MUST_USE;
/* JSON text as an object of the type, with what fieldValidation says of unknown fields; not defaulted. */
struct status *decode_json(struct request *request, const struct schema_type *type, const char *data, size_t size,
	ProtobufCMessage **ret_object) MUST_USE;
/* DeleteOptions out of the body, or of the query where there is none. */
struct status *decode_delete_options(
	struct exchange *exchange, struct request *request, MetaV1DeleteOptions **ret_options) MUST_USE;
/* dryRun, fieldManager, fieldValidation of the query into the request. */
struct status *decode_write_options(struct exchange *exchange, struct request *request) MUST_USE;
/* Whether a patch is a server-side apply. */
bool is_apply(struct exchange *exchange);
/* fieldManager and force, as the options of a write have them. */
void check_manager_options(struct field_errors *errors, struct exchange *exchange, const struct request *request);
/* What a client calls itself, before the slash, as the name of a manager: printable, at most 128 bytes. */
const char *manager_name_of_agent(struct arena *arena, const char *agent);

/* A whole number of the query, as the original reads it; unchanged when absent. */
struct status *query_number(struct exchange *exchange, const char *name, int64_t *ret_value) MUST_USE;

#endif
