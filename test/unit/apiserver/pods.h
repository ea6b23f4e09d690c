/*
 * Pods in a cache, for what tests it, and what a watcher is told of them.
 */
#ifndef TEST_UNIT_APISERVER_PODS_H
#define TEST_UNIT_APISERVER_PODS_H

#include <stdio.h>
#include "api/meta.h"
#include "api/protobuf.h"
#include "apiserver/store/cache.h"
#include "base/str.h"

/* etcd's value of a pod with the label app and on the node of that name. */
static inline void pod_value(struct strbuf *out, const char *namespace, const char *name, const char *app)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CoreV1Pod *pod = API_NEW(arena, CoreV1Pod);
	MetaV1ObjectMeta *meta = object_meta_ensure(arena, pod);
	meta->name = arena_strdup(arena, name);
	meta->namespace = arena_strdup(arena, namespace);
	meta_set_label(arena, meta, "app", app);
	pod->spec = API_NEW(arena, CoreV1PodSpec);
	pod->spec->node_name = arena_strdup(arena, app);
	protobuf_encode(out, pod);
}

static inline void put(struct cache *cache, const char *namespace, const char *name, const char *app, int64_t revision)
{
	char key[256];
	CLEANUP(strbuf_done) struct strbuf value = STRBUF_INIT;
	snprintf(key, sizeof(key), "/registry/pods/%s/%s", namespace, name);
	pod_value(&value, namespace, name, app);
	cache_apply(cache, key, value.buf, value.len, revision);
}

static inline void drop(struct cache *cache, const char *namespace, const char *name, int64_t revision)
{
	char key[256];
	snprintf(key, sizeof(key), "/registry/pods/%s/%s", namespace, name);
	cache_apply(cache, key, NULL, 0, revision);
}

static inline void nothing(void *data)
{
}

/* All that a watcher is told now: "+a/new@11 ~a/changed@12 -a/gone@13", and "lost". */
static inline char *drain(struct arena *arena, struct watcher *w)
{
	static const char *const names[] = {"+", "~", "-"};
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	enum event_type type;
	struct entry *entry;
	int64_t revision;
	bool lost;
	while (watcher_next(w, &type, &entry, &revision, &lost)) {
		strbuf_printf(
			&out, "%s%s%s@%lld", out.len ? " " : "", names[type], entry->key, (long long)entry->revision);
		entry_unref(entry);
	}
	if (lost)
		strbuf_adds(&out, "lost");
	return arena_strdup(arena, out.buf);
}

#endif
