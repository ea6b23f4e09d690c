/*
 * Files of one volume that get in each other's way: the same path twice, or a path within that of a file.
 */
#include "apiserver/registry/registry.h"
#include "apiserver/strategy/pod_parts.h"
#include "base/str.h"

/* What puts files into a volume: of a kind ("ConfigMap"), with a name (NULL: it has none). */
struct source {
	const char *kind, *name;
};

/* A path within a volume and what puts a file there; the kind is "" where the volume has one source alone. */
struct file {
	const char *path;
	struct source source;
	size_t len; /* without slashes at the end */
};

struct files {
	struct request *request;
	const CoreV1Volume *volume;
	struct source source; /* of the volume as a whole */
	struct file *items;
	size_t n_items;
};

static bool lies_within(const struct file *inner, const struct file *outer)
{
	return inner->len >= outer->len && !strncmp(inner->path, outer->path, outer->len) &&
	       (inner->len == outer->len || inner->path[outer->len] == '/');
}

static const char *describe_source(struct arena *arena, const struct source *s)
{
	return s->name ? arena_printf(arena, "%s %s", s->kind, field_quote(arena, s->name)) : s->kind;
}

static const char *describe_volume(const struct files *files)
{
	struct arena *arena = files->request->arena;
	return arena_printf(arena, "volume %s (%s)", field_quote(arena, str_or_empty(files->volume->name)),
		describe_source(arena, &files->source));
}

static char *describe(struct arena *arena, const struct file *f)
{
	char *path = field_quote(arena, arena_strndup(arena, f->path, f->len));
	return *f->source.kind ? arena_printf(arena, "%s (%s)", path, describe_source(arena, &f->source)) : path;
}

static void add_file(struct files *files, const char *path, struct source source)
{
	struct arena *arena = files->request->arena;
	struct file new = {str_or_empty(path), source, strlen(str_or_empty(path))};
	while (new.len &&new.path[new.len - 1] == '/')
		new.len--;
	for (size_t i = 0; new.len &&i < files->n_items &&request_may_warn(files->request); i++) {
		const struct file *old = &files->items[i];
		if (old->len && (lies_within(old, &new) || lies_within(&new, old)))
			request_warn(files->request, "%s: overlapping paths: %s with %s", describe_volume(files),
				describe(arena, &new), describe(arena, old));
	}
	ARENA_PUSH(arena, files->items, files->n_items) = new;
}

static void add_keys(struct files *files, CoreV1KeyToPath *const *items, size_t n, struct source source)
{
	for (size_t i = 0; i < n; i++)
		add_file(files, items[i]->path, source);
}

static void add_facts(struct files *files, CoreV1DownwardAPIVolumeFile *const *items, size_t n, struct source source)
{
	for (size_t i = 0; i < n; i++)
		add_file(files, items[i]->path, source);
}

static struct source named(const char *kind, const char *name)
{
	return (struct source){kind, str_or_empty(name)};
}

static struct source plain(const char *kind)
{
	return (struct source){.kind = kind};
}

static const char *name_of(const CoreV1LocalObjectReference *ref)
{
	return ref ? ref->name : NULL;
}

static void add_certificate(struct files *files, const CoreV1PodCertificateProjection *p)
{
	if (!str_empty(p->certificate_chain_path))
		add_file(files, p->certificate_chain_path, plain("PodCertificate chain"));
	if (!str_empty(p->key_path))
		add_file(files, p->key_path, plain("PodCertificate key"));
	if (!str_empty(p->credential_bundle_path))
		add_file(files, p->credential_bundle_path, plain("PodCertificate credential bundle"));
}

static void add_source(struct files *files, const CoreV1VolumeProjection *s)
{
	const CoreV1ClusterTrustBundleProjection *bundle = s->cluster_trust_bundle;
	if (s->config_map && s->config_map->n_items)
		add_keys(files, s->config_map->items, s->config_map->n_items,
			named("ConfigMap", name_of(s->config_map->local_object_reference)));
	else if (s->secret && s->secret->n_items)
		add_keys(files, s->secret->items, s->secret->n_items,
			named("Secret", name_of(s->secret->local_object_reference)));
	else if (s->downward_api && s->downward_api->n_items)
		add_facts(files, s->downward_api->items, s->downward_api->n_items, plain("DownwardAPI"));
	else if (s->service_account_token)
		add_file(files, s->service_account_token->path, plain("ServiceAccountToken"));
	else if (bundle)
		add_file(files, bundle->path,
			named("ClusterTrustBundle", bundle->name ? bundle->name : bundle->signer_name));
	else if (s->pod_certificate)
		add_certificate(files, s->pod_certificate);
}

static struct files files_of(struct request *request, const CoreV1Volume *v, struct source source)
{
	return (struct files){.request = request, .volume = v, .source = source};
}

static void warn_projected(struct request *request, const CoreV1Volume *v, const CoreV1ProjectedVolumeSource *projected)
{
	struct files files = files_of(request, v, plain("Projected"));
	for (size_t i = 0; i < projected->n_sources; i++) {
		const CoreV1VolumeProjection *s = projected->sources[i];
		bool any = s->secret || s->downward_api || s->config_map || s->service_account_token ||
			   s->cluster_trust_bundle || s->pod_certificate;
		if (any)
			add_source(&files, s);
		else
			request_warn(request, "%s has no sources provided", describe_volume(&files));
	}
}

static void warn_volume(struct request *request, const CoreV1Volume *v)
{
	const CoreV1VolumeSource *s = v->volume_source;
	if (s->config_map && s->config_map->n_items) {
		struct files files =
			files_of(request, v, named("ConfigMap", name_of(s->config_map->local_object_reference)));
		add_keys(&files, s->config_map->items, s->config_map->n_items, plain(""));
	}
	if (s->secret && s->secret->n_items) {
		struct files files = files_of(request, v, named("Secret", s->secret->secret_name));
		add_keys(&files, s->secret->items, s->secret->n_items, plain(""));
	}
	if (s->downward_api && s->downward_api->n_items) {
		struct files files = files_of(request, v, plain("DownwardAPI"));
		add_facts(&files, s->downward_api->items, s->downward_api->n_items, plain(""));
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
