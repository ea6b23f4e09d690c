/*
 * Volumes of the cluster.
 */
#include "api/copy.h"
#include "api/meta.h"
#include "api/quantity.h"
#include "apiserver/validation/meta.h"
#include "apiserver/validation/other.h"
#include "apiserver/validation/pod/pod.h"
#include "apiserver/validation/struct_diff.h"
#include "apiserver/validation/pod/volume.h"
#include "base/mem.h"
#include "base/str.h"

#define MOUNT_OPTIONS "volume.beta.kubernetes.io/mount-options"
#define REQUIRE(errors, path, source, ...) volume_require(errors, path, source, VOLUME_NAMES(__VA_ARGS__))

static void check_local(struct field_errors *errors, const struct field_path *path, const void *source)
{
	const CoreV1LocalVolumeSource *s = source;
	if (str_empty(s->path))
		field_required(errors, FIELD(path, "path"), "");
	else
		check_no_backsteps(errors, FIELD(path, "path"), s->path);
}

static void check_glusterfs(struct field_errors *errors, const struct field_path *path, const void *source)
{
	const CoreV1GlusterfsPersistentVolumeSource *s = source;
	const struct field_path *at = FIELD(path, "endpointsNamespace");
	REQUIRE(errors, path, source, "endpoints", "path");
	if (s->endpoints_namespace && !*s->endpoints_namespace)
		field_invalid(errors, at, "", "if the endpointnamespace is set, it must be a valid namespace name");
	else if (s->endpoints_namespace)
		validate_text(
			errors, at, s->endpoints_namespace, check_dns_label(errors->arena, s->endpoints_namespace));
}

static void check_iscsi(struct field_errors *errors, const struct field_path *path, const void *source)
{
	const CoreV1ISCSIPersistentVolumeSource *s = source;
	check_iscsi_target(errors, path, s->target_portal, s->iqn, s->lun,
		s->chap_auth_discovery || s->chap_auth_session, s->secret_ref, s->initiator_name, true);
	if (s->secret_ref && str_empty(s->secret_ref->name))
		field_required(errors, FIELD(FIELD(path, "secretRef"), "name"), "");
}

static void require_secret(struct field_errors *errors, const struct field_path *path, const CoreV1SecretReference *ref)
{
	if (ref)
		REQUIRE(errors, path, ref, "name", "namespace");
}

static void check_cinder(struct field_errors *errors, const struct field_path *path, const void *source)
{
	const CoreV1CinderPersistentVolumeSource *s = source;
	REQUIRE(errors, path, source, "volumeID");
	require_secret(errors, FIELD(path, "secretRef"), s->secret_ref);
}

static void check_flex(struct field_errors *errors, const struct field_path *path, const void *source)
{
	REQUIRE(errors, path, source, "driver");
}

static void check_azure_file(struct field_errors *errors, const struct field_path *path, const void *source)
{
	const CoreV1AzureFilePersistentVolumeSource *s = source;
	REQUIRE(errors, path, source, "secretName", "shareName");
	if (s->secret_namespace && !*s->secret_namespace)
		field_required(errors, FIELD(path, "secretNamespace"), "");
}

static void check_storage_os_source(struct field_errors *errors, const struct field_path *path, const void *source)
{
	const CoreV1StorageOSPersistentVolumeSource *s = source;
	check_storage_os(errors, path, s->volume_name, s->volume_namespace);
	if (s->secret_ref)
		REQUIRE(errors, FIELD(path, "secretRef"), s->secret_ref, "name", "namespace");
}

static void check_secret(struct field_errors *errors, const struct field_path *path, const CoreV1SecretReference *ref)
{
	if (!ref)
		return;
	if (str_empty(ref->name))
		field_required(errors, FIELD(path, "name"), "");
	else
		validate_text(errors, FIELD(path, "name"), ref->name, check_dns_subdomain(errors->arena, ref->name));
	if (str_empty(ref->namespace))
		field_required(errors, FIELD(path, "namespace"), "");
	else
		validate_text(errors, FIELD(path, "namespace"), ref->namespace,
			check_dns_label(errors->arena, ref->namespace));
}

