/* The text of transactions: the base rules, and the difference between two fragments. */
#include "kube-proxy/rules.h"
#include "base/mem.h"

const char *rules_family_name(enum family family)
{
	return family == FAMILY_IPV4 ? "ip" : "ip6";
}

void rules_change_init(struct rules_change *c)
{
	memset(c, 0, sizeof *c);
	struct strbuf *const parts[] = {&c->create, &c->rules, &c->remove_elements, &c->add_elements, &c->cleanup};
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		strbuf_init(parts[i]);
}

void rules_change_done(struct rules_change *c)
{
	struct strbuf *const parts[] = {&c->create, &c->rules, &c->remove_elements, &c->add_elements, &c->cleanup};
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		strbuf_done(parts[i]);
	for (size_t i = 0; i < c->n_stale; i++)
		free(c->stale[i]);
	free(c->stale);
}

char *rules_change_text(struct rules_change *c)
{
	strbuf_add(&c->create, c->rules.buf, c->rules.len);
	strbuf_add(&c->create, c->remove_elements.buf, c->remove_elements.len);
	strbuf_add(&c->create, c->add_elements.buf, c->add_elements.len);
	strbuf_add(&c->create, c->cleanup.buf, c->cleanup.len);
	return c->create.buf;
}

/* --- base --- */

struct base_chain {
	const char *name, *type, *hook;
	int priority;
};

static const struct base_chain base_chains[] = {
	{"filter-prerouting-pre-dnat", "filter", "prerouting", -110},
	{"filter-output-pre-dnat", "filter", "output", -110},
	{"filter-input", "filter", "input", 0},
	{"filter-forward", "filter", "forward", 0},
	{"filter-output", "filter", "output", 0},
	{"nat-prerouting", "nat", "prerouting", -100},
	{"nat-output", "nat", "output", -100},
	{"nat-postrouting", "nat", "postrouting", 100},
};

static const char *const helper_chains[] = {"services", "service-endpoints-check", "nodeport-endpoints-check",
	"reject-chain", "cluster-ips-check", "firewall-check", "mark-for-masquerade", "masquerading"};

struct jump {
	const char *from, *match, *to;
};

static const struct jump jumps[] = {
	{"filter-input", "ct state new ", "nodeport-endpoints-check"},
	{"filter-input", "ct state new ", "service-endpoints-check"},
	{"filter-forward", "ct state new ", "service-endpoints-check"},
	{"filter-output", "ct state new ", "service-endpoints-check"},
	{"filter-prerouting-pre-dnat", "ct state new ", "firewall-check"},
	{"filter-output-pre-dnat", "ct state new ", "firewall-check"},
	{"nat-output", "", "services"},
	{"nat-prerouting", "", "services"},
	{"nat-postrouting", "", "masquerading"},
	{"filter-forward", "ct state new ", "cluster-ips-check"},
	{"filter-output", "ct state new ", "cluster-ips-check"},
};

struct base_map {
	const char *kind, *name, *key, *value; /* key: %s is the address type */
};

static const struct base_map base_maps[] = {
	{"set", "cluster-ips", "%s", ""},
	{"map", "no-endpoint-services", "%s . inet_proto . inet_service", " : verdict"},
	{"map", "no-endpoint-nodeports", "inet_proto . inet_service", " : verdict"},
	{"map", "firewall-ips", "%s . inet_proto . inet_service", " : verdict"},
	{"map", "service-ips", "%s . inet_proto . inet_service", " : verdict"},
	{"map", "service-nodeports", "inet_proto . inet_service", " : verdict"},
};

static const char *address_type(enum family family)
{
	return family == FAMILY_IPV4 ? "ipv4_addr" : "ipv6_addr";
}

static void write_maps(struct rules_change *c, enum family family)
{
	const char *f = rules_family_name(family);
	for (size_t i = 0; i < ARRAY_SIZE(base_maps); i++) {
		const struct base_map *m = &base_maps[i];
		bool has_address = m->key[0] == '%';
		strbuf_printf(&c->create, "add %s %s %s %s { type %s%s%s ; }\n", m->kind, f, RULES_TABLE, m->name,
			has_address ? address_type(family) : "", has_address ? m->key + 2 : m->key, m->value);
		strbuf_printf(&c->create, "flush %s %s %s %s\n", m->kind, f, RULES_TABLE, m->name);
	}
}

