#include "controller-manager/endpoints/service_pods.h"

#include "base/str.h"
#include "controller-manager/support/pods.h"

bool service_selects_pods(const CoreV1Service *service)
{
	return service->spec->n_selector > 0 && !str_eq(service->spec->type, "ExternalName");
}

bool service_has_ip(const CoreV1Service *service)
{
	return !str_empty(service->spec->cluster_ip) && !str_eq(service->spec->cluster_ip, "None");
}

const CoreV1Pod **service_pods(struct informer *pods, struct arena *arena, const CoreV1Service *service, size_t *ret_n)
{
	size_t n;
	const void *const *all = informer_list(pods, arena, service->metadata->namespace, &n);
	const CoreV1Pod **matching = ARENA_ARRAY(arena, const CoreV1Pod *, n + 1);
	*ret_n = 0;
	for (size_t i = 0; i < n; i++) {
		const MetaV1ObjectMeta *meta = object_metadata(all[i]);
		if (map_contains(meta->labels, meta->n_labels, service->spec->selector, service->spec->n_selector))
			matching[(*ret_n)++] = all[i];
	}
	return matching;
}

bool pod_is_endpoint(const CoreV1Pod *pod, bool terminating)
{
	if (pod_is_terminal(pod) || (str_empty(pod->status->pod_ip) && !pod->status->n_pod_ips))
		return false;
	return terminating || !pod->metadata->deletion_timestamp;
}

bool pod_shows_hostname(const CoreV1Pod *pod, const CoreV1Service *service)
{
	return !str_empty(pod->spec->hostname) && str_eq(pod->spec->subdomain, service->metadata->name) &&
	       str_eq(pod->metadata->namespace, service->metadata->namespace);
}

static bool named_port(const CoreV1Container *c, const char *name, const char *protocol, int32_t *ret_port)
{
	for (size_t i = 0; i < c->n_ports; i++)
		if (str_eq(c->ports[i]->name, name) && str_eq(str_or(c->ports[i]->protocol, "TCP"), protocol)) {
			*ret_port = c->ports[i]->container_port;
			return true;
		}
	return false;
}

bool service_port_on_pod(const CoreV1Pod *pod, const CoreV1ServicePort *port, int32_t *ret_port)
{
	const IntstrIntOrString *target = port->target_port;
	const char *protocol = str_or(port->protocol, "TCP");
	if (!target || target->type == 0) {
		*ret_port = target && target->int_val ? target->int_val : port->port;
		return true;
	}
	for (size_t i = 0; i < pod->spec->n_containers; i++)
		if (named_port(pod->spec->containers[i], target->str_val, protocol, ret_port))
			return true;
	for (size_t i = 0; i < pod->spec->n_init_containers; i++)
		if (str_eq(pod->spec->init_containers[i]->restart_policy, "Always") &&
			named_port(pod->spec->init_containers[i], target->str_val, protocol, ret_port))
			return true;
	return false;
}

/* --- events --- */

static void enqueue_services_of(struct service_watch *w, const MetaV1ObjectMeta *pod)
{
	size_t n;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const void *const *all = informer_list(w->services, arena, pod->namespace, &n);
	for (size_t i = 0; i < n; i++) {
		const CoreV1Service *service = all[i];
		if (service->spec->n_selector &&
			map_contains(pod->labels, pod->n_labels, service->spec->selector, service->spec->n_selector))
			workqueue_add_after(w->queue, object_key(arena, service), w->batch_ms);
	}
}

static void pod_added(void *data, const struct object *object, bool initial)
{
	enqueue_services_of(data, object_metadata(object->msg));
}

static void pod_deleted(void *data, const struct object *object, bool final_unknown)
{
	enqueue_services_of(data, object_metadata(object->msg));
}

static bool same_addresses(const CoreV1PodStatus *a, const CoreV1PodStatus *b)
{
	if (!str_eq(a->pod_ip, b->pod_ip) || a->n_pod_ips != b->n_pod_ips)
		return false;
	for (size_t i = 0; i < a->n_pod_ips; i++)
		if (!str_eq(a->pod_ips[i]->ip, b->pod_ips[i]->ip))
			return false;
	return true;
}

static bool endpoint_changed(const CoreV1Pod *a, const CoreV1Pod *b)
{
	return (a->metadata->deletion_timestamp != NULL) != (b->metadata->deletion_timestamp != NULL) ||
	       pod_is_ready(a) != pod_is_ready(b) || pod_is_terminal(a) != pod_is_terminal(b) ||
	       !same_addresses(a->status, b->status) || !str_eq(a->spec->node_name, b->spec->node_name) ||
	       !str_eq(a->spec->hostname, b->spec->hostname) || !str_eq(a->spec->subdomain, b->spec->subdomain) ||
	       !str_eq(a->metadata->uid, b->metadata->uid);
}

static void pod_updated(void *data, const struct object *old_object, const struct object *new_object)
{
	const MetaV1ObjectMeta *before = object_metadata(old_object->msg), *now = object_metadata(new_object->msg);
	bool relabelled = !map_equal(before->labels, before->n_labels, now->labels, now->n_labels);
	if (relabelled)
		enqueue_services_of(data, before);
	if (relabelled || endpoint_changed(old_object->msg, new_object->msg))
		enqueue_services_of(data, now);
}

static const struct informer_handler pod_handler = {.added = pod_added, .updated = pod_updated, .deleted = pod_deleted};

void service_watch_start(struct controller_context *ctx, struct service_watch *w)
{
	w->services = controller_informer(ctx, &CoreV1Service_schema);
	w->pods = controller_informer(ctx, &CoreV1Pod_schema);
	informer_add_handler(w->services, &enqueue_self, w->queue);
	informer_add_handler(w->pods, &pod_handler, w);
}
