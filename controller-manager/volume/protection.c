#include "controller-manager/volume/protection.h"

static bool is_deleted(const void *object)
{
	return object_metadata(object)->deletion_timestamp != NULL;
}

bool protection_is_asked(const void *object, const char *finalizer)
{
	return is_deleted(object) && meta_has_finalizer(object_metadata(object), finalizer);
}

bool protection_concerns(const void *object, const char *finalizer)
{
	return is_deleted(object) == meta_has_finalizer(object_metadata(object), finalizer);
}

struct status *protection_settle(
	struct client *client, struct arena *arena, const void *object, const char *finalizer, bool used)
{
	if (!protection_concerns(object, finalizer) || (is_deleted(object) && used))
		return NULL;
	void *copy = object_copy(arena, object);
	MetaV1ObjectMeta *meta = object_metadata_mut(arena, copy);
	if (is_deleted(object))
		meta_remove_finalizer(meta, finalizer);
	else
		meta_add_finalizer(arena, meta, finalizer);
	return client_update(client, arena, copy, NULL);
}
