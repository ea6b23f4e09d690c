#include "apiserver/admission/plugins.h"
#include "base/nameset.h"

/* External addresses take traffic that is meant for others: no Service gets new ones. */

static bool has_new_address(struct arena *arena, const CoreV1Service *service, const CoreV1Service *old)
{
	struct nameset before = {.arena = arena};
	for (size_t i = 0; old && old->spec && i < old->spec->n_external_ips; i++)
		nameset_add(&before, old->spec->external_ips[i]);
	for (size_t i = 0; service->spec && i < service->spec->n_external_ips; i++)
		if (!nameset_has(&before, service->spec->external_ips[i]))
			return true;
	return false;
}

static struct status *validate(const struct admission_context *context, const struct admission_attributes *a)
{
	if (!admission_is(a, "", "services", "") || !API_IS(a->object, CoreV1Service))
		return NULL;
	if (has_new_address(a->arena, (const CoreV1Service *)a->object,
		    API_IS(a->old, CoreV1Service) ? (const CoreV1Service *)a->old : NULL))
		return admission_forbidden(a, "Use of external IPs is denied by admission control");
	return NULL;
}

const struct admission_plugin deny_external_ips_plugin = {
	.name = "DenyServiceExternalIPs",
	.operations = ON_CREATE | ON_UPDATE,
	.validate = validate,
};
