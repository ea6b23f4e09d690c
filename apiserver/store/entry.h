/*
 * An object as the cache holds it: immutable, reference counted, ready to be sent.
 *
 * One piece of memory holds the key, the labels, the selectable fields and the protobuf bytes (resourceVersion set).
 * The JSON form, the deflated ones and the row of a Table are made at first use and kept. Threads: any thread that
 * holds a reference.
 */
#ifndef APISERVER_STORE_ENTRY_H
#define APISERVER_STORE_ENTRY_H

#include <stdatomic.h>
#include "api/print/print.h"
#include "api/selector.h"
#include "api/types.h"
#include "apiserver/store/deflate.h"
#include "base/status.h"
#include "base/str.h"

/* Bytes that are shared by whoever sends them: an object's JSON, and where in it the value of "metadata" is. */
struct piece {
	size_t size;
	size_t metadata_from, metadata_size; /* size 0: it has none */
	char data[];
};

enum entry_form { ENTRY_JSON, ENTRY_PROTOBUF, ENTRY_FORMS };

/* The bytes of a form, deflated by themselves and ended on a whole byte: such pieces can stand one behind the other. */
struct deflated {
	size_t size;
	size_t plain_size;
	uint32_t crc; /* of the plain bytes */
	char data[];
};

struct pack; /* a block of memory that many entries lie in */

struct entry {
	atomic_uint refs;
	struct pack *pack;			/* NULL: it has a block of its own */
	const struct schema_resource *resource; /* of the stored version */
	int64_t revision;
	const char *key;       /* "namespace/name", or "name": etcd's, whatever the object says */
	const char *namespace; /* "" without */
	const char *name;
	MapStringEntry **labels;
	size_t n_labels;
	const char **fields; /* the values of resource->selectable, in that order */
	const uint8_t *bytes;
	size_t size;
	_Atomic(struct piece *) json; /* without apiVersion and kind, as in a list */
	_Atomic(struct deflated *) deflated[ENTRY_FORMS];
	_Atomic(struct print_row *) row;
};

/* From an object of the resource's type whose resourceVersion is set. */
struct entry *entry_new(const struct schema_resource *resource, const char *key, int64_t revision, const void *object);
/* The same of an object without resourceVersion, whose bytes are there already; and what it becomes, which is taken,
 * when its revision is known: its owner alone has it until then. */
struct entry *entry_draft(
	const struct schema_resource *resource, const char *key, const void *object, const void *bytes, size_t size);
struct entry *entry_finish(struct entry *draft, int64_t revision);
/* From a value of etcd: the envelope or JSON. *ret_object, in the arena, is what the entry is of. */
struct status *entry_from_value(struct arena *arena, const struct schema_resource *resource, const char *key,
	int64_t revision, const void *value, size_t size, struct entry **ret_entry,
	ProtobufCMessage **ret_object) MUST_USE;
/* The same object with another resource version, or with one where it has none. */
struct entry *entry_at_revision(const struct entry *entry, int64_t revision);
struct entry *entry_ref(struct entry *entry);
void entry_unref(struct entry *entry);
DEFINE_CLEANUP(struct entry *, entry_unref)

/* Copies of entries, one behind the other in a block of their own: the block is freed with the last of them. */
void entries_pack(struct entry *const *entries, size_t n, struct entry **ret_copies);
/* Many that lay in its pack are gone. */
bool entry_is_in_sparse_pack(const struct entry *entry);
/* Of what entries_pack() copies: without the forms made at first use. */
size_t entry_size(const struct entry *entry);
/* Whether a form of it has been made and is kept. */
bool entry_has_forms(const struct entry *entry);

/* A fresh object in the arena. */
ProtobufCMessage *entry_decode(const struct entry *entry, struct arena *arena);
const struct piece *entry_json(struct entry *entry);
const struct print_row *entry_row(struct entry *entry);
/* What it has in memory, with the forms made so far. */
size_t entry_footprint(const struct entry *entry);
/* The bytes of a form as they stand in a list. */
const char *entry_form_bytes(struct entry *entry, enum entry_form form, size_t *ret_size);
/* Made at first use and kept, as the JSON is; NULL when it cannot be made. */
const struct deflated *entry_deflated(struct entry *entry, enum entry_form form, struct deflater *deflater);
/* A selectable field, or metadata.name or metadata.namespace; "" for any other path. data is the entry. */
const char *entry_field(const void *data, const char *path);
/* No selector tells them apart. */
bool entry_is_selected_alike(const struct entry *a, const struct entry *b);
bool entry_matches(const struct entry *entry, const struct label_selector *labels, const struct field_selector *fields);

#endif
