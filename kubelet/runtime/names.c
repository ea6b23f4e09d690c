#include "kubelet/runtime/names.h"

#include <dirent.h>
#include <inttypes.h>
#include "api/json.h"
#include "base/encode.h"
#include "base/str.h"

#define MAX_FILE_NAME 255
#define LEGACY_LOGS_DIR "/var/log/containers"

void name_values_add(struct arena *arena, struct name_values *list, const char *name, const char *value)
{
	struct name_value item = {arena_strdup(arena, name), arena_strdup(arena, str_or_empty(value))};
	ARENA_PUSH(arena, list->items, list->n_items) = item;
}

const char *name_values_get(const struct name_values *list, const char *name)
{
	for (size_t i = 0; i < list->n_items; i++)
		if (!strcmp(list->items[i].name, name))
			return list->items[i].value;
	return NULL;
}

void name_values_set(struct arena *arena, struct name_values *list, const char *name, const char *value)
{
	for (size_t i = 0; i < list->n_items; i++)
		if (!strcmp(list->items[i].name, name)) {
			list->items[i].value = arena_strdup(arena, str_or_empty(value));
			return;
		}
	name_values_add(arena, list, name, value);
}

/* The original prints the JSON's bytes as a Go slice of numbers and hashes that text. */
uint64_t container_hash(const CoreV1Container *c)
{
	CLEANUP(strbuf_done) struct strbuf json = STRBUF_INIT;
	strbuf_adds(&json, "{\"image\":");
	json_add_string(&json, c->image, strlen(c->image), true);
	strbuf_adds(&json, ",\"name\":");
	json_add_string(&json, c->name, strlen(c->name), true);
	strbuf_addc(&json, '}');
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
	strbuf_adds(&text, "([]uint8)[");
	for (size_t i = 0; i < json.len; i++)
		strbuf_printf(&text, i ? " %u" : "%u", (unsigned char)json.buf[i]);
	strbuf_addc(&text, ']');
	return fnv1a_32(FNV32_INIT, text.buf, text.len);
}

static void add_pod_labels(struct arena *arena, struct name_values *labels, const struct pod *pod)
{
	name_values_set(arena, labels, LABEL_POD_NAME, pod->name);
	name_values_set(arena, labels, LABEL_POD_NAMESPACE, pod->namespace);
	name_values_set(arena, labels, LABEL_POD_UID, pod->uid);
}

struct name_values sandbox_labels(struct arena *arena, const struct pod *pod)
{
	struct name_values labels = {0};
	const MetaV1ObjectMeta *meta = pod->api->metadata;
	for (size_t i = 0; i < meta->n_labels; i++)
		name_values_add(arena, &labels, meta->labels[i]->key, meta->labels[i]->value);
	add_pod_labels(arena, &labels, pod);
	return labels;
}

struct name_values container_labels(struct arena *arena, const struct pod *pod, const CoreV1Container *c)
{
	struct name_values labels = {0};
	add_pod_labels(arena, &labels, pod);
	name_values_add(arena, &labels, LABEL_CONTAINER_NAME, c->name);
	return labels;
}

static void add_json(struct arena *arena, struct name_values *list, const char *name, const void *msg)
{
	CLEANUP(strbuf_done) struct strbuf json = STRBUF_INIT;
	json_encode(&json, msg, 0);
	name_values_add(arena, list, name, json.buf);
}

static void add_ports(struct arena *arena, struct name_values *list, const CoreV1Container *c)
{
	CLEANUP(strbuf_done) struct strbuf json = STRBUF_INIT;
	strbuf_addc(&json, '[');
	for (size_t i = 0; i < c->n_ports; i++) {
		if (i)
			strbuf_addc(&json, ',');
		json_encode(&json, c->ports[i], 0);
	}
	strbuf_addc(&json, ']');
	name_values_add(arena, list, ANNOTATION_PORTS, json.buf);
}

struct name_values container_annotations(
	struct arena *arena, const struct pod *pod, const CoreV1Container *c, int32_t restart_count)
{
	struct name_values a = {0};
	const MetaV1ObjectMeta *meta = pod->api->metadata;
	const CoreV1PodSpec *spec = pod_spec(pod);
	name_values_add(arena, &a, ANNOTATION_HASH, arena_printf(arena, "%" PRIx64, container_hash(c)));
	name_values_add(arena, &a, ANNOTATION_RESTART_COUNT, arena_printf(arena, "%" PRId32, restart_count));
	name_values_add(arena, &a, ANNOTATION_TERMINATION_PATH, c->termination_message_path);
	name_values_add(arena, &a, ANNOTATION_TERMINATION_POLICY, c->termination_message_policy);
	if (meta->has_deletion_grace_period_seconds)
		name_values_add(arena, &a, ANNOTATION_DELETION_GRACE,
			arena_printf(arena, "%" PRId64, meta->deletion_grace_period_seconds));
	if (spec->has_termination_grace_period_seconds)
		name_values_add(arena, &a, ANNOTATION_TERMINATION_GRACE,
			arena_printf(arena, "%" PRId64, spec->termination_grace_period_seconds));
	if (c->lifecycle && c->lifecycle->pre_stop)
		add_json(arena, &a, ANNOTATION_PRE_STOP, c->lifecycle->pre_stop);
	if (c->n_ports)
		add_ports(arena, &a, c);
	return a;
}

char *pod_logs_dir(struct arena *arena, const char *logs_dir, const char *namespace, const char *name, const char *uid)
{
	return arena_printf(arena, "%s/%s_%s_%s", logs_dir, namespace, name, uid);
}

char *container_log_path(struct arena *arena, const char *container, int32_t restart_count)
{
	return arena_printf(arena, "%s/%" PRId32 ".log", container, restart_count);
}

int32_t restart_count_from_logs(const char *dir)
{
	DIR *d = opendir(dir);
	if (!d)
		return 0;
	int32_t next = 0;
	for (const struct dirent *e = readdir(d); e; e = readdir(d)) {
		size_t digits = strspn(e->d_name, "0123456789");
		if (!digits || digits > 9 || !str_starts_with(e->d_name + digits, ".log"))
			continue;
		long n = strtol(e->d_name, NULL, 10);
		if (n + 1 > next)
			next = (int32_t)(n + 1);
	}
	closedir(d);
	return next;
}

char *legacy_log_link(
	struct arena *arena, const char *container_id, const char *container, const char *pod, const char *namespace)
{
	char *file = arena_printf(arena, "%s_%s_%s-%s", pod, namespace, container, container_id);
	size_t max = MAX_FILE_NAME - strlen(".log");
	if (strlen(file) > max)
		file[max] = '\0';
	return arena_printf(arena, LEGACY_LOGS_DIR "/%s.log", file);
}
