#include "apiserver/validation/pod.h"
#include "api/copy.h"
#include "api/json.h"
#include "api/meta.h"
#include "api/qos.h"
#include "apiserver/validation/meta.h"
#include "base/str.h"

static const char *const restart_policies[] = {"Always", "OnFailure", "Never", NULL};
static const char *const dns_policies[] = {"ClusterFirstWithHostNet", "ClusterFirst", "Default", "None", NULL};

static void check_names(struct field_errors *errors, const struct field_path *path, const CoreV1PodSpec *spec)
{
	struct arena *arena = errors->arena;
	if (!str_empty(spec->service_account_name))
		validate_text(errors, FIELD(path, "serviceAccountName"), spec->service_account_name,
			check_dns_subdomain(arena, spec->service_account_name));
	if (!str_empty(spec->node_name))
		validate_text(
			errors, FIELD(path, "nodeName"), spec->node_name, check_dns_subdomain(arena, spec->node_name));
	if (spec->has_active_deadline_seconds &&
		(spec->active_deadline_seconds < 1 || spec->active_deadline_seconds > INT32_MAX))
		field_invalid_int(errors, FIELD(path, "activeDeadlineSeconds"), spec->active_deadline_seconds,
			"must be between 1 and 2147483647, inclusive");
	if (!str_empty(spec->hostname))
		validate_text(errors, FIELD(path, "hostname"), spec->hostname, check_dns_label(arena, spec->hostname));
	if (!str_empty(spec->subdomain))
		validate_text(
			errors, FIELD(path, "subdomain"), spec->subdomain, check_dns_label(arena, spec->subdomain));
	if (!str_empty(spec->priority_class_name))
		validate_text(errors, FIELD(path, "priorityClassName"), spec->priority_class_name,
			check_dns_subdomain(arena, spec->priority_class_name));
	if (spec->runtime_class_name)
		validate_text(errors, FIELD(path, "runtimeClassName"), spec->runtime_class_name,
			check_dns_subdomain(arena, spec->runtime_class_name));
}

static void check_dns(struct field_errors *errors, const struct field_path *path, const CoreV1PodSpec *spec)
{
	const CoreV1PodDNSConfig *dns = spec->dns_config;
	const struct field_path *at = FIELD(path, "dnsConfig");
	if (str_eq(spec->dns_policy, "None")) {
		if (!dns)
			field_required(errors, at, "must provide `dnsConfig` when `dnsPolicy` is None");
		else if (!dns->n_nameservers)
			field_required(errors, FIELD(at, "nameservers"),
				"must provide at least one DNS nameserver when `dnsPolicy` is None");
	}
	for (size_t i = 0; dns && i < dns->n_nameservers; i++)
		validate_text(errors, FIELD_INDEX(FIELD(at, "nameservers"), i), dns->nameservers[i],
			check_ip(errors->arena, dns->nameservers[i]));
	for (size_t i = 0; dns && i < dns->n_options; i++)
		if (str_empty(dns->options[i]->name))
			field_required(errors, FIELD_INDEX(FIELD(at, "options"), i), "must not be empty");
}

/* In the host's network a container's port is a port of the host. */
static void check_host_network(struct field_errors *errors, const struct field_path *path, const CoreV1PodSpec *spec)
{
	for (size_t i = 0; spec->host_network && i < spec->n_containers; i++)
		for (size_t k = 0; k < spec->containers[i]->n_ports; k++) {
			const CoreV1ContainerPort *p = spec->containers[i]->ports[k];
			if (p->host_port && p->host_port != p->container_port)
				field_invalid_int(errors,
					FIELD(FIELD_INDEX(FIELD(FIELD_INDEX(FIELD(path, "containers"), i), "ports"), k),
						"hostPort"),
					p->host_port, "must match `containerPort` when `hostNetwork` is true");
		}
}

