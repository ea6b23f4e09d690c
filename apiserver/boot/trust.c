/* What delegated servers (kubelets, aggregated servers) read to know whose certificates and headers to believe. */
#include <stdlib.h>
#include <string.h>
#include "api/copy.h"
#include "api/meta.h"
#include "api/tree.h"
#include "apiserver/boot/internal.h"
#include "base/str.h"
#include "pki/pki.h"

enum { EXPIRED_S = 300 };

static const char *present_value(const CoreV1ConfigMap *map, const char *key)
{
	for (size_t i = 0; i < map->n_data; i++)
		if (str_eq(map->data[i]->key, key))
			return map->data[i]->value;
	return "";
}

/* Certificates that are not long expired, each once; what is none counts as nothing. */
static void add_certificates(
	const struct boot_options *options, struct arena *arena, struct strbuf *out, const char *pem)
{
	struct pki_cert **certs = NULL;
	size_t n = 0;
	struct status *s = str_empty(pem) ? NULL : pki_certs_parse(pem, strlen(pem), &certs, &n);
	if (s)
		status_drop(s, "nobody could be trusted by it");
	for (size_t i = 0; i < n; i++) {
		const char *text = pki_cert_pem(arena, certs[i]);
		const bool lasts = pki_cert_not_after_s(certs[i]) > clock_wall_s(options->clock) - EXPIRED_S;
		if (lasts && !(out->len && strstr(out->buf, text)))
			strbuf_adds(out, text);
		pki_cert_free(certs[i]);
	}
	free(certs);
}

/* Other servers may have other authorities: what they have written stays. */
static void join_certificates(
	const struct boot_options *options, struct arena *arena, CoreV1ConfigMap *map, const char *key, const char *own)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	add_certificates(options, arena, &out, present_value(map, key));
	add_certificates(options, arena, &out, own);
	if (out.len)
		map_set(arena, &map->data, &map->n_data, key, out.buf);
}

static void join_list(struct arena *arena, CoreV1ConfigMap *map, const char *key, const struct flag_list *own)
{
	const char *present = present_value(map, key);
	char **items = NULL;
	size_t n = 0;
	cJSON *tree = NULL;
	struct status *s = str_empty(present) ? NULL : tree_parse(arena, present, strlen(present), NULL, &tree);
	if (s)
		status_drop(s, "what is no list is written anew");
	TREE_FOREACH (item, cJSON_IsArray(tree) ? tree : NULL)
		if (cJSON_IsString(item) && !str_in_n(tree_string(item), items, n))
			ARENA_PUSH(arena, items, n) = arena_strdup(arena, tree_string(item));
	for (size_t i = 0; i < own->n_items; i++)
		if (!str_in_n(own->items[i], items, n))
			ARENA_PUSH(arena, items, n) = own->items[i];
	cJSON *all = tree_new_array(arena);
	for (size_t i = 0; i < n; i++)
		tree_append(all, tree_new_string(arena, items[i]));
	map_set(arena, &map->data, &map->n_data, key, tree_to_string(arena, all, 0));
}

static void fill(const struct boot_options *options, struct arena *arena, CoreV1ConfigMap *map)
{
	struct authn *authn = options->context->authn;
	const struct authn_options *o = authn_options_of(authn);
	join_certificates(options, arena, map, "client-ca-file", authn_client_ca(authn));
	if (str_empty(authn_requestheader_ca(authn)))
		return;
	join_certificates(options, arena, map, "requestheader-client-ca-file", authn_requestheader_ca(authn));
	join_list(arena, map, "requestheader-allowed-names", &o->requestheader_allowed_names);
	join_list(arena, map, "requestheader-extra-headers-prefix", &o->requestheader_extra_headers_prefix);
	join_list(arena, map, "requestheader-group-headers", &o->requestheader_group_headers);
	join_list(arena, map, "requestheader-username-headers", &o->requestheader_username_headers);
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
	CoreV1ConfigMap *joined = (CoreV1ConfigMap *)api_copy_msg(arena, present);
	fill(options, arena, joined);
	if (map_contains(map->data, map->n_data, joined->data, joined->n_data))
		return NULL;
	return objects_modify(options->objects, arena, &CoreV1ConfigMap_schema, "", meta->namespace, meta->name, modify,
		(void *)options, NULL);
}
