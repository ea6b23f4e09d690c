#include "kubelet/config/config.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include "api/copy.h"
#include "api/meta.h"
#include "base/io.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/workers.h"
#include "kubelet/allocation/allocation.h"
#include "kubelet/pod/manager.h"
#include "kubelet/pod/workers.h"
#include "kubelet/status/status.h"

#define MAX_MANIFEST_BYTES (10u << 20)
#define SETTLE_MS 50

struct config {
	struct kubelet *k;
	struct informer *pods; /* NULL: standalone */
	struct pod **first;    /* of the first listing, until it is complete; the informer's thread's own */
	size_t n_first;
	atomic_bool api_seen;
	atomic_bool files_seen;
	struct strmap *files; /* uid → static pod; the watching thread's own */
	int wake;	      /* eventfd: stop */
	pthread_t thread;
	bool started;
};

static void unref(void *p)
{
	pod_unref(p);
}

struct config *config_new(struct kubelet *k)
{
	struct config *c = mem_zalloc(sizeof(*c));
	c->k = k;
	c->files = strmap_new(unref);
	c->wake = eventfd(0, EFD_CLOEXEC);
	return c;
}

static int by_creation(const void *a, const void *b)
{
	const MetaV1Time *x = (*(struct pod *const *)a)->api->metadata->creation_timestamp;
	const MetaV1Time *y = (*(struct pod *const *)b)->api->metadata->creation_timestamp;
	int64_t at = x ? x->seconds : 0, bt = y ? y->seconds : 0;
	return (at > bt) - (at < bt);
}

/* Of the first listing the oldest come first: they ran before, and what is left of the node goes to the others. */
static void pod_added(void *data, const struct object *object, bool initial)
{
	struct config *c = data;
	struct pod *pod = pod_new(object->msg);
	if (initial && !c->api_seen) {
		c->first = mem_realloc(c->first, (c->n_first + 1) * sizeof(c->first[0]));
		c->first[c->n_first++] = pod;
		return;
	}
	config_pod_added(c->k, pod);
	pod_unref(pod);
}

static void add_first(struct config *c)
{
	if (c->n_first)
		qsort(c->first, c->n_first, sizeof(c->first[0]), by_creation);
	for (size_t i = 0; i < c->n_first; i++) {
		config_pod_added(c->k, c->first[i]);
		pod_unref(c->first[i]);
	}
	free(c->first);
	c->first = NULL;
	c->n_first = 0;
}

/* Whether anything changed that a running pod has to follow; its status alone is our own doing. */
static bool differs(const struct pod *a, const struct pod *b)
{
	const MetaV1ObjectMeta *x = a->api->metadata, *y = b->api->metadata;
	if (!api_equal(a->api->spec, b->api->spec) || !map_equal(x->labels, x->n_labels, y->labels, y->n_labels) ||
		!map_equal(x->annotations, x->n_annotations, y->annotations, y->n_annotations))
		return true;
	if (pod_deleting(a) != pod_deleting(b) ||
		x->has_deletion_grace_period_seconds != y->has_deletion_grace_period_seconds ||
		x->deletion_grace_period_seconds != y->deletion_grace_period_seconds)
		return true;
	/* Others speak through conditions about readiness, and end a pod through its phase. */
	return (pod_spec(b)->n_readiness_gates && !api_equal(a->api->status, b->api->status)) ||
	       pod_terminal(a) != pod_terminal(b);
}

static void pod_updated(void *data, const struct object *old_object, const struct object *new_object)
{
	struct config *c = data;
	CLEANUP(pod_unrefp) struct pod *before = pod_new(old_object->msg);
	CLEANUP(pod_unrefp) struct pod *pod = pod_new(new_object->msg);
	if (!str_eq(before->uid, pod->uid)) {
		config_pod_removed(c->k, before);
		config_pod_added(c->k, pod);
	} else if (pod->is_mirror || differs(before, pod)) {
		config_pod_updated(c->k, before, pod);
	} else {
		pod_manager_set(c->k->pods, pod);
	}
}

