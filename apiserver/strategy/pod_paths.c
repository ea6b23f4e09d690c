/*
 * Files of one volume that get in each other's way: the same path twice, or a path within that of a file.
 */
#include "apiserver/registry/registry.h"
#include "apiserver/strategy/pod_parts.h"
#include "base/str.h"

/* A path within a volume and what puts a file there; source is "" where the volume has one alone. */
struct file {
	const char *path, *source;
	size_t len; /* without slashes at the end */
};

struct files {
	struct request *request;
	const char *volume; /* as warnings name it */
	struct file *items;
	size_t n_items;
};

static bool lies_within(const struct file *inner, const struct file *outer)
{
	return inner->len >= outer->len && !strncmp(inner->path, outer->path, outer->len) &&
	       (inner->len == outer->len || inner->path[outer->len] == '/');
}

static char *describe(struct arena *arena, const struct file *f)
{
	char *path = field_quote(arena, arena_printf(arena, "%.*s", (int)f->len, f->path));
	return *f->source ? arena_printf(arena, "%s (%s)", path, f->source) : path;
}

static void add_file(struct files *files, const char *path, const char *source)
{
	struct arena *arena = files->request->arena;
	struct file new = {str_or_empty(path), source, strlen(str_or_empty(path))};
	while (new.len &&new.path[new.len - 1] == '/')
		new.len--;
	for (size_t i = 0; new.len &&i < files->n_items &&request_may_warn(files->request); i++) {
		const struct file *old = &files->items[i];
		if (old->len && (lies_within(old, &new) || lies_within(&new, old)))
			request_warn(files->request, "%s: overlapping paths: %s with %s", files->volume,
				describe(arena, &new), describe(arena, old));
	}
	ARENA_PUSH(arena, files->items, files->n_items) = new;
}

static void add_keys(struct files *files, CoreV1KeyToPath *const *items, size_t n, const char *source)
{
	for (size_t i = 0; i < n; i++)
		add_file(files, items[i]->path, source);
}

static void add_facts(struct files *files, CoreV1DownwardAPIVolumeFile *const *items, size_t n, const char *source)
{
	for (size_t i = 0; i < n; i++)
		add_file(files, items[i]->path, source);
}

static char *named(struct arena *arena, const char *kind, const char *name)
{
	return arena_printf(arena, "%s %s", kind, field_quote(arena, str_or_empty(name)));
}

static const char *name_of(const CoreV1LocalObjectReference *ref)
{
	return ref ? ref->name : NULL;
}

static void add_certificate(struct files *files, const CoreV1PodCertificateProjection *p)
{
	if (!str_empty(p->certificate_chain_path))
		add_file(files, p->certificate_chain_path, "PodCertificate chain");
	if (!str_empty(p->key_path))
		add_file(files, p->key_path, "PodCertificate key");
	if (!str_empty(p->credential_bundle_path))
		add_file(files, p->credential_bundle_path, "PodCertificate credential bundle");
}

static void add_source(struct files *files, const CoreV1VolumeProjection *s)
{
	struct arena *arena = files->request->arena;
	const CoreV1ClusterTrustBundleProjection *bundle = s->cluster_trust_bundle;
	if (s->config_map && s->config_map->n_items)
		add_keys(files, s->config_map->items, s->config_map->n_items,
			named(arena, "ConfigMap", name_of(s->config_map->local_object_reference)));
	else if (s->secret && s->secret->n_items)
		add_keys(files, s->secret->items, s->secret->n_items,
			named(arena, "Secret", name_of(s->secret->local_object_reference)));
	else if (s->downward_api && s->downward_api->n_items)
		add_facts(files, s->downward_api->items, s->downward_api->n_items, "DownwardAPI");
	else if (s->service_account_token)
		add_file(files, s->service_account_token->path, "ServiceAccountToken");
	else if (bundle)
		add_file(files, bundle->path,
			named(arena, "ClusterTrustBundle", bundle->name ? bundle->name : bundle->signer_name));
	else if (s->pod_certificate)
		add_certificate(files, s->pod_certificate);
}

static struct files files_of(struct request *request, const CoreV1Volume *v, const char *source)
{
	return (struct files){request,
		arena_printf(
			request->arena, "volume %s (%s)", field_quote(request->arena, str_or_empty(v->name)), source),
		NULL, 0};
}

static void warn_projected(struct request *request, const CoreV1Volume *v, const CoreV1ProjectedVolumeSource *projected)
{
	struct files files = files_of(request, v, "Projected");
	for (size_t i = 0; i < projected->n_sources; i++) {
		const CoreV1VolumeProjection *s = projected->sources[i];
		bool any = s->secret || s->downward_api || s->config_map || s->service_account_token ||
			   s->cluster_trust_bundle || s->pod_certificate;
		if (any)
			add_source(&files, s);
		else
			request_warn(request, "%s has no sources provided", files.volume);
	}
}

static void warn_volume(struct request *request, const CoreV1Volume *v)
{
	struct arena *arena = request->arena;
	const CoreV1VolumeSource *s = v->volume_source;
	if (s->config_map && s->config_map->n_items) {
		struct files files =
			files_of(request, v, named(arena, "ConfigMap", name_of(s->config_map->local_object_reference)));
		add_keys(&files, s->config_map->items, s->config_map->n_items, "");
	}
	if (s->secret && s->secret->n_items) {
		struct files files = files_of(request, v, named(arena, "Secret", s->secret->secret_name));
		add_keys(&files, s->secret->items, s->secret->n_items, "");
	}
	if (s->downward_api && s->downward_api->n_items) {
		struct files files = files_of(request, v, "DownwardAPI");
		add_facts(&files, s->downward_api->items, s->downward_api->n_items, "");
	}
	if (s->projected)
		warn_projected(request, v, s->projected);
}

void pod_warn_paths(struct request *request, const CoreV1PodSpec *spec)
{
	for (size_t i = 0; i < spec->n_volumes; i++)
		if (spec->volumes[i]->volume_source)
			warn_volume(request, spec->volumes[i]);
}
