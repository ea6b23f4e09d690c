/*
 * What the query says of a request: options of reads and writes, read and checked as the original does.
 */
#ifndef APISERVER_HTTP_OPTIONS_H
#define APISERVER_HTTP_OPTIONS_H

#include "api/selector.h"
#include "apiserver/http/server.h"
#include "apiserver/registry/request.h"
#include "apiserver/validation/field.h"

/* A whole number; unchanged when absent. */
struct status *query_number(const struct exchange *exchange, const char *name, int64_t *ret_value) MUST_USE;
/* Whether the parameter is there; all but 0 and false is true. */
bool query_flag(const struct exchange *exchange, const char *name, bool *ret_value);

struct list_options {
	const char *version_text; /* resourceVersion as it came */
	int64_t version;	  /* -1: not given */
	const char *match;
	const char *token;
	int64_t limit;
	int64_t timeout_seconds;
	struct label_selector *labels; /* NULL: all */
	struct field_selector *fields;
	bool bookmarks;
	bool has_initial, initial;
};
/* All but the version and which fields can be selected by. */
struct status *list_options_parse(
	const struct exchange *exchange, struct request *request, struct list_options *ret_options) MUST_USE;

/* DeleteOptions out of the body, or of the query where there is none. */
struct status *decode_delete_options(
	struct exchange *exchange, struct request *request, MetaV1DeleteOptions **ret_options) MUST_USE;
/* dryRun, fieldManager, fieldValidation of the query into the request. */
struct status *decode_write_options(struct exchange *exchange, struct request *request) MUST_USE;
/* Whether a patch is a server-side apply. */
bool is_apply(struct exchange *exchange);
/* fieldManager and force, as the options of a write have them. */
void check_manager_options(struct field_errors *errors, struct exchange *exchange, const struct request *request);

#endif
