/*
 * Two states of a service and its endpoints as rules of nftables: the transaction from nothing to the first, from there
 * to the second, and away again. What is written parses, as nft itself checks it, where a network namespace of our own
 * can be had.
 */
#include <nftables/libnftables.h>
#include <sched.h>
#include "kube-proxy/rules.h"
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

static struct fragment *fragment_of(struct arena *arena, const struct rules_config *config, struct fuzz_bytes *b)
{
	const CoreV1Service *service = fuzz_typed(arena, b, &CoreV1Service_schema);
	const DiscoveryV1EndpointSlice *slices[2];

	for (size_t i = 0; i < ARRAY_SIZE(slices); i++)
		slices[i] = fuzz_typed(arena, b, &DiscoveryV1EndpointSlice_schema);
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
	CLEANUP(fragment_freep) struct fragment *from = fragment_of(arena, &config, &bytes);
	CLEANUP(fragment_freep) struct fragment *to = fragment_of(arena, &config, &bytes);
	change(&config, from, to);
	return 0;
}