static void check_spread(struct field_errors *errors, const struct field_path *path, const CoreV1PodSpec *spec)
{
	static const char *const actions[] = {"DoNotSchedule", "ScheduleAnyway", NULL};
	for (size_t i = 0; i < spec->n_topology_spread_constraints; i++) {
		const CoreV1TopologySpreadConstraint *c = spec->topology_spread_constraints[i];
		const struct field_path *at = FIELD_INDEX(path, i);
		if (c->max_skew <= 0)
			field_invalid_int(errors, FIELD(at, "maxSkew"), c->max_skew, "must be greater than zero");
		if (str_empty(c->topology_key))
			field_required(errors, FIELD(at, "topologyKey"), "can not be empty");
		if (!str_in(str_or_empty(c->when_unsatisfiable), actions))
			field_unsupported(errors, FIELD(at, "whenUnsatisfiable"), c->when_unsatisfiable, actions);
		validate_label_selector(errors, FIELD(at, "labelSelector"), c->label_selector);
	}
}

static void check_lists(struct field_errors *errors, const struct field_path *path, const CoreV1PodSpec *spec)
{
	for (size_t i = 0; i < spec->n_readiness_gates; i++)
		validate_text(errors, FIELD(FIELD_INDEX(FIELD(path, "readinessGates"), i), "conditionType"),
			spec->readiness_gates[i]->condition_type,
			check_qualified_name(errors->arena, str_or_empty(spec->readiness_gates[i]->condition_type)));
	for (size_t i = 0; i < spec->n_scheduling_gates; i++)
		validate_text(errors, FIELD(FIELD_INDEX(FIELD(path, "schedulingGates"), i), "name"),
			spec->scheduling_gates[i]->name,
			check_qualified_name(errors->arena, str_or_empty(spec->scheduling_gates[i]->name)));
}

static void check_aliases(struct field_errors *errors, const struct field_path *path, const CoreV1PodSpec *spec)
{
	for (size_t i = 0; i < spec->n_host_aliases; i++) {
		const CoreV1HostAlias *alias = spec->host_aliases[i];
		const struct field_path *at = FIELD_INDEX(FIELD(path, "hostAliases"), i);
		validate_text(errors, FIELD(at, "ip"), alias->ip, check_ip(errors->arena, str_or_empty(alias->ip)));
		for (size_t k = 0; k < alias->n_hostnames; k++)
			validate_text(errors, FIELD_INDEX(FIELD(at, "hostnames"), k), alias->hostnames[k],
				check_dns_subdomain(errors->arena, alias->hostnames[k]));
	}
}

void validate_pod_spec(struct field_errors *errors, const struct field_path *path, const CoreV1PodSpec *spec,
	const MetaV1ObjectMeta *meta)
{
	if (!spec->has_termination_grace_period_seconds)
		field_required(errors, FIELD(path, "terminationGracePeriodSeconds"), "");
	validate_volumes(errors, FIELD(path, "volumes"), spec);
	validate_containers(errors, path, spec);
	validate_resources(errors, FIELD(path, "resources"), spec->resources);
	check_host_network(errors, path, spec);
	validate_one_of(errors, FIELD(path, "restartPolicy"), spec->restart_policy, restart_policies);
	validate_one_of(errors, FIELD(path, "dnsPolicy"), spec->dns_policy, dns_policies);
	validate_labels(errors, FIELD(path, "nodeSelector"), spec->node_selector, spec->n_node_selector);
	validate_pod_security(errors, FIELD(path, "securityContext"), spec);
	validate_affinity(errors, FIELD(path, "affinity"), spec->affinity);
	check_dns(errors, path, spec);
	check_lists(errors, path, spec);
	check_spread(errors, FIELD(path, "topologySpreadConstraints"), spec);
	check_names(errors, path, spec);
	validate_tolerations(errors, FIELD(path, "tolerations"), spec->tolerations, spec->n_tolerations);
	check_aliases(errors, path, spec);
}

