#include "scheduler/nodes.h"
#include <assert.h>
#include "base/mem.h"
#include "base/str.h"

/* Names beyond these bounds come only from a broken or hostile node; they are left out. */
enum { MAX_RESOURCES = 1024, MAX_IMAGES = 1000 };

struct nodes *nodes_new(struct intern *resource_names)
{
	struct nodes *nodes = mem_zalloc(sizeof *nodes);
	nodes->strings = intern_new();
	nodes->image_names = intern_new();
	nodes->label_sets = intern_new();
	nodes->resource_names = resource_names;
	nodes->rows = strmap_new(NULL);
	return nodes;
}

static void clear_facts(struct nodes *nodes, uint32_t row)
{
	free(nodes->labels[row].items);
	free(nodes->taint_ids[row].ids);
	for (size_t i = 0; i < nodes->images[row].n_items; i++)
		nodes->image_nodes[nodes->images[row].items[i].name]--;
	free(nodes->images[row].items);
	nodes->labels[row] = (struct label_set){NULL, 0};
	nodes->taint_ids[row] = (struct taint_list){NULL, 0};
	nodes->images[row] = (struct image_list){NULL, 0};
	for (size_t i = 0; i < nodes->n_resources; i++) {
		if (nodes->resources[i].allocatable)
			nodes->resources[i].allocatable[row] = 0;
	}
	nodes->flags[row] = 0;
}

void nodes_free(struct nodes *nodes)
{
	if (!nodes)
		return;
	for (uint32_t row = 0; row < nodes->n_rows; row++) {
		clear_facts(nodes, row);
		for (size_t i = 0; i < nodes->pods[row].n_items; i++)
			pod_info_unref(nodes->pods[row].items[i]);
		free(nodes->pods[row].items);
		free(nodes->affinity_pods[row].items);
		free(nodes->anti_pods[row].items);
		free(nodes->name[row]);
	}
	for (size_t i = 0; i < nodes->n_resources; i++) {
		free(nodes->resources[i].allocatable);
		free(nodes->resources[i].requested);
	}
	void *columns[] = {nodes->name, nodes->flags, nodes->zone, nodes->labels, nodes->taint_ids, nodes->images,
		nodes->pods, nodes->affinity_pods, nodes->anti_pods, nodes->non_zero_cpu, nodes->non_zero_memory,
		nodes->resources, nodes->taints, nodes->image_nodes, nodes->order};
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
		free(columns[i]);
	intern_free(nodes->strings);
	intern_free(nodes->image_names);
	intern_free(nodes->label_sets);
	strmap_free(nodes->rows);
	free(nodes);
}

uint32_t nodes_row(const struct nodes *nodes, const char *name)
{
	uintptr_t found = (uintptr_t)strmap_get(nodes->rows, name);
	return found ? (uint32_t)(found - 1) : NODES_NO_ROW;
}

#define GROW(column) ((column) = mem_realloc((column), cap * sizeof *(column)))

static void grow_rows(struct nodes *nodes)
{
	size_t cap = nodes->cap ? nodes->cap * 2 : 8;
	GROW(nodes->name);
	GROW(nodes->flags);
	GROW(nodes->zone);
	GROW(nodes->labels);
	GROW(nodes->taint_ids);
	GROW(nodes->images);
	GROW(nodes->pods);
	GROW(nodes->affinity_pods);
	GROW(nodes->anti_pods);
	GROW(nodes->non_zero_cpu);
	GROW(nodes->non_zero_memory);
	for (size_t i = 0; i < nodes->n_resources; i++) {
		if (nodes->resources[i].allocatable) {
			GROW(nodes->resources[i].allocatable);
			GROW(nodes->resources[i].requested);
		}
	}
	nodes->cap = cap;
}

