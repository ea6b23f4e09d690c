#include "api/meta.h"
#include "apiserver/validation/extension/extension.h"
#include "apiserver/validation/meta.h"
#include "apiserver/validation/pod/pod.h"
#include "base/str.h"

enum { MAX_GROUP_PRIORITY = 20000, MAX_VERSION_PRIORITY = 1000 };

static void check_service(
	struct field_errors *errors, const struct field_path *path, const ApiregistrationV1ServiceReference *s)
{
	const char *problem = check_port_number(s->port);
	if (str_empty(s->namespace))
		field_required(errors, FIELD(path, "namespace"), "");
	if (str_empty(s->name))
		field_required(errors, FIELD(path, "name"), "");
	if (problem)
		field_invalid_int(errors, FIELD(path, "port"), s->port,
			arena_printf(errors->arena, "port is not valid: %s", problem));
}

/* What is answered here needs nothing to reach it by. */
static void check_local(
	struct field_errors *errors, const struct field_path *path, const ApiregistrationV1APIServiceSpec *spec)
{
	if (spec->ca_bundle.len)
		field_invalid(errors, FIELD(path, "caBundle"),
			arena_printf(errors->arena, "%zu bytes", spec->ca_bundle.len),
			"local APIServices may not have a caBundle");
	if (spec->insecure_skip_tls_verify)
		field_invalid_bool(errors, FIELD(path, "insecureSkipTLSVerify"), true,
			"local APIServices may not have insecureSkipTLSVerify");
}

const char *api_service_name_problem(
	struct arena *arena, const ApiregistrationV1APIService *service, const char *name, bool prefix)
{
	const char *form = name_is_path_segment(arena, name, prefix);
	const char *wanted =
		arena_printf(arena, "%s.%s", str_or_empty(service->spec->version), str_or_empty(service->spec->group));
	if (form || str_eq(name, wanted))
		return form;
	return arena_printf(arena, "must be `spec.version+\".\"+spec.group`: %s", field_quote(arena, wanted));
}

void validate_api_service(struct field_errors *errors, const ApiregistrationV1APIService *service)
{
	const ApiregistrationV1APIServiceSpec *spec = service->spec;
	const struct field_path *path = FIELD(NULL, "spec");
	const char *group = str_or_empty(spec->group), *version = str_or_empty(spec->version);
	if (!*group && strcmp(version, "v1"))
		field_required(
			errors, FIELD(path, "group"), "only v1 may have an empty group and it better be legacy kube");
	if (*group)
		validate_text(errors, FIELD(path, "group"), group, check_dns_subdomain(errors->arena, group));
	validate_text(errors, FIELD(path, "version"), version, check_dns_1035_label(errors->arena, version));
	if (spec->group_priority_minimum <= 0 || spec->group_priority_minimum > MAX_GROUP_PRIORITY)
		field_invalid_int(errors, FIELD(path, "groupPriorityMinimum"), spec->group_priority_minimum,
			"must be positive and less than 20000");
	if (spec->version_priority <= 0 || spec->version_priority > MAX_VERSION_PRIORITY)
		field_invalid_int(errors, FIELD(path, "versionPriority"), spec->version_priority,
			"must be positive and less than 1000");
	if (!spec->service) {
		check_local(errors, path, spec);
		return;
	}
	check_service(errors, FIELD(path, "service"), spec->service);
	if (spec->insecure_skip_tls_verify && spec->ca_bundle.len)
		field_invalid_bool(
			errors, FIELD(path, "insecureSkipTLSVerify"), true, "may not be true if caBundle is present");
}

void validate_api_service_status(struct field_errors *errors, const ApiregistrationV1APIService *service)
{
	static const char *const statuses[] = {"True", "False", "Unknown", NULL};
	const struct field_path *path = FIELD(FIELD(NULL, "status"), "conditions");
	for (size_t i = 0; service->status && i < service->status->n_conditions; i++)
		if (!str_in(str_or_empty(service->status->conditions[i]->status), statuses))
			field_unsupported(errors, FIELD(FIELD_INDEX(path, i), "status"),
				service->status->conditions[i]->status, statuses);
}
