#include <pthread.h>
#include "apiserver/authn/internal.h"
#include "base/encode.h"
#include "base/mem.h"
#include "base/str.h"

enum { MAX_CHAIN = 16, MAX_REMEMBERED = 1024, REMEMBER_S = 60 };

/*
 * Verifying a chain costs far more than everything else that a small request needs, and clients that live long send one
 * certificate a thousand times: whom it was found to name is remembered for a minute.
 */
struct remembered {
	struct arena *arena;
	uint8_t *der;
	size_t size;
	struct user *user;
	int64_t until_s;
	uint64_t n_changes; /* of the authorities, before it was verified */
};

struct authn_certificate_cache {
	pthread_mutex_t lock; /* guards users */
	struct strmap *users; /* hash of the certificate -> remembered */
};

static void remembered_free(void *p)
{
	struct remembered *r = p;
	arena_free(r->arena);
	free(r);
}

struct authn_certificate_cache *authn_certificate_cache_new(void)
{
	struct authn_certificate_cache *cache = mem_zalloc(sizeof(*cache));
	pthread_mutex_init(&cache->lock, NULL);
	cache->users = strmap_new(remembered_free);
	return cache;
}

void authn_certificate_cache_free(struct authn_certificate_cache *cache)
{
	if (!cache)
		return;
	pthread_mutex_destroy(&cache->lock);
	strmap_free(cache->users);
	free(cache);
}

/* Only a place to look: the certificate itself is compared. */
static char *hash_of(struct arena *arena, const struct authn_certificate *leaf)
{
	const uint64_t hash = hash_keyed(leaf->der, leaf->size);
	return hex_encode(arena, &hash, sizeof(hash));
}

static struct user *recall(struct authn *authn, struct arena *arena, const char *hash,
	const struct authn_certificate *leaf, uint64_t n_changes)
{
	struct authn_certificate_cache *cache = authn->certificates;
	pthread_mutex_lock(&cache->lock);
	const struct remembered *r = strmap_get(cache->users, hash);
	bool fresh = r && clock_wall_s(authn->clock) < r->until_s && r->n_changes == n_changes &&
		     r->size == leaf->size && !memcmp(r->der, leaf->der, leaf->size);
	struct user *user = fresh ? user_copy(arena, r->user) : NULL;
	if (r && !fresh)
		strmap_remove(cache->users, hash);
	pthread_mutex_unlock(&cache->lock);
	return user;
}

static void remember(struct authn *authn, const char *hash, const struct authn_certificate *leaf,
	const struct user *user, uint64_t n_changes)
{
	struct authn_certificate_cache *cache = authn->certificates;
	struct remembered *r = mem_zalloc(sizeof(*r));
	r->arena = arena_new_sized(512);
	r->der = arena_dup(r->arena, leaf->der, leaf->size);
	r->size = leaf->size;
	r->user = user_copy(r->arena, user);
	r->n_changes = n_changes;
	r->until_s = clock_wall_s(authn->clock) + REMEMBER_S;
	if (user->certificate_until_s < r->until_s)
		r->until_s = user->certificate_until_s;
	pthread_mutex_lock(&cache->lock);
	if (strmap_count(cache->users) >= MAX_REMEMBERED)
		strmap_clear(cache->users);
	strmap_put(cache->users, hash, r);
	pthread_mutex_unlock(&cache->lock);
}

static void certs_free(struct pki_cert **certs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		pki_cert_free(certs[i]);
}

static struct status *parse_chain(const struct authn_request *request, struct pki_cert **certs, size_t *n)
{
	for (*n = 0; *n < request->n_chain && *n < MAX_CHAIN; (*n)++)
		TRY(pki_cert_parse_der(request->chain[*n].der, request->chain[*n].size, &certs[*n]));
	return NULL;
}

struct status *authn_verify_chain(struct authn *authn, struct arena *arena, const struct pki_pool *pool,
	const struct authn_request *request, struct pki_subject *ret_subject, char **ret_fingerprint,
	int64_t *ret_not_after_s)
{
	struct pki_cert *certs[MAX_CHAIN];
	size_t n = 0;
	struct status *s = parse_chain(request, certs, &n);
	if (!s)
		s = pki_verify(pool, certs, n, PKI_CLIENT_AUTH, clock_wall_s(authn->clock));
	if (!s) {
		pki_cert_subject(arena, certs[0], ret_subject);
		*ret_fingerprint = pki_cert_fingerprint(arena, certs[0]);
		*ret_not_after_s = pki_cert_not_after_s(certs[0]);
	}
	certs_free(certs, n);
	return s;
}

struct status *authn_x509(
	struct authn *authn, struct arena *arena, const struct authn_request *request, struct user **ret_user)
{
	*ret_user = NULL;
	if (!authn->client_ca || !request->n_chain)
		return NULL;
	struct pki_subject subject = {0};
	const struct authn_certificate *leaf = &request->chain[0];
	char *fingerprint, *hash = hash_of(arena, leaf);
	int64_t not_after_s;
	const uint64_t n_changes = authn_bundle_changes(authn->client_ca);
	*ret_user = recall(authn, arena, hash, leaf, n_changes);
	if (*ret_user)
		return NULL;
	TRY(authn_verify_chain(
		authn, arena, authn_bundle_pool(authn->client_ca), request, &subject, &fingerprint, &not_after_s));
	if (str_empty(subject.common_name))
		return NULL;
	struct user *user = user_new(arena, subject.common_name, "");
	for (size_t i = 0; i < subject.n_organizations; i++)
		user_add_group(arena, user, subject.organizations[i]);
	user_add_extra(arena, user, "authentication.kubernetes.io/credential-id",
		arena_printf(arena, "X509SHA256=%s", fingerprint));
	user->certificate_until_s = not_after_s;
	remember(authn, hash, leaf, user, n_changes);
	*ret_user = user;
	return NULL;
}