uint32_t nodes_ensure_row(struct nodes *nodes, const char *name)
{
	uint32_t row = nodes_row(nodes, name);
	if (row != NODES_NO_ROW)
		return row;
	if (nodes->n_rows == nodes->cap)
		grow_rows(nodes);
	row = (uint32_t)nodes->n_rows++;
	nodes->name[row] = mem_strdup(name);
	nodes->flags[row] = 0;
	nodes->zone[row] = INTERN_NONE;
	nodes->labels[row] = (struct label_set){NULL, 0};
	nodes->taint_ids[row] = (struct taint_list){NULL, 0};
	nodes->images[row] = (struct image_list){NULL, 0};
	nodes->pods[row] = nodes->affinity_pods[row] = nodes->anti_pods[row] = (struct pod_list){NULL, 0, 0};
	nodes->non_zero_cpu[row] = nodes->non_zero_memory[row] = 0;
	for (size_t i = 0; i < nodes->n_resources; i++) {
		if (nodes->resources[i].allocatable)
			nodes->resources[i].allocatable[row] = nodes->resources[i].requested[row] = 0;
	}
	strmap_put(nodes->rows, name, (void *)(uintptr_t)(row + 1));
	return row;
}

/* Fills the hole at row with the last row. */
static void drop_row(struct nodes *nodes, uint32_t row)
{
	clear_facts(nodes, row);
	free(nodes->pods[row].items);
	free(nodes->affinity_pods[row].items);
	free(nodes->anti_pods[row].items);
	strmap_remove(nodes->rows, nodes->name[row]);
	free(nodes->name[row]);
	uint32_t last = (uint32_t)--nodes->n_rows;
	nodes->order_stale = true;
	if (row == last)
		return;
	nodes->name[row] = nodes->name[last];
	nodes->flags[row] = nodes->flags[last];
	nodes->zone[row] = nodes->zone[last];
	nodes->labels[row] = nodes->labels[last];
	nodes->taint_ids[row] = nodes->taint_ids[last];
	nodes->images[row] = nodes->images[last];
	nodes->pods[row] = nodes->pods[last];
	nodes->affinity_pods[row] = nodes->affinity_pods[last];
	nodes->anti_pods[row] = nodes->anti_pods[last];
	nodes->non_zero_cpu[row] = nodes->non_zero_cpu[last];
	nodes->non_zero_memory[row] = nodes->non_zero_memory[last];
	for (size_t i = 0; i < nodes->n_resources; i++) {
		struct resource_column *column = &nodes->resources[i];
		if (!column->allocatable)
			continue;
		column->allocatable[row] = column->allocatable[last];
		column->requested[row] = column->requested[last];
	}
	strmap_put(nodes->rows, nodes->name[row], (void *)(uintptr_t)(row + 1));
}

/* A column is made when the first node offers the resource; pods that came before are counted then. */
static struct resource_column *ensure_column(struct nodes *nodes, uint32_t id)
{
	if (id >= MAX_RESOURCES)
		return NULL;
	if (id >= nodes->n_resources) {
		nodes->resources = mem_realloc(nodes->resources, (id + 1) * sizeof *nodes->resources);
		for (size_t i = nodes->n_resources; i <= id; i++)
			nodes->resources[i] = (struct resource_column){NULL, NULL};
		nodes->n_resources = id + 1;
	}
	struct resource_column *column = &nodes->resources[id];
	if (column->allocatable)
		return column;
	column->allocatable = mem_calloc(nodes->cap, sizeof(int64_t));
	column->requested = mem_calloc(nodes->cap, sizeof(int64_t));
	for (uint32_t row = 0; row < nodes->n_rows; row++) {
		for (size_t i = 0; i < nodes->pods[row].n_items; i++)
			column->requested[row] += resource_get(&nodes->pods[row].items[i]->held, id);
	}
	return column;
}

static int compare_pairs(const void *a, const void *b)
{
	const struct label_pair *x = a, *y = b;
	return (x->key > y->key) - (x->key < y->key);
}

