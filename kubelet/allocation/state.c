#include "kubelet/allocation/state.h"

#include <inttypes.h>
#include <pthread.h>
#include "api/copy.h"
#include "api/tree.h"
#include "base/encode.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/str.h"

#define MAX_FILE_BYTES (64u << 20)

struct resource_state {
	pthread_mutex_t lock;
	char *path;
	struct strmap *pods; /* uid → strmap: container → struct kept */
	uint32_t written;    /* checksum of what the file holds */
};

struct kept {
	struct arena *arena;
	CoreV1ResourceRequirements *resources;
};

static void kept_free(void *p)
{
	struct kept *kept = p;
	arena_free(kept->arena);
	free(kept);
}

static void containers_free(void *p)
{
	strmap_free(p);
}

static struct kept *kept_new(const CoreV1ResourceRequirements *resources)
{
	struct kept *kept = mem_zalloc(sizeof(*kept));
	kept->arena = arena_new_sized(512);
	kept->resources =
		resources ? api_copy_msg(kept->arena, resources) : API_NEW(kept->arena, CoreV1ResourceRequirements);
	return kept;
}

static struct strmap *containers_of(struct resource_state *s, const char *uid)
{
	struct strmap *containers = strmap_get(s->pods, uid);
	if (!containers) {
		containers = strmap_new(kept_free);
		strmap_put(s->pods, uid, containers);
	}
	return containers;
}

/* --- the file: {"data":"{\"entries\":{UID:{\"ContainerResources\":{NAME:{…}}}}}","checksum":N} --- */

/* The original hashes the text as its dumper shows a string. */
static uint32_t checksum(const char *data, size_t size)
{
	static const char type[] = "(string)";
	return fnv1a_32(fnv1a_32(FNV32_INIT, type, sizeof(type) - 1), data, size);
}

static void add_name(struct strbuf *out, const char *name, bool first)
{
	if (!first)
		strbuf_addc(out, ',');
	json_add_string(out, name, strlen(name), true);
	strbuf_addc(out, ':');
}

static void print_containers(struct strbuf *out, const struct strmap *containers)
{
	size_t n;
	CLEANUP_FREE const char **names = strmap_sorted_keys(containers, &n);
	strbuf_adds(out, "{\"ContainerResources\":{");
	for (size_t i = 0; i < n; i++) {
		const struct kept *kept = strmap_get(containers, names[i]);
		add_name(out, names[i], i == 0);
		json_encode(out, kept->resources, 0);
	}
	strbuf_adds(out, "}}");
}

/* With the lock held. */
static struct status *store(struct resource_state *s)
{
	CLEANUP(strbuf_done) struct strbuf data = STRBUF_INIT;
	CLEANUP(strbuf_done) struct strbuf file = STRBUF_INIT;
	size_t n;
	CLEANUP_FREE const char **uids = strmap_sorted_keys(s->pods, &n);
	strbuf_adds(&data, n ? "{\"entries\":{" : "{");
	for (size_t i = 0; i < n; i++) {
		add_name(&data, uids[i], i == 0);
		print_containers(&data, strmap_get(s->pods, uids[i]));
	}
	strbuf_adds(&data, n ? "}}" : "}");
	uint32_t sum = checksum(data.buf, data.len);
	if (sum == s->written)
		return NULL;
	strbuf_adds(&file, "{\"data\":");
	json_add_string(&file, data.buf, data.len, true);
	strbuf_printf(&file, ",\"checksum\":%" PRIu32 "}", sum);
	TRY(io_write_file(s->path, file.buf, file.len, 0600));
	s->written = sum;
	return NULL;
}

static struct status *take_entries(struct resource_state *s, struct arena *arena, const cJSON *entries)
{
	TREE_FOREACH (pod, entries) {
		struct strmap *containers = containers_of(s, pod->string);
		TREE_FOREACH (container, tree_get(pod, "ContainerResources")) {
			CoreV1ResourceRequirements *resources;
			const char *text = tree_to_string(arena, container, 0);
			TRY(json_decode(
				arena, &CoreV1ResourceRequirements_schema, text, strlen(text), NULL, &resources));
			strmap_put(containers, container->string, kept_new(resources));
		}
	}
	return NULL;
}

