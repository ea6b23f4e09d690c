/*
 * Checks that every kind shares: names, labels, annotations, owner references, finalizers, and what of the metadata may
 * not change.
 */
#ifndef APISERVER_VALIDATION_META_H
#define APISERVER_VALIDATION_META_H

#include "api/names.h"
#include "api/types.h"
#include "apiserver/validation/field.h"

/*
 * A form that a name may have: returns NULL for a good one, else what is wrong with it (the original's sentence, in the
 * arena). prefix: the name is a generateName and may end with a dash.
 */
typedef const char *name_check_fn(struct arena *arena, const char *name, bool prefix);
name_check_fn name_is_dns_subdomain;  /* most kinds */
name_check_fn name_is_dns_label;      /* namespaces */
name_check_fn name_is_dns_1035_label; /* services */
name_check_fn name_is_path_segment;   /* RBAC kinds */
name_check_fn name_is_any;	      /* CertificateSigningRequests */
name_check_fn name_is_ip;	      /* IPAddresses */
/* Whether a key of etcd can have the name. */
struct status *check_name_parameter(struct arena *arena, const char *name) MUST_USE;

/* What is wrong with each finalizer in the core group's eyes: without a domain it must be one that Kubernetes knows. */
void validate_finalizer_domains(
	struct field_errors *errors, const struct field_path *path, char *const *finalizers, size_t n);

/* Metadata of a new object, metadata.name already generated. */
void validate_object_meta(struct field_errors *errors, const struct field_path *path, const MetaV1ObjectMeta *meta,
	bool namespaced, name_check_fn *check);
/* Of it the name alone. */
void validate_object_name(struct field_errors *errors, const struct field_path *path, const MetaV1ObjectMeta *meta,
	name_check_fn *check_name);
void tell_name_problems(struct field_errors *errors, const struct field_path *path, const MetaV1ObjectMeta *meta,
	const char *of_generated, const char *of_name);
/* All of it but the name. */
void validate_object_meta_beside_name(
	struct field_errors *errors, const struct field_path *path, const MetaV1ObjectMeta *meta, bool namespaced);
/* What may not change between two versions. */
void validate_object_meta_update(struct field_errors *errors, const struct field_path *path,
	const MetaV1ObjectMeta *meta, const MetaV1ObjectMeta *old);

void validate_labels(
	struct field_errors *errors, const struct field_path *path, MapStringEntry *const *labels, size_t n);
void validate_annotations(
	struct field_errors *errors, const struct field_path *path, MapStringEntry *const *annotations, size_t n);
/* The name of a field manager: printable, at most 128 bytes. */
void validate_manager_name(struct field_errors *errors, const struct field_path *path, const char *name);
/* What a client calls itself, before the slash, as such a name. */
const char *manager_name_of_agent(struct arena *arena, const char *agent);
void validate_label_selector(
	struct field_errors *errors, const struct field_path *path, const MetaV1LabelSelector *selector);
/* Where an update may not keep KEPT_SELECTOR_VALUES either. */
void validate_label_selector_strictly(
	struct field_errors *errors, const struct field_path *path, const MetaV1LabelSelector *selector);

/* What is wrong with a value, or NULL; sentences of k8s.io/apimachinery/pkg/util/validation, "; " between
 * them: field_invalid_each() makes an error of each. */
const char *check_qualified_name(struct arena *arena, const char *value);
const char *check_label_value(struct arena *arena, const char *value);
const char *check_port_name(struct arena *arena, const char *value);
const char *check_port_number(int64_t port);
const char *check_env_name(struct arena *arena, const char *value);
const char *check_config_key(struct arena *arena, const char *value);
const char *check_search_domain(struct arena *arena, const char *value);
const char *check_header_name(struct arena *arena, const char *value);
const char *check_ip(struct arena *arena, const char *value);

/* Why a label of nodes is out of date ("deprecated since …"); NULL: it is not. */
const char *deprecated_node_label(const char *key);

/* dryRun is All, however often, or nothing. */
void validate_dry_run(struct field_errors *errors, char *const *values, size_t n);
struct status *validate_delete_options(struct arena *arena, const MetaV1DeleteOptions *options) MUST_USE;

#endif
