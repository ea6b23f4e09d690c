/*
 * The kernel's rules, through libnftables: whole transactions in nft's own language, and what is there by name.
 *
 * Threads: one at a time.
 */
#ifndef KUBE_PROXY_NFT_H
#define KUBE_PROXY_NFT_H

#include "base/map.h"
#include "base/status.h"
#include "kube-proxy/model.h"

struct nft;

struct status *nft_new(struct nft **ret) MUST_USE;
void nft_free(struct nft *nft);
/* Runs text as one transaction: all of it or nothing. */
struct status *nft_run(struct nft *nft, const char *text) MUST_USE;
/* Names of the chains and of the sets of our table into the maps (values NULL). No table: no names. */
struct status *nft_names(struct nft *nft, enum family family, struct strmap *chains, struct strmap *sets) MUST_USE;
/* Whether our table is there. */
struct status *nft_has_table(struct nft *nft, enum family family, bool *ret) MUST_USE;
/* Removes our table; no error if there is none. */
struct status *nft_remove_table(struct nft *nft, enum family family) MUST_USE;

#endif
