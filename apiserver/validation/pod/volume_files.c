/*
 * Volumes that hold what the API has: secrets, config maps, a pod's own fields, tokens.
 */
#include "apiserver/validation/meta.h"
#include "apiserver/validation/pod/pod.h"
#include "apiserver/validation/pod/volume.h"
#include "base/mem.h"
#include "base/nameset.h"
#include "base/str.h"

void check_file_mode(struct field_errors *errors, const struct field_path *path, bool has, int32_t mode)
{
	if (has && (mode < 0 || mode > 0777))
		field_invalid_int(errors, path, mode, "must be a number between 0 and 0777 (octal), both inclusive");
}

void check_no_backsteps(struct field_errors *errors, const struct field_path *path, const char *value)
{
	char **parts;
	size_t n = str_split(errors->arena, str_or_empty(value), '/', &parts);
	for (size_t i = 0; i < n; i++)
		if (!strcmp(parts[i], "..")) {
			field_invalid(errors, path, value, "must not contain '..'");
			return;
		}
}

void check_descending_path(struct field_errors *errors, const struct field_path *path, const char *value)
{
	if (*str_or_empty(value) == '/')
		field_invalid(errors, path, value, "must be a relative path");
	check_no_backsteps(errors, path, value);
}

void check_free_path(struct field_errors *errors, const struct field_path *path, const char *value)
{
	check_descending_path(errors, path, value);
	if (str_starts_with(str_or_empty(value), "..") && !str_starts_with(value, "../"))
		field_invalid(errors, path, value, "must not start with '..'");
}

/* paths: the files of all sources of a projected volume, which must differ. */

static void take_path(struct field_errors *errors, const struct field_path *projected, struct nameset *paths,
	char *file, const char *blamed)
{
	if (!paths || str_empty(file))
		return;
	if (!nameset_add(paths, file))
		field_invalid(errors, projected, blamed, "conflicting duplicate paths");
}

static void check_item(struct field_errors *errors, const struct field_path *path, const CoreV1KeyToPath *item)
{
	if (str_empty(item->key))
		field_required(errors, FIELD(path, "key"), "");
	if (str_empty(item->path))
		field_required(errors, FIELD(path, "path"), "");
	check_free_path(errors, FIELD(path, "path"), item->path);
	check_file_mode(errors, FIELD(path, "mode"), item->has_mode, item->mode);
}

static void check_items(
	struct field_errors *errors, const struct field_path *path, CoreV1KeyToPath *const *items, size_t n)
{
	for (size_t i = 0; i < n; i++)
		check_item(errors, FIELD_INDEX(FIELD(path, "items"), i), items[i]);
}

void volume_check_secret(struct field_errors *errors, const struct field_path *path, const void *source)
{
	const CoreV1SecretVolumeSource *s = source;
	if (str_empty(s->secret_name))
		field_required(errors, FIELD(path, "secretName"), "");
	check_file_mode(errors, FIELD(path, "defaultMode"), s->has_default_mode, s->default_mode);
	check_items(errors, path, s->items, s->n_items);
}

static const char *ref_name(const CoreV1LocalObjectReference *ref)
{
	return ref ? str_or_empty(ref->name) : "";
}

void volume_check_config_map(struct field_errors *errors, const struct field_path *path, const void *source)
{
	const CoreV1ConfigMapVolumeSource *s = source;
	if (!*ref_name(s->local_object_reference))
		field_required(errors, FIELD(path, "name"), "");
	check_file_mode(errors, FIELD(path, "defaultMode"), s->has_default_mode, s->default_mode);
	check_items(errors, path, s->items, s->n_items);
}

