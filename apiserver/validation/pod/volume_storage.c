/*
 * Volumes of storage systems, each with the little that is known of it without asking it.
 */
#include <regex.h>
#include "apiserver/validation/meta.h"
#include "apiserver/validation/pod/pod.h"
#include "apiserver/validation/pod/volume.h"
#include "base/mem.h"
#include "base/str.h"

#define REQUIRE(errors, path, source, ...) volume_require(errors, path, source, VOLUME_NAMES(__VA_ARGS__))

void volume_require(
	struct field_errors *errors, const struct field_path *path, const void *source, const char *const *names)
{
	for (; *names; names++) {
		const struct schema_name *n = schema_find_field(schema_of(source), *names, strlen(*names));
		const char *at = (const char *)source;
		bool set = n->field->shape == SCHEMA_LIST ? *(const size_t *)(at + n->field->quantifier_offset) > 0
							  : !str_empty(*(char *const *)(at + n->field->offset));
		if (!set)
			field_required(errors, FIELD(path, *names), "");
	}
}

void check_range(struct field_errors *errors, const struct field_path *path, int64_t value, int64_t min, int64_t max)
{
	if (value < min || value > max)
		field_invalid_int(errors, path, value,
			arena_printf(errors->arena, "must be between %lld and %lld, inclusive", (long long)min,
				(long long)max));
}

/* 0 is no partition and allowed, though the sentence does not say so. */
void check_partition(struct field_errors *errors, const struct field_path *path, int32_t partition)
{
	if (partition < 0 || partition > 255)
		field_invalid_int(errors, FIELD(path, "partition"), partition, "must be between 1 and 255, inclusive");
}

static void require_ref(
	struct field_errors *errors, const struct field_path *path, const CoreV1LocalObjectReference *ref)
{
	if (ref && str_empty(ref->name))
		field_required(errors, FIELD(FIELD(path, "secretRef"), "name"), "");
}

void volume_check_git(struct field_errors *errors, const struct field_path *path, const void *source)
{
	const CoreV1GitRepoVolumeSource *s = source;
	REQUIRE(errors, path, source, "repository");
	check_descending_path(errors, FIELD(path, "directory"), s->directory);
}

void volume_check_gce(struct field_errors *errors, const struct field_path *path, const void *source)
{
	REQUIRE(errors, path, source, "pdName");
	check_partition(errors, path, ((const CoreV1GCEPersistentDiskVolumeSource *)source)->partition);
}

void volume_check_aws(struct field_errors *errors, const struct field_path *path, const void *source)
{
	REQUIRE(errors, path, source, "volumeID");
	check_partition(errors, path, ((const CoreV1AWSElasticBlockStoreVolumeSource *)source)->partition);
}

void volume_check_nfs(struct field_errors *errors, const struct field_path *path, const void *source)
{
	const CoreV1NFSVolumeSource *s = source;
	REQUIRE(errors, path, source, "server", "path");
	if (*str_or_empty(s->path) != '/')
		field_invalid(errors, FIELD(path, "path"), s->path, "must be an absolute path");
}

static bool matches(const char *pattern, const char *value)
{
	regex_t regex;
	if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB))
		return false;
	bool found = !regexec(&regex, value, 0, NULL, 0);
	regfree(&regex);
	return found;
}

#define ISCSI_FORMAT "must be valid format"
#define ISCSI_FORMS ISCSI_FORMAT " starting with iqn, eui, or naa"

/* NULL, or what is wrong with an iSCSI name; unknown: with one of none of the forms. */
static const char *iscsi_name_problem(const char *name, const char *unknown)
{
	static const struct {
		const char *prefix, *pattern;
	} forms[] = {{"iqn", "iqn\\.[0-9]{4}-[0-9]{2}\\.[[:alnum:].-]+:[^],;*&$|[:space:]]+$"},
		{"eui", "^eui.[[:alnum:]]{16}$"}, {"naa", "^naa.[[:alnum:]]{32}$"}};
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
		if (str_starts_with(name, forms[i].prefix))
			return matches(forms[i].pattern, name) ? NULL : ISCSI_FORMAT;
	return unknown;
}

