#include "apiserver/encryption/encryption.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include "apiserver/encryption/providers.h"
#include "apiserver/encryption/transformations.h"
#include "base/encode.h"
#include "base/follow.h"
#include "base/log.h"
#include "base/mem.h"
#include "pki/pki.h"
#include "serve/metrics.h"

/* What all that is encrypted begins with, whoever the provider is. */
static const char encrypted[] = "k8s:enc:";

#define LOOK_MS 5000

/* What is told of a configuration that is read again. */
enum outcome { TAKEN, REFUSED, OUTCOMES };

struct encryption {
	char *path;
	bool reloads;
	struct follow file;
	const struct clock *clock;
	char server_hash[sizeof("sha256:") + 64];
	pthread_rwlock_t lock; /* guards the rules */
	struct encryption_rules *rules;
	struct transformations *counts;
	atomic_uint_least64_t outcomes[OUTCOMES];
	_Atomic int64_t last_ns[OUTCOMES]; /* when that was, of the wall clock */
};

/* --- as it is configured --- */

static void name_server(struct encryption *e, const char *id)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	uint8_t digest[32];
	pki_sha256(id, strlen(id), digest);
	stpcpy(stpcpy(e->server_hash, "sha256:"), hex_encode(arena, digest, sizeof(digest)));
}

struct status *encryption_new(const struct encryption_options *options, struct encryption **ret_encryption)
{
	CLEANUP_FREE char *path = mem_strdup(options->path);
	struct follow file;
	struct encryption_rules *rules;
	follow_init(&file, options->clock, LOOK_MS, (const char *[FOLLOW_MAX]){path});
	TRY(encryption_rules_read(path, options->reloads, &rules));
	struct encryption *e = mem_zalloc(sizeof(*e));
	e->path = STEAL(path);
	e->reloads = options->reloads;
	e->file = file;
	e->clock = options->clock;
	e->rules = rules;
	e->counts = transformations_new();
	name_server(e, options->server_id);
	pthread_rwlock_init(&e->lock, NULL);
	*ret_encryption = e;
	return NULL;
}

void encryption_free(struct encryption *e)
{
	if (!e)
		return;
	encryption_rules_free(e->rules);
	transformations_free(e->counts);
	pthread_rwlock_destroy(&e->lock);
	free(e->path);
	free(e);
}

bool encryption_reloads(const struct encryption *e)
{
	return e && e->reloads;
}

/* The same text under another time is nothing new. */
static struct status *read_again(struct encryption *e, bool *ret_taken)
{
	struct encryption_rules *other;
	TRY(encryption_rules_read(e->path, true, &other));
	*ret_taken = !str_eq(other->hash, e->rules->hash);
	if (*ret_taken) {
		pthread_rwlock_wrlock(&e->lock);
		struct encryption_rules *rules = e->rules;
		e->rules = other;
		other = rules;
		pthread_rwlock_unlock(&e->lock);
	}
	encryption_rules_free(other);
	follow_accept(&e->file);
	return NULL;
}

bool encryption_refresh(struct encryption *e)
{
	bool taken = false;
	if (!encryption_reloads(e) || !follow_changed(&e->file))
		return false;
	struct status *wrong = read_again(e, &taken);
	if (wrong || taken) {
		const enum outcome outcome = wrong ? REFUSED : TAKEN;
		atomic_fetch_add(&e->outcomes[outcome], 1);
		atomic_store(&e->last_ns[outcome], clock_wall_ns(e->clock));
	}
	if (taken)
		log_info("the encryption configuration %s has been read again", e->path);
	log_status(wrong, "error processing encryption config file %s", e->path);
	return taken;
}

/* --- values --- */

struct passage {
	struct encryption *encryption;
	const struct schema_resource *resource;
	struct arena *arena;
	const char *key;
};

static bool begins_with(const struct encryption_value *value, const char *prefix)
{
	const size_t len = strlen(prefix);
	return value->size >= len && !memcmp(value->bytes, prefix, len);
}

/* As the original answers: the reason twice. */
static struct status *undecrypted(const char *why)
{
	struct status *s = status_internal("Internal error occurred: %s", why);
	status_add_cause(s, "", "", "%s", why);
	return s;
}

