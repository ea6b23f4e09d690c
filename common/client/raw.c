#include <time.h>
#include "api/json.h"
#include "api/meta.h"
#include "api/protobuf.h"
#include "client/internal.h"

void client_sleep(struct client *client, int64_t ms)
{
	while (ms > 0 && !atomic_load(&client->cancelled)) {
		int64_t slice = ms < 100 ? ms : 100;
		struct timespec ts = {.tv_nsec = slice * 1000000};
		nanosleep(&ts, NULL);
		ms -= slice;
	}
}

/* What the original makes of an answer that is no Status (NewGenericServerResponse). */
static struct status *generic_error(const char *method, int code, const char *body, size_t size)
{
	if (size > 2048)
		size = 2048;
	switch (code) {
	case 400:
		return status_new(STATUS_BAD_REQUEST, "the server rejected our request for an unknown reason");
	case 401:
		return status_new(STATUS_UNAUTHORIZED, "the server has asked for the client to provide credentials");
	case 403:
		return status_new(STATUS_FORBIDDEN, "%.*s", size ? (int)size : 9, size ? body : "forbidden");
	case 404:
		return status_new(STATUS_NOT_FOUND, "the server could not find the requested resource");
	case 405:
		return status_new(
			STATUS_METHOD_NOT_ALLOWED, "the server does not allow this method on the requested resource");
	case 406:
		return status_new(STATUS_NOT_ACCEPTABLE,
			"the server was unable to respond with a content type that the client supports");
	case 409:
		return status_new(str_eq(method, "POST") ? STATUS_ALREADY_EXISTS : STATUS_CONFLICT,
			"the server reported a conflict");
	case 415:
		return status_new(STATUS_UNSUPPORTED_MEDIA, "the body of the request was in an unknown format");
	case 422:
		return status_new(STATUS_INVALID, "the server rejected our request due to an error in our request");
	case 429:
		return status_new(STATUS_TOO_MANY_REQUESTS,
			"the server has received too many requests and has asked us to try again later");
	case 503:
		return status_new(STATUS_UNAVAILABLE, "the server is currently unable to handle the request");
	case 504:
		return status_new(STATUS_TIMEOUT, "the server was unable to return a response in the time allotted, "
						  "but may still be processing the request");
	default:
		if (code >= 500)
			return status_with_code(
				status_internal(
					"an error on the server (\"%.*s\") has prevented the request from succeeding",
					size ? (int)size : 7, size ? body : "unknown"),
				code);
		return status_with_code(
			status_new(STATUS_UNKNOWN,
				"the server responded with the status code %d but did not return more information",
				code),
			code);
	}
}

struct status *client_status_from_body(const char *method, const char *path, int code, const void *body, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	MetaV1Status *status = NULL;
	struct status *error = NULL;
	(void)path;
	if (protobuf_has_magic(body, size)) {
		error = protobuf_decode(arena, &MetaV1Status_schema, body, size, &status);
	} else if (size && *(const char *)body == '{') {
		struct json_options options = JSON_LENIENT;
		char *kind = NULL;
		options.ret_kind = &kind;
		error = json_decode(arena, &MetaV1Status_schema, body, size, &options, &status);
		if (!error && !str_eq(kind, "Status"))
			status = NULL;
	}
	if (error) {
		status_drop(error, "it is no Status: the code says what happened");
		status = NULL;
	}
	if (!status || str_eq(status->status, "Success"))
		return generic_error(method, code, body, size);
	struct status *result = status_from_api(status);
	if (result && !result->code)
		result->code = code;
	return result ? result : generic_error(method, code, body, size);
}

static struct status *throttle(struct client *client)
{
	int64_t wait = client->limiter ? rate_limiter_reserve(client->limiter) : 0;
	if (wait > 0)
		client_sleep(client, wait);
	if (atomic_load(&client->cancelled))
		return status_new(STATUS_UNAVAILABLE, "client is shutting down");
	return NULL;
}

static void take_answer(struct transfer *t, struct client_response *ret)
{
	ret->code = t->code;
	ret->headers = t->headers;
	ret->n_headers = t->n_headers;
	ret->body = arena_strndup(t->arena, t->body.buf, t->body.len);
	ret->body_size = t->body.len;
}

/* Looked at last of all: a process may have been stopped, or a request have waited for its turn, past the term's end.
 */
static struct status *check_term(const struct client *client, const struct client_request *request)
{
	const atomic_llong *end_ms = client->config.writes_end_ms;
	if (!end_ms || str_eq(str_or(request->method, "GET"), "GET") ||
		clock_mono_ms(client->clock) < atomic_load(end_ms))
		return NULL;
	return status_new(STATUS_UNAVAILABLE, "the leader's term is over");
}

struct attempt {
	int64_t wait_ms; /* -1: no further attempt */
	bool rejected;	 /* it was a 401 */
};

static struct status *try_once(struct client *client, struct arena *arena, const struct client_request *request,
	struct client_response *ret, struct attempt *attempt)
{
	struct transfer t;
	*attempt = (struct attempt){.wait_ms = -1};
	TRY(transfer_init(&t, client, arena, request, true));
	struct status *over = check_term(client, request);
	if (over) {
		transfer_done(&t, true);
		return over;
	}
	struct status *error = transfer_perform(&t);
	bool safe = request->retry && !request->on_data;
	if (error) {
		/* Broken on the way, not refused: only what changes nothing may be sent again. */
		if (safe && t.code == 0 && status_is(error, STATUS_UNAVAILABLE) &&
			(strstr(error->message, "reset") || strstr(error->message, "EOF")))
			attempt->wait_ms = 100;
		transfer_done(&t, false);
		return error;
	}
	*ret = (struct client_response){.code = t.code, .body = ""};
	if (!(request->on_data && t.code >= 200 && t.code < 300))
		take_answer(&t, ret);
	if (t.code < 200 || t.code >= 300) {
		attempt->wait_ms = transfer_retry_after_ms(&t);
		attempt->rejected = t.code == 401;
		error = client_status_from_body(t.method, t.path, t.code, t.body.buf, t.body.len);
	}
	transfer_done(&t, !t.stopped);
	return error;
}

struct status *client_do(
	struct client *client, struct arena *arena, const struct client_request *request, struct client_response *ret)
{
	struct client_response unused;
	struct backoff backoff = {.base_ms = 50, .max_ms = 5000, .factor = 2, .jitter = 0.5};
	bool renewed = false;
	for (int n = 0;; n++) {
		struct attempt attempt;
		TRY(throttle(client));
		struct status *error = try_once(client, arena, request, ret ? ret : &unused, &attempt);
		if (!error || atomic_load(&client->cancelled))
			return error;
		if (attempt.rejected && !renewed && client_auth_rejected(client)) {
			renewed = true;
			status_drop(error, "the credential is renewed and the request sent again");
			continue;
		}
		if (attempt.wait_ms < 0 || n >= CLIENT_MAX_RETRIES)
			return error;
		status_drop(error, "the request is sent again");
		int64_t wait = backoff_next(&backoff, client->clock);
		client_sleep(client, attempt.wait_ms > wait ? attempt.wait_ms : wait);
	}
}
