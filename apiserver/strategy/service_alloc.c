#include "apiserver/strategy/service_alloc.h"
#include <time.h>
#include "api/meta.h"
#include "apiserver/strategy/context.h"
#include "apiserver/validation/field.h"
#include "base/fail.h"
#include "base/nameset.h"
#include "base/str.h"

#define HEADLESS "None"

bool service_type_is(const CoreV1ServiceSpec *spec, const char *type)
{
	return str_eq(spec->type, type);
}

bool service_needs_ip(const CoreV1ServiceSpec *spec)
{
	return !service_type_is(spec, "ExternalName");
}

static bool is_headless(const CoreV1ServiceSpec *spec)
{
	return str_eq(spec->cluster_ip, HEADLESS) || (spec->n_cluster_ips && str_eq(spec->cluster_ips[0], HEADLESS));
}

/* Has, or shall get, cluster addresses. */
static bool takes_ip(const CoreV1ServiceSpec *spec)
{
	return service_needs_ip(spec) && !is_headless(spec);
}

bool service_may_have_node_ports(const CoreV1ServiceSpec *spec)
{
	return service_type_is(spec, "NodePort") || service_type_is(spec, "LoadBalancer");
}

bool service_wants_node_ports(const CoreV1ServiceSpec *spec)
{
	return service_type_is(spec, "NodePort") ||
	       (service_type_is(spec, "LoadBalancer") &&
		       (!spec->has_allocate_load_balancer_node_ports || spec->allocate_load_balancer_node_ports));
}

bool service_needs_health_port(const CoreV1ServiceSpec *spec)
{
	return service_type_is(spec, "LoadBalancer") && str_eq(spec->external_traffic_policy, "Local");
}

bool service_uses_node_port(const CoreV1ServiceSpec *spec, int32_t port)
{
	for (size_t i = 0; i < spec->n_ports; i++)
		if (spec->ports[i]->node_port == port)
			return true;
	return false;
}

/* --- families --- */

static const char *other_family(const char *family)
{
	return str_eq(family, "IPv4") ? "IPv6" : "IPv4";
}

static const char *family_of(const char *ip)
{
	return strchr(ip, ':') ? "IPv6" : "IPv4";
}

static bool same_strings(char *const *a, size_t n_a, char *const *b, size_t n_b)
{
	bool same = n_a == n_b;
	for (size_t i = 0; same && i < n_a; i++)
		same = str_eq(a[i], b[i]);
	return same;
}

static bool is_single(const CoreV1ServiceSpec *spec)
{
	return !spec->ip_family_policy || str_eq(spec->ip_family_policy, "SingleStack");
}

bool service_keeps_preference(const CoreV1ServiceSpec *spec, const CoreV1ServiceSpec *old)
{
	return old && str_eq(spec->ip_family_policy, "PreferDualStack") &&
	       str_eq(old->ip_family_policy, "PreferDualStack") &&
	       same_strings(spec->cluster_ips, spec->n_cluster_ips, old->cluster_ips, old->n_cluster_ips) &&
	       same_strings(spec->ip_families, spec->n_ip_families, old->ip_families, old->n_ip_families);
}

static void default_policy(CoreV1ServiceSpec *spec, const CoreV1ServiceSpec *old)
{
	if (spec->ip_family_policy)
		return;
	if (old && old->ip_family_policy)
		spec->ip_family_policy = old->ip_family_policy;
	else
		spec->ip_family_policy =
			is_headless(spec) && !spec->n_selector ? (char *)"RequireDualStack" : (char *)"SingleStack";
}

/* To fewer, of those that are named at all. */
static bool is_reduced(size_t before, size_t after)
{
	return after && after < before;
}

