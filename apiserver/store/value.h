/*
 * What etcd holds of an object, whoever wrote it: our own values and the original's, of this release or an older one.
 * Protobuf within its envelope, or JSON, which is how the original stores APIServices and custom resource definitions.
 */
#ifndef APISERVER_STORE_VALUE_H
#define APISERVER_STORE_VALUE_H

#include "api/schema.h"
#include "api/types.h"
#include "base/arena.h"
#include "base/status.h"
#include "base/str.h"

/* Defaulted: what a release knew no default for has one when it is read by the next. */
struct status *value_decode(struct arena *arena, const struct schema_type *type, const void *value, size_t size,
	ProtobufCMessage **ret_object) MUST_USE;
/* What etcd is given for an object of the version that is served by default. */
void value_encode(struct strbuf *out, const ProtobufCMessage *object);
/* Whether a value has the form that value_encode() gives it: what another server, or a release before this one, has
 * written may be of another version, or JSON. */
bool value_is_current(struct arena *arena, const struct schema_type *type, const void *value, size_t size);
/* dataSource and dataSourceRef are one thing under two names: who has one has both. */
void value_settle_sources(struct arena *arena, CoreV1PersistentVolumeClaimSpec *spec);
/* What a client is told of a value that cannot be read, by itself or among others: Internal. why is what
 * encryption_open() or value_decode() said. */
struct status *value_unreadable(const char *key, const struct status *why) MUST_USE;
struct status *value_unlistable(const char *key, const struct status *why) MUST_USE;
/* The same of the cache of a kind, without the code. */
char *value_unlistable_text(
	struct arena *arena, const struct schema_type *type, const char *key, const struct status *why);

#endif