static void rule(struct rules_change *c, const struct rules_config *config, const char *chain, const char *text)
{
	strbuf_printf(&c->rules, "add rule %s %s %s %s\n", rules_family_name(config->family), RULES_TABLE, chain, text);
}

static void write_masquerade(struct rules_change *c, const struct rules_config *config)
{
	CLEANUP_FREE char *set = mem_printf("mark set mark or 0x%x", config->masquerade_mark);
	CLEANUP_FREE char *test = mem_printf("mark and 0x%x == 0 return", config->masquerade_mark);
	CLEANUP_FREE char *clear = mem_printf("mark set mark xor 0x%x", config->masquerade_mark);
	rule(c, config, "mark-for-masquerade", set);
	rule(c, config, "masquerading", test);
	rule(c, config, "masquerading", clear);
	rule(c, config, "masquerading", "masquerade fully-random");
}

static void write_node_ports(struct rules_change *c, const struct rules_config *config)
{
	const char *f = rules_family_name(config->family);
	bool all = config->all_node_port_ips;
	strbuf_printf(&c->create, "add set %s %s nodeport-ips { type %s ; }\nflush set %s %s nodeport-ips\n", f,
		RULES_TABLE, address_type(config->family), f, RULES_TABLE);
	for (size_t i = 0; !all && i < config->n_node_port_ips; i++)
		strbuf_printf(&c->add_elements, "add element %s %s nodeport-ips { %s }\n", f, RULES_TABLE,
			config->node_port_ips[i]);
	const char *not_loopback = config->family == FAMILY_IPV4 ? "ip daddr != 127.0.0.0/8" : "ip6 daddr != ::1";
	CLEANUP_FREE char *listed = mem_printf("%s daddr @nodeport-ips", f);
	CLEANUP_FREE char *check =
		mem_printf("%s meta l4proto . th dport vmap @no-endpoint-nodeports", all ? not_loopback : listed);
	CLEANUP_FREE char *go = mem_printf("%s%s meta l4proto . th dport vmap @service-nodeports",
		all ? "fib daddr type local " : "", all ? not_loopback : listed);
	rule(c, config, "nodeport-endpoints-check", check);
	rule(c, config, "services", go);
}

static void write_cluster_ips(struct rules_change *c, const struct rules_config *config)
{
	const char *f = rules_family_name(config->family);
	CLEANUP_FREE char *refuse = mem_printf("%s daddr @cluster-ips reject", f);
	rule(c, config, "cluster-ips-check", refuse);
	if (!str_empty(config->service_cidrs)) {
		CLEANUP_FREE char *drop = mem_printf("%s daddr { %s } drop", f, config->service_cidrs);
		rule(c, config, "cluster-ips-check", drop);
	}
}

void rules_write_base(struct rules_change *c, const struct rules_config *config)
{
	const char *f = rules_family_name(config->family);
	c->n_changes++;
	strbuf_printf(&c->create, "add table %s %s { comment \"rules for kube-proxy\" ; }\n", f, RULES_TABLE);
	for (size_t i = 0; i < ARRAY_SIZE(base_chains); i++) {
		const struct base_chain *b = &base_chains[i];
		strbuf_printf(&c->create,
			"add chain %s %s %s { type %s hook %s priority %d ; }\nflush chain %s %s %s\n", f, RULES_TABLE,
			b->name, b->type, b->hook, b->priority, f, RULES_TABLE, b->name);
	}
	for (size_t i = 0; i < ARRAY_SIZE(helper_chains); i++)
		strbuf_printf(&c->create, "add chain %s %s %s\nflush chain %s %s %s\n", f, RULES_TABLE,
			helper_chains[i], f, RULES_TABLE, helper_chains[i]);
	write_maps(c, config->family);
	for (size_t i = 0; i < ARRAY_SIZE(jumps); i++) {
		CLEANUP_FREE char *text = mem_printf("%sjump %s", jumps[i].match, jumps[i].to);
		rule(c, config, jumps[i].from, text);
	}
	write_masquerade(c, config);
	write_cluster_ips(c, config);
	rule(c, config, "reject-chain", "reject");
	static const char *const lookups[][2] = {{"service-endpoints-check", "no-endpoint-services"},
		{"firewall-check", "firewall-ips"}, {"services", "service-ips"}};
	for (size_t i = 0; i < ARRAY_SIZE(lookups); i++) {
		CLEANUP_FREE char *text = mem_printf("%s daddr . meta l4proto . th dport vmap @%s", f, lookups[i][1]);
		rule(c, config, lookups[i][0], text);
	}
	write_node_ports(c, config);
}

