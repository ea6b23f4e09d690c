/*
 * A class of volume attributes that a volume or a claim names is not deleted before they let go of it.
 *
 * Only informers are asked: one that is named at the very moment of its deletion may go too early, as in the original.
 */
#include "base/str.h"
#include "controller-manager/controller.h"
#include "controller-manager/volume/protection.h"

#define FINALIZER "kubernetes.io/vac-protection"

struct protection {
	struct controller_context *ctx;
	struct informer *classes, *volumes, *claims;
	struct workqueue *queue;
};

enum { MAX_NAMES = 3 };

/* The classes that a volume or a claim names. */
static size_t names_of(const void *object, const char *ret_names[MAX_NAMES])
{
	size_t n = 0;
	if (API_IS(object, CoreV1PersistentVolume)) {
		ret_names[n] = ((const CoreV1PersistentVolume *)object)->spec->volume_attributes_class_name;
		return str_empty(ret_names[n]) ? 0 : 1;
	}
	const CoreV1PersistentVolumeClaim *claim = object;
	const CoreV1ModifyVolumeStatus *change = claim->status->modify_volume_status;
	const char *const all[MAX_NAMES] = {claim->spec->volume_attributes_class_name,
		claim->status->current_volume_attributes_class_name,
		change ? change->target_volume_attributes_class_name : NULL};
	for (size_t i = 0; i < MAX_NAMES; i++)
		if (!str_empty(all[i]))
			ret_names[n++] = all[i];
	return n;
}

static bool has_name(const void *object, const char *name)
{
	const char *names[MAX_NAMES];
	size_t n = names_of(object, names);
	for (size_t i = 0; i < n; i++)
		if (str_eq(names[i], name))
			return true;
	return false;
}

struct search {
	const char *name;
	bool found;
};

static bool look(void *data, const struct object *object)
{
	struct search *search = data;
	search->found = has_name(object->msg, search->name);
	return !search->found;
}

static bool is_used(struct protection *c, const char *name)
{
	struct search search = {.name = name};
	informer_foreach(c->volumes, look, &search);
	if (!search.found)
		informer_foreach(c->claims, look, &search);
	return search.found;
}

static struct status *sync_class(void *data, struct arena *arena, const char *key)
{
	struct protection *c = data;
	const void *class = informer_get_key(c->classes, arena, key);
	if (!class)
		return NULL;
	bool used = protection_is_asked(class, FINALIZER) && is_used(c, key);
	return protection_settle(c->ctx->client, arena, class, FINALIZER, used);
}

static void class_added(void *data, const struct object *object, bool initial)
{
	if (protection_concerns(object->msg, FINALIZER))
		workqueue_add(((struct protection *)data)->queue, object->key);
}

static void class_updated(void *data, const struct object *old_object, const struct object *new_object)
{
	class_added(data, new_object, false);
}

/* Those that were named and are no more. now NULL: all. */
static void enqueue_released(struct protection *c, const void *was, const void *now)
{
	const char *names[MAX_NAMES];
	size_t n = names_of(was, names);
	for (size_t i = 0; i < n; i++)
		if (!now || !has_name(now, names[i]))
			workqueue_add(c->queue, names[i]);
}

static void user_updated(void *data, const struct object *old_object, const struct object *new_object)
{
	enqueue_released(data, old_object->msg, new_object->msg);
}

static void user_deleted(void *data, const struct object *object, bool final_unknown)
{
	enqueue_released(data, object->msg, NULL);
}

static struct status *start(struct controller_context *ctx)
{
	static const struct informer_handler of_classes = {.added = class_added, .updated = class_updated},
					     of_users = {.updated = user_updated, .deleted = user_deleted};
	struct protection *c = controller_state(ctx, sizeof(*c));
	c->ctx = ctx;
	c->classes = controller_informer(ctx, &StorageV1VolumeAttributesClass_schema);
	c->volumes = controller_informer(ctx, &CoreV1PersistentVolume_schema);
	c->claims = controller_informer(ctx, &CoreV1PersistentVolumeClaim_schema);
	c->queue = controller_queue(ctx, "vacprotection", 1, sync_class, c);
	informer_add_handler(c->classes, &of_classes, c);
	informer_add_handler(c->volumes, &of_users, c);
	informer_add_handler(c->claims, &of_users, c);
	return NULL;
}

const struct controller attributes_protection_controller = {
	.name = "volumeattributesclass-protection-controller", .start = start};
