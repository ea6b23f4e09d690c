/*
 * Encryption at rest: what --encryption-provider-config says of how the objects of each resource are stored.
 *
 *	TRY(encryption_new(&options, &encryption));
 *	struct encryption_value value = {bytes, size};
 *	TRY(encryption_seal(encryption, resource, arena, key, &value));       // what etcd is given
 *	TRY(encryption_open(encryption, resource, arena, key, &value));       // what it was
 *
 * Without a configuration (NULL) values are stored as they are, and nothing is told or counted of them; one that
 * somebody else has encrypted cannot be read.
 * The first provider of a resource writes, all of them read: what another than the first has written is stale, and is
 * written again by the next update, though nothing changes (apiserver/pkg/server/options/encryptionconfig).
 * Ownership: results lie in the arena, or are what was given. Threads: any; encryption_refresh() one at a time.
 */
#ifndef APISERVER_ENCRYPTION_H
#define APISERVER_ENCRYPTION_H

#include <stdbool.h>
#include <stddef.h>
#include "api/schema.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/status.h"
#include "base/str.h"

struct encryption;

struct encryption_options {
	const char *path;
	bool reloads; /* the file is looked at again: encryption_refresh() */
	const char *server_id;
	const struct clock *clock;
};

struct encryption_value {
	const void *bytes;
	size_t size;
	bool stale; /* it is to be written again */
};

/* Error: BadRequest, with the original's words for what is wrong in the file. */
struct status *encryption_new(const struct encryption_options *options, struct encryption **ret_encryption) MUST_USE;
void encryption_free(struct encryption *encryption);
DEFINE_CLEANUP(struct encryption *, encryption_free)
bool encryption_reloads(const struct encryption *encryption);
/* Takes the file if it has changed, which is looked at every few seconds; what is wrong with it is logged, and changes
 * nothing. Whether it was taken. NULL, and what does not reload, has nothing to take. */
bool encryption_refresh(struct encryption *encryption);

/* key is the whole of etcd's: it is authenticated with the value, so that no value can be put under another's key.
 * Error: Internal, with a cause: why it cannot be read. */
struct status *encryption_open(struct encryption *encryption, const struct schema_resource *resource,
	struct arena *arena, const char *key, struct encryption_value *value) MUST_USE;
struct status *encryption_seal(struct encryption *encryption, const struct schema_resource *resource,
	struct arena *arena, const char *key, struct encryption_value *value) MUST_USE;

/* Nothing without a configuration. */
void encryption_write_metrics(struct encryption *encryption, struct strbuf *out);

#endif