/* From two families to one: only by naming the policy; then the second goes. */
static void reduce(struct field_errors *errors, CoreV1ServiceSpec *spec, const CoreV1ServiceSpec *old)
{
	const struct field_path *policy = FIELD(FIELD(NULL, "spec"), "ipFamilyPolicy");
	bool same_ips = same_strings(spec->cluster_ips, spec->n_cluster_ips, old->cluster_ips, old->n_cluster_ips);
	bool same_families = same_strings(spec->ip_families, spec->n_ip_families, old->ip_families, old->n_ip_families);
	if (is_single(spec)) {
		if (same_ips && spec->n_cluster_ips > 1)
			spec->n_cluster_ips = 1;
		if (same_families && spec->n_ip_families > 1)
			spec->n_ip_families = 1;
		return;
	}
	if (is_reduced(old->n_cluster_ips, spec->n_cluster_ips))
		field_invalid(errors, policy, spec->ip_family_policy,
			"must be 'SingleStack' to release the secondary cluster IP");
	if (is_reduced(old->n_ip_families, spec->n_ip_families))
		field_invalid(errors, policy, spec->ip_family_policy,
			"must be 'SingleStack' to release the secondary IP family");
}

/* n: texts for so many, those that are not there yet empty. */
static char *ips_json(struct arena *arena, const CoreV1ServiceSpec *spec, size_t n)
{
	CLEANUP(strbuf_done) struct strbuf list = STRBUF_INIT;
	strbuf_addc(&list, '[');
	for (size_t i = 0; i < n || i < spec->n_cluster_ips; i++)
		strbuf_printf(&list, "%s%s", i ? "," : "",
			field_quote(arena, i < spec->n_cluster_ips ? spec->cluster_ips[i] : ""));
	strbuf_addc(&list, ']');
	return arena_strdup(arena, list.buf);
}

static void add_family(struct arena *arena, CoreV1ServiceSpec *spec, const char *family)
{
	ARENA_PUSH(arena, spec->ip_families, spec->n_ip_families) = (char *)family;
}

/* The policy against the addresses and families named, and families out of addresses. */
static void check_named(
	struct field_errors *errors, const struct service_ips *ips, struct arena *arena, CoreV1ServiceSpec *spec)
{
	const struct field_path *path = FIELD(NULL, "spec");
	if (is_single(spec) && spec->n_cluster_ips == 2)
		field_invalid(errors, FIELD(path, "ipFamilyPolicy"), spec->ip_family_policy,
			"must be 'RequireDualStack' or 'PreferDualStack' when multiple cluster IPs are specified");
	if (is_single(spec) && spec->n_ip_families == 2)
		field_invalid(errors, FIELD(path, "ipFamilyPolicy"), spec->ip_family_policy,
			"must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified");
	for (size_t i = 0; i < spec->n_cluster_ips && !str_eq(spec->cluster_ips[i], HEADLESS); i++) {
		const char *family = family_of(spec->cluster_ips[i]);
		if (i < spec->n_ip_families)
			continue;
		if (service_ips_has_family(ips, family))
			add_family(arena, spec, family);
		else
			field_invalid_json(errors, FIELD_INDEX(FIELD(path, "clusterIPs"), i), ips_json(arena, spec, 0),
				arena_printf(arena, "%s is not configured on this cluster", family));
	}
}

/* The families asked for against those that the cluster has. */
static void check_configured(struct field_errors *errors, const struct service_ips *ips, const CoreV1ServiceSpec *spec)
{
	const struct field_path *path = FIELD(NULL, "spec");
	if (str_eq(spec->ip_family_policy, "RequireDualStack") && service_ips_n_ranges(ips) < 2)
		field_invalid(errors, FIELD(path, "ipFamilyPolicy"), spec->ip_family_policy,
			"this cluster is not configured for dual-stack services");
	for (size_t i = 0; i < spec->n_ip_families; i++)
		if (!service_ips_has_family(ips, spec->ip_families[i]))
			field_invalid(errors, FIELD_INDEX(FIELD(path, "ipFamilies"), i), spec->ip_families[i],
				"not configured on this cluster");
}

/* Families and policy out of what the client said and what the cluster has. */
static struct status *choose_families(struct request *request, CoreV1Service *service, const CoreV1ServiceSpec *old)
{
	const struct service_ips *ips = request->context->service_ips;
	CoreV1ServiceSpec *spec = service->spec;
	struct field_errors errors = FIELD_ERRORS_INIT(request->arena);
	if (service_keeps_preference(spec, old))
		return NULL;
	default_policy(spec, old);
	bool selectorless = str_eq(spec->cluster_ip, HEADLESS) && !spec->n_selector;
	if (old)
		reduce(&errors, spec, old);
	check_named(&errors, ips, request->arena, spec);
	TRY(field_errors_status(&errors, "", "Service", object_name(service)));
	if (!selectorless)
		check_configured(&errors, ips, spec);
	TRY(field_errors_status(&errors, "", "Service", object_name(service)));
	if (!spec->n_ip_families)
		add_family(request->arena, spec, ip_range_family(service_ips_range(ips, 0)));
	if (spec->n_ip_families == 1 && !is_single(spec) && (selectorless || service_ips_n_ranges(ips) == 2))
		add_family(request->arena, spec, other_family(spec->ip_families[0]));
	return NULL;
}

