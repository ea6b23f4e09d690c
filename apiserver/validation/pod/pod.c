#include "apiserver/validation/pod/pod.h"
#include "api/meta.h"
#include "apiserver/validation/ip.h"
#include "apiserver/validation/meta.h"
#include "base/mem.h"
#include "base/nameset.h"
#include "base/str.h"

static const char *const restart_policies[] = {"Always", "OnFailure", "Never", NULL};
static const char *const dns_policies[] = {"ClusterFirstWithHostNet", "ClusterFirst", "Default", "None", NULL};
static const char *const preemption_policies[] = {"PreemptLowerPriority", "Never", NULL};

bool is_legacy_ip(const char *value)
{
	struct ip ip;
	return ip_read(value, &ip);
}

void validate_legacy_ip(struct field_errors *errors, const struct field_path *path, const char *value)
{
	value = str_or_empty(value);
	if (!is_legacy_ip(value))
		field_invalid(errors, path, value, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)");
}

static void check_dns_config(struct field_errors *errors, const struct field_path *path, const CoreV1PodDNSConfig *dns)
{
	enum { MAX_SERVERS = 3, MAX_SEARCHES = 32, MAX_CHARACTERS = 2048 };
	const struct field_path *searches = FIELD(path, "searches");
	if (dns->n_nameservers > MAX_SERVERS)
		field_invalid_json(errors, FIELD(path, "nameservers"),
			strings_json(errors->arena, dns->nameservers, dns->n_nameservers),
			"must not have more than 3 nameservers");
	for (size_t i = 0; i < dns->n_nameservers; i++)
		validate_legacy_ip(errors, FIELD_INDEX(FIELD(path, "nameservers"), i), dns->nameservers[i]);
	const char *list = strings_json(errors->arena, dns->searches, dns->n_searches);
	if (dns->n_searches > MAX_SEARCHES)
		field_invalid_json(errors, searches, list, "must not have more than 32 search paths");
	if (strlen(str_join(errors->arena, dns->searches, dns->n_searches, " ")) > MAX_CHARACTERS)
		field_invalid_json(errors, searches, list,
			"must not have more than 2048 characters (including spaces) in the search list");
	for (size_t i = 0; i < dns->n_searches; i++) {
		char *search = arena_strdup(errors->arena, str_or_empty(dns->searches[i]));
		if (!strcmp(search, "."))
			continue;
		if (str_ends_with(search, "."))
			search[strlen(search) - 1] = '\0';
		validate_text(errors, FIELD_INDEX(searches, i), search, check_search_domain(errors->arena, search));
	}
	for (size_t i = 0; i < dns->n_options; i++)
		if (str_empty(dns->options[i]->name))
			field_required(errors, FIELD_INDEX(FIELD(path, "options"), i), "must not be empty");
}

static void check_dns(struct field_errors *errors, const struct field_path *path, const CoreV1PodSpec *spec)
{
	const CoreV1PodDNSConfig *dns = spec->dns_config;
	bool none = str_eq(spec->dns_policy, "None");
	if (none && !dns)
		field_required(errors, path, "must provide `dnsConfig` when `dnsPolicy` is None");
	else if (none && !dns->n_nameservers)
		field_required(errors, FIELD(path, "nameservers"),
			"must provide at least one DNS nameserver when `dnsPolicy` is None");
	else if (dns)
		check_dns_config(errors, path, dns);
}

/* In the host's network a container's port is a port of the host; a template may leave it to be filled in. */
static void check_host_network(
	struct field_errors *errors, const struct field_path *path, const CoreV1PodSpec *spec, bool is_pod)
{
	for (size_t i = 0; spec->host_network && i < spec->n_containers; i++)
		for (size_t k = 0; k < spec->containers[i]->n_ports; k++) {
			const CoreV1ContainerPort *p = spec->containers[i]->ports[k];
			if ((is_pod || p->host_port) && p->host_port != p->container_port)
				field_invalid_int(errors,
					FIELD(FIELD_INDEX(FIELD(FIELD_INDEX(FIELD(path, "containers"), i), "ports"), k),
						"hostPort"),
					p->host_port, "must match `containerPort` when `hostNetwork` is true");
		}
}

static void check_claims(struct field_errors *errors, const struct field_path *path, const CoreV1PodSpec *spec,
	const MetaV1ObjectMeta *meta)
{
	struct nameset seen = {.arena = errors->arena};
	for (size_t i = 0; i < spec->n_resource_claims; i++) {
		const CoreV1PodResourceClaim *c = spec->resource_claims[i];
		const struct field_path *at = FIELD_INDEX(path, i), *name = FIELD(at, "name");
		bool repeated = !nameset_add(&seen, c->name);
		if (meta && meta_annotation(meta, "kubernetes.io/config.mirror")) {
			field_forbidden(errors, FIELD_KEY(NULL, ""), "static pods do not support resource claims");
			continue;
		}
		if (str_empty(c->name))
			field_required(errors, name, "");
		else if (repeated)
			field_duplicate(errors, name, c->name);
		else
			validate_text(errors, name, c->name, check_dns_label(errors->arena, c->name));
		if (c->resource_claim_name && c->resource_claim_template_name)
			field_invalid_internal(errors, at, c,
				"at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified");
		if (!c->resource_claim_name && !c->resource_claim_template_name)
			field_invalid_internal(
				errors, at, c, "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`");
		if (c->resource_claim_name)
			validate_text(errors, FIELD(at, "resourceClaimName"), c->resource_claim_name,
				check_dns_subdomain(errors->arena, c->resource_claim_name));
		if (c->resource_claim_template_name)
			validate_text(errors, FIELD(at, "resourceClaimTemplateName"), c->resource_claim_template_name,
				check_dns_subdomain(errors->arena, c->resource_claim_template_name));
	}
}

