#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include "apiserver/http/answer.h"
#include "apiserver/http/server_private.h"
#include "base/mem.h"

#define COPY_BLOCK 65536
#define PROTOBUF_LIST_ITEM 0x12 /* field 2 of every list, length-delimited */
/* So many bytes of rows are written at once; the rows of a larger Table are written while it is sent. */
#define ROWS_MOST_BYTES (128u << 10)

struct gather *gather_new(void)
{
	struct gather *g = mem_zalloc(sizeof(*g));
	g->arena = arena_new_sized(1024);
	for (size_t i = 0; i < ARRAY_SIZE(g->heads); i++)
		strbuf_init(&g->heads[i]);
	return g;
}

void gather_free(struct gather *g)
{
	if (!g)
		return;
	for (size_t i = 0; i < g->n_held; i++)
		entry_unref(g->held[i]);
	for (size_t i = 0; i < ARRAY_SIZE(g->heads); i++)
		strbuf_done(&g->heads[i]);
	free(g->held);
	free(g->parts);
	arena_free(g->arena);
	free(g);
}

void gather_add(struct gather *g, const struct part *part, size_t size)
{
	g->size += size;
	mem_grow(&g->parts, &g->cap_parts, g->n_parts + 1, sizeof(*g->parts));
	g->parts[g->n_parts++] = *part;
}

static void add_bytes(struct gather *g, const char *data, size_t size)
{
	if (!size)
		return;
	struct part *last = g->n_parts ? &g->parts[g->n_parts - 1] : NULL;
	if (last && last->kind == PART_BYTES && last->data + last->size == data) {
		last->size += size;
		g->size += size;
		return;
	}
	gather_add(g, &(const struct part){.data = data, .size = size}, size);
}

void gather_copy(struct gather *g, const void *data, size_t size)
{
	if (!size)
		return;
	if (size > g->room) {
		g->room = size > COPY_BLOCK / 16 ? size : COPY_BLOCK / 16;
		g->pen = arena_alloc(g->arena, g->room);
	}
	memcpy(g->pen, data, size);
	add_bytes(g, g->pen, size);
	g->pen += size;
	g->room -= size;
}

void gather_borrow(struct gather *g, const void *data, size_t size, struct entry *hold)
{
	add_bytes(g, data, size);
	if (!hold)
		return;
	mem_grow(&g->held, &g->cap_held, g->n_held + 1, sizeof(*g->held));
	g->held[g->n_held++] = entry_ref(hold);
}

void gather_hold(struct gather *g, struct entry **entries, size_t n)
{
	assert(!g->held);
	g->held = entries;
	g->n_held = g->cap_held = n;
}

/* --- entries --- */

/* A list's items in JSON have commas between them; in protobuf each is a field of the list. */
static void add_item_head(struct strbuf *head, const struct part *part, size_t item)
{
	size_t size;
	if (part->form == ENTRY_JSON) {
		if (item)
			strbuf_addc(head, ',');
		return;
	}
	entry_form_bytes(part->entries[item], part->form, &size);
	strbuf_addc(head, PROTOBUF_LIST_ITEM);
	strbuf_varint(head, size);
}

void gather_add_stored(struct strbuf *out, const char *data, size_t size)
{
	const uint16_t sizes[] = {htole16((uint16_t)size), htole16((uint16_t)~size)};
	strbuf_addc(out, 0);
	strbuf_add(out, sizes, sizeof(sizes));
	strbuf_add(out, data, size);
}

static struct iovec deflated_item(const struct part *part, size_t item, struct strbuf *head)
{
	CLEANUP(strbuf_done) struct strbuf plain = STRBUF_INIT;
	/* It has been made. */
	const struct deflated *deflated = entry_deflated(part->entries[item], part->form, NULL);
	add_item_head(&plain, part, item);
	if (plain.len)
		gather_add_stored(head, plain.buf, plain.len);
	return (struct iovec){(void *)(uintptr_t)deflated->data, deflated->size};
}

