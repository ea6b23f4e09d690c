/*
 * Writing objects: create, replace, patch, delete, with the parameters that all of these share.
 */
#ifndef KUBECTL_SEND_H
#define KUBECTL_SEND_H

#include "kubectl/builder.h"
#include "kubectl/printer.h"

struct send_options {
	enum dry_run dry_run;
	const char *field_manager;
	const char *validate; /* strict, warn, ignore, true, false; NULL: the server's default */
	const char *subresource;
	bool force; /* take over conflicting fields in server-side apply */
};

/* *ret_object (may be NULL): what the server answered. */
struct status *send_create(struct kubectl *k, const struct api_resource *mapping, const char *namespace,
	const cJSON *object, const struct send_options *options, cJSON **ret_object) MUST_USE;
struct status *send_replace(struct kubectl *k, const struct info *info, const cJSON *object,
	const struct send_options *options, cJSON **ret_object) MUST_USE;
struct status *send_patch(struct kubectl *k, const struct info *info, enum client_patch_type type, const char *patch,
	const struct send_options *options, cJSON **ret_object) MUST_USE;

struct delete_options {
	int64_t grace_seconds;	 /* -1: the kind's own */
	const char *propagation; /* NULL: the server's default */
	enum dry_run dry_run;
	const char *uid;
};
struct status *send_delete(
	struct kubectl *k, const struct info *info, const struct delete_options *options, cJSON **ret_answer) MUST_USE;
/* "background", "true", "orphan", "foreground" and so on to what the API calls it. */
struct status *parse_cascade(const char *text, const char **ret_propagation) MUST_USE;

/* The patch type that the kind understands: strategic for those of the schema, merge for others. */
const struct schema_type *schema_of_mapping(const struct api_resource *mapping);
/* Sends the difference between two trees as a patch; *ret_changed (may be NULL): whether there was one. */
struct status *send_difference(struct kubectl *k, struct info *info, const cJSON *before, const cJSON *after,
	const struct send_options *options, bool *ret_changed) MUST_USE;
/* The patch between two trees, as text; "{}" if they are equal. */
struct status *difference(struct kubectl *k, const struct api_resource *mapping, const cJSON *before,
	const cJSON *after, enum client_patch_type *ret_type, char **ret_patch) MUST_USE;

#define LAST_APPLIED "kubectl.kubernetes.io/last-applied-configuration"
/* Writes the object itself, as JSON, into its annotation. */
void set_last_applied(struct arena *arena, cJSON *object);
#endif