static struct status *open_plain(const struct encryption_value *value)
{
	return begins_with(value, encrypted) ? undecrypted("identity transformer tried to read encrypted data") : NULL;
}

/* What several keys or providers say of a value that none of them can read. */
struct failures {
	struct arena *arena;
	char **texts;
	size_t n;
};

static void add_failure(struct failures *f, const char *text)
{
	if (!str_in_n(text, f->texts, f->n))
		ARENA_PUSH(f->arena, f->texts, f->n) = arena_strdup(f->arena, text);
}

static const char *failures_text(const struct failures *f)
{
	if (!f->n)
		return NULL;
	return f->n == 1 ? f->texts[0] : arena_printf(f->arena, "[%s]", str_join(f->arena, f->texts, f->n, ", "));
}

static void count(const struct passage *p, enum transformation kind, const char *prefix, int64_t begin_ns, bool failed)
{
	const double seconds = (double)(clock_mono_ns(p->encryption->clock) - begin_ns) / 1e9;
	transformations_count(p->encryption->counts, p->resource, kind, prefix, failed ? -1 : seconds);
}

/* What stands behind a prefix. */
static struct cipher_input behind(const struct passage *p, const struct encryption_value *value, const char *prefix)
{
	const size_t len = strlen(prefix);
	return (struct cipher_input){(const uint8_t *)value->bytes + len, value->size - len, p->key};
}

static const char *open_by_keys(const struct passage *p, const struct provider *provider,
	const struct encryption_value *in, struct encryption_value *ret_out)
{
	struct failures failures = {.arena = p->arena};
	const int64_t begin_ns = clock_mono_ns(p->encryption->clock);
	for (size_t i = 0; i < provider->n_keys; i++) {
		const struct encryption_key *key = &provider->keys[i];
		if (!begins_with(in, key->prefix))
			continue;
		const struct cipher_input input = behind(p, in, key->prefix);
		uint8_t *out = arena_alloc(p->arena, input.size + 1);
		size_t size;
		const char *why = provider->cipher->open(key, &input, out, &size);
		count(p, FROM_STORAGE, key->prefix, begin_ns, why);
		if (!why) {
			*ret_out = (struct encryption_value){out, size, i > 0};
			return NULL;
		}
		add_failure(&failures, why);
	}
	if (!failures.n)
		count(p, FROM_STORAGE, "unknown", begin_ns, true);
	return failures.n ? failures_text(&failures) : provider->cipher->no_key;
}

/* Providers that share a prefix are asked one after the other, as are keys of one name: one of them may have another
 * secret under it. */
static struct status *open_by_rule(
	const struct passage *p, const struct encryption_rule *rule, struct encryption_value *value)
{
	struct failures failures = {.arena = p->arena};
	const int64_t begin_ns = clock_mono_ns(p->encryption->clock);
	for (size_t i = 0; i < rule->n_providers; i++) {
		const struct provider *provider = rule->providers[i];
		if (!provider->cipher && begins_with(value, encrypted))
			continue;
		if (!provider->cipher) {
			count(p, FROM_STORAGE, "identity", begin_ns, false);
			value->stale = i > 0;
			return NULL;
		}
		if (!begins_with(value, provider->cipher->prefix))
			continue;
		const struct cipher_input input = behind(p, value, provider->cipher->prefix);
		const struct encryption_value rest = {input.data, input.size, false};
		struct encryption_value out;
		const char *why = open_by_keys(p, provider, &rest, &out);
		count(p, FROM_STORAGE, provider->cipher->prefix, begin_ns, why);
		if (!why) {
			*value = out;
			value->stale |= i > 0;
			return NULL;
		}
		add_failure(&failures, why);
	}
	if (!failures.n)
		count(p, FROM_STORAGE, "unknown", begin_ns, true);
	return undecrypted(failures.n ? failures_text(&failures) : "no matching prefix found");
}

