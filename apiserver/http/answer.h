/*
 * Objects and statuses as replies, in the form that was negotiated.
 */
#ifndef APISERVER_HTTP_ANSWER_H
#define APISERVER_HTTP_ANSWER_H

#include "apiserver/http/negotiate.h"
#include "apiserver/http/server.h"
#include "apiserver/registry/request.h"

#define WATCH_JSON "application/json"
#define WATCH_PROTOBUF "application/vnd.kubernetes.protobuf;stream=watch"

/* An object of any type (a list too) in the shape and media asked for. */
void answer_object(struct exchange *exchange, struct request *request, const struct accept *accept, int code,
	const ProtobufCMessage *object);
/* The error as a Status object; takes it. Media as Accept says, JSON when that is no good. */
void answer_status(struct exchange *exchange, struct status *status);
/* {"status":"Success", details} of a delete. */
void answer_success(struct exchange *exchange, struct request *request, const struct accept *accept, const char *name,
	const char *uid);
void answer_text(struct exchange *exchange, int code, const char *text);
/* Warning headers of the request. */
void answer_warnings(struct exchange *exchange, const struct request *request);

/* What the rows of a Table have of their objects: None, Metadata or Object; 400 for anything else. */
struct status *table_include(const struct exchange *exchange, const char **ret_include) MUST_USE;
/* The object in the shape asked for: itself, a Table, or its metadata alone. */
struct status *shape_object(struct exchange *exchange, const struct accept *accept, const ProtobufCMessage *object,
	bool with_columns, ProtobufCMessage **ret_object) MUST_USE;
/* How JSON is written, in enum json_flags: what is indented ends without a newline. */
unsigned json_form(bool pretty);
/* Appends an object, which has its shape; printed: see json_encode_printed(). */
void encode_media(struct strbuf *out, const struct accept *accept, const ProtobufCMessage *object, const void *printed);

/*
 * What is kept of an entry, as it is: 200 and the bytes that lists and watches send too. False, and no answer, where
 * they are not what is asked for (another shape or version, indented) or nobody has needed them yet: what one client
 * reads once is not kept.
 */
bool answer_entry(struct exchange *exchange, struct request *request, const struct accept *accept, struct entry *entry);

/* Appends the number as protobuf writes it; how many bytes that took. */
size_t strbuf_varint(struct strbuf *out, uint64_t value);
/* The envelope of an object of so many bytes, up to where they begin; the tail closes it. */
void protobuf_head(struct strbuf *out, const struct schema_type *type, size_t size);
#define PROTOBUF_TAIL "\x1a\0\x22\0" /* contentEncoding and contentType, as the original writes them: empty */
#define PROTOBUF_TAIL_SIZE 4

#endif
