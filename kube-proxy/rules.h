/*
 * nftables rules as data: what one service needs, and the text that brings the kernel from one state to another.
 *
 * A service's rules are a fragment: chains (their rules as text), sets that remember clients, and elements of the maps
 * that the base rules look in. The fragment wanted is compared with the one installed, and only the difference is
 * written, all of it in one transaction.
 *
 * Names of chains, sets and maps are those of the original's nftables mode, so that either can take over from the
 * other.
 */
#ifndef KUBE_PROXY_RULES_H
#define KUBE_PROXY_RULES_H

#include "base/map.h"
#include "base/str.h"
#include "kube-proxy/model.h"

/* How traffic of pods of this node is told from other traffic. */
struct local_detector {
	bool known;
	char if_local[128], if_not_local[128]; /* match expressions */
};

struct rules_config {
	enum family family;
	bool masquerade_all;
	uint32_t masquerade_mark;
	struct local_detector local;
	struct topology topology;
	const char *node_ip; /* of the family; may be NULL */
	/* node addresses that accept NodePort traffic; NULL: all but loopback */
	const char **node_port_ips;
	size_t n_node_port_ips;
	bool all_node_port_ips;
	const char *service_cidrs; /* "10.96.0.0/12, …" or NULL */
};

/* Rules of one service. Keys of elements: "map|key"; of sets: the name, the value being the timeout. */
struct fragment {
	struct strmap *chains;	 /* name -> rules, one a line, each with the chain's name left out */
	struct strmap *sets;	 /* name -> timeout in seconds as text */
	struct strmap *elements; /* "map|key" -> value ("" in a set) */
};

struct fragment *fragment_new(void);
void fragment_free(struct fragment *f);
DEFINE_CLEANUP(struct fragment *, fragment_free)

/* What a service needs; model NULL: nothing. */
struct fragment *fragment_make(
	struct arena *arena, const struct rules_config *config, const struct service_model *model);

/* A transaction in the making: sections are written in an order in which everything exists before it is named. */
struct rules_change {
	struct strbuf create, rules, remove_elements, add_elements, cleanup;
	size_t n_changes;
	/* chains that are of no more use, to be removed once nothing in the kernel refers to them */
	char **stale;
	size_t n_stale, cap_stale;
};

void rules_change_init(struct rules_change *c);
void rules_change_done(struct rules_change *c);
/* Base chains, maps and the jumps between them. */
void rules_write_base(struct rules_change *c, const struct rules_config *config);
/* From one fragment to another (either may be NULL). */
void rules_write_diff(
	struct rules_change *c, enum family family, const struct fragment *from, const struct fragment *to);
/* The whole text; valid until the change is used again. */
char *rules_change_text(struct rules_change *c);

const char *rules_family_name(enum family family); /* "ip", "ip6" */
/* The part that service and endpoint names share: 8 characters of a hash, and the name itself. */
char *rules_name(struct arena *arena, const char *prefix, const char *text);

#define RULES_TABLE "kube-proxy"

#endif
