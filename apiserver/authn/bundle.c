/* Authorities out of a file, read again when it changes. */
#include <pthread.h>
#include "apiserver/authn/internal.h"
#include "base/follow.h"
#include "base/io.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

enum { MAX_BUNDLE = 4 << 20, CHECK_MS = 1000 };

/* What the file held once. Those of before stay: somebody may still verify with one, and they change once in months. */
struct edition {
	char *pem;
	struct pki_pool *pool;
	struct edition *older;
};

struct authn_bundle {
	char *path;
	pthread_mutex_t lock; /* guards what follows */
	struct follow follow;
	struct edition *edition;
	uint64_t n_changes;
};

static void edition_free(struct edition *e)
{
	pki_pool_free(e->pool);
	free(e->pem);
	free(e);
}

static struct status *read_edition(const char *path, struct edition **ret)
{
	CLEANUP_FREE char *pem = NULL;
	struct pki_pool *pool;
	size_t size;
	TRY(io_read_file(path, MAX_BUNDLE, &pem, &size));
	TRY(status_wrap(pki_pool_parse(pem, size, &pool), "%s", path));
	struct edition *e = mem_zalloc(sizeof(*e));
	e->pem = STEAL(pem);
	e->pool = pool;
	*ret = e;
	return NULL;
}

struct status *authn_bundle_new(const char *path, const struct clock *clock, struct authn_bundle **ret)
{
	struct authn_bundle *b = mem_zalloc(sizeof(*b));
	pthread_mutex_init(&b->lock, NULL);
	b->path = mem_strdup(path);
	follow_init(&b->follow, clock, CHECK_MS, (const char *[FOLLOW_MAX]){b->path});
	struct status *bad = read_edition(path, &b->edition);
	if (bad) {
		authn_bundle_free(b);
		return bad;
	}
	*ret = b;
	return NULL;
}

void authn_bundle_free(struct authn_bundle *b)
{
	if (!b)
		return;
	while (b->edition) {
		struct edition *e = b->edition;
		b->edition = e->older;
		edition_free(e);
	}
	pthread_mutex_destroy(&b->lock);
	free(b->path);
	free(b);
}

/* The lock is held. What cannot be read yet is asked for again. */
static void refresh(struct authn_bundle *b)
{
	struct edition *edition;
	if (!follow_changed(&b->follow))
		return;
	struct status *bad = read_edition(b->path, &edition);
	if (bad) {
		log_status(bad, "authorities have changed and cannot be read");
		return;
	}
	follow_accept(&b->follow);
	if (str_eq(edition->pem, b->edition->pem)) {
		edition_free(edition);
		return;
	}
	edition->older = b->edition;
	b->edition = edition;
	b->n_changes++;
	log_info("authorities of %s have changed", b->path);
}

static struct edition *edition_of(struct authn_bundle *b, uint64_t *ret_n_changes)
{
	pthread_mutex_lock(&b->lock);
	refresh(b);
	struct edition *edition = b->edition;
	*ret_n_changes = b->n_changes;
	pthread_mutex_unlock(&b->lock);
	return edition;
}

const struct pki_pool *authn_bundle_pool(struct authn_bundle *b)
{
	uint64_t n;
	return edition_of(b, &n)->pool;
}

const char *authn_bundle_pem(struct authn_bundle *b)
{
	uint64_t n;
	return b ? edition_of(b, &n)->pem : "";
}

uint64_t authn_bundle_changes(struct authn_bundle *b)
{
	uint64_t n = 0;
	if (b)
		edition_of(b, &n);
	return n;
}
