#include <time.h>
#include "api/meta.h"
#include "apiserver/strategy/context.h"
#include "apiserver/strategy/generic.h"
#include "apiserver/strategy/records.h"
#include "apiserver/validation/service.h"
#include "base/str.h"

#define HEADLESS "None"

static bool type_is(const CoreV1ServiceSpec *spec, const char *type)
{
	return str_eq(spec->type, type);
}

static bool needs_ip(const CoreV1ServiceSpec *spec)
{
	return !type_is(spec, "ExternalName");
}

/* Not headless: has, or shall get, addresses of the pools. */
static bool takes_ip(const CoreV1ServiceSpec *spec)
{
	return needs_ip(spec) && !str_eq(spec->cluster_ip, HEADLESS) &&
	       !(spec->n_cluster_ips && str_eq(spec->cluster_ips[0], HEADLESS));
}

static bool may_have_node_ports(const CoreV1ServiceSpec *spec)
{
	return type_is(spec, "NodePort") || type_is(spec, "LoadBalancer");
}

static bool wants_node_ports(const CoreV1ServiceSpec *spec)
{
	return type_is(spec, "NodePort") ||
	       (type_is(spec, "LoadBalancer") &&
		       (!spec->has_allocate_load_balancer_node_ports || spec->allocate_load_balancer_node_ports));
}

static bool needs_health_port(const CoreV1ServiceSpec *spec)
{
	return type_is(spec, "LoadBalancer") && str_eq(spec->external_traffic_policy, "Local");
}

/* clusterIP and the first of clusterIPs are one value under two names: old clients know only the first. */
static void normalize_ips(struct arena *arena, CoreV1ServiceSpec *spec, const CoreV1ServiceSpec *old)
{
	if (old && !str_eq(spec->cluster_ip, old->cluster_ip)) {
		bool same_list = spec->n_cluster_ips == old->n_cluster_ips;
		for (size_t i = 0; same_list && i < spec->n_cluster_ips; i++)
			same_list = str_eq(spec->cluster_ips[i], old->cluster_ips[i]);
		/* The old client changed the one it knows: the list follows. */
		if (str_empty(spec->cluster_ip) && same_list)
			spec->n_cluster_ips = 0;
		else if (same_list && spec->n_cluster_ips)
			spec->cluster_ips[0] = spec->cluster_ip;
	}
	if (!str_empty(spec->cluster_ip) && !spec->n_cluster_ips)
		ARENA_PUSH(arena, spec->cluster_ips, spec->n_cluster_ips) = spec->cluster_ip;
}

static void prepare_create(struct request *request, ProtobufCMessage *object)
{
	CoreV1Service *service = (CoreV1Service *)object;
	(void)ENSURE(request->arena, service->spec, CoreV1ServiceSpec);
	service->status = NULL;
	normalize_ips(request->arena, service->spec, NULL);
}

static bool same_ips(const CoreV1ServiceSpec *a, const CoreV1ServiceSpec *b)
{
	if (!str_eq(a->cluster_ip, b->cluster_ip) || a->n_cluster_ips != b->n_cluster_ips)
		return false;
	for (size_t i = 0; i < a->n_cluster_ips; i++)
		if (!str_eq(a->cluster_ips[i], b->cluster_ips[i]))
			return false;
	return true;
}

static bool externally_accessible(const CoreV1ServiceSpec *spec)
{
	return may_have_node_ports(spec) || (type_is(spec, "ClusterIP") && spec->n_external_ips);
}

static bool same_node_ports(const CoreV1ServiceSpec *a, const CoreV1ServiceSpec *b)
{
	for (size_t i = 0; i < a->n_ports; i++) {
		bool found = !a->ports[i]->node_port;
		for (size_t k = 0; !found && k < b->n_ports; k++)
			found = a->ports[i]->node_port == b->ports[k]->node_port;
		if (!found)
			return false;
	}
	return true;
}

