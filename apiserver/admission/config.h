/*
 * --admission-control-config-file: what plugins are told, each in a kind of its own, in the file or in one that it
 *names.
 *
 *	ApiserverV1AdmissionConfiguration *all;
 *	TRY(admission_config_read(arena, path, &all));
 *	TRY(admission_config_of(arena, all, "EventRateLimit", &text, &size));
 *	TRY(admission_config_decode(arena, text, size, &form, &config));
 *
 * Ownership: all lives in the arena.
 */
#ifndef APISERVER_ADMISSION_CONFIG_H
#define APISERVER_ADMISSION_CONFIG_H

#include "api/types.h"
#include "base/arena.h"
#include "base/status.h"

/* "" reads as a file that says nothing. */
struct status *admission_config_read(
	struct arena *arena, const char *path, ApiserverV1AdmissionConfiguration **ret_all) MUST_USE;
/* NULL: it says nothing to that plugin. */
struct status *admission_config_of(struct arena *arena, const ApiserverV1AdmissionConfiguration *all,
	const char *plugin, const char **ret_text, size_t *ret_size) MUST_USE;

/* A kind of configuration, and the names that it goes by. */
struct admission_config_form {
	const struct schema_type *type;
	bool strict; /* fields that are unknown or come twice are errors */
	struct {
		const char *api_version, *kind;
	} names[4];
};
/* JSON or YAML; the errors are those of the original's decoder. */
struct status *admission_config_decode(struct arena *arena, const char *text, size_t size,
	const struct admission_config_form *form, void *ret_message) MUST_USE;

struct field_errors;
/* What a check of such a kind has found, as one error; NULL: nothing. */
struct status *admission_config_errors(const struct field_errors *errors) MUST_USE;

#endif
