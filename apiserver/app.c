#include "apiserver/app.h"
#include "api/meta.h"
#include "apiserver/http/answer.h"
#include "apiserver/http/messages.h"
#include "apiserver/http/paths.h"
#include "apiserver/http/route.h"
#include "apiserver/http/verbs.h"
#include "apiserver/registry/private.h"
#include "base/encode.h"
#include "base/log.h"

#define MAX_CERTIFICATES 10

static const struct {
	const char *verb;
	verb_fn *fn;
} verbs[] = {
	{"get", verb_get},
	{"list", verb_list},
	{"watch", verb_watch},
	{"create", verb_create},
	{"update", verb_update},
	{"patch", verb_patch},
	{"delete", verb_delete},
	{"deletecollection", verb_delete_collection},
};

/* --- who asks, and may they --- */

static const char *get_header(void *data, const char *name, size_t nth)
{
	return exchange_header_nth(data, name, nth);
}

static void each_header(void *data, void (*each)(void *each_data, const char *name, const char *value), void *each_data)
{
	exchange_each_header(data, each, each_data);
}

static void warn(void *data, const char *text)
{
	request_warn(data, "%s", text);
}

static struct authn_request credentials(struct exchange *exchange, struct request *r)
{
	struct authn_certificate *chain = ARENA_ARRAY(exchange->arena, struct authn_certificate, MAX_CERTIFICATES);
	size_t n = 0;
	while (n < MAX_CERTIFICATES && exchange_certificate(exchange, n, &chain[n].der, &chain[n].size))
		n++;
	return (struct authn_request){.chain = chain,
		.n_chain = n,
		.path = r->path,
		.header = get_header,
		.each_header = each_header,
		.data = exchange,
		.warn = warn,
		.warn_data = r};
}

static double seconds_since(const struct app *app, int64_t begin_ns)
{
	return (double)(clock_mono_ns(app->clock) - begin_ns) / 1e9;
}

static struct status *authorize(struct app *app, struct exchange *exchange, const struct request *r)
{
	static const char *const of_many[] = {"list", "watch", "deletecollection", NULL};
	const struct authz_attributes a = {.user = r->user,
		.verb = r->verb,
		.resource_request = r->is_resource,
		.group = r->group,
		.version = r->version,
		.resource = r->resource,
		.subresource = r->subresource,
		.namespace = r->namespace,
		.name = r->name,
		.path = r->path,
		.field_selector = str_in(r->verb, of_many) && !r->by_prefix
					  ? str_or_empty(exchange_query(exchange, "fieldSelector"))
					  : ""};
	const char *reason = "";
	int64_t begin_ns = clock_mono_ns(app->clock);
	enum authz_decision decision = authz_authorize(app->authz, r->arena, &a, &reason);
	double seconds = seconds_since(app, begin_ns);
	access_decided(&app->access, decision, seconds);
	access_filtered(&app->access, ACCESS_AUTHORIZATION, seconds);
	return decision == AUTHZ_ALLOW ? NULL : authz_forbidden(&a, reason);
}

static struct status *identify(struct app *app, struct exchange *exchange, struct request *r)
{
	const struct authn_request who = credentials(exchange, r);
	struct user *user;
	int64_t begin_ns = clock_mono_ns(app->clock);
	struct status *unknown = authn_authenticate(app->authn, r->arena, &who, &user);
	bool says = who.n_chain || exchange_header(exchange, "Authorization");
	double seconds = seconds_since(app, begin_ns);
	access_filtered(&app->access, ACCESS_AUTHENTICATION, seconds);
	access_identified(&app->access,
		!unknown ? ACCESS_SUCCESS
		: says	 ? ACCESS_ERROR
			 : ACCESS_FAILURE,
		unknown ? NULL : user, seconds, clock_wall_s(app->clock));
	TRY(unknown);
	r->user = user;
	begin_ns = clock_mono_ns(app->clock);
	struct status *refused = authz_impersonate(app->authz, r->arena, &who, r->path, user, &r->user);
	access_filtered(&app->access, ACCESS_IMPERSONATION, seconds_since(app, begin_ns));
	const bool senseless = refused && refused->code == 500;
	if (!refused)
		refused = authorize(app, exchange, r);
	if (refused)
		reply_header(exchange, "X-Content-Type-Options", "nosniff");
	/* Headers that make no sense together are told of in plain text. */
	if (senseless)
		answer_text(exchange, 500, arena_printf(r->arena, "%s\n", refused->message));
	return refused;
}

