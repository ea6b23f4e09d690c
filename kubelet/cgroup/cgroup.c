#include "kubelet/cgroup/cgroup.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include "base/io.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

#define DEFAULT_MOUNT "/sys/fs/cgroup"
#define MAX_PROCS_BYTES (16u << 20)
#define KILL_ROUNDS 20
#define V1_NO_LIMIT (INT64_MAX / 4096 * 4096) /* what memory.limit_in_bytes says without a limit: whole pages */

/* Version 1: each is a hierarchy of its own. */
static const char *const v1_controllers[] = {
	"cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids", "hugetlb", "systemd"};
static const char *const tiers[] = {"", "burstable", "besteffort"}; /* by enum pod_qos */

struct cgroups {
	pthread_mutex_t lock;
	char *mount;
	char *root; /* "" or "/mine" */
	bool enabled;
	bool cpu_quota;
	bool systemd_driver;
	bool v2;
	int64_t period_us;
	int64_t pids_limit;
	const char *present[ARRAY_SIZE(v1_controllers)];
	size_t n_present;
};

int64_t cgroup_weight_of_shares(int64_t shares)
{
	if (shares <= CPU_MIN_SHARES)
		return 1;
	if (shares > CPU_MAX_SHARES)
		shares = CPU_MAX_SHARES;
	return 1 + (shares - 2) * 9999 / 262142;
}

static void find_controllers(struct cgroups *c, struct arena *arena)
{
	c->v2 = io_exists(arena_printf(arena, "%s/cgroup.controllers", c->mount));
	for (size_t i = 0; !c->v2 && i < ARRAY_SIZE(v1_controllers); i++)
		if (io_exists(arena_printf(arena, "%s/%s", c->mount, v1_controllers[i])))
			c->present[c->n_present++] = v1_controllers[i];
}

struct status *cgroups_new(const struct cgroups_config *config, struct cgroups **ret)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct cgroups *c = mem_zalloc(sizeof(*c));
	pthread_mutex_init(&c->lock, NULL);
	c->mount = mem_strdup(config->mount ? config->mount : DEFAULT_MOUNT);
	c->root = mem_strdup(str_eq(config->root, "/") ? "" : str_or_empty(config->root));
	c->enabled = config->enabled;
	c->cpu_quota = config->cpu_quota;
	c->systemd_driver = config->systemd_driver;
	c->period_us = config->period_us;
	c->pids_limit = config->pids_limit;
	find_controllers(c, arena);
	if (c->enabled && !c->v2 && !c->n_present) {
		struct status *s = status_new(STATUS_NOT_FOUND, "no cgroup hierarchies at %s", c->mount);
		cgroups_free(c);
		return s;
	}
	*ret = c;
	return NULL;
}

void cgroups_free(struct cgroups *c)
{
	pthread_mutex_destroy(&c->lock);
	free(c->mount);
	free(c->root);
	free(c);
}

bool cgroups_v2(const struct cgroups *c)
{
	return c->v2;
}

/* --- names --- */

/* With systemd every level of the path is a slice named for the whole way: kubepods-burstable-podUID.slice. */
static char *slice_path(struct arena *arena, enum pod_qos qos, const char *uid)
{
	char *name = arena_strdup(arena, "kubepods");
	char *path = arena_printf(arena, "/%s.slice", name);
	if (tiers[qos][0]) {
		name = arena_printf(arena, "%s-%s", name, tiers[qos]);
		path = arena_printf(arena, "%s/%s.slice", path, name);
	}
	if (uid) {
		char *escaped = arena_strdup(arena, uid);
		for (char *p = escaped; *p; p++)
			*p = *p == '-' ? '_' : *p;
		path = arena_printf(arena, "%s/%s-pod%s.slice", path, name, escaped);
	}
	return path;
}

/* uid NULL: the tier itself. */
static char *group_path(struct arena *arena, const struct cgroups *c, enum pod_qos qos, const char *uid)
{
	if (c->systemd_driver)
		return arena_printf(arena, "%s%s", c->root, slice_path(arena, qos, uid));
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	strbuf_printf(&out, "%s/kubepods", c->root);
	if (tiers[qos][0])
		strbuf_printf(&out, "/%s", tiers[qos]);
	if (uid)
		strbuf_printf(&out, "/pod%s", uid);
	return arena_strdup(arena, out.buf);
}

