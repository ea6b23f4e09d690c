#include "kube-proxy/nft.h"
#include <nftables/libnftables.h>
#include "api/tree.h"
#include "base/mem.h"
#include "base/str.h"
#include "kube-proxy/rules.h"

enum { MAX_LISTING = 64 << 20, MAX_ERROR = 500 };

struct nft {
	struct nft_ctx *ctx;
};

struct status *nft_new(struct nft **ret)
{
	struct nft *nft = mem_zalloc(sizeof *nft);
	nft->ctx = nft_ctx_new(NFT_CTX_DEFAULT);
	if (!nft->ctx) {
		free(nft);
		return status_internal("nftables: cannot make a context");
	}
	nft_ctx_buffer_output(nft->ctx);
	nft_ctx_buffer_error(nft->ctx);
	*ret = nft;
	return NULL;
}

void nft_free(struct nft *nft)
{
	if (!nft)
		return;
	nft_ctx_free(nft->ctx);
	free(nft);
}

struct status *nft_run(struct nft *nft, const char *text)
{
	int failed = nft_run_cmd_from_buffer(nft->ctx, text);
	const char *error = nft_ctx_get_error_buffer(nft->ctx);
	nft_ctx_get_output_buffer(nft->ctx);
	if (!failed)
		return NULL;
	return status_internal("nftables: %.*s", MAX_ERROR, str_or(error, "transaction refused"));
}

/* Reads {"nftables":[{kind:{"table":…,"name":…}},…]}; of tables, only ours. */
static struct status *take_names(const char *json, const char *kind, struct strmap *ret)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const struct json_options options = {.max_size = MAX_LISTING};
	cJSON *tree = NULL;
	TRY(tree_parse(arena, json, strlen(json), &options, &tree));
	TREE_FOREACH (entry, tree_get(tree, "nftables")) {
		const cJSON *object = tree_get(entry, kind);
		if (str_eq(tree_string(tree_get(object, str_eq(kind, "table") ? "name" : "table")), RULES_TABLE))
			strmap_put(ret, str_or_empty(tree_string(tree_get(object, "name"))), NULL);
	}
	return NULL;
}

static struct status *list(struct nft *nft, enum family family, const char *kind, struct strmap *ret)
{
	CLEANUP_FREE char *command = mem_printf("list %ss %s", kind, rules_family_name(family));
	unsigned before = nft_ctx_output_get_flags(nft->ctx);
	nft_ctx_output_set_flags(nft->ctx, before | NFT_CTX_OUTPUT_JSON | NFT_CTX_OUTPUT_TERSE);
	int failed = nft_run_cmd_from_buffer(nft->ctx, command);
	nft_ctx_output_set_flags(nft->ctx, before);
	const char *error = nft_ctx_get_error_buffer(nft->ctx), *output = nft_ctx_get_output_buffer(nft->ctx);
	if (failed)
		return status_internal("nftables: %s: %.*s", command, MAX_ERROR, str_or_empty(error));
	return str_empty(output) ? NULL : take_names(output, kind, ret);
}

struct status *nft_names(struct nft *nft, enum family family, struct strmap *chains, struct strmap *sets)
{
	TRY(list(nft, family, "chain", chains));
	return list(nft, family, "set", sets);
}

struct status *nft_has_table(struct nft *nft, enum family family, bool *ret)
{
	CLEANUP(strmap_freep) struct strmap *tables = strmap_new(NULL);
	TRY(list(nft, family, "table", tables));
	*ret = strmap_has(tables, RULES_TABLE);
	return NULL;
}

struct status *nft_remove_table(struct nft *nft, enum family family)
{
	const char *f = rules_family_name(family);
	CLEANUP_FREE char *text = mem_printf("add table %s %s\ndelete table %s %s\n", f, RULES_TABLE, f, RULES_TABLE);
	return nft_run(nft, text);
}
