#include "apiserver/store/entry.h"
#include <inttypes.h>
#include <stdlib.h>
#include "api/json.h"
#include "api/meta.h"
#include "api/protobuf.h"
#include "apiserver/store/value.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

/* Lays strings one behind the other. */
struct pen {
	char *at;
};

static const char *put(struct pen *pen, const char *s)
{
	size_t size = strlen(str_or_empty(s)) + 1;
	const char *start = pen->at;
	memcpy(pen->at, str_or_empty(s), size);
	pen->at += size;
	return start;
}

static size_t count_selectable(const struct schema_resource *resource)
{
	size_t n = 0;
	while (resource->selectable && resource->selectable[n])
		n++;
	return n;
}

struct measure {
	size_t n_fields;
	const char **fields;
	size_t pointers; /* bytes of the arrays */
	size_t strings;
};

/* "source" of an event is the component it names, or who reports it. */
static const char *selectable_value(
	struct arena *arena, const struct schema_resource *resource, const void *object, const char *path)
{
	if (!str_eq(path, "source") || !API_IS((const ProtobufCMessage *)object, CoreV1Event))
		return field_value(arena, object, path);
	const CoreV1Event *event = object;
	return event->source && !str_empty(event->source->component) ? event->source->component
								     : event->reporting_component;
}

static void measure(struct measure *m, struct arena *arena, const struct schema_resource *resource, const char *key,
	const MetaV1ObjectMeta *meta, const void *object)
{
	m->n_fields = count_selectable(resource);
	m->fields = ARENA_ARRAY(arena, const char *, m->n_fields + 1);
	m->pointers = sizeof(struct entry) + m->n_fields * sizeof(char *) +
		      meta->n_labels * (sizeof(MapStringEntry *) + sizeof(MapStringEntry));
	m->strings = strlen(key) + strlen(meta->namespace) + strlen(meta->name) + 3;
	for (size_t i = 0; i < m->n_fields; i++) {
		m->fields[i] = selectable_value(arena, resource, object, resource->selectable[i]);
		m->strings += strlen(str_or_empty(m->fields[i])) + 1;
	}
	for (size_t i = 0; i < meta->n_labels; i++)
		m->strings += strlen(meta->labels[i]->key) + strlen(meta->labels[i]->value) + 2;
}

static void put_labels(struct entry *entry, struct pen *pen, char *room, const MetaV1ObjectMeta *meta)
{
	entry->n_labels = meta->n_labels;
	entry->labels = (MapStringEntry **)(void *)room;
	MapStringEntry *label = (MapStringEntry *)(void *)(room + meta->n_labels * sizeof(MapStringEntry *));
	for (size_t i = 0; i < meta->n_labels; i++, label++) {
		*label = *meta->labels[i];
		label->key = (char *)(uintptr_t)put(pen, meta->labels[i]->key);
		label->value = (char *)(uintptr_t)put(pen, meta->labels[i]->value);
		entry->labels[i] = label;
	}
}

/* What an object's bytes may grow by when they get a version: the field, and a byte of the length before it. */
#define VERSION_ROOM 22

static struct entry *entry_of_bytes(const struct schema_resource *resource, const char *key, int64_t revision,
	const void *object, const void *bytes, size_t size, size_t room)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const MetaV1ObjectMeta *meta = object_meta(object);
	if (!meta)
		meta = API_NEW(arena, MetaV1ObjectMeta);
	struct measure m;
	measure(&m, arena, resource, key, meta, object);
	struct entry *entry = mem_alloc(m.pointers + m.strings + size + room);
	memset(entry, 0, sizeof(*entry));
	struct pen pen = {(char *)entry + m.pointers};
	atomic_init(&entry->refs, 1);
	entry->resource = resource;
	entry->revision = revision;
	entry->fields = (const char **)(entry + 1);
	for (size_t i = 0; i < m.n_fields; i++)
		entry->fields[i] = put(&pen, m.fields[i]);
	put_labels(entry, &pen, (char *)(entry->fields + m.n_fields), meta);
	entry->namespace = put(&pen, meta->namespace);
	entry->name = put(&pen, meta->name);
	entry->key = put(&pen, key);
	entry->bytes = (const uint8_t *)pen.at;
	entry->size = size;
	if (size)
		memcpy(pen.at, bytes, size);
	return entry;
}

struct entry *entry_new(const struct schema_resource *resource, const char *key, int64_t revision, const void *object)
{
	CLEANUP(strbuf_done) struct strbuf packed = STRBUF_INIT;
	protobuf_pack(&packed, object);
	return entry_of_bytes(resource, key, revision, object, packed.buf, packed.len, 0);
}