/* --- what is asked --- */

static bool is_connect(const struct request *r)
{
	static const char *const names[] = {"log", "exec", "attach", "portforward", "proxy", NULL};
	return *r->subresource && str_in(r->subresource, names);
}

/* What is the cluster's is not found below a namespace: whoever rules there must not reach it. A Namespace itself is
 * named twice. */
static bool is_misplaced(const struct request *r)
{
	if (r->schema->namespaced || str_empty(r->namespace))
		return false;
	return r->schema->type != &CoreV1Namespace_schema || !str_eq(r->namespace, r->name);
}

/* The verb must be among those the schema has for the resource or subresource. */
static struct status *check_served(const struct request *r)
{
	if (!r->schema || is_misplaced(r) || (*r->subresource && !schema_find_subresource(r->schema, r->subresource)))
		return status_unknown_path();
	const char *const *served = r->schema->verbs;
	if (*r->subresource)
		served = schema_find_subresource(r->schema, r->subresource)->verbs;
	/* What cannot be listed is found in its namespace alone, and what cannot be watched below no prefix. */
	bool everywhere = r->schema->namespaced && str_empty(r->namespace);
	if ((everywhere && !str_in("list", r->schema->verbs)) ||
		(r->by_prefix && (*r->subresource || !str_in("watch", r->schema->verbs))))
		return status_unknown_path();
	/* Across namespaces things are only looked at. */
	bool across = everywhere && !str_in(r->verb, (const char *const[]){"list", "watch", NULL});
	if (across && *r->name)
		return r->in_namespace ? status_bad_request("Namespace parameter required.") : status_unknown_path();
	static const char *const single[] = {"get", "update", "patch", "delete"}, *const writes[] = {
											  "update", "patch", NULL};
	size_t n_single = 0;
	for (size_t i = 0; i < ARRAY_SIZE(single); i++)
		n_single += str_in(single[i], r->schema->verbs);
	if (!n_single && *r->name && !*r->subresource)
		return status_unknown_path();
	if (str_eq(r->namespace, ".") || str_eq(r->namespace, ".."))
		return status_internal("invalid key: \"/%s/%s\"", r->resource, r->namespace);
	/* One of them has a name, and one that is to be has none in its path. */
	bool misnamed = str_eq(r->verb, "create") ? *r->name && !*r->subresource : str_in(r->verb, writes) && !*r->name;
	/* Who lists is asked to watch, and knows better what is wrong with that. */
	bool has_verb = str_in(r->verb, served) || (str_eq(r->verb, "watch") && str_in("list", served));
	if (!across && !misnamed && (has_verb || is_connect(r)))
		return NULL;
	return status_not_allowed();
}

/* A Table shows what can be listed, and its status and scale. The servers of definitions and of APIServices have none
 * of a status. */
static bool has_table(const struct request *r)
{
	static const char *const subresources[] = {"", "status", "scale", NULL};
	static const char *const without_status[] = {"apiextensions.k8s.io", "apiregistration.k8s.io", NULL};
	return str_in("list", r->schema->verbs) && str_in(r->subresource, subresources) &&
	       !(str_eq(r->subresource, "status") && str_in(r->group, without_status));
}

static struct status *first_of(struct status *first, struct status *second)
{
	if (first)
		status_free(second);
	return first ? first : second;
}

/* What finds no way to who would answer it is not counted. */
static MUST_USE struct status *unrouted(struct request *r, struct status *why)
{
	if (why)
		r->counted = false;
	return why;
}

static void warn_of_deprecated(struct request *r)
{
	if (r->schema->type == &CoreV1Endpoints_schema)
		request_warn(r, "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice");
	if (r->schema->type == &CoreV1ComponentStatus_schema)
		request_warn(r, "v1 ComponentStatus is deprecated in v1.19+");
}

