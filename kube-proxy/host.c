#include "kube-proxy/host.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include "base/io.h"
#include "base/log.h"
#include "base/mem.h"

struct status *host_node_name(struct arena *arena, const char *override, char **ret)
{
	char name[256] = "";
	if (str_empty(override) && gethostname(name, sizeof name - 1) != 0)
		return status_errno(errno, "host name");
	*ret = str_trim(arena, str_lower(arena, str_or(override, name)));
	return str_empty(*ret) ? status_bad_request("empty hostname is invalid") : NULL;
}

static const char *address_text(struct arena *arena, enum family family, const struct sockaddr *address)
{
	char text[INET6_ADDRSTRLEN];
	if (!address || address->sa_family != (family == FAMILY_IPV4 ? AF_INET : AF_INET6))
		return NULL;
	const void *bytes = family == FAMILY_IPV4
				    ? (const void *)&((const struct sockaddr_in *)(const void *)address)->sin_addr
				    : &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
	return arena_strdup(arena, inet_ntop(address->sa_family, bytes, text, sizeof text));
}

size_t host_addresses(
	struct arena *arena, enum family family, char *const *cidrs, size_t n_cidrs, const char ***ret_ips)
{
	struct ifaddrs *all = NULL;
	size_t n = 0;
	*ret_ips = NULL;
	if (getifaddrs(&all) != 0)
		return 0;
	for (const struct ifaddrs *i = all; i; i = i->ifa_next) {
		const char *ip = address_text(arena, family, i->ifa_addr);
		if (!ip || cidr_contains("127.0.0.0/8", ip) || str_eq(ip, "::1"))
			continue;
		for (size_t j = 0; j < n_cidrs; j++) {
			if (!cidr_contains(cidrs[j], ip))
				continue;
			ARENA_PUSH(arena, *ret_ips, n) = ip;
			break;
		}
	}
	freeifaddrs(all);
	return n;
}

static struct status *write_number(const char *path, int64_t value)
{
	CLEANUP_FREE char *text = mem_printf("%lld", (long long)value);
	CLEANUP_FD int fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd < 0 ? status_errno(errno, "open %s", path) : io_write_all(fd, text, strlen(text));
}

static int64_t read_number(const char *path)
{
	CLEANUP_FREE char *text = NULL;
	size_t size = 0;
	int64_t value = -1;
	struct status *failed = io_read_file(path, 64, &text, &size);
	if (failed) {
		status_drop(failed, "the kernel has no such setting");
		return -1;
	}
	text[strcspn(text, "\n")] = '\0';
	return str_to_int64(text, INT64_MIN, INT64_MAX, &value) ? value : -1;
}

static void set(const char *path, int64_t value)
{
	int64_t now = read_number(path);
	if (value > 0 && now >= 0 && now != value)
		log_status(write_number(path, value), "Cannot set %s to %lld", path, (long long)value);
}

void host_tune(const struct proxy_options *o)
{
	int64_t cores = sysconf(_SC_NPROCESSORS_ONLN), max = o->conntrack_max_per_core * cores;
	static const char max_path[] = "/proc/sys/net/netfilter/nf_conntrack_max";
	if (max > 0 && max < o->conntrack_min)
		max = o->conntrack_min;
	if (max > 0 && read_number(max_path) >= 0 && read_number(max_path) < max)
		log_status(write_number(max_path, max), "Cannot set %s to %lld", max_path, (long long)max);
	set("/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_established", o->conntrack_established_ms / 1000);
	set("/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_close_wait", o->conntrack_close_wait_ms / 1000);
	set("/proc/sys/net/netfilter/nf_conntrack_udp_timeout", o->conntrack_udp_ms / 1000);
	set("/proc/sys/net/netfilter/nf_conntrack_udp_timeout_stream", o->conntrack_udp_stream_ms / 1000);
	if (o->conntrack_be_liberal)
		set("/proc/sys/net/netfilter/nf_conntrack_tcp_be_liberal", 1);
	static const char oom_path[] = "/proc/self/oom_score_adj";
	if (o->oom_score_adj >= -1000 && o->oom_score_adj <= 1000 && read_number(oom_path) != o->oom_score_adj) {
		/* A container may not be allowed to; the proxy works all the same. */
		CLEANUP_STATUS struct status *refused = write_number(oom_path, o->oom_score_adj);
		if (refused)
			log_v(2, "Cannot set %s: %s", oom_path, refused->message);
	}
}
