/*
 * Facts about the machine: what it has, what it is called, what runs on it.
 */
#ifndef KUBELET_NODE_MACHINE_H
#define KUBELET_NODE_MACHINE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/arena.h"

struct machine {
	int64_t n_cpus;
	int64_t memory_bytes;
	const char *machine_id;
	const char *system_uuid;
	const char *boot_id;
	const char *kernel_version;
	const char *os_image;
	const char *architecture; /* in Go's words: amd64, arm64 */
};

struct disk {
	int64_t capacity_bytes;
	int64_t available_bytes;
	int64_t inodes;
	int64_t free_inodes;
};

/* Strings live in the arena. What cannot be found out is "" or 0. */
void machine_read(struct arena *arena, struct machine *ret);
/* False if the path cannot be asked about. */
bool disk_read(const char *path, struct disk *ret);
/* Bytes that new processes could use: MemAvailable. */
int64_t memory_available(void);
/* Time of all CPUs spent on work. */
uint64_t cpu_used_ns(void);
/* How many processes and threads there may be, and are. False if nobody says. */
bool processes_read(int64_t *ret_max, int64_t *ret_running);
/* The address that others reach this machine by; "" if it has none. */
char *machine_address(struct arena *arena, const char *hostname);

/* What the files say: "Name:   1234 kB" of /proc/meminfo in bytes, PRETTY_NAME of /etc/os-release, the first line of
 * /proc/stat. What is not there is 0 or "". */
int64_t machine_meminfo(const char *text, const char *name);
char *machine_os_image(struct arena *arena, const char *text);
uint64_t machine_cpu_ns(const char *text);

#endif