/* What belonged to the former type, and was not changed by the client, goes with it. */
static void drop_for_type(CoreV1ServiceSpec *spec, const CoreV1ServiceSpec *old)
{
	if (needs_ip(old) && !needs_ip(spec)) {
		if (same_ips(spec, old)) {
			spec->cluster_ip = (char *)"";
			spec->n_cluster_ips = 0;
		}
		if (spec->n_ip_families == old->n_ip_families)
			spec->n_ip_families = 0;
		if (str_eq(spec->ip_family_policy, old->ip_family_policy))
			spec->ip_family_policy = NULL;
	}
	if (may_have_node_ports(old) && !may_have_node_ports(spec) && same_node_ports(spec, old))
		for (size_t i = 0; i < spec->n_ports; i++)
			spec->ports[i]->node_port = 0;
	if (needs_health_port(old) && !needs_health_port(spec) &&
		spec->health_check_node_port == old->health_check_node_port)
		spec->health_check_node_port = 0;
	if (type_is(old, "LoadBalancer") && !type_is(spec, "LoadBalancer")) {
		if (spec->has_allocate_load_balancer_node_ports && old->has_allocate_load_balancer_node_ports &&
			spec->allocate_load_balancer_node_ports == old->allocate_load_balancer_node_ports)
			spec->has_allocate_load_balancer_node_ports = false;
		if (str_eq(spec->load_balancer_class, old->load_balancer_class))
			spec->load_balancer_class = NULL;
	}
	if (externally_accessible(old) && !externally_accessible(spec) &&
		str_eq(spec->external_traffic_policy, old->external_traffic_policy))
		spec->external_traffic_policy = (char *)"";
}

static int32_t old_node_port(const CoreV1ServiceSpec *old, const char *port_name)
{
	for (size_t i = 0; i < old->n_ports; i++)
		if (str_eq(old->ports[i]->name, port_name))
			return old->ports[i]->node_port;
	return 0;
}

static bool uses_node_port(const CoreV1ServiceSpec *spec, int32_t port)
{
	for (size_t i = 0; i < spec->n_ports; i++)
		if (spec->ports[i]->node_port == port)
			return true;
	return false;
}

/* A PUT without the values that the server chose keeps them. */
static void carry_allocated(struct arena *arena, CoreV1ServiceSpec *spec, const CoreV1ServiceSpec *old)
{
	if (needs_ip(old) && needs_ip(spec)) {
		if (str_empty(spec->cluster_ip))
			spec->cluster_ip = old->cluster_ip;
		if (!spec->n_cluster_ips && old->n_cluster_ips) {
			spec->cluster_ips = arena_dup(arena, old->cluster_ips, old->n_cluster_ips * sizeof(char *));
			spec->n_cluster_ips = old->n_cluster_ips;
		}
	}
	if (may_have_node_ports(old) && may_have_node_ports(spec))
		for (size_t i = 0; i < spec->n_ports; i++) {
			int32_t before = old_node_port(old, spec->ports[i]->name);
			if (!spec->ports[i]->node_port && before && !uses_node_port(spec, before))
				spec->ports[i]->node_port = before;
		}
	if (needs_health_port(old) && needs_health_port(spec) && !spec->health_check_node_port)
		spec->health_check_node_port = old->health_check_node_port;
}

static void prepare_update(struct request *request, ProtobufCMessage *object, const ProtobufCMessage *before)
{
	CoreV1Service *service = (CoreV1Service *)object;
	const CoreV1Service *old = (const CoreV1Service *)before;
	generic_keep_status(request, object, before);
	if (generic_is_status(request) || !old->spec)
		return;
	(void)ENSURE(request->arena, service->spec, CoreV1ServiceSpec);
	carry_allocated(request->arena, service->spec, old->spec);
	normalize_ips(request->arena, service->spec, old->spec);
	drop_for_type(service->spec, old->spec);
}

static void validate_create(struct request *request, const ProtobufCMessage *object, struct field_errors *errors)
{
	validate_service(errors, (const CoreV1Service *)object);
}

static void validate_update(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old,
	struct field_errors *errors)
{
	if (!generic_is_status(request))
		validate_service_update(errors, (const CoreV1Service *)object, (const CoreV1Service *)old);
}

static struct ip_allocator *pool_of_family(const struct strategy_context *context, const char *family)
{
	if (str_eq(ip_allocator_family(context->service_ips), family))
		return context->service_ips;
	if (context->secondary_service_ips && str_eq(ip_allocator_family(context->secondary_service_ips), family))
		return context->secondary_service_ips;
	return NULL;
}

