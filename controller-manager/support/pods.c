#include "controller-manager/support/pods.h"

#include <math.h>
#include "api/copy.h"
#include "base/encode.h"
#include "base/str.h"

#define NS_PER_S 1000000000ll

const CoreV1PodCondition *pod_condition(const CoreV1Pod *pod, const char *type)
{
	for (size_t i = 0; pod->status && i < pod->status->n_conditions; i++)
		if (str_eq(pod->status->conditions[i]->type, type))
			return pod->status->conditions[i];
	return NULL;
}

bool pod_is_ready(const CoreV1Pod *pod)
{
	const CoreV1PodCondition *c = pod_condition(pod, "Ready");
	return c && str_eq(c->status, "True");
}

bool pod_is_available(const CoreV1Pod *pod, int32_t min_ready_seconds, int64_t now_ns)
{
	const CoreV1PodCondition *c = pod_condition(pod, "Ready");
	if (!c || !str_eq(c->status, "True"))
		return false;
	if (min_ready_seconds == 0)
		return true;
	return !time_is_zero(c->last_transition_time) &&
	       time_ns(c->last_transition_time) + min_ready_seconds * NS_PER_S <= now_ns;
}

bool pod_is_terminal(const CoreV1Pod *pod)
{
	return str_eq(pod->status->phase, "Failed") || str_eq(pod->status->phase, "Succeeded");
}

bool pod_is_active(const CoreV1Pod *pod)
{
	return !pod_is_terminal(pod) && !pod->metadata->deletion_timestamp;
}

bool pod_is_terminating(const CoreV1Pod *pod)
{
	return !pod_is_terminal(pod) && pod->metadata->deletion_timestamp;
}

int64_t pods_next_available_ms(const CoreV1Pod *const *pods, size_t n, int32_t min_ready_seconds, int64_t now_ns)
{
	int64_t next = -1;
	for (size_t i = 0; i < n; i++) {
		const CoreV1PodCondition *c = pod_condition(pods[i], "Ready");
		if (!c || !str_eq(c->status, "True") || time_is_zero(c->last_transition_time))
			continue;
		int64_t wait = time_ns(c->last_transition_time) + min_ready_seconds * NS_PER_S - now_ns;
		if (wait <= 0)
			continue;
		/* One millisecond more, so that the check comes after the moment. */
		int64_t ms = wait / 1000000 + 1;
		if (next < 0 || ms < next)
			next = ms;
	}
	return next;
}

/* --- which to delete first --- */

struct ranked_pod {
	const CoreV1Pod *pod;
	int rank;
	int64_t now_ns;
};

static int phase_ordinal(const CoreV1Pod *pod)
{
	const char *phase = pod->status->phase;
	return str_eq(phase, "Running") ? 2 : str_eq(phase, "Unknown") ? 1 : 0;
}

static int64_t deletion_cost(const CoreV1Pod *pod)
{
	const char *text = ANNOTATION_GET(pod->metadata, "controller.kubernetes.io/pod-deletion-cost");
	int64_t cost;
	if (!text || *text == '+' || (*text == '0' && text[1]) || !str_to_int64(text, INT32_MIN, INT32_MAX, &cost))
		return 0;
	return cost;
}

static int64_t age_rank(const MetaV1Time *time, int64_t now_ns)
{
	int64_t age = now_ns - time_ns(time);
	return age > 0 ? (int64_t)log2((double)age) : -1;
}

/* Younger first by powers of two; a zero time counts as youngest. 0: the same age. */
static int compare_ages(const MetaV1Time *a, const MetaV1Time *b, int64_t now_ns, const char *uid_a, const char *uid_b)
{
	if (time_compare(a, b) == 0)
		return 0;
	if (time_is_zero(a) || time_is_zero(b))
		return time_is_zero(a) ? -1 : 1;
	int64_t diff = age_rank(a, now_ns) - age_rank(b, now_ns);
	return diff ? (diff < 0 ? -1 : 1) : str_cmp(uid_a, uid_b);
}

static int32_t max_restarts(const CoreV1Pod *pod, bool sidecars)
{
	int32_t most = 0;
	size_t n = sidecars ? pod->status->n_init_container_statuses : pod->status->n_container_statuses;
	CoreV1ContainerStatus **list =
		sidecars ? pod->status->init_container_statuses : pod->status->container_statuses;
	for (size_t i = 0; i < n; i++) {
		bool counts = !sidecars;
		for (size_t j = 0; sidecars && j < pod->spec->n_init_containers; j++) {
			const CoreV1Container *c = pod->spec->init_containers[j];
			counts |= str_eq(c->name, list[i]->name) && str_eq(c->restart_policy, "Always");
		}
		if (counts && list[i]->restart_count > most)
			most = list[i]->restart_count;
	}
	return most;
}

static int compare_restarts(const CoreV1Pod *a, const CoreV1Pod *b)
{
	for (int sidecars = 0; sidecars < 2; sidecars++) {
		int32_t x = max_restarts(a, sidecars), y = max_restarts(b, sidecars);
		if (x != y)
			return x > y ? -1 : 1;
	}
	return 0;
}

