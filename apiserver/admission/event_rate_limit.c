#include <pthread.h>
#include "apiserver/admission/plugins.h"
#include "apiserver/config_file.h"
#include "apiserver/validation/field.h"
#include "base/mem.h"
#include "base/recent.h"
#include "base/str.h"
#include "client/backoff.h"

/* How many events the server takes: in all, of a namespace, of a user, of one source about one object. */

#define DEFAULT_KEYS 4096

static const struct config_form form = {.type = &EventratelimitV1alpha1Configuration_schema,
	.names = {{"eventratelimit.admission.k8s.io/v1alpha1", "Configuration"}}};

static const char *const types[] = {"Server", "Namespace", "User", "SourceAndObject", NULL};

struct limit {
	const EventratelimitV1alpha1Limit *told;
	struct recent *limiters; /* by key */
};

struct limits {
	pthread_mutex_t lock; /* guards the limiters */
	const struct clock *clock;
	struct limit *items;
	size_t n_items;
};

static void check(struct field_errors *errors, const EventratelimitV1alpha1Configuration *config)
{
	const struct field_path *limits = FIELD(NULL, "limits");
	if (!config->n_limits)
		field_invalid_json(errors, limits, "null", "must not be empty");
	for (size_t i = 0; i < config->n_limits; i++) {
		const EventratelimitV1alpha1Limit *l = config->limits[i];
		const struct field_path *path = FIELD_INDEX(limits, i);
		if (!str_in(str_or_empty(l->type), types))
			field_unsupported(errors, FIELD(path, "type"), l->type, types);
		if (l->burst <= 0)
			field_invalid_int(errors, FIELD(path, "burst"), l->burst, "must be positive");
		if (l->qps <= 0)
			field_invalid_int(errors, FIELD(path, "qps"), l->qps, "must be positive");
		if (!str_eq(l->type, "Server") && l->cache_size < 0)
			field_invalid_int(errors, FIELD(path, "cacheSize"), l->cache_size, "must not be negative");
	}
}

static void free_limiter(void *limiter)
{
	rate_limiter_free(limiter);
}

static struct status *start(struct admission_context *context, const struct admission_start *start)
{
	struct field_errors errors = FIELD_ERRORS_INIT(start->arena);
	EventratelimitV1alpha1Configuration *config = API_NEW(start->arena, EventratelimitV1alpha1Configuration);
	if (start->config)
		TRY(config_decode(start->arena, start->config, start->config_size, &form, &config));
	check(&errors, config);
	TRY(config_errors(&errors));
	struct limits *limits = mem_zalloc(sizeof(*limits));
	pthread_mutex_init(&limits->lock, NULL);
	limits->clock = context->clock;
	limits->items = ARENA_ARRAY(start->arena, struct limit, config->n_limits);
	for (size_t i = 0; i < config->n_limits; i++) {
		const EventratelimitV1alpha1Limit *told = config->limits[i];
		const size_t keys = told->cache_size ? (size_t)told->cache_size : DEFAULT_KEYS;
		limits->items[limits->n_items++] = (struct limit){told, recent_new(keys, free_limiter)};
	}
	context->own = limits;
	return NULL;
}

static void stop(void *own)
{
	struct limits *limits = own;
	for (size_t i = 0; i < limits->n_items; i++)
		recent_free(limits->items[i].limiters);
	pthread_mutex_destroy(&limits->lock);
	free(limits);
}

static const char *source_and_object(const struct admission_attributes *a)
{
	static const CoreV1EventSource no_source;
	static const CoreV1ObjectReference no_object;
	if (!API_IS(a->object, CoreV1Event))
		return "";
	const CoreV1Event *event = (const CoreV1Event *)a->object;
	const CoreV1EventSource *s = event->source ? event->source : &no_source;
	const CoreV1ObjectReference *o = event->involved_object ? event->involved_object : &no_object;
	return arena_printf(a->arena, "%s%s%s%s%s%s%s", str_or_empty(s->component), str_or_empty(s->host),
		str_or_empty(o->kind), str_or_empty(o->namespace), str_or_empty(o->name), str_or_empty(o->uid),
		str_or_empty(o->api_version));
}

static const char *key_of(const struct admission_attributes *a, const char *type)
{
	if (str_eq(type, "Namespace"))
		return a->namespace;
	if (str_eq(type, "User"))
		return a->user ? a->user->name : "";
	return str_eq(type, "SourceAndObject") ? source_and_object(a) : "";
}

static bool accept(struct limits *limits, const struct limit *limit, const char *key)
{
	struct rate_limiter *limiter = recent_get(limit->limiters, key);
	if (!limiter) {
		limiter = rate_limiter_new(limits->clock, limit->told->qps, limit->told->burst);
		recent_put(limit->limiters, key, limiter);
	}
	return rate_limiter_try(limiter);
}

static struct status *validate(const struct admission_context *context, const struct admission_attributes *a)
{
	struct limits *limits = context->own;
	char **reached = NULL;
	size_t n = 0;
	if (!str_empty(a->group) || !str_eq(a->kind, "Event") || a->dry_run)
		return NULL;
	pthread_mutex_lock(&limits->lock);
	for (size_t i = 0; i < limits->n_items; i++) {
		const struct limit *limit = &limits->items[i];
		const char *key = key_of(a, limit->told->type);
		if (!accept(limits, limit, key))
			ARENA_PUSH(a->arena, reached, n) =
				arena_printf(a->arena, "limit reached on type %s for key %s", limit->told->type, key);
	}
	pthread_mutex_unlock(&limits->lock);
	if (!n)
		return NULL;
	return status_new(STATUS_TOO_MANY_REQUESTS, n > 1 ? "Too many requests: [%s]" : "Too many requests: %s",
		str_join(a->arena, reached, n, ", "));
}

const struct admission_plugin event_rate_limit_plugin = {
	.name = "EventRateLimit",
	.operations = ON_CREATE | ON_UPDATE,
	.validate = validate,
	.start = start,
	.stop = stop,
};