static void put_labels(struct nodes *nodes, uint32_t row, const MetaV1ObjectMeta *meta)
{
	size_t n = meta ? meta->n_labels : 0;
	struct label_set *set = &nodes->labels[row];
	set->items = n ? mem_alloc(n * sizeof *set->items) : NULL;
	set->n_items = n;
	for (size_t i = 0; i < n; i++) {
		set->items[i].key = intern(nodes->strings, meta->labels[i]->key);
		set->items[i].value = intern(nodes->strings, meta->labels[i]->value);
	}
	if (n)
		qsort(set->items, n, sizeof *set->items, compare_pairs);
}

static uint32_t taint_id(struct nodes *nodes, const CoreV1Taint *t)
{
	struct taint taint = {.key = intern(nodes->strings, t->key), .value = intern(nodes->strings, t->value)};
	taint.effect = str_eq(t->effect, "NoSchedule")	       ? TAINT_NO_SCHEDULE
		       : str_eq(t->effect, "PreferNoSchedule") ? TAINT_PREFER_NO_SCHEDULE
		       : str_eq(t->effect, "NoExecute")	       ? TAINT_NO_EXECUTE
							       : TAINT_OTHER;
	for (uint32_t i = 0; i < nodes->n_taints; i++) {
		if (nodes->taints[i].key == taint.key && nodes->taints[i].value == taint.value &&
			nodes->taints[i].effect == taint.effect)
			return i;
	}
	mem_grow(&nodes->taints, &nodes->cap_taints, nodes->n_taints + 1, sizeof *nodes->taints);
	nodes->taints[nodes->n_taints] = taint;
	return (uint32_t)nodes->n_taints++;
}

static void put_taints(struct nodes *nodes, uint32_t row, const CoreV1NodeSpec *spec)
{
	size_t n = spec ? spec->n_taints : 0;
	struct taint_list *list = &nodes->taint_ids[row];
	list->ids = n ? mem_alloc(n * sizeof *list->ids) : NULL;
	list->n_ids = n;
	for (size_t i = 0; i < n; i++)
		list->ids[i] = taint_id(nodes, spec->taints[i]);
}

static void put_images(struct nodes *nodes, uint32_t row, const CoreV1NodeStatus *status)
{
	struct image_list *list = &nodes->images[row];
	size_t cap = 0;
	for (size_t i = 0; status && i < status->n_images; i++) {
		const CoreV1ContainerImage *image = status->images[i];
		for (size_t j = 0; j < image->n_names && list->n_items < MAX_IMAGES; j++) {
			uint32_t id = intern(nodes->image_names, image->names[j]);
			if (id >= nodes->cap_images) {
				size_t old = nodes->cap_images;
				mem_grow(&nodes->image_nodes, &nodes->cap_images, id + 1, sizeof *nodes->image_nodes);
				memset(nodes->image_nodes + old, 0,
					(nodes->cap_images - old) * sizeof *nodes->image_nodes);
			}
			nodes->image_nodes[id]++;
			mem_grow(&list->items, &cap, list->n_items + 1, sizeof *list->items);
			list->items[list->n_items++] = (struct node_image){id, image->size_bytes};
		}
	}
}

static void put_allocatable(struct nodes *nodes, uint32_t row, const CoreV1NodeStatus *status)
{
	for (uint32_t id = 0; id < RES_N_FIXED; id++)
		ensure_column(nodes, id);
	for (size_t i = 0; status && i < status->n_allocatable; i++) {
		uint32_t id = intern(nodes->resource_names, status->allocatable[i]->key);
		struct resource_column *column = ensure_column(nodes, id);
		if (column)
			column->allocatable[row] = resource_amount_of(id, status->allocatable[i]->value);
	}
}

/* Region and zone together name a zone, as two regions may use one zone name. */
static uint32_t zone_of(struct nodes *nodes, const MetaV1ObjectMeta *meta)
{
	if (!meta)
		return INTERN_NONE;
	const char *region = label_value(meta->labels, meta->n_labels, "topology.kubernetes.io/region");
	const char *zone = label_value(meta->labels, meta->n_labels, "topology.kubernetes.io/zone");
	if (str_empty(region) && str_empty(zone))
		return INTERN_NONE;
	CLEANUP_FREE char *both = mem_printf("%s:\x01:%s", str_or_empty(region), str_or_empty(zone));
	return intern(nodes->strings, both);
}