char *cgroups_pod_parent(struct arena *arena, const struct cgroups *c, const struct pod *pod)
{
	if (!c->enabled)
		return arena_strdup(arena, c->root);
	char *path = group_path(arena, c, pod_qos(pod), pod->uid);
	/* The runtime's systemd driver wants the last slice's name alone. */
	return c->systemd_driver ? arena_strdup(arena, strrchr(path, '/') + 1) : path;
}

/* --- files --- */

static char *dir_of(struct arena *arena, const struct cgroups *c, const char *controller, const char *path)
{
	if (c->v2)
		return arena_printf(arena, "%s%s", c->mount, path);
	return arena_printf(arena, "%s/%s%s", c->mount, controller, path);
}

static struct status *write_value(const char *dir, const char *file, const char *value)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new_sized(512);
	char *path = arena_printf(arena, "%s/%s", dir, file);
	CLEANUP_FD int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return status_errno(errno, "open %s", path);
	if (write(fd, value, strlen(value)) < 0)
		return status_errno(errno, "write \"%s\" to %s", value, path);
	return NULL;
}

static struct status *write_number(const char *dir, const char *file, int64_t value)
{
	char text[24];
	snprintf(text, sizeof(text), "%" PRId64, value);
	return write_value(dir, file, text);
}

/* A new cpuset group of version 1 is empty until it is given CPUs and memory: those of its parent. */
static struct status *inherit_cpuset(struct arena *arena, const char *dir)
{
	static const char *const files[] = {"cpuset.cpus", "cpuset.mems"};
	char *parent = arena_strndup(arena, dir, (size_t)(strrchr(dir, '/') - dir));
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		CLEANUP_FREE char *own = NULL;
		CLEANUP_FREE char *value = NULL;
		size_t size;
		TRY(io_read_file(arena_printf(arena, "%s/%s", dir, files[i]), 65536, &own, &size));
		if (isdigit((unsigned char)own[0]))
			continue;
		TRY(io_read_file(arena_printf(arena, "%s/%s", parent, files[i]), 65536, &value, &size));
		TRY(write_value(dir, files[i], str_trim(arena, value)));
	}
	return NULL;
}

/* Version 2: what the parent lets its children use. A controller that the kernel lacks is no reason to fail. */
static void enable_controllers(struct arena *arena, const char *dir)
{
	static const char *const wanted[] = {"+cpuset", "+cpu", "+io", "+memory", "+hugetlb", "+pids"};
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
		status_drop(
			write_value(dir, "cgroup.subtree_control", wanted[i]), "not every kernel has every controller");
}

static struct status *make_group_at(struct cgroups *c, struct arena *arena, const char *controller, const char *path)
{
	char *full = dir_of(arena, c, controller, path);
	size_t base = strlen(dir_of(arena, c, controller, ""));
	for (size_t i = base + 1; full[i - 1]; i++) {
		if (full[i] != '/' && full[i])
			continue;
		char *dir = arena_strndup(arena, full, i);
		if (c->v2) {
			char *parent = arena_strndup(arena, dir, (size_t)(strrchr(dir, '/') - dir));
			enable_controllers(arena, parent);
		}
		if (mkdir(dir, 0755) && errno != EEXIST)
			return status_errno(errno, "mkdir %s", dir);
		if (str_eq(controller, "cpuset"))
			TRY(inherit_cpuset(arena, dir));
		if (!full[i])
			break;
	}
	return NULL;
}

static struct status *make_group(struct cgroups *c, const char *path)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	if (c->v2)
		return make_group_at(c, arena, "", path);
	for (size_t i = 0; i < c->n_present; i++)
		TRY(make_group_at(c, arena, c->present[i], path));
	return NULL;
}

static bool has_controller(const struct cgroups *c, const char *name)
{
	for (size_t i = 0; i < c->n_present; i++)
		if (str_eq(c->present[i], name))
			return true;
	return c->v2;
}

/* --- limits --- */

struct limits {
	int64_t shares; /* 0: left alone */
	bool has_quota;
	int64_t quota; /* 0: none */
	bool has_memory;
	int64_t memory; /* 0: none */
	int64_t pids;	/* 0: left alone */
};

