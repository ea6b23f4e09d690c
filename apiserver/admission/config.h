/*
 * --admission-control-config-file: what plugins are told, each in a kind of its own, in the file or in one that it
 *names.
 *
 *	ApiserverV1AdmissionConfiguration *all;
 *	TRY(admission_config_read(arena, path, &all));
 *	TRY(admission_config_of(arena, all, "EventRateLimit", &text, &size));
 *	TRY(config_decode(arena, text, size, &form, &config));
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

#endif
