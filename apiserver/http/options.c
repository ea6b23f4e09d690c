#include "apiserver/http/options.h"
#include "api/meta.h"
#include "apiserver/http/decode.h"
#include "apiserver/registry/private.h"
#include "apiserver/validation/meta.h"

/* --- reading --- */

struct status *query_number(const struct exchange *exchange, const char *name, int64_t *ret_value)
{
	const char *text = exchange_query(exchange, name);
	if (!text || str_to_int64(text, INT64_MIN, INT64_MAX, ret_value))
		return NULL;
	const char *digits = text + (*text == '-' || *text == '+');
	bool number = *digits && !digits[strspn(digits, "0123456789")];
	return status_bad_request("strconv.ParseInt: parsing %s: %s", field_quote(exchange->arena, text),
		number ? "value out of range" : "invalid syntax");
}

bool query_flag(const struct exchange *exchange, const char *name, bool *ret_value)
{
	const char *text = exchange_query(exchange, name);
	*ret_value = text && !str_eq(text, "0") && !str_eq_nocase(text, "false");
	return text != NULL;
}

/* Every value of a parameter. */
static size_t query_all(const struct exchange *exchange, const char *name, char ***ret_values)
{
	size_t n = 0;
	*ret_values = NULL;
	for (size_t i = 0; i < exchange->n_query; i++)
		if (str_eq(exchange->query[i].key, name))
			ARENA_PUSH(exchange->arena, *ret_values, n) = exchange->query[i].value;
	return n;
}

/* --- of lists and watches --- */