struct entry *entry_draft(
	const struct schema_resource *resource, const char *key, const void *object, const void *bytes, size_t size)
{
	return entry_of_bytes(resource, key, 0, object, bytes, size, VERSION_ROOM);
}

struct status *entry_from_value(struct arena *arena, const struct schema_resource *resource, const char *key,
	int64_t revision, const void *value, size_t size, struct entry **ret_entry, ProtobufCMessage **ret_object)
{
	TRY(value_decode(arena, resource->type, value, size, ret_object));
	object_meta_ensure(arena, *ret_object)->resource_version = arena_printf(arena, "%" PRId64, revision);
	*ret_entry = entry_new(resource, key, revision, *ret_object);
	return NULL;
}

/* --- copies --- */

static size_t head_size(const struct entry *entry)
{
	return (size_t)(entry->bytes - (const uint8_t *)entry);
}

/* Where a pointer into one block points to in its copy. */
static void *moved(const void *p, const void *from, void *to)
{
	return (char *)to + ((const char *)p - (const char *)from);
}

/* All but the object's bytes, for which there is room behind it, and what was made of them. */
static struct entry *copy_head(void *room, const struct entry *from)
{
	struct entry *to = memset(room, 0, sizeof(*to));
	memcpy(to + 1, from + 1, head_size(from) - sizeof(*from));
	atomic_init(&to->refs, 1);
	to->resource = from->resource;
	to->revision = from->revision;
	to->n_labels = from->n_labels;
	to->size = from->size;
	to->key = moved(from->key, from, to);
	to->namespace = moved(from->namespace, from, to);
	to->name = moved(from->name, from, to);
	to->bytes = moved(from->bytes, from, to);
	to->fields = moved(from->fields, from, to);
	for (size_t i = 0, n = count_selectable(from->resource); i < n; i++)
		to->fields[i] = moved(from->fields[i], from, to);
	to->labels = moved(from->labels, from, to);
	for (size_t i = 0; i < from->n_labels; i++) {
		to->labels[i] = moved(from->labels[i], from, to);
		to->labels[i]->key = moved(from->labels[i]->key, from, to);
		to->labels[i]->value = moved(from->labels[i]->value, from, to);
	}
	return to;
}

/* --- the same object with another resource version --- */

/* Where an object's bytes have the resource version, or would have it. */
struct version_place {
	size_t meta, meta_size; /* the metadata, which comes first */
	size_t at, size;	/* the field, with its head; 0: it is not there */
};

#define METADATA_NUMBER 1
#define VERSION_NUMBER 6

static bool find_version(const struct entry *entry, struct version_place *ret)
{
	const struct schema_wire *first = &entry->resource->type->wire[0];
	const uint8_t *p = entry->bytes, *end = p + entry->size;
	struct protobuf_field f;
	if (first->type != &MetaV1ObjectMeta_schema || first->tag >> 3 != METADATA_NUMBER ||
		!protobuf_read_field(&p, end, &f) || f.number != METADATA_NUMBER || f.type != 2)
		return false;
	*ret = (struct version_place){.meta = (size_t)(f.data - entry->bytes), .meta_size = f.size};
	end = f.data + f.size;
	for (p = f.data; p < end;) {
		const uint8_t *start = p;
		if (!protobuf_read_field(&p, end, &f))
			return false;
		if (f.number == VERSION_NUMBER)
			ret->size = (size_t)(p - start);
		p = f.number >= VERSION_NUMBER ? start : p;
		if (p == start)
			break;
	}
	ret->at = (size_t)(p - entry->bytes);
	return true;
}

static uint8_t *put_varint(uint8_t *to, size_t value)
{
	for (; value >= 0x80; value >>= 7)
		*to++ = (uint8_t)(value | 0x80);
	*to++ = (uint8_t)value;
	return to;
}

static struct entry *decoded_at_revision(const struct entry *entry, int64_t revision)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	ProtobufCMessage *object = entry_decode(entry, arena);
	object_meta_ensure(arena, object)->resource_version = arena_printf(arena, "%" PRId64, revision);
	return entry_new(entry->resource, entry->key, revision, object);
}