/* --- addresses --- */

/* Whether the address at that place is given now. Who has a first address keeps it, and gets a second with the second
 * family alone: any other change is refused later. */
static bool is_given(const CoreV1ServiceSpec *spec, const CoreV1ServiceSpec *old, size_t index)
{
	if (!old || service_type_is(old, "ExternalName"))
		return !is_headless(spec);
	bool upgraded = old->n_ip_families == 1 && spec->n_ip_families == 2;
	return upgraded && !is_headless(old) && index == 1;
}

static bool has_ip(const CoreV1ServiceSpec *spec, const char *ip)
{
	return spec && str_in_n(ip, spec->cluster_ips, spec->n_cluster_ips);
}

static struct status *invalid_ip(
	struct request *request, const CoreV1Service *service, size_t index, struct status *why)
{
	struct field_errors errors = FIELD_ERRORS_INIT(request->arena);
	CoreV1ServiceSpec *spec = service->spec;
	field_invalid_json(&errors, FIELD(FIELD(NULL, "spec"), "clusterIPs"),
		ips_json(request->arena, spec, spec->n_ip_families),
		arena_printf(request->arena, "failed to allocate IP %s: %s", spec->cluster_ips[index], why->message));
	status_free(why);
	return field_errors_status(&errors, "", "Service", object_name(service));
}

/* Whether what a Service needs is taken, or only held against what there is: as a dry run does, or as taking it would.
 */
enum taking { TAKE, PROBE, PRETEND };

static struct status *take_named_ip(
	struct request *request, const CoreV1Service *service, const char *ip, enum taking how)
{
	struct service_ips *ips = request->context->service_ips;
	struct arena *arena = request->arena;
	switch (how) {
	case TAKE:
		return service_ips_take(ips, arena, ip, object_namespace(service), object_name(service));
	case PROBE:
		return service_ips_probe(ips, arena, ip);
	case PRETEND:
		break;
	}
	return service_ips_pretend(ips, arena, ip);
}

/* The address of one family: the one named, or any. */
static struct status *take_ip(struct request *request, CoreV1Service *service, size_t index, enum taking how)
{
	struct service_ips *ips = request->context->service_ips;
	CoreV1ServiceSpec *spec = service->spec;
	struct arena *arena = request->arena;
	if (index < spec->n_cluster_ips) {
		const char *ip = spec->cluster_ips[index];
		struct status *s = take_named_ip(request, service, ip, how);
		bool refused = status_is(s, STATUS_BAD_REQUEST) || status_is(s, STATUS_CONFLICT);
		return refused ? invalid_ip(request, service, index, s) : s;
	}
	char *ip;
	const char *family = spec->ip_families[index];
	TRY(how == TAKE ? service_ips_take_any(ips, arena, family, object_namespace(service), object_name(service), &ip)
			: service_ips_pretend_any(ips, arena, family, &ip));
	ARENA_PUSH(arena, spec->cluster_ips, spec->n_cluster_ips) = ip;
	return NULL;
}

/* Takes what spec has and old has not. */
static struct status *take_ips(
	struct request *request, CoreV1Service *service, const CoreV1ServiceSpec *old, enum taking how)
{
	CoreV1ServiceSpec *spec = service->spec;
	if (!service_needs_ip(spec) || service_keeps_preference(spec, old))
		return NULL;
	for (size_t i = 0; i < spec->n_ip_families; i++) {
		if (!is_given(spec, old, i))
			continue;
		struct status *s = take_ip(request, service, i, how);
		if (s && how != TAKE)
			return s;
		if (s) {
			/* What comes from here on was not taken. */
			CoreV1ServiceSpec taken = *spec;
			CoreV1Service part = *service;
			taken.n_cluster_ips = i;
			taken.n_ports = 0;
			taken.health_check_node_port = 0;
			part.spec = &taken;
			const CoreV1Service before = {.spec = (CoreV1ServiceSpec *)(uintptr_t)old};
			service_release(request, &part, old ? &before : NULL);
			return s;
		}
	}
	if (spec->n_cluster_ips && is_given(spec, old, 0))
		spec->cluster_ip = spec->cluster_ips[0];
	return NULL;
}

