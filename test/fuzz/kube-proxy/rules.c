/*
 * Two states of a service and its endpoints as rules of nftables: the transaction from nothing to the first, from there
 * to the second, and away again. What is written parses, as nft itself checks it, where a network namespace of our own
 * can be had.
 */
#include <nftables/libnftables.h>
#include <sched.h>
#include "kube-proxy/options.h"
#include "test/fuzz/object.h"

/* NULL where the kernel lets us have no namespace. */
static struct nft_ctx *checker(void)
{
	static struct nft_ctx *ctx; /* made once */
	static bool tried;

	if (!tried && (!unshare(CLONE_NEWNET) || !unshare(CLONE_NEWUSER | CLONE_NEWNET))) {
		ctx = nft_ctx_new(NFT_CTX_DEFAULT);
		nft_ctx_set_dry_run(ctx, true);
		nft_ctx_buffer_output(ctx);
		nft_ctx_buffer_error(ctx);
	}
	tried = true;
	return ctx;
}

static void parses(const char *text)
{
	struct nft_ctx *ctx = checker();

	if (!ctx || !*text)
		return;
	if (nft_run_cmd_from_buffer(ctx, text)) {
		const char *error = nft_ctx_get_error_buffer(ctx);
		/* The kernel may be without the module; the text is what is judged here. */
		if (!strstr(error, "No such file") && !strstr(error, "not supported") &&
			!strstr(error, "not permitted"))
			FUZZ_FAIL("%s\n%s", text, error);
	}
	nft_ctx_get_error_buffer(ctx);
	nft_ctx_get_output_buffer(ctx);
}

/* --- services and slices as the API server lets them through, which of their fields are there as the bytes say --- */

#define LONG_LABEL "a123456789-123456789-123456789-123456789-123456789-123456789-12"

static const char *const addresses[N_FAMILIES][8] = {
	{"10.96.0.1", "10.96.0.2", "192.168.0.2", "10.244.0.5", "10.244.1.6", "255.255.255.255", "0.0.0.0", "fd00::1"},
	{"fd00:96::1", "fd00:96::2", "fd00::2", "fd00:244::5", "::ffff:10.0.0.1", "ffff::", "::", "10.96.0.1"}};

static const char *fuzz_address(struct fuzz_bytes *b, const struct rules_config *config)
{
	return FUZZ_PICK(b, addresses[config->family]);
}

static void add_addresses(struct strbuf *out, struct fuzz_bytes *b, const struct rules_config *config, const char *name,
	const char *before, const char *after)
{
	size_t n = fuzz_below(b, 3);

	strbuf_printf(out, ",\"%s\":[", name);
	for (size_t i = 0; i < n; i++)
		strbuf_printf(out, "%s%s\"%s\"%s", i ? "," : "", before, fuzz_address(b, config), after);
	strbuf_addc(out, ']');
}

static const char *const port_names[] = {"", "http", "dns-tcp", LONG_LABEL};
static const char *const protocols[] = {"TCP", "UDP", "SCTP", "QUIC"};
static const int port_numbers[] = {80, 443, 53, 1, 65535, 0, 30080, 8080};

static void add_service_ports(struct strbuf *out, struct fuzz_bytes *b)
{
	size_t n = 1 + fuzz_below(b, 4);

	strbuf_adds(out, ",\"ports\":[");
	for (size_t i = 0; i < n; i++) {
		strbuf_printf(out, "%s{\"name\":\"%s\",\"protocol\":\"%s\",", i ? "," : "", FUZZ_PICK(b, port_names),
			FUZZ_PICK(b, protocols));
		strbuf_printf(
			out, "\"port\":%d,\"nodePort\":%d}", FUZZ_PICK(b, port_numbers), FUZZ_PICK(b, port_numbers));
	}
	strbuf_addc(out, ']');
}

static void *decoded(struct arena *arena, const struct schema_type *type, const char *text)
{
	void *msg = NULL;

	fuzz_ok(text, json_decode(arena, type, text, strlen(text), NULL, &msg));
	return msg;
}

static const CoreV1Service *service_of(struct arena *arena, const struct rules_config *config, struct fuzz_bytes *b)
{
	static const char *const names[] = {"web", "kubernetes", LONG_LABEL};
	static const char *const types[] = {"ClusterIP", "NodePort", "LoadBalancer", "ExternalName"};
	static const char *const policies[] = {"Cluster", "Local", ""};
	static const char *const ranges[] = {"10.0.0.0/8", "0.0.0.0/0", "192.168.0.2/32", "fd00::/8", "::/0", "x"};
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;

	strbuf_printf(&out, "{\"metadata\":{\"name\":\"%s\",\"namespace\":\"%s\"},\"spec\":{", FUZZ_PICK(b, names),
		FUZZ_PICK(b, names));
	strbuf_printf(&out, "\"type\":\"%s\",\"clusterIP\":\"%s\"", FUZZ_PICK(b, types), fuzz_address(b, config));
	strbuf_printf(&out, ",\"internalTrafficPolicy\":\"%s\",\"externalTrafficPolicy\":\"%s\"",
		FUZZ_PICK(b, policies), FUZZ_PICK(b, policies));
	strbuf_printf(&out, ",\"sessionAffinity\":\"%s\"", fuzz_byte(b) % 2 ? "ClientIP" : "None");
	if (fuzz_byte(b) % 2)
		strbuf_printf(&out, ",\"loadBalancerSourceRanges\":[\"%s\",\"%s\"]", FUZZ_PICK(b, ranges),
			FUZZ_PICK(b, ranges));
	add_addresses(&out, b, config, "clusterIPs", "", "");
	add_addresses(&out, b, config, "externalIPs", "", "");
	add_service_ports(&out, b);
	strbuf_adds(&out, "},\"status\":{\"loadBalancer\":{\"x\":0");
	add_addresses(&out, b, config, "ingress", "{\"ip\":", "}");
	strbuf_adds(&out, "}}}");
	return decoded(arena, &CoreV1Service_schema, out.buf);
}

