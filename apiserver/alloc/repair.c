#include "apiserver/alloc/repair.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>
#include "api/meta.h"
#include "api/types.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"

enum { PERIOD_MS = 180000, TELL_AGAIN_MS = 1800000, GRACE_S = 60, YOUNG_S = 5 };

struct alloc_repair {
	struct alloc_repair_options options;
	atomic_bool changed; /* since the last look at the addresses */
	int64_t next_ms;     /* of the look at everything */
	struct strmap *told; /* when, by object and reason; the time is the pointer */
};

static void on_change(void *data, enum object_event event, const ProtobufCMessage *object)
{
	struct alloc_repair *repair = data;
	atomic_store(&repair->changed, true);
}

struct alloc_repair *alloc_repair_new(const struct alloc_repair_options *options)
{
	struct alloc_repair *repair = mem_zalloc(sizeof(*repair));
	repair->options = *options;
	repair->told = strmap_new(NULL);
	objects_subscribe(options->objects, &CoreV1Service_schema, on_change, repair);
	objects_subscribe(options->objects, &NetworkingV1IPAddress_schema, on_change, repair);
	return repair;
}

/* One look at the addresses: all Services and IPAddresses as the cache has them at this moment. */
struct look {
	struct alloc_repair *repair;
	struct arena *arena;
	struct objects *objects;
	struct strmap *services;  /* by namespace/name */
	struct strmap *addresses; /* by name, but for those that were made anew */
	bool again;		  /* something is too young to judge */
};

/* True when it was not told before, or long ago. */
static bool note_told(
	struct alloc_repair *repair, struct arena *arena, const ProtobufCMessage *object, const char *reason)
{
	int64_t now = clock_mono_ms(repair->options.clock);
	char *key = arena_printf(arena, "%s %s", object_meta(object)->uid, reason);
	if (strmap_has(repair->told, key) && now - (intptr_t)strmap_get(repair->told, key) < TELL_AGAIN_MS)
		return false;
	strmap_put(repair->told, key, (void *)(intptr_t)now);
	return true;
}

static void forget_told(struct alloc_repair *repair)
{
	int64_t now = clock_mono_ms(repair->options.clock);
	STRMAP_FOREACH (repair->told, it)
		if (now - (intptr_t)it.value >= TELL_AGAIN_MS)
			strmap_remove(repair->told, it.key);
}

static char *instance_of(struct arena *arena, const char *reporter)
{
	char host[256] = "";
	gethostname(host, sizeof(host) - 1);
	return arena_printf(arena, "%s-%s", reporter, host);
}

/* What the administrator is told, in the log and as an event about the object. */
static void tell(struct alloc_repair *repair, struct arena *arena, const ProtobufCMessage *object, const char *reporter,
	const char *reason, const char *action, const char *note)
{
	const char *namespace = str_empty(object_namespace(object)) ? "default" : object_namespace(object);
	if (!note_told(repair, arena, object, reason))
		return;
	log_warn("%s %s/%s: %s: %s", schema_of(object)->kind, str_or_empty(object_namespace(object)),
		object_name(object), reason, note);
	EventsV1Event *event = API_NEW(arena, EventsV1Event);
	MetaV1ObjectMeta *meta = object_meta_ensure(arena, event);
	meta->name = arena_printf(
		arena, "%s.%llx", object_name(object), (unsigned long long)clock_wall_ns(repair->options.clock));
	meta->namespace = arena_strdup(arena, namespace);
	event->event_time = micro_time_now(arena);
	event->reporting_controller = arena_strdup(arena, reporter);
	event->reporting_instance = instance_of(arena, reporter);
	event->action = arena_strdup(arena, action);
	event->reason = arena_strdup(arena, reason);
	event->type = (char *)"Warning";
	event->note = arena_strdup(arena, note);
	event->regarding = API_NEW(arena, CoreV1ObjectReference);
	event->regarding->kind = arena_strdup(arena, schema_of(object)->kind);
	event->regarding->api_version = arena_strdup(arena, schema_of(object)->api_version);
	event->regarding->name = arena_strdup(arena, object_name(object));
	event->regarding->namespace = arena_strdup(arena, object_namespace(object));
	event->regarding->uid = object_meta(object)->uid;
	event->regarding->resource_version = object_meta(object)->resource_version;
	status_drop(objects_create(repair->options.objects, arena, &event->base, NULL), "the log has it");
}