static void check_csi(struct field_errors *errors, const struct field_path *path, const void *source)
{
	const CoreV1CSIPersistentVolumeSource *s = source;
	check_csi_driver_name(errors, FIELD(path, "driver"), s->driver);
	if (str_empty(s->volume_handle))
		field_required(errors, FIELD(path, "volumeHandle"), "");
	check_secret(errors, FIELD(path, "controllerPublishSecretRef"), s->controller_publish_secret_ref);
	check_secret(errors, FIELD(path, "controllerExpandSecretRef"), s->controller_expand_secret_ref);
	check_secret(errors, FIELD(path, "nodePublishSecretRef"), s->node_publish_secret_ref);
	check_secret(errors, FIELD(path, "nodeExpandSecretRef"), s->node_expand_secret_ref);
}

#define SOURCE(member) offsetof(CoreV1PersistentVolumeSource, member)
static const struct volume_rule rules[] = {
	{"hostPath", SOURCE(host_path), .check = volume_check_host_path},
	{"gcePersistentDisk", SOURCE(gce_persistent_disk), .at = "persistentDisk", .check = volume_check_gce},
	{"awsElasticBlockStore", SOURCE(aws_elastic_block_store), .check = volume_check_aws},
	{"glusterfs", SOURCE(glusterfs), .check = check_glusterfs},
	{"flocker", SOURCE(flocker), .check = volume_check_flocker},
	{"nfs", SOURCE(nfs), .check = volume_check_nfs},
	{"rbd", SOURCE(rbd), .check = volume_check_rbd},
	{"quobyte", SOURCE(quobyte), .check = volume_check_quobyte},
	{"cephfs", SOURCE(cephfs), .again = "cephFS", .check = volume_check_cephfs},
	{"iscsi", SOURCE(iscsi), .check = check_iscsi},
	{"cinder", SOURCE(cinder), .check = check_cinder},
	{"fc", SOURCE(fc), .check = volume_check_fc},
	{"flexVolume", SOURCE(flex_volume), .check = check_flex},
	{"azureFile", SOURCE(azure_file), .check = check_azure_file},
	{"vsphereVolume", SOURCE(vsphere_volume), .required = VOLUME_NAMES("volumePath")},
	{"photonPersistentDisk", SOURCE(photon_persistent_disk), .required = VOLUME_NAMES("pdID")},
	{"portworxVolume", SOURCE(portworx_volume), .required = VOLUME_NAMES("volumeID")},
	{"azureDisk", SOURCE(azure_disk), .check = volume_check_azure_disk},
	{"scaleIO", SOURCE(scale_io), .required = VOLUME_NAMES("gateway", "system", "volumeName")},
	{"local", SOURCE(local), .check = check_local},
	{"storageos", SOURCE(storageos), .check = check_storage_os_source},
	{"csi", SOURCE(csi), .check = check_csi},
};

static void check_sources(
	struct field_errors *errors, const struct field_path *path, const CoreV1PersistentVolumeSpec *spec)
{
	const CoreV1PersistentVolumeSource *s = spec->persistent_volume_source;
	const struct volume_rule *rule;
	const void *source;
	int n = 0;
	for (size_t i = 0; (rule = volume_next_source(s, rules, ARRAY_SIZE(rules), &i, &source)); n++) {
		/* A flexVolume is not seen beside others. */
		if (n && strcmp(rule->name, "flexVolume") != 0) {
			volume_forbid_source(errors, path, rule);
			continue;
		}
		volume_check_source(errors, path, rule, source);
		if (!strcmp(rule->name, "local") && !spec->node_affinity)
			field_required(errors, FIELD(path, "nodeAffinity"), "Local volume requires node affinity");
	}
	if (!n)
		field_required(errors, path, "must specify a volume type");
}

