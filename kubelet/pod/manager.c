#include "kubelet/pod/manager.h"

#include <pthread.h>
#include "base/mem.h"
#include "base/str.h"

struct pod_manager {
	pthread_mutex_t lock;
	struct strmap *pods;	/* uid → pod */
	struct strmap *mirrors; /* full name → mirror pod */
};

static void unref(void *p)
{
	pod_unref(p);
}

struct pod_manager *pod_manager_new(void)
{
	struct pod_manager *m = mem_zalloc(sizeof(*m));
	pthread_mutex_init(&m->lock, NULL);
	m->pods = strmap_new(unref);
	m->mirrors = strmap_new(unref);
	return m;
}

void pod_manager_free(struct pod_manager *m)
{
	strmap_free(m->pods);
	strmap_free(m->mirrors);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

void pod_manager_set(struct pod_manager *m, const struct pod *pod)
{
	pthread_mutex_lock(&m->lock);
	if (pod->is_mirror)
		strmap_put(m->mirrors, pod->full_name, pod_ref(pod));
	else
		strmap_put(m->pods, pod->uid, pod_ref(pod));
	pthread_mutex_unlock(&m->lock);
}

void pod_manager_remove(struct pod_manager *m, const struct pod *pod)
{
	pthread_mutex_lock(&m->lock);
	if (!pod->is_mirror) {
		strmap_remove(m->pods, pod->uid);
	} else {
		const struct pod *kept = strmap_get(m->mirrors, pod->full_name);
		if (kept && str_eq(kept->uid, pod->uid))
			strmap_remove(m->mirrors, pod->full_name);
	}
	pthread_mutex_unlock(&m->lock);
}

struct pod *pod_manager_get(struct pod_manager *m, const char *uid)
{
	pthread_mutex_lock(&m->lock);
	struct pod *pod = pod_ref(strmap_get(m->pods, uid));
	pthread_mutex_unlock(&m->lock);
	return pod;
}

struct pod *pod_manager_get_named(struct pod_manager *m, const char *namespace, const char *name)
{
	struct pod *found = NULL;
	pthread_mutex_lock(&m->lock);
	STRMAP_FOREACH (m->pods, it) {
		struct pod *pod = it.value;
		if (str_eq(pod->name, name) && str_eq(pod->namespace, namespace)) {
			/* Of two by one name the one that is not going away. */
			if (!found || !pod_deleting(pod))
				found = pod;
		}
	}
	found = pod_ref(found);
	pthread_mutex_unlock(&m->lock);
	return found;
}

struct pod *pod_manager_mirror(struct pod_manager *m, const char *full_name)
{
	pthread_mutex_lock(&m->lock);
	struct pod *pod = pod_ref(strmap_get(m->mirrors, full_name));
	pthread_mutex_unlock(&m->lock);
	return pod;
}

struct pod *pod_manager_static(struct pod_manager *m, const char *full_name)
{
	struct pod *found = NULL;
	pthread_mutex_lock(&m->lock);
	STRMAP_FOREACH (m->pods, it) {
		struct pod *pod = it.value;
		if (pod->is_static && str_eq(pod->full_name, full_name))
			found = pod;
	}
	found = pod_ref(found);
	pthread_mutex_unlock(&m->lock);
	return found;
}

static struct pod_list list_of(struct pod_manager *m, const struct strmap *map)
{
	pthread_mutex_lock(&m->lock);
	struct pod_list list = {mem_calloc(strmap_count(map) + 1, sizeof(struct pod *)), 0};
	STRMAP_FOREACH (map, it)
		list.items[list.n_items++] = pod_ref(it.value);
	pthread_mutex_unlock(&m->lock);
	return list;
}

struct pod_list pod_manager_list(struct pod_manager *m)
{
	return list_of(m, m->pods);
}

struct pod_list pod_manager_mirrors(struct pod_manager *m)
{
	return list_of(m, m->mirrors);
}

void pod_list_done(struct pod_list *list)
{
	for (size_t i = 0; i < list->n_items; i++)
		pod_unref(list->items[i]);
	free(list->items);
	*list = (struct pod_list){0};
}
