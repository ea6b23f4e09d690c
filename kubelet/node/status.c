#include "kubelet/node/status.h"

#include <inttypes.h>
#include "api/copy.h"
#include "api/meta.h"
#include "api/quantity.h"
#include "base/str.h"
#include "kubelet/eviction/signals.h"

#define OS "linux"

/* "-pre.1+build", either or none. */
static bool is_semantic_rest(const char *s)
{
	static const char allowed[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-";
	static const char marks[] = "-+";
	for (size_t i = 0; marks[i]; i++) {
		if (*s != marks[i])
			continue;
		size_t len = strspn(++s, allowed);
		if (!len)
			return false;
		s += len;
	}
	return !*s;
}

char *runtime_version_shown(struct arena *arena, const char *version)
{
	const char *s = version[0] == 'v' ? version + 1 : version;
	size_t len = strspn(s, "0123456789"), n = len > 0;
	while (len && s[len] == '.' && strspn(s + len + 1, "0123456789")) {
		len += 1 + strspn(s + len + 1, "0123456789");
		n++;
	}
	return n == 3 && is_semantic_rest(s + len) ? arena_strdup(arena, s) : arena_strndup(arena, s, len);
}

static int64_t reserved(const struct settings *s, const char *resource, bool milli)
{
	const KubeletV1beta1KubeletConfiguration *c = s->config;
	const char *texts[] = {MAP_GET(c, kube_reserved, resource), MAP_GET(c, system_reserved, resource)};
	int64_t sum = 0;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct quantity q;
		if (texts[i] && quantity_parse(texts[i], &q))
			sum += milli ? quantity_milli_value(&q) : quantity_value(&q);
	}
	return sum;
}

static int64_t capacity_of(const struct node_facts *f, const char *resource, bool milli)
{
	if (str_eq(resource, "cpu"))
		return f->machine->n_cpus * (milli ? 1000 : 1);
	if (str_eq(resource, "memory"))
		return f->machine->memory_bytes;
	if (str_eq(resource, "ephemeral-storage"))
		return f->disk.capacity_bytes;
	if (str_eq(resource, "pods"))
		return f->settings->max_pods;
	return 0;
}

int64_t node_unreserved_of(const struct node_facts *f, const char *resource, bool milli)
{
	int64_t left = capacity_of(f, resource, milli) - reserved(f->settings, resource, milli);
	return left > 0 ? left : 0;
}

int64_t node_allocatable_of(const struct node_facts *f, const char *resource, bool milli)
{
	int64_t capacity = capacity_of(f, resource, milli), left = capacity - reserved(f->settings, resource, milli);
	if (str_eq(resource, "memory"))
		left -= eviction_threshold(f->settings, "memory.available", capacity);
	if (str_eq(resource, "ephemeral-storage"))
		left -= eviction_threshold(f->settings, "nodefs.available", capacity);
	return left > 0 ? left : 0;
}

static void set_quantity(struct arena *arena, MapQuantityEntry ***list, size_t *n, const char *name, struct quantity q)
{
	quantity_map_set(arena, list, n, name, quantity_format(arena, &q));
}

static void fill_resources(struct arena *arena, CoreV1NodeStatus *s, const struct node_facts *f)
{
	static const char *const names[] = {"cpu", "memory", "ephemeral-storage", "pods"};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		bool cpu = str_eq(names[i], "cpu"), memory = str_eq(names[i], "memory"),
		     pods = str_eq(names[i], "pods");
		bool disk = !cpu && !memory && !pods;
		struct quantity all, left;
		if (cpu) {
			all = quantity_from_milli(capacity_of(f, names[i], true), QUANTITY_DECIMAL_SI);
			left = quantity_from_milli(node_allocatable_of(f, names[i], true), QUANTITY_DECIMAL_SI);
		} else {
			all = quantity_from_int(
				capacity_of(f, names[i], false), pods ? QUANTITY_DECIMAL_SI : QUANTITY_BINARY_SI);
			left = quantity_from_int(node_allocatable_of(f, names[i], false),
				memory ? QUANTITY_BINARY_SI : QUANTITY_DECIMAL_SI);
		}
		(void)disk;
		set_quantity(arena, &s->capacity, &s->n_capacity, names[i], all);
		set_quantity(arena, &s->allocatable, &s->n_allocatable, names[i], left);
	}
	static const char *const huge[] = {"hugepages-1Gi", "hugepages-2Mi"};
	for (size_t i = 0; i < ARRAY_SIZE(huge); i++) {
		quantity_map_set(arena, &s->capacity, &s->n_capacity, huge[i], "0");
		quantity_map_set(arena, &s->allocatable, &s->n_allocatable, huge[i], "0");
	}
}

