#include "kubelet/status/sent.h"
#include <stdlib.h>
#include "base/mem.h"

struct sent_versions {
	struct strmap *versions; /* uid → uint64_t */
};

struct sent_versions *sent_versions_new(void)
{
	struct sent_versions *v = mem_zalloc(sizeof(*v));
	v->versions = strmap_new(free);
	return v;
}

void sent_versions_free(struct sent_versions *v)
{
	if (!v)
		return;
	strmap_free(v->versions);
	free(v);
}

void sent_versions_note(struct sent_versions *v, const char *uid, uint64_t version)
{
	strmap_put(v->versions, uid, mem_dup(&version, sizeof(version)));
}

bool sent_versions_has(const struct sent_versions *v, const char *uid, uint64_t version)
{
	const uint64_t *sent = strmap_get(v->versions, uid);
	return sent && *sent >= version;
}

void sent_versions_keep_only(struct sent_versions *v, const struct strmap *statuses, const struct strmap *mirrors)
{
	STRMAP_FOREACH (v->versions, it)
		if (!strmap_has(statuses, it.key) && !strmap_has(mirrors, it.key))
			strmap_remove(v->versions, it.key);
}
