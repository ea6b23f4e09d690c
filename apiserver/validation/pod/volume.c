#include "apiserver/validation/pod/volume.h"
#include "api/quantity.h"
#include "apiserver/validation/meta.h"
#include "apiserver/validation/other.h"
#include "apiserver/validation/pod/pod.h"
#include "base/mem.h"
#include "base/nameset.h"
#include "base/str.h"

static void check_empty_dir(struct field_errors *errors, const struct field_path *path, const void *source)
{
	const CoreV1EmptyDirVolumeSource *s = source;
	struct quantity q = quantity_of(s->size_limit);
	if (s->size_limit && quantity_sign(&q) < 0)
		field_forbidden(errors, FIELD(path, "sizeLimit"), "SizeLimit field must be a valid resource quantity");
}

void volume_check_host_path(struct field_errors *errors, const struct field_path *path, const void *source)
{
	static const char *const types[] = {"", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File",
		"FileOrCreate", "Socket", NULL};
	const CoreV1HostPathVolumeSource *s = source;
	if (str_empty(s->path)) {
		field_required(errors, FIELD(path, "path"), "");
		return;
	}
	check_no_backsteps(errors, FIELD(path, "path"), s->path);
	if (s->type && !str_in(s->type, types))
		field_unsupported(errors, FIELD(path, "type"), s->type, types);
}

static void check_ephemeral(struct field_errors *errors, const struct field_path *path, const void *source)
{
	const CoreV1EphemeralVolumeSource *s = source;
	const struct field_path *at = FIELD(path, "volumeClaimTemplate");
	if (!s->volume_claim_template) {
		field_required(errors, at, "");
		return;
	}
	const CoreV1PersistentVolumeClaimTemplate *t = s->volume_claim_template;
	validate_template_meta(errors, at, t->metadata);
	validate_claim_spec(errors, FIELD(at, "spec"), t->spec);
}

#define SOURCE(member) offsetof(CoreV1VolumeSource, member)
static const struct volume_rule pod_rules[] = {
	{"emptyDir", SOURCE(empty_dir), .check = check_empty_dir},
	{"hostPath", SOURCE(host_path), .check = volume_check_host_path},
	{"gitRepo", SOURCE(git_repo), .check = volume_check_git},
	{"gcePersistentDisk", SOURCE(gce_persistent_disk), .at = "persistentDisk", .check = volume_check_gce},
	{"awsElasticBlockStore", SOURCE(aws_elastic_block_store), .check = volume_check_aws},
	{"secret", SOURCE(secret), .check = volume_check_secret},
	{"nfs", SOURCE(nfs), .check = volume_check_nfs},
	{"iscsi", SOURCE(iscsi), .check = volume_check_iscsi},
	{"glusterfs", SOURCE(glusterfs), .required = VOLUME_NAMES("endpoints", "path")},
	{"flocker", SOURCE(flocker), .check = volume_check_flocker},
	{"persistentVolumeClaim", SOURCE(persistent_volume_claim), .required = VOLUME_NAMES("claimName")},
	{"rbd", SOURCE(rbd), .check = volume_check_rbd},
	{"cinder", SOURCE(cinder), .check = volume_check_cinder},
	{"cephfs", SOURCE(cephfs), .again = "cephFS", .check = volume_check_cephfs},
	{"quobyte", SOURCE(quobyte), .check = volume_check_quobyte},
	{"downwardAPI", SOURCE(downward_api), .again = "downwarAPI", .check = volume_check_downward},
	{"fc", SOURCE(fc), .check = volume_check_fc},
	{"flexVolume", SOURCE(flex_volume), .check = volume_check_flex},
	{"configMap", SOURCE(config_map), .check = volume_check_config_map},
	{"azureFile", SOURCE(azure_file), .required = VOLUME_NAMES("secretName", "shareName")},
	{"vsphereVolume", SOURCE(vsphere_volume), .required = VOLUME_NAMES("volumePath")},
	{"photonPersistentDisk", SOURCE(photon_persistent_disk), .required = VOLUME_NAMES("pdID")},
	{"portworxVolume", SOURCE(portworx_volume), .required = VOLUME_NAMES("volumeID")},
	{"azureDisk", SOURCE(azure_disk), .check = volume_check_azure_disk},
	{"storageos", SOURCE(storageos), .check = volume_check_storage_os},
	{"projected", SOURCE(projected), .check = volume_check_projected},
	{"scaleIO", SOURCE(scale_io), .required = VOLUME_NAMES("gateway", "system", "volumeName")},
	{"csi", SOURCE(csi), .check = volume_check_csi},
	{"ephemeral", SOURCE(ephemeral), .check = check_ephemeral},
};

const struct volume_rule *volume_next_source(
	const void *sources, const struct volume_rule *rules, size_t n_rules, size_t *at, const void **ret_source)
{
	while (sources && *at < n_rules) {
		const struct volume_rule *rule = &rules[(*at)++];
		*ret_source = *(void *const *)((const char *)sources + rule->offset);
		if (*ret_source)
			return rule;
	}
	return NULL;
}

