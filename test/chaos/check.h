/*
 * The checker of chaos runs: holds what clients were told against the truth, which is the store's own order of changes.
 *
 *	struct verdict verdict = {.arena = arena};
 *	check_history(history, &verdict);
 *	for (size_t i = 0; i < verdict.n_faults; i++)
 *		puts(verdict.faults[i]);
 *
 * Each rule is one function in one table (check.c) and says how many things it has looked at, so that a run that proved
 * nothing is seen to have proved nothing.
 */
#ifndef CHAOS_CHECK_H
#define CHAOS_CHECK_H

#include "test/chaos/history.h"

struct verdict {
	struct arena *arena;
	const char *rule; /* at work */
	char **faults;	  /* "rule: what is wrong" */
	size_t n_faults;
	char **looked; /* "rule: n things" */
	size_t n_looked;
	size_t n_things; /* of the rule at work */
};

void check_history(const struct history *history, struct verdict *verdict);
/* Only the rules of rest: what they find may still be on its way, so a run waits until they find nothing. */
void check_rest(const struct history *history, struct verdict *verdict);
/* One thing that is wrong. */
void fault(struct verdict *verdict, const char *format, ...) PRINTF(2, 3);

/* The rules. */
void check_writes(struct verdict *v, const struct history *h);
void check_real_time(struct verdict *v, const struct history *h);
void check_reads(struct verdict *v, const struct history *h);
void check_lists(struct verdict *v, const struct history *h);
void check_watches(struct verdict *v, const struct history *h);
void check_ends(struct verdict *v, const struct history *h);
void check_identity(struct verdict *v, const struct history *h);
void check_addresses(struct verdict *v, const struct history *h);
void check_pod_addresses(struct verdict *v, const struct history *h);
void check_owners(struct verdict *v, const struct history *h);
void check_deployments(struct verdict *v, const struct history *h);
void check_endpoints(struct verdict *v, const struct history *h);
void check_deletions(struct verdict *v, const struct history *h);
void check_leaders(struct verdict *v, const struct history *h);
void check_steady(struct verdict *v, const struct history *h);

/* The words of a comma-separated value. */
size_t words_of(struct arena *arena, const char *value, char ***ret_words);
/* Whether the key is the last word on an object that is there now. */
static inline bool is_alive(const struct change *newest)
{
	return newest->type != CHANGE_DELETE;
}

#endif