void check_iscsi_target(struct field_errors *errors, const struct field_path *path, const char *portal, const char *iqn,
	int32_t lun, bool chap, bool has_secret, const char *initiator, bool of_cluster)
{
	if (str_empty(portal))
		field_required(errors, FIELD(path, "targetPortal"), "");
	if (str_empty(iqn))
		field_required(errors, FIELD(path, "iqn"), "");
	else
		validate_text(errors, FIELD(path, "iqn"), iqn,
			iscsi_name_problem(iqn, of_cluster ? ISCSI_FORMAT : ISCSI_FORMS));
	check_range(errors, FIELD(path, "lun"), lun, 0, 255);
	if (chap && !has_secret)
		field_required(errors, FIELD(path, "secretRef"), "");
	if (initiator)
		validate_text(errors, FIELD(path, "initiatorname"), initiator,
			iscsi_name_problem(initiator, of_cluster ? ISCSI_FORMAT : ISCSI_FORMS));
}

void volume_check_iscsi(struct field_errors *errors, const struct field_path *path, const void *source)
{
	const CoreV1ISCSIVolumeSource *s = source;
	check_iscsi_target(errors, path, s->target_portal, s->iqn, s->lun,
		s->chap_auth_discovery || s->chap_auth_session, s->secret_ref, s->initiator_name, false);
}

void volume_check_flocker(struct field_errors *errors, const struct field_path *path, const void *source)
{
	const CoreV1FlockerVolumeSource *s = source;
	bool name = !str_empty(s->dataset_name), uuid = !str_empty(s->dataset_uuid);
	if (!name && !uuid)
		field_required(errors, path, "one of datasetName and datasetUUID is required");
	if (name && uuid)
		field_invalid(
			errors, path, "resource", "datasetName and datasetUUID can not be specified simultaneously");
	if (strchr(str_or_empty(s->dataset_name), '/'))
		field_invalid(errors, FIELD(path, "datasetName"), s->dataset_name, "must not contain '/'");
}

void volume_check_rbd(struct field_errors *errors, const struct field_path *path, const void *source)
{
	REQUIRE(errors, path, source, "monitors", "image");
}

void volume_check_cinder(struct field_errors *errors, const struct field_path *path, const void *source)
{
	REQUIRE(errors, path, source, "volumeID");
	require_ref(errors, path, ((const CoreV1CinderVolumeSource *)source)->secret_ref);
}

void volume_check_cephfs(struct field_errors *errors, const struct field_path *path, const void *source)
{
	REQUIRE(errors, path, source, "monitors");
}

static bool is_host_port(const char *pair)
{
	const char *colon = strrchr(pair, ':');
	if (!colon)
		return false;
	if (*pair == '[') {
		const char *end = strchr(pair, ']');
		return end && end + 1 == colon;
	}
	return strchr(pair, ':') == colon && !strpbrk(pair, "[]");
}

void volume_check_quobyte(struct field_errors *errors, const struct field_path *path, const void *source)
{
	static const char pairs[] = "must be a host:port pair or multiple pairs separated by commas";
	const CoreV1QuobyteVolumeSource *s = source;
	char **parts;
	if (str_empty(s->registry)) {
		field_required(errors, FIELD(path, "registry"), pairs);
	} else if (strlen(str_or_empty(s->tenant)) >= 65) {
		field_required(
			errors, FIELD(path, "tenant"), "must be a UUID and may not exceed a length of 64 characters");
	} else {
		size_t n = str_split(errors->arena, s->registry, ',', &parts);
		for (size_t i = 0; i < n; i++)
			if (!is_host_port(parts[i]))
				field_invalid(errors, FIELD(path, "registry"), s->registry, pairs);
	}
	REQUIRE(errors, path, source, "volume");
}

void volume_check_fc(struct field_errors *errors, const struct field_path *path, const void *source)
{
	const CoreV1FCVolumeSource *s = source;
	const struct field_path *names = FIELD(path, "targetWWNs");
	if (!s->n_target_wwns && !s->n_wwids)
		field_required(errors, names, "must specify either targetWWNs or wwids, but not both");
	if (s->n_target_wwns && s->n_wwids)
		field_invalid_json(errors, names, strings_json(errors->arena, s->target_wwns, s->n_target_wwns),
			"targetWWNs and wwids can not be specified simultaneously");
	if (s->n_target_wwns && !s->has_lun)
		field_required(errors, FIELD(path, "lun"), "lun is required if targetWWNs is specified");
	else if (s->n_target_wwns)
		check_range(errors, FIELD(path, "lun"), s->lun, 0, 255);
}

