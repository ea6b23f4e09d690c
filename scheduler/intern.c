#include "scheduler/intern.h"
#include <assert.h>
#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"

struct intern {
	struct strmap *ids; /* string -> id + 1 */
	char **strings;
	size_t n, cap;
};

struct intern *intern_new(void)
{
	struct intern *table = mem_zalloc(sizeof *table);
	table->ids = strmap_new(NULL);
	return table;
}

void intern_free(struct intern *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < table->n; i++)
		free(table->strings[i]);
	free(table->strings);
	strmap_free(table->ids);
	free(table);
}

uint32_t intern_find(const struct intern *table, const char *s)
{
	uintptr_t found = (uintptr_t)strmap_get(table->ids, str_or_empty(s));
	return found ? (uint32_t)(found - 1) : INTERN_NONE;
}

uint32_t intern(struct intern *table, const char *s)
{
	uint32_t id = intern_find(table, s);
	if (id != INTERN_NONE)
		return id;
	mem_grow(&table->strings, &table->cap, table->n + 1, sizeof *table->strings);
	id = (uint32_t)table->n;
	table->strings[table->n++] = mem_strdup(str_or_empty(s));
	strmap_put(table->ids, str_or_empty(s), (void *)(uintptr_t)(id + 1));
	return id;
}

const char *intern_string(const struct intern *table, uint32_t id)
{
	assert(id < table->n);
	return table->strings[id];
}

size_t intern_count(const struct intern *table)
{
	return table->n;
}