struct status *encryption_open(struct encryption *e, const struct schema_resource *resource, struct arena *arena,
	const char *key, struct encryption_value *value)
{
	value->stale = false;
	if (!e)
		return open_plain(value);
	const struct passage passage = {e, resource, arena, key};
	pthread_rwlock_rdlock(&e->lock);
	const struct encryption_rule *rule = encryption_rule_of(e->rules, resource);
	struct status *status = rule ? open_by_rule(&passage, rule, value) : open_plain(value);
	pthread_rwlock_unlock(&e->lock);
	return status;
}

/* The first key of the first provider. */
static struct status *seal_by_rule(
	const struct passage *p, const struct encryption_rule *rule, struct encryption_value *value)
{
	const struct provider *provider = rule->providers[0];
	const int64_t begin_ns = clock_mono_ns(p->encryption->clock);
	if (!provider->cipher) {
		count(p, TO_STORAGE, "", begin_ns, false);
		return NULL;
	}
	const struct encryption_key *key = &provider->keys[0];
	const struct cipher_input input = behind(p, value, "");
	const size_t head = strlen(provider->cipher->prefix) + strlen(key->prefix);
	char *out = arena_alloc(p->arena, head + value->size + provider->cipher->added_bytes);
	const size_t size = provider->cipher->seal(
		key, &input, (uint8_t *)stpcpy(stpcpy(out, provider->cipher->prefix), key->prefix));
	count(p, TO_STORAGE, key->prefix, begin_ns, !size);
	count(p, TO_STORAGE, provider->cipher->prefix, begin_ns, !size);
	if (!size)
		return undecrypted("failed to encrypt data");
	*value = (struct encryption_value){out, head + size, false};
	return NULL;
}

struct status *encryption_seal(struct encryption *e, const struct schema_resource *resource, struct arena *arena,
	const char *key, struct encryption_value *value)
{
	if (!e)
		return NULL;
	const struct passage passage = {e, resource, arena, key};
	pthread_rwlock_rdlock(&e->lock);
	const struct encryption_rule *rule = encryption_rule_of(e->rules, resource);
	struct status *status = rule ? seal_by_rule(&passage, rule, value) : NULL;
	pthread_rwlock_unlock(&e->lock);
	return status;
}

/* --- at a scrape --- */

static void write_outcomes(const struct encryption *e, struct strbuf *out)
{
	static const char last[] = "apiserver_encryption_config_controller_automatic_reload_last_timestamp_seconds",
			  totals[] = "apiserver_encryption_config_controller_automatic_reloads_total";
	static const char *const names[OUTCOMES] = {[TAKEN] = "success", [REFUSED] = "failure"};
	CLEANUP(strbuf_done) struct strbuf after = STRBUF_INIT;
	metrics_write_head(out, last, "gauge", "When the encryption configuration was last read again.");
	metrics_write_head(&after, totals, "counter", "How often the encryption configuration was read again.");
	for (enum outcome i = 0; i < OUTCOMES; i++) {
		CLEANUP(strbuf_done) struct strbuf labels = STRBUF_INIT;
		const uint64_t n = atomic_load(&e->outcomes[i]);
		if (!n)
			continue;
		metrics_add_label(&labels, "apiserver_id_hash", e->server_hash);
		metrics_add_label(&labels, "status", names[i]);
		metrics_write_sample(out, last, labels.buf, (double)atomic_load(&e->last_ns[i]) / 1e9);
		metrics_write_sample(&after, totals, labels.buf, (double)n);
	}
	strbuf_add(out, after.buf, after.len);
}

static void write_configuration(struct encryption *e, struct strbuf *out)
{
	static const char name[] = "apiserver_encryption_config_controller_last_config_info";
	CLEANUP(strbuf_done) struct strbuf labels = STRBUF_INIT;
	metrics_write_head(out, name, "gauge", "The encryption configuration that is in force.");
	metrics_add_label(&labels, "apiserver_id_hash", e->server_hash);
	pthread_rwlock_rdlock(&e->lock);
	metrics_add_label(&labels, "hash", e->rules->hash);
	pthread_rwlock_unlock(&e->lock);
	metrics_write_sample(out, name, labels.buf, 1);
}

void encryption_write_metrics(struct encryption *e, struct strbuf *out)
{
	if (!e)
		return;
	transformations_write(e->counts, out);
	write_configuration(e, out);
	write_outcomes(e, out);
}