static const char *other_family(const char *family)
{
	return str_eq(family, "IPv4") ? "IPv6" : "IPv4";
}

static const char *family_of(const char *ip)
{
	return strchr(ip, ':') ? "IPv6" : "IPv4";
}

static void add_family(struct arena *arena, CoreV1ServiceSpec *spec, const char *family)
{
	ARENA_PUSH(arena, spec->ip_families, spec->n_ip_families) = (char *)family;
}

/* Families and policy out of what the client said and what the cluster has. */
static struct status *choose_families(struct request *request, CoreV1Service *service, const CoreV1ServiceSpec *old)
{
	const struct strategy_context *context = request->context;
	CoreV1ServiceSpec *spec = service->spec;
	struct field_errors errors = FIELD_ERRORS_INIT(request->arena);
	const struct field_path *path = FIELD(NULL, "spec");
	bool selectorless_headless = str_eq(spec->cluster_ip, HEADLESS) && !spec->n_selector;
	if (!spec->ip_family_policy)
		spec->ip_family_policy = old && old->ip_family_policy ? old->ip_family_policy
					 : selectorless_headless      ? (char *)"RequireDualStack"
								      : (char *)"SingleStack";
	bool single = str_eq(spec->ip_family_policy, "SingleStack");
	if (single && spec->n_cluster_ips == 2)
		field_invalid(&errors, FIELD(path, "ipFamilyPolicy"), spec->ip_family_policy,
			"must be 'RequireDualStack' or 'PreferDualStack' when multiple cluster IPs are specified");
	if (single && spec->n_ip_families == 2)
		field_invalid(&errors, FIELD(path, "ipFamilyPolicy"), spec->ip_family_policy,
			"must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified");
	for (size_t i = 0; i < spec->n_cluster_ips && !str_eq(spec->cluster_ips[i], HEADLESS); i++)
		if (i >= spec->n_ip_families)
			add_family(request->arena, spec, family_of(spec->cluster_ips[i]));
	const char *primary = ip_allocator_family(context->service_ips);
	if (!selectorless_headless && str_eq(spec->ip_family_policy, "RequireDualStack") &&
		!context->secondary_service_ips)
		field_invalid(&errors, FIELD(path, "ipFamilyPolicy"), spec->ip_family_policy,
			"this cluster is not configured for dual-stack services");
	for (size_t i = 0; !selectorless_headless && i < spec->n_ip_families; i++)
		if (!pool_of_family(context, spec->ip_families[i]))
			field_invalid(&errors, FIELD_INDEX(FIELD(path, "ipFamilies"), i), spec->ip_families[i],
				"not configured on this cluster");
	TRY(field_errors_status(&errors, "", "Service", object_name(service)));
	if (!spec->n_ip_families)
		add_family(request->arena, spec, primary);
	if (spec->n_ip_families == 1 && !single && (selectorless_headless || context->secondary_service_ips))
		add_family(request->arena, spec, other_family(spec->ip_families[0]));
	return NULL;
}

static struct status *invalid_ip(
	struct request *request, const CoreV1Service *service, size_t index, struct status *why)
{
	struct field_errors errors = FIELD_ERRORS_INIT(request->arena);
	CoreV1ServiceSpec *spec = service->spec;
	CLEANUP(strbuf_done) struct strbuf list = STRBUF_INIT;
	for (size_t i = 0; i < spec->n_cluster_ips; i++)
		strbuf_printf(&list, "%s\"%s\"", i ? "," : "[", spec->cluster_ips[i]);
	strbuf_addc(&list, ']');
	field_invalid_json(&errors, FIELD(FIELD(NULL, "spec"), "clusterIPs"), arena_strdup(request->arena, list.buf),
		arena_printf(request->arena, "failed to allocate IP %s: %s", spec->cluster_ips[index], why->message));
	status_free(why);
	return field_errors_status(&errors, "", "Service", object_name(service));
}

/*
 * A value that somebody else has may be that of a Service just deleted, whose event is on its way: a moment later it is
 * free.
 */