static struct status *parse(struct resource_state *s, const char *text, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	cJSON *file, *content;
	int64_t sum;
	TRY(tree_parse(arena, text, size, NULL, &file));
	const char *data = tree_string(tree_get(file, "data"));
	if (!data || !tree_int(tree_get(file, "checksum"), &sum))
		return status_bad_request("checkpoint is corrupted");
	s->written = checksum(data, strlen(data));
	if (sum != s->written)
		return status_bad_request("checkpoint is corrupted");
	TRY(tree_parse(arena, data, strlen(data), NULL, &content));
	return take_entries(s, arena, tree_get(content, "entries"));
}

struct status *resource_state_new(const char *path, struct resource_state **ret)
{
	CLEANUP(resource_state_freep) struct resource_state *s = mem_zalloc(sizeof(*s));
	CLEANUP_FREE char *text = NULL;
	size_t size;
	pthread_mutex_init(&s->lock, NULL);
	s->path = mem_strdup(path);
	s->pods = strmap_new(containers_free);
	struct status *error = io_read_file(path, MAX_FILE_BYTES, &text, &size);
	if (!error)
		error = parse(s, text, size);
	else if (status_is(error, STATUS_NOT_FOUND)) {
		status_drop(error, "it is written with the first pod");
		error = NULL;
	}
	if (error)
		return status_wrap(error,
			"could not restore state from checkpoint, please drain this node and delete pod resource "
			"information checkpoint file \"%s\" before restarting Kubelet",
			path);
	*ret = STEAL(s);
	return NULL;
}

void resource_state_free(struct resource_state *s)
{
	strmap_free(s->pods);
	pthread_mutex_destroy(&s->lock);
	free(s->path);
	free(s);
}

CoreV1ResourceRequirements *resource_state_get(
	struct resource_state *s, struct arena *arena, const char *uid, const char *container)
{
	pthread_mutex_lock(&s->lock);
	const struct strmap *containers = strmap_get(s->pods, uid);
	const struct kept *kept = containers ? strmap_get(containers, container) : NULL;
	CoreV1ResourceRequirements *copy = kept ? api_copy_msg(arena, kept->resources) : NULL;
	pthread_mutex_unlock(&s->lock);
	return copy;
}

struct status *resource_state_set_pod(struct resource_state *s, const struct pod *pod)
{
	const CoreV1PodSpec *spec = pod_spec(pod);
	struct strmap *containers = strmap_new(kept_free);
	for (size_t i = 0; i < spec->n_containers; i++)
		strmap_put(containers, spec->containers[i]->name, kept_new(spec->containers[i]->resources));
	for (size_t i = 0; i < spec->n_init_containers; i++) {
		const CoreV1Container *c = spec->init_containers[i];
		if (container_restartable_init(c))
			strmap_put(containers, c->name, kept_new(c->resources));
	}
	pthread_mutex_lock(&s->lock);
	strmap_put(s->pods, pod->uid, containers);
	struct status *error = store(s);
	pthread_mutex_unlock(&s->lock);
	return error;
}

struct status *resource_state_set(
	struct resource_state *s, const char *uid, const char *container, const CoreV1ResourceRequirements *resources)
{
	pthread_mutex_lock(&s->lock);
	strmap_put(containers_of(s, uid), container, kept_new(resources));
	struct status *error = store(s);
	pthread_mutex_unlock(&s->lock);
	return error;
}

void resource_state_remove(struct resource_state *s, const char *uid)
{
	pthread_mutex_lock(&s->lock);
	strmap_remove(s->pods, uid);
	pthread_mutex_unlock(&s->lock);
}

void resource_state_keep_only(struct resource_state *s, const struct strmap *uids)
{
	pthread_mutex_lock(&s->lock);
	STRMAP_FOREACH (s->pods, it)
		if (!strmap_has(uids, it.key))
			strmap_remove(s->pods, it.key);
	pthread_mutex_unlock(&s->lock);
}