/* --- difference --- */

static void write_chain(struct rules_change *c, const char *f, const char *name, const char *text, bool is_new)
{
	c->n_changes++;
	if (is_new)
		strbuf_printf(&c->create, "add chain %s %s %s\n", f, RULES_TABLE, name);
	strbuf_printf(&c->create, "flush chain %s %s %s\n", f, RULES_TABLE, name);
	for (const char *line = text, *end; *line; line = end + 1) {
		end = strchr(line, '\n');
		strbuf_printf(&c->rules, "add rule %s %s %s %.*s\n", f, RULES_TABLE, name, (int)(end - line), line);
	}
}

/* rewrite: every chain, changed or not. */
static void write_chains(
	struct rules_change *c, const char *f, const struct fragment *from, const struct fragment *to, bool rewrite)
{
	if (to) {
		STRMAP_FOREACH (to->chains, it) {
			const char *old = from ? strmap_get(from->chains, it.key) : NULL;
			if (rewrite || !old || strcmp(old, it.value) != 0)
				write_chain(c, f, it.key, it.value, !old);
		}
	}
	if (!from)
		return;
	STRMAP_FOREACH (from->chains, it) {
		if (to && strmap_has(to->chains, it.key))
			continue;
		c->n_changes++;
		strbuf_printf(&c->create, "flush chain %s %s %s\n", f, RULES_TABLE, it.key);
		mem_grow(&c->stale, &c->cap_stale, c->n_stale + 1, sizeof *c->stale);
		c->stale[c->n_stale++] = mem_strdup(it.key);
	}
}

static void write_sets(
	struct rules_change *c, enum family family, const struct fragment *from, const struct fragment *to)
{
	const char *f = rules_family_name(family);
	if (to) {
		STRMAP_FOREACH (to->sets, it) {
			const char *old = from ? strmap_get(from->sets, it.key) : NULL;
			if (old && !strcmp(old, it.value))
				continue;
			c->n_changes++;
			strbuf_printf(&c->create,
				"add set %s %s %s { type %s ; flags dynamic,timeout ; timeout %ss ; }\n", f,
				RULES_TABLE, it.key, address_type(family), (const char *)it.value);
		}
	}
	if (!from)
		return;
	STRMAP_FOREACH (from->sets, it) {
		if (to && strmap_has(to->sets, it.key))
			continue;
		c->n_changes++;
		strbuf_printf(&c->cleanup, "delete set %s %s %s\n", f, RULES_TABLE, it.key);
	}
}

static void write_element(struct strbuf *out, const char *verb, const char *f, const char *id, const char *value)
{
	const char *bar = strchr(id, '|');
	strbuf_printf(out, "%s element %s %s %.*s { %s%s%s }\n", verb, f, RULES_TABLE, (int)(bar - id), id, bar + 1,
		str_empty(value) ? "" : " : ", str_or_empty(value));
}

static void write_elements(
	struct rules_change *c, const char *f, const struct fragment *from, const struct fragment *to)
{
	if (from) {
		STRMAP_FOREACH (from->elements, it) {
			const char *wanted = to ? strmap_get(to->elements, it.key) : NULL;
			if (wanted && !strcmp(wanted, it.value))
				continue;
			c->n_changes++;
			write_element(&c->remove_elements, "delete", f, it.key, NULL);
		}
	}
	if (!to)
		return;
	STRMAP_FOREACH (to->elements, it) {
		const char *old = from ? strmap_get(from->elements, it.key) : NULL;
		if (old && !strcmp(old, it.value))
			continue;
		c->n_changes++;
		write_element(&c->add_elements, "add", f, it.key, it.value);
	}
}

/* A set's timeout cannot be changed: it is made anew, for which no rule may refer to it. */
static bool timeouts_differ(const struct fragment *from, const struct fragment *to)
{
	if (!from || !to)
		return false;
	STRMAP_FOREACH (to->sets, it) {
		const char *old = strmap_get(from->sets, it.key);
		if (old && strcmp(old, it.value) != 0)
			return true;
	}
	return false;
}

void rules_write_diff(
	struct rules_change *c, enum family family, const struct fragment *from, const struct fragment *to)
{
	const char *f = rules_family_name(family);
	write_chains(c, f, from, to, timeouts_differ(from, to));
	write_sets(c, family, from, to);
	write_elements(c, f, from, to);
}
