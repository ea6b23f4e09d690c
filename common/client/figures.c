#include "client/figures.h"
#include <stdlib.h>
#include "base/mem.h"
#include "base/str.h"

static const char *const methods[CLIENT_METHODS] = {"GET", "POST", "PUT", "PATCH", "DELETE", "OTHER"};
static const double bounds[] = {0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60};
static const struct tally_bounds seconds_bounds = {bounds, ARRAY_SIZE(bounds)};

struct client_figures *client_figures_new(void)
{
	return mem_zalloc(sizeof(struct client_figures));
}

void client_figures_free(struct client_figures *figures)
{
	if (!figures)
		return;
	for (size_t i = 0; i < CLIENT_METHODS; i++)
		tally_done(&figures->methods[i].seconds);
	free(atomic_load(&figures->host));
	free(figures);
}

const char *client_method_name(size_t index)
{
	return methods[index];
}

const struct tally_bounds *client_seconds(void)
{
	return &seconds_bounds;
}

void client_count(struct client_figures *figures, const char *method, int code, double seconds)
{
	size_t m = 0;
	if (!figures)
		return;
	while (m + 1 < CLIENT_METHODS && !str_eq(methods[m], method))
		m++;
	tally_observe(&figures->methods[m].seconds, &seconds_bounds, seconds);
	for (size_t i = 0; i < CLIENT_CODES; i++) {
		struct client_code *c = &figures->methods[m].codes[i];
		int there = 0;
		if (atomic_load_explicit(&c->code, memory_order_relaxed) != code &&
			!atomic_compare_exchange_strong(&c->code, &there, code) && there != code)
			continue;
		atomic_fetch_add_explicit(&c->n, 1, memory_order_relaxed);
		return;
	}
}
