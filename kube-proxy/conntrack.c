#include "kube-proxy/conntrack.h"
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include "base/mem.h"
#include "base/str.h"

enum { REQUEST_SIZE = 1024, RECEIVE_SIZE = 32768, MAX_TUPLE = 256 };

/* The original direction of a flow as the kernel wrote it: what identifies it for removal. */
struct doomed {
	unsigned char tuple[MAX_TUPLE];
	size_t size;
};

struct dump {
	enum family family;
	bool (*keep)(void *data, const struct udp_flow *flow);
	void *data;
	struct doomed *doomed;
	size_t n_doomed, cap_doomed;
};

struct side {
	char from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN];
	int32_t from_port, to_port;
	uint8_t protocol;
};

static void take_address(const struct nlattr *attr, enum family family, char text[static INET6_ADDRSTRLEN])
{
	size_t size = family == FAMILY_IPV4 ? 4 : 16;
	if (mnl_attr_get_payload_len(attr) == size)
		inet_ntop(
			family == FAMILY_IPV4 ? AF_INET : AF_INET6, mnl_attr_get_payload(attr), text, INET6_ADDRSTRLEN);
}

static void take_ip(const struct nlattr *nest, enum family family, struct side *side)
{
	const struct nlattr *attr;
	mnl_attr_for_each_nested(attr, nest)
	{
		int type = mnl_attr_get_type(attr);
		if (type == CTA_IP_V4_SRC || type == CTA_IP_V6_SRC)
			take_address(attr, family, side->from);
		else if (type == CTA_IP_V4_DST || type == CTA_IP_V6_DST)
			take_address(attr, family, side->to);
	}
}

static void take_proto(const struct nlattr *nest, struct side *side)
{
	const struct nlattr *attr;
	mnl_attr_for_each_nested(attr, nest)
	{
		int type = mnl_attr_get_type(attr);
		if (type == CTA_PROTO_NUM && mnl_attr_get_payload_len(attr) >= 1)
			side->protocol = mnl_attr_get_u8(attr);
		else if (type == CTA_PROTO_SRC_PORT && mnl_attr_get_payload_len(attr) >= 2)
			side->from_port = ntohs(mnl_attr_get_u16(attr));
		else if (type == CTA_PROTO_DST_PORT && mnl_attr_get_payload_len(attr) >= 2)
			side->to_port = ntohs(mnl_attr_get_u16(attr));
	}
}

static void take_tuple(const struct nlattr *nest, enum family family, struct side *side)
{
	const struct nlattr *attr;
	mnl_attr_for_each_nested(attr, nest)
	{
		if (mnl_attr_get_type(attr) == CTA_TUPLE_IP)
			take_ip(attr, family, side);
		else if (mnl_attr_get_type(attr) == CTA_TUPLE_PROTO)
			take_proto(attr, side);
	}
}

static int take_flow(const struct nlmsghdr *message, void *data)
{
	struct dump *dump = data;
	struct side there = {0}, back = {0};
	const struct nlattr *attr, *original = NULL;
	mnl_attr_for_each(attr, message, sizeof(struct nfgenmsg))
	{
		if (mnl_attr_get_type(attr) == CTA_TUPLE_ORIG) {
			original = attr;
			take_tuple(attr, dump->family, &there);
		} else if (mnl_attr_get_type(attr) == CTA_TUPLE_REPLY) {
			take_tuple(attr, dump->family, &back);
		}
	}
	if (!original || there.protocol != IPPROTO_UDP || mnl_attr_get_payload_len(original) > MAX_TUPLE)
		return MNL_CB_OK;
	const struct udp_flow flow = {dump->family, there.to, there.to_port, back.from, back.from_port};
	if (dump->keep(dump->data, &flow))
		return MNL_CB_OK;
	mem_grow(&dump->doomed, &dump->cap_doomed, dump->n_doomed + 1, sizeof *dump->doomed);
	struct doomed *doomed = &dump->doomed[dump->n_doomed++];
	doomed->size = mnl_attr_get_payload_len(original);
	memcpy(doomed->tuple, mnl_attr_get_payload(original), doomed->size);
	return MNL_CB_OK;
}

static struct nlmsghdr *begin(char *buf, enum family family, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buf);
	message->nlmsg_type = (uint16_t)(NFNL_SUBSYS_CTNETLINK << 8 | type);
	message->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	struct nfgenmsg *header = mnl_nlmsg_put_extra_header(message, sizeof *header);
	header->nfgen_family = family == FAMILY_IPV4 ? AF_INET : AF_INET6;
	header->version = NFNETLINK_V0;
	return message;
}

static struct status *exchange(struct mnl_socket *socket, struct nlmsghdr *message, mnl_cb_t fn, void *data)
{
	CLEANUP_FREE char *buf = mem_alloc(RECEIVE_SIZE);
	unsigned port = mnl_socket_get_portid(socket);
	static const unsigned sequence = 1;
	message->nlmsg_seq = sequence;
	if (mnl_socket_sendto(socket, message, message->nlmsg_len) < 0)
		return status_errno(errno, "conntrack: send");
	for (;;) {
		ssize_t n = mnl_socket_recvfrom(socket, buf, RECEIVE_SIZE);
		if (n < 0)
			return status_errno(errno, "conntrack: receive");
		int more = mnl_cb_run(buf, (size_t)n, sequence, port, fn, data);
		if (more < 0)
			return status_errno(errno, "conntrack");
		if (more == MNL_CB_STOP)
			return NULL;
	}
}

static size_t remove_doomed(struct mnl_socket *socket, const struct dump *dump)
{
	size_t removed = 0;
	for (size_t i = 0; i < dump->n_doomed; i++) {
		char buf[REQUEST_SIZE];
		struct nlmsghdr *message = begin(buf, dump->family, IPCTNL_MSG_CT_DELETE, NLM_F_ACK);
		mnl_attr_put(message, NLA_F_NESTED | CTA_TUPLE_ORIG, dump->doomed[i].size, dump->doomed[i].tuple);
		struct status *failed = exchange(socket, message, NULL, NULL);
		removed += !failed;
		status_drop(failed, "the flow ended by itself");
	}
	return removed;
}

static void close_socket(struct mnl_socket **socket)
{
	if (*socket)
		mnl_socket_close(*socket);
}

struct status *conntrack_clean_udp(
	enum family family, bool (*keep)(void *data, const struct udp_flow *flow), void *data, size_t *ret_removed)
{
	char buf[REQUEST_SIZE];
	struct dump dump = {.family = family, .keep = keep, .data = data};
	CLEANUP(close_socket) struct mnl_socket *socket = mnl_socket_open(NETLINK_NETFILTER);
	if (!socket || mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0)
		return status_errno(errno, "conntrack: open netlink socket");
	struct nlmsghdr *message = begin(buf, family, IPCTNL_MSG_CT_GET, NLM_F_DUMP);
	struct status *failed = exchange(socket, message, take_flow, &dump);
	size_t removed = failed ? 0 : remove_doomed(socket, &dump);
	free(dump.doomed);
	if (ret_removed)
		*ret_removed = removed;
	return failed;
}