static void tell_address(
	struct look *look, const ProtobufCMessage *object, const char *reason, const char *action, const char *note)
{
	tell(look->repair, look->arena, object, "ipallocator-repair-controller", reason, action, note);
}

static const NetworkingV1ParentReference *parent_of(const NetworkingV1IPAddress *address)
{
	return address->spec ? address->spec->parent_ref : NULL;
}

static bool names_service(const NetworkingV1ParentReference *ref)
{
	return ref && str_empty(ref->group) && str_eq(ref->resource, "services");
}

static const CoreV1Service *service_of(struct look *look, const NetworkingV1ParentReference *ref)
{
	return strmap_get(look->services, arena_printf(look->arena, "%s/%s", ref->namespace, ref->name));
}

static struct status *remove_address(struct look *look, const NetworkingV1IPAddress *address)
{
	struct status *s = objects_delete_exact(look->objects, look->arena, &NetworkingV1IPAddress_schema, "",
		object_name(address), object_meta(address)->uid);
	if (!status_is(s, STATUS_NOT_FOUND) && !status_is(s, STATUS_CONFLICT))
		return s;
	status_free(s);
	return NULL;
}

static struct status *recreate(
	struct look *look, const CoreV1Service *service, const char *ip, const NetworkingV1IPAddress *address)
{
	if (address)
		TRY(remove_address(look, address));
	strmap_remove(look->addresses, ip);
	struct status *s = service_ips_create_object(
		look->repair->options.ips, look->arena, ip, object_namespace(service), object_name(service));
	if (!status_is(s, STATUS_ALREADY_EXISTS))
		return s;
	/* The cache is behind: the next look will tell. */
	status_free(s);
	look->again = true;
	return NULL;
}

static bool has_ip(const CoreV1Service *service, const char *ip)
{
	return service->spec && str_in_n(ip, service->spec->cluster_ips, service->spec->n_cluster_ips);
}

static bool labelled(const NetworkingV1IPAddress *address)
{
	const MetaV1ObjectMeta *meta = object_meta(address);
	return str_eq(meta_label(meta, SERVICE_IPS_LABEL_MANAGED_BY), SERVICE_IPS_MANAGER) &&
	       str_eq(meta_label(meta, SERVICE_IPS_LABEL_FAMILY), strchr(meta->name, ':') ? "IPv6" : "IPv4");
}

/* An address that a Service holds must have its object, and that must name the Service. */
static struct status *check_ip(struct look *look, const CoreV1Service *service, const char *ip)
{
	struct arena *arena = look->arena;
	const char *family = strchr(ip, ':') ? "IPv6" : "IPv4";
	const char *owner = arena_printf(arena, "%s/%s", object_namespace(service), object_name(service));
	const NetworkingV1IPAddress *address = strmap_get(look->addresses, ip);
	if (!service_ips_in_any_range(look->repair->options.ips, arena, ip)) {
		tell_address(look, &service->base, "ClusterIPOutOfRange", "ClusterIPAllocation",
			arena_printf(arena,
				"Cluster IP [%s]: %s is not within any configured Service CIDR; please recreate "
				"service",
				family, ip));
		return NULL;
	}
	if (!address) {
		tell_address(look, &service->base, "ClusterIPNotAllocated", "ClusterIPAllocation",
			arena_printf(arena, "Cluster IP [%s]: %s is not allocated; repairing", family, ip));
		return recreate(look, service, ip, NULL);
	}
	const NetworkingV1ParentReference *ref = parent_of(address);
	bool ours = names_service(ref) && str_eq(ref->namespace, object_namespace(service)) &&
		    str_eq(ref->name, object_name(service));
	const CoreV1Service *other = names_service(ref) && !ours ? service_of(look, ref) : NULL;
	if (!ours && !other) {
		tell_address(look, &service->base, "ClusterIPNotAllocated", "ClusterIPAllocation",
			arena_printf(arena, "the ClusterIP [%s]: %s for Service %s has a wrong reference; repairing",
				family, ip, owner));
		return recreate(look, service, ip, address);
	}
	if (other && has_ip(other, ip)) {
		tell_address(look, &service->base, "ClusterIPAlreadyAllocated", "ClusterIPAllocation",
			arena_printf(arena,
				"Cluster IP [%s]:%s was assigned to multiple services; please recreate service", family,
				ip));
		return NULL;
	}
	return labelled(address) ? NULL : recreate(look, service, ip, address);
}