void volume_check_flex(struct field_errors *errors, const struct field_path *path, const void *source)
{
	const CoreV1FlexVolumeSource *s = source;
	REQUIRE(errors, path, source, "driver");
	for (size_t i = 0; i < s->n_options; i++) {
		const char *key = str_or_empty(s->options[i]->key);
		const char *domain =
			arena_printf(errors->arena, ".%.*s", (int)strcspn(key, "/"), str_lower(errors->arena, key));
		if (str_ends_with(domain, ".kubernetes.io") || str_ends_with(domain, ".k8s.io"))
			field_invalid(errors, FIELD_KEY(FIELD(path, "options"), key), key,
				"kubernetes.io and k8s.io namespaces are reserved");
	}
}

void volume_check_azure_disk(struct field_errors *errors, const struct field_path *path, const void *source)
{
	static const char *const modes[] = {"None", "ReadOnly", "ReadWrite", NULL};
	static const char *const kinds[] = {"Dedicated", "Managed", "Shared", NULL};
	static const char *const managed[] = {"/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/"
					      "microsoft.compute/disks/{disk-id}",
		NULL};
	static const char *const blob[] = {
		"https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd", NULL};
	const CoreV1AzureDiskVolumeSource *s = source;
	REQUIRE(errors, path, source, "diskName", "diskURI");
	if (s->caching_mode && !str_in(s->caching_mode, modes))
		field_unsupported(errors, FIELD(path, "cachingMode"), s->caching_mode, modes);
	if (s->kind && !str_in(s->kind, kinds))
		field_unsupported(errors, FIELD(path, "kind"), s->kind, kinds);
	bool is_managed = str_eq(s->kind, "Managed");
	const char *uri = str_or_empty(s->disk_uri);
	if (s->kind && !str_starts_with(uri, is_managed ? "/subscriptions/" : "https://"))
		field_unsupported_json(
			errors, FIELD(path, "diskURI"), field_quote(errors->arena, uri), is_managed ? managed : blob);
}

void check_storage_os(
	struct field_errors *errors, const struct field_path *path, const char *volume, const char *namespace)
{
	const struct field_path *name = FIELD(path, "volumeName");
	if (str_empty(volume))
		field_required(errors, name, "");
	else
		validate_text(errors, name, volume, check_dns_label(errors->arena, volume));
	if (!str_empty(namespace))
		validate_text(
			errors, FIELD(path, "volumeNamespace"), namespace, check_dns_label(errors->arena, namespace));
}

void volume_check_storage_os(struct field_errors *errors, const struct field_path *path, const void *source)
{
	const CoreV1StorageOSVolumeSource *s = source;
	check_storage_os(errors, path, s->volume_name, s->volume_namespace);
	require_ref(errors, path, s->secret_ref);
}

void check_csi_driver_name(struct field_errors *errors, const struct field_path *path, const char *name)
{
	name = str_or_empty(name);
	if (!*name)
		field_required(errors, path, "");
	if (strlen(name) > 63)
		field_too_long(errors, path, 63);
	validate_text(errors, path, name, check_dns_subdomain(errors->arena, str_lower(errors->arena, name)));
}

void volume_check_csi(struct field_errors *errors, const struct field_path *path, const void *source)
{
	const CoreV1CSIVolumeSource *s = source;
	const CoreV1LocalObjectReference *ref = s->node_publish_secret_ref;
	check_csi_driver_name(errors, FIELD(path, "driver"), s->driver);
	if (ref && str_empty(ref->name))
		field_required(errors, FIELD(FIELD(path, "nodePublishSecretRef"), "name"), "");
	else if (ref)
		validate_text(errors, FIELD(path, "name"), ref->name, check_dns_subdomain(errors->arena, ref->name));
}
