/*
 * Files that a flag names, each with one object of a kind of configuration: JSON or YAML.
 *
 *	static const struct config_form form = {.type = &ApiserverV1AuthorizationConfiguration_schema,
 *		.names = {{"apiserver.config.k8s.io/v1", "AuthorizationConfiguration"}}};
 *	TRY(config_file_read(arena, path, &text, &size));
 *	TRY(config_decode(arena, text, size, &form, &config));
 *
 * Ownership: all lives in the arena.
 */
#ifndef APISERVER_CONFIG_FILE_H
#define APISERVER_CONFIG_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include "base/arena.h"
#include "base/status.h"

struct schema_type;

/* A kind of configuration, and the names that it goes by. */
struct config_form {
	const struct schema_type *type;
	bool strict; /* fields that are unknown or come twice are errors */
	struct {
		const char *api_version, *kind;
	} names[4];
};

struct status *config_file_read(
	struct arena *arena, const char *path, const char **ret_text, size_t *ret_size) MUST_USE;
/* The errors are those of the original's decoder. */
struct status *config_decode(
	struct arena *arena, const char *text, size_t size, const struct config_form *form, void *ret_message) MUST_USE;

struct field_errors;
/* What a check of such a kind has found, as one error; NULL: nothing. */
struct status *config_errors(const struct field_errors *errors) MUST_USE;

#endif
