#include "scheduler/set_memo.h"

struct set_memo set_memo_make(struct arena *arena, const struct nodes *nodes)
{
	size_t n = intern_count(nodes->label_sets);
	return (struct set_memo){ARENA_ARRAY(arena, int8_t, n + 1), n};
}
