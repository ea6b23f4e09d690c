#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>
#include "base/io.h"
#include "kubectl/verbs/create/generator.h"

#define DATA_MAX_BYTES (16u << 20)

const struct option data_flags[] = {
	OPT(struct data_sources, files, 0, "from-file", FLAG_STRING_ARRAY, "",
		"File, key=file, or directory whose files become entries"),
	OPT(struct data_sources, literals, 0, "from-literal", FLAG_STRING_ARRAY, "", "Entry as key=value"),
	OPT(struct data_sources, env_files, 0, "from-env-file", FLAG_STRING_ARRAY, "", "File with lines of key=value"),
	OPT_END,
};

static struct status *add_file(struct kubectl *k, const struct data_sink *sink, const char *key, const char *path)
{
	char *data;
	size_t size;
	struct status *s = io_read_file(path, DATA_MAX_BYTES, &data, &size);
	if (s)
		return status_with_code(s, 1);
	s = sink->add(k, sink->data, key, arena_dup(k->arena, data, size + 1), size);
	free(data);
	return s;
}

static struct status *add_directory(struct kubectl *k, const struct data_sink *sink, const char *path)
{
	struct dirent **entries;
	int n = scandir(path, &entries, NULL, alphasort);
	struct status *s = NULL;
	for (int i = 0; i < n; i++) {
		struct stat st;
		char *child = arena_printf(k->arena, "%s/%s", path, entries[i]->d_name);
		if (!s && !stat(child, &st) && S_ISREG(st.st_mode))
			s = add_file(k, sink, arena_strdup(k->arena, entries[i]->d_name), child);
		free(entries[i]);
	}
	free(n >= 0 ? entries : NULL);
	return s;
}

static struct status *add_from_file(struct kubectl *k, const struct data_sink *sink, const char *spec)
{
	char *key = NULL, *path = (char *)(uintptr_t)spec;
	struct stat st;
	bool keyed = split_pair(k->arena, spec, &key, &path);
	if (keyed && !*key)
		return user_error("key name for file path %s missing", path);
	if (keyed && !*path)
		return user_error("file path for key name %s missing", key);
	if (stat(path, &st)) {
		int error = errno;
		CLEANUP_STATUS struct status *s = status_errno(error, "x");
		return user_error(
			error == ENOENT ? "error reading %s: no such file or directory" : "error reading %s: %m", path);
	}
	if (S_ISDIR(st.st_mode))
		return keyed ? user_error("cannot give a key name for a directory path") : add_directory(k, sink, path);
	const char *slash = strrchr(path, '/');
	return add_file(k, sink, keyed ? key : slash ? slash + 1 : path, path);
}

static struct status *add_literal(struct kubectl *k, const struct data_sink *sink, const char *spec)
{
	char *key, *value;
	if (!split_pair(k->arena, spec, &key, &value) || !*key)
		return user_error("invalid literal source %s, expected key=value", spec);
	size_t size = strlen(value);
	if (size >= 2 && (*value == '"' || *value == '\'') && value[size - 1] == *value) {
		value[--size] = 0;
		value++;
		size--;
	}
	return sink->add(k, sink->data, key, value, size);
}

static struct status *add_env_file(struct kubectl *k, const struct data_sink *sink, const char *path)
{
	char *data, **lines;
	size_t size;
	struct status *s = io_read_file(path, DATA_MAX_BYTES, &data, &size);
	if (s)
		return status_with_code(s, 1);
	size_t n = str_split(k->arena, data, '\n', &lines);
	free(data);
	for (size_t i = 0; i < n; i++) {
		char *key, *value, *line = lines[i] + strspn(lines[i], " \t\r");
		line[strcspn(line, "\r")] = 0;
		if (!*line || *line == '#')
			continue;
		if (!split_pair(k->arena, line, &key, &value)) {
			key = line;
			value = getenv(line);
			if (!value)
				continue;
		}
		TRY(sink->add(k, sink->data, key, value, strlen(value)));
	}
	return NULL;
}

struct status *read_data_sources(struct kubectl *k, const struct data_sources *sources, const struct data_sink *sink)
{
	if (sources->env_files.n_items && (sources->files.n_items || sources->literals.n_items))
		return user_error("from-env-file cannot be combined with from-file or from-literal");
	for (size_t i = 0; i < sources->literals.n_items; i++)
		TRY(add_literal(k, sink, sources->literals.items[i]));
	for (size_t i = 0; i < sources->files.n_items; i++)
		TRY(add_from_file(k, sink, sources->files.items[i]));
	for (size_t i = 0; i < sources->env_files.n_items; i++)
		TRY(add_env_file(k, sink, sources->env_files.items[i]));
	return NULL;
}
