/*
 * The state of a pod, as its node tells it.
 */
#include "api/meta.h"
#include "apiserver/validation/meta.h"
#include "apiserver/validation/pod/pod.h"
#include "base/nameset.h"
#include "base/str.h"

static void check_conditions(struct field_errors *errors, const struct field_path *path, const CoreV1PodStatus *now)
{
	static const char *const known[] = {"PodScheduled", "Ready", "Initialized", NULL};
	for (size_t i = 0; i < now->n_conditions; i++) {
		const CoreV1PodCondition *c = now->conditions[i];
		const struct field_path *at = FIELD_INDEX(path, i);
		if (c->observed_generation < 0)
			field_invalid_int(errors, FIELD(at, "observedGeneration"), c->observed_generation,
				"must be a non-negative integer");
		const char *type = str_or_empty(c->type);
		if (!str_in(type, known))
			validate_text(errors, FIELD(at, "Type"), type, check_qualified_name(errors->arena, type));
	}
}

static struct nameset sidecars_of(struct arena *arena, const CoreV1PodSpec *spec)
{
	struct nameset names = {.arena = arena};
	for (size_t i = 0; spec && i < spec->n_init_containers; i++)
		if (str_eq(spec->init_containers[i]->restart_policy, "Always"))
			nameset_add(&names, spec->init_containers[i]->name);
	return names;
}

static bool restarts(const CoreV1PodSpec *spec, int32_t exit_code)
{
	return str_eq(spec->restart_policy, "Always") || (exit_code && str_eq(spec->restart_policy, "OnFailure"));
}

/* What ended and does not restart stays ended. spec NULL: nothing restarts. */
static void check_resurrection(struct field_errors *errors, const struct field_path *path,
	CoreV1ContainerStatus *const *now, size_t n_now, CoreV1ContainerStatus *const *before, size_t n_before,
	const CoreV1PodSpec *spec)
{
	const struct nameset sidecars = sidecars_of(errors->arena, spec);
	struct nameset by_name = {.arena = errors->arena};
	const char **names = ARENA_ARRAY(errors->arena, const char *, n_now + 1);
	for (size_t k = 0; k < n_now; k++)
		names[k] = now[k]->name;
	const size_t *next = nameset_chain(&by_name, names, n_now);
	for (size_t i = 0; i < n_before && !field_errors_full(errors); i++) {
		const CoreV1ContainerStateTerminated *ended = before[i]->state ? before[i]->state->terminated : NULL;
		if (!ended || nameset_has(&sidecars, before[i]->name) || (spec && restarts(spec, ended->exit_code)))
			continue;
		for (size_t k = nameset_find(&by_name, before[i]->name); k < n_now; k = next[k])
			if (!(now[k]->state && now[k]->state->terminated))
				field_forbidden(errors, FIELD(FIELD_INDEX(path, i), "state"),
					"may not be transitioned to non-terminated state");
	}
}

static void check_claim_statuses(struct field_errors *errors, const struct field_path *path, const CoreV1PodStatus *now,
	const CoreV1PodSpec *spec)
{
	struct nameset seen = {.arena = errors->arena}, claims = {.arena = errors->arena};
	for (size_t i = 0; i < spec->n_resource_claims; i++)
		nameset_add(&claims, spec->resource_claims[i]->name);
	for (size_t i = 0; i < now->n_resource_claim_statuses; i++) {
		const CoreV1PodResourceClaimStatus *s = now->resource_claim_statuses[i];
		const struct field_path *name = FIELD(FIELD_INDEX(path, i), "name");
		if (!nameset_has(&claims, s->name))
			field_invalid(
				errors, name, s->name, "must match the name of an entry in `spec.resourceClaims`");
		if (!nameset_add(&seen, s->name))
			field_duplicate(errors, name, s->name);
		if (s->resource_claim_name)
			field_invalid_json_each(errors, name, field_json(errors->arena, s->resource_claim_name),
				check_dns_subdomain(errors->arena, s->resource_claim_name));
	}
}

/* One address of each family, and those that were there may be wrong as before. */
static void check_addresses(struct field_errors *errors, const struct field_path *path, const char *const *ips,
	size_t n, const char *const *old, size_t n_old, const char *json)
{
	size_t n_six = 0;
	bool bad = false;
	struct nameset before = {.arena = errors->arena};
	for (size_t i = 0; i < n_old; i++)
		nameset_add(&before, old[i]);
	for (size_t i = 0; i < n; i++) {
		if (!nameset_has(&before, ips[i]))
			validate_legacy_ip(errors, FIELD_INDEX(path, i), ips[i]);
		bad |= !is_legacy_ip(str_or_empty(ips[i]));
		n_six += strchr(str_or_empty(ips[i]), ':') != NULL;
	}
	for (size_t i = 0; n > 1 && bad && i < n; i++)
		if (!is_legacy_ip(str_or_empty(ips[i]))) {
			field_internal(errors, path,
				arena_printf(errors->arena,
					"failed to check for dual stack with error:invalid IP[%zu]: %s", i,
					str_or_empty(ips[i])));
			break;
		}
	if (n > 2 || (n == 2 && (bad || n_six != 1)))
		field_invalid_json(errors, path, json, "may specify no more than one IP for each IP family");
}

