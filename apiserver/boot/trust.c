/* What delegated servers (kubelets, aggregated servers) read to know whose certificates and headers to believe. */
#include "api/json.h"
#include "api/meta.h"
#include "apiserver/boot/internal.h"
#include "base/str.h"

static void set_list(struct arena *arena, CoreV1ConfigMap *map, const char *key, const struct flag_list *list)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	strbuf_addc(&out, '[');
	for (size_t i = 0; i < list->n_items; i++) {
		if (i)
			strbuf_addc(&out, ',');
		json_add_string(&out, list->items[i], strlen(list->items[i]), true);
	}
	strbuf_addc(&out, ']');
	map_set(arena, &map->data, &map->n_data, key, out.buf);
}

static void fill(const struct boot_options *options, struct arena *arena, CoreV1ConfigMap *map)
{
	struct authn *authn = options->context->authn;
	const struct authn_options *o = authn_options_of(authn);
	if (!str_empty(authn_client_ca(authn)))
		map_set(arena, &map->data, &map->n_data, "client-ca-file", authn_client_ca(authn));
	if (str_empty(authn_requestheader_ca(authn)))
		return;
	map_set(arena, &map->data, &map->n_data, "requestheader-client-ca-file", authn_requestheader_ca(authn));
	set_list(arena, map, "requestheader-allowed-names", &o->requestheader_allowed_names);
	set_list(arena, map, "requestheader-extra-headers-prefix", &o->requestheader_extra_headers_prefix);
	set_list(arena, map, "requestheader-group-headers", &o->requestheader_group_headers);
	set_list(arena, map, "requestheader-username-headers", &o->requestheader_username_headers);
}

static struct status *modify(void *data, struct arena *arena, ProtobufCMessage *object)
{
	fill(data, arena, (CoreV1ConfigMap *)object);
	return NULL;
}

struct status *boot_trust(const struct boot_options *options)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CoreV1ConfigMap *wanted = API_NEW(arena, CoreV1ConfigMap);
	const ProtobufCMessage *present;
	MetaV1ObjectMeta *meta = object_meta_ensure(arena, wanted);
	meta->name = "extension-apiserver-authentication";
	meta->namespace = "kube-system";
	fill(options, arena, wanted);
	struct status *s =
		objects_get(options->objects, arena, &CoreV1ConfigMap_schema, meta->namespace, meta->name, &present);
	if (status_is(s, STATUS_NOT_FOUND)) {
		status_free(s);
		return boot_ensure(options, arena, wanted);
	}
	if (s)
		return s;
	const CoreV1ConfigMap *map = (const CoreV1ConfigMap *)present;
	if (map_contains(map->data, map->n_data, wanted->data, wanted->n_data))
		return NULL;
	return objects_modify(options->objects, arena, &CoreV1ConfigMap_schema, "", meta->namespace, meta->name, modify,
		(void *)options, NULL);
}