/* --- ports --- */

static bool has_port(const CoreV1ServiceSpec *spec, int32_t port)
{
	return spec && (service_uses_node_port(spec, port) || spec->health_check_node_port == port);
}

/* Ports to take, and where each goes. */
struct port_plan {
	int32_t *wanted;
	int32_t **places;
	size_t n;
};

static void plan(struct arena *arena, struct port_plan *plan, int32_t *place)
{
	size_t n = plan->n;
	ARENA_PUSH(arena, plan->wanted, plan->n) = *place;
	ARENA_PUSH(arena, plan->places, n) = place;
}

/* Of each port the one of the same number that goes first, with a node port if one has it: a new Service serves both of
 * its protocols at one node port. */
static size_t *find_twins(struct arena *arena, const CoreV1ServiceSpec *spec)
{
	struct nameset all = {.arena = arena}, with = {.arena = arena};
	size_t *twins = ARENA_ARRAY(arena, size_t, spec->n_ports + 1);
	size_t *places = ARENA_ARRAY(arena, size_t, spec->n_ports + 1); /* of those with a node port */
	size_t n = 0;
	for (size_t i = 0; i < spec->n_ports; i++) {
		nameset_add_pair(&all, "", spec->ports[i]->port);
		if (spec->ports[i]->node_port) {
			nameset_add_pair(&with, "", spec->ports[i]->port);
			places[n++] = i;
		}
	}
	for (size_t i = 0; i < spec->n_ports; i++) {
		const size_t at = nameset_find_pair(&with, "", spec->ports[i]->port);
		twins[i] = at == SIZE_MAX ? nameset_find_pair(&all, "", spec->ports[i]->port) : places[at];
	}
	return twins;
}

static void plan_ports(struct arena *arena, CoreV1ServiceSpec *spec, const CoreV1ServiceSpec *old, struct port_plan *p)
{
	struct nameset planned = {.arena = arena};
	const size_t *twins = find_twins(arena, spec);
	for (size_t i = 0; service_may_have_node_ports(spec) && i < spec->n_ports; i++) {
		int32_t *place = &spec->ports[i]->node_port;
		/* A new Service shares a node port among ports of one number alone. */
		const int64_t number = old ? 0 : spec->ports[i]->port;
		const bool new = nameset_add_pair(&planned, "", (int64_t)((uint64_t)number << 32 | (uint32_t)*place));
		const bool kept = old && service_uses_node_port(old, *place);
		if (*place ? !kept && new : service_wants_node_ports(spec) && (old || twins[i] == i))
			plan(arena, p, place);
	}
	if (service_needs_health_port(spec) && !(old && service_needs_health_port(old)))
		plan(arena, p, &spec->health_check_node_port);
}

static void share_with_twins(struct arena *arena, CoreV1ServiceSpec *spec)
{
	const size_t *twins = find_twins(arena, spec);
	for (size_t i = 0; service_wants_node_ports(spec) && i < spec->n_ports; i++)
		if (!spec->ports[i]->node_port)
			spec->ports[i]->node_port = spec->ports[twins[i]]->node_port;
}

static struct status *refused_port(
	struct request *request, const CoreV1Service *service, const int32_t *place, struct status *why)
{
	struct field_errors errors = FIELD_ERRORS_INIT(request->arena);
	const CoreV1ServiceSpec *spec = service->spec;
	if (!*place || !(status_is(why, STATUS_CONFLICT) || status_is(why, STATUS_BAD_REQUEST)))
		return why;
	if (place == &spec->health_check_node_port) {
		struct status *s = status_internal(
			"failed to allocate requested HealthCheck NodePort %d: %s", *place, why->message);
		status_free(why);
		return s;
	}
	for (size_t i = 0; i < spec->n_ports; i++)
		if (place == &spec->ports[i]->node_port)
			field_invalid_int(&errors,
				FIELD(FIELD_INDEX(FIELD(FIELD(NULL, "spec"), "ports"), i), "nodePort"), *place,
				why->message);
	status_free(why);
	return field_errors_status(&errors, "", "Service", object_name(service));
}

