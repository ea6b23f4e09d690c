#include "kube-proxy/sync.h"
#include "base/clock.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/mem.h"

/* The kernel lets go of an emptied map's jumps a moment after the transaction; only then can their chains go. */
enum { STALE_MS = 1000 };
/* Where nothing is there yet, services come in pieces of so much text: a transaction's cost rises with more than its
 * size. */
enum { PIECE_BYTES = 512 * 1024 };

static void service_free(void *p)
{
	struct sync_service *service = p;
	for (int family = 0; family < N_FAMILIES; family++) {
		fragment_free(service->installed[family]);
		fragment_free(service->wanted[family]);
	}
	free(service->key);
	free(service->slices);
	free(service);
}

struct sync *sync_new(struct nft *nft, const struct clock *clock)
{
	struct sync *s = mem_zalloc(sizeof *s);
	s->nft = nft;
	s->clock = clock;
	s->services = strmap_new(service_free);
	for (int family = 0; family < N_FAMILIES; family++) {
		s->owners[family] = strmap_new(NULL);
		s->stale[family] = strmap_new(free);
		s->enabled[family] = true;
	}
	s->full_needed = true;
	return s;
}

void sync_free(struct sync *s)
{
	if (!s)
		return;
	strmap_free(s->services);
	for (int family = 0; family < N_FAMILIES; family++) {
		strmap_free(s->owners[family]);
		strmap_free(s->stale[family]);
	}
	free(s);
}

struct sync_service *sync_touch(struct sync *s, const char *key)
{
	struct sync_service *service = strmap_get(s->services, key);
	if (!service) {
		service = mem_zalloc(sizeof *service);
		service->key = mem_strdup(key);
		strmap_put(s->services, key, service);
	}
	service->dirty = true;
	return service;
}

/* --- what is wanted --- */

/* An address and port that two services claim belongs to the first; the other gets it when it becomes free. */
static void claim(struct sync *s, enum family family, struct sync_service *service, struct fragment *wanted)
{
	struct strmap *owners = s->owners[family];
	STRMAP_FOREACH (wanted->elements, it) {
		struct sync_service *owner = strmap_get(owners, it.key);
		if (owner && owner != service) {
			log_warn("%s: %s is already in use by %s", service->key, it.key, owner->key);
			service->contended = true;
			strmap_remove(wanted->elements, it.key);
		} else if (!owner) {
			strmap_put(owners, it.key, service);
		}
	}
}

static void release(struct sync *s, enum family family, struct sync_service *service)
{
	const struct fragment *from = service->installed[family], *to = service->wanted[family];
	if (!from)
		return;
	STRMAP_FOREACH (from->elements, it) {
		if (to && strmap_has(to->elements, it.key))
			continue;
		if (strmap_get(s->owners[family], it.key) == service) {
			strmap_remove(s->owners[family], it.key);
			s->contention_over = true;
		}
	}
}

static void note_udp(struct sync *s, struct sync_service *service, const struct service_model *model)
{
	for (size_t i = 0; model && i < model->n_ports; i++)
		service->has_udp |= !strcmp(model->ports[i].protocol, "udp");
	s->udp_changed |= service->has_udp;
}

static void want(struct sync *s, struct arena *arena, enum family family, struct sync_service *service)
{
	const struct rules_config *config = &s->config[family];
	struct service_model *model =
		service_model_make(arena, family, service->service, service->slices, service->n_slices);
	note_udp(s, service, model);
	if (model && (family == FAMILY_IPV4 || !service->health_check_node_port)) {
		service->health_check_node_port = model->health_check_node_port;
		service->n_local_ready = service_local_ready(model, config->topology.node);
	}
	fragment_free(service->wanted[family]);
	service->wanted[family] = fragment_make(arena, config, model);
	release(s, family, service);
	claim(s, family, service, service->wanted[family]);
}

/* --- transactions --- */

static void forget_wanted(struct sync *s, enum family family)
{
	STRMAP_FOREACH (s->services, it) {
		struct sync_service *service = it.value;
		fragment_free(service->wanted[family]);
		service->wanted[family] = NULL;
	}
}

static void accept_wanted(struct sync *s, enum family family)
{
	STRMAP_FOREACH (s->services, it) {
		struct sync_service *service = it.value;
		if (!service->wanted[family])
			continue;
		fragment_free(service->installed[family]);
		service->installed[family] = service->wanted[family];
		service->wanted[family] = NULL;
	}
}