static int compare_readiness(const struct ranked_pod *a, const struct ranked_pod *b)
{
	bool ready_a = pod_is_ready(a->pod), ready_b = pod_is_ready(b->pod);
	if (ready_a != ready_b)
		return ready_a ? 1 : -1;
	int64_t cost_a = deletion_cost(a->pod), cost_b = deletion_cost(b->pod);
	if (cost_a != cost_b)
		return cost_a < cost_b ? -1 : 1;
	if (a->rank != b->rank)
		return a->rank > b->rank ? -1 : 1;
	if (!ready_a)
		return 0;
	return compare_ages(pod_condition(a->pod, "Ready")->last_transition_time,
		pod_condition(b->pod, "Ready")->last_transition_time, a->now_ns, a->pod->metadata->uid,
		b->pod->metadata->uid);
}

static int compare_for_deletion(const void *x, const void *y)
{
	const struct ranked_pod *a = x, *b = y;
	bool unassigned_a = str_empty(a->pod->spec->node_name), unassigned_b = str_empty(b->pod->spec->node_name);
	if (unassigned_a != unassigned_b)
		return unassigned_a ? -1 : 1;
	int phase = phase_ordinal(a->pod) - phase_ordinal(b->pod);
	if (phase)
		return phase;
	int order = compare_readiness(a, b);
	if (!order)
		order = compare_restarts(a->pod, b->pod);
	if (!order)
		order = compare_ages(a->pod->metadata->creation_timestamp, b->pod->metadata->creation_timestamp,
			a->now_ns, a->pod->metadata->uid, b->pod->metadata->uid);
	return order;
}

void pods_sort_for_deletion(const CoreV1Pod **pods, int *ranks, size_t n, int64_t now_ns)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct ranked_pod *ranked = ARENA_ARRAY(arena, struct ranked_pod, n + 1);
	for (size_t i = 0; i < n; i++)
		ranked[i] = (struct ranked_pod){pods[i], ranks[i], now_ns};
	qsort(ranked, n, sizeof(*ranked), compare_for_deletion);
	for (size_t i = 0; i < n; i++) {
		pods[i] = ranked[i].pod;
		ranks[i] = ranked[i].rank;
	}
}

/* --- templates --- */

/* "name-" unless that is no good prefix for a pod's name, then the bare name. */
static char *pod_name_prefix(struct arena *arena, const char *owner_name)
{
	return strlen(owner_name) + 1 <= 253 ? arena_printf(arena, "%s-", owner_name) : arena_strdup(arena, owner_name);
}

CoreV1Pod *pod_from_template(struct arena *arena, const CoreV1PodTemplateSpec *template, const void *owner)
{
	const MetaV1ObjectMeta *from = template->metadata;
	CoreV1Pod *pod = API_NEW(arena, CoreV1Pod);
	MetaV1ObjectMeta *meta = pod->metadata = API_NEW(arena, MetaV1ObjectMeta);
	meta->namespace = arena_strdup(arena, object_metadata(owner)->namespace);
	meta->generate_name = pod_name_prefix(arena, object_metadata(owner)->name);
	map_copy(arena, from->labels, from->n_labels, &meta->labels, &meta->n_labels);
	map_copy(arena, from->annotations, from->n_annotations, &meta->annotations, &meta->n_annotations);
	for (size_t i = 0; i < from->n_finalizers; i++)
		ARENA_PUSH(arena, meta->finalizers, meta->n_finalizers) = arena_strdup(arena, from->finalizers[i]);
	ARENA_PUSH(arena, meta->owner_references, meta->n_owner_references) = controller_ref_to(arena, owner);
	pod->spec = api_copy_msg(arena, template->spec);
	return pod;
}

static uint32_t hash_message(struct arena *arena, uint32_t hash, const void *msg);

static uint32_t hash_u64(uint32_t hash, uint64_t value)
{
	return fnv1a_32(hash, &value, sizeof(value));
}

static uint32_t hash_value(struct arena *arena, uint32_t hash, const struct schema_field *f, const void *at)
{
	switch ((enum schema_kind)f->kind) {
	case SCHEMA_BOOL:
		return hash_u64(hash, *(const protobuf_c_boolean *)at != 0);
	case SCHEMA_INT32:
		return hash_u64(hash, (uint64_t)(int64_t) * (const int32_t *)at);
	case SCHEMA_UINT32:
		return hash_u64(hash, *(const uint32_t *)at);
	case SCHEMA_INT64:
	case SCHEMA_UINT64:
		return hash_u64(hash, *(const uint64_t *)at);
	case SCHEMA_FLOAT:
		return fnv1a_32(hash, at, sizeof(float));
	case SCHEMA_DOUBLE:
		return fnv1a_32(hash, at, sizeof(double));
	case SCHEMA_STRING: {
		const char *s = str_or_empty(*(char *const *)at);
		return fnv1a_32(hash, s, strlen(s) + 1);
	}
	case SCHEMA_BYTES: {
		const ProtobufCBinaryData *data = at;
		return fnv1a_32(hash_u64(hash, data->len), data->data, data->len);
	}
	case SCHEMA_MESSAGE:
		return *(void *const *)at ? hash_message(arena, hash, *(void *const *)at) : hash;
	}
	return hash;
}