enum { TRIES = 20, TRY_MS = 25, SYNC_TRIES = 200 };

static void wait_a_moment(void)
{
	nanosleep(&(struct timespec){.tv_nsec = TRY_MS * 1000000L}, NULL);
}

static struct status *take_ip(struct ip_allocator *pool, const char *ip)
{
	struct status *s = ip_allocator_take(pool, ip);
	for (int i = 0; i < TRIES && status_is(s, STATUS_CONFLICT); i++) {
		status_drop(s, "tried again");
		wait_a_moment();
		s = ip_allocator_take(pool, ip);
	}
	return s;
}

static struct status *take_port(struct port_allocator *pool, int32_t port)
{
	struct status *s = port_allocator_take(pool, port);
	for (int i = 0; i < TRIES && status_is(s, STATUS_CONFLICT); i++) {
		status_drop(s, "tried again");
		wait_a_moment();
		s = port_allocator_take(pool, port);
	}
	return s;
}

static bool had_ip(const CoreV1ServiceSpec *old, const char *ip)
{
	return old && str_in_n(ip, old->cluster_ips, old->n_cluster_ips);
}

/* Takes what spec has and old has not; gives what it took back when one fails. */
static struct status *take_ips(struct request *request, CoreV1Service *service, const CoreV1ServiceSpec *old)
{
	CoreV1ServiceSpec *spec = service->spec;
	if (!takes_ip(spec))
		return NULL;
	for (size_t i = 0; i < spec->n_ip_families; i++) {
		struct ip_allocator *pool = pool_of_family(request->context, spec->ip_families[i]);
		if (!pool || (i < spec->n_cluster_ips && had_ip(old, spec->cluster_ips[i])))
			continue;
		if (i < spec->n_cluster_ips) {
			struct status *s = request->dry_run ? NULL : take_ip(pool, spec->cluster_ips[i]);
			if (!s && !ip_allocator_has(pool, spec->cluster_ips[i]))
				s = status_bad_request("the provided network does not match the current range");
			if (s)
				return invalid_ip(request, service, i, s);
		} else {
			char *ip;
			TRY(ip_allocator_take_any(pool, request->arena, &ip));
			if (request->dry_run)
				ip_allocator_release(pool, ip);
			ARENA_PUSH(request->arena, spec->cluster_ips, spec->n_cluster_ips) = ip;
		}
	}
	if (spec->n_cluster_ips)
		spec->cluster_ip = spec->cluster_ips[0];
	return NULL;
}

static bool had_port(const CoreV1ServiceSpec *old, int32_t port)
{
	return old && (uses_node_port(old, port) || old->health_check_node_port == port);
}

/* One number may serve two protocols of the same port number, as DNS does. */
static int32_t twin_port(const CoreV1ServiceSpec *spec, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (spec->ports[i]->port == spec->ports[index]->port &&
			!str_eq(spec->ports[i]->protocol, spec->ports[index]->protocol))
			return spec->ports[i]->node_port;
	return 0;
}

static bool taken_before(const CoreV1ServiceSpec *spec, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (spec->ports[i]->node_port == spec->ports[index]->node_port)
			return true;
	return false;
}

static struct status *invalid_port(
	struct request *request, const CoreV1Service *service, size_t index, struct status *why)
{
	struct field_errors errors = FIELD_ERRORS_INIT(request->arena);
	field_invalid_int(&errors, FIELD(FIELD_INDEX(FIELD(FIELD(NULL, "spec"), "ports"), index), "nodePort"),
		service->spec->ports[index]->node_port, why->message);
	status_free(why);
	return field_errors_status(&errors, "", "Service", object_name(service));
}

