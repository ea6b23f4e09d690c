/*
 * The providers of an encryption configuration: ciphers with named keys, and the rules that say which of them the
 * values of a resource pass.
 */
#ifndef APISERVER_ENCRYPTION_PROVIDERS_H
#define APISERVER_ENCRYPTION_PROVIDERS_H

#include <stdint.h>
#include "api/types.h"
#include "apiserver/encryption/encryption.h"

enum { ENCRYPTION_KEY_MOST = 32 };

struct encryption_key {
	const char *name;
	const char *prefix; /* "name:" */
	uint8_t bytes[ENCRYPTION_KEY_MOST];
	size_t size;
};

/* What goes through a cipher, and what is authenticated beside it. */
struct cipher_input {
	const uint8_t *data;
	size_t size;
	const char *authenticated;
};

struct cipher {
	const char *field;  /* of a provider's configuration */
	const char *prefix; /* of what it writes */
	const char *no_key; /* what is said of a value that none of its keys has written */
	size_t key_sizes[4];
	size_t added_bytes; /* that a value grows by at most */
	/* What is written into out, which has room for the input and what is added; 0: it failed. */
	size_t (*seal)(const struct encryption_key *key, const struct cipher_input *in, uint8_t *out);
	/* out has room for the input. NULL, or why it cannot be read. */
	const char *(*open)(
		const struct encryption_key *key, const struct cipher_input *in, uint8_t *out, size_t *ret_size);
};
extern const struct cipher cipher_aesgcm, cipher_aescbc, cipher_secretbox;

struct provider {
	const struct cipher *cipher; /* NULL: identity */
	struct encryption_key *keys;
	size_t n_keys;
};

struct encryption_rule {
	const char *group, *resource; /* "*": all */
	const struct provider **providers;
	size_t n_providers;
};

struct encryption_rules {
	struct arena *arena;
	struct encryption_rule *items;
	size_t n_items;
	struct provider **providers;
	size_t n_providers;
	char hash[sizeof("sha256:") + 64]; /* of the file */
};

struct status *encryption_rules_read(const char *path, bool reloads, struct encryption_rules **ret_rules) MUST_USE;
void encryption_rules_free(struct encryption_rules *rules);
DEFINE_CLEANUP(struct encryption_rules *, encryption_rules_free)
/* NULL: none is for it. */
const struct encryption_rule *encryption_rule_of(
	const struct encryption_rules *rules, const struct schema_resource *resource);

#endif