void volume_check_source(
	struct field_errors *errors, const struct field_path *path, const struct volume_rule *rule, const void *source)
{
	const struct field_path *at = FIELD(path, str_or(rule->at, rule->name));
	if (rule->required)
		volume_require(errors, at, source, rule->required);
	if (rule->check)
		rule->check(errors, at, source);
}

void volume_forbid_source(struct field_errors *errors, const struct field_path *path, const struct volume_rule *rule)
{
	field_forbidden(
		errors, FIELD(path, str_or(rule->again, rule->name)), "may not specify more than 1 volume type");
}

/* What a source says about the volume that it is a part of. */
static void check_names(struct field_errors *errors, const struct field_path *path, const struct volume_rule *rule,
	const CoreV1Volume *v, const MetaV1ObjectMeta *meta)
{
	struct arena *arena = errors->arena;
	const struct field_path *name = FIELD(path, "name");
	const CoreV1ISCSIVolumeSource *iscsi = v->volume_source->iscsi;
	if (!strcmp(rule->name, "iscsi") && iscsi->initiator_name &&
		strlen(str_or_empty(v->name)) + 1 + strlen(str_or_empty(iscsi->target_portal)) > 64)
		field_invalid(errors, name, v->name,
			"Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if "
			"iscsi.initiatorName is specified.");
	if (strcmp(rule->name, "ephemeral") != 0 || !meta || str_empty(meta->name) || str_empty(v->name))
		return;
	const char *claim_name = arena_printf(arena, "%s-%s", meta->name, v->name);
	for (const char *problem = check_dns_subdomain(arena, claim_name); problem;) {
		const char *end = strstr(problem, "; ");
		field_invalid(errors, name, v->name,
			arena_printf(arena, "PVC name %s: %.*s", field_quote(arena, claim_name),
				end ? (int)(end - problem) : (int)strlen(problem), problem));
		problem = end ? end + 2 : NULL;
	}
}

static void check_source(
	struct field_errors *errors, const struct field_path *path, const CoreV1Volume *v, const MetaV1ObjectMeta *meta)
{
	const struct volume_rule *rule;
	const void *source;
	int n = 0;
	for (size_t i = 0; (rule = volume_next_source(v->volume_source, pod_rules, ARRAY_SIZE(pod_rules), &i, &source));
		n++) {
		if (n) {
			volume_forbid_source(errors, path, rule);
			continue;
		}
		volume_check_source(errors, path, rule, source);
		check_names(errors, path, rule, v, meta);
	}
	if (!n)
		field_required(errors, path, "must specify a volume type");
}

/* Names of the claims that are made for the pod's ephemeral volumes. */
static struct nameset made_claims(const CoreV1PodSpec *spec, const MetaV1ObjectMeta *meta, struct arena *arena)
{
	struct nameset made = {.arena = arena};
	for (size_t i = 0; meta && !str_empty(meta->name) && i < spec->n_volumes; i++) {
		const CoreV1Volume *v = spec->volumes[i];
		if (v->volume_source && v->volume_source->ephemeral)
			nameset_add(&made, arena_printf(arena, "%s-%s", meta->name, str_or_empty(v->name)));
	}
	return made;
}

void validate_volumes(struct field_errors *errors, const struct field_path *path, const CoreV1PodSpec *spec,
	const MetaV1ObjectMeta *meta, struct pod_volumes *ret_good)
{
	const struct nameset made = made_claims(spec, meta, errors->arena);
	*ret_good = (struct pod_volumes){.names = {.arena = errors->arena}};
	for (size_t i = 0; i < spec->n_volumes; i++) {
		const CoreV1Volume *v = spec->volumes[i];
		const struct field_path *at = FIELD_INDEX(path, i);
		size_t n_before = errors->n_items;
		check_source(errors, at, v, meta);
		if (str_empty(v->name))
			field_required(errors, FIELD(at, "name"), "");
		else
			validate_text(errors, FIELD(at, "name"), v->name, check_dns_label(errors->arena, v->name));
		if (pod_volume(ret_good, v->name))
			field_duplicate(errors, FIELD(at, "name"), v->name);
		if (errors->n_items == n_before) {
			nameset_add(&ret_good->names, v->name);
			ARENA_PUSH(errors->arena, ret_good->items, ret_good->n_items) = v;
		}
		const CoreV1PersistentVolumeClaimVolumeSource *c =
			v->volume_source ? v->volume_source->persistent_volume_claim : NULL;
		if (c && nameset_has(&made, c->claim_name))
			field_invalid(errors, FIELD(FIELD(at, "persistentVolumeClaim"), "claimName"), c->claim_name,
				"must not reference a PVC that gets created for an ephemeral volume");
	}
}

const CoreV1Volume *pod_volume(const struct pod_volumes *volumes, const char *name)
{
	size_t at = nameset_find(&volumes->names, name);
	return at < volumes->n_items ? volumes->items[at] : NULL;
}