void validate_pod_template(
	struct field_errors *errors, const struct field_path *path, const CoreV1PodTemplateSpec *template)
{
	const MetaV1ObjectMeta *meta = template->metadata;
	if (meta) {
		validate_labels(errors, FIELD(path, "labels"), meta->labels, meta->n_labels);
		validate_annotations(errors, FIELD(path, "annotations"), meta->annotations, meta->n_annotations);
	}
	const struct field_path *spec = FIELD(path, "spec");
	if (!template->spec) {
		field_required(errors, FIELD(spec, "containers"), "");
		return;
	}
	validate_pod_spec(errors, spec, template->spec, meta);
	if (template->spec->n_ephemeral_containers)
		field_forbidden(
			errors, FIELD(spec, "ephemeralContainers"), "ephemeral containers not allowed in pod template");
}

/* Blanks around an image's name are forgiven in a template only. */
static void check_image_blanks(
	struct field_errors *errors, const struct field_path *path, CoreV1Container *const *containers, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!str_eq(str_trim(errors->arena, str_or_empty(containers[i]->image)), containers[i]->image))
			field_invalid(errors, FIELD(FIELD_INDEX(path, i), "image"), containers[i]->image,
				"must not have leading or trailing whitespace");
}

void validate_pod_create(struct field_errors *errors, const CoreV1Pod *pod)
{
	const struct field_path *path = FIELD(NULL, "spec");
	validate_pod_spec(errors, path, pod->spec, pod->metadata);
	check_image_blanks(errors, FIELD(path, "containers"), pod->spec->containers, pod->spec->n_containers);
	check_image_blanks(
		errors, FIELD(path, "initContainers"), pod->spec->init_containers, pod->spec->n_init_containers);
	if (pod->spec->n_ephemeral_containers)
		field_forbidden(errors, FIELD(path, "ephemeralContainers"), "cannot be set on create");
	if (!str_empty(pod->spec->node_name) && pod->spec->n_scheduling_gates)
		field_forbidden(
			errors, FIELD(path, "nodeName"), "cannot be set until all schedulingGates have been cleared");
}

/* The number of containers stays, and every image is there. False: nothing else can be compared. */
static bool check_images(struct field_errors *errors, const struct field_path *path, CoreV1Container *const *containers,
	size_t n, size_t n_old)
{
	if (n != n_old) {
		field_forbidden(errors, path, "pod updates may not add or remove containers");
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		const char *image = str_or_empty(containers[i]->image);
		const struct field_path *at = FIELD(FIELD_INDEX(path, i), "image");
		if (!*image)
			field_required(errors, at, "");
		else if (!str_eq(str_trim(errors->arena, image), image))
			field_invalid(errors, at, image, "must not have leading or trailing whitespace");
	}
	return true;
}

static bool check_deadline(struct field_errors *errors, const CoreV1PodSpec *spec, const CoreV1PodSpec *old)
{
	const struct field_path *path = FIELD(FIELD(NULL, "spec"), "activeDeadlineSeconds");
	if (!spec->has_active_deadline_seconds) {
		if (old->has_active_deadline_seconds)
			field_invalid_json(
				errors, path, "null", "must not update from a positive integer to nil value");
		return true;
	}
	if (spec->active_deadline_seconds < 0 || spec->active_deadline_seconds > INT32_MAX) {
		field_invalid_int(
			errors, path, spec->active_deadline_seconds, "must be between 0 and 2147483647, inclusive");
		return false;
	}
	if (old->has_active_deadline_seconds && old->active_deadline_seconds < spec->active_deadline_seconds) {
		field_invalid_int(
			errors, path, spec->active_deadline_seconds, "must be less than or equal to previous value");
		return false;
	}
	return true;
}

