/* Ranges of keys, by the page: an answer of some megabytes, whose values are used where they have come in. */
#include <stdlib.h>
#include "api/protobuf.h"
#include "apiserver/store/etcd_private.h"
#include "base/mem.h"
#include "base/str.h"

/* What a page is to have. They are not small: etcd counts to the end of the range for each. */
#define PAGE_BYTES (8u << 20)
#define FIRST_KEYS 500
#define LEAST_KEYS 50
#define MOST_KEYS 4000
#define RANGE_PATH "/etcdserverpb.KV/Range"
#define RESOURCE_EXHAUSTED 8 /* gRPC's code for an answer that is too large */

/* --- an answer's bytes --- */

static bool read_kv(struct arena *arena, const uint8_t *p, const uint8_t *end, struct etcd_kv *ret_kv)
{
	struct protobuf_field f;
	*ret_kv = (struct etcd_kv){.found = true, .key = ""};
	while (p < end) {
		if (!protobuf_read_field(&p, end, &f) || ((f.number == 1 || f.number == 5) && f.type != 2))
			return false;
		if (f.number == 1)
			ret_kv->key = arena_strndup(arena, (const char *)f.data, f.size);
		else if (f.number == 2)
			ret_kv->create_revision = (int64_t)f.value;
		else if (f.number == 3)
			ret_kv->mod_revision = (int64_t)f.value;
		else if (f.number == 5)
			ret_kv->value = f.data;
		else if (f.number == 6)
			ret_kv->lease = (int64_t)f.value;
		if (f.number == 5)
			ret_kv->size = f.size;
	}
	return true;
}

static bool read_revision(const uint8_t *p, const uint8_t *end, int64_t *ret_revision)
{
	struct protobuf_field f;
	while (p < end) {
		if (!protobuf_read_field(&p, end, &f))
			return false;
		if (f.number == 3 && !*ret_revision)
			*ret_revision = (int64_t)f.value;
	}
	return true;
}

static bool read_page(
	const uint8_t *p, const uint8_t *end, struct etcd_page *page, int64_t *ret_revision, bool *ret_more)
{
	struct protobuf_field f;
	*ret_more = false;
	while (p < end) {
		if (!protobuf_read_field(&p, end, &f) || ((f.number == 1 || f.number == 2) && f.type != 2))
			return false;
		if (f.number == 1 && !read_revision(f.data, f.data + f.size, ret_revision))
			return false;
		if (f.number == 2) {
			struct etcd_kv *kv = &ARENA_PUSH(page->arena, page->kvs, page->n_kvs);
			if (!read_kv(page->arena, f.data, f.data + f.size, kv))
				return false;
		}
		if (f.number == 3)
			*ret_more = f.value;
	}
	return true;
}

/* --- pages --- */

static struct etcd_page *page_new(void)
{
	struct etcd_page *page = mem_zalloc(sizeof(*page));
	atomic_init(&page->refs, 1);
	page->arena = arena_new();
	return page;
}

struct etcd_page *etcd_page_ref(struct etcd_page *page)
{
	atomic_fetch_add_explicit(&page->refs, 1, memory_order_relaxed);
	return page;
}

void etcd_page_unref(struct etcd_page *page)
{
	if (!page || atomic_fetch_sub_explicit(&page->refs, 1, memory_order_acq_rel) != 1)
		return;
	arena_free(page->arena);
	free(page);
}

struct range {
	struct strbuf from;
	const char *end;
	int64_t revision; /* 0: now */
	int64_t limit;
	bool more;
};

static void range_done(struct range *range)
{
	strbuf_done(&range->from);
}

/* The next page is to have PAGE_BYTES if its values are like those of this one. */
static void go_past(struct range *range, const struct etcd_page *page, size_t size)
{
	const char *last = page->kvs[page->n_kvs - 1].key;
	const size_t fitting = PAGE_BYTES / (size / page->n_kvs + 1);
	range->limit = fitting < LEAST_KEYS ? LEAST_KEYS : fitting > MOST_KEYS ? MOST_KEYS : (int64_t)fitting;
	strbuf_reset(&range->from);
	strbuf_add(&range->from, last, strlen(last) + 1);
}

/* Asks for one page, whose bytes live in its arena. */
static struct status *ask(
	struct etcd *etcd, const struct range *range, struct arena *arena, uint8_t **ret_data, size_t *ret_size)
{
	EtcdRangeRequest *request = RPC_NEW(arena, EtcdRangeRequest);
	request->key = (ProtobufCBinaryData){range->from.len, (uint8_t *)range->from.buf};
	request->range_end = (ProtobufCBinaryData){strlen(range->end), (uint8_t *)(uintptr_t)range->end};
	request->limit = range->limit;
	request->revision = range->revision;
	uint8_t *packed = arena_alloc(arena, protobuf_c_message_get_packed_size(&request->base));
	const size_t size = protobuf_c_message_pack(&request->base, packed);
	return rpc_call_raw(etcd->channel, RANGE_PATH, packed, size, etcd->timeout_ms, arena, ret_data, ret_size);
}

static struct status *read_next(struct etcd *etcd, struct range *range, struct etcd_page *page)
{
	uint8_t *data;
	size_t size;
	struct status *status = ask(etcd, range, page->arena, &data, &size);
	while (rpc_status_code(status) == RESOURCE_EXHAUSTED && range->limit > 1) {
		status_drop(status, "a shorter answer may not be too large");
		range->limit /= 2;
		status = ask(etcd, range, page->arena, &data, &size);
	}
	TRY(etcd_plain(status));
	/* That there is more after nothing is no answer either. */
	if (!read_page(data, data + size, page, &range->revision, &range->more) || (range->more && !page->n_kvs))
		return status_internal("etcd's answer to a range is broken");
	if (range->more)
		go_past(range, page, size);
	return NULL;
}

struct status *etcd_each_page(struct etcd *etcd, const char *prefix, int64_t *revision,
	void (*fn)(void *data, struct etcd_page *page), void *data)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(range_done)
	struct range range = {.from = STRBUF_INIT,
		.end = etcd_prefix_end(arena, prefix),
		.revision = *revision,
		.limit = FIRST_KEYS,
		.more = true};
	strbuf_adds(&range.from, prefix);
	while (range.more) {
		CLEANUP(etcd_page_unrefp) struct etcd_page *page = page_new();
		TRY(read_next(etcd, &range, page));
		*revision = range.revision;
		fn(data, page);
	}
	return NULL;
}

struct each {
	void (*fn)(void *data, const struct etcd_kv *kv);
	void *data;
};

static void pass_on(void *data, struct etcd_page *page)
{
	const struct each *each = data;
	for (size_t i = 0; i < page->n_kvs; i++)
		each->fn(each->data, &page->kvs[i]);
}

struct status *etcd_each(struct etcd *etcd, const char *prefix, int64_t *revision,
	void (*fn)(void *data, const struct etcd_kv *kv), void *data)
{
	struct each each = {fn, data};
	return etcd_each_page(etcd, prefix, revision, pass_on, &each);
}

char *etcd_prefix_end(struct arena *arena, const char *prefix)
{
	char *end = arena_strdup(arena, prefix);
	for (size_t i = strlen(end); i-- > 0; end[i] = 0)
		if ((unsigned char)end[i] < 0xff) {
			end[i]++;
			return end;
		}
	return end;
}
