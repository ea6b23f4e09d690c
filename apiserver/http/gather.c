#include <stdlib.h>
#include "apiserver/http/server_private.h"
#include "base/mem.h"

#define COPY_BLOCK 65536

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
	if (last && !last->whole && last->data + last->size == data) {
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

static void hold_entry(struct gather *g, struct entry *hold)
{
	mem_grow(&g->held, &g->cap_held, g->n_held + 1, sizeof(*g->held));
	g->held[g->n_held++] = entry_ref(hold);
}

void gather_borrow(struct gather *g, const void *data, size_t size, struct entry *hold)
{
	add_part(g, data, size);
	if (hold)
		hold_entry(g, hold);
}

void gather_entry(struct gather *g, struct entry *entry, enum entry_form form)
{
	size_t size;
	const char *data = entry_form_bytes(entry, form, &size);
	mem_grow(&g->parts, &g->cap_parts, g->n_parts + 1, sizeof(*g->parts));
	g->parts[g->n_parts++] = (struct part){.data = data, .size = size, .whole = entry, .form = form};
	g->size += size;
	hold_entry(g, entry);
}

size_t gather_size(const struct gather *g)
{
	return g->size;
}

size_t gather_read(struct gather *g, char *buf, size_t max)
{
	size_t n = 0;
	while (n < max && g->part < g->n_parts) {
		const struct part *part = &g->parts[g->part];
		size_t size = part->size - g->offset;
		if (size > max - n)
			size = max - n;
		memcpy(buf + n, part->data + g->offset, size);
		n += size;
		g->offset += size;
		if (g->offset == part->size) {
			g->part++;
			g->offset = 0;
		}
	}
	return n;
}

bool gather_next(struct gather *g, struct outlet_pieces *pieces)
{
	bool more = g->part < g->n_parts;
	for (size_t i = 0; i < REPLY_PIECES && g->part < g->n_parts; i++, g->part++)
		outlet_piece(pieces, g->parts[g->part].data, g->parts[g->part].size);
	return more;
}