static struct status *take_ports(
	struct request *request, CoreV1Service *service, const CoreV1ServiceSpec *old, enum taking how)
{
	static struct status *(*const takes[])(struct node_ports *, int32_t *, size_t, size_t *) = {
		[TAKE] = node_ports_take, [PROBE] = node_ports_probe, [PRETEND] = node_ports_pretend};
	struct port_plan p = {0};
	size_t failed;
	plan_ports(request->arena, service->spec, old, &p);
	struct status *s = takes[how](request->context->node_ports, p.wanted, p.n, &failed);
	if (s)
		return failed < p.n ? refused_port(request, service, p.places[failed], s) : s;
	for (size_t i = 0; i < p.n; i++)
		*p.places[i] = p.wanted[i];
	if (!old)
		share_with_twins(request->arena, service->spec);
	return NULL;
}

/* --- both --- */

/* Ranges and what is taken are known only when everything has been read once. */
static struct status *wait_for_cache(struct request *request)
{
	enum { TRY_MS = 25, TRIES = 200 };
	for (int i = 0; !objects_synced(request->objects); i++) {
		if (i == TRIES)
			return status_new(STATUS_UNAVAILABLE, "the service address ranges are not known yet");
		nanosleep(&(struct timespec){.tv_nsec = TRY_MS * 1000000L}, NULL);
	}
	return NULL;
}

static void release_ips(struct request *request, const CoreV1Service *service, const CoreV1ServiceSpec *kept)
{
	const CoreV1ServiceSpec *spec = service->spec;
	for (size_t i = 0; takes_ip(spec) && i < spec->n_cluster_ips; i++)
		if (!has_ip(kept, spec->cluster_ips[i]))
			service_ips_release(request->context->service_ips, request->arena, spec->cluster_ips[i],
				object_namespace(service), object_name(service));
}

void service_release(struct request *request, const CoreV1Service *service, const CoreV1Service *kept)
{
	const CoreV1ServiceSpec *spec = service->spec, *rest = kept ? kept->spec : NULL;
	int32_t *ports = NULL;
	size_t n = 0;
	if (request->dry_run || !spec || !request->context || !request->context->service_ips)
		return;
	release_ips(request, service, rest);
	for (size_t i = 0; i < spec->n_ports; i++)
		if (spec->ports[i]->node_port && !has_port(rest, spec->ports[i]->node_port))
			ARENA_PUSH(request->arena, ports, n) = spec->ports[i]->node_port;
	if (spec->health_check_node_port && !has_port(rest, spec->health_check_node_port))
		ARENA_PUSH(request->arena, ports, n) = spec->health_check_node_port;
	node_ports_release(request->context->node_ports, ports, n);
}

static struct status *allocate(
	struct request *request, CoreV1Service *service, const CoreV1Service *old, enum taking how)
{
	const CoreV1ServiceSpec *before = old ? old->spec : NULL;
	if (!request->context || !request->context->service_ips || !service_needs_ip(service->spec))
		return NULL;
	TRY(wait_for_cache(request));
	TRY(choose_families(request, service, before));
	TRY(take_ips(request, service, before, how));
	fail_at("service.after-address");
	struct status *s = take_ports(request, service, before, how);
	if (s && how == TAKE)
		release_ips(request, service, before);
	return s;
}

/* What is nobody's mistake is told as the original tells it: once more as its own cause. */
static struct status *told(struct status *why)
{
	if (!status_is(why, STATUS_INTERNAL))
		return why;
	struct status *s = status_internal("Internal error occurred: %s", why->message);
	status_add_cause(s, "", "", "%s", why->message);
	status_free(why);
	return s;
}

struct status *service_allocate(struct request *request, CoreV1Service *service, const CoreV1Service *old)
{
	return told(allocate(request, service, old, request->dry_run ? PRETEND : TAKE));
}

struct status *service_allocate_nothing(struct request *request, CoreV1Service *service, const CoreV1Service *old)
{
	return allocate(request, service, old, request->dry_run ? PRETEND : PROBE);
}
