#include "base/recent.h"
#include <stdlib.h>
#include "base/map.h"
#include "base/mem.h"

/* The map keeps the order in which keys were put: what is used is put again, behind all others. */
struct recent {
	size_t max;
	struct strmap *values;
};

struct recent *recent_new(size_t max, void (*free_value)(void *))
{
	struct recent *r = mem_zalloc(sizeof(*r));
	r->max = max;
	r->values = strmap_new(free_value);
	return r;
}

void recent_free(struct recent *r)
{
	if (!r)
		return;
	strmap_free(r->values);
	free(r);
}

void *recent_get(struct recent *r, const char *key)
{
	void *value = strmap_steal(r->values, key);
	if (value)
		strmap_put(r->values, key, value);
	return value;
}

void recent_put(struct recent *r, const char *key, void *value)
{
	strmap_remove(r->values, key);
	if (strmap_count(r->values) >= r->max) {
		struct strmap_iter oldest = {.map = r->values};
		if (strmap_next(&oldest))
			strmap_remove(r->values, oldest.key);
	}
	strmap_put(r->values, key, value);
}