/* Cells, and metadata as part of the entry's JSON; the row before is ended here. */
static struct iovec row(const struct part *part, size_t item, struct strbuf *head)
{
	static const char object[] =
		",\"object\":{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/v1\",\"metadata\":";
	const struct piece *json = entry_json(part->entries[item]);
	if (item)
		strbuf_adds(head, "}},");
	print_row_add(head, entry_row(part->entries[item]), part->now);
	strbuf_add(head, object, sizeof(object) - 1);
	return (struct iovec){(void *)(uintptr_t)(json->data + json->metadata_from), json->metadata_size};
}

struct iovec gather_item(const struct part *part, size_t item, struct strbuf *head)
{
	size_t size;
	strbuf_reset(head);
	if (part->kind == PART_ROWS)
		return row(part, item, head);
	if (part->kind == PART_DEFLATED_ITEMS)
		return deflated_item(part, item, head);
	const char *data = entry_form_bytes(part->entries[item], part->form, &size);
	add_item_head(head, part, item);
	return (struct iovec){(void *)(uintptr_t)data, size};
}

void gather_entries(struct gather *g, struct entry *const *entries, size_t n, enum entry_form form)
{
	const struct part part = {.kind = PART_ITEMS, .entries = entries, .n = n, .form = form};
	size_t size = 0;
	if (!n)
		return;
	/* Forms that nobody has asked for before are made here, not where they are sent. */
	for (size_t i = 0; i < n; i++)
		size += gather_item(&part, i, &g->heads[0]).iov_len + g->heads[0].len;
	gather_add(g, &part, size);
}

void gather_rows(struct gather *g, struct entry *const *entries, size_t n, int64_t now)
{
	const struct part part = {.kind = PART_ROWS, .entries = entries, .n = n, .now = now};
	size_t about = 0;
	if (!n)
		return;
	for (size_t i = 0; i < n; i++)
		about += entry_json(entries[i])->metadata_size + print_row_size(entry_row(entries[i]));
	if (about >= ROWS_MOST_BYTES) {
		gather_add(g, &part, about);
	} else {
		for (size_t i = 0; i < n; i++) {
			const struct iovec metadata = gather_item(&part, i, &g->heads[0]);
			gather_copy(g, g->heads[0].buf, g->heads[0].len);
			gather_borrow(g, metadata.iov_base, metadata.iov_len, NULL);
		}
	}
	gather_copy(g, "}}", 2);
}

static void next_item(struct gather *g, const struct part *part, struct strbuf *head, struct outlet_pieces *pieces)
{
	const struct iovec item = gather_item(part, g->item, head);
	outlet_piece(pieces, head->buf, head->len);
	outlet_piece(pieces, item.iov_base, item.iov_len);
	if (++g->item < part->n)
		return;
	g->item = 0;
	g->part++;
}

bool gather_next(struct gather *g, struct outlet_pieces *pieces)
{
	bool more = g->part < g->n_parts;
	for (size_t i = 0; i < ARRAY_SIZE(g->heads) && g->part < g->n_parts; i++) {
		const struct part *part = &g->parts[g->part];
		if (part->kind != PART_BYTES) {
			next_item(g, part, &g->heads[i], pieces);
			continue;
		}
		outlet_piece(pieces, part->data, part->size);
		g->part++;
	}
	return more;
}

size_t gather_read(struct gather *g, char *buf, size_t max)
{
	struct outlet_pieces *p = &g->reading;
	size_t n = 0;
	while (n < max) {
		if (p->at == p->n) {
			p->at = p->n = 0;
			if (!gather_next(g, p))
				break;
		}
		struct iovec *v = &p->v[p->at];
		const size_t size = v->iov_len < max - n ? v->iov_len : max - n;
		memcpy(buf + n, v->iov_base, size);
		n += size;
		v->iov_base = (char *)v->iov_base + size;
		v->iov_len -= size;
		if (!v->iov_len)
			p->at++;
	}
	return n;
}