static void add_address(struct arena *arena, CoreV1NodeStatus *s, const char *type, const char *address)
{
	if (str_empty(address))
		return;
	CoreV1NodeAddress *a = API_NEW(arena, CoreV1NodeAddress);
	a->type = arena_strdup(arena, type);
	a->address = arena_strdup(arena, address);
	ARENA_PUSH(arena, s->addresses, s->n_addresses) = a;
}

static void fill_info(struct arena *arena, CoreV1NodeStatus *s, const struct node_facts *f)
{
	CoreV1NodeSystemInfo *i = API_NEW(arena, CoreV1NodeSystemInfo);
	i->machine_id = arena_strdup(arena, f->machine->machine_id);
	i->system_uuid = arena_strdup(arena, f->machine->system_uuid);
	i->boot_id = arena_strdup(arena, f->machine->boot_id);
	i->kernel_version = arena_strdup(arena, f->machine->kernel_version);
	i->os_image = arena_strdup(arena, f->machine->os_image);
	i->container_runtime_version = arena_strdup(arena, f->runtime_version);
	i->kubelet_version = arena_strdup(arena, KUBEC_VERSION);
	i->kube_proxy_version = arena_strdup(arena, "");
	i->operating_system = arena_strdup(arena, OS);
	i->architecture = arena_strdup(arena, f->machine->architecture);
	s->node_info = i;
}

static void set_condition(struct arena *arena, CoreV1NodeStatus *s, const char *type, bool value, const char *reason,
	const char *message, int64_t now)
{
	CoreV1NodeCondition *c = condition_find((void *const *)s->conditions, s->n_conditions, type);
	const char *text = value ? "True" : "False";
	if (!c) {
		c = API_NEW(arena, CoreV1NodeCondition);
		c->type = arena_strdup(arena, type);
		ARENA_PUSH(arena, s->conditions, s->n_conditions) = c;
	}
	if (!str_eq(c->status, text) || !c->last_transition_time)
		c->last_transition_time = time_new(arena, now);
	c->last_heartbeat_time = time_new(arena, now);
	c->status = arena_strdup(arena, text);
	c->reason = arena_strdup(arena, reason);
	c->message = arena_strdup(arena, message);
}

static void fill_conditions(struct arena *arena, CoreV1NodeStatus *s, const struct node_facts *f)
{
	const struct node_health *h = &f->health;
	set_condition(arena, s, "MemoryPressure", h->memory_pressure,
		h->memory_pressure ? "KubeletHasInsufficientMemory" : "KubeletHasSufficientMemory",
		h->memory_pressure ? "kubelet has insufficient memory available"
				   : "kubelet has sufficient memory available",
		f->now_s);
	set_condition(arena, s, "DiskPressure", h->disk_pressure,
		h->disk_pressure ? "KubeletHasDiskPressure" : "KubeletHasNoDiskPressure",
		h->disk_pressure ? "kubelet has disk pressure" : "kubelet has no disk pressure", f->now_s);
	set_condition(arena, s, "PIDPressure", h->pid_pressure,
		h->pid_pressure ? "KubeletHasInsufficientPID" : "KubeletHasSufficientPID",
		h->pid_pressure ? "kubelet has insufficient PID available" : "kubelet has sufficient PID available",
		f->now_s);
	set_condition(arena, s, "Ready", !h->not_ready, h->not_ready ? "KubeletNotReady" : "KubeletReady",
		h->not_ready ? h->not_ready : "kubelet is posting ready status", f->now_s);
}

