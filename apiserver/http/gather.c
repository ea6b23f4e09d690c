#include <assert.h>
#include <stdlib.h>
#include "apiserver/http/server_private.h"
#include "base/mem.h"

#define COPY_BLOCK 65536
#define PROTOBUF_LIST_ITEM 0x12 /* field 2 of every list, length-delimited */

struct gather *gather_new(void)
{
	struct gather *g = mem_zalloc(sizeof(*g));
	g->arena = arena_new_sized(1024);
	return g;
}

void gather_free(struct gather *g)
{
	if (!g)
		return;
	for (size_t i = 0; i < g->n_held; i++)
		entry_unref(g->held[i]);
	free(g->held);
	free(g->parts);
	arena_free(g->arena);
	free(g);
}

static void add_part(struct gather *g, const char *data, size_t size)
{
	if (!size)
		return;
	g->size += size;
	struct part *last = g->n_parts ? &g->parts[g->n_parts - 1] : NULL;
	if (last && !last->entries && last->data + last->size == data) {
		last->size += size;
		return;
	}
	mem_grow(&g->parts, &g->cap_parts, g->n_parts + 1, sizeof(*g->parts));
	g->parts[g->n_parts++] = (struct part){.data = data, .size = size};
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
	add_part(g, g->pen, size);
	g->pen += size;
	g->room -= size;
}

void gather_borrow(struct gather *g, const void *data, size_t size, struct entry *hold)
{
	add_part(g, data, size);
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

/* A list's items in JSON have commas between them; in protobuf each is a field of the list. */
size_t gather_item_head(const struct part *part, size_t item, char *head)
{
	size_t size, n = 0;
	if (part->form == ENTRY_JSON) {
		head[0] = ',';
		return item ? 1 : 0;
	}
	entry_form_bytes(part->entries[item], part->form, &size);
	head[n++] = PROTOBUF_LIST_ITEM;
	for (; size >= 0x80; size >>= 7)
		head[n++] = (char)(size | 0x80);
	head[n++] = (char)size;
	return n;
}

void gather_entries(struct gather *g, struct entry *const *entries, size_t n, enum entry_form form)
{
	const struct part part = {.entries = entries, .n = n, .form = form};
	char head[ITEM_HEAD_BYTES];
	if (!n)
		return;
	/* Forms that nobody has asked for before are made here, not where they are sent. */
	for (size_t i = 0; i < n; i++) {
		size_t size;
		entry_form_bytes(entries[i], form, &size);
		g->size += gather_item_head(&part, i, head) + size;
	}
	mem_grow(&g->parts, &g->cap_parts, g->n_parts + 1, sizeof(*g->parts));
	g->parts[g->n_parts++] = part;
}

size_t gather_size(const struct gather *g)
{
	return g->size;
}

static void next_item(struct gather *g, const struct part *part, char *head, struct outlet_pieces *pieces)
{
	size_t size;
	const char *data = entry_form_bytes(part->entries[g->item], part->form, &size);
	outlet_piece(pieces, head, gather_item_head(part, g->item, head));
	outlet_piece(pieces, data, size);
	if (++g->item < part->n)
		return;
	g->item = 0;
	g->part++;
}

bool gather_next(struct gather *g, struct outlet_pieces *pieces)
{
	bool more = g->part < g->n_parts;
	for (size_t i = 0; i < REPLY_PIECES / 2 && g->part < g->n_parts; i++) {
		const struct part *part = &g->parts[g->part];
		if (part->entries) {
			next_item(g, part, g->heads[i], pieces);
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
