#include "apiserver/strategy/strategy.h"
#include "base/str.h"

static const struct strategy plain = {.group = "", .resource = ""};

const struct strategy *strategy_find(const char *group, const char *resource)
{
	for (size_t i = 0; strategy_table[i]; i++)
		if (str_eq(strategy_table[i]->resource, resource) && str_eq(strategy_table[i]->group, group))
			return strategy_table[i];
	return &plain;
}

const struct subresource_handler *strategy_subresource(const struct strategy *strategy, const char *name)
{
	for (size_t i = 0; i < strategy->n_subresources; i++)
		if (str_eq(strategy->subresources[i].name, name))
			return &strategy->subresources[i];
	return NULL;
}
