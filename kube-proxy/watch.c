/* From informers to the services that have to be looked at again. Handlers only post; the rest runs on the loop. */
#include "base/log.h"
#include "base/mem.h"
#include "kube-proxy/internal.h"

struct change {
	struct proxy *p;
	struct object *old_object, *new_object; /* owned; NULL: none */
	void (*apply)(struct proxy *p, struct change *c);
};

static void apply(void *data)
{
	struct change *c = data;
	c->apply(c->p, c);
	if (c->old_object)
		object_unref(c->old_object);
	if (c->new_object)
		object_unref(c->new_object);
	proxy_wake(c->p);
	free(c);
}

static void post(struct proxy *p, const struct object *old_object, const struct object *new_object,
	void (*fn)(struct proxy *p, struct change *c))
{
	struct change *c = mem_zalloc(sizeof *c);
	*c = (struct change){
		p, old_object ? object_ref(old_object) : NULL, new_object ? object_ref(new_object) : NULL, fn};
	loop_post(p->loop, apply, c);
}

/* --- services and slices --- */

static struct proxied *proxied_ensure(struct proxy *p, const char *key)
{
	struct proxied *proxied = strmap_get(p->proxied, key);
	if (!proxied) {
		proxied = mem_zalloc(sizeof *proxied);
		strmap_put(p->proxied, key, proxied);
	}
	return proxied;
}

/* Tells the rules what a service is made of now. */
static void touch(struct proxy *p, const char *key)
{
	struct proxied *proxied = proxied_ensure(p, key);
	struct sync_service *service = sync_touch(p->sync, key);
	service->service = proxied->service ? proxied->service->msg : NULL;
	free(service->slices);
	service->slices = mem_calloc(proxied->n_slices + 1, sizeof *service->slices);
	service->n_slices = proxied->n_slices;
	for (size_t i = 0; i < proxied->n_slices; i++)
		service->slices[i] = proxied->slices[i]->msg;
	p->pending = true;
	if (proxied->service || proxied->n_slices)
		return;
	free(proxied->slices);
	strmap_remove(p->proxied, key);
}

static void service_changed(struct proxy *p, struct change *c)
{
	CLEANUP_FREE char *key = mem_strdup((c->new_object ? c->new_object : c->old_object)->key);
	struct proxied *proxied = proxied_ensure(p, key);
	struct object *old = proxied->service;
	proxied->service = c->new_object ? object_ref(c->new_object) : NULL;
	touch(p, key);
	if (old)
		object_unref(old);
}

/* The service a slice belongs to, by its label; NULL if it says none. */
static char *service_key(const struct object *object)
{
	const DiscoveryV1EndpointSlice *slice = object->msg;
	for (size_t i = 0; slice->metadata && i < slice->metadata->n_labels; i++) {
		if (str_eq(slice->metadata->labels[i]->key, "kubernetes.io/service-name"))
			return mem_printf("%s/%s", slice->metadata->namespace, slice->metadata->labels[i]->value);
	}
	return NULL;
}

static void slice_remove(struct proxy *p, const struct object *object)
{
	CLEANUP_FREE char *key = service_key(object);
	struct proxied *proxied = key ? strmap_get(p->proxied, key) : NULL;
	for (size_t i = 0; proxied && i < proxied->n_slices; i++) {
		if (strcmp(proxied->slices[i]->key, object->key) != 0)
			continue;
		struct object *gone = proxied->slices[i];
		proxied->slices[i] = proxied->slices[--proxied->n_slices];
		touch(p, key);
		object_unref(gone);
		return;
	}
}

static void slice_add(struct proxy *p, const struct object *object)
{
	CLEANUP_FREE char *key = service_key(object);
	if (!key)
		return;
	struct proxied *proxied = proxied_ensure(p, key);
	mem_grow(&proxied->slices, &proxied->cap_slices, proxied->n_slices + 1, sizeof *proxied->slices);
	proxied->slices[proxied->n_slices++] = object_ref(object);
	touch(p, key);
}

static void slice_changed(struct proxy *p, struct change *c)
{
	if (c->old_object)
		slice_remove(p, c->old_object);
	if (c->new_object)
		slice_add(p, c->new_object);
}

/* --- the node --- */

static char *node_address(struct arena *arena, enum family family, const CoreV1Node *node)
{
	for (size_t i = 0; node->status && i < node->status->n_addresses; i++) {
		const CoreV1NodeAddress *a = node->status->addresses[i];
		const char *ip = str_eq(a->type, "InternalIP") ? ip_canonical(arena, family, a->address) : NULL;
		if (ip)
			return arena_strdup(arena, ip);
	}
	return NULL;
}

static bool is_eligible(const CoreV1Node *node)
{
	if (!node || !node->metadata || node->metadata->deletion_timestamp)
		return false;
	for (size_t i = 0; node->spec && i < node->spec->n_taints; i++) {
		if (str_eq(node->spec->taints[i]->key, "ToBeDeletedByClusterAutoscaler"))
			return false;
	}
	return true;
}

static const char *zone_of(const CoreV1Node *node)
{
	for (size_t i = 0; node->metadata && i < node->metadata->n_labels; i++) {
		if (str_eq(node->metadata->labels[i]->key, "topology.kubernetes.io/zone"))
			return node->metadata->labels[i]->value;
	}
	return "";
}