static void mark_stale(struct sync *s, enum family family, const char *chain)
{
	int64_t *when = mem_alloc(sizeof *when);
	*when = clock_mono_ms(s->clock);
	strmap_put(s->stale[family], chain, when);
}

static bool is_wanted_chain(struct sync *s, enum family family, const char *chain, bool installed)
{
	STRMAP_FOREACH (s->services, it) {
		const struct sync_service *service = it.value;
		const struct fragment *f =
			installed || !service->wanted[family] ? service->installed[family] : service->wanted[family];
		if (f && strmap_has(f->chains, chain))
			return true;
	}
	return false;
}

static bool is_service_chain(const char *name)
{
	return strchr(name, '/') != NULL;
}

/* What an earlier process left: chains are emptied first, so that nothing refers to the sets that go. */
static struct status *write_leftovers(struct sync *s, enum family family, struct rules_change *c)
{
	CLEANUP(strmap_freep) struct strmap *chains = strmap_new(NULL);
	CLEANUP(strmap_freep) struct strmap *sets = strmap_new(NULL);
	CLEANUP(strmap_freep) struct strmap *wanted_chains = strmap_new(NULL);
	CLEANUP(strmap_freep) struct strmap *wanted_sets = strmap_new(NULL);
	const char *f = rules_family_name(family);
	TRY(nft_names(s->nft, family, chains, sets));
	STRMAP_FOREACH (s->services, it) {
		const struct sync_service *service = it.value;
		if (!service->wanted[family])
			continue;
		STRMAP_FOREACH (service->wanted[family]->chains, chain)
			strmap_put(wanted_chains, chain.key, NULL);
		STRMAP_FOREACH (service->wanted[family]->sets, set)
			strmap_put(wanted_sets, set.key, NULL);
	}
	STRMAP_FOREACH (chains, it) {
		if (!is_service_chain(it.key))
			continue;
		strbuf_printf(&c->create, "flush chain %s %s %s\n", f, RULES_TABLE, it.key);
		if (!strmap_has(wanted_chains, it.key))
			mark_stale(s, family, it.key);
	}
	STRMAP_FOREACH (sets, it) {
		if (str_starts_with(it.key, "affinity-") && !strmap_has(wanted_sets, it.key))
			strbuf_printf(&c->create, "delete set %s %s %s\n", f, RULES_TABLE, it.key);
	}
	return NULL;
}

static void write_services(struct sync *s, enum family family, bool full, struct rules_change *c)
{
	STRMAP_FOREACH (s->services, it) {
		const struct sync_service *service = it.value;
		if (service->wanted[family])
			rules_write_diff(c, family, full ? NULL : service->installed[family], service->wanted[family]);
	}
}

static struct status *commit(struct sync *s, enum family family, struct rules_change *c)
{
	const char *text = rules_change_text(c);
	log_v(9, "nftables transaction:\n%s", text);
	TRY(fail_try("proxy.before-commit"));
	TRY(nft_run(s->nft, text));
	TRY(fail_try("proxy.after-commit"));
	s->n_changes += c->n_changes;
	for (size_t i = 0; i < c->n_stale; i++)
		mark_stale(s, family, c->stale[i]);
	return NULL;
}

static struct status *run_partial(struct sync *s, enum family family)
{
	CLEANUP(rules_change_done) struct rules_change c;
	rules_change_init(&c);
	write_services(s, family, false, &c);
	return c.n_changes ? commit(s, family, &c) : NULL;
}

static struct status *commit_piece(struct sync *s, enum family family, struct rules_change *c)
{
	struct status *failed = commit(s, family, c);
	rules_change_done(c);
	rules_change_init(c);
	return failed;
}

/* Without a table, nobody's connections are cut by a service that comes later than another. */
static struct status *run_first(struct sync *s, enum family family)
{
	CLEANUP(rules_change_done) struct rules_change c;
	rules_change_init(&c);
	rules_write_base(&c, &s->config[family]);
	TRY(commit_piece(s, family, &c));
	STRMAP_FOREACH (s->services, it) {
		const struct sync_service *service = it.value;
		if (service->wanted[family])
			rules_write_diff(&c, family, NULL, service->wanted[family]);
		if (c.create.len + c.rules.len + c.add_elements.len > PIECE_BYTES)
			TRY(commit_piece(s, family, &c));
	}
	return c.n_changes ? commit(s, family, &c) : NULL;
}

