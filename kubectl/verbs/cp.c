/* kubectl cp: tar at the pod's end, libarchive at ours. */
#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include "base/workers.h"
#include "kubectl/pods.h"
#include "kubectl/verbs/verbs.h"

#define CHUNK_BYTES (64u << 10)

struct cp_options {
	char *container;
	bool no_preserve;
	int64_t retries;
};

#define C(...) OPT(struct cp_options, __VA_ARGS__)
static const struct option cp_flags[] = {
	C(container, 'c', "container", FLAG_STRING, "", "Container; without it the default one of the pod"),
	C(no_preserve, 0, "no-preserve", FLAG_BOOL, "false", "Owner and permissions are not kept in the container"),
	C(retries, 0, "retries", FLAG_INT, "0", "How often to try again to copy out of a container"),
	OPT_END,
};

struct place {
	char *namespace, *pod, *path; /* pod NULL: here */
};

static struct status *parse_place(struct kubectl *k, const char *text, struct place *ret)
{
	const char *colon = strchr(text, ':');
	*ret = (struct place){.path = arena_strdup(k->arena, text)};
	if (!colon)
		return NULL;
	if (colon == text)
		return user_error("filespec must match the canonical format: [[namespace/]pod:]file/path");
	char *pod = arena_strndup(k->arena, text, (size_t)(colon - text)), *slash = strchr(pod, '/');
	if (*pod == '.' || *pod == '/')
		return NULL; /* a local path that holds a colon */
	ret->path = arena_strdup(k->arena, colon + 1);
	ret->pod = slash ? slash + 1 : pod;
	if (slash) {
		*slash = 0;
		ret->namespace = pod;
		if (strchr(slash + 1, '/'))
			return user_error("filespec must match the canonical format: [[namespace/]pod:]file/path");
	}
	return NULL;
}

struct copier {
	struct kubectl *k;
	const struct cp_options *o;
	cJSON *pod;
	const char *container;
};

static struct status *run_remote(
	struct copier *c, char *const *command, size_t n, int in, int out, int err, int *ret_code)
{
	struct remote_options remote = {.container = c->container,
		.command = command,
		.n_command = n,
		.stdin_fd = in,
		.stdout_fd = out,
		.stderr_fd = err};
	return remote_run(c->k, c->pod, &remote, ret_code);
}

/* --- into the pod --- */

struct sender {
	int fd;
	const char *source, *target; /* here, and its name in the archive */
	struct status *error;
};

static struct status *send_content(struct archive *a, const char *path)
{
	char buf[CHUNK_BYTES];
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;
	if (fd < 0)
		return user_error("open %s: %m", path);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		if (archive_write_data(a, buf, (size_t)n) < 0)
			return user_error("%s: %s", path, archive_error_string(a));
	return n < 0 ? user_error("read %s: %m", path) : NULL;
}

static struct status *send_tree(struct archive *a, struct archive *disk, const struct sender *s)
{
	size_t skip = strlen(s->source);
	for (;;) {
		struct archive_entry *entry = archive_entry_new();
		int code = archive_read_next_header2(disk, entry);
		if (code != ARCHIVE_OK) {
			archive_entry_free(entry);
			return code == ARCHIVE_EOF ? NULL : user_error("%s: %s", s->source, archive_error_string(disk));
		}
		archive_read_disk_descend(disk);
		char *path = strdup(archive_entry_sourcepath(entry));
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		archive_entry_set_pathname(entry, arena_printf(arena, "%s%s", s->target, path + skip));
		struct status *error = NULL;
		if (archive_write_header(a, entry) != ARCHIVE_OK)
			error = user_error("%s: %s", path, archive_error_string(a));
		else if (archive_entry_filetype(entry) == AE_IFREG)
			error = send_content(a, path);
		free(path);
		archive_entry_free(entry);
		if (error)
			return error;
	}
}

static void *send_thread(void *data)
{
	struct sender *s = data;
	struct archive *a = archive_write_new(), *disk = archive_read_disk_new();
	archive_write_set_format_gnutar(a);
	archive_write_set_bytes_per_block(a, 10240);
	archive_read_disk_set_standard_lookup(disk);
	archive_read_disk_set_symlink_physical(disk);
	if (archive_write_open_fd(a, s->fd) != ARCHIVE_OK)
		s->error = user_error("%s", archive_error_string(a));
	else if (archive_read_disk_open(disk, s->source) != ARCHIVE_OK)
		s->error = user_error("%s: %s", s->source, archive_error_string(disk));
	else
		s->error = send_tree(a, disk, s);
	archive_read_free(disk);
	archive_write_close(a);
	archive_write_free(a);
	close(s->fd);
	return NULL;
}

