#include "api/quantity.h"
#include "apiserver/validation/meta.h"
#include "apiserver/validation/pod.h"
#include "base/str.h"

/* Whether this is the volume's first source; a second one is forbidden. */
static bool only_source(struct field_errors *errors, const struct field_path *path, const char *name, int *n)
{
	if ((*n)++)
		field_forbidden(errors, FIELD(path, name), "may not specify more than 1 volume type");
	return *n == 1;
}

static void check_mode(struct field_errors *errors, const struct field_path *path, bool has, int32_t mode)
{
	if (has && (mode < 0 || mode > 0777))
		field_invalid_int(errors, path, mode, "must be a number between 0 and 0777 (octal), both inclusive");
}

static void check_no_step_up(struct field_errors *errors, const struct field_path *path, const char *value)
{
	char **parts;
	size_t n = str_split(errors->arena, str_or_empty(value), '/', &parts);
	for (size_t i = 0; i < n; i++)
		if (!strcmp(parts[i], "..")) {
			field_invalid(errors, path, value, "must not contain '..'");
			return;
		}
}

static void check_file_path(struct field_errors *errors, const struct field_path *path, const char *value)
{
	if (*value == '/')
		field_invalid(errors, path, value, "must be a relative path");
	check_no_step_up(errors, path, value);
	if (str_starts_with(value, "..") && strcmp(value, "..") && value[2] != '/')
		field_invalid(errors, path, value, "must not start with '..'");
}

static void check_items(
	struct field_errors *errors, const struct field_path *path, CoreV1KeyToPath *const *items, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct field_path *at = FIELD_INDEX(path, i);
		if (str_empty(items[i]->key))
			field_required(errors, FIELD(at, "key"), "");
		if (str_empty(items[i]->path))
			field_required(errors, FIELD(at, "path"), "");
		else
			check_file_path(errors, FIELD(at, "path"), items[i]->path);
		check_mode(errors, FIELD(at, "mode"), items[i]->has_mode, items[i]->mode);
	}
}

static void check_host_path(
	struct field_errors *errors, const struct field_path *path, const CoreV1HostPathVolumeSource *s)
{
	static const char *const types[] = {"", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File",
		"FileOrCreate", "Socket", NULL};
	if (str_empty(s->path)) {
		field_required(errors, FIELD(path, "path"), "");
		return;
	}
	check_no_step_up(errors, FIELD(path, "path"), s->path);
	if (s->type && !str_in(s->type, types))
		field_unsupported(errors, FIELD(path, "type"), s->type, types);
}

static void check_downward_files(
	struct field_errors *errors, const struct field_path *path, CoreV1DownwardAPIVolumeFile *const *items, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (str_empty(items[i]->path))
			field_required(errors, FIELD(path, "path"), "");
		else
			check_file_path(errors, FIELD(path, "path"), items[i]->path);
		if (items[i]->field_ref && items[i]->resource_field_ref)
			field_invalid(errors, path, "resource",
				"fieldRef and resourceFieldRef can not be specified simultaneously");
		else if (!items[i]->field_ref && !items[i]->resource_field_ref)
			field_required(errors, path, "one of fieldRef and resourceFieldRef is required");
		check_mode(errors, FIELD(path, "mode"), items[i]->has_mode, items[i]->mode);
	}
}

static void check_token(struct field_errors *errors, const struct field_path *projected, const struct field_path *path,
	const CoreV1ServiceAccountTokenProjection *t)
{
	if (t->has_expiration_seconds && t->expiration_seconds < 600)
		field_invalid_int(errors, FIELD(path, "expirationSeconds"), t->expiration_seconds,
			"may not specify a duration less than 10 minutes");
	if (str_empty(t->path))
		field_required(errors, FIELD(projected, "path"), "");
	else
		check_file_path(errors, FIELD(projected, "path"), t->path);
}

static void check_source(struct field_errors *errors, const struct field_path *projected, const struct field_path *path,
	const CoreV1VolumeProjection *s)
{
	int n = 0;
	if (s->secret && only_source(errors, path, "secret", &n)) {
		if (!s->secret->local_object_reference || str_empty(s->secret->local_object_reference->name))
			field_required(errors, FIELD(FIELD(path, "secret"), "name"), "");
		check_items(errors, FIELD(FIELD(path, "secret"), "items"), s->secret->items, s->secret->n_items);
	}
	if (s->config_map && only_source(errors, path, "configMap", &n)) {
		if (!s->config_map->local_object_reference || str_empty(s->config_map->local_object_reference->name))
			field_required(errors, FIELD(FIELD(path, "configMap"), "name"), "");
		check_items(
			errors, FIELD(FIELD(path, "configMap"), "items"), s->config_map->items, s->config_map->n_items);
	}
	if (s->downward_api && only_source(errors, path, "downwardAPI", &n))
		check_downward_files(
			errors, FIELD(path, "downwardAPI"), s->downward_api->items, s->downward_api->n_items);
	if (s->service_account_token && only_source(errors, path, "serviceAccountToken", &n))
		check_token(errors, projected, FIELD(path, "serviceAccountToken"), s->service_account_token);
	if (s->cluster_trust_bundle)
		only_source(errors, path, "clusterTrustBundle", &n);
	if (s->pod_certificate)
		only_source(errors, path, "podCertificate", &n);
}

