/* What the files of this folder share. */
#ifndef APISERVER_BOOT_INTERNAL_H
#define APISERVER_BOOT_INTERNAL_H

#include "api/types.h"
#include "apiserver/boot/boot.h"

/* Each is idempotent, and is called again until it succeeds; a NULL says that what it keeps is in order. */
/* Those of the group versions that the server has itself. */
struct status *boot_api_services(const struct boot_options *options) MUST_USE;
/* The flow schemas and priority levels that every cluster begins with. */
struct status *boot_flow_control(const struct boot_options *options) MUST_USE;
/* Every flow schema says whether the priority level that it names is there. */
struct status *boot_flow_conditions(const struct boot_options *options) MUST_USE;
/* The Lease by which this server tells who it is; those of servers that are gone, which are removed. */
/* Definitions of custom resources that are deleted go when nothing of theirs is left. */
struct status *boot_definitions(const struct boot_options *options) MUST_USE;
struct status *boot_identity(const struct boot_options *options) MUST_USE;
struct status *boot_identities(const struct boot_options *options) MUST_USE;
struct status *boot_namespaces(const struct boot_options *options) MUST_USE;
/* The two classes of system pods. */
struct status *boot_priorities(const struct boot_options *options) MUST_USE;
/* The ServiceCIDR of the configured ranges; what is odd about it is said the first time. */
struct status *boot_ranges(const struct boot_options *options) MUST_USE;
struct status *boot_ranges_again(const struct boot_options *options) MUST_USE;
struct status *boot_roles(const struct boot_options *options) MUST_USE;
/* The kubernetes Service and its endpoints: this server's address, and those of the servers whose leases are fresh. */
struct status *boot_service(const struct boot_options *options) MUST_USE;
/* Takes this server out of the endpoints. */
struct status *boot_service_leave(const struct boot_options *options) MUST_USE;
/* kube-system/extension-apiserver-authentication: whom delegated servers trust. */
struct status *boot_trust(const struct boot_options *options) MUST_USE;

/* kube-system/kube-apiserver-legacy-service-account-token-tracking: since when uses of tokens in Secrets are noted. */
struct status *boot_tracking(const struct boot_options *options) MUST_USE;

/* This server among those that live: for 15 seconds from now, no longer, and who they are (addresses, sorted). */
struct address_list {
	char **items;
	size_t n_items;
};
struct status *boot_lease_renew(const struct boot_options *options) MUST_USE;
struct status *boot_lease_remove(const struct boot_options *options) MUST_USE;
struct status *boot_lease_addresses(
	const struct boot_options *options, struct arena *arena, struct address_list *ret_addresses) MUST_USE;

/* "a,b" as a list; "" is one entry: the core group. NULL is none. */
void boot_words(struct arena *arena, const char *text, char ***ret_words, size_t *ret_n);
/* Creates an object; it is no error when there is one by now. What memory says is not asked. */
struct status *boot_create(const struct boot_options *options, struct arena *arena, const void *object) MUST_USE;
/* Creates an object unless it is there. */
struct status *boot_ensure(const struct boot_options *options, struct arena *arena, const void *object) MUST_USE;

#endif