static struct status *respond_resource(struct exchange *exchange, struct request *r)
{
	struct accept accept;
	struct list_options options;
	TRY(unrouted(r, check_served(r)));
	/* The path of a Namespace names it twice, which is meant for the authorizer; it is kept at the cluster's level.
	 */
	if (!r->schema->namespaced)
		r->namespace = "";
	if (is_connect(r))
		return verb_connect(exchange, r, &accept);
	if (str_eq(exchange->method, "HEAD") || (r->by_prefix && !str_eq(exchange->method, "GET")))
		return unrouted(r, status_not_allowed());
	bool lists = str_eq(r->verb, "list") || str_eq(r->verb, "watch");
	if (str_eq(r->verb, "patch"))
		TRY(unrouted(r, verb_patch_check(exchange)));
	TRY(unrouted(r, accept_route(r->arena, exchange_header(exchange, "Accept"), lists)));
	warn_of_deprecated(r);
	struct status *refused = accept_parse(exchange, has_table(r) ? SHAPES_ALL : SHAPES_METADATA, &accept);
	if (refused)
		return lists ? first_of(list_options_parse(exchange, r, &options), refused) : refused;
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (str_eq(verbs[i].verb, r->verb))
			return verbs[i].fn(exchange, r, &accept);
	return status_not_allowed();
}

/* Watches and connections last as long as they are told otherwise. */
static bool lasts(const struct request *r)
{
	return str_eq(r->verb, "watch") || (r->is_resource && is_connect(r));
}

/* How long the sender of the request waits for the answer (endpoints/filters/request_deadline.go). What can never be
 * met is not begun; *ret_late then. */
static struct status *check_timeout(struct exchange *exchange, const struct request *r, bool *ret_late)
{
	const char *text = exchange_query(exchange, "timeout");
	int64_t ns;
	*ret_late = false;
	if (str_empty(text) || lasts(r))
		return NULL;
	if (!duration_parse(text, &ns))
		return status_bad_request(
			"invalid timeout specified in the request URL - %s", duration_problem(r->arena, text));
	*ret_late = ns > 0 && clock_mono_ms(r->clock) - exchange->started_ms >= ns / 1000000;
	return NULL;
}

/* As the original writes it from outside the request, whatever form was asked for. */
static void answer_late(struct exchange *exchange)
{
	static const char text[] =
		"{\"metadata\":{},\"status\":\"Failure\",\"message\":\"Timeout: request did not complete "
		"within the allotted timeout\",\"reason\":\"Timeout\",\"details\":{},\"code\":504}\n";
	reply_bytes(exchange, 504, "text/plain; charset=utf-8", text, strlen(text));
}

/* --- who comes when the server is about to end --- */

/* Who looks after servers is not sent to another (filters/with_retry_after.go). */
static bool is_served_to_the_end(struct exchange *exchange)
{
	static const char *const prefixes[] = {"/readyz", "/livez", "/healthz", "/metrics"};
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (str_starts_with(exchange->path, prefixes[i]))
			return true;
	return str_starts_with(str_or_empty(exchange_header(exchange, "User-Agent")), "kube-apiserver/");
}

static struct status *send_away(const struct app *app, struct exchange *exchange)
{
	if (app->send_retry_after) {
		reply_header(exchange, "Connection", "close");
		reply_header(exchange, "Retry-After", "5");
		answer_text(exchange, 429, "The apiserver is shutting down, please try again later.\n");
		return NULL;
	}
	struct status *status = status_new(STATUS_UNAVAILABLE, "apiserver is shutting down");
	reply_header(exchange, "Retry-After", "1");
	reply_header(exchange, "X-Content-Type-Options", "nosniff");
	return status;
}

/* For how long it is there: others end what goes on and on between two of them. */
static enum exchange_length length_of(struct exchange *exchange, const struct request *r)
{
	bool follows = false;
	if (str_eq(r->verb, "watch"))
		return messages_wanted(exchange) ? EXCHANGE_ENDLESS : EXCHANGE_WATCH;
	if (!r->is_resource || !is_connect(r))
		return EXCHANGE_BRIEF;
	const char *follow = exchange_query(exchange, "follow");
	if (str_eq(r->subresource, "log"))
		return follow && str_to_bool(follow, &follows) && follows ? EXCHANGE_ENDLESS : EXCHANGE_BRIEF;
	return exchange_header(exchange, "Upgrade") ? EXCHANGE_ENDLESS : EXCHANGE_BRIEF;
}