static struct status *apply_v2(struct cgroups *c, const char *dir, const struct limits *l)
{
	if (l->shares)
		TRY(write_number(dir, "cpu.weight", cgroup_weight_of_shares(l->shares)));
	if (l->has_quota) {
		char text[64];
		if (l->quota > 0)
			snprintf(text, sizeof(text), "%" PRId64 " %" PRId64, l->quota, c->period_us);
		else
			snprintf(text, sizeof(text), "max %" PRId64, c->period_us);
		TRY(write_value(dir, "cpu.max", text));
	}
	if (l->has_memory && l->memory > 0)
		TRY(write_number(dir, "memory.max", l->memory));
	if (l->pids > 0)
		TRY(write_number(dir, "pids.max", l->pids));
	return NULL;
}

static struct status *apply_v1(struct cgroups *c, struct arena *arena, const char *path, const struct limits *l)
{
	if (has_controller(c, "cpu")) {
		char *dir = dir_of(arena, c, "cpu", path);
		if (l->shares)
			TRY(write_number(dir, "cpu.shares", l->shares));
		if (l->has_quota) {
			TRY(write_number(dir, "cpu.cfs_period_us", c->period_us));
			TRY(write_number(dir, "cpu.cfs_quota_us", l->quota > 0 ? l->quota : -1));
		}
	}
	if (has_controller(c, "memory") && l->has_memory && l->memory > 0)
		TRY(write_number(dir_of(arena, c, "memory", path), "memory.limit_in_bytes", l->memory));
	if (has_controller(c, "pids") && l->pids > 0)
		TRY(write_number(dir_of(arena, c, "pids", path), "pids.max", l->pids));
	return NULL;
}

static struct status *apply(struct cgroups *c, const char *path, const struct limits *l)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	return c->v2 ? apply_v2(c, dir_of(arena, c, "", path), l) : apply_v1(c, arena, path, l);
}

/* Of a pod as a whole: a limit counts only where every container has one. */
static struct limits pod_limits(const struct cgroups *c, const struct pod *pod)
{
	enum pod_qos qos = pod_qos(pod);
	struct limits l = {.pids = c->pids_limit > 0 ? c->pids_limit : 0, .shares = CPU_MIN_SHARES};
	if (qos == QOS_BEST_EFFORT)
		return l;
	bool all_cpu, all_memory;
	int64_t cpu = pod_limit_cpu_milli(pod, &all_cpu);
	l.memory = pod_limit_memory(pod, &all_memory);
	l.shares = cpu_shares_of_milli(pod_request_cpu_milli(pod));
	l.has_quota = all_cpu || qos == QOS_GUARANTEED;
	l.quota = c->cpu_quota ? cpu_quota_of_milli(cpu, c->period_us) : 0;
	l.has_memory = all_memory || qos == QOS_GUARANTEED;
	return l;
}

struct status *cgroups_start(struct cgroups *c, int64_t cpu_milli, int64_t memory_bytes)
{
	if (!c->enabled || c->systemd_driver)
		return NULL;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	TRY(make_group(c, group_path(arena, c, QOS_GUARANTEED, NULL)));
	TRY(make_group(c, group_path(arena, c, QOS_BURSTABLE, NULL)));
	TRY(make_group(c, group_path(arena, c, QOS_BEST_EFFORT, NULL)));
	struct limits all = {.has_memory = memory_bytes > 0, .memory = memory_bytes};
	all.shares = cpu_milli > 0 ? cpu_shares_of_milli(cpu_milli) : 0;
	struct limits least = {.shares = CPU_MIN_SHARES};
	TRY(apply(c, group_path(arena, c, QOS_GUARANTEED, NULL), &all));
	return apply(c, group_path(arena, c, QOS_BEST_EFFORT, NULL), &least);
}

struct status *cgroups_update_tiers(struct cgroups *c, int64_t burstable_cpu_milli)
{
	if (!c->enabled || c->systemd_driver)
		return NULL;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct limits l = {.shares = cpu_shares_of_milli(burstable_cpu_milli)};
	return apply(c, group_path(arena, c, QOS_BURSTABLE, NULL), &l);
}

bool cgroups_pod_exists(struct cgroups *c, const struct pod *pod)
{
	if (!c->enabled || c->systemd_driver)
		return true;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	char *path = group_path(arena, c, pod_qos(pod), pod->uid);
	if (c->v2)
		return io_exists(dir_of(arena, c, "", path));
	for (size_t i = 0; i < c->n_present; i++)
		if (!io_exists(dir_of(arena, c, c->present[i], path)))
			return false;
	return true;
}