uint32_t nodes_put(struct nodes *nodes, const CoreV1Node *node)
{
	uint32_t row = nodes_ensure_row(nodes, node->metadata ? str_or_empty(node->metadata->name) : "");
	uint8_t before = nodes->flags[row];
	uint32_t zone = zone_of(nodes, node->metadata);
	clear_facts(nodes, row);
	nodes->n_present += !(before & NODE_PRESENT);
	nodes->flags[row] = NODE_PRESENT | (node->spec && node->spec->unschedulable ? NODE_UNSCHEDULABLE : 0);
	put_labels(nodes, row, node->metadata);
	put_taints(nodes, row, node->spec);
	put_images(nodes, row, node->status);
	put_allocatable(nodes, row, node->status);
	if (!(before & NODE_PRESENT) || zone != nodes->zone[row])
		nodes->order_stale = true;
	nodes->zone[row] = zone;
	return row;
}

void nodes_remove(struct nodes *nodes, const char *name)
{
	uint32_t row = nodes_row(nodes, name);
	if (row == NODES_NO_ROW)
		return;
	nodes->n_present -= (nodes->flags[row] & NODE_PRESENT) != 0;
	clear_facts(nodes, row);
	nodes->order_stale = true;
	if (!nodes->pods[row].n_items)
		drop_row(nodes, row);
}

static void list_push(struct pod_list *list, struct pod_info *pod)
{
	mem_grow(&list->items, &list->cap, list->n_items + 1, sizeof *list->items);
	list->items[list->n_items++] = pod;
}

static bool list_remove(struct pod_list *list, const struct pod_info *pod)
{
	for (size_t i = 0; i < list->n_items; i++) {
		if (list->items[i] == pod) {
			list->items[i] = list->items[--list->n_items];
			return true;
		}
	}
	return false;
}

static void account(struct nodes *nodes, uint32_t row, const struct pod_info *pod, int sign)
{
	for (size_t i = 0; i < pod->held.n_items; i++) {
		uint32_t id = pod->held.items[i].id;
		if (id < nodes->n_resources && nodes->resources[id].requested)
			nodes->resources[id].requested[row] += sign * pod->held.items[i].value;
	}
	nodes->non_zero_cpu[row] += sign * pod->non_zero_cpu;
	nodes->non_zero_memory[row] += sign * pod->non_zero_memory;
}

/* --- label sets --- */

enum { MIN_COMPACT = 4096 };

static uint32_t label_set_of(struct nodes *nodes, const struct pod_info *pod)
{
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
	const MetaV1ObjectMeta *meta = pod->pod->metadata;
	strbuf_adds(&text, pod->namespace_);
	for (size_t i = 0; meta && i < meta->n_labels; i++)
		strbuf_printf(&text, "\x1f%s\x1e%s", meta->labels[i]->key, str_or_empty(meta->labels[i]->value));
	return intern(nodes->label_sets, text.buf);
}

/* Sets of pods long gone are forgotten when they are many more than there are pods. */
static void compact_label_sets(struct nodes *nodes)
{
	size_t n = intern_count(nodes->label_sets);
	if (n < MIN_COMPACT || n < 2 * nodes->n_pods)
		return;
	intern_free(nodes->label_sets);
	nodes->label_sets = intern_new();
	for (uint32_t row = 0; row < nodes->n_rows; row++) {
		for (size_t i = 0; i < nodes->pods[row].n_items; i++)
			nodes->pods[row].items[i]->label_set = label_set_of(nodes, nodes->pods[row].items[i]);
	}
}

void nodes_add_pod(struct nodes *nodes, uint32_t row, struct pod_info *pod)
{
	if (pod->label_set == INTERN_NONE) {
		compact_label_sets(nodes);
		pod->label_set = label_set_of(nodes, pod);
	}
	nodes->n_pods++;
	list_push(&nodes->pods[row], pod_info_ref(pod));
	if (pod->has_affinity) {
		list_push(&nodes->affinity_pods[row], pod);
		nodes->n_affinity_pods++;
	}
	if (pod->required_anti.n_items) {
		list_push(&nodes->anti_pods[row], pod);
		nodes->n_anti_pods++;
	}
	account(nodes, row, pod, 1);
}

