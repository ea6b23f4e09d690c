#include <ctype.h>
#include "api/meta.h"
#include "apiserver/validation/meta.h"
#include "apiserver/validation/policy.h"
#include "apiserver/validation/pod/pod.h"
#include "base/nameset.h"
#include "base/str.h"

enum { MAX_REASON_BYTES = 1024, MAX_MESSAGE_BYTES = 32 * 1024 };

/* One word, or several joined by commas and colons. */
static const char *check_reason(const char *reason)
{
	size_t len = strlen(reason);
	bool good = isalpha((unsigned char)reason[0]);
	for (size_t i = 0; good && i < len; i++)
		good = isalnum((unsigned char)reason[i]) || reason[i] == '_' ||
		       (i + 1 < len && (reason[i] == ',' || reason[i] == ':'));
	return good ? NULL
		    : "a condition reason must start with alphabetic character, optionally followed by a string of "
		      "alphanumeric characters or '_,:', and must end with an alphanumeric character or '_' (e.g. "
		      "'my_name',  or 'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex "
		      "used for validation is '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?')";
}

static void check_condition(struct field_errors *errors, const struct field_path *path, const MetaV1Condition *c)
{
	static const char *const statuses[] = {"False", "True", "Unknown", NULL};
	const char *type = str_or_empty(c->type), *reason = str_or_empty(c->reason);
	validate_text(errors, FIELD(path, "type"), type, check_qualified_name(errors->arena, type));
	if (!str_in(str_or_empty(c->status), statuses))
		field_unsupported(errors, FIELD(path, "status"), c->status, statuses);
	if (c->observed_generation < 0)
		field_invalid_int(errors, FIELD(path, "observedGeneration"), c->observed_generation,
			"must be greater than or equal to zero");
	if (time_is_zero(c->last_transition_time))
		field_required(errors, FIELD(path, "lastTransitionTime"), "");
	if (!*reason)
		field_required(errors, FIELD(path, "reason"), "");
	else
		validate_text(errors, FIELD(path, "reason"), reason, check_reason(reason));
	if (strlen(reason) > MAX_REASON_BYTES)
		field_too_long(errors, FIELD(path, "reason"), MAX_REASON_BYTES);
	if (strlen(str_or_empty(c->message)) > MAX_MESSAGE_BYTES)
		field_too_long(errors, FIELD(path, "message"), MAX_MESSAGE_BYTES);
}

void validate_conditions(
	struct field_errors *errors, const struct field_path *path, MetaV1Condition *const *conditions, size_t n)
{
	struct nameset seen = {.arena = errors->arena};
	for (size_t i = 0; i < n; i++) {
		if (!nameset_add(&seen, conditions[i]->type))
			field_duplicate(errors, FIELD(FIELD_INDEX(path, i), "type"), conditions[i]->type);
		check_condition(errors, FIELD_INDEX(path, i), conditions[i]);
	}
}