struct status *cgroups_pod_create(struct cgroups *c, const struct pod *pod)
{
	if (!c->enabled || c->systemd_driver)
		return NULL;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	char *path = group_path(arena, c, pod_qos(pod), pod->uid);
	struct limits l = pod_limits(c, pod);
	pthread_mutex_lock(&c->lock);
	struct status *s = make_group(c, path);
	if (!s)
		s = apply(c, path, &l);
	pthread_mutex_unlock(&c->lock);
	return s;
}

/* --- resizing --- */

bool cgroups_managed(const struct cgroups *c)
{
	return c->enabled && !c->systemd_driver;
}

/* A number at the start of a file: "max" and -1 are no limit, and so is what version 1 says instead of it. */
static struct status *read_number(const char *dir, const char *file, int64_t *ret)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new_sized(512);
	CLEANUP_FREE char *text = NULL;
	size_t size;
	TRY(io_read_file(arena_printf(arena, "%s/%s", dir, file), 4096, &text, &size));
	int64_t value = strtoll(text, NULL, 10);
	*ret = str_starts_with(text, "max") || value < 0 || value >= V1_NO_LIMIT ? CGROUP_UNLIMITED : value;
	return NULL;
}

static char *pod_dir_of(struct arena *arena, const struct cgroups *c, const char *controller, const struct pod *pod)
{
	return dir_of(arena, c, controller, group_path(arena, c, pod_qos(pod), pod->uid));
}

struct status *cgroups_pod_read(struct cgroups *c, const struct pod *pod, struct cgroup_amounts *ret)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const char *cpu = pod_dir_of(arena, c, "cpu", pod), *memory = pod_dir_of(arena, c, "memory", pod);
	TRY(read_number(memory, c->v2 ? "memory.max" : "memory.limit_in_bytes", &ret->memory));
	TRY(read_number(cpu, c->v2 ? "cpu.max" : "cpu.cfs_quota_us", &ret->cpu_quota));
	TRY(read_number(cpu, c->v2 ? "cpu.weight" : "cpu.shares", &ret->cpu_shares));
	if (c->v2)
		ret->cpu_shares = (ret->cpu_shares - 1) * 262142 / 9999 + 2;
	return NULL;
}

struct cgroup_amounts cgroups_pod_wanted(
	const struct cgroups *c, const struct pod *pod, const struct cgroup_amounts *current)
{
	struct limits l = pod_limits(c, pod);
	struct cgroup_amounts wanted = *current;
	wanted.cpu_shares = l.shares;
	if (l.has_quota)
		wanted.cpu_quota = l.quota > 0 ? l.quota : CGROUP_UNLIMITED;
	if (l.has_memory)
		wanted.memory = l.memory;
	return wanted;
}

static struct status *pod_apply(struct cgroups *c, const struct pod *pod, const struct limits *l)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	return apply(c, group_path(arena, c, pod_qos(pod), pod->uid), l);
}

struct status *cgroups_pod_set_shares(struct cgroups *c, const struct pod *pod, int64_t shares)
{
	return pod_apply(c, pod, &(struct limits){.shares = shares});
}

struct status *cgroups_pod_set_quota(struct cgroups *c, const struct pod *pod, int64_t quota)
{
	bool limited = quota != CGROUP_UNLIMITED;
	return pod_apply(c, pod, &(struct limits){.has_quota = limited, .quota = limited ? quota : 0});
}

struct status *cgroups_pod_set_memory(struct cgroups *c, const struct pod *pod, int64_t bytes)
{
	bool limited = bytes != CGROUP_UNLIMITED;
	return pod_apply(c, pod, &(struct limits){.has_memory = limited, .memory = limited ? bytes : 0});
}

struct status *cgroups_pod_memory_usage(struct cgroups *c, const struct pod *pod, int64_t *ret)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	return read_number(
		pod_dir_of(arena, c, "memory", pod), c->v2 ? "memory.current" : "memory.usage_in_bytes", ret);
}

/* Of a group and those below it. */
static int64_t count_processes(const char *dir)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP_FREE char *text = NULL;
	size_t size;
	int64_t n = 0;
	struct status *s = io_read_file(arena_printf(arena, "%s/cgroup.procs", dir), MAX_PROCS_BYTES, &text, &size);
	for (const char *p = s ? "" : text; *p; p++)
		n += *p == '\n';
	status_drop(s, "gone");
	DIR *d = opendir(dir);
	for (const struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d))
		if (e->d_type == DT_DIR && !str_eq(e->d_name, ".") && !str_eq(e->d_name, ".."))
			n += count_processes(arena_printf(arena, "%s/%s", dir, e->d_name));
	if (d)
		closedir(d);
	return n;
}