static void add_endpoints(struct strbuf *out, struct fuzz_bytes *b, const struct rules_config *config)
{
	static const char *const nodes[] = {"here", "there", ""}, *const zones[] = {"zone-1", "zone-2"},
				 *const bools[] = {"true", "false", "null"};
	size_t n = fuzz_below(b, 6);

	strbuf_adds(out, "\"endpoints\":[");
	for (size_t i = 0; i < n; i++) {
		strbuf_printf(out, "%s{\"addresses\":[\"%s\"],\"nodeName\":\"%s\",", i ? "," : "",
			fuzz_address(b, config), FUZZ_PICK(b, nodes));
		strbuf_printf(out, "\"conditions\":{\"ready\":%s,\"serving\":%s,\"terminating\":%s}",
			FUZZ_PICK(b, bools), FUZZ_PICK(b, bools), FUZZ_PICK(b, bools));
		if (fuzz_byte(b) % 2)
			strbuf_printf(out, ",\"hints\":{\"forZones\":[{\"name\":\"%s\"}]}", FUZZ_PICK(b, zones));
		strbuf_addc(out, '}');
	}
	strbuf_addc(out, ']');
}

static const DiscoveryV1EndpointSlice *slice_of(
	struct arena *arena, const struct rules_config *config, struct fuzz_bytes *b)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	size_t n = 1 + fuzz_below(b, 3);

	strbuf_printf(&out, "{\"addressType\":\"%s\",\"ports\":[", config->family ? "IPv6" : "IPv4");
	for (size_t i = 0; i < n; i++)
		strbuf_printf(&out, "%s{\"name\":\"%s\",\"protocol\":\"%s\",\"port\":%d}", i ? "," : "",
			FUZZ_PICK(b, port_names), FUZZ_PICK(b, protocols), FUZZ_PICK(b, port_numbers));
	strbuf_adds(&out, "],");
	add_endpoints(&out, b, config);
	strbuf_addc(&out, '}');
	return decoded(arena, &DiscoveryV1EndpointSlice_schema, out.buf);
}

static struct fragment *fragment_of(struct arena *arena, const struct rules_config *config, struct fuzz_bytes *b)
{
	const CoreV1Service *service = service_of(arena, config, b);
	const DiscoveryV1EndpointSlice *slices[2];

	for (size_t i = 0; i < ARRAY_SIZE(slices); i++)
		slices[i] = slice_of(arena, config, b);
	return fragment_make(
		arena, config, service_model_make(arena, config->family, service, slices, ARRAY_SIZE(slices)));
}

static void change(const struct rules_config *config, const struct fragment *from, const struct fragment *to)
{
	struct rules_change c;

	rules_change_init(&c);
	rules_write_base(&c, config);
	rules_write_diff(&c, config->family, NULL, from);
	parses(rules_change_text(&c));
	rules_change_done(&c);
	rules_change_init(&c);
	rules_write_base(&c, config);
	rules_write_diff(&c, config->family, NULL, from);
	rules_write_diff(&c, config->family, from, to);
	parses(rules_change_text(&c));
	rules_change_done(&c);
	rules_change_init(&c);
	rules_write_diff(&c, config->family, to, to);
	assert(!c.n_changes);
	rules_change_done(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct fuzz_bytes bytes = {data, data + size};
	uint8_t flags = fuzz_byte(&bytes);
	struct rules_config config = {
		.family = flags & 1 ? FAMILY_IPV6 : FAMILY_IPV4,
		.masquerade_all = flags & 2,
		.masquerade_mark = 0x4000,
		.topology = {"here", "zone-1"},
		.all_node_port_ips = flags & 4,
	};

	config.node_ip = flags & 1 ? "fd00::2" : "192.168.0.2";
	config.service_cidrs = flags & 8 ? (flags & 1 ? "fd00:96::/112" : "10.96.0.0/12, 10.112.0.0/16") : NULL;
	if (flags & 16) {
		const struct proxy_options options = {.arena = arena,
			.detect_local_mode = flags & 32 ? (char *)"ClusterCIDR" : (char *)"BridgeInterface",
			.cluster_cidr = (char *)"10.244.0.0/16,fd00:244::/64",
			.bridge_interface = (char *)"cni0"};
		config.local = proxy_local_detector(&options, config.family, NULL);
	}
	CLEANUP(fragment_freep) struct fragment *from = fragment_of(arena, &config, &bytes);
	CLEANUP(fragment_freep) struct fragment *to = fragment_of(arena, &config, &bytes);
	change(&config, from, to);
	return 0;
}
