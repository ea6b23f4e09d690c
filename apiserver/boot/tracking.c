/* Since when it is noted which service account tokens of Secrets are used: the controller manager waits a year from
 * then before it removes unused ones. */
#include "api/meta.h"
#include "apiserver/boot/internal.h"
#include "base/str.h"

#define MAP_NAME "kube-apiserver-legacy-service-account-token-tracking"
#define SINCE "since"
#define DATE_LENGTH 10 /* of YYYY-MM-DDTHH:MM:SSZ */

static void set_since(const struct boot_options *options, struct arena *arena, CoreV1ConfigMap *map)
{
	const char *now = time_format(arena, clock_wall_s(options->clock));
	map_set(arena, &map->data, &map->n_data, SINCE, arena_strndup(arena, now, DATE_LENGTH));
}

static bool is_date(struct arena *arena, const char *text)
{
	const char *time = arena_printf(arena, "%sT00:00:00Z", str_or_empty(text));
	int64_t seconds;
	int32_t nanos;
	return text && strlen(text) == DATE_LENGTH && time_parse(time, strlen(time), &seconds, &nanos);
}

static struct status *modify(void *data, struct arena *arena, ProtobufCMessage *object)
{
	set_since(data, arena, (CoreV1ConfigMap *)object);
	return NULL;
}

struct status *boot_tracking(const struct boot_options *options)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const ProtobufCMessage *present;
	struct status *s =
		objects_get(options->objects, arena, &CoreV1ConfigMap_schema, "kube-system", MAP_NAME, &present);
	if (status_is(s, STATUS_NOT_FOUND)) {
		CoreV1ConfigMap *map = API_NEW(arena, CoreV1ConfigMap);
		MetaV1ObjectMeta *meta = object_meta_ensure(arena, map);
		status_free(s);
		meta->name = MAP_NAME;
		meta->namespace = "kube-system";
		set_since(options, arena, map);
		return boot_ensure(options, arena, map);
	}
	if (s)
		return s;
	const CoreV1ConfigMap *map = (const CoreV1ConfigMap *)present;
	if (is_date(arena, map_get(map->data, map->n_data, SINCE)))
		return NULL;
	return objects_modify(options->objects, arena, &CoreV1ConfigMap_schema, "", "kube-system", MAP_NAME, modify,
		(void *)options, NULL);
}
