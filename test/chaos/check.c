#include "test/chaos/check.h"
#include <stdarg.h>
#include "base/str.h"

static const struct rule {
	const char *name, *things;
	void (*check)(struct verdict *v, const struct history *h);
	bool of_rest; /* looks at the last state of the store, and holds when nothing is on its way any more */
} rules[] = {
	{"writes", "writes", check_writes},
	{"real time", "writes and lists", check_real_time},
	{"reads", "reads", check_reads},
	{"lists", "lists", check_lists},
	{"watches", "events", check_watches},
	{"identity", "changes", check_identity},
	{"addresses", "changes", check_addresses},
	{"pod addresses", "changes", check_pod_addresses},
	{"ends", "ends", check_ends},
	{"owners", "references", check_owners, true},
	{"deployments", "deployments", check_deployments, true},
	{"endpoints", "pods of Services", check_endpoints, true},
	{"deletions", "objects", check_deletions, true},
	{"leaders", "changes", check_leaders},
	{"steady pods", "pods", check_steady},
};

void fault(struct verdict *v, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	char *text = arena_vprintf(v->arena, format, args);
	va_end(args);
	ARENA_PUSH(v->arena, v->faults, v->n_faults) = arena_printf(v->arena, "%s: %s", v->rule, text);
}

static void apply(const struct rule *rule, const struct history *h, struct verdict *v)
{
	v->rule = rule->name;
	v->n_things = 0;
	rule->check(v, h);
	ARENA_PUSH(v->arena, v->looked, v->n_looked) =
		arena_printf(v->arena, "%s: %zu %s", rule->name, v->n_things, rule->things);
}

void check_history(const struct history *h, struct verdict *v)
{
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		apply(&rules[i], h, v);
}

void check_rest(const struct history *h, struct verdict *v)
{
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if (rules[i].of_rest)
			apply(&rules[i], h, v);
}

size_t words_of(struct arena *arena, const char *value, char ***ret_words)
{
	*ret_words = NULL;
	return str_empty(value) ? 0 : str_split(arena, value, ',', ret_words);
}
