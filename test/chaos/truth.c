/* What the store did, read back through etcd's own watch from its first revision on; or what it holds now. */
#include <inttypes.h>
#include "api/meta.h"
#include "api/protobuf.h"
#include "apiserver/store/etcd.h"
#include "base/str.h"
#include "test/chaos/chaos.h"

#define STAMP "chaos/stamp"
#define SHARD "shard"

struct reader {
	int64_t last; /* where to end */
	bool done;
	FILE *out;
};

static void pair(FILE *out, const char *name, const char *value)
{
	if (!str_empty(value))
		fprintf(out, "\t%s=%s", name, value);
}

static void pair_int(FILE *out, const char *name, int64_t value)
{
	fprintf(out, "\t%s=%" PRId64, name, value);
}

static void pair_words(FILE *out, const char *name, char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		fprintf(out, i ? ",%s" : "\t%s=%s", i ? words[i] : name, words[0]);
}

static void pair_map(FILE *out, struct arena *arena, const char *name, MapStringEntry *const *entries, size_t n)
{
	char **words = NULL;
	size_t n_words = 0;
	for (size_t i = 0; i < n; i++)
		ARENA_PUSH(arena, words, n_words) =
			arena_printf(arena, "%s:%s", map_key(entries[i]), str_or_empty(entries[i]->value));
	pair_words(out, name, words, n_words);
}

/* Who owns a field: of several managers only one can have changed a value last. */
static const char *manager_of(const MetaV1ObjectMeta *meta, const char *field)
{
	for (size_t i = 0; i < meta->n_managed_fields; i++) {
		const MetaV1ManagedFieldsEntry *m = meta->managed_fields[i];
		const ProtobufCBinaryData *raw = m->fields_v1 ? &m->fields_v1->raw : NULL;
		if (raw && memmem(raw->data, raw->len, field, strlen(field)))
			return m->manager;
	}
	return NULL;
}

/* Who wrote to the object, and when last: an entry's time moves with each write of its manager. */
static void write_managers(FILE *out, struct arena *arena, const MetaV1ObjectMeta *meta)
{
	char **entries = NULL;
	size_t n = 0;
	for (size_t i = 0; i < meta->n_managed_fields; i++) {
		const MetaV1ManagedFieldsEntry *m = meta->managed_fields[i];
		ARENA_PUSH(arena, entries, n) = arena_printf(arena, "%s/%s@%lld", str_or_empty(m->manager),
			str_or_empty(m->subresource), m->time ? (long long)m->time->seconds : 0LL);
	}
	pair_words(out, "managers", entries, n);
}

static void write_meta(FILE *out, struct arena *arena, const MetaV1ObjectMeta *meta)
{
	char **owners = NULL;
	size_t n_owners = 0;
	for (size_t i = 0; i < meta->n_owner_references; i++)
		ARENA_PUSH(arena, owners, n_owners) = meta->owner_references[i]->uid;
	pair(out, "namespace", meta->namespace);
	pair(out, "uid", meta->uid);
	pair(out, "stamp", meta_annotation(meta, STAMP));
	pair(out, SHARD, meta_label(meta, SHARD));
	pair(out, "deleting", meta->deletion_timestamp ? "true" : NULL);
	pair_words(out, "owners", owners, n_owners);
	write_managers(out, arena, meta);
}

static void write_service(FILE *out, struct arena *arena, const CoreV1Service *service)
{
	char **ips = NULL, **ports = NULL;
	size_t n_ips = 0, n_ports = 0;
	const CoreV1ServiceSpec *spec = service->spec;
	for (size_t i = 0; spec && i < spec->n_cluster_ips; i++)
		if (!str_eq(spec->cluster_ips[i], "None"))
			ARENA_PUSH(arena, ips, n_ips) = spec->cluster_ips[i];
	for (size_t i = 0; spec && i < spec->n_ports; i++)
		if (spec->ports[i]->node_port)
			ARENA_PUSH(arena, ports, n_ports) =
				arena_printf(arena, "%s:%d", spec->ports[i]->protocol, spec->ports[i]->node_port);
	if (spec && spec->health_check_node_port)
		ARENA_PUSH(arena, ports, n_ports) = arena_printf(arena, "TCP:%d", spec->health_check_node_port);
	pair_words(out, "ips", ips, n_ips);
	pair_words(out, "node-ports", ports, n_ports);
	if (spec && !spec->publish_not_ready_addresses)
		pair_map(out, arena, "selector", spec->selector, spec->n_selector);
}

static void write_slice(FILE *out, struct arena *arena, const DiscoveryV1EndpointSlice *slice)
{
	char **ready = NULL;
	size_t n = 0;
	for (size_t i = 0; i < slice->n_endpoints; i++) {
		const DiscoveryV1Endpoint *e = slice->endpoints[i];
		bool is_ready = !e->conditions || !e->conditions->has_ready || e->conditions->ready;
		for (size_t k = 0; is_ready && k < e->n_addresses; k++)
			ARENA_PUSH(arena, ready, n) = e->addresses[k];
	}
	pair(out, "service", meta_label(slice->metadata, "kubernetes.io/service-name"));
	pair_words(out, "endpoints", ready, n);
}