static void check_downward_file(
	struct field_errors *errors, const struct field_path *path, const CoreV1DownwardAPIVolumeFile *file)
{
	static const char *const paths[] = {
		"metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid", NULL};
	if (str_empty(file->path))
		field_required(errors, FIELD(path, "path"), "");
	check_free_path(errors, FIELD(path, "path"), file->path);
	if (file->field_ref) {
		validate_field_ref(errors, FIELD(path, "fieldRef"), file->field_ref, paths);
		if (file->resource_field_ref)
			field_invalid(errors, path, "resource",
				"fieldRef and resourceFieldRef can not be specified simultaneously");
	} else if (file->resource_field_ref) {
		validate_resource_ref(errors, FIELD(path, "resourceFieldRef"), file->resource_field_ref, true);
	} else {
		field_required(errors, path, "one of fieldRef and resourceFieldRef is required");
	}
	check_file_mode(errors, FIELD(path, "mode"), file->has_mode, file->mode);
}

void volume_check_downward(struct field_errors *errors, const struct field_path *path, const void *source)
{
	const CoreV1DownwardAPIVolumeSource *s = source;
	check_file_mode(errors, FIELD(path, "defaultMode"), s->has_default_mode, s->default_mode);
	for (size_t i = 0; i < s->n_items; i++)
		check_downward_file(errors, path, s->items[i]);
}

static void check_projected_items(struct field_errors *errors, const struct field_path *projected,
	const struct field_path *path, const CoreV1LocalObjectReference *ref, CoreV1KeyToPath *const *items, size_t n,
	struct nameset *paths)
{
	if (!*ref_name(ref))
		field_required(errors, FIELD(path, "name"), "");
	for (size_t i = 0; i < n; i++) {
		check_item(errors, FIELD_INDEX(FIELD(path, "items"), i), items[i]);
		take_path(errors, projected, paths, items[i]->path, ref_name(ref));
	}
}

static void check_token(struct field_errors *errors, const struct field_path *projected, const struct field_path *path,
	const CoreV1ServiceAccountTokenProjection *t)
{
	if (t->has_expiration_seconds && t->expiration_seconds < 600)
		field_invalid_int(errors, FIELD(path, "expirationSeconds"), t->expiration_seconds,
			"may not specify a duration less than 10 minutes");
	if (t->has_expiration_seconds && t->expiration_seconds > 1LL << 32)
		field_invalid_int(errors, FIELD(path, "expirationSeconds"), t->expiration_seconds,
			"may not specify a duration larger than 2^32 seconds");
	size_t n = errors->n_items;
	if (str_empty(t->path)) {
		field_required(errors, FIELD(projected, "path"), "");
		return;
	}
	check_free_path(errors, FIELD(projected, "path"), t->path);
	field_keep(errors, n, KEPT_TOKEN_PATHS);
}

static void check_projection(struct field_errors *errors, const struct field_path *projected,
	const struct field_path *path, const CoreV1VolumeProjection *s, struct nameset *paths)
{
	int n = !!s->secret + !!s->config_map + !!s->downward_api + !!s->service_account_token;
	if (s->secret)
		check_projected_items(errors, projected, FIELD(path, "secret"), s->secret->local_object_reference,
			s->secret->items, s->secret->n_items, paths);
	if (s->config_map)
		check_projected_items(errors, projected, FIELD(path, "configMap"),
			s->config_map->local_object_reference, s->config_map->items, s->config_map->n_items, paths);
	for (size_t i = 0; s->downward_api && i < s->downward_api->n_items; i++) {
		CoreV1DownwardAPIVolumeFile *file = s->downward_api->items[i];
		check_downward_file(errors, FIELD(path, "downwardAPI"), file);
		take_path(errors, projected, paths, file->path, file->path);
	}
	if (s->service_account_token)
		check_token(errors, projected, FIELD(path, "serviceAccountToken"), s->service_account_token);
	if (n > 1)
		field_forbidden(errors, path, "may not specify more than 1 volume type per source");
}

void volume_check_projected(struct field_errors *errors, const struct field_path *path, const void *source)
{
	const CoreV1ProjectedVolumeSource *s = source;
	struct nameset paths = {.arena = errors->arena};
	check_file_mode(errors, FIELD(path, "defaultMode"), s->has_default_mode, s->default_mode);
	for (size_t i = 0; i < s->n_sources; i++)
		check_projection(errors, path, FIELD_INDEX(FIELD(path, "sources"), i), s->sources[i], &paths);
}