static char *quantities_json(struct arena *arena, MapQuantityEntry *const *entries, size_t n)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	if (!n)
		return arena_strdup(arena, entries ? "{}" : "null");
	for (size_t i = 0; i < n; i++) {
		struct quantity q = quantity_of(entries[i]->value);
		strbuf_printf(&out, "%s%s:\"%s\"", i ? "," : "{", field_json(arena, entries[i]->key),
			quantity_format(arena, &q));
	}
	strbuf_addc(&out, '}');
	return arena_strdup(arena, out.buf);
}

static void check_capacity(
	struct field_errors *errors, const struct field_path *path, const CoreV1PersistentVolumeSpec *spec)
{
	static const char *const storage[] = {"storage", NULL};
	if (!spec->n_capacity)
		field_required(errors, path, "");
	if (spec->n_capacity != 1 || !quantity_map_get(spec->capacity, 1, "storage"))
		field_unsupported_json(
			errors, path, quantities_json(errors->arena, spec->capacity, spec->n_capacity), storage);
	for (size_t i = 0; i < spec->n_capacity; i++) {
		const struct field_path *at = FIELD_KEY(path, spec->capacity[i]->key);
		struct quantity q = quantity_of(spec->capacity[i]->value);
		if (quantity_sign(&q) < 0)
			field_invalid_int(errors, at, quantity_value(&q), "must be a valid resource quantity");
		if (quantity_sign(&q) <= 0)
			field_invalid(errors, at, quantity_format(errors->arena, &q), "must be greater than zero");
	}
}

static void check_class(
	struct field_errors *errors, const struct field_path *path, const CoreV1PersistentVolumeSpec *spec)
{
	const struct field_path *at = FIELD(path, "volumeAttributesClassName");
	const char *class = spec->volume_attributes_class_name;
	if (!class)
		return;
	if (!*class)
		field_required(errors, at, "an empty string is disallowed");
	else
		validate_text(errors, at, class, check_dns_subdomain(errors->arena, class));
	if (!spec->persistent_volume_source || !spec->persistent_volume_source->csi)
		field_required(errors, FIELD(path, "csi"), "has to be specified when using volumeAttributesClassName");
}

/* Kinds of volumes that are mounted with options. */
static bool takes_mount_options(const CoreV1PersistentVolumeSource *s)
{
	return s && (s->gce_persistent_disk || s->aws_elastic_block_store || s->glusterfs || s->nfs || s->rbd ||
			    s->quobyte || s->iscsi || s->cinder || s->cephfs || s->azure_file || s->vsphere_volume ||
			    s->azure_disk || s->photon_persistent_disk);
}

/* Whether the path, once ".." has been followed, is that of everything. */
static bool is_root(struct arena *arena, const char *path)
{
	char **parts;
	size_t n = str_split(arena, path, '/', &parts), depth = 0;
	for (size_t i = 0; i < n; i++)
		if (!strcmp(parts[i], ".."))
			depth -= depth > 0;
		else
			depth += *parts[i] && strcmp(parts[i], ".") != 0;
	return *path == '/' && !depth;
}

#define INLINE "in the context of inline volumes"

/* What a volume within an attachment may not say. */
static void check_inline(
	struct field_errors *errors, const struct field_path *path, const CoreV1PersistentVolumeSpec *spec)
{
	static const char why[] = "may not be specified " INLINE;
	if (spec->claim_ref)
		field_forbidden(errors, FIELD(path, "claimRef"), why);
	if (spec->n_capacity)
		field_forbidden(errors, FIELD(path, "capacity"), why);
	if (!spec->persistent_volume_source || !spec->persistent_volume_source->csi)
		field_required(errors, FIELD(path, "csi"), "has to be specified " INLINE);
}

