/* The rules of one service. */
#include <openssl/sha.h>
#include "base/mem.h"
#include "kube-proxy/rules.h"

enum {
	MAX_NAME_BASE = 240,
	/* Up to so many endpoints are drawn one after the other: a map of its own costs the kernel more than a few
	   comparisons. */
	MAX_LINEAR = 4,
};

struct fragment *fragment_new(void)
{
	struct fragment *f = mem_zalloc(sizeof *f);
	f->chains = strmap_new(free);
	f->sets = strmap_new(free);
	f->elements = strmap_new(free);
	return f;
}

void fragment_free(struct fragment *f)
{
	if (!f)
		return;
	strmap_free(f->chains);
	strmap_free(f->sets);
	strmap_free(f->elements);
	free(f);
}

char *rules_name(struct arena *arena, const char *prefix, const char *text)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	unsigned char hash[SHA256_DIGEST_LENGTH];
	char code[9] = "";
	SHA256((const unsigned char *)text, strlen(text), hash);
	uint64_t bits = 0;
	for (int i = 0; i < 5; i++)
		bits = bits << 8 | hash[i];
	for (int i = 7; i >= 0; i--, bits >>= 5)
		code[i] = alphabet[bits & 31];
	char *base = arena_printf(arena, "%s-%s", code, text);
	if (strlen(base) > MAX_NAME_BASE)
		base = arena_printf(arena, "%.*s...", MAX_NAME_BASE - 3, base);
	return arena_printf(arena, "%s%s", prefix, base);
}

/* One service port being written. */
struct writer {
	struct arena *arena;
	const struct rules_config *config;
	const struct port_model *port;
	struct fragment *out;
	struct endpoint_choice choice;
	const char *ip; /* "ip" or "ip6" */
	const char *cluster_chain, *local_chain, *external_chain, *firewall_chain;
};

static void chain_put(struct writer *w, const char *name, struct strbuf *rules)
{
	strmap_put(w->out->chains, name, strbuf_steal(rules));
}

static void element_put(struct writer *w, const char *map, const char *key, const char *value)
{
	CLEANUP_FREE char *id = mem_printf("%s|%s", map, key);
	strmap_put(w->out->elements, id, mem_strdup(value));
}

static void address_element(struct writer *w, const char *map, const char *ip, const char *value)
{
	element_put(w, map, arena_printf(w->arena, "%s . %s . %d", ip, w->port->protocol, w->port->port), value);
}

static void node_port_element(struct writer *w, const char *map, const char *value)
{
	element_put(w, map, arena_printf(w->arena, "%s . %d", w->port->protocol, w->port->node_port), value);
}

static char *goto_chain(struct writer *w, const char *chain)
{
	return arena_printf(w->arena, "goto %s", chain);
}

static char *endpoint_name(struct writer *w, const char *prefix, const struct endpoint *e)
{
	char *ip = arena_strdup(w->arena, e->ip);
	for (char *c = ip; *c; c++) {
		if (*c == ':')
			*c = '.';
	}
	return rules_name(w->arena, prefix,
		arena_printf(w->arena, "%s/%s/%s/%s__%s/%d", w->port->namespace_, w->port->name, w->port->protocol,
			w->port->port_name, ip, e->port));
}

/* An endpoint that talks to its own service would otherwise get answers from an address it did not ask. */
static void write_endpoint(struct writer *w, const struct endpoint *e)
{
	struct strbuf rules = STRBUF_INIT;
	strbuf_printf(&rules, "%s saddr %s jump mark-for-masquerade\n", w->ip, e->ip);
	if (w->port->affinity_seconds) {
		const char *set = endpoint_name(w, "affinity-", e);
		strmap_put(w->out->sets, set, mem_printf("%d", w->port->affinity_seconds));
		strbuf_printf(&rules, "update @%s { %s saddr }\n", set, w->ip);
	}
	strbuf_printf(&rules, "meta l4proto %s dnat to %s\n", w->port->protocol, ip_port(w->arena, e->ip, e->port));
	chain_put(w, endpoint_name(w, "endpoint-", e), &rules);
}