static void write_pod(FILE *out, struct arena *arena, const CoreV1Pod *pod)
{
	char **containers = NULL;
	size_t n_containers = 0;
	const CoreV1PodStatus *status = pod->status;
	pair(out, "node", pod->spec ? pod->spec->node_name : NULL);
	pair_map(out, arena, "labels", pod->metadata->labels, pod->metadata->n_labels);
	if (!status)
		return;
	for (size_t i = 0; i < status->n_container_statuses; i++)
		ARENA_PUSH(arena, containers, n_containers) = arena_printf(arena, "%s:%d",
			status->container_statuses[i]->container_id, status->container_statuses[i]->restart_count);
	pair(out, "phase", status->phase);
	pair(out, "ready",
		condition_is((void *const *)status->conditions, status->n_conditions, "Ready", "True") ? "true" : NULL);
	pair(out, "pod-ip", pod->spec && pod->spec->host_network ? NULL : status->pod_ip);
	pair_words(out, "containers", containers, n_containers);
}

static void write_deployment(FILE *out, const AppsV1Deployment *d)
{
	pair_int(out, "generation", d->metadata->generation);
	pair_int(out, "observed", d->status ? d->status->observed_generation : 0);
	pair_int(out, "replicas", d->spec && d->spec->has_replicas ? d->spec->replicas : 1);
	pair_int(out, "available", d->status ? d->status->available_replicas : 0);
}

static void write_lease(FILE *out, const CoordinationV1Lease *lease)
{
	const CoordinationV1LeaseSpec *spec = lease->spec;
	if (!spec)
		return;
	pair(out, "holder", spec->holder_identity);
	pair(out, "holder-by", manager_of(lease->metadata, "f:holderIdentity"));
	pair_int(out, "transitions", spec->lease_transitions);
	pair_int(out, "lease-seconds", spec->lease_duration_seconds);
	if (spec->renew_time)
		pair_int(out, "renewed-ms", spec->renew_time->seconds * 1000 + spec->renew_time->nanos / 1000000);
}

static void write_object(FILE *out, struct arena *arena, const struct etcd_kv *kv)
{
	const ProtobufCMessage *object;
	if (!protobuf_has_magic(kv->value, kv->size))
		return;
	struct status *failed = protobuf_decode(arena, NULL, kv->value, kv->size, &object);
	if (failed) {
		status_drop(failed, "a kind that the rules do not look at");
		return;
	}
	const MetaV1ObjectMeta *meta = object_meta(object);
	if (!meta)
		return;
	write_meta(out, arena, meta);
	if (API_IS(object, CoreV1Service))
		write_service(out, arena, (const CoreV1Service *)object);
	else if (API_IS(object, CoreV1Pod))
		write_pod(out, arena, (const CoreV1Pod *)object);
	else if (API_IS(object, DiscoveryV1EndpointSlice))
		write_slice(out, arena, (const DiscoveryV1EndpointSlice *)object);
	else if (API_IS(object, AppsV1Deployment))
		write_deployment(out, (const AppsV1Deployment *)object);
	else if (API_IS(object, CoordinationV1Lease))
		write_lease(out, (const CoordinationV1Lease *)object);
}

/* Of a long run the present state is read in a moment, and the history in minutes: the rules of rest need no more. */
static void on_present(void *data, const struct etcd_kv *kv)
{
	struct reader *r = data;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	fprintf(r->out, "change\trev=%" PRId64 "\ttype=create\tkey=%s", kv->mod_revision, kv->key);
	write_object(r->out, arena, kv);
	fputc('\n', r->out);
}

static void on_batch(void *data, const struct etcd_event *events, size_t n, int64_t revision)
{
	struct reader *r = data;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	for (size_t i = 0; i < n; i++) {
		const struct etcd_kv *kv = &events[i].kv;
		bool created = kv->create_revision == kv->mod_revision;
		fprintf(r->out, "change\trev=%" PRId64 "\ttype=%s\tkey=%s", kv->mod_revision,
			events[i].deleted ? "delete"
			: created	  ? "create"
					  : "update",
			kv->key);
		if (!events[i].deleted)
			write_object(r->out, arena, kv);
		fputc('\n', r->out);
	}
	if (revision >= r->last)
		r->done = true;
}

static bool goes_on(void *data)
{
	const struct reader *r = data;
	return !r->done;
}

struct status *chaos_truth(const struct chaos_options *o, char *const *args, size_t n_args)
{
	char *endpoints[] = {o->etcd};
	const struct etcd_options options = {.endpoints = endpoints,
		.n_endpoints = 1,
		.ca_file = o->etcd_ca,
		.cert_file = o->etcd_cert,
		.key_file = o->etcd_key};
	CLEANUP(etcd_freep) struct etcd *etcd = NULL;
	struct reader r = {.out = stdout};
	TRY(etcd_new(&options, &etcd));
	if (o->rest)
		return etcd_each(etcd, "/registry/", &r.last, on_present, &r);
	TRY(etcd_revision(etcd, &r.last));
	const struct etcd_watch_options whole = {
		.prefix = "", .from = 1, .goes_on = goes_on, .batch = on_batch, .data = &r};
	return etcd_watch(etcd, &whole, NULL);
}
