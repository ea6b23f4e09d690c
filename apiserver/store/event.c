#include <stdlib.h>
#include "apiserver/store/cache_private.h"
#include "base/mem.h"

enum { OF_BLOCK = MEM_EXACT ? 1 : 45 }; /* of 45 a page is full */

struct event_block {
	atomic_uint live; /* that are still there, or still to be handed out */
	struct event events[OF_BLOCK];
};

static void leave(struct event_block *block, unsigned n)
{
	if (atomic_fetch_sub_explicit(&block->live, n, memory_order_acq_rel) == n)
		free(block);
}

struct event *event_new(struct event_source *source)
{
	if (!source->left) {
		source->block = mem_zalloc(sizeof(*source->block));
		source->left = OF_BLOCK;
		atomic_init(&source->block->live, OF_BLOCK);
	}
	struct event *event = &source->block->events[OF_BLOCK - source->left--];
	event->block = source->block;
	atomic_init(&event->refs, 1);
	return event;
}

void event_source_done(struct event_source *source)
{
	if (source->left)
		leave(source->block, source->left);
	*source = (struct event_source){0};
}

struct event *event_ref(struct event *event)
{
	atomic_fetch_add_explicit(&event->refs, 1, memory_order_relaxed);
	return event;
}

void event_unref(struct event *event)
{
	if (!event || atomic_fetch_sub_explicit(&event->refs, 1, memory_order_acq_rel) != 1)
		return;
	entry_unref(event->object);
	entry_unref(event->before);
	entry_unref(atomic_load(&event->last));
	leave(event->block, 1);
}
