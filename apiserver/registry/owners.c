#include "api/meta.h"
#include "apiserver/registry/private.h"
#include "base/nameset.h"

static const char *flag_text(bool said, bool set)
{
	return !said ? "" : set ? "+" : "-";
}

/* A text for each reference: equal ones for equal references. */
static char *text_of(struct arena *arena, const MetaV1OwnerReference *ref)
{
	const char *const parts[] = {str_or_empty(ref->uid), str_or_empty(ref->api_version), str_or_empty(ref->kind),
		str_or_empty(ref->name), flag_text(ref->has_controller, ref->controller),
		flag_text(ref->has_block_owner_deletion, ref->block_owner_deletion)};
	return nameset_join(arena, parts, ARRAY_SIZE(parts));
}

void request_drop_repeated_owners(struct request *request, ProtobufCMessage *object, bool admitted)
{
	MetaV1ObjectMeta *meta = object_meta(object);
	if (!meta || meta->n_owner_references < 2)
		return;
	struct arena *arena = request->arena;
	struct nameset seen = {.arena = arena};
	MetaV1OwnerReference **kept = NULL;
	char **repeated = NULL;
	size_t n = 0, n_repeated = 0;
	for (size_t i = 0; i < meta->n_owner_references; i++) {
		MetaV1OwnerReference *ref = meta->owner_references[i];
		if (nameset_add(&seen, text_of(arena, ref)))
			ARENA_PUSH(arena, kept, n) = ref;
		else
			ARENA_PUSH(arena, repeated, n_repeated) = arena_strdup(arena, str_or_empty(ref->uid));
	}
	if (!n_repeated)
		return;
	meta->owner_references = kept;
	meta->n_owner_references = n;
	request_warn(request,
		".metadata.ownerReferences contains duplicate entries%s; API server dedups owner references in "
		"1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate "
		"UID(s) observed: %s",
		admitted ? " after mutating admission happens" : "", str_join(arena, repeated, n_repeated, ", "));
}
