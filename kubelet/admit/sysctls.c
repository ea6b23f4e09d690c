#include "base/str.h"
#include "kubelet/admit/admit_private.h"

/* Sysctls that belong to a namespace of the pod and touch nobody else: allowed without asking. */
static const char *const safe[] = {"kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies",
	"net.ipv4.ping_group_range", "net.ipv4.ip_unprivileged_port_start", "net.ipv4.ip_local_reserved_ports",
	"net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl",
	"net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem", NULL};

/* net/ipv4/conf and net.ipv4.conf are the same name: the second, where the first separator decides. */
static char *normalize(struct arena *arena, const char *name)
{
	char *copy = arena_strdup(arena, name);
	size_t first = strcspn(copy, "./");
	if (copy[first] == '/')
		for (char *c = copy; *c; c++)
			*c = *c == '/' ? '.' : *c == '.' ? '/' : *c;
	return copy;
}

/* A pattern of the configuration: a name, or the beginning of one with "*" behind it. */
static bool allowed(const struct admit_input *in, const char *name)
{
	if (str_in(name, safe))
		return true;
	for (size_t i = 0; i < in->n_unsafe_sysctls; i++) {
		const char *pattern = in->unsafe_sysctls[i];
		size_t len = strlen(pattern);
		if (len && pattern[len - 1] == '*' ? !strncmp(pattern, name, len - 1) : str_eq(pattern, name))
			return true;
	}
	return false;
}

const char *admit_forbidden_sysctl(struct arena *arena, const struct admit_input *in, const CoreV1PodSpec *spec)
{
	const CoreV1PodSecurityContext *sc = spec->security_context;
	for (size_t i = 0; sc && i < sc->n_sysctls; i++) {
		const char *name = normalize(arena, sc->sysctls[i]->name);
		if (!allowed(in, name))
			return arena_printf(arena, "forbidden sysctl: \"%s\" not allowlisted", name);
		bool net = str_starts_with(name, "net.");
		if (net ? spec->host_network : spec->host_ipc)
			return arena_printf(arena, "forbidden sysctl: \"%s\" not allowed with host %s enabled", name,
				net ? "Net" : "IPC");
	}
	return NULL;
}
