/* kubeconfig files: reading, merging, writing. */
#include <errno.h>
#include <libgen.h>
#include "api/copy.h"
#include "api/yaml.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/str.h"
#include "client/kubeconfig.h"

enum { MAX_FILE_BYTES = 8 << 20 };

struct status *kubeconfig_parse(
	struct arena *arena, const char *text, size_t size, const char *path, ClientcmdV1Config **ret)
{
	struct status *error = NULL;
	if (strspn(text, " \t\r\n") == size)
		*ret = API_NEW(arena, ClientcmdV1Config);
	else
		error = yaml_decode(arena, &ClientcmdV1Config_schema, text, size, NULL, ret);
	const char *kind = error ? "" : (*ret)->kind, *version = error ? "" : (*ret)->api_version;
	if (!error && !str_empty(kind) && !str_eq(kind, "Config"))
		error = status_bad_request(
			"no kind \"%s\" is registered for version \"%s\"", kind, str_or_empty(version));
	if (!error && !str_empty(version) && !str_eq(version, "v1"))
		error = status_bad_request("no kind \"Config\" is registered for version \"%s\"", version);
	return status_wrap(error, "error loading config file \"%s\"", str_or(path, "<input>"));
}

struct status *kubeconfig_read(struct arena *arena, const char *path, ClientcmdV1Config **ret)
{
	char *text;
	size_t size;
	TRY(io_read_file(path, MAX_FILE_BYTES, &text, &size));
	struct status *error = kubeconfig_parse(arena, text, size, path, ret);
	mem_cleanse_free(text, size);
	return error;
}

void kubeconfig_paths(struct arena *arena, const char *explicit_path, char ***ret_paths, size_t *ret_n)
{
	char **paths = NULL;
	size_t n = 0;
	const char *list = getenv("KUBECONFIG");
	if (!str_empty(explicit_path)) {
		ARENA_PUSH(arena, paths, n) = arena_strdup(arena, explicit_path);
	} else if (!str_empty(list)) {
		char **parts;
		size_t n_parts = str_split(arena, list, ':', &parts);
		for (size_t i = 0; i < n_parts; i++)
			if (*parts[i] && !str_in_n(parts[i], paths, n))
				ARENA_PUSH(arena, paths, n) = parts[i];
	}
	if (!n)
		ARENA_PUSH(arena, paths, n) = arena_printf(arena, "%s/.kube/config", str_or_empty(getenv("HOME")));
	*ret_paths = paths;
	*ret_n = n;
}

/* --- entries by name: three kinds of one shape --- */