static void pod_deleted(void *data, const struct object *object, bool final_unknown)
{
	struct config *c = data;
	CLEANUP(pod_unrefp) struct pod *pod = pod_new(object->msg);
	config_pod_removed(c->k, pod);
}

static void pods_synced(void *data)
{
	struct config *c = data;
	add_first(c);
	c->api_seen = true;
	allocation_retry(c->k->allocation);
}

/* --- the directory --- */

static struct pod *read_manifest(struct config *c, const char *path)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP_FREE char *text = NULL;
	size_t size;
	CoreV1Pod *api;
	struct status *s = io_read_file(path, MAX_MANIFEST_BYTES, &text, &size);
	if (!s)
		s = manifest_parse(arena, path, text, size, c->k->settings->node_name, &api);
	if (s) {
		log_status(s, "manifest %s", path);
		return NULL;
	}
	return pod_new(api);
}

static void add_manifest(struct config *c, const char *path, struct strmap *found)
{
	struct pod *pod = read_manifest(c, path);
	if (pod)
		strmap_put(found, pod->uid, pod);
}

static void read_dir(struct config *c, const char *dir, struct strmap *found)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	DIR *d = opendir(dir);
	if (!d) {
		if (errno != ENOENT)
			log_status(status_errno(errno, "open %s", dir), "static pods");
		return;
	}
	for (const struct dirent *e = readdir(d); e; e = readdir(d)) {
		struct stat st;
		char *path = arena_printf(arena, "%s/%s", dir, e->d_name);
		if (e->d_name[0] != '.' && !stat(path, &st) && S_ISREG(st.st_mode))
			add_manifest(c, path, found);
	}
	closedir(d);
}

/* Compares the directory with what it held: by uid, which is a hash of the content. */
static void scan(struct config *c, const char *path)
{
	struct stat st;
	struct strmap *found = strmap_new(unref);
	if (!stat(path, &st) && S_ISREG(st.st_mode))
		add_manifest(c, path, found);
	else
		read_dir(c, path, found);
	STRMAP_FOREACH (c->files, it)
		if (!strmap_has(found, it.key))
			config_pod_removed(c->k, it.value);
	STRMAP_FOREACH (found, it)
		if (!strmap_has(c->files, it.key))
			config_pod_added(c->k, it.value);
	strmap_free(c->files);
	c->files = found;
	if (!atomic_exchange(&c->files_seen, true))
		allocation_retry(c->k->allocation);
}

static void *files_thread(void *data)
{
	struct config *c = data;
	const char *path = c->k->settings->config->static_pod_path;
	int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	bool stop = false;
	while (!stop) {
		/* A directory that is made later is found at the next check. */
		if (watch >= 0)
			inotify_add_watch(watch, path,
				IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE | IN_MODIFY);
		scan(c, path);
		struct pollfd fds[] = {{c->wake, POLLIN, 0}, {watch, POLLIN, 0}};
		poll(fds, watch >= 0 ? 2 : 1, (int)c->k->settings->file_check_ms);
		stop = fds[0].revents != 0;
		if (!stop && watch >= 0 && fds[1].revents) {
			/* Files that are written piece by piece: let the writer finish. */
			nanosleep(&(struct timespec){.tv_nsec = SETTLE_MS * 1000000}, NULL);
			char events[4096];
			while (read(watch, events, sizeof(events)) > 0)
				;
		}
	}
	if (watch >= 0)
		close(watch);
	return NULL;
}

/* Static pods run before there is a node that could own their mirrors: those come as soon as there is. */
static void node_added(void *data, const struct object *object, bool initial)
{
	const struct config *c = data;
	struct pod_list pods = pod_manager_list(c->k->pods);
	for (size_t i = 0; i < pods.n_items; i++)
		if (pods.items[i]->is_static)
			pod_workers_update(
				c->k->workers, &(struct pod_update){.pod = pods.items[i], .type = POD_UPDATE_SYNC});
	pod_list_done(&pods);
}