static void check_gates(struct field_errors *errors, const struct field_path *path, const CoreV1PodSpec *spec)
{
	for (size_t i = 0; i < spec->n_readiness_gates; i++) {
		const char *type = str_or_empty(spec->readiness_gates[i]->condition_type);
		validate_text(errors, FIELD(FIELD_INDEX(FIELD(path, "readinessGates"), i), "conditionType"), type,
			check_qualified_name(errors->arena, type));
	}
	struct nameset seen = {.arena = errors->arena};
	for (size_t i = 0; i < spec->n_scheduling_gates; i++) {
		const char *name = str_or_empty(spec->scheduling_gates[i]->name);
		const struct field_path *at = FIELD_INDEX(FIELD(path, "schedulingGates"), i);
		bool repeated = !nameset_add(&seen, name);
		validate_text(errors, at, name, check_qualified_name(errors->arena, name));
		if (repeated)
			field_duplicate(errors, at, name);
	}
}

/* With users of its own a pod cannot share other things with the host. */
static void check_own_users(struct field_errors *errors, const struct field_path *path, const CoreV1PodSpec *spec)
{
	static const char why[] = "when `hostUsers` is false";
	struct pod_container *all;
	if (!spec->has_host_users || spec->host_users)
		return;
	if (spec->host_network)
		field_forbidden(errors, FIELD(path, "hostNetwork"), why);
	/* The paths are the original's. */
	if (spec->host_pid)
		field_forbidden(errors, FIELD(path, "HostPID"), why);
	if (spec->host_ipc)
		field_forbidden(errors, FIELD(path, "HostIPC"), why);
	size_t n = pod_containers(errors->arena, spec, &all), n_errors = errors->n_items;
	for (size_t i = 0; i < n; i++)
		if (all[i].container->n_volume_devices)
			field_forbidden(errors, FIELD(POD_CONTAINER_PATH(path, &all[i]), "volumeDevices"), why);
	field_keep(errors, n_errors, KEPT_USERS_DEVICES);
}

static void check_optional_name(struct field_errors *errors, const struct field_path *path, const char *value,
	const char *(*check)(struct arena *arena, const char *value))
{
	if (!str_empty(value))
		validate_text(errors, path, value, check(errors->arena, value));
}

static void check_aliases(struct field_errors *errors, const struct field_path *path, const CoreV1PodSpec *spec)
{
	for (size_t i = 0; i < spec->n_host_aliases; i++) {
		const CoreV1HostAlias *alias = spec->host_aliases[i];
		const struct field_path *at = FIELD_INDEX(path, i);
		validate_legacy_ip(errors, FIELD(at, "ip"), alias->ip);
		for (size_t k = 0; k < alias->n_hostnames; k++)
			validate_text(errors, FIELD_INDEX(FIELD(at, "hostnames"), k), alias->hostnames[k],
				check_dns_subdomain(errors->arena, alias->hostnames[k]));
	}
}

static void check_names(struct field_errors *errors, const struct field_path *path, const CoreV1PodSpec *spec)
{
	check_optional_name(errors, FIELD(path, "serviceAccountName"), spec->service_account_name, check_dns_subdomain);
	check_optional_name(errors, FIELD(path, "nodeName"), spec->node_name, check_dns_subdomain);
	if (spec->has_active_deadline_seconds &&
		(spec->active_deadline_seconds < 1 || spec->active_deadline_seconds > INT32_MAX))
		field_invalid_int(errors, FIELD(path, "activeDeadlineSeconds"), spec->active_deadline_seconds,
			"must be between 1 and 2147483647, inclusive");
	check_optional_name(errors, FIELD(path, "hostname"), spec->hostname, check_dns_label);
	check_optional_name(errors, FIELD(path, "subdomain"), spec->subdomain, check_dns_label);
	validate_tolerations(errors, FIELD(path, "tolerations"), spec->tolerations, spec->n_tolerations);
	check_aliases(errors, FIELD(path, "hostAliases"), spec);
	check_optional_name(errors, FIELD(path, "priorityClassName"), spec->priority_class_name, check_dns_subdomain);
	if (spec->runtime_class_name)
		validate_text(errors, FIELD(path, "runtimeClassName"), spec->runtime_class_name,
			check_dns_subdomain(errors->arena, spec->runtime_class_name));
	if (spec->preemption_policy)
		validate_one_of(errors, FIELD(path, "preemptionPolicy"), spec->preemption_policy, preemption_policies);
	if (spec->n_overhead)
		validate_overhead(errors, FIELD(path, "overhead"), spec);
}

