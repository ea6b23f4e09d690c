#include "api/copy.h"
#include "api/meta.h"
#include "apiserver/strategy/generic.h"
#include "apiserver/strategy/records.h"
#include "apiserver/strategy/service_alloc.h"
#include "apiserver/validation/ip.h"
#include "apiserver/validation/network/service.h"
#include "base/str.h"

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

static bool same_families(const CoreV1ServiceSpec *a, const CoreV1ServiceSpec *b)
{
	if (a->n_ip_families != b->n_ip_families)
		return false;
	for (size_t i = 0; i < a->n_ip_families; i++)
		if (!str_eq(a->ip_families[i], b->ip_families[i]))
			return false;
	return true;
}

static bool externally_accessible(const CoreV1ServiceSpec *spec)
{
	return service_may_have_node_ports(spec) || (service_type_is(spec, "ClusterIP") && spec->n_external_ips);
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
	if (service_needs_ip(old) && !service_needs_ip(spec)) {
		if (same_ips(spec, old)) {
			spec->cluster_ip = (char *)"";
			spec->n_cluster_ips = 0;
		}
		if (same_families(spec, old))
			spec->n_ip_families = 0;
		if (str_eq(spec->ip_family_policy, old->ip_family_policy))
			spec->ip_family_policy = NULL;
		if (str_eq(spec->internal_traffic_policy, old->internal_traffic_policy))
			spec->internal_traffic_policy = NULL;
	}
	if (service_may_have_node_ports(old) && !service_may_have_node_ports(spec) && same_node_ports(spec, old))
		for (size_t i = 0; i < spec->n_ports; i++)
			spec->ports[i]->node_port = 0;
	if (service_needs_health_port(old) && !service_needs_health_port(spec) &&
		spec->health_check_node_port == old->health_check_node_port)
		spec->health_check_node_port = 0;
	if (service_type_is(old, "LoadBalancer") && !service_type_is(spec, "LoadBalancer")) {
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

/* A PUT without the values that the server chose keeps them. */
static void carry_allocated(struct arena *arena, CoreV1ServiceSpec *spec, const CoreV1ServiceSpec *old)
{
	if (service_needs_ip(old) && service_needs_ip(spec)) {
		if (str_empty(spec->cluster_ip))
			spec->cluster_ip = old->cluster_ip;
		if (!spec->n_cluster_ips && old->n_cluster_ips) {
			spec->cluster_ips = arena_dup(arena, old->cluster_ips, old->n_cluster_ips * sizeof(char *));
			spec->n_cluster_ips = old->n_cluster_ips;
		}
	}
	if (service_wants_node_ports(old) && service_wants_node_ports(spec))
		for (size_t i = 0; i < spec->n_ports; i++) {
			int32_t before = old_node_port(old, spec->ports[i]->name);
			if (!spec->ports[i]->node_port && before && !service_uses_node_port(spec, before))
				spec->ports[i]->node_port = before;
		}
	if (service_needs_health_port(old) && service_needs_health_port(spec) && !spec->health_check_node_port)
		spec->health_check_node_port = old->health_check_node_port;
}

static void prepare_update(struct request *request, ProtobufCMessage *object, const ProtobufCMessage *before)
{
	CoreV1Service *service = (CoreV1Service *)object;
	const CoreV1Service *old = (const CoreV1Service *)before;
	if (generic_is_status(request) || !old->spec)
		return;
	(void)ENSURE(request->arena, service->spec, CoreV1ServiceSpec);
	carry_allocated(request->arena, service->spec, old->spec);
	normalize_ips(request->arena, service->spec, old->spec);
	drop_for_type(service->spec, old->spec);
	if (service->status && !service_type_is(service->spec, "LoadBalancer"))
		service->status->load_balancer = NULL;
}

/* Whether the addresses that a Service names cannot be: that alone is told. */
static bool has_bad_address(const struct request *request, struct field_errors *errors, const CoreV1Service *service,
	const CoreV1Service *old)
{
	struct field_errors found = FIELD_ERRORS_INIT(request->arena);
	if (!service_keeps_preference(service->spec, old ? old->spec : NULL))
		validate_service_addresses(&found, service);
	if (found.n_items)
		*errors = found;
	return found.n_items;
}

static void check(struct field_errors *errors, const CoreV1Service *service, const CoreV1Service *old)
{
	if (old)
		validate_service_update(errors, service, old);
	else
		validate_service(errors, service);
}

/*
 * The original gives addresses and ports away before it looks at the rest: when it cannot, it says that alone, and
 * otherwise what is wrong includes them. Here a Service with a mistake is given nothing, but is told the same.
 */
static void validate(
	struct request *request, const CoreV1Service *service, const CoreV1Service *old, struct field_errors *errors)
{
	size_t n = errors->n_items;
	if (has_bad_address(request, errors, service, old))
		return;
	check(errors, service, old);
	if (!errors->n_items)
		return;
	CoreV1Service *copy = api_copy_msg(request->arena, service);
	struct status *s = service_allocate_nothing(request, copy, old);
	if (!s || s->n_causes > 0)
		errors->n_items = s ? 0 : n;
	if (!s)
		check(errors, copy, old);
	field_errors_take(errors, s);
	status_drop(s, "told as field errors");
}

static void validate_create(struct request *request, const ProtobufCMessage *object, struct field_errors *errors)
{
	validate(request, (const CoreV1Service *)object, NULL, errors);
}

static void validate_update(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old,
	struct field_errors *errors)
{
	if (!generic_is_status(request))
		validate(request, (const CoreV1Service *)object, (const CoreV1Service *)old, errors);
	else
		validate_service_status(errors, (const CoreV1Service *)object);
}

static void say(void *request, const char *text)
{
	request_warn(request, "%s", text);
}

static void warn(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old)
{
	const CoreV1Service *service = (const CoreV1Service *)object;
	const CoreV1ServiceSpec *spec = service->spec;
	const struct field_path *path = FIELD(NULL, "spec");
	struct arena *arena = request->arena;
	bool headless = str_eq(spec->cluster_ip, "None"), named = str_eq(spec->type, "ExternalName");
	if (meta_annotation(service->metadata, "service.kubernetes.io/topology-aware-hints"))
		request_warn(request, "annotation service.kubernetes.io/topology-aware-hints is deprecated, please use "
				      "service.kubernetes.io/topology-mode instead");
	for (size_t i = 0; !headless && i < spec->n_cluster_ips; i++)
		ip_warn(arena, FIELD_INDEX(FIELD(path, "clusterIPs"), i), spec->cluster_ips[i], say, request);
	if (headless && !str_empty(spec->load_balancer_ip))
		request_warn(request, "spec.loadBalancerIP is ignored for headless services");
	if (headless && spec->n_external_ips)
		request_warn(request, "spec.externalIPs is ignored for headless services");
	if (headless && !str_eq(spec->session_affinity, "None"))
		request_warn(request, "spec.SessionAffinity is ignored for headless services");
	for (size_t i = 0; i < spec->n_external_ips; i++)
		ip_warn(arena, FIELD_INDEX(FIELD(path, "externalIPs"), i), spec->external_ips[i], say, request);
	if (!str_empty(spec->load_balancer_ip))
		ip_warn(arena, FIELD(path, "loadBalancerIP"), spec->load_balancer_ip, say, request);
	for (size_t i = 0; i < spec->n_load_balancer_source_ranges; i++)
		cidr_warn(arena, FIELD_INDEX(FIELD(path, "loadBalancerSourceRanges"), i),
			spec->load_balancer_source_ranges[i], say, request);
	if (named && spec->n_external_ips)
		request_warn(request, "spec.externalIPs is ignored when spec.type is \"ExternalName\"");
	if (!named && !str_empty(spec->external_name))
		request_warn(request, "spec.externalName is ignored when spec.type is not \"ExternalName\"");
}

static void warn_of_balancer(struct request *request, const ProtobufCMessage *object)
{
	const CoreV1ServiceStatus *status = ((const CoreV1Service *)object)->status;
	const CoreV1LoadBalancerStatus *balancer = status ? status->load_balancer : NULL;
	const struct field_path *path = FIELD(FIELD(FIELD(NULL, "status"), "loadBalancer"), "ingress");
	for (size_t i = 0; balancer && i < balancer->n_ingress; i++)
		ip_warn(request->arena, FIELD_INDEX(path, i), str_or_empty(balancer->ingress[i]->ip), say, request);
}

/* --- what a Service is given --- */

/* A name elsewhere has no traffic here: what it says of that is checked, and nobody gets to see it. */
static void drop_unseen(ProtobufCMessage *object)
{
	CoreV1ServiceSpec *spec = ((CoreV1Service *)object)->spec;
	if (spec && service_type_is(spec, "ExternalName"))
		spec->internal_traffic_policy = NULL;
}

/* Who gets no address or port is told that alone, without warnings. */
static struct status *allocate(struct request *request, ProtobufCMessage *object, const ProtobufCMessage *old)
{
	drop_unseen(object);
	TRY(service_allocate(request, (CoreV1Service *)object, (const CoreV1Service *)old));
	warn(request, object, old);
	return NULL;
}

static struct status *begin_create(struct request *request, ProtobufCMessage *object)
{
	return allocate(request, object, NULL);
}

static void rollback_create(struct request *request, const ProtobufCMessage *object)
{
	service_release(request, (const CoreV1Service *)object, NULL);
}

static struct status *begin_update(struct request *request, ProtobufCMessage *object, const ProtobufCMessage *old)
{
	if (!generic_is_status(request))
		return allocate(request, object, old);
	warn_of_balancer(request, object);
	drop_unseen(object);
	return NULL;
}

static void rollback_update(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old)
{
	if (!generic_is_status(request))
		service_release(request, (const CoreV1Service *)object, (const CoreV1Service *)old);
}

static void finish_update(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old)
{
	if (!generic_is_status(request))
		service_release(request, (const CoreV1Service *)old, (const CoreV1Service *)object);
}

static void after_delete(struct request *request, const ProtobufCMessage *object)
{
	service_release(request, (const CoreV1Service *)object, NULL);
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
	.finish_update = finish_update,
	.after_delete = after_delete,
};
