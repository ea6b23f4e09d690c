#include "api/defaults/table.h"
#include "api/meta.h"
#include "api/quantity.h"
#include "api/quota.h"

static bool has_quantity(MapQuantityEntry *const *list, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(list[i]->key, key))
			return true;
	return false;
}

static void add_quantity(struct arena *arena, CoreV1ResourceRequirements *r, const char *key, ResourceQuantity *value)
{
	MapQuantityEntry *request = API_NEW(arena, MapQuantityEntry);
	request->key = (char *)(uintptr_t)key;
	request->value = value;
	ARENA_PUSH(arena, r->requests, r->n_requests) = request;
}

/* In a pod, though not in a template, a limit without a request is the request too. */
static void requests_from_limits(struct arena *arena, CoreV1Container *const *containers, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		CoreV1ResourceRequirements *r = containers[i]->resources;
		const size_t n_said = r ? r->n_requests : 0;
		void *const *said = r ? MAP_SORTED(arena, r->requests, n_said) : NULL;
		for (size_t k = 0; r && k < r->n_limits; k++) {
			if (map_search(said, n_said, r->limits[k]->key))
				continue;
			add_quantity(arena, r, r->limits[k]->key, r->limits[k]->value);
		}
	}
}

/* Of what stands for the whole pod: cpu and memory are asked for as its containers do, the rest as it is limited. */
static void pod_requests_from_limits(struct arena *arena, CoreV1PodSpec *spec)
{
	CoreV1ResourceRequirements *r = spec->resources;
	CoreV1PodSpec bare = *spec;
	struct quota_list all;
	if (!r || !r->n_limits)
		return;
	bare.resources = NULL;
	bare.n_overhead = 0;
	pod_requests(arena, &bare, &all);
	static const char *const shared[] = {"cpu", "memory", NULL};
	for (size_t i = 0; i < all.n_items; i++)
		if (str_in(all.items[i].name, shared) && !has_quantity(r->requests, r->n_requests, all.items[i].name))
			add_quantity(arena, r, all.items[i].name, quantity_new(arena, &all.items[i].amount));
	for (size_t i = 0; i < r->n_limits; i++) {
		const char *key = r->limits[i]->key;
		if ((str_in(key, shared) || str_starts_with(key, "hugepages-")) &&
			!has_quantity(r->requests, r->n_requests, key))
			add_quantity(arena, r, key, r->limits[i]->value);
	}
}

/* A container in the host's network listens there. */
static void host_ports(CoreV1Container *const *containers, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < containers[i]->n_ports; k++)
			DEFAULT_NUMBER(containers[i]->ports[k], host_port, containers[i]->ports[k]->container_port);
}

static void set_pod(struct arena *arena, void *msg)
{
	CoreV1Pod *pod = msg;
	DEFAULT_MESSAGE(arena, pod, spec, CoreV1PodSpec);
	CoreV1PodSpec *spec = pod->spec;
	requests_from_limits(arena, spec->containers, spec->n_containers);
	requests_from_limits(arena, spec->init_containers, spec->n_init_containers);
	pod_requests_from_limits(arena, spec);
	DEFAULT_SCALAR(spec, enable_service_links, true);
	if (spec->host_network) {
		host_ports(spec->containers, spec->n_containers);
		host_ports(spec->init_containers, spec->n_init_containers);
	}
}

static void set_template(struct arena *arena, void *msg)
{
	CoreV1PodTemplateSpec *template = msg;
	DEFAULT_MESSAGE(arena, template, spec, CoreV1PodSpec);
}

static void set_pod_template(struct arena *arena, void *msg)
{
	CoreV1PodTemplate *template = msg;
	DEFAULT_MESSAGE(arena, template, template, CoreV1PodTemplateSpec);
}

static void set_pod_spec(struct arena *arena, void *msg)
{
	CoreV1PodSpec *spec = msg;
	DEFAULT_STRING(spec, dns_policy, "ClusterFirst");
	DEFAULT_STRING(spec, restart_policy, "Always");
	DEFAULT_MESSAGE(arena, spec, security_context, CoreV1PodSecurityContext);
	DEFAULT_SCALAR(spec, termination_grace_period_seconds, 30);
	DEFAULT_STRING(spec, scheduler_name, "default-scheduler");
	/* The old name of the field follows the new one, as in the original's conversion. */
	if (str_empty(spec->service_account_name))
		spec->service_account_name = spec->service_account;
	spec->service_account = spec->service_account_name;
}

/* One address and the list of them say the same, as in the original's conversion. */
static void set_pod_status(struct arena *arena, void *msg)
{
	CoreV1PodStatus *status = msg;
	if (str_empty(status->pod_ip) || (status->n_pod_ips && str_eq(status->pod_ips[0]->ip, status->pod_ip)))
		return;
	CoreV1PodIP *ip = API_NEW(arena, CoreV1PodIP);
	ip->ip = status->pod_ip;
	status->n_pod_ips = 0;
	status->pod_ips = NULL;
	ARENA_PUSH(arena, status->pod_ips, status->n_pod_ips) = ip;
}

const struct defaulter defaults_pod[] = {
	{&CoreV1Pod_schema, set_pod},
	{&CoreV1PodTemplateSpec_schema, set_template},
	{&CoreV1PodTemplate_schema, set_pod_template},
	{&CoreV1PodSpec_schema, set_pod_spec},
	{&CoreV1PodStatus_schema, set_pod_status},
	{NULL, NULL},
};