/* A client that was here before goes where it went; others go to a random endpoint. */
static void write_spread(struct writer *w, struct strbuf *rules, const struct endpoint **endpoints, size_t n)
{
	for (size_t i = 0; w->port->affinity_seconds && i < n; i++)
		strbuf_printf(rules, "%s saddr @%s goto %s\n", w->ip, endpoint_name(w, "affinity-", endpoints[i]),
			endpoint_name(w, "endpoint-", endpoints[i]));
	if (n <= MAX_LINEAR) {
		for (size_t i = 0; i + 1 < n; i++)
			strbuf_printf(rules, "numgen random mod %zu 0 goto %s\n", n - i,
				endpoint_name(w, "endpoint-", endpoints[i]));
		strbuf_printf(rules, "goto %s\n", endpoint_name(w, "endpoint-", endpoints[n - 1]));
		return;
	}
	strbuf_printf(rules, "numgen random mod %zu vmap { ", n);
	for (size_t i = 0; i < n; i++)
		strbuf_printf(rules, "%s%zu : goto %s", i ? ", " : "", i, endpoint_name(w, "endpoint-", endpoints[i]));
	strbuf_adds(rules, " }\n");
}

/* Traffic to the cluster IP from outside the pods is masqueraded, so that the answer comes back this way. */
static void write_internal_masquerade(struct writer *w, struct strbuf *rules)
{
	if (w->config->masquerade_all)
		strbuf_printf(rules, "%s daddr %s jump mark-for-masquerade\n", w->ip, w->port->cluster_ip);
	else if (w->config->local.known)
		strbuf_printf(rules, "%s daddr %s %s jump mark-for-masquerade\n", w->ip, w->port->cluster_ip,
			w->config->local.if_not_local);
}

static void write_policies(struct writer *w, bool internal_reachable)
{
	const struct port_model *port = w->port;
	if (w->choice.n_cluster && port_uses_cluster_endpoints(port)) {
		struct strbuf rules = STRBUF_INIT;
		if (!port->internal_local && internal_reachable)
			write_internal_masquerade(w, &rules);
		write_spread(w, &rules, w->choice.cluster, w->choice.n_cluster);
		chain_put(w, w->cluster_chain, &rules);
	}
	if (w->choice.n_local && port_uses_local_endpoints(port)) {
		struct strbuf rules = STRBUF_INIT;
		if (port->internal_local && internal_reachable)
			write_internal_masquerade(w, &rules);
		write_spread(w, &rules, w->choice.local, w->choice.n_local);
		chain_put(w, w->local_chain, &rules);
	}
}

/*
 * Traffic from outside. Under the cluster policy it is masqueraded. Under the local policy its source is kept; traffic
 * of pods and of this node itself takes the cluster's endpoints, as if it had used the cluster IP.
 */
static void write_external(struct writer *w, bool reachable)
{
	const struct port_model *port = w->port;
	struct strbuf rules = STRBUF_INIT;
	bool has_cluster = w->choice.n_cluster > 0;
	if (!port->external_local) {
		strbuf_adds(&rules, "jump mark-for-masquerade\n");
	} else if (has_cluster) {
		if (w->config->local.known)
			strbuf_printf(&rules, "%s goto %s comment \"short-circuit pod traffic\"\n",
				w->config->local.if_local, w->cluster_chain);
		strbuf_adds(
			&rules, "fib saddr type local jump mark-for-masquerade comment \"masquerade local traffic\"\n");
		strbuf_printf(&rules, "fib saddr type local goto %s comment \"short-circuit local traffic\"\n",
			w->cluster_chain);
	}
	if (reachable && (port->external_local ? w->choice.n_local : w->choice.n_cluster))
		strbuf_printf(&rules, "goto %s\n", port->external_local ? w->local_chain : w->cluster_chain);
	chain_put(w, w->external_chain, &rules);
}

