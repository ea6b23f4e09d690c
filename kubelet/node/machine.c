#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "base/io.h"
#include "base/str.h"
#include "kubelet/node/machine.h"
#include "net/host.h"

#define MAX_FACT_BYTES 65536
#define MAX_STAT_BYTES (4u << 20) /* a word for every interrupt there is */

/* The first line of a file without its end; "" if it cannot be read. */
static char *fact(struct arena *arena, const char *path)
{
	CLEANUP_FREE char *text = NULL;
	size_t size;
	struct status *s = io_read_file(path, MAX_FACT_BYTES, &text, &size);
	if (s) {
		status_drop(s, "not every machine has every fact");
		return arena_strdup(arena, "");
	}
	text[strcspn(text, "\n")] = '\0';
	return str_trim(arena, text);
}

/* NULL after the last. */
static const char *next_line(const char *line)
{
	const char *end = strchr(line, '\n');
	return end ? end + 1 : NULL;
}

int64_t machine_meminfo(const char *text, const char *name)
{
	int64_t value = 0;
	size_t len = strlen(name);
	for (const char *line = text; line && *line; line = next_line(line))
		if (!strncmp(line, name, len) && line[len] == ':' &&
			__builtin_mul_overflow(strtoll(line + len + 1, NULL, 10), 1024, &value))
			value = 0;
	return value;
}

static int64_t meminfo(const char *name)
{
	CLEANUP_FREE char *text = NULL;
	size_t size;
	struct status *s = io_read_file("/proc/meminfo", MAX_FACT_BYTES, &text, &size);
	status_drop(s, "nothing is known of the memory then");
	return s ? 0 : machine_meminfo(text, name);
}

int64_t memory_available(void)
{
	return meminfo("MemAvailable");
}

char *machine_os_image(struct arena *arena, const char *text)
{
	static const char key[] = "PRETTY_NAME=";
	const char *line = text;
	while (line && !str_starts_with(line, key))
		line = next_line(line);
	if (!line)
		return arena_strdup(arena, "");
	line += strlen(key);
	size_t len = strcspn(line, "\n");
	if (len >= 2 && (line[0] == '"' || line[0] == '\'') && line[len - 1] == line[0])
		return arena_strndup(arena, line + 1, len - 2);
	return arena_strndup(arena, line, len);
}

static char *os_image(struct arena *arena)
{
	CLEANUP_FREE char *text = NULL;
	size_t size;
	struct status *s = io_read_file("/etc/os-release", MAX_FACT_BYTES, &text, &size);
	status_drop(s, "not every system says");
	return machine_os_image(arena, s ? "" : text);
}

uint64_t machine_cpu_ns(const char *text)
{
	unsigned long long user = 0, nice = 0, system = 0, idle, iowait, irq = 0, softirq = 0, steal = 0;
	if (sscanf(text, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &user, &nice, &system, &idle, &iowait, &irq,
		    &softirq, &steal) < 4)
		return 0;
	return (user + nice + system + irq + softirq + steal) * (1000000000ull / (unsigned long)sysconf(_SC_CLK_TCK));
}

uint64_t cpu_used_ns(void)
{
	CLEANUP_FREE char *text = NULL;
	size_t size;
	struct status *s = io_read_file("/proc/stat", MAX_STAT_BYTES, &text, &size);
	status_drop(s, "nothing is known of the time then");
	return s ? 0 : machine_cpu_ns(text);
}

static const char *go_architecture(struct arena *arena, const char *machine)
{
	if (str_eq(machine, "x86_64"))
		return "amd64";
	if (str_eq(machine, "aarch64"))
		return "arm64";
	return arena_strdup(arena, machine);
}

void machine_read(struct arena *arena, struct machine *ret)
{
	struct utsname name;
	uname(&name);
	ret->n_cpus = sysconf(_SC_NPROCESSORS_ONLN);
	ret->memory_bytes = meminfo("MemTotal");
	ret->machine_id = fact(arena, "/etc/machine-id");
	ret->system_uuid = fact(arena, "/sys/class/dmi/id/product_uuid");
	if (!ret->system_uuid[0])
		ret->system_uuid = ret->machine_id;
	ret->boot_id = fact(arena, "/proc/sys/kernel/random/boot_id");
	ret->kernel_version = arena_strdup(arena, name.release);
	ret->os_image = os_image(arena);
	ret->architecture = go_architecture(arena, name.machine);
}

static bool read_int(const char *path, int64_t *ret)
{
	CLEANUP_FREE char *text = NULL;
	size_t size;
	struct status *s = io_read_file(path, MAX_FACT_BYTES, &text, &size);
	status_drop(s, "not every system says");
	if (!s)
		*ret = strtoll(text, NULL, 10);
	return !s;
}

bool processes_read(int64_t *ret_max, int64_t *ret_running)
{
	CLEANUP_FREE char *text = NULL;
	size_t size;
	int64_t threads;
	if (!read_int("/proc/sys/kernel/pid_max", ret_max))
		return false;
	if (read_int("/proc/sys/kernel/threads-max", &threads) && threads < *ret_max)
		*ret_max = threads;
	/* "1.36 3.49 4.53 2/3518 3715089": those that run, and all. */
	struct status *s = io_read_file("/proc/loadavg", MAX_FACT_BYTES, &text, &size);
	status_drop(s, "not every system says");
	const char *slash = s ? NULL : strchr(text, '/');
	if (slash)
		*ret_running = strtoll(slash + 1, NULL, 10);
	return slash != NULL;
}

bool disk_read(const char *path, struct disk *ret)
{
	struct statvfs fs;
	if (statvfs(path, &fs))
		return false;
	ret->capacity_bytes = (int64_t)fs.f_blocks * (int64_t)fs.f_frsize;
	ret->available_bytes = (int64_t)fs.f_bavail * (int64_t)fs.f_frsize;
	ret->inodes = (int64_t)fs.f_files;
	ret->free_inodes = (int64_t)fs.f_favail;
	return true;
}

static bool is_local(struct in_addr address)
{
	bool found = false;
	struct ifaddrs *list;
	if (getifaddrs(&list))
		return false;
	for (const struct ifaddrs *i = list; i && !found; i = i->ifa_next)
		if (i->ifa_addr && i->ifa_addr->sa_family == AF_INET)
			found = ((const struct sockaddr_in *)i->ifa_addr)->sin_addr.s_addr == address.s_addr;
	freeifaddrs(list);
	return found;
}

static bool by_name(const char *hostname, struct in_addr *ret)
{
	struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *list;
	bool found = false;
	if (getaddrinfo(hostname, NULL, &hints, &list))
		return false;
	for (const struct addrinfo *i = list; i && !found; i = i->ai_next) {
		*ret = ((const struct sockaddr_in *)i->ai_addr)->sin_addr;
		found = (ntohl(ret->s_addr) >> 24) != 127 && is_local(*ret);
	}
	freeaddrinfo(list);
	return found;
}

char *machine_address(struct arena *arena, const char *hostname)
{
	struct in_addr address;
	char text[INET_ADDRSTRLEN];
	if (!by_name(hostname, &address))
		return host_address(arena, "0.0.0.0");
	return arena_strdup(arena, inet_ntop(AF_INET, &address, text, sizeof(text)));
}