void node_fill_status(struct arena *arena, CoreV1Node *node, const struct node_facts *f)
{
	if (!node->status)
		node->status = API_NEW(arena, CoreV1NodeStatus);
	CoreV1NodeStatus *s = node->status;
	fill_resources(arena, s, f);
	s->n_addresses = 0;
	s->addresses = NULL;
	add_address(arena, s, "InternalIP", f->ip);
	add_address(arena, s, "Hostname", f->settings->hostname);
	s->daemon_endpoints = API_NEW(arena, CoreV1NodeDaemonEndpoints);
	s->daemon_endpoints->kubelet_endpoint = API_NEW(arena, CoreV1DaemonEndpoint);
	s->daemon_endpoints->kubelet_endpoint->port = f->port;
	fill_info(arena, s, f);
	if (f->images) {
		s->images = f->images;
		s->n_images = f->n_images;
	}
	fill_conditions(arena, s, f);
}

static bool set_label(struct arena *arena, CoreV1Node *node, const char *key, const char *value)
{
	if (str_eq(meta_label(node->metadata, key), value) && meta_label(node->metadata, key))
		return false;
	meta_set_label(arena, node->metadata, key, value);
	return true;
}

bool node_fix_labels(struct arena *arena, CoreV1Node *node, const struct node_facts *f)
{
	bool changed = set_label(arena, node, "kubernetes.io/hostname", f->settings->hostname);
	changed |= set_label(arena, node, "kubernetes.io/os", OS);
	changed |= set_label(arena, node, "kubernetes.io/arch", f->machine->architecture);
	changed |= set_label(arena, node, "beta.kubernetes.io/os", OS);
	changed |= set_label(arena, node, "beta.kubernetes.io/arch", f->machine->architecture);
	return changed;
}

CoreV1Node *node_object(struct arena *arena, const struct node_facts *f)
{
	const struct settings *s = f->settings;
	CoreV1Node *node = API_NEW(arena, CoreV1Node);
	node->metadata = API_NEW(arena, MetaV1ObjectMeta);
	node->metadata->name = arena_strdup(arena, s->node_name);
	node->spec = API_NEW(arena, CoreV1NodeSpec);
	node->spec->provider_id = arena_strdup(arena, s->config->provider_id);
	node->spec->unschedulable = !s->register_schedulable;
	for (size_t i = 0; i < s->n_taints; i++)
		ARENA_PUSH(arena, node->spec->taints, node->spec->n_taints) = api_copy(arena, s->taints[i]);
	node_fix_labels(arena, node, f);
	for (size_t i = 0; i < s->node_labels.n_items; i++) {
		char *pair = arena_strdup(arena, s->node_labels.items[i]);
		char *equals = strchr(pair, '=');
		if (equals)
			*equals = '\0';
		meta_set_label(arena, node->metadata, pair, equals ? equals + 1 : "");
	}
	meta_set_annotation(arena, node->metadata, "volumes.kubernetes.io/controller-managed-attach-detach", "true");
	return node;
}

static void clear_heartbeats(CoreV1NodeStatus *s)
{
	for (size_t i = 0; i < s->n_conditions; i++)
		s->conditions[i]->last_heartbeat_time = NULL;
}

bool node_status_equal(const CoreV1NodeStatus *a, const CoreV1NodeStatus *b)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CoreV1NodeStatus *x = api_copy_msg(arena, a), *y = api_copy_msg(arena, b);
	if (!x || !y)
		return !x && !y;
	clear_heartbeats(x);
	clear_heartbeats(y);
	return api_equal(x, y);
}