static struct status *take_ports(struct request *request, CoreV1Service *service, const CoreV1ServiceSpec *old)
{
	CoreV1ServiceSpec *spec = service->spec;
	struct port_allocator *pool = request->context->node_ports;
	for (size_t i = 0; may_have_node_ports(spec) && i < spec->n_ports; i++) {
		CoreV1ServicePort *port = spec->ports[i];
		if (!port->node_port && wants_node_ports(spec))
			port->node_port = old ? 0 : twin_port(spec, i);
		if (port->node_port && !had_port(old, port->node_port) && !taken_before(spec, i)) {
			struct status *s = request->dry_run ? NULL : take_port(pool, port->node_port);
			if (s)
				return invalid_port(request, service, i, s);
		} else if (!port->node_port && wants_node_ports(spec)) {
			TRY(port_allocator_take_any(pool, &port->node_port));
			if (request->dry_run)
				port_allocator_release(pool, port->node_port);
		}
	}
	if (!needs_health_port(spec) || had_port(old, spec->health_check_node_port))
		return NULL;
	if (spec->health_check_node_port)
		return request->dry_run ? NULL : take_port(pool, spec->health_check_node_port);
	TRY(port_allocator_take_any(pool, &spec->health_check_node_port));
	if (request->dry_run)
		port_allocator_release(pool, spec->health_check_node_port);
	return NULL;
}

/* Gives back what the object took beyond old, after a failure. */
static void give_back(struct request *request, const CoreV1Service *service, const CoreV1ServiceSpec *old)
{
	const CoreV1ServiceSpec *spec = service->spec;
	if (request->dry_run || !spec)
		return;
	for (size_t i = 0; i < spec->n_cluster_ips; i++) {
		struct ip_allocator *pool = pool_of_family(request->context, family_of(spec->cluster_ips[i]));
		if (pool && !had_ip(old, spec->cluster_ips[i]))
			ip_allocator_release(pool, spec->cluster_ips[i]);
	}
	for (size_t i = 0; i < spec->n_ports; i++)
		if (spec->ports[i]->node_port && !had_port(old, spec->ports[i]->node_port))
			port_allocator_release(request->context->node_ports, spec->ports[i]->node_port);
	if (spec->health_check_node_port && !had_port(old, spec->health_check_node_port))
		port_allocator_release(request->context->node_ports, spec->health_check_node_port);
}

/* What is taken is known only when all Services have been read once. */
static struct status *wait_for_pools(struct request *request)
{
	for (int i = 0; !objects_synced(request->objects); i++) {
		if (i == SYNC_TRIES)
			return status_new(STATUS_UNAVAILABLE, "the service address pools are not filled yet");
		wait_a_moment();
	}
	return NULL;
}

static struct status *allocate(struct request *request, CoreV1Service *service, const CoreV1ServiceSpec *old)
{
	if (!request->context || !request->context->service_ips || !needs_ip(service->spec))
		return NULL;
	TRY(wait_for_pools(request));
	TRY(choose_families(request, service, old));
	TRY(take_ips(request, service, old));
	struct status *s = take_ports(request, service, old);
	if (s) {
		/* Ports that were taken before the failing one are found by the next event of the Service, or by the
		 * next start. */
		CoreV1ServiceSpec ips = *service->spec;
		CoreV1Service only_ips = *service;
		ips.n_ports = 0;
		ips.health_check_node_port = 0;
		only_ips.spec = &ips;
		give_back(request, &only_ips, old);
	}
	return s;
}

static struct status *begin_create(struct request *request, ProtobufCMessage *object)
{
	return allocate(request, (CoreV1Service *)object, NULL);
}

static void rollback_create(struct request *request, const ProtobufCMessage *object)
{
	if (request->context && request->context->service_ips)
		give_back(request, (const CoreV1Service *)object, NULL);
}

static struct status *begin_update(struct request *request, ProtobufCMessage *object, const ProtobufCMessage *old)
{
	if (generic_is_status(request))
		return NULL;
	return allocate(request, (CoreV1Service *)object, ((const CoreV1Service *)old)->spec);
}

static void rollback_update(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old)
{
	if (!generic_is_status(request) && request->context && request->context->service_ips)
		give_back(request, (const CoreV1Service *)object, ((const CoreV1Service *)old)->spec);
}

const struct strategy service_strategy = {
	.group = "",
	.resource = "services",
	.check_name = name_is_dns_1035_label,
	.prepare_create = prepare_create,
	.validate_create = validate_create,
	.begin_create = begin_create,
	.rollback_create = rollback_create,
	.prepare_update = prepare_update,
	.validate_update = validate_update,
	.begin_update = begin_update,
	.rollback_update = rollback_update,
};
