/*
 * The node ports of Services: one bit map for the whole cluster, stored in etcd as the original stores it (a
 * RangeAllocation under ranges/servicenodeports) and changed by compare-and-swap, so that every server of the cluster,
 * those of the original among them, takes from the same.
 *
 *	struct node_ports *ports = node_ports_new(etcd, "/registry", 30000, 32767);
 *	int32_t wanted[] = {30080, 0};
 *	TRY(node_ports_take(ports, wanted, 2, &failed));     // 0 becomes a free one; all of them or none
 *
 * Threads: any; one lock. Everything here blocks.
 */
#ifndef APISERVER_ALLOC_NODE_PORTS_H
#define APISERVER_ALLOC_NODE_PORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "apiserver/store/etcd.h"
#include "base/status.h"
#include "base/str.h"

struct node_ports;

struct node_ports *node_ports_new(struct etcd *etcd, const char *prefix, int32_t first, int32_t last);
/* FIRST-LAST. */
char *node_ports_range(const struct node_ports *ports, struct arena *arena);

/*
 * Takes all or none. A port of 0 is any, and is set to the one taken. On failure *ret_failed is the index of the port
 * that was refused (n when it was not a port's fault): Conflict "provided port is already allocated", BadRequest
 * outside the range, InternalError when the range is full.
 */
struct status *node_ports_take(struct node_ports *ports, int32_t *wanted, size_t n, size_t *ret_failed) MUST_USE;
/* What taking them would answer now. */
struct status *node_ports_probe(struct node_ports *ports, int32_t *wanted, size_t n, size_t *ret_failed) MUST_USE;
/* A dry run's, which takes nothing and asks for no range; any becomes a number that nobody has, as far as that goes. */
struct status *node_ports_pretend(struct node_ports *ports, int32_t *wanted, size_t n, size_t *ret_failed) MUST_USE;
/* What is taken, as metrics. */
void node_ports_write_metrics(struct node_ports *ports, struct strbuf *out);
/* What is not taken, or not of the range, is no matter. A failure leaves them taken until the repair, and is logged. */
void node_ports_release(struct node_ports *ports, const int32_t *taken, size_t n);

/* A port that a Service uses, and what the repair finds wrong with it. */
struct node_port_use {
	int32_t port;
	enum node_port_fault {
		NODE_PORT_RIGHT,
		NODE_PORT_NOT_TAKEN,
		NODE_PORT_TAKEN_TWICE,
		NODE_PORT_OUT_OF_RANGE
	} fault;
};

/*
 * Puts right what a crash or a foreign hand left different: in_use tells the ports of all Services that there are, read
 * at least as late as the call began; it learns in its array what is wrong with them. What is in use becomes taken;
 * what is taken without use is given back when a few repairs in a row have found it so, since its Service may be about
 * to be written. Makes the stored map when there is none.
 */
struct status *node_ports_repair(struct node_ports *ports, struct arena *arena,
	struct status *(*in_use)(void *data, struct arena *arena, struct node_port_use **ret_uses, size_t *ret_n),
	void *data) MUST_USE;

#endif