static const char **pod_ips(
	struct arena *arena, const CoreV1PodStatus *s, bool host, size_t *ret_n, const char **ret_json)
{
	CLEANUP(strbuf_done) struct strbuf json = STRBUF_INIT;
	*ret_n = host ? s->n_host_ips : s->n_pod_ips;
	const char **ips = ARENA_ARRAY(arena, const char *, *ret_n + 1);
	for (size_t i = 0; i < *ret_n; i++) {
		const void *entry = host ? (const void *)s->host_ips[i] : (const void *)s->pod_ips[i];
		ips[i] = host ? s->host_ips[i]->ip : s->pod_ips[i]->ip;
		strbuf_printf(&json, "%s%s", i ? "," : "[", internal_json(arena, entry));
	}
	*ret_json = arena_printf(arena, "%s]", json.buf);
	return ips;
}

static void check_ips(struct field_errors *errors, const struct field_path *path, const CoreV1PodStatus *now,
	const CoreV1PodStatus *before)
{
	size_t n, n_old;
	const char *json, *old_json;
	const char **ips = pod_ips(errors->arena, now, false, &n, &json);
	const char **old = pod_ips(errors->arena, before, false, &n_old, &old_json);
	check_addresses(errors, FIELD(path, "podIPs"), ips, n, old, n_old, json);
	ips = pod_ips(errors->arena, now, true, &n, &json);
	old = pod_ips(errors->arena, before, true, &n_old, &old_json);
	const struct field_path *hosts = FIELD(path, "hostIPs");
	if (n && !str_eq(now->host_ip, ips[0]))
		field_invalid(errors, FIELD(FIELD_INDEX(hosts, 0), "ip"), ips[0], "must be equal to `hostIP`");
	check_addresses(errors, hosts, ips, n, old, n_old, json);
}

static void check_nomination(
	struct field_errors *errors, const struct field_path *path, const CoreV1Pod *pod, const char *before)
{
	const char *now = pod->status->nominated_node_name;
	if (str_empty(now) || str_eq(now, before))
		return;
	validate_text(errors, path, now, check_dns_subdomain(errors->arena, now));
}

/* As whom containers run: numbers where the pod is Linux', as it is when it does not say. */
static void check_users(struct field_errors *errors, const struct field_path *path,
	CoreV1ContainerStatus *const *statuses, size_t n, const CoreV1PodOS *os)
{
	bool linux_pod = !os || str_eq(os->name, "linux"), windows = os && str_eq(os->name, "windows");
	for (size_t i = 0; i < n; i++) {
		const CoreV1LinuxContainerUser *user = statuses[i]->user ? statuses[i]->user->linux : NULL;
		const struct field_path *at = FIELD(FIELD(FIELD_INDEX(path, i), "user"), "linux");
		if (user && windows)
			field_forbidden(errors, at, "cannot be set for a windows pod");
		if (!user || !linux_pod)
			continue;
		validate_user_or_group(errors, FIELD(at, "uid"), user->uid);
		validate_user_or_group(errors, FIELD(at, "gid"), user->gid);
		for (size_t k = 0; k < user->n_supplemental_groups; k++)
			validate_user_or_group(
				errors, FIELD_INDEX(FIELD(at, "supplementalGroups"), k), user->supplemental_groups[k]);
	}
}

void validate_pod_status_update(struct field_errors *errors, const CoreV1Pod *pod, const CoreV1Pod *old)
{
	const CoreV1PodStatus *now = pod->status;
	const CoreV1PodStatus *before = old->status ? old->status : API_NEW(errors->arena, CoreV1PodStatus);
	const struct field_path *path = FIELD(NULL, "status");
	validate_pod_annotation_updates(errors, pod, old);
	check_conditions(errors, FIELD(path, "conditions"), now);
	check_nomination(errors, FIELD(path, "nominatedNodeName"), pod, before->nominated_node_name);
	if (now->observed_generation < 0)
		field_invalid_int(errors, FIELD(path, "observedGeneration"), now->observed_generation,
			"must be a non-negative integer");
	if (!str_eq(now->qos_class, before->qos_class))
		field_invalid(errors, FIELD(path, "qosClass"), now->qos_class, "field is immutable");
	check_resurrection(errors, FIELD(path, "containerStatuses"), now->container_statuses, now->n_container_statuses,
		before->container_statuses, before->n_container_statuses, old->spec);
	check_resurrection(errors, FIELD(path, "initContainerStatuses"), now->init_container_statuses,
		now->n_init_container_statuses, before->init_container_statuses, before->n_init_container_statuses,
		old->spec);
	check_resurrection(errors, FIELD(path, "ephemeralContainerStatuses"), now->ephemeral_container_statuses,
		now->n_ephemeral_container_statuses, before->ephemeral_container_statuses,
		before->n_ephemeral_container_statuses, NULL);
	check_claim_statuses(errors, FIELD(path, "resourceClaimStatuses"), now, pod->spec);
	check_ips(errors, path, now, before);
	const CoreV1PodOS *os = pod->spec ? pod->spec->os : NULL;
	check_users(errors, FIELD(path, "containerStatuses"), now->container_statuses, now->n_container_statuses, os);
	check_users(errors, FIELD(path, "initContainerStatuses"), now->init_container_statuses,
		now->n_init_container_statuses, os);
	check_users(errors, FIELD(path, "ephemeralContainerStatuses"), now->ephemeral_container_statuses,
		now->n_ephemeral_container_statuses, os);
}
