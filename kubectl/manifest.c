#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>
#include "api/yaml.h"
#include "base/io.h"
#include "kubectl/builder.h"

#define MANIFEST_MAX_BYTES (256u << 20)

const struct option filename_flags[] = {
	OPT(struct filename_options, filenames, 'f', "filename", FLAG_STRINGS, "",
		"File, directory or - (standard input) that holds or names the resource"),
	OPT(struct filename_options, kustomize, 'k', "kustomize", FLAG_STRING, "", "Not supported"),
	OPT(struct filename_options, recursive, 'R', "recursive", FLAG_BOOL, "false",
		"Descend into the directories given with -f"),
	OPT_END,
};

struct status *read_input(struct kubectl *k, const char *path, char **ret_data, size_t *ret_size)
{
	if (str_eq(path, "-"))
		return io_read_all(0, MANIFEST_MAX_BYTES, ret_data, ret_size);
	struct stat st;
	if (stat(path, &st)) {
		if (errno == ENOENT)
			return user_error("the path \"%s\" does not exist", path);
		return user_error("the path \"%s\" cannot be accessed: %m", path);
	}
	struct status *s = io_read_file(path, MANIFEST_MAX_BYTES, ret_data, ret_size);
	return s ? status_with_code(s, 1) : NULL;
}

struct status *parse_documents(
	struct arena *arena, const char *data, size_t size, const char *source, cJSON ***ret_items, size_t *ret_n)
{
	struct yaml_stream *stream = yaml_stream_new(arena, data, size);
	for (;;) {
		cJSON *tree;
		struct status *s = yaml_stream_next(stream, NULL, &tree);
		if (s)
			return status_with_code(status_wrap(s, "error parsing %s", source), 1);
		if (!tree)
			return NULL;
		if (cJSON_IsNull(tree))
			continue;
		ARENA_PUSH(arena, *ret_items, *ret_n) = tree;
	}
}

static struct status *check_type(struct kubectl *k, const cJSON *object, const char *source)
{
	if (!cJSON_IsObject(object))
		return user_error(
			"error validating \"%s\": error validating data: invalid object to validate; if you choose "
			"to ignore "
			"these errors, turn validation off with --validate=false",
			source);
	bool kind = *obj_kind(object), version = *obj_string(object, "apiVersion");
	if (!kind || !version)
		return user_error(
			"error validating \"%s\": error validating data: %s%s%s%s%s; if you choose to ignore these "
			"errors, turn "
			"validation off with --validate=false",
			source, kind || version ? "" : "[", version ? "" : "apiVersion not set",
			kind || version ? "" : ", ", kind ? "" : "kind not set", kind || version ? "" : "]");
	return NULL;
}

static struct status *add_object(struct kubectl *k, cJSON *object, const char *source, bool local, struct infos *infos)
{
	TRY(check_type(k, object, source));
	if (obj_is_list(object)) {
		const char *kind = obj_kind(object);
		TREE_FOREACH (item, tree_get(object, "items")) {
			if (str_empty(obj_kind(item)) && !str_eq(kind, "List")) {
				tree_set_string(k->arena, item, "apiVersion", obj_string(object, "apiVersion"));
				tree_set_string(k->arena, item, "kind",
					arena_strndup(k->arena, kind, strlen(kind) - strlen("List")));
			}
			TRY(add_object(k, item, source, local, infos));
		}
		return NULL;
	}
	struct info info = {
		.namespace = obj_namespace(object), .name = obj_name(object), .object = object, .source = source};
	if (!local) {
		struct status *s = mapping_of_object(k, object, &info.mapping);
		if (s && !status_is_servers(s) && strstr(s->message, "no matches"))
			return status_with_code(status_new(STATUS_UNKNOWN,
							"resource mapping not found for name: \"%s\" namespace: \"%s\" "
							"from \"%s\": %s\n"
							"ensure CRDs are installed first",
							info.name, info.namespace, source, s->message),
				1);
		TRY(s);
	}
	ARENA_PUSH(k->arena, infos->items, infos->n_items) = info;
	return NULL;
}

static struct status *read_one(struct kubectl *k, const char *path, bool local, struct infos *infos)
{
	char *data;
	size_t size, n = 0;
	cJSON **items = NULL;
	const char *source = str_eq(path, "-") ? "STDIN" : path;
	TRY(read_input(k, path, &data, &size));
	/* What stands before the first error is still used, as the original's stream does. */
	struct status *errors = NULL;
	struct status *bad = parse_documents(k->arena, data, size, source, &items, &n);
	free(data);
	for (size_t i = 0; i < n; i++)
		errors_add(&errors, add_object(k, items[i], source, local, infos));
	errors_add(&errors, bad);
	return errors;
}

static bool is_manifest_name(const char *name)
{
	return str_ends_with(name, ".json") || str_ends_with(name, ".yaml") || str_ends_with(name, ".yml");
}

static struct status *read_directory(
	struct kubectl *k, const char *path, bool recursive, bool local, struct infos *infos, size_t *n_files)
{
	struct dirent **entries;
	int n = scandir(path, &entries, NULL, alphasort);
	struct status *errors = NULL;
	if (n < 0)
		return user_error("the path \"%s\" cannot be accessed: %m", path);
	for (int i = 0; i < n; i++) {
		const char *name = entries[i]->d_name;
		char *child = arena_printf(k->arena, "%s%s%s", path, str_ends_with(path, "/") ? "" : "/", name);
		struct stat st;
		if (str_eq(name, ".") || str_eq(name, "..") || stat(child, &st)) {
			;
		} else if (S_ISDIR(st.st_mode)) {
			if (recursive)
				errors_add(&errors, read_directory(k, child, true, local, infos, n_files));
		} else if (is_manifest_name(name)) {
			++*n_files;
			errors_add(&errors, read_one(k, child, local, infos));
		}
		free(entries[i]);
	}
	free(entries);
	return errors;
}

static struct status *read_path(struct kubectl *k, const char *path, bool recursive, bool local, struct infos *infos)
{
	struct stat st;
	size_t n_files = 0;
	if (str_starts_with(path, "http://") || str_starts_with(path, "https://"))
		return user_error("reading manifests from URLs is not supported: \"%s\"", path);
	if (str_eq(path, "-") || stat(path, &st) || !S_ISDIR(st.st_mode))
		return read_one(k, path, local, infos);
	struct status *s = read_directory(k, path, recursive, local, infos, &n_files);
	if (!s && !n_files)
		return user_error("error reading [%s]: recognized file extensions are [.json .yaml .yml]", path);
	return s;
}

struct status *read_manifests(
	struct kubectl *k, const struct filename_options *files, bool local, struct infos *ret_infos)
{
	struct status *errors = NULL;
	size_t n_stdin = 0;
	if (!str_empty(files->kustomize))
		return user_error("-k (kustomize) is not supported; build the manifests first and pass them with -f");
	for (size_t i = 0; i < files->filenames.n_items; i++)
		n_stdin += str_eq(files->filenames.items[i], "-");
	if (n_stdin > 1)
		return user_error("standard input cannot be used for multiple arguments");
	for (size_t i = 0; i < files->filenames.n_items; i++)
		errors_add(&errors, read_path(k, files->filenames.items[i], files->recursive, local, ret_infos));
	return errors;
}