static void check_inline_rest(
	struct field_errors *errors, const struct field_path *path, const CoreV1PersistentVolumeSpec *spec)
{
	if (!str_empty(spec->storage_class_name))
		field_forbidden(errors, FIELD(path, "storageClassName"), "may not be specified " INLINE);
	if (spec->volume_mode && !str_eq(spec->volume_mode, "Filesystem"))
		field_forbidden(
			errors, FIELD(path, "volumeMode"), "may not specify volumeMode other than Filesystem " INLINE);
}

static void check_access(
	struct field_errors *errors, const struct field_path *path, const CoreV1PersistentVolumeSpec *spec)
{
	if (!spec->n_access_modes)
		field_required(errors, FIELD(path, "accessModes"), "");
	validate_access_modes(errors, FIELD(path, "accessModes"), spec->access_modes, spec->n_access_modes);
}

/* What it is made of, and that nothing recycles the root of a host. */
static void check_source(
	struct field_errors *errors, const struct field_path *path, const CoreV1PersistentVolumeSpec *spec)
{
	const CoreV1PersistentVolumeSource *source = spec->persistent_volume_source;
	check_sources(errors, path, spec);
	if (source && source->host_path && is_root(errors->arena, str_or_empty(source->host_path->path)) &&
		str_eq(spec->persistent_volume_reclaim_policy, "Recycle"))
		field_forbidden(errors, FIELD(path, "persistentVolumeReclaimPolicy"),
			"may not be 'recycle' for a hostPath mount of '/'");
}

void validate_inline_volume(
	struct field_errors *errors, const struct field_path *path, const CoreV1PersistentVolumeSpec *spec)
{
	const char *policy = spec->persistent_volume_reclaim_policy;
	check_inline(errors, path, spec);
	check_access(errors, path, spec);
	if (!str_empty(policy) && !str_eq(policy, "Retain"))
		field_forbidden(errors, FIELD(path, "persistentVolumeReclaimPolicy"), "may only be Retain " INLINE);
	if (spec->node_affinity)
		field_forbidden(errors, FIELD(path, "nodeAffinity"), "may not be specified " INLINE);
	check_source(errors, path, spec);
	check_inline_rest(errors, path, spec);
}

static void check_spec(
	struct field_errors *errors, const struct field_path *path, const CoreV1PersistentVolumeSpec *spec)
{
	static const char *const policies[] = {"Delete", "Recycle", "Retain", NULL};
	static const char *const volume_modes[] = {"Block", "Filesystem", NULL};
	const char *policy = spec->persistent_volume_reclaim_policy;
	check_access(errors, path, spec);
	check_capacity(errors, FIELD(path, "capacity"), spec);
	if (!str_empty(policy) && !str_in(policy, policies))
		field_unsupported(errors, FIELD(path, "persistentVolumeReclaimPolicy"), policy, policies);
	const struct field_path *required = FIELD(FIELD(path, "nodeAffinity"), "required");
	if (spec->node_affinity && spec->node_affinity->required)
		validate_node_selector(errors, required, spec->node_affinity->required);
	else if (spec->node_affinity)
		field_required(errors, required, "must specify required node constraints");
	check_source(errors, path, spec);
	if (!str_empty(spec->storage_class_name))
		validate_text(errors, FIELD(path, "storageClassName"), spec->storage_class_name,
			check_dns_subdomain(errors->arena, spec->storage_class_name));
	if (spec->volume_mode && !str_in(spec->volume_mode, volume_modes))
		field_unsupported(errors, FIELD(path, "volumeMode"), spec->volume_mode, volume_modes);
	check_class(errors, path, spec);
}

void validate_volume(struct field_errors *errors, const CoreV1PersistentVolume *volume)
{
	const CoreV1PersistentVolumeSpec *spec =
		volume->spec ? volume->spec : API_NEW(errors->arena, CoreV1PersistentVolumeSpec);
	check_spec(errors, FIELD(NULL, "spec"), spec);
	if (!takes_mount_options(spec->persistent_volume_source) && meta_annotation(volume->metadata, MOUNT_OPTIONS))
		field_forbidden(errors, FIELD(FIELD(FIELD(NULL, "metadata"), "annotations"), MOUNT_OPTIONS),
			"may not specify mount options for this volume type");
}

