#include "scheduler/nominator.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"

struct list {
	struct pod_info **items;
	size_t n, cap;
};

struct nominator {
	struct strmap *by_node; /* struct list */
	struct strmap *nodes;	/* uid -> char * */
};

static void list_free(void *p)
{
	struct list *list = p;
	for (size_t i = 0; i < list->n; i++)
		pod_info_unref(list->items[i]);
	free(list->items);
	free(list);
}

struct nominator *nominator_new(void)
{
	struct nominator *n = mem_zalloc(sizeof *n);
	n->by_node = strmap_new(list_free);
	n->nodes = strmap_new(free);
	return n;
}

void nominator_free(struct nominator *n)
{
	if (!n)
		return;
	strmap_free(n->by_node);
	strmap_free(n->nodes);
	free(n);
}

const char *nominator_node(const struct nominator *n, const char *uid)
{
	return str_or_empty(strmap_get(n->nodes, uid));
}

static void clear(struct nominator *n, const char *uid)
{
	const char *node = strmap_get(n->nodes, uid);
	if (!node)
		return;
	struct list *list = strmap_get(n->by_node, node);
	for (size_t i = 0; i < list->n; i++) {
		if (!str_eq(list->items[i]->uid, uid))
			continue;
		pod_info_unref(list->items[i]);
		list->items[i] = list->items[--list->n];
		break;
	}
	if (!list->n)
		strmap_remove(n->by_node, node);
	strmap_remove(n->nodes, uid);
}

void nominator_set(struct nominator *n, struct pod_info *pod, const char *node)
{
	pod_info_ref(pod);
	clear(n, pod->uid);
	if (str_empty(node)) {
		pod_info_unref(pod);
		return;
	}
	struct list *list = strmap_get(n->by_node, node);
	if (!list) {
		list = mem_zalloc(sizeof *list);
		strmap_put(n->by_node, node, list);
	}
	mem_grow(&list->items, &list->cap, list->n + 1, sizeof *list->items);
	list->items[list->n++] = pod;
	strmap_put(n->nodes, pod->uid, mem_strdup(node));
}

size_t nominator_list(const struct nominator *n, const char *node, struct pod_info *const **ret_pods)
{
	const struct list *list = strmap_get(n->by_node, node);
	*ret_pods = list ? list->items : NULL;
	return list ? list->n : 0;
}