/* Whether a single field says anything: zero without presence and an empty by-value struct say nothing. */
static bool field_is_set(const void *msg, const struct schema_field *f)
{
	const void *at = (const char *)msg + f->offset;
	switch ((enum schema_kind)f->kind) {
	case SCHEMA_MESSAGE:
		/* Some writers put an empty time where there is none. */
		return f->type->form == SCHEMA_FORM_TIME ? !api_is_empty(*(void *const *)at)
							 : *(void *const *)at != NULL;
	case SCHEMA_STRING:
		return f->flags & SCHEMA_PRESENCE ? *(char *const *)at != NULL : !str_empty(*(char *const *)at);
	case SCHEMA_BYTES:
		return ((const ProtobufCBinaryData *)at)->len > 0;
	default:
		if (f->flags & SCHEMA_PRESENCE)
			return *(const protobuf_c_boolean *)((const char *)msg + f->quantifier_offset);
		return f->kind == SCHEMA_BOOL ? *(const protobuf_c_boolean *)at != 0
		       : f->kind == SCHEMA_INT64 || f->kind == SCHEMA_UINT64 || f->kind == SCHEMA_DOUBLE
			       ? *(const uint64_t *)at != 0
			       : *(const uint32_t *)at != 0;
	}
}

static size_t value_size(const struct schema_field *f)
{
	switch ((enum schema_kind)f->kind) {
	case SCHEMA_BOOL:
		return sizeof(protobuf_c_boolean);
	case SCHEMA_BYTES:
		return sizeof(ProtobufCBinaryData);
	case SCHEMA_INT32:
	case SCHEMA_UINT32:
	case SCHEMA_FLOAT:
		return 4;
	default:
		return 8;
	}
}

static int compare_u32(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

/* Lists in order; maps as the sorted hashes of their entries. */
static uint32_t hash_repeated(struct arena *arena, uint32_t hash, const void *msg, const struct schema_field *f)
{
	size_t n = *(const size_t *)((const char *)msg + f->quantifier_offset);
	const char *items = *(char *const *)((const char *)msg + f->offset);
	hash = hash_u64(hash, n);
	if (f->shape == SCHEMA_MAP) {
		uint32_t *entries = ARENA_ARRAY(arena, uint32_t, n + 1);
		for (size_t i = 0; i < n; i++)
			entries[i] = hash_message(arena, FNV32_INIT, ((void *const *)items)[i]);
		qsort(entries, n, sizeof(*entries), compare_u32);
		return fnv1a_32(hash, entries, n * sizeof(*entries));
	}
	for (size_t i = 0; i < n; i++)
		hash = hash_value(arena, hash, f, items + i * value_size(f));
	return hash;
}

static uint32_t hash_message(struct arena *arena, uint32_t hash, const void *msg)
{
	const struct schema_type *type = schema_of(msg);
	for (size_t i = 0; i < type->n_fields; i++) {
		const struct schema_field *f = &type->fields[i];
		if (f->shape == SCHEMA_SINGLE) {
			if (!field_is_set(msg, f))
				continue;
			const void *at = (const char *)msg + f->offset;
			if (f->flags & SCHEMA_BY_VALUE && f->kind == SCHEMA_MESSAGE) {
				hash = hash_message(arena, hash, *(void *const *)at);
				continue;
			}
			hash = hash_value(arena, hash_u64(hash, f->number), f, at);
		} else if (*(const size_t *)((const char *)msg + f->quantifier_offset)) {
			hash = hash_repeated(arena, hash_u64(hash, f->number), msg, f);
		}
	}
	return hash;
}

char *template_hash(struct arena *arena, const CoreV1PodTemplateSpec *template, const int32_t *collision_count)
{
	uint32_t hash = hash_message(arena, FNV32_INIT, template);
	if (collision_count)
		hash = hash_u64(hash, (uint64_t)(uint32_t)*collision_count | 1ull << 32);
	char *text = arena_printf(arena, "%u", hash);
	safe_encode_string(text);
	return text;
}

bool template_equal_ignore_hash(struct arena *arena, const CoreV1PodTemplateSpec *a, const CoreV1PodTemplateSpec *b)
{
	CoreV1PodTemplateSpec *x = api_copy_msg(arena, a), *y = api_copy_msg(arena, b);
	MetaV1ObjectMeta *mx = object_metadata_mut(arena, x), *my = object_metadata_mut(arena, y);
	map_remove(mx->labels, &mx->n_labels, "pod-template-hash");
	map_remove(my->labels, &my->n_labels, "pod-template-hash");
	return api_equal(x, y);
}
