/* Stands in until admission is there. */
#include "apiserver/admission/admission.h"

static const struct flag flags[] = {{"enable-admission-plugins", 0, FLAG_IGNORED, NULL, "", ""},
	{"disable-admission-plugins", 0, FLAG_IGNORED, NULL, "", ""}, {NULL}};

struct flag *admission_flags(struct admission_options *options)
{
	return (struct flag *)(uintptr_t)flags;
}

struct status *admission_new(
	const struct admission_options *options, const struct admission_context *context, struct admission **ret)
{
	*ret = NULL;
	return NULL;
}

struct status *admission_mutate(struct admission *admission, const struct admission_attributes *a)
{
	return NULL;
}

struct status *admission_validate(struct admission *admission, const struct admission_attributes *a)
{
	return NULL;
}