static void check_match(struct field_errors *errors, const struct list_options *o, bool watch)
{
	static const char *const all[] = {"Exact", "NotOlderThan", "", NULL}, *const newer[] = {"NotOlderThan", NULL};
	const struct field_path *path = FIELD(NULL, "resourceVersionMatch");
	bool not_older = str_eq(o->match, "NotOlderThan"), exact = str_eq(o->match, "Exact");
	if (str_empty(o->match))
		return;
	if (watch && !o->has_initial)
		field_forbidden(errors, path,
			"resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
	if (watch && !not_older)
		field_unsupported(errors, path, o->match, newer);
	if (!watch && str_empty(o->version_text))
		field_forbidden(errors, path, "resourceVersionMatch is forbidden unless resourceVersion is provided");
	if (!str_empty(o->token))
		field_forbidden(errors, path, "resourceVersionMatch is forbidden when continue is provided");
	if (!watch && !not_older && !exact)
		field_unsupported(errors, path, o->match, all);
	if (!watch && exact && str_eq(o->version_text, "0"))
		field_forbidden(errors, path, "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
}

static struct status *check_list_options(struct request *request, const struct list_options *o, bool watch)
{
	struct field_errors errors = FIELD_ERRORS_INIT(request->arena);
	if (watch && o->has_initial && !str_eq(o->match, "NotOlderThan"))
		field_forbidden(&errors, FIELD(NULL, "resourceVersionMatch"),
			"sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
	check_match(&errors, o, watch);
	if (!watch && o->has_initial)
		field_forbidden(&errors, FIELD(NULL, "sendInitialEvents"), "sendInitialEvents is forbidden for list");
	return field_errors_status(&errors, "meta.k8s.io", "ListOptions", "");
}

/* A watch from no version begins with what is there as if it had asked for that, and where that ends is told. */
static void complete_watch(struct list_options *o)
{
	const bool from_now = str_empty(o->version_text) || str_eq(o->version_text, "0");
	if (!from_now || o->has_initial || !str_empty(o->match))
		return;
	o->has_initial = o->initial = true;
	o->match = "NotOlderThan";
}

/* Pages come out of etcd. From version 0 on the original lists out of its watch cache, whole; events have none there.
 */
static bool limit_counts(const struct request *request, const struct list_options *o)
{
	return !str_eq(o->version_text, "0") || !str_empty(o->token) || str_eq(request->resource, "events");
}

struct status *list_options_parse(
	const struct exchange *exchange, struct request *request, struct list_options *ret_options)
{
	struct list_options *o = ret_options;
	bool watch;
	*o = (struct list_options){.version = -1};
	o->version_text = str_or_empty(exchange_query(exchange, "resourceVersion"));
	o->match = str_or_empty(exchange_query(exchange, "resourceVersionMatch"));
	o->token = str_or_empty(exchange_query(exchange, "continue"));
	TRY(query_number(exchange, "timeoutSeconds", &o->timeout_seconds));
	TRY(query_number(exchange, "limit", &o->limit));
	const char *labels = exchange_query(exchange, "labelSelector"),
		   *fields = exchange_query(exchange, "fieldSelector");
	if (!str_empty(labels))
		TRY(status_with_code(label_selector_parse(request->arena, labels, &o->labels), 400));
	if (!str_empty(fields))
		TRY(field_selector_parse(request->arena, fields, &o->fields));
	query_flag(exchange, "allowWatchBookmarks", &o->bookmarks);
	o->has_initial = query_flag(exchange, "sendInitialEvents", &o->initial);
	if (!limit_counts(request, o))
		o->limit = 0;
	/* A watch by its path alone is checked like a list. */
	query_flag(exchange, "watch", &watch);
	if (watch)
		complete_watch(o);
	return check_list_options(request, o, watch);
}

/* --- of writes --- */

/* CreateOptions, PatchOptions, … */
static const char *options_kind(const struct request *request)
{
	if (str_eq(request->verb, "patch"))
		return "PatchOptions";
	return str_eq(request->verb, "update") ? "UpdateOptions" : "CreateOptions";
}

bool is_apply(struct exchange *exchange)
{
	return str_eq(patch_type_of(exchange), "application/apply-patch+yaml");
}

/* The name given, or what the client calls itself. */
static const char *field_manager(struct exchange *exchange)
{
	const char *given = exchange_query(exchange, "fieldManager");
	if (!str_empty(given))
		return given;
	return manager_name_of_agent(exchange->arena, str_or_empty(exchange_header(exchange, "User-Agent")));
}

struct status *decode_write_options(struct exchange *exchange, struct request *request)
{
	static const char *const validations[] = {"", "Ignore", "Strict", "Warn", NULL};
	struct field_errors errors = FIELD_ERRORS_INIT(request->arena);
	char **dry_run;
	size_t n = query_all(exchange, "dryRun", &dry_run);
	request->field_manager = field_manager(exchange);
	request->field_validation = str_or_empty(exchange_query(exchange, "fieldValidation"));
	request->dry_run |= n > 0;
	check_manager_options(&errors, exchange, request);
	validate_dry_run(&errors, dry_run, n);
	if (!str_in(request->field_validation, validations))
		field_unsupported(&errors, FIELD(NULL, "fieldValidation"), request->field_validation, validations);
	return field_errors_status(&errors, "meta.k8s.io", options_kind(request), "");
}

/* --- of deletions --- */

static struct status *query_delete_options(struct exchange *exchange, MetaV1DeleteOptions *o)
{
	const char *policy = exchange_query(exchange, "propagationPolicy"), *uid = exchange_query(exchange, "uid"),
		   *version = exchange_query(exchange, "resourceVersion");
	bool orphan;
	TRY(query_number(exchange, "gracePeriodSeconds", &o->grace_period_seconds));
	o->has_grace_period_seconds = exchange_query(exchange, "gracePeriodSeconds") != NULL;
	o->has_orphan_dependents = query_flag(exchange, "orphanDependents", &orphan);
	o->orphan_dependents = orphan;
	if (policy)
		o->propagation_policy = arena_strdup(exchange->arena, policy);
	if (!str_empty(uid) || !str_empty(version))
		o->preconditions = API_NEW(exchange->arena, MetaV1Preconditions);
	if (!str_empty(uid))
		o->preconditions->uid = arena_strdup(exchange->arena, uid);
	if (!str_empty(version))
		o->preconditions->resource_version = arena_strdup(exchange->arena, version);
	o->n_dry_run = query_all(exchange, "dryRun", &o->dry_run);
	return NULL;
}

struct status *decode_delete_options(
	struct exchange *exchange, struct request *request, MetaV1DeleteOptions **ret_options)
{
	ProtobufCMessage *object = NULL;
	if (exchange->body_size) {
		TRY(decode_body_plainly(exchange, request, &MetaV1DeleteOptions_schema, &object));
		*ret_options = (MetaV1DeleteOptions *)object;
	} else {
		*ret_options = API_NEW(request->arena, MetaV1DeleteOptions);
		TRY(query_delete_options(exchange, *ret_options));
	}
	request->dry_run |= (*ret_options)->n_dry_run > 0;
	return validate_delete_options(request->arena, *ret_options);
}

void check_manager_options(struct field_errors *errors, struct exchange *exchange, const struct request *request)
{
	const char *name = str_or_empty(exchange_query(exchange, "fieldManager"));
	bool patch = str_eq(request->verb, "patch"), applies = is_apply(exchange);
	if (patch && applies && !*name)
		field_required(errors, FIELD(NULL, "fieldManager"), "is required for apply patch");
	if (patch && !applies && exchange_query(exchange, "force"))
		field_forbidden(errors, FIELD(NULL, "force"), "may not be specified for non-apply patch");
	validate_manager_name(errors, FIELD(NULL, "fieldManager"), name);
}