/* from_nothing: without regard to what is there; for when that stands in the way. */
static struct status *run_full(struct sync *s, enum family family, bool from_nothing)
{
	CLEANUP(rules_change_done) struct rules_change c;
	const char *f = rules_family_name(family);
	rules_change_init(&c);
	if (from_nothing) {
		strbuf_printf(&c.create, "add table %s %s\ndelete table %s %s\n", f, RULES_TABLE, f, RULES_TABLE);
		strmap_clear(s->stale[family]);
	}
	rules_write_base(&c, &s->config[family]);
	if (!from_nothing)
		TRY(write_leftovers(s, family, &c));
	write_services(s, family, true, &c);
	return commit(s, family, &c);
}

static struct status *run_family(struct sync *s, enum family family, bool full)
{
	if (!full) {
		struct status *failed = run_partial(s, family);
		if (!failed)
			return NULL;
		log_status(failed, "The rules could not be changed; writing all of them anew");
		return status_internal("partial sync failed");
	}
	bool there;
	TRY(nft_has_table(s->nft, family, &there));
	if (!there)
		return run_first(s, family);
	struct status *failed = run_full(s, family, false);
	if (!failed)
		return NULL;
	log_status(failed, "The rules there are could not be taken over; replacing the table");
	return run_full(s, family, true);
}

/* Removes chains emptied long enough ago. A failure does no harm: they stay for the next time. */
static void remove_stale(struct sync *s, enum family family)
{
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
	CLEANUP(strmap_freep) struct strmap *removed = strmap_new(NULL);
	int64_t now = clock_mono_ms(s->clock);
	STRMAP_FOREACH (s->stale[family], it) {
		if (now - *(int64_t *)it.value < STALE_MS)
			continue;
		if (!is_wanted_chain(s, family, it.key, true))
			strbuf_printf(&text, "delete chain %s %s %s\n", rules_family_name(family), RULES_TABLE, it.key);
		strmap_put(removed, it.key, NULL);
	}
	STRMAP_FOREACH (removed, it)
		strmap_remove(s->stale[family], it.key);
	if (text.len)
		status_drop(nft_run(s->nft, text.buf), "the chains are empty; a full sync finds them again");
}

static void drop_gone_services(struct sync *s)
{
	STRMAP_FOREACH (s->services, it) {
		struct sync_service *service = it.value;
		service->dirty = false;
		if (!service->service && !service->n_slices)
			strmap_remove(s->services, it.key);
	}
}

static void want_all(struct sync *s, bool full)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	STRMAP_FOREACH (s->services, it) {
		struct sync_service *service = it.value;
		bool retry = s->contention_over && service->contended;
		if (!full && !service->dirty && !retry)
			continue;
		service->contended = false;
		service->health_check_node_port = 0;
		service->n_local_ready = 0;
		s->udp_changed |= service->has_udp;
		service->has_udp = false;
		for (int family = 0; family < N_FAMILIES; family++) {
			if (s->enabled[family])
				want(s, arena, family, service);
		}
		arena_reset(arena);
	}
}

struct status *sync_run(struct sync *s, bool full)
{
	struct status *failed = NULL;
	full |= s->full_needed;
	s->n_changes = 0;
	s->udp_changed = false;
	s->contention_over = false;
	want_all(s, full);
	if (s->contention_over)
		want_all(s, full);
	for (enum family family = 0; family < N_FAMILIES && !failed; family++) {
		if (!s->enabled[family])
			continue;
		remove_stale(s, family);
		failed = run_family(s, family, full);
		if (failed && !full)
			failed = (status_drop(failed, "a full sync follows"), want_all(s, true),
				run_family(s, family, true));
		if (failed)
			forget_wanted(s, family);
		else
			accept_wanted(s, family);
	}
	s->full_needed = failed != NULL;
	if (!failed)
		drop_gone_services(s);
	return failed;
}

bool sync_check(struct sync *s)
{
	for (enum family family = 0; family < N_FAMILIES && !s->full_needed; family++) {
		bool there = true;
		if (s->enabled[family])
			status_drop(nft_has_table(s->nft, family, &there), "the next sync meets the same error");
		s->full_needed |= !there;
	}
	return s->full_needed;
}

int64_t sync_next_cleanup_ms(const struct sync *s)
{
	for (int family = 0; family < N_FAMILIES; family++) {
		if (strmap_count(s->stale[family]))
			return STALE_MS + 100;
	}
	return -1;
}
