/* The ends of all writes: what is tried again after somebody was faster, and the calls to etcd that cannot be. */
#include "api/copy.h"
#include "api/defaults/defaults.h"
#include "api/meta.h"
#include "apiserver/registry/private.h"
#include "apiserver/store/value.h"
#include "base/fail.h"

#define MAX_ATTEMPTS 100

/* --- attempts --- */

bool attempt_again(const struct attempt *a)
{
	return a->n < MAX_ATTEMPTS;
}

struct status *attempt_read(struct request *request, struct attempt *a)
{
	if (a->lost)
		TRY(stored_from_kv(request, &a->now, &a->stored));
	else if (!a->n)
		TRY(stored_read(request, request->name, false, &a->stored));
	/* What is missing in memory, or does not fit, is looked up before it is refused. */
	if (!a->stored.live && (a->stale || !a->stored.object))
		TRY(stored_read(request, request->name, true, &a->stored));
	a->lost = a->stale = false;
	a->n++;
	return NULL;
}

bool attempt_is_stale(struct attempt *a, struct status *verdict)
{
	a->stale = verdict && !a->stored.live;
	if (a->stale)
		status_drop(verdict, "tried again with what etcd has");
	return a->stale;
}

/* --- values --- */

static const char *key_of(struct request *request, const char *name)
{
	return table_key(request_table(request), request->arena, request->namespace, name);
}

/* The value to store: without resourceVersion, of the stored version. */
static struct status *encode_value(struct request *request, const ProtobufCMessage *object, const char *key,
	struct strbuf *out, struct encryption_value *ret_value)
{
	const struct schema_type *type = table_resource(request_table(request))->type;
	ProtobufCMessage *converted;
	TRY(convert_object(request->arena, type, object, &converted));
	MetaV1ObjectMeta *meta = object_meta_ensure(request->arena, converted);
	char *revision = meta->resource_version;
	char *link = meta->self_link;
	meta->resource_version = meta->self_link = (char *)(uintptr_t)schema_empty_string;
	api_set_defaults(request->arena, converted); /* as it will be read */
	value_encode(out, converted);
	cache_expect(request->registry->cache, request_table(request), converted, out->buf, out->len);
	meta->resource_version = revision;
	meta->self_link = link;
	*ret_value = (struct encryption_value){out->buf, out->len};
	return table_seal(request_table(request), request->arena, key, ret_value);
}

/* 0: it stays. */
static struct status *value_lease(struct request *request, const ProtobufCMessage *object, int64_t *ret_lease)
{
	const struct strategy *s = request->strategy;
	const int64_t ttl_s = s->ttl_seconds ? s->ttl_seconds(request, object) : 0;
	*ret_lease = 0;
	return ttl_s > 0 ? lease_take(request->registry->lease, ttl_s, ret_lease) : NULL;
}

/* --- commits --- */

struct status *commit_new(struct request *request, ProtobufCMessage *object)
{
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
	struct registry *r = request->registry;
	struct encryption_value value;
	int64_t lease, revision;
	const char *key = key_of(request, object_name(object));
	TRY(encode_value(request, object, key, &text, &value));
	TRY(value_lease(request, object, &lease));
	const int64_t begin_ns = clock_mono_ns(r->clock);
	TRY(etcd_called(request, FIGURE_POST, begin_ns,
		etcd_create(r->etcd, request->arena, key, value.bytes, value.size, lease, &revision)));
	set_revision(request, object, revision);
	return NULL;
}

static struct status *swap(struct request *request, struct attempt *a, const ProtobufCMessage *object)
{
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
	struct registry *r = request->registry;
	struct encryption_value value;
	int64_t lease, revision;
	bool done;
	const char *key = key_of(request, request->name);
	TRY(encode_value(request, object, key, &text, &value));
	TRY(value_lease(request, object, &lease));
	const int64_t begin_ns = clock_mono_ns(r->clock);
	TRY(etcd_called(request, FIGURE_PUT, begin_ns,
		etcd_swap(r->etcd, request->arena, key, a->stored.revision, value.bytes, value.size, lease, &done,
			&revision, &a->now)));
	a->lost = !done;
	if (done)
		a->stored.revision = revision;
	return NULL;
}

/* Nothing is to be written if what is stored is still that, and in the form in which it would be written. */
static struct status *confirm(struct request *request, struct attempt *a, bool *ret_current)
{
	struct table *table = request_table(request);
	struct encryption_value value = a->stored.value;
	if (!a->stored.live) {
		TRY(stored_ask(request, request->name, &a->now));
		a->lost = !a->now.found || a->now.mod_revision != a->stored.revision;
		value = (struct encryption_value){a->now.value, a->now.size};
		if (!a->lost)
			TRY(table_open(table, request->arena, a->now.key, &value));
	}
	*ret_current = a->lost || (!value.stale && value_is_current(request->arena, table_resource(table)->type,
							   value.bytes, value.size));
	return NULL;
}

struct status *commit_change(struct request *request, struct attempt *a, ProtobufCMessage *object)
{
	bool written = false;
	if (request->dry_run)
		return NULL;
	if (api_equal(object, a->stored.own))
		TRY(confirm(request, a, &written));
	if (!written)
		TRY(swap(request, a, object));
	if (!a->lost)
		set_revision(request, object, a->stored.revision);
	return NULL;
}

struct status *commit_removal(struct request *request, struct attempt *a, int64_t *ret_revision)
{
	struct registry *r = request->registry;
	bool removed;
	*ret_revision = a->stored.revision;
	if (request->dry_run)
		return NULL;
	const char *key = key_of(request, request->name);
	TRY(fail_try("remove.before-commit"));
	const int64_t begin_ns = clock_mono_ns(r->clock);
	TRY(etcd_called(request, FIGURE_DELETE, begin_ns,
		etcd_remove(r->etcd, request->arena, key, a->stored.revision, &removed, ret_revision, &a->now)));
	a->lost = !removed;
	return fail_try("remove.after-commit");
}