/* The labels of zones, instances and systems changed their names once; "" for a label that did not. */
static const char *label_today(const char *key)
{
	static const char *const renamed[][2] = {
		{"failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone"},
		{"failure-domain.beta.kubernetes.io/region", "topology.kubernetes.io/region"},
		{"beta.kubernetes.io/os", "kubernetes.io/os"},
		{"beta.kubernetes.io/arch", "kubernetes.io/arch"},
		{"beta.kubernetes.io/instance-type", "node.kubernetes.io/instance-type"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(renamed); i++)
		if (str_eq(key, renamed[i][0]))
			return renamed[i][1];
	return "";
}

/* Makes the old term's keys the new one's where these are the same labels under their names of today. As in the
 * original, a key may also become none, which is refused elsewhere. */
static void follow_names(CoreV1NodeSelectorTerm *old, const CoreV1NodeSelectorTerm *new)
{
	for (size_t i = 0; i < old->n_match_expressions && i < new->n_match_expressions; i++) {
		char **was = &old->match_expressions[i]->key, *is = new->match_expressions[i]->key;
		if (str_eq(label_today(*was), str_or_empty(is)))
			*was = is;
	}
}

static bool same_affinity(
	struct arena *arena, const CoreV1VolumeNodeAffinity *affinity, const CoreV1VolumeNodeAffinity *old)
{
	CoreV1VolumeNodeAffinity *was = api_copy_msg(arena, old);
	const CoreV1NodeSelector *now = affinity ? affinity->required : NULL;
	for (size_t i = 0; now && was->required && i < was->required->n_node_selector_terms; i++)
		if (i < now->n_node_selector_terms)
			follow_names(was->required->node_selector_terms[i], now->node_selector_terms[i]);
	return api_equal(affinity, was);
}

void validate_volume_update(
	struct field_errors *errors, const CoreV1PersistentVolume *volume, const CoreV1PersistentVolume *old)
{
	const CoreV1PersistentVolumeSpec *spec =
		volume->spec ? volume->spec : API_NEW(errors->arena, CoreV1PersistentVolumeSpec);
	const CoreV1PersistentVolumeSpec *before = old->spec;
	/* The second time: the first is that of a new volume. */
	check_spec(errors, FIELD(NULL, "spec"), spec);
	CoreV1PersistentVolumeSource *source = NULL, *was = before->persistent_volume_source;
	if (spec->persistent_volume_source)
		source = api_copy_msg(errors->arena, spec->persistent_volume_source);
	if (source && source->csi && was && was->csi && !was->csi->controller_expand_secret_ref)
		source->csi->controller_expand_secret_ref = NULL;
	if (!source)
		source = API_NEW(errors->arena, CoreV1PersistentVolumeSource);
	if (!api_equal(source, was))
		field_forbidden(errors, FIELD(FIELD(NULL, "spec"), "persistentvolumesource"),
			arena_printf(errors->arena, "spec.persistentvolumesource is immutable after creation\n%s",
				struct_diff(errors->arena, was, source)));
	if (!str_eq(spec->volume_mode, before->volume_mode))
		field_invalid_typed(errors, FIELD(NULL, "volumeMode"), spec->volume_mode, "field is immutable");
	if (before->node_affinity && !same_affinity(errors->arena, spec->node_affinity, before->node_affinity))
		field_invalid_internal(errors, FIELD(NULL, "nodeAffinity"), spec->node_affinity,
			"field is immutable, except for updating from beta label to GA");
	if (before->volume_attributes_class_name && !spec->volume_attributes_class_name)
		field_forbidden(errors, FIELD(FIELD(NULL, "spec"), "volumeAttributesClassName"),
			"update from non-nil value to nil is forbidden");
}