void validate_pod_spec(struct field_errors *errors, const struct field_path *path, const CoreV1PodSpec *spec,
	const MetaV1ObjectMeta *meta)
{
	struct pod_volumes volumes;
	if (!spec->has_termination_grace_period_seconds)
		field_required(errors, FIELD(path, "terminationGracePeriodSeconds"), "");
	validate_volumes(errors, FIELD(path, "volumes"), spec, meta, &volumes);
	check_claims(errors, FIELD(path, "resourceClaims"), spec, meta);
	const struct pod_claims claims = pod_claims_of(errors->arena, spec);
	validate_containers(errors, path, spec, &volumes, &claims);
	validate_pod_resources(errors, FIELD(path, "resources"), spec);
	check_host_network(errors, path, spec, meta != NULL);
	validate_one_of(errors, FIELD(path, "restartPolicy"), spec->restart_policy, restart_policies);
	validate_one_of(errors, FIELD(path, "dnsPolicy"), spec->dns_policy, dns_policies);
	validate_labels(errors, FIELD(path, "nodeSelector"), spec->node_selector, spec->n_node_selector);
	validate_pod_security(errors, FIELD(path, "securityContext"), spec);
	validate_affinity(errors, FIELD(path, "affinity"), spec->affinity);
	check_dns(errors, FIELD(path, "dnsConfig"), spec);
	check_gates(errors, path, spec);
	validate_spread(errors, FIELD(path, "topologySpreadConstraints"), spec);
	validate_host_processes(errors, path, spec);
	check_own_users(errors, path, spec);
	check_names(errors, path, spec);
	validate_os(errors, path, spec);
}

void validate_pod_template(
	struct field_errors *errors, const struct field_path *path, const CoreV1PodTemplateSpec *template)
{
	const MetaV1ObjectMeta *meta =
		template->metadata ? template->metadata : API_NEW(errors->arena, MetaV1ObjectMeta);
	const CoreV1PodSpec *spec = template->spec ? template->spec : API_NEW(errors->arena, CoreV1PodSpec);
	const struct field_path *at = FIELD(path, "spec");
	validate_labels(errors, FIELD(path, "labels"), meta->labels, meta->n_labels);
	validate_annotations(errors, FIELD(path, "annotations"), meta->annotations, meta->n_annotations);
	validate_pod_annotations(errors, FIELD(path, "annotations"), meta, spec);
	if (!template->spec) {
		field_required(errors, FIELD(at, "containers"), "");
		return;
	}
	validate_pod_spec(errors, at, spec, NULL);
	validate_profiles_match(errors, at, meta, spec);
	if (spec->n_ephemeral_containers)
		field_forbidden(
			errors, FIELD(at, "ephemeralContainers"), "ephemeral containers not allowed in pod template");
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

/* A token is one of the pod's service account. */
static void check_tokens(struct field_errors *errors, const struct field_path *path, const CoreV1PodSpec *spec)
{
	for (size_t i = 0; str_empty(spec->service_account_name) && i < spec->n_volumes; i++) {
		const CoreV1VolumeSource *s = spec->volumes[i]->volume_source;
		const struct field_path *at = FIELD(FIELD_INDEX(FIELD(path, "volumes"), i), "projected");
		for (size_t k = 0; s && s->projected && k < s->projected->n_sources; k++)
			if (s->projected->sources[k]->service_account_token)
				field_forbidden(errors,
					FIELD(FIELD_INDEX(FIELD(at, "sources"), k), "serviceAccountToken"),
					"must not be specified when serviceAccountName is not set");
	}
}

void validate_pod_whole(struct field_errors *errors, const CoreV1Pod *pod)
{
	const struct field_path *path = FIELD(NULL, "spec");
	validate_pod_annotations(errors, FIELD(FIELD(NULL, "metadata"), "annotations"), pod->metadata, pod->spec);
	validate_pod_spec(errors, path, pod->spec, pod->metadata);
	check_tokens(errors, path, pod->spec);
	check_image_blanks(errors, FIELD(path, "containers"), pod->spec->containers, pod->spec->n_containers);
	check_image_blanks(
		errors, FIELD(path, "initContainers"), pod->spec->init_containers, pod->spec->n_init_containers);
}

void validate_pod_create(struct field_errors *errors, const CoreV1Pod *pod)
{
	const struct field_path *path = FIELD(NULL, "spec");
	validate_pod_whole(errors, pod);
	if (pod->spec->n_ephemeral_containers)
		field_forbidden(errors, FIELD(path, "ephemeralContainers"), "cannot be set on create");
	if (!str_empty(pod->spec->node_name) && pod->spec->n_scheduling_gates)
		field_forbidden(
			errors, FIELD(path, "nodeName"), "cannot be set until all schedulingGates have been cleared");
	validate_profiles_match(errors, path, pod->metadata, pod->spec);
}