static struct status *respond(struct app *app, struct exchange *exchange, struct request *r)
{
	bool late;
	/* It is the server that is asked whether it is there, not what it serves. */
	if (str_eq(exchange->method, "OPTIONS") && str_eq(exchange->raw_path, "*")) {
		reply_bytes(exchange, 200, NULL, "", 0);
		return NULL;
	}
	if (exchange->late && !is_served_to_the_end(exchange))
		return send_away(app, exchange);
	const enum exchange_length length = length_of(exchange, r);
	if (length != EXCHANGE_BRIEF)
		exchange_lasts(exchange, length);
	TRY(check_timeout(exchange, r, &late));
	if (late) {
		answer_late(exchange);
		return NULL;
	}
	if (r->by_prefix && !*r->resource) {
		const char *uri = arena_printf(
			r->arena, "%s%s%s", exchange->raw_path, *exchange->raw_query ? "?" : "", exchange->raw_query);
		answer_text(exchange, 500,
			arena_printf(r->arena,
				"Internal Server Error: \"%s\": failed to create RequestInfo: unable to determine kind "
				"and namespace from url, %s\n",
				uri, uri));
		return NULL;
	}
	/* A path of a group that nobody serves is no resource at all. */
	bool unknown = r->is_resource &&
		       (!served_version(app->served, r->group, r->version) || str_starts_with(exchange->path, "//"));
	TRY(identify(app, exchange, r));
	app_request_admitted(app, r);
	if (!r->is_resource || unknown)
		return paths_respond(app, exchange, r);
	if (!cache_synced(registry_cache(app->registry)))
		return status_initializing(NULL);
	return respond_resource(exchange, r);
}

static struct request *new_request(struct app *app, struct exchange *exchange)
{
	struct request *r = ARENA_NEW(exchange->arena, struct request);
	r->arena = exchange->arena;
	r->registry = app->registry;
	r->objects = registry_objects(app->registry);
	r->context = &app->strategies;
	r->clock = app->clock;
	route_request(r, exchange, app->served);
	r->strategy = strategy_find(r->group, r->resource);
	exchange->user = r;
	return r;
}

/* What the request is called, in logs and between servers: as its sender says, or anew
 * (endpoints/filters/audit_init.go). */
static void name_request(struct exchange *exchange)
{
	const char *name = exchange_header(exchange, "Audit-ID");
	char fresh[37];
	if (str_empty(name))
		uuid_generate(fresh);
	reply_header(exchange, "Audit-ID", str_or(name, fresh));
}

void app_handle(struct exchange *exchange, void *data)
{
	struct app *app = data;
	struct request *r = exchange->user ? exchange->user : new_request(app, exchange);
	name_request(exchange);
	if (origins_tell(app->origins, exchange))
		return;
	app_request_begins(app, r);
	struct status *status = respond(app, exchange, r);
	if (status && !exchange_replied(exchange)) {
		/* A fault of ours; 503 and 504 are answers about others, which clients expect. */
		if (status->code == 500)
			log_warn("%s %s: %s", exchange->method, exchange->path, status->message);
		answer_warnings(exchange, r);
		answer_status(exchange, status);
	} else {
		status_drop(status, "the reply has begun");
	}
	reply_compress(exchange);
	app_request_ends(app, r);
}

/* Whether all that is needed is in memory, but for freshness: one object, asked for with a certificate. A token may
 * have to be looked up. */
static bool is_at_hand(const struct app *app, struct exchange *exchange, const struct request *r)
{
	struct cache *cache = registry_cache(app->registry);
	const uint8_t *der;
	size_t size;
	if (!str_eq(r->verb, "get") || !r->schema || *r->subresource || !cache_synced(cache) || !request_table(r))
		return false;
	return exchange_certificate(exchange, 0, &der, &size) && !exchange_header(exchange, "Authorization") &&
	       !exchange_header(exchange, "Sec-WebSocket-Protocol");
}

static void fresh_now(void *data, struct status *status)
{
	struct exchange *exchange = data;
	struct request *r = exchange->user;
	r->asked_fresh = true;
	r->fresh = status;
	table_waited(request_table(r), (double)(clock_mono_ns(r->clock) - r->asked_ns) / 1e9);
	exchange_go_on(exchange);
}

bool app_handle_at_once(struct exchange *exchange, void *data)
{
	struct app *app = data;
	exchange->user = new_request(app, exchange);
	struct cache *cache = registry_cache(app->registry);
	const char *version = exchange_query(exchange, "resourceVersion");
	int64_t revision;
	if (!is_at_hand(app, exchange, exchange->user))
		return false;
	if (str_empty(version)) {
		((struct request *)exchange->user)->asked_ns = clock_mono_ns(app->clock);
		exchange_put_off(exchange);
		cache_fresh_later(cache, fresh_now, exchange);
		return true;
	}
	if (!str_to_int64(version, 0, INT64_MAX, &revision) || revision > cache_revision(cache))
		return false;
	app_handle(exchange, app);
	return true;
}