/* Behind the bytes there is room for it. */
static void set_version(struct entry *entry, const struct version_place *place, int64_t revision)
{
	uint8_t *bytes = (uint8_t *)(uintptr_t)entry->bytes, head[16], version[VERSION_ROOM + 1];
	const size_t n = (size_t)snprintf((char *)version + 2, sizeof(version) - 2, "%" PRId64, revision) + 2,
		     behind = place->at + place->size;
	version[0] = VERSION_NUMBER << 3 | 2;
	version[1] = (uint8_t)(n - 2);
	head[0] = METADATA_NUMBER << 3 | 2;
	const size_t n_head = (size_t)(put_varint(head + 1, place->meta_size - place->size + n) - head),
		     at = n_head + place->at - place->meta;
	memmove(bytes + at + n, bytes + behind, entry->size - behind);
	memmove(bytes + n_head, bytes + place->meta, place->at - place->meta);
	memcpy(bytes, head, n_head);
	memcpy(bytes + at, version, n);
	entry->size += at + n - behind;
	entry->revision = revision;
}

struct entry *entry_at_revision(const struct entry *entry, int64_t revision)
{
	struct version_place place;
	if (!find_version(entry, &place))
		return decoded_at_revision(entry, revision);
	struct entry *copy = copy_head(mem_alloc(head_size(entry) + entry->size + VERSION_ROOM), entry);
	memcpy((uint8_t *)(uintptr_t)copy->bytes, entry->bytes, entry->size);
	set_version(copy, &place, revision);
	return copy;
}

struct entry *entry_finish(struct entry *draft, int64_t revision)
{
	struct version_place place;
	if (find_version(draft, &place)) {
		set_version(draft, &place, revision);
		return draft;
	}
	struct entry *entry = decoded_at_revision(draft, revision);
	entry_unref(draft);
	return entry;
}

/* --- packs --- */

struct pack {
	atomic_uint live; /* entries that are still there */
	unsigned n;
};

size_t entry_size(const struct entry *entry)
{
	const size_t size = head_size(entry) + entry->size;
	return (size + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1);
}

void entries_pack(struct entry *const *entries, size_t n, struct entry **ret_copies)
{
	const size_t head = (sizeof(struct pack) + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1);
	size_t size = head;
	for (size_t i = 0; i < n; i++)
		size += entry_size(entries[i]);
	struct pack *pack = mem_alloc(size);
	char *at = (char *)pack + head;
	atomic_init(&pack->live, (unsigned)n);
	pack->n = (unsigned)n;
	for (size_t i = 0; i < n; i++) {
		ret_copies[i] = copy_head(at, entries[i]);
		memcpy(at + head_size(entries[i]), entries[i]->bytes, entries[i]->size);
		ret_copies[i]->pack = pack;
		at += entry_size(entries[i]);
	}
}

bool entry_is_in_sparse_pack(const struct entry *entry)
{
	return entry->pack && atomic_load(&entry->pack->live) < entry->pack->n - entry->pack->n / 4;
}

static void pack_leave(struct pack *pack)
{
	if (atomic_fetch_sub_explicit(&pack->live, 1, memory_order_acq_rel) == 1)
		free(pack);
}

struct entry *entry_ref(struct entry *entry)
{
	atomic_fetch_add_explicit(&entry->refs, 1, memory_order_relaxed);
	return entry;
}

void entry_unref(struct entry *entry)
{
	if (!entry || atomic_fetch_sub_explicit(&entry->refs, 1, memory_order_acq_rel) != 1)
		return;
	free(atomic_load(&entry->json));
	for (size_t i = 0; i < ENTRY_FORMS; i++)
		free(atomic_load(&entry->deflated[i]));
	free(atomic_load(&entry->row));
	if (entry->pack)
		pack_leave(entry->pack);
	else
		free(entry);
}

ProtobufCMessage *entry_decode(const struct entry *entry, struct arena *arena)
{
	ProtobufCMessage *object = NULL;
	struct status *status = protobuf_unpack(arena, entry->resource->type, entry->bytes, entry->size, &object);
	if (!status)
		return object;
	/* We packed these bytes ourselves. */
	log_status(status, "%s %s does not unpack", entry->resource->plural, entry->key);
	return api_new(arena, entry->resource->type);
}

/* The bytes of the object that begins here; we wrote them ourselves. */
static size_t object_size(const char *json, size_t size)
{
	size_t depth = 0;
	bool quoted = false;
	for (size_t i = 0; i < size; i++) {
		if (json[i] == '"')
			quoted = !quoted;
		else if (quoted)
			i += json[i] == '\\';
		else if (json[i] == '{')
			depth++;
		else if (json[i] == '}' && !--depth)
			return i + 1;
	}
	return 0;
}

