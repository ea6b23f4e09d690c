/*
 * The one error type: what went wrong, as the API says it (code, reason, message, causes).
 *
 *	struct status *s = store_get(store, key, &object);
 *	if (s)
 *		return status_wrap(s, "pod %s/%s", namespace, name);
 *
 * NULL is success. A status belongs to whoever receives it: free it, return it, or status_drop() it.
 * Codes and reasons are those of metav1.Status (k8s.io/apimachinery/pkg/apis/meta/v1, StatusReason).
 */
#ifndef BASE_STATUS_H
#define BASE_STATUS_H

#include <stdbool.h>
#include <stdint.h>
#include "base/cleanup.h"

enum status_reason {
	STATUS_UNKNOWN,		   /* 500, empty reason */
	STATUS_UNAUTHORIZED,	   /* 401 */
	STATUS_FORBIDDEN,	   /* 403 */
	STATUS_NOT_FOUND,	   /* 404 */
	STATUS_ALREADY_EXISTS,	   /* 409 */
	STATUS_CONFLICT,	   /* 409 */
	STATUS_GONE,		   /* 410 */
	STATUS_EXPIRED,		   /* 410, "Expired": a resource version too old */
	STATUS_INVALID,		   /* 422 */
	STATUS_SERVER_TIMEOUT,	   /* 500 in the original's NewServerTimeout; retry */
	STATUS_TIMEOUT,		   /* 504 */
	STATUS_TOO_MANY_REQUESTS,  /* 429 */
	STATUS_BAD_REQUEST,	   /* 400 */
	STATUS_METHOD_NOT_ALLOWED, /* 405 */
	STATUS_NOT_ACCEPTABLE,	   /* 406 */
	STATUS_TOO_LARGE,	   /* 413, RequestEntityTooLarge */
	STATUS_UNSUPPORTED_MEDIA,  /* 415, UnsupportedMediaType */
	STATUS_INTERNAL,	   /* 500, InternalError */
	STATUS_UNAVAILABLE,	   /* 503, ServiceUnavailable */
	STATUS_N_REASONS,
};

/* One cause in details.causes: reason FieldValueInvalid and so on, the field path, the sentence. */
struct status_cause {
	char *reason;
	char *field;
	char *message;
};

struct status {
	enum status_reason reason;
	int code; /* the HTTP code */
	char *message;
	/* details; any may be NULL */
	char *group;
	char *kind; /* the resource's plural for a NotFound, the kind for an Invalid, as the original fills it */
	char *name;
	char *uid;
	int32_t retry_after_seconds;
	char *continue_token; /* of a list that can go on otherwise: metadata.continue */
	struct status_cause *causes;
	size_t n_causes;
};

struct status *status_new(enum status_reason reason, const char *format, ...) MUST_USE PRINTF(2, 3);
/* Internal errors and bad input are the most common: */
#define status_internal(...) status_new(STATUS_INTERNAL, __VA_ARGS__)
#define status_bad_request(...) status_new(STATUS_BAD_REQUEST, __VA_ARGS__)
/* "…: <strerror>" with the reason that fits the errno. */
struct status *status_errno(int error, const char *format, ...) MUST_USE PRINTF(2, 3);
/* A status with a code that is not its reason's own (a proxied answer). */
struct status *status_with_code(struct status *s, int code) MUST_USE;
/* Puts "prefix: " before the message, keeps all else. Takes and returns ownership; NULL stays NULL. */
struct status *status_wrap(struct status *s, const char *format, ...) MUST_USE PRINTF(2, 3);
/* Sets details (strings are copied); returns s for chaining. */
struct status *status_details(struct status *s, const char *group, const char *kind, const char *name) MUST_USE;
struct status *status_continue(struct status *s, const char *token) MUST_USE;
void status_add_cause(struct status *s, const char *reason, const char *field, const char *format, ...) PRINTF(4, 5);
/* Whether the error has a cause of that reason; NULL has none. */
bool status_has_cause(const struct status *s, const char *reason);
#define CAUSE_NAMESPACE_TERMINATING "NamespaceTerminating"
struct status *status_copy(const struct status *s);
void status_free(struct status *s);
DEFINE_CLEANUP(struct status *, status_free)
#define CLEANUP_STATUS CLEANUP(status_freep)
/* Ends a status that does not matter here; why says why. NULL is allowed. */
void status_drop(struct status *s, const char *why);

static inline bool status_is(const struct status *s, enum status_reason reason)
{
	return s && s->reason == reason;
}

/* "NotFound", "AlreadyExists", … ; "" for STATUS_UNKNOWN. */
const char *status_reason_name(enum status_reason reason);
int status_reason_code(enum status_reason reason);
/* By name, or by HTTP code where the name is unknown or NULL. */
enum status_reason status_reason_from(const char *name, int code);

/* Returns early with a failed status. */
#define TRY(expression)                             \
	do {                                        \
		struct status *try_ = (expression); \
		if (try_)                           \
			return try_;                \
	} while (0)

#endif