#define DEFINE_ENTRIES(noun, NAMED, T, list, member)                                                                  \
	static NAMED *find_##noun(const ClientcmdV1Config *config, const char *name)                                  \
	{                                                                                                             \
		for (size_t i = 0; i < config->n_##list; i++)                                                         \
			if (str_eq(config->list[i]->name, name))                                                      \
				return config->list[i];                                                               \
		return NULL;                                                                                          \
	}                                                                                                             \
	T *kubeconfig_##noun(const ClientcmdV1Config *config, const char *name)                                       \
	{                                                                                                             \
		NAMED *entry = find_##noun(config, name);                                                             \
		return entry ? entry->member : NULL;                                                                  \
	}                                                                                                             \
	T *kubeconfig_add_##noun(struct arena *arena, ClientcmdV1Config *config, const char *name)                    \
	{                                                                                                             \
		NAMED *entry = find_##noun(config, name);                                                             \
		if (!entry) {                                                                                         \
			entry = API_NEW(arena, NAMED);                                                                \
			entry->name = arena_strdup(arena, str_or_empty(name));                                        \
			ARENA_PUSH(arena, config->list, config->n_##list) = entry;                                    \
		}                                                                                                     \
		if (!entry->member)                                                                                   \
			entry->member = API_NEW(arena, T);                                                            \
		return entry->member;                                                                                 \
	}                                                                                                             \
	bool kubeconfig_remove_##noun(ClientcmdV1Config *config, const char *name)                                    \
	{                                                                                                             \
		for (size_t i = 0; i < config->n_##list; i++) {                                                       \
			if (!str_eq(config->list[i]->name, name))                                                     \
				continue;                                                                             \
			memmove(config->list + i, config->list + i + 1, (config->n_##list - i - 1) * sizeof(void *)); \
			config->n_##list--;                                                                           \
			return true;                                                                                  \
		}                                                                                                     \
		return false;                                                                                         \
	}                                                                                                             \
	static void merge_##list(struct arena *arena, ClientcmdV1Config *into, const ClientcmdV1Config *from)         \
	{                                                                                                             \
		for (size_t i = 0; i < from->n_##list; i++)                                                           \
			if (!find_##noun(into, from->list[i]->name))                                                  \
				ARENA_PUSH(arena, into->list, into->n_##list) = api_copy(arena, from->list[i]);       \
	}

/* clang-format off */
DEFINE_ENTRIES(cluster, ClientcmdV1NamedCluster, ClientcmdV1Cluster, clusters, cluster)
DEFINE_ENTRIES(user, ClientcmdV1NamedAuthInfo, ClientcmdV1AuthInfo, users, user)
DEFINE_ENTRIES(context, ClientcmdV1NamedContext, ClientcmdV1Context, contexts, context)
/* clang-format on */

void kubeconfig_merge(struct arena *arena, ClientcmdV1Config *into, const ClientcmdV1Config *from)
{
	if (str_empty(into->current_context))
		into->current_context = arena_strdup(arena, str_or_empty(from->current_context));
	merge_clusters(arena, into, from);
	merge_users(arena, into, from);
	merge_contexts(arena, into, from);
}

/* --- paths inside --- */

static void absolute(struct arena *arena, char **path, const char *dir)
{
	if (!str_empty(*path) && **path != '/')
		*path = arena_printf(arena, "%s/%s", dir, *path);
}

static void resolve_paths(struct arena *arena, ClientcmdV1Config *config, const char *dir)
{
	for (size_t i = 0; i < config->n_clusters; i++)
		if (config->clusters[i]->cluster)
			absolute(arena, &config->clusters[i]->cluster->certificate_authority, dir);
	for (size_t i = 0; i < config->n_users; i++) {
		ClientcmdV1AuthInfo *user = config->users[i]->user;
		if (!user)
			continue;
		absolute(arena, &user->client_certificate, dir);
		absolute(arena, &user->client_key, dir);
		absolute(arena, &user->token_file, dir);
		/* A command with a slash in it is a path; one without is looked for in $PATH. */
		if (user->exec && strchr(str_or_empty(user->exec->command), '/'))
			absolute(arena, &user->exec->command, dir);
	}
}

/* The absolute directory of a file. */
static char *directory_of(struct arena *arena, const char *path)
{
	char *dir = arena_strdup(arena, dirname(arena_strdup(arena, path)));
	if (*dir == '/')
		return dir;
	CLEANUP_FREE char *cwd = get_current_dir_name();
	return arena_printf(arena, "%s/%s", cwd ? cwd : "", dir);
}

struct status *kubeconfig_merged(struct arena *arena, const char *explicit_path, ClientcmdV1Config **ret)
{
	char **paths;
	size_t n;
	kubeconfig_paths(arena, explicit_path, &paths, &n);
	ClientcmdV1Config *merged = API_NEW(arena, ClientcmdV1Config);
	for (size_t i = 0; i < n; i++) {
		ClientcmdV1Config *one;
		struct status *error = kubeconfig_read(arena, paths[i], &one);
		if (status_is(error, STATUS_NOT_FOUND)) {
			if (!str_empty(explicit_path)) {
				status_free(error);
				return status_new(
					STATUS_NOT_FOUND, "stat %s: no such file or directory", explicit_path);
			}
			status_drop(error, "files of the list may be missing");
			continue;
		}
		if (error)
			return error;
		resolve_paths(arena, one, directory_of(arena, paths[i]));
		kubeconfig_merge(arena, merged, one);
	}
	*ret = merged;
	return NULL;
}

struct status *kubeconfig_print(struct arena *arena, const ClientcmdV1Config *config, char **ret_yaml)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	ClientcmdV1Config *copy = api_copy_msg(arena, config);
	copy->kind = "Config";
	copy->api_version = "v1";
	yaml_encode(&out, copy);
	*ret_yaml = arena_strndup(arena, out.buf, out.len);
	return NULL;
}

struct status *kubeconfig_write(const char *path, const ClientcmdV1Config *config)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	char *text;
	TRY(kubeconfig_print(arena, config, &text));
	TRY(io_mkdirs(dirname(arena_strdup(arena, path)), 0755));
	return io_write_file(path, text, strlen(text), 0600);
}

static struct status *inline_file(struct arena *arena, char **path, ProtobufCBinaryData *data, const char *base_dir)
{
	if (str_empty(*path))
		return NULL;
	if (!data->len) {
		char *text;
		size_t size;
		if (!str_empty(base_dir))
			absolute(arena, path, base_dir);
		TRY(io_read_file(*path, MAX_FILE_BYTES, &text, &size));
		*data = (ProtobufCBinaryData){size, arena_dup(arena, text, size)};
		mem_cleanse_free(text, size);
	}
	*path = "";
	return NULL;
}

struct status *kubeconfig_flatten(struct arena *arena, ClientcmdV1Config *config, const char *base_dir)
{
	for (size_t i = 0; i < config->n_clusters; i++) {
		ClientcmdV1Cluster *c = config->clusters[i]->cluster;
		if (c)
			TRY(inline_file(arena, &c->certificate_authority, &c->certificate_authority_data, base_dir));
	}
	for (size_t i = 0; i < config->n_users; i++) {
		ClientcmdV1AuthInfo *u = config->users[i]->user;
		if (!u)
			continue;
		TRY(inline_file(arena, &u->client_certificate, &u->client_certificate_data, base_dir));
		TRY(inline_file(arena, &u->client_key, &u->client_key_data, base_dir));
	}
	return NULL;
}