static void check_projected(
	struct field_errors *errors, const struct field_path *path, const CoreV1ProjectedVolumeSource *s)
{
	check_mode(errors, FIELD(path, "defaultMode"), s->has_default_mode, s->default_mode);
	for (size_t i = 0; i < s->n_sources; i++)
		check_source(errors, path, FIELD_INDEX(FIELD(path, "sources"), i), s->sources[i]);
}

/* The sources that the node knows well are looked into; of the others, only that there is one. */
static void check_known(struct field_errors *errors, const struct field_path *path, const CoreV1VolumeSource *s, int *n)
{
	if (s->empty_dir) {
		(*n)++;
		struct quantity q = quantity_of(s->empty_dir->size_limit);
		if (s->empty_dir->size_limit && quantity_sign(&q) < 0)
			field_forbidden(errors, FIELD(FIELD(path, "emptyDir"), "sizeLimit"),
				"SizeLimit field must be a valid resource quantity");
	}
	if (s->host_path && only_source(errors, path, "hostPath", n))
		check_host_path(errors, FIELD(path, "hostPath"), s->host_path);
	if (s->secret && only_source(errors, path, "secret", n)) {
		const struct field_path *at = FIELD(path, "secret");
		if (str_empty(s->secret->secret_name))
			field_required(errors, FIELD(at, "secretName"), "");
		check_mode(errors, FIELD(at, "defaultMode"), s->secret->has_default_mode, s->secret->default_mode);
		check_items(errors, FIELD(at, "items"), s->secret->items, s->secret->n_items);
	}
	if (s->config_map && only_source(errors, path, "configMap", n)) {
		const struct field_path *at = FIELD(path, "configMap");
		if (!s->config_map->local_object_reference || str_empty(s->config_map->local_object_reference->name))
			field_required(errors, FIELD(at, "name"), "");
		check_mode(
			errors, FIELD(at, "defaultMode"), s->config_map->has_default_mode, s->config_map->default_mode);
		check_items(errors, FIELD(at, "items"), s->config_map->items, s->config_map->n_items);
	}
	if (s->downward_api && only_source(errors, path, "downwardAPI", n)) {
		const struct field_path *at = FIELD(path, "downwardAPI");
		check_mode(errors, FIELD(at, "defaultMode"), s->downward_api->has_default_mode,
			s->downward_api->default_mode);
		check_downward_files(errors, at, s->downward_api->items, s->downward_api->n_items);
	}
	if (s->persistent_volume_claim && only_source(errors, path, "persistentVolumeClaim", n) &&
		str_empty(s->persistent_volume_claim->claim_name))
		field_required(errors, FIELD(FIELD(path, "persistentVolumeClaim"), "claimName"), "");
	if (s->projected && only_source(errors, path, "projected", n))
		check_projected(errors, FIELD(path, "projected"), s->projected);
}

static bool is_known(const char *name)
{
	static const char *const names[] = {"emptyDir", "hostPath", "secret", "configMap", "downwardAPI",
		"persistentVolumeClaim", "projected", NULL};
	return str_in(name, names);
}

static void check_volume_source(struct field_errors *errors, const struct field_path *path, const CoreV1VolumeSource *s)
{
	int n = 0;
	if (s) {
		check_known(errors, path, s, &n);
		const struct schema_type *type = schema_of(s);
		for (size_t i = 0; i < type->n_fields; i++)
			if (!is_known(type->fields[i].json_name) &&
				*(void *const *)((const char *)s + type->fields[i].offset))
				only_source(errors, path, type->fields[i].json_name, &n);
	}
	if (!n)
		field_required(errors, path, "must specify a volume type");
}

void validate_volumes(struct field_errors *errors, const struct field_path *path, const CoreV1PodSpec *spec)
{
	for (size_t i = 0; i < spec->n_volumes; i++) {
		const CoreV1Volume *v = spec->volumes[i];
		const struct field_path *at = FIELD_INDEX(path, i);
		check_volume_source(errors, at, v->volume_source);
		if (str_empty(v->name))
			field_required(errors, FIELD(at, "name"), "");
		else
			validate_text(errors, FIELD(at, "name"), v->name, check_dns_label(errors->arena, v->name));
		for (size_t k = 0; k < i; k++)
			if (!str_empty(v->name) && str_eq(spec->volumes[k]->name, v->name)) {
				field_duplicate(errors, FIELD(at, "name"), v->name);
				break;
			}
	}
}