static char *trim_slashes(struct arena *arena, const char *path)
{
	size_t size = strlen(path);
	while (size > 1 && path[size - 1] == '/')
		size--;
	return arena_strndup(arena, path, size);
}

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash && slash[1] ? slash + 1 : path;
}

static char *dir_of(struct arena *arena, const char *path)
{
	const char *slash = strrchr(path, '/');
	if (!slash)
		return arena_strdup(arena, ".");
	return slash == path ? arena_strdup(arena, "/") : arena_strndup(arena, path, (size_t)(slash - path));
}

static bool remote_is_directory(struct copier *c, const char *path)
{
	char *command[] = {(char *)(uintptr_t) "test", (char *)(uintptr_t) "-d", (char *)(uintptr_t)path};
	int code = 1;
	struct status *s = run_remote(c, command, ARRAY_SIZE(command), -1, 1, -1, &code);
	bool failed = s != NULL;
	status_drop(s, "then it is taken for a file's name");
	return !failed && !code;
}

static struct status *copy_in(struct copier *c, const struct place *from, const struct place *to)
{
	struct arena *arena = c->k->arena;
	struct stat st;
	int pipe_fds[2], code;
	if (stat(from->path, &st))
		return user_error("%s doesn't exist in local filesystem", from->path);
	char *source = trim_slashes(arena, from->path), *target = trim_slashes(arena, to->path);
	if (remote_is_directory(c, target))
		target = arena_printf(arena, "%s/%s", str_eq(target, "/") ? "" : target, base_of(source));
	if (pipe2(pipe_fds, O_CLOEXEC))
		return user_error("pipe: %m");
	struct sender sender = {.fd = pipe_fds[1], .source = source, .target = base_of(target)};
	pthread_t thread = thread_start("tar", send_thread, &sender);
	char *plain[] = {(char *)(uintptr_t) "tar", (char *)(uintptr_t) "-xmf", (char *)(uintptr_t) "-",
		(char *)(uintptr_t) "-C", dir_of(arena, target)};
	char *bare[] = {(char *)(uintptr_t) "tar", (char *)(uintptr_t) "--no-same-permissions",
		(char *)(uintptr_t) "--no-same-owner", (char *)(uintptr_t) "-xmf", (char *)(uintptr_t) "-",
		(char *)(uintptr_t) "-C", dir_of(arena, target)};
	struct status *s = run_remote(c, c->o->no_preserve ? bare : plain,
		c->o->no_preserve ? ARRAY_SIZE(bare) : ARRAY_SIZE(plain), pipe_fds[0], 1, 2, &code);
	close(pipe_fds[0]);
	pthread_join(thread, NULL);
	if (sender.error && !s)
		return sender.error;
	status_free(sender.error);
	return s ? s : code ? user_error("command terminated with exit code %d", code) : NULL;
}

/* --- out of the pod --- */

struct receiver {
	int fd;
	struct arena *arena;
	const char *prefix; /* of the names in the archive */
	const char *target;
	struct status *error;
	size_t n_entries;
};

/* Whether a name, with the prefix taken off, stays below the target. */
static bool is_inside(const char *name)
{
	while (*name) {
		size_t size = strcspn(name, "/");
		if (size == 2 && !strncmp(name, "..", 2))
			return false;
		name += size + (name[size] == '/');
	}
	return true;
}

static struct status *receive_entry(
	struct receiver *r, struct archive *a, struct archive *disk, struct archive_entry *entry)
{
	const char *name = archive_entry_pathname(entry), *rest = name + strlen(r->prefix);
	if (!str_starts_with(name, r->prefix))
		return user_error("tar contents corrupted");
	char *path = *rest ? arena_printf(r->arena, "%s%s%s", r->target, *rest == '/' ? "" : "/", rest)
			   : arena_strdup(r->arena, r->target);
	if (!is_inside(rest)) {
		fprintf(stderr, "warning: file \"%s\" is outside target destination, skipping\n", path);
		return NULL;
	}
	if (archive_entry_filetype(entry) == AE_IFLNK) {
		fprintf(stderr, "warning: skipping symlink: \"%s\" -> \"%s\"\n", path,
			str_or_empty(archive_entry_symlink(entry)));
		return NULL;
	}
	if (archive_entry_filetype(entry) != AE_IFREG && archive_entry_filetype(entry) != AE_IFDIR)
		return NULL;
	archive_entry_set_pathname(entry, path);
	archive_entry_set_hardlink(entry, NULL);
	r->n_entries++;
	if (archive_write_header(disk, entry) != ARCHIVE_OK)
		return user_error("%s: %s", path, archive_error_string(disk));
	const void *data;
	size_t size;
	la_int64_t offset;
	int code;
	while ((code = archive_read_data_block(a, &data, &size, &offset)) == ARCHIVE_OK)
		if (archive_write_data_block(disk, data, size, offset) < 0)
			return user_error("%s: %s", path, archive_error_string(disk));
	return code == ARCHIVE_EOF ? NULL : user_error("%s: %s", path, archive_error_string(a));
}