static void find_metadata(struct piece *piece)
{
	static const char mark[] = "{\"metadata\":";
	piece->metadata_from = sizeof(mark) - 1;
	piece->metadata_size = 0;
	if (piece->size > sizeof(mark) && !memcmp(piece->data, mark, sizeof(mark) - 1))
		piece->metadata_size =
			object_size(piece->data + piece->metadata_from, piece->size - piece->metadata_from);
}

const struct piece *entry_json(struct entry *entry)
{
	struct piece *piece = atomic_load(&entry->json);
	if (piece)
		return piece;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	json_encode(&out, entry_decode(entry, arena), JSON_NO_TYPE);
	piece = mem_alloc(sizeof(*piece) + out.len);
	piece->size = out.len;
	memcpy(piece->data, out.buf, out.len);
	find_metadata(piece);
	struct piece *other = NULL;
	if (atomic_compare_exchange_strong(&entry->json, &other, piece))
		return piece;
	free(piece);
	return other;
}

const struct print_row *entry_row(struct entry *entry)
{
	struct print_row *row = atomic_load(&entry->row), *other = NULL;
	if (row)
		return row;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	row = print_row_new(entry_decode(entry, arena));
	if (atomic_compare_exchange_strong(&entry->row, &other, row))
		return row;
	free(row);
	return other;
}

const char *entry_form_bytes(struct entry *entry, enum entry_form form, size_t *ret_size)
{
	if (form == ENTRY_PROTOBUF) {
		*ret_size = entry->size;
		return (const char *)entry->bytes;
	}
	const struct piece *json = entry_json(entry);
	*ret_size = json->size;
	return json->data;
}

const struct deflated *entry_deflated(struct entry *entry, enum entry_form form, struct deflater *deflater)
{
	struct deflated *deflated = atomic_load(&entry->deflated[form]);
	if (deflated)
		return deflated;
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	size_t size;
	const char *data = entry_form_bytes(entry, form, &size);
	if (!deflate_piece(deflater, data, size, &out))
		return NULL;
	deflated = mem_alloc(sizeof(*deflated) + out.len);
	deflated->size = out.len;
	deflated->plain_size = size;
	deflated->crc = deflate_crc(0, data, size);
	memcpy(deflated->data, out.buf, out.len);
	struct deflated *other = NULL;
	if (atomic_compare_exchange_strong(&entry->deflated[form], &other, deflated))
		return deflated;
	free(deflated);
	return other;
}

bool entry_has_forms(const struct entry *entry)
{
	bool has = atomic_load(&entry->json) || atomic_load(&entry->row);
	for (size_t i = 0; i < ENTRY_FORMS; i++)
		has |= atomic_load(&entry->deflated[i]) != NULL;
	return has;
}

size_t entry_footprint(const struct entry *entry)
{
	const struct piece *json = atomic_load(&entry->json);
	const struct print_row *row = atomic_load(&entry->row);
	size_t size = sizeof(*entry) + entry->size + (json ? json->size : 0) + (row ? print_row_size(row) : 0);
	for (size_t i = 0; i < ENTRY_FORMS; i++) {
		const struct deflated *deflated = atomic_load(&entry->deflated[i]);
		size += deflated ? deflated->size : 0;
	}
	return size;
}

const char *entry_field(const void *data, const char *path)
{
	const struct entry *entry = data;
	if (str_eq(path, "metadata.name"))
		return entry->name;
	if (str_eq(path, "metadata.namespace"))
		return entry->namespace;
	for (size_t i = 0; entry->resource->selectable && entry->resource->selectable[i]; i++)
		if (str_eq(path, entry->resource->selectable[i]))
			return entry->fields[i];
	return "";
}

static const char *value_of(void *ctx, const char *path)
{
	return entry_field(ctx, path);
}

bool entry_is_selected_alike(const struct entry *a, const struct entry *b)
{
	bool alike = a->n_labels == b->n_labels && str_eq(a->namespace, b->namespace) && str_eq(a->name, b->name);
	for (size_t i = 0; alike && i < a->n_labels; i++)
		alike = str_eq(a->labels[i]->key, b->labels[i]->key) &&
			str_eq(a->labels[i]->value, b->labels[i]->value);
	for (size_t i = 0; alike && i < count_selectable(a->resource); i++)
		alike = str_eq(a->fields[i], b->fields[i]);
	return alike;
}

bool entry_matches(const struct entry *entry, const struct label_selector *labels, const struct field_selector *fields)
{
	if (labels && !label_selector_matches(labels, entry->labels, entry->n_labels))
		return false;
	return !fields || field_selector_matches(fields, value_of, (void *)(uintptr_t)entry);
}
