#include "apiserver/admission/plugins.h"
#include "base/log.h"

/* Two that are there for old configurations. */

static struct status *admit(const struct admission_context *context, const struct admission_attributes *a)
{
	return NULL;
}

static struct status *deny(const struct admission_context *context, const struct admission_attributes *a)
{
	return admission_forbidden(a, "admission control is denying all modifications");
}

static void tell_deprecated(const char *name)
{
	log_warn("the admission plugin %s is deprecated: remove it from configuration files and scripts", name);
}

static struct status *start_admit(struct admission_context *context, const struct admission_start *start)
{
	tell_deprecated(always_admit_plugin.name);
	return NULL;
}

static struct status *start_deny(struct admission_context *context, const struct admission_start *start)
{
	tell_deprecated(always_deny_plugin.name);
	return NULL;
}

const struct admission_plugin always_admit_plugin = {
	.name = "AlwaysAdmit",
	.operations = ON_ALL,
	.mutate = admit,
	.validate = admit,
	.start = start_admit,
};

const struct admission_plugin always_deny_plugin = {
	.name = "AlwaysDeny",
	.operations = ON_ALL,
	.mutate = deny,
	.validate = deny,
	.start = start_deny,
};