static void *receive_thread(void *data)
{
	struct receiver *r = data;
	struct archive *a = archive_read_new(), *disk = archive_write_disk_new();
	struct archive_entry *entry;
	archive_read_support_format_tar(a);
	archive_write_disk_set_options(disk, ARCHIVE_EXTRACT_PERM | ARCHIVE_EXTRACT_SECURE_NODOTDOT);
	if (archive_read_open_fd(a, r->fd, 10240) != ARCHIVE_OK)
		r->error = user_error("%s", archive_error_string(a));
	int code = ARCHIVE_EOF;
	while (!r->error && (code = archive_read_next_header(a, &entry)) == ARCHIVE_OK)
		r->error = receive_entry(r, a, disk, entry);
	if (!r->error && code != ARCHIVE_EOF)
		r->error = user_error("%s", archive_error_string(a));
	archive_write_free(disk);
	archive_read_free(a);
	/* the sender must not wait for a reader that gave up */
	char rest[4096];
	while (read(r->fd, rest, sizeof(rest)) > 0)
		;
	close(r->fd);
	return NULL;
}

static struct status *copy_out(struct copier *c, const struct place *from, const struct place *to)
{
	struct arena *arena = c->k->arena;
	struct stat st;
	int pipe_fds[2], code;
	char *source = trim_slashes(arena, from->path), *target = trim_slashes(arena, to->path);
	const char *prefix = source;
	if (!stat(target, &st) && S_ISDIR(st.st_mode))
		target = arena_printf(arena, "%s/%s", target, base_of(source));
	while (*prefix == '/')
		prefix++;
	if (pipe2(pipe_fds, O_CLOEXEC))
		return user_error("pipe: %m");
	struct receiver receiver = {.fd = pipe_fds[0], .arena = arena_new(), .prefix = prefix, .target = target};
	pthread_t thread = thread_start("tar", receive_thread, &receiver);
	char *command[] = {(char *)(uintptr_t) "tar", (char *)(uintptr_t) "cf", (char *)(uintptr_t) "-", source};
	struct status *s = run_remote(c, command, ARRAY_SIZE(command), -1, pipe_fds[1], 2, &code);
	close(pipe_fds[1]);
	pthread_join(thread, NULL);
	arena_free(receiver.arena);
	if (!s && code && !receiver.n_entries) {
		status_free(receiver.error);
		return user_error("command terminated with exit code %d", code);
	}
	if (s)
		status_free(receiver.error);
	return s ? s : receiver.error;
}

static struct status *cp_run(struct kubectl *k, struct call *call)
{
	struct copier c = {.k = k, .o = call->options};
	struct place from, to;
	const cJSON *container;
	if (call->n_args != 2)
		return user_error("source and destination are required");
	TRY(parse_place(k, call->args[0], &from));
	TRY(parse_place(k, call->args[1], &to));
	if (from.pod && to.pod)
		return user_error("one of src or dest must be a local file specification");
	if (!from.pod && !to.pod)
		return user_error("one of src or dest must be a remote file specification");
	if (!*from.path || !*to.path)
		return user_error("filepath can not be empty");
	const struct place *remote = from.pod ? &from : &to;
	if (remote->namespace)
		k->global.namespace = remote->namespace;
	TRY(find_pod(k, NULL, remote->pod, 0, &c.pod));
	TRY(choose_container(k, c.pod, c.o->container, false, &container));
	c.container = obj_string(container, "name");
	return from.pod ? copy_out(&c, &from, &to) : copy_in(&c, &from, &to);
}

const struct command cp_command = {
	.name = "cp",
	.section = "Troubleshooting and Debugging Commands:",
	.summary = "Copy files and directories to and from containers",
	.usage = "<file-spec-src> <file-spec-dest>",
	.details = "Copies files and directories to and from containers. The container must have a tar program.",
	.examples = "# into a pod\nkubectl cp ./site web-0:/var/www\n\n# out of a pod of another namespace\nkubectl cp "
		    "prod/web-0:/var/log/web ./log",
	.flags = cp_flags,
	.options_size = sizeof(struct cp_options),
	.run = cp_run,
};