/* Tolerations are only added to; the seconds of one that is there may change. */
static void check_tolerations_kept(struct field_errors *errors, const CoreV1PodSpec *spec, const CoreV1PodSpec *old)
{
	for (size_t i = 0; i < old->n_tolerations; i++) {
		const CoreV1Toleration *t = old->tolerations[i];
		bool found = false;
		for (size_t k = 0; !found && k < spec->n_tolerations; k++) {
			const CoreV1Toleration *n = spec->tolerations[k];
			found = str_eq(t->key, n->key) && str_eq(t->operator, n->operator) &&
				str_eq(t->value, n->value) && str_eq(t->effect, n->effect);
		}
		if (!found) {
			field_forbidden(errors, FIELD(FIELD(NULL, "spec"), "tolerations"),
				"existing toleration can not be modified except its tolerationSeconds");
			return;
		}
	}
}

static void check_gates(struct field_errors *errors, const CoreV1PodSpec *spec, const CoreV1PodSpec *old)
{
	for (size_t i = 0; i < spec->n_scheduling_gates; i++) {
		bool found = false;
		for (size_t k = 0; !found && k < old->n_scheduling_gates; k++)
			found = str_eq(spec->scheduling_gates[i]->name, old->scheduling_gates[k]->name);
		if (!found)
			field_forbidden(errors, FIELD(FIELD(NULL, "spec"), "schedulingGates"),
				arena_printf(errors->arena,
					"only deletion is allowed, but found new scheduling gate '%s'",
					spec->scheduling_gates[i]->name));
	}
}

/* The new spec with everything that may change taken from the old one: what is left to differ is forbidden. */
static CoreV1PodSpec *without_allowed_changes(struct arena *arena, const CoreV1PodSpec *spec, const CoreV1PodSpec *old)
{
	CoreV1PodSpec *munged = api_copy_msg(arena, spec);
	for (size_t i = 0; i < munged->n_containers; i++)
		munged->containers[i]->image = old->containers[i]->image;
	for (size_t i = 0; i < munged->n_init_containers; i++)
		munged->init_containers[i]->image = old->init_containers[i]->image;
	munged->has_active_deadline_seconds = old->has_active_deadline_seconds;
	munged->active_deadline_seconds = old->active_deadline_seconds;
	munged->tolerations = old->tolerations;
	munged->n_tolerations = old->n_tolerations;
	munged->scheduling_gates = old->scheduling_gates;
	munged->n_scheduling_gates = old->n_scheduling_gates;
	if (old->has_termination_grace_period_seconds && old->termination_grace_period_seconds < 0 &&
		munged->termination_grace_period_seconds == 1)
		munged->termination_grace_period_seconds = old->termination_grace_period_seconds;
	if (old->n_scheduling_gates) {
		munged->node_selector = old->node_selector;
		munged->n_node_selector = old->n_node_selector;
		if (munged->affinity && old->affinity)
			munged->affinity->node_affinity = old->affinity->node_affinity;
	}
	return munged;
}

void validate_pod_update(struct field_errors *errors, const CoreV1Pod *pod, const CoreV1Pod *old)
{
	const struct field_path *path = FIELD(NULL, "spec");
	const CoreV1PodSpec *spec = pod->spec, *before = old->spec;
	if (!spec || !before)
		return;
	validate_pod_spec(errors, path, spec, pod->metadata);
	if (!check_images(
		    errors, FIELD(path, "containers"), spec->containers, spec->n_containers, before->n_containers) ||
		!check_images(errors, FIELD(path, "initContainers"), spec->init_containers, spec->n_init_containers,
			before->n_init_containers) ||
		!check_deadline(errors, spec, before))
		return;
	check_tolerations_kept(errors, spec, before);
	check_gates(errors, spec, before);
	if (api_equal(without_allowed_changes(errors->arena, spec, before), before))
		return;
	field_forbidden(errors, path,
		"pod updates may not change fields other than "
		"`spec.containers[*].image`,`spec.initContainers[*].image`,"
		"`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
		"`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)");
}

static bool is_terminated(const CoreV1ContainerStatus *status)
{
	return status->state && status->state->terminated;
}