bool nodes_take_pod(struct nodes *nodes, uint32_t row, struct pod_info *pod)
{
	if (!list_remove(&nodes->pods[row], pod))
		return false;
	nodes->n_pods--;
	if (list_remove(&nodes->affinity_pods[row], pod))
		nodes->n_affinity_pods--;
	if (list_remove(&nodes->anti_pods[row], pod))
		nodes->n_anti_pods--;
	account(nodes, row, pod, -1);
	pod_info_unref(pod);
	return true;
}

bool nodes_remove_pod(struct nodes *nodes, uint32_t row, struct pod_info *pod)
{
	if (!nodes_take_pod(nodes, row, pod))
		return false;
	if (!nodes->pods[row].n_items && !(nodes->flags[row] & NODE_PRESENT))
		drop_row(nodes, row);
	return true;
}

struct zoned_row {
	uint32_t row, zone, turn;
	const char *name;
};

static int by_zone_then_name(const void *a, const void *b)
{
	const struct zoned_row *x = a, *y = b;
	return x->zone != y->zone ? (x->zone > y->zone) - (x->zone < y->zone) : strcmp(x->name, y->name);
}

static int by_turn_then_zone(const void *a, const void *b)
{
	const struct zoned_row *x = a, *y = b;
	return x->turn != y->turn ? (x->turn > y->turn) - (x->turn < y->turn)
				  : (x->zone > y->zone) - (x->zone < y->zone);
}

void nodes_refresh_order(struct nodes *nodes)
{
	if (!nodes->order_stale)
		return;
	nodes->order_stale = false;
	nodes->n_order = 0;
	mem_grow(&nodes->order, &nodes->cap_order, nodes->n_rows ? nodes->n_rows : 1, sizeof *nodes->order);
	CLEANUP_FREE struct zoned_row *all = mem_calloc(nodes->n_rows + 1, sizeof *all);
	size_t n = 0;
	for (uint32_t row = 0; row < nodes->n_rows; row++) {
		if (nodes->flags[row] & NODE_PRESENT)
			all[n++] = (struct zoned_row){row, nodes->zone[row], 0, nodes->name[row]};
	}
	qsort(all, n, sizeof *all, by_zone_then_name);
	for (size_t i = 1; i < n; i++)
		all[i].turn = all[i].zone == all[i - 1].zone ? all[i - 1].turn + 1 : 0;
	qsort(all, n, sizeof *all, by_turn_then_zone);
	for (size_t i = 0; i < n; i++)
		nodes->order[nodes->n_order++] = all[i].row;
}

size_t nodes_count(const struct nodes *nodes)
{
	assert(!nodes->order_stale);
	return nodes->n_order;
}

int64_t nodes_allocatable(const struct nodes *nodes, uint32_t resource, uint32_t row)
{
	if (resource >= nodes->n_resources || !nodes->resources[resource].allocatable)
		return 0;
	return nodes->resources[resource].allocatable[row];
}

int64_t nodes_requested(const struct nodes *nodes, uint32_t resource, uint32_t row)
{
	if (resource >= nodes->n_resources || !nodes->resources[resource].requested)
		return 0;
	return nodes->resources[resource].requested[row];
}

struct node_view nodes_view(const struct nodes *nodes, uint32_t row)
{
	return (struct node_view){nodes->strings, &nodes->labels[row], nodes->name[row]};
}

char *image_normalize(struct arena *arena, const char *image)
{
	const char *colon = strrchr(str_or_empty(image), ':'), *slash = strrchr(str_or_empty(image), '/');
	bool tagged = colon && (!slash || colon > slash);
	return tagged ? arena_strdup(arena, image) : arena_printf(arena, "%s:latest", str_or_empty(image));
}
