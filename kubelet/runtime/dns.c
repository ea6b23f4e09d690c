#include "base/io.h"
#include "base/log.h"
#include "base/str.h"
#include "kubelet/runtime/resolv.h"
#include "kubelet/runtime/runtime.h"

#define MAX_RESOLV_CONF_BYTES (10u << 20)

enum dns_source { DNS_HOST, DNS_CLUSTER, DNS_NONE };

static enum dns_source source_of(const struct pod *pod)
{
	const char *policy = pod_spec(pod)->dns_policy;
	if (str_eq(policy, "None"))
		return DNS_NONE;
	if (str_eq(policy, "Default") || (str_eq(policy, "ClusterFirst") && pod->host_network))
		return DNS_HOST;
	return DNS_CLUSTER;
}

static void read_host(struct kubelet *k, struct arena *arena, struct resolv *ret)
{
	*ret = (struct resolv){0};
	if (str_empty(k->settings->resolv_conf)) {
		resolv_add_unique(arena, &ret->servers, &ret->n_servers, "127.0.0.1");
		return;
	}
	CLEANUP_FREE char *text = NULL;
	size_t size;
	struct status *s = io_read_file(k->settings->resolv_conf, MAX_RESOLV_CONF_BYTES, &text, &size);
	if (s)
		log_status(s, "host DNS configuration");
	else
		resolv_parse(arena, text, ret);
}

static void cluster_first(struct kubelet *k, struct arena *arena, const struct pod *pod, struct resolv *r)
{
	struct resolv cluster = {0};
	const char *domain = k->settings->cluster_domain;
	for (size_t i = 0; i < k->settings->n_cluster_dns; i++)
		ARENA_PUSH(arena, cluster.servers, cluster.n_servers) = k->settings->cluster_dns[i];
	if (!str_empty(domain)) {
		const char *own[] = {arena_printf(arena, "%s.svc.%s", pod->namespace, domain),
			arena_printf(arena, "svc.%s", domain), domain};
		for (size_t i = 0; i < ARRAY_SIZE(own); i++)
			resolv_add_unique(arena, &cluster.searches, &cluster.n_searches, own[i]);
	}
	for (size_t i = 0; i < r->n_searches; i++)
		resolv_add_unique(arena, &cluster.searches, &cluster.n_searches, r->searches[i]);
	ARENA_PUSH(arena, cluster.options, cluster.n_options) = arena_strdup(arena, "ndots:5");
	*r = cluster;
}

CriDNSConfig *pod_dns(struct kubelet *k, struct arena *arena, const struct pod *pod)
{
	struct resolv r = {0};
	enum dns_source source = source_of(pod);
	if (source != DNS_NONE)
		read_host(k, arena, &r);
	if (source == DNS_CLUSTER && k->settings->n_cluster_dns)
		cluster_first(k, arena, pod, &r);
	else if (source == DNS_CLUSTER)
		kubelet_pod_event(k, pod, NULL, EVENT_WARNING, "MissingClusterDNS",
			"pod: \"%s\". kubelet does not have ClusterDNS IP configured and cannot create Pod using "
			"\"ClusterFirst\" policy. Falling back to \"Default\" policy.",
			pod_format(arena, pod));
	if (pod_spec(pod)->dns_config)
		resolv_apply(arena, &r, pod_spec(pod)->dns_config);
	const char *cut = resolv_limit(arena, &r);
	if (cut)
		kubelet_pod_event(k, pod, NULL, EVENT_WARNING, "DNSConfigForming", "%s", cut);
	CriDNSConfig *dns = RPC_NEW(arena, CriDNSConfig);
	dns->servers = r.servers;
	dns->n_servers = r.n_servers;
	dns->searches = r.searches;
	dns->n_searches = r.n_searches;
	dns->options = r.options;
	dns->n_options = r.n_options;
	return dns;
}