/* A container of a pod that never restarts does not come back to life. */
static void check_resurrection(struct field_errors *errors, const struct field_path *path,
	CoreV1ContainerStatus *const *now, size_t n_now, CoreV1ContainerStatus *const *before, size_t n_before,
	const char *policy)
{
	for (size_t i = 0; i < n_before; i++) {
		const CoreV1ContainerStatus *b = before[i];
		if (!is_terminated(b) || (str_eq(policy, "OnFailure") && b->state->terminated->exit_code))
			continue;
		for (size_t k = 0; k < n_now; k++)
			if (str_eq(now[k]->name, b->name) && !is_terminated(now[k]))
				field_forbidden(errors, FIELD(FIELD_INDEX(path, k), "state"),
					"may not be transitioned to non-terminated state");
	}
}

void validate_pod_status_update(struct field_errors *errors, const CoreV1Pod *pod, const CoreV1Pod *old)
{
	const CoreV1PodStatus *now = pod->status, *before = old->status;
	const char *policy = old->spec ? str_or_empty(old->spec->restart_policy) : "";
	const struct field_path *path = FIELD(NULL, "status");
	if (!now || !before)
		return;
	if (!str_empty(now->nominated_node_name))
		validate_text(errors, FIELD(path, "nominatedNodeName"), now->nominated_node_name,
			check_dns_subdomain(errors->arena, now->nominated_node_name));
	if (strcmp(policy, "Always"))
		check_resurrection(errors, FIELD(path, "containerStatuses"), now->container_statuses,
			now->n_container_statuses, before->container_statuses, before->n_container_statuses, policy);
	if (!str_empty(before->qos_class) && !str_eq(now->qos_class, before->qos_class))
		field_invalid(errors, FIELD(path, "qosClass"), now->qos_class, "field is immutable");
}

void validate_pod_ephemeral_update(struct field_errors *errors, const CoreV1Pod *pod, const CoreV1Pod *old)
{
	const struct field_path *path = FIELD(FIELD(NULL, "spec"), "ephemeralContainers");
	const CoreV1PodSpec *spec = pod->spec, *before = old->spec;
	for (size_t i = 0; before && i < before->n_ephemeral_containers; i++) {
		const char *name = before->ephemeral_containers[i]->ephemeral_container_common
					   ? before->ephemeral_containers[i]->ephemeral_container_common->name
					   : "";
		bool same = i < spec->n_ephemeral_containers &&
			    api_equal(spec->ephemeral_containers[i], before->ephemeral_containers[i]);
		if (!same)
			field_forbidden(errors, path,
				arena_printf(errors->arena, "existing ephemeral containers \"%s\" may not be %s\n",
					name, i < spec->n_ephemeral_containers ? "changed" : "removed"));
	}
	for (size_t i = 0; i < spec->n_ephemeral_containers; i++) {
		const CoreV1EphemeralContainerCommon *c = spec->ephemeral_containers[i]->ephemeral_container_common;
		const struct field_path *at = FIELD_INDEX(path, i);
		if (!c || str_empty(c->name))
			field_required(errors, FIELD(at, "name"), "");
		else
			validate_text(errors, FIELD(at, "name"), c->name, check_dns_label(errors->arena, c->name));
		if (!c || str_empty(c->image))
			field_required(errors, FIELD(at, "image"), "");
	}
}

void validate_pod_resize(struct field_errors *errors, const CoreV1Pod *pod, const CoreV1Pod *old)
{
	const struct field_path *path = FIELD(NULL, "spec");
	const char *was = old->status ? old->status->qos_class : "";
	validate_pod_spec(errors, path, pod->spec, pod->metadata);
	if (!str_empty(was) && !str_eq(pod_qos_class(pod->spec), was))
		field_invalid(
			errors, path, pod_qos_class(pod->spec), "Pod QOS Class may not change as a result of resizing");
}