static void write_firewall(struct writer *w)
{
	const struct port_model *port = w->port;
	struct strbuf rules = STRBUF_INIT;
	bool from_node = false;
	strbuf_printf(&rules, "%s saddr != { ", w->ip);
	for (size_t i = 0; i < port->n_source_ranges; i++) {
		strbuf_printf(&rules, "%s%s", i ? ", " : "", port->source_ranges[i]);
		from_node |= w->config->node_ip && cidr_contains(port->source_ranges[i], w->config->node_ip);
	}
	for (size_t i = 0; from_node && i < port->n_load_balancer_ips; i++)
		strbuf_printf(&rules, ", %s", port->load_balancer_ips[i]);
	strbuf_adds(&rules, " } drop\n");
	chain_put(w, w->firewall_chain, &rules);
	for (size_t i = 0; i < port->n_load_balancer_ips; i++)
		address_element(w, "firewall-ips", port->load_balancer_ips[i], goto_chain(w, w->firewall_chain));
}

static void write_external_addresses(struct writer *w, bool reachable)
{
	const struct port_model *port = w->port;
	const char *to = goto_chain(w, w->external_chain);
	const char *refuse = w->choice.any ? "drop" : "goto reject-chain";
	const struct {
		const char **ips;
		size_t n;
	} lists[] = {{port->external_ips, port->n_external_ips}, {port->load_balancer_ips, port->n_load_balancer_ips}};
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		for (size_t j = 0; j < lists[i].n; j++) {
			if (w->choice.any)
				address_element(w, "service-ips", lists[i].ips[j], to);
			if (!reachable)
				address_element(w, "no-endpoint-services", lists[i].ips[j], refuse);
		}
	}
	if (!port->node_port)
		return;
	if (w->choice.any)
		node_port_element(w, "service-nodeports", to);
	if (!reachable)
		node_port_element(w, "no-endpoint-nodeports", refuse);
}

static void write_port(struct writer *w)
{
	const struct port_model *port = w->port;
	const struct endpoint_choice *choice = &w->choice;
	bool internal = choice->any && (!port->internal_local || choice->n_local);
	bool external = choice->any && (!port->external_local || choice->n_local);
	const char *refuse = choice->any ? "drop" : "goto reject-chain";
	for (size_t i = 0; i < choice->n_reachable; i++)
		write_endpoint(w, choice->reachable[i]);
	write_policies(w, internal);
	element_put(w, "cluster-ips", port->cluster_ip, "");
	if (internal)
		address_element(w, "service-ips", port->cluster_ip,
			goto_chain(w, port->internal_local ? w->local_chain : w->cluster_chain));
	else
		address_element(w, "no-endpoint-services", port->cluster_ip, refuse);
	if (choice->any && port_externally_accessible(port))
		write_external(w, external);
	write_external_addresses(w, external);
	if (port->n_load_balancer_ips && port->n_source_ranges)
		write_firewall(w);
}

struct fragment *fragment_make(
	struct arena *arena, const struct rules_config *config, const struct service_model *model)
{
	struct fragment *out = fragment_new();
	for (size_t i = 0; model && i < model->n_ports; i++) {
		const struct port_model *port = &model->ports[i];
		const char *name = arena_printf(
			arena, "%s/%s/%s/%s", port->namespace_, port->name, port->protocol, port->port_name);
		struct writer w = {
			.arena = arena,
			.config = config,
			.port = port,
			.out = out,
			.choice = endpoints_choose(arena, port, &config->topology),
			.ip = rules_family_name(config->family),
			.cluster_chain = rules_name(arena, "service-", name),
			.local_chain = rules_name(arena, "local-", name),
			.external_chain = rules_name(arena, "external-", name),
			.firewall_chain = rules_name(arena, "firewall-", name),
		};
		write_port(&w);
	}
	return out;
}
