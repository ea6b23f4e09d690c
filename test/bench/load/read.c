/* GET by name. */
#include "test/bench/load/load.h"

static struct status *get_one(struct crowd_client *c, int64_t i)
{
	struct answer answer;
	body_fill(&c->scratch, c->data, c->load->from + i % c->load->n, 0);
	return wire_ask(c->wire, &c->load->target, "GET", c->scratch.buf, NULL, NULL, 0, false, &answer);
}

struct status *load_read(struct load *l)
{
	bool cached = str_eq(l->what, "cached");
	struct crowd crowd = {.load = l,
		.op = get_one,
		.data = arena_printf(l->arena, "/api/v1/namespaces/%s/pods/load-%%N%s", l->namespace,
			cached ? "?resourceVersion=0" : "")};
	struct gauge gauge = gauge_start(l->server_pid);
	TRY(crowd_run(&crowd));
	crowd_figure(&crowd, cached ? "get-cached" : "get", &gauge);
	samples_done(&crowd.ms);
	return NULL;
}