void config_start(struct config *c)
{
	static const struct informer_handler handler = {pod_added, pod_updated, pod_deleted, pods_synced};
	static const struct informer_handler node_handler = {.added = node_added};
	struct kubelet *k = c->k;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	if (k->informers) {
		c->pods = informers_get(k->informers,
			&(struct informer_spec){.type = &CoreV1Pod_schema,
				.field_selector = arena_printf(arena, "spec.nodeName=%s", k->settings->node_name)});
		informer_add_handler(c->pods, &handler, c);
		informer_add_handler(k->nodes, &node_handler, c);
	} else {
		c->api_seen = true;
	}
	if (str_empty(k->settings->config->static_pod_path)) {
		c->files_seen = true;
		return;
	}
	c->started = true;
	c->thread = thread_start("manifests", files_thread, c);
}

void config_free(struct config *c)
{
	uint64_t one = 1;
	if (c->started) {
		if (write(c->wake, &one, sizeof(one)) < 0)
			log_error("cannot stop the manifest watcher");
		pthread_join(c->thread, NULL);
	}
	strmap_free(c->files);
	close(c->wake);
	free(c);
}

bool config_all_sources_seen(struct config *c)
{
	return c->api_seen && c->files_seen;
}

/* --- mirror pods --- */

void config_delete_mirror(struct config *c, const struct pod *mirror)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	MetaV1DeleteOptions *options = API_NEW(arena, MetaV1DeleteOptions);
	options->has_grace_period_seconds = true;
	options->preconditions = API_NEW(arena, MetaV1Preconditions);
	options->preconditions->uid = arena_strdup(arena, mirror->uid);
	struct status *s =
		client_delete(c->k->client, arena, &CoreV1Pod_schema, mirror->namespace, mirror->name, options);
	if (status_is(s, STATUS_NOT_FOUND) || status_is(s, STATUS_CONFLICT)) {
		status_drop(s, "it is gone");
		return;
	}
	log_status(s, "delete mirror pod %s", mirror->ref);
}

static void create_mirror(struct config *c, const struct pod *pod)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const CoreV1Node *node = informer_get(c->k->nodes, arena, NULL, c->k->settings->node_name);
	if (!node || node->metadata->deletion_timestamp) {
		log_v(2, "no mirror pod for %s: the node is not registered yet", pod->ref);
		return;
	}
	CoreV1Pod *mirror = api_copy_msg(arena, pod->api);
	const char *hash = pod_annotation(pod, POD_ANNOTATION_HASH);
	meta_set_annotation(arena, mirror->metadata, POD_ANNOTATION_MIRROR, str_or_empty(hash));
	mirror->metadata->uid = arena_strdup(arena, "");
	MetaV1OwnerReference *owner = API_NEW(arena, MetaV1OwnerReference);
	owner->api_version = arena_strdup(arena, "v1");
	owner->kind = arena_strdup(arena, "Node");
	owner->name = node->metadata->name;
	owner->uid = node->metadata->uid;
	owner->has_controller = true;
	owner->controller = true;
	ARENA_PUSH(arena, mirror->metadata->owner_references, mirror->metadata->n_owner_references) = owner;
	struct status *s = client_create(c->k->client, arena, mirror, NULL);
	if (status_is(s, STATUS_ALREADY_EXISTS)) {
		status_drop(s, "the informer will show it");
		return;
	}
	log_status(s, "create mirror pod %s", pod->ref);
	status_manager_kick(c->k->statuses);
}

void config_reconcile_mirror(struct config *c, const struct pod *pod)
{
	if (!c->k->client)
		return;
	CLEANUP(pod_unrefp) struct pod *mirror = pod_manager_mirror(c->k->pods, pod->full_name);
	if (mirror) {
		const char *shown = pod_annotation(mirror, POD_ANNOTATION_MIRROR);
		if (!pod_deleting(mirror) && str_eq(shown, pod_annotation(pod, POD_ANNOTATION_HASH)))
			return;
		config_delete_mirror(c, mirror);
	}
	create_mirror(c, pod);
}
