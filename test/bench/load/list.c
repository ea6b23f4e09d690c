/* LIST of a namespace's pods (of all namespaces', when it is "") in every form, and what its bytes alone would cost. */
#include "base/cleanup.h"
#include "test/bench/load/load.h"

struct form {
	const char *name, *headers, *query;
	bool pages;
};
#define TABLE "Accept: application/json;as=Table;v=v1;g=meta.k8s.io\r\n"
static const struct form forms[] = {
	{"json", "Accept: application/json\r\n", "resourceVersion=0", false},
	{"current", "Accept: application/json\r\n", "", false},
	{"protobuf", "Accept: application/vnd.kubernetes.protobuf\r\n", "resourceVersion=0", false},
	{"table", TABLE, "resourceVersion=0", false},
	{"gzip", "Accept: application/json\r\nAccept-Encoding: gzip\r\n", "resourceVersion=0", false},
	{"pages", "Accept: application/json\r\n", "limit=500", true},
};

struct listing {
	const struct form *form;
	const char *path;      /* with its query */
	_Atomic(size_t) bytes; /* of the last list */
};

/* The continue token, which stands in front of the items and, kept simple, behind them too. */
static const char *next_page(struct arena *arena, const struct answer *answer)
{
	static const char mark[] = "\"continue\":\"";
	const char *at = strstr(answer->body, mark);
	if (!at)
		return NULL;
	at += sizeof mark - 1;
	size_t len = strcspn(at, "\"");
	return len ? arena_strndup(arena, at, len) : NULL;
}

static struct status *list_once(struct crowd_client *c, int64_t i)
{
	struct listing *listing = c->data;
	const char *path = listing->path, *token;
	size_t bytes = 0;
	struct answer answer;
	do {
		TRY(wire_ask(c->wire, &c->load->target, "GET", path, listing->form->headers, NULL, 0,
			listing->form->pages, &answer));
		bytes += answer.size;
		token = listing->form->pages ? next_page(c->arena, &answer) : NULL;
		if (token)
			path = arena_printf(c->arena, "%s&continue=%s", listing->path, token);
	} while (token);
	listing->bytes = bytes;
	return NULL;
}

static const struct form *find_form(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		if (str_eq(forms[i].name, name))
			return &forms[i];
	}
	return NULL;
}

static const char *path_of(struct load *l, const struct form *form)
{
	const char *in = str_eq(l->namespace, "*") ? "" : arena_printf(l->arena, "/namespaces/%s", l->namespace);
	const char *selector = str_empty(l->selector) ? "" : arena_printf(l->arena, "&labelSelector=%s", l->selector);
	return arena_printf(l->arena, "/api/v1%s/pods?%s%s", in, form->query, selector);
}

/* value: the median in ms; peak: above what the process held before. */
struct status *load_list(struct load *l)
{
	struct listing listing = {.form = find_form(l->what)};
	if (!listing.form)
		return status_bad_request("--what %s: no such form of a list", str_or_empty(l->what));
	listing.path = path_of(l, listing.form);
	l->seconds = 600;
	struct crowd crowd = {.load = l, .op = list_once, .data = &listing, .max = l->n};
	struct gauge gauge = gauge_start(l->server_pid);
	TRY(crowd_run(&crowd));
	figure_print(&(struct figure){.name = str_or(l->figure, listing.form->name),
		.unit = "ms",
		.value = samples_quantile(&crowd.ms, 0.5),
		.p99 = samples_quantile(&crowd.ms, 0.99),
		.cpu = gauge_cpu_s(&gauge) * 1000 / (double)crowd.done,
		.peak = gauge_peak_mib(&gauge) - gauge.resident_mib});
	fprintf(stderr, "# %zu bytes\n", listing.bytes);
	samples_done(&crowd.ms);
	return NULL;
}
