#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

static const struct {
	const char *name;
	int code;
} reasons[STATUS_N_REASONS] = {
	[STATUS_UNKNOWN] = {"", 500},
	[STATUS_UNAUTHORIZED] = {"Unauthorized", 401},
	[STATUS_FORBIDDEN] = {"Forbidden", 403},
	[STATUS_NOT_FOUND] = {"NotFound", 404},
	[STATUS_ALREADY_EXISTS] = {"AlreadyExists", 409},
	[STATUS_CONFLICT] = {"Conflict", 409},
	[STATUS_GONE] = {"Gone", 410},
	[STATUS_EXPIRED] = {"Expired", 410},
	[STATUS_INVALID] = {"Invalid", 422},
	[STATUS_SERVER_TIMEOUT] = {"ServerTimeout", 500},
	[STATUS_TIMEOUT] = {"Timeout", 504},
	[STATUS_TOO_MANY_REQUESTS] = {"TooManyRequests", 429},
	[STATUS_BAD_REQUEST] = {"BadRequest", 400},
	[STATUS_METHOD_NOT_ALLOWED] = {"MethodNotAllowed", 405},
	[STATUS_NOT_ACCEPTABLE] = {"NotAcceptable", 406},
	[STATUS_TOO_LARGE] = {"RequestEntityTooLarge", 413},
	[STATUS_UNSUPPORTED_MEDIA] = {"UnsupportedMediaType", 415},
	[STATUS_INTERNAL] = {"InternalError", 500},
	[STATUS_UNAVAILABLE] = {"ServiceUnavailable", 503},
};

static char *format_text(const char *format, va_list args) PRINTF(1, 0);

static char *format_text(const char *format, va_list args)
{
	struct strbuf sb = STRBUF_INIT;
	strbuf_vprintf(&sb, format, args);
	return strbuf_steal(&sb);
}

static struct status *status_of(enum status_reason reason, char *message)
{
	struct status *s = mem_zalloc(sizeof(*s));
	s->reason = reason;
	s->code = reasons[reason].code;
	s->message = message;
	return s;
}

struct status *status_new(enum status_reason reason, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	struct status *s = status_of(reason, format_text(format, args));
	va_end(args);
	return s;
}

static enum status_reason reason_of_errno(int error)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
		return STATUS_NOT_FOUND;
	case EEXIST:
		return STATUS_ALREADY_EXISTS;
	case EACCES:
	case EPERM:
		return STATUS_FORBIDDEN;
	case ETIMEDOUT:
		return STATUS_TIMEOUT;
	case ECONNREFUSED:
	case ECONNRESET:
	case EPIPE:
	case ENETUNREACH:
	case EHOSTUNREACH:
		return STATUS_UNAVAILABLE;
	default:
		return STATUS_INTERNAL;
	}
}

struct status *status_errno(int error, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	CLEANUP_FREE char *what = format_text(format, args);
	va_end(args);
	const char *why = strerrordesc_np(error);
	return status_of(reason_of_errno(error), mem_printf("%s: %s", what, why ? why : "unknown error"));
}

struct status *status_with_code(struct status *s, int code)
{
	if (s)
		s->code = code;
	return s;
}

struct status *status_wrap(struct status *s, const char *format, ...)
{
	if (!s)
		return NULL;
	va_list args;
	va_start(args, format);
	CLEANUP_FREE char *prefix = format_text(format, args);
	va_end(args);
	char *message = mem_printf("%s: %s", prefix, s->message);
	free(s->message);
	s->message = message;
	return s;
}

static void replace(char **field, const char *value)
{
	free(*field);
	*field = mem_strdup(value);
}

struct status *status_details(struct status *s, const char *group, const char *kind, const char *name)
{
	if (!s)
		return NULL;
	replace(&s->group, group);
	replace(&s->kind, kind);
	replace(&s->name, name);
	return s;
}

struct status *status_continue(struct status *s, const char *token)
{
	free(s->continue_token);
	s->continue_token = mem_strdup(token);
	return s;
}

void status_add_cause(struct status *s, const char *reason, const char *field, const char *format, ...)
{
	s->causes = mem_realloc(s->causes, (s->n_causes + 1) * sizeof(*s->causes));
	va_list args;
	va_start(args, format);
	s->causes[s->n_causes++] = (struct status_cause){
		.reason = mem_strdup(reason), .field = mem_strdup(field), .message = format_text(format, args)};
	va_end(args);
}

bool status_has_cause(const struct status *s, const char *reason)
{
	for (size_t i = 0; s && i < s->n_causes; i++)
		if (str_eq(s->causes[i].reason, reason))
			return true;
	return false;
}

struct status *status_copy(const struct status *s)
{
	if (!s)
		return NULL;
	struct status *copy = status_of(s->reason, mem_strdup(s->message));
	copy->code = s->code;
	copy->retry_after_seconds = s->retry_after_seconds;
	copy->uid = mem_strdup(s->uid);
	copy->continue_token = mem_strdup(s->continue_token);
	copy->group = mem_strdup(s->group);
	copy->kind = mem_strdup(s->kind);
	copy->name = mem_strdup(s->name);
	for (size_t i = 0; i < s->n_causes; i++)
		status_add_cause(
			copy, s->causes[i].reason, s->causes[i].field, "%s", str_or_empty(s->causes[i].message));
	return copy;
}

void status_free(struct status *s)
{
	if (!s)
		return;
	int saved = errno;
	for (size_t i = 0; i < s->n_causes; i++) {
		free(s->causes[i].reason);
		free(s->causes[i].field);
		free(s->causes[i].message);
	}
	free(s->causes);
	free(s->message);
	free(s->group);
	free(s->kind);
	free(s->name);
	free(s->uid);
	free(s->continue_token);
	free(s);
	errno = saved;
}

void status_drop(struct status *s, const char *why)
{
	if (s)
		log_v(4, "dropped (%s): %s", why, s->message);
	status_free(s);
}

const char *status_reason_name(enum status_reason reason)
{
	return reasons[reason].name;
}

int status_reason_code(enum status_reason reason)
{
	return reasons[reason].code;
}

enum status_reason status_reason_from(const char *name, int code)
{
	if (!str_empty(name))
		for (int i = 1; i < STATUS_N_REASONS; i++)
			if (str_eq(reasons[i].name, name))
				return (enum status_reason)i;
	for (int i = 1; i < STATUS_N_REASONS; i++)
		if (reasons[i].code == code && i != STATUS_SERVER_TIMEOUT && i != STATUS_ALREADY_EXISTS)
			return (enum status_reason)i;
	return STATUS_UNKNOWN;
}