static void node_changed(struct proxy *p, struct change *c)
{
	const CoreV1Node *node = c->new_object ? c->new_object->msg : NULL;
	proxy_health_eligible(p->health, is_eligible(node));
	if (!node)
		return;
	struct arena *arena = arena_new_sized(256);
	const char *zone = arena_strdup(arena, zone_of(node));
	char *cidrs = node->spec && node->spec->n_pod_cidrs
			      ? str_join(arena, node->spec->pod_cidrs, node->spec->n_pod_cidrs, ",")
			      : arena_strdup(arena, node->spec ? str_or_empty(node->spec->pod_cidr) : "");
	char *ips[N_FAMILIES] = {node_address(arena, FAMILY_IPV4, node), node_address(arena, FAMILY_IPV6, node)};
	bool same = str_eq(zone, p->zone) && str_eq(cidrs, p->pod_cidrs) && str_eq(ips[0], p->node_ips[0]) &&
		    str_eq(ips[1], p->node_ips[1]);
	if (same) {
		arena_free(arena);
		return;
	}
	struct arena *old = p->node_arena;
	p->node_arena = arena;
	p->zone = (char *)(uintptr_t)zone;
	p->pod_cidrs = cidrs;
	memcpy(p->node_ips, ips, sizeof ips);
	proxy_configure_rules(p);
	p->sync->full_needed = true;
	p->pending = true;
	if (old)
		arena_free(old);
}

/* --- the addresses that services may have --- */

static char *join_cidrs(struct proxy *p, enum family family)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new_sized(256);
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	CLEANUP_FREE const char **names = NULL;
	size_t n = 0;
	names = strmap_sorted_keys(p->cidrs, &n);
	for (size_t i = 0; i < n; i++) {
		const struct object *object = strmap_get(p->cidrs, names[i]);
		const NetworkingV1ServiceCIDR *cidrs = object->msg;
		for (size_t j = 0; cidrs->spec && j < cidrs->spec->n_cidrs; j++) {
			const char *text = cidr_canonical(arena, family, cidrs->spec->cidrs[j]);
			if (text)
				strbuf_printf(&out, "%s%s", out.len ? ", " : "", text);
		}
	}
	return strbuf_steal(&out);
}

static void cidr_changed(struct proxy *p, struct change *c)
{
	if (c->old_object) {
		struct object *old = strmap_steal(p->cidrs, c->old_object->key);
		if (old)
			object_unref(old);
	}
	if (c->new_object)
		strmap_put(p->cidrs, c->new_object->key, object_ref(c->new_object));
	for (enum family family = 0; family < N_FAMILIES; family++) {
		char *text = join_cidrs(p, family);
		if (!str_eq(text, p->service_cidrs[family])) {
			p->sync->full_needed = true;
			p->pending = true;
		}
		free(p->service_cidrs[family]);
		p->service_cidrs[family] = text;
	}
	proxy_configure_rules(p);
}

/* --- handlers --- */

#define HANDLERS(kind, when_synced)                                                                              \
	static void kind##_added(void *data, const struct object *object, bool initial)                          \
	{                                                                                                        \
		post(data, NULL, object, kind##_changed);                                                        \
	}                                                                                                        \
	static void kind##_updated(void *data, const struct object *old_object, const struct object *new_object) \
	{                                                                                                        \
		post(data, old_object, new_object, kind##_changed);                                              \
	}                                                                                                        \
	static void kind##_deleted(void *data, const struct object *object, bool final_unknown)                  \
	{                                                                                                        \
		post(data, object, NULL, kind##_changed);                                                        \
	}                                                                                                        \
	static const struct informer_handler kind##_handler = {                                                  \
		.added = kind##_added, .updated = kind##_updated, .deleted = kind##_deleted, .synced = when_synced};

static void count_synced(void *data)
{
	struct proxy *p = data;
	p->pending = true;
	if (!--p->n_unsynced)
		log_info("Services and endpoints are known: services=%zu", strmap_count(p->proxied));
	proxy_wake(p);
}

static void synced(void *data)
{
	struct proxy *p = data;
	loop_post(p->loop, count_synced, p);
}

HANDLERS(service, synced)
HANDLERS(slice, synced)
HANDLERS(node, synced)
HANDLERS(cidr, NULL) /* nobody waits for it: older servers have none */

static void trim_service(void *msg)
{
	CoreV1Service *service = msg;
	if (service->metadata)
		service->metadata->n_managed_fields = 0;
}

static void trim_slice(void *msg)
{
	DiscoveryV1EndpointSlice *slice = msg;
	if (slice->metadata)
		slice->metadata->n_managed_fields = 0;
	for (size_t i = 0; i < slice->n_endpoints; i++)
		slice->endpoints[i]->target_ref = NULL;
}

static void trim_node(void *msg)
{
	CoreV1Node *node = msg;
	if (node->metadata)
		node->metadata->n_managed_fields = 0;
	if (node->status)
		node->status->n_images = 0;
}

void proxy_watch(struct proxy *p)
{
	static const char not_ours[] = "!service.kubernetes.io/headless,!service.kubernetes.io/service-proxy-name";
	CLEANUP_FREE char *self = mem_printf("metadata.name=%s", p->node_name);
	p->n_unsynced = 3;
	informer_add_handler(informers_get(p->informers, &(struct informer_spec){.type = &CoreV1Service_schema,
								 .label_selector = not_ours,
								 .trim = trim_service}),
		&service_handler, p);
	informer_add_handler(
		informers_get(p->informers, &(struct informer_spec){.type = &DiscoveryV1EndpointSlice_schema,
						    .label_selector = not_ours,
						    .trim = trim_slice}),
		&slice_handler, p);
	informer_add_handler(
		informers_get(p->informers, &(struct informer_spec){.type = &NetworkingV1ServiceCIDR_schema}),
		&cidr_handler, p);
	informer_add_handler(
		informers_get(p->informers,
			&(struct informer_spec){.type = &CoreV1Node_schema, .field_selector = self, .trim = trim_node}),
		&node_handler, p);
}
