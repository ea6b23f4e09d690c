#include "apiserver/strategy/ipalloc.h"
#include <arpa/inet.h>
#include <pthread.h>
#include "base/encode.h"
#include "base/mem.h"
#include "base/str.h"

enum { MAX_ADDRESSES = 65536 };

/* Numbers from 0 to size, each taken or free. The lower part (the band) is given out only when the upper is full. */
struct bitmap {
	pthread_mutex_t lock;
	uint8_t *bits;
	uint32_t size;
	uint32_t band;
	uint32_t n_taken;
};

static void bitmap_init(struct bitmap *b, uint32_t size)
{
	pthread_mutex_init(&b->lock, NULL);
	b->bits = mem_zalloc(size / 8 + 1);
	b->size = size;
	/* As the original: a sixteenth, at least 16 and at most 256, and none of a pool that small. */
	b->band = size / 16 < 16 ? 16 : size / 16 > 256 ? 256 : size / 16;
	if (b->band >= size)
		b->band = 0;
}

static void bitmap_done(struct bitmap *b)
{
	pthread_mutex_destroy(&b->lock);
	free(b->bits);
}

static bool is_taken(const struct bitmap *b, uint32_t i)
{
	return b->bits[i / 8] & (1u << (i % 8));
}

static bool bitmap_take(struct bitmap *b, uint32_t i)
{
	pthread_mutex_lock(&b->lock);
	bool free_ = !is_taken(b, i);
	if (free_) {
		b->bits[i / 8] |= (uint8_t)(1u << (i % 8));
		b->n_taken++;
	}
	pthread_mutex_unlock(&b->lock);
	return free_;
}

static void bitmap_release(struct bitmap *b, uint32_t i)
{
	pthread_mutex_lock(&b->lock);
	if (is_taken(b, i)) {
		b->bits[i / 8] &= (uint8_t) ~(1u << (i % 8));
		b->n_taken--;
	}
	pthread_mutex_unlock(&b->lock);
}

/* The first free one from a random start within [from, to); false when there is none. */
static bool take_between(struct bitmap *b, uint32_t from, uint32_t to, uint32_t *ret)
{
	if (from >= to)
		return false;
	uint32_t n = to - from, start = random_below(n);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t at = from + (start + i) % n;
		if (!is_taken(b, at)) {
			b->bits[at / 8] |= (uint8_t)(1u << (at % 8));
			b->n_taken++;
			*ret = at;
			return true;
		}
	}
	return false;
}

static bool bitmap_take_any(struct bitmap *b, uint32_t *ret)
{
	pthread_mutex_lock(&b->lock);
	bool found = take_between(b, b->band, b->size, ret) || take_between(b, 0, b->band, ret);
	pthread_mutex_unlock(&b->lock);
	return found;
}

struct ip_allocator {
	struct bitmap bitmap;
	char *cidr;
	int family;
	size_t n_bytes;
	uint8_t base[16]; /* the first usable address */
};

static void add_offset(uint8_t *ip, size_t n_bytes, uint32_t offset)
{
	uint64_t carry = offset;
	for (size_t i = n_bytes; i-- > 0 && carry;) {
		carry += ip[i];
		ip[i] = (uint8_t)carry;
		carry >>= 8;
	}
}

struct status *ip_allocator_new(const char *cidr, struct ip_allocator **ret)
{
	const char *slash = strchr(str_or_empty(cidr), '/');
	int64_t bits;
	uint8_t base[16] = {0};
	if (!slash || slash - cidr > INET6_ADDRSTRLEN)
		return status_bad_request("invalid CIDR address: %s", str_or_empty(cidr));
	CLEANUP_FREE char *ip = mem_strndup(cidr, (size_t)(slash - cidr));
	int family = inet_pton(AF_INET, ip, base) == 1 ? AF_INET : inet_pton(AF_INET6, ip, base) == 1 ? AF_INET6 : 0;
	size_t n_bytes = family == AF_INET ? 4 : 16;
	if (!family || !str_to_int64(slash + 1, 0, (int64_t)n_bytes * 8, &bits))
		return status_bad_request("invalid CIDR address: %s", cidr);
	int64_t host_bits = (int64_t)n_bytes * 8 - bits;
	if (host_bits < 2)
		return status_bad_request("the service cluster IP range must be at least 4 IP addresses: %s", cidr);
	for (size_t i = 0; i < n_bytes; i++) {
		int64_t keep = bits - (int64_t)i * 8;
		base[i] &= (uint8_t)(keep >= 8 ? 0xff : keep <= 0 ? 0 : 0xff << (8 - keep));
	}
	add_offset(base, n_bytes, 1);
	uint64_t size = host_bits >= 17 ? MAX_ADDRESSES : (UINT64_C(1) << host_bits) - 1;
	/* The last address of an IPv4 range is its broadcast address. */
	size -= family == AF_INET && host_bits < 17;
	if (size > MAX_ADDRESSES)
		size = MAX_ADDRESSES;
	struct ip_allocator *pool = mem_zalloc(sizeof(*pool));
	pool->cidr = mem_strdup(cidr);
	pool->family = family;
	pool->n_bytes = n_bytes;
	memcpy(pool->base, base, n_bytes);
	bitmap_init(&pool->bitmap, (uint32_t)size);
	*ret = pool;
	return NULL;
}

