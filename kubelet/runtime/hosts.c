#include "base/str.h"
#include "kubelet/runtime/runtime.h"

/* The first line of a pod's hosts file: programs look for it to know that the file is managed. */
#define HEADER "# Kubernetes-managed hosts file.\n"
#define HEADER_HOST_NETWORK "# Kubernetes-managed hosts file (host network).\n"

static void add_aliases(struct strbuf *out, const CoreV1PodSpec *spec)
{
	if (!spec->n_host_aliases)
		return;
	strbuf_adds(out, "\n# Entries added by HostAliases.\n");
	for (size_t i = 0; i < spec->n_host_aliases; i++) {
		const CoreV1HostAlias *alias = spec->host_aliases[i];
		strbuf_adds(out, alias->ip);
		for (size_t j = 0; j < alias->n_hostnames; j++)
			strbuf_printf(out, "\t%s", alias->hostnames[j]);
		strbuf_addc(out, '\n');
	}
}

char *hosts_file_text(struct arena *arena, const CoreV1PodSpec *spec, const char *const *ips, size_t n_ips,
	const char *hostname, const char *domain, const char *node_hosts)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	if (spec->host_network) {
		strbuf_adds(&out, HEADER_HOST_NETWORK);
		strbuf_adds(&out, node_hosts);
	} else {
		strbuf_adds(&out, HEADER "127.0.0.1\tlocalhost\n"
					 "::1\tlocalhost ip6-localhost ip6-loopback\n"
					 "fe00::0\tip6-localnet\n"
					 "fe00::0\tip6-mcastprefix\n"
					 "fe00::1\tip6-allnodes\n"
					 "fe00::2\tip6-allrouters\n");
		for (size_t i = 0; i < n_ips; i++) {
			if (domain[0])
				strbuf_printf(&out, "%s\t%s.%s\t%s\n", ips[i], hostname, domain, hostname);
			else
				strbuf_printf(&out, "%s\t%s\n", ips[i], hostname);
		}
	}
	add_aliases(&out, spec);
	return arena_strdup(arena, out.buf);
}