static struct status *check_service(struct look *look, const CoreV1Service *service)
{
	const CoreV1ServiceSpec *spec = service->spec;
	if (!spec || str_eq(spec->type, "ExternalName") || str_empty(spec->cluster_ip) ||
		str_eq(spec->cluster_ip, "None"))
		return NULL;
	for (size_t i = 0; i < spec->n_cluster_ips; i++) {
		bool is_ipv6;
		ip_number number;
		if (ip_number_read(spec->cluster_ips[i], &is_ipv6, &number))
			TRY(check_ip(look, service, ip_number_print(look->arena, is_ipv6, number)));
		else
			tell_address(look, &service->base, "ClusterIPNotValid", "ClusterIPValidation",
				"Cluster IP <nil> is not a valid IP; please recreate Service");
	}
	return NULL;
}

static int64_t created(const ProtobufCMessage *object)
{
	const MetaV1Time *t = object_meta(object)->creation_timestamp;
	return t ? t->seconds : 0;
}

static struct status *clean_up(
	struct look *look, const NetworkingV1IPAddress *address, const char *reason, const char *note)
{
	tell_address(look, &address->base, reason, "IPAddressAllocation", note);
	return remove_address(look, address);
}

/* As Go prints it. */
static const char *reference_text(struct arena *arena, const NetworkingV1ParentReference *ref)
{
	return !ref ? "nil"
		    : arena_printf(arena, "&ParentReference{Group:%s,Resource:%s,Namespace:%s,Name:%s,}",
			      str_or_empty(ref->group), str_or_empty(ref->resource), str_or_empty(ref->namespace),
			      str_or_empty(ref->name));
}

/* An address of the allocator must be held by the Service that it names. */
static struct status *check_address(struct look *look, const NetworkingV1IPAddress *address)
{
	struct arena *arena = look->arena;
	const NetworkingV1ParentReference *ref = parent_of(address);
	const char *name = object_name(address);
	int64_t age = clock_wall_s(look->repair->options.clock) - created(&address->base);
	if (!str_eq(meta_label(object_meta(address), SERVICE_IPS_LABEL_MANAGED_BY), SERVICE_IPS_MANAGER))
		return NULL;
	if (!names_service(ref))
		return clean_up(look, address, "IPAddressNotAllocated",
			arena_printf(arena,
				"IPAddress %s appears to have been modified, not referencing a Service %s: cleaning up",
				name, reference_text(arena, ref)));
	const CoreV1Service *service = service_of(look, ref);
	if (service && has_ip(service, name))
		return NULL;
	/* The address is made before the Service that gets it. */
	int64_t grace = !service ? GRACE_S : created(&address->base) > created(&service->base) ? YOUNG_S : -1;
	if (age <= grace) {
		look->again = true;
		return NULL;
	}
	return service ? clean_up(look, address, "IPAddressWrongReference",
				 arena_printf(arena,
					 "IPAddress: %s for Service %s/%s has a wrong reference; cleaning up", name,
					 ref->namespace, ref->name))
		       : clean_up(look, address, "IPAddressNotAllocated",
				 arena_printf(arena,
					 "IPAddress: %s for Service %s/%s appears to have leaked: cleaning up", name,
					 ref->namespace, ref->name));
}

static struct status *check_all(struct look *look)
{
	struct object_list services, addresses;
	/* Addresses first: one that is made for a Service seen here was made before it. */
	TRY(objects_list(look->objects, look->arena, &NetworkingV1IPAddress_schema, NULL, &addresses));
	TRY(objects_list(look->objects, look->arena, &CoreV1Service_schema, NULL, &services));
	for (size_t i = 0; i < addresses.n_items; i++)
		strmap_put(look->addresses, object_name(addresses.items[i]), (void *)(uintptr_t)addresses.items[i]);
	for (size_t i = 0; i < services.n_items; i++)
		strmap_put(look->services,
			arena_printf(look->arena, "%s/%s", object_namespace(services.items[i]),
				object_name(services.items[i])),
			(void *)(uintptr_t)services.items[i]);
	for (size_t i = 0; i < services.n_items; i++)
		TRY(check_service(look, (const CoreV1Service *)services.items[i]));
	for (size_t i = 0; i < addresses.n_items; i++)
		if (strmap_has(look->addresses, object_name(addresses.items[i])))
			TRY(check_address(look, (const NetworkingV1IPAddress *)addresses.items[i]));
	return NULL;
}