void ip_allocator_free(struct ip_allocator *pool)
{
	if (!pool)
		return;
	bitmap_done(&pool->bitmap);
	free(pool->cidr);
	free(pool);
}

const char *ip_allocator_family(const struct ip_allocator *pool)
{
	return pool->family == AF_INET ? "IPv4" : "IPv6";
}

const char *ip_allocator_cidr(const struct ip_allocator *pool)
{
	return pool->cidr;
}

static char *address(const struct ip_allocator *pool, struct arena *arena, uint32_t offset)
{
	uint8_t ip[16];
	char text[INET6_ADDRSTRLEN];
	memcpy(ip, pool->base, pool->n_bytes);
	add_offset(ip, pool->n_bytes, offset);
	inet_ntop(pool->family, ip, text, sizeof(text));
	return arena_strdup(arena, text);
}

char *ip_allocator_first(const struct ip_allocator *pool, struct arena *arena)
{
	return address(pool, arena, 0);
}

static bool offset_of(const struct ip_allocator *pool, const char *text, uint32_t *ret_offset)
{
	uint8_t ip[16];
	if (inet_pton(pool->family, text, ip) != 1)
		return false;
	uint64_t distance = 0;
	int borrow = 0;
	uint8_t difference[16];
	for (size_t i = pool->n_bytes; i-- > 0;) {
		int d = ip[i] - pool->base[i] - borrow;
		borrow = d < 0;
		difference[i] = (uint8_t)d;
	}
	if (borrow)
		return false;
	for (size_t i = 0; i < pool->n_bytes; i++) {
		if (i + 4 < pool->n_bytes && difference[i])
			return false;
		distance = distance << 8 | difference[i];
	}
	if ((distance & 0xffffffff) >= pool->bitmap.size)
		return false;
	*ret_offset = (uint32_t)distance;
	return true;
}

bool ip_allocator_has(const struct ip_allocator *pool, const char *ip)
{
	uint32_t offset;
	return offset_of(pool, ip, &offset);
}

struct status *ip_allocator_take_any(struct ip_allocator *pool, struct arena *arena, char **ret_ip)
{
	uint32_t offset;
	if (!bitmap_take_any(&pool->bitmap, &offset))
		return status_internal("failed to allocate a serviceIP: range is full");
	*ret_ip = address(pool, arena, offset);
	return NULL;
}

struct status *ip_allocator_take(struct ip_allocator *pool, const char *ip)
{
	uint32_t offset;
	if (!offset_of(pool, ip, &offset))
		return status_bad_request("the provided network does not match the current range");
	return bitmap_take(&pool->bitmap, offset) ? NULL
						  : status_new(STATUS_CONFLICT, "provided IP is already allocated");
}

void ip_allocator_release(struct ip_allocator *pool, const char *ip)
{
	uint32_t offset;
	if (offset_of(pool, ip, &offset))
		bitmap_release(&pool->bitmap, offset);
}

struct port_allocator {
	struct bitmap bitmap;
	int32_t first, last;
};

struct port_allocator *port_allocator_new(int32_t first, int32_t last)
{
	struct port_allocator *pool = mem_zalloc(sizeof(*pool));
	pool->first = first;
	pool->last = last;
	bitmap_init(&pool->bitmap, (uint32_t)(last - first + 1));
	return pool;
}

void port_allocator_free(struct port_allocator *pool)
{
	if (!pool)
		return;
	bitmap_done(&pool->bitmap);
	free(pool);
}

bool port_allocator_in_range(const struct port_allocator *pool, int32_t port)
{
	return port >= pool->first && port <= pool->last;
}

void port_allocator_range(const struct port_allocator *pool, int32_t *ret_first, int32_t *ret_last)
{
	*ret_first = pool->first;
	*ret_last = pool->last;
}

struct status *port_allocator_take_any(struct port_allocator *pool, int32_t *ret_port)
{
	uint32_t offset;
	if (!bitmap_take_any(&pool->bitmap, &offset))
		return status_internal("failed to allocate a nodePort: range is full");
	*ret_port = pool->first + (int32_t)offset;
	return NULL;
}

struct status *port_allocator_take(struct port_allocator *pool, int32_t port)
{
	if (!port_allocator_in_range(pool, port))
		return status_bad_request("provided port is not in the valid range. The range of valid ports is %d-%d",
			pool->first, pool->last);
	return bitmap_take(&pool->bitmap, (uint32_t)(port - pool->first))
		       ? NULL
		       : status_new(STATUS_CONFLICT, "provided port is already allocated");
}

void port_allocator_release(struct port_allocator *pool, int32_t port)
{
	if (port_allocator_in_range(pool, port))
		bitmap_release(&pool->bitmap, (uint32_t)(port - pool->first));
}
