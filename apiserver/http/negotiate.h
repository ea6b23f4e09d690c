/*
 * In which form a client wants its answer, out of Accept; and in which it sent its body, out of Content-Type.
 */
#ifndef APISERVER_HTTP_NEGOTIATE_H
#define APISERVER_HTTP_NEGOTIATE_H

#include "apiserver/http/server.h"
#include "base/status.h"

enum media { MEDIA_JSON, MEDIA_YAML, MEDIA_PROTOBUF, N_MEDIA };
/* Instead of the object itself. */
enum shape { SHAPE_OBJECT, SHAPE_TABLE, SHAPE_METADATA, SHAPE_METADATA_LIST };

struct accept {
	enum media media;
	enum shape shape;
	const char *shape_version; /* v1, v1beta1 */
	bool pretty;
};

/* What can be had: the thing itself; its metadata too; a Table too, of what can be listed. */
enum shapes { SHAPES_NONE, SHAPES_METADATA, SHAPES_ALL };

/* First, 406 when none of the header's media types is known, whatever is asked of them. lists: whether what is asked
 * for is a list, which can be watched. */
struct status *accept_route(struct arena *arena, const char *text, bool lists) MUST_USE;
/* The same of a path that is answered in one media type alone. */
struct status *accept_only(struct arena *arena, const char *text, const char *type) MUST_USE;
/* Then, 406 when nothing fits. A clause that asks for what there is not counts for nothing. */
struct status *accept_parse(struct exchange *exchange, enum shapes shapes, struct accept *ret_accept) MUST_USE;
/* The same of a header's text; NULL is as if absent. */
struct status *accept_parse_text(
	struct arena *arena, const char *text, enum shapes shapes, struct accept *ret_accept) MUST_USE;
/* Then, of a watch, 406 when what was chosen is no stream. */
struct status *accept_stream(const struct accept *accept) MUST_USE;
const char *media_name(enum media media);
/* Whether the best of the clauses that can be had asks for something as another kind (as, g, v), and in which media. */
bool accept_as(
	struct arena *arena, const char *text, const char *as, const char *g, const char *v, enum media *ret_media);
/* Which of some media types (lower case) a header likes best; a wildcard means the first that fits. False: none. */
bool accept_choose(struct arena *arena, const char *text, const char *const *types, size_t n_types, size_t *ret_choice);

/* The Content-Type without parameters, as it was sent; "" without the header. */
const char *patch_type_of(struct exchange *exchange);
/* 415 for a body that is neither. */
struct status *content_media(struct arena *arena, const char *text, enum media *ret_media) MUST_USE;

#endif