static struct status *repair_addresses(struct alloc_repair *repair)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(strmap_freep) struct strmap *services = strmap_new(NULL);
	CLEANUP(strmap_freep) struct strmap *addresses = strmap_new(NULL);
	struct look look = {.repair = repair,
		.arena = arena,
		.objects = repair->options.objects,
		.services = services,
		.addresses = addresses};
	atomic_store(&repair->changed, false);
	struct status *s = check_all(&look);
	if (s || look.again)
		atomic_store(&repair->changed, true);
	return s;
}

/* One look at the node ports. */
struct port_look {
	struct alloc_repair *repair;
	struct node_port_use *uses;
	const CoreV1Service **services; /* of each use */
	size_t n;
};

static void add_use(struct port_look *look, struct arena *arena, const CoreV1Service *service, int32_t port)
{
	size_t n = look->n;
	ARENA_PUSH(arena, look->services, n) = service;
	ARENA_PUSH(arena, look->uses, look->n) = (struct node_port_use){.port = port};
}

/* A port that stands there before for other protocols alone is no other use. */
static bool is_another_use(const CoreV1ServiceSpec *spec, size_t n_before, int32_t port, const char *protocol)
{
	bool seen = false;
	for (size_t i = 0; i < n_before; i++) {
		if (spec->ports[i]->node_port != port)
			continue;
		if (str_eq(spec->ports[i]->protocol, protocol))
			return true;
		seen = true;
	}
	return !seen;
}

static struct status *ports_in_use(void *data, struct arena *arena, struct node_port_use **ret_uses, size_t *ret_n)
{
	struct port_look *look = data;
	struct object_list list;
	TRY(objects_list(look->repair->options.objects, arena, &CoreV1Service_schema, NULL, &list));
	for (size_t i = 0; i < list.n_items; i++) {
		const CoreV1Service *service = (const CoreV1Service *)list.items[i];
		const CoreV1ServiceSpec *spec = service->spec;
		for (size_t k = 0; spec && k < spec->n_ports; k++)
			if (spec->ports[k]->node_port &&
				is_another_use(spec, k, spec->ports[k]->node_port, spec->ports[k]->protocol))
				add_use(look, arena, service, spec->ports[k]->node_port);
		if (spec && spec->health_check_node_port &&
			is_another_use(spec, spec->n_ports, spec->health_check_node_port, "TCP"))
			add_use(look, arena, service, spec->health_check_node_port);
	}
	*ret_uses = look->uses;
	*ret_n = look->n;
	return NULL;
}

static void tell_port(struct port_look *look, struct arena *arena, size_t i)
{
	static const struct {
		const char *reason, *note, *after_range; /* the range stands between them */
	} faults[] = {
		[NODE_PORT_NOT_TAKEN] = {"PortNotAllocated", "is not allocated; repairing"},
		[NODE_PORT_TAKEN_TWICE] = {"PortAlreadyAllocated",
			"was assigned to multiple services; please recreate service"},
		[NODE_PORT_OUT_OF_RANGE] = {"PortOutOfRange", "is not within the port range ",
			"; please recreate service"},
	};
	const struct node_port_use *use = &look->uses[i];
	if (use->fault == NODE_PORT_RIGHT)
		return;
	const char *after = faults[use->fault].after_range;
	const char *note = arena_printf(arena, "Port %d %s%s%s", use->port, faults[use->fault].note,
		after ? node_ports_range(look->repair->options.ports, arena) : "", str_or_empty(after));
	tell(look->repair, arena, &look->services[i]->base, "portallocator-repair-controller",
		faults[use->fault].reason, "PortAllocation", note);
}

static struct status *repair_ports(struct alloc_repair *repair)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct port_look look = {.repair = repair};
	TRY(node_ports_repair(repair->options.ports, arena, ports_in_use, &look));
	for (size_t i = 0; i < look.n; i++)
		tell_port(&look, arena, i);
	return NULL;
}

struct status *alloc_repair_step(struct alloc_repair *repair)
{
	int64_t now = clock_mono_ms(repair->options.clock);
	bool all = now >= repair->next_ms;
	if (all)
		forget_told(repair);
	if (all || atomic_load(&repair->changed))
		TRY(status_wrap(repair_addresses(repair), "addresses of services"));
	if (all)
		TRY(status_wrap(repair_ports(repair), "node ports"));
	if (all)
		repair->next_ms = now + PERIOD_MS;
	return NULL;
}