int64_t cgroups_pod_processes(struct cgroups *c, const struct pod *pod)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	return count_processes(pod_dir_of(arena, c, "memory", pod));
}

/* --- the end --- */

size_t cgroup_pids(struct arena *arena, const char *text, pid_t **ret_pids)
{
	size_t n = 0;
	char **lines;
	*ret_pids = NULL;
	str_split(arena, text, '\n', &lines);
	for (char **line = lines; *line; line++) {
		int64_t pid;
		if (str_to_int64(*line, 2, INT32_MAX, &pid))
			ARENA_PUSH(arena, *ret_pids, n) = (pid_t)pid;
	}
	return n;
}

static bool kill_processes(const char *dir)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP_FREE char *text = NULL;
	size_t size;
	struct status *s = io_read_file(arena_printf(arena, "%s/cgroup.procs", dir), MAX_PROCS_BYTES, &text, &size);
	if (s) {
		status_drop(s, "gone");
		return false;
	}
	pid_t *pids;
	size_t n = cgroup_pids(arena, text, &pids);
	for (size_t i = 0; i < n; i++)
		kill(pids[i], SIGKILL);
	return n > 0;
}

/* Removes a tree of groups, deepest first; false if one would not go. */
static bool remove_tree(const char *dir)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	DIR *d = opendir(dir);
	if (!d)
		return errno == ENOENT;
	for (const struct dirent *e = readdir(d); e; e = readdir(d))
		if (e->d_type == DT_DIR && !str_eq(e->d_name, ".") && !str_eq(e->d_name, ".."))
			remove_tree(arena_printf(arena, "%s/%s", dir, e->d_name));
	closedir(d);
	kill_processes(dir);
	return !rmdir(dir) || errno == ENOENT;
}

static struct status *destroy_dir(const char *dir)
{
	for (int i = 0; i < KILL_ROUNDS; i++) {
		if (remove_tree(dir))
			return NULL;
		nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
	}
	return status_internal("cgroup %s cannot be removed: it still holds processes", dir);
}

struct status *cgroups_pod_destroy(struct cgroups *c, const char *uid)
{
	if (!c->enabled || c->systemd_driver)
		return NULL;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	for (int qos = QOS_GUARANTEED; qos <= QOS_BEST_EFFORT; qos++) {
		char *path = group_path(arena, c, (enum pod_qos)qos, uid);
		if (c->v2)
			TRY(destroy_dir(dir_of(arena, c, "", path)));
		for (size_t i = 0; i < c->n_present; i++)
			TRY(destroy_dir(dir_of(arena, c, c->present[i], path)));
	}
	return NULL;
}

static bool uid_known(char *const *uids, size_t n, const char *uid)
{
	return str_in_n(uid, uids, n);
}

static void collect_uids(struct arena *arena, const char *dir, char ***uids, size_t *n)
{
	DIR *d = opendir(dir);
	if (!d)
		return;
	for (const struct dirent *e = readdir(d); e; e = readdir(d))
		if (e->d_type == DT_DIR && str_starts_with(e->d_name, "pod") && !uid_known(*uids, *n, e->d_name + 3))
			ARENA_PUSH(arena, *uids, *n) = arena_strdup(arena, e->d_name + 3);
	closedir(d);
}

struct status *cgroups_pod_uids(struct cgroups *c, struct arena *arena, char ***ret_uids, size_t *ret_n)
{
	*ret_uids = NULL;
	*ret_n = 0;
	if (!c->enabled || c->systemd_driver)
		return NULL;
	for (int qos = QOS_GUARANTEED; qos <= QOS_BEST_EFFORT; qos++) {
		char *path = group_path(arena, c, (enum pod_qos)qos, NULL);
		if (c->v2)
			collect_uids(arena, dir_of(arena, c, "", path), ret_uids, ret_n);
		for (size_t i = 0; i < c->n_present; i++)
			collect_uids(arena, dir_of(arena, c, c->present[i], path), ret_uids, ret_n);
	}
	return NULL;
}
