#include "base/encode.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/random.h>

static const char std_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char hex_digits[] = "0123456789abcdef";
static const char url_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static char *encode(struct arena *arena, const void *data, size_t size, const char *alphabet, bool pad)
{
	const uint8_t *in = data;
	char *out = arena_alloc(arena, size / 3 * 4 + 5), *p = out;
	for (size_t i = 0; i < size; i += 3) {
		size_t n = size - i < 3 ? size - i : 3;
		uint32_t v = (uint32_t)in[i] << 16 | (n > 1 ? (uint32_t)in[i + 1] << 8 : 0) | (n > 2 ? in[i + 2] : 0);
		for (size_t j = 0; j < 4; j++) {
			if (j <= n)
				*p++ = alphabet[v >> (18 - 6 * j) & 63];
			else if (pad)
				*p++ = '=';
		}
	}
	*p = '\0';
	return out;
}

char *base64_encode(struct arena *arena, const void *data, size_t size)
{
	return encode(arena, data, size, std_alphabet, true);
}

char *base64url_encode(struct arena *arena, const void *data, size_t size)
{
	return encode(arena, data, size, url_alphabet, false);
}

static int digit(char c, bool url)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == (url ? '-' : '+'))
		return 62;
	return c == (url ? '_' : '/') ? 63 : -1;
}

static bool decode(struct arena *arena, const char *s, size_t len, bool url, uint8_t **ret_data, size_t *ret_size)
{
	uint8_t *out = arena_alloc(arena, len / 4 * 3 + 4);
	size_t size = 0, n_digits = 0, n_pad = 0;
	uint32_t v = 0;
	for (size_t i = 0; i < len; i++) {
		if (!url && (s[i] == '\n' || s[i] == '\r'))
			continue;
		if (!url && s[i] == '=') {
			n_pad++;
			continue;
		}
		int d = digit(s[i], url);
		if (d < 0 || n_pad)
			return false;
		v = v << 6 | (uint32_t)d;
		if (++n_digits % 4 == 0) {
			out[size++] = (uint8_t)(v >> 16);
			out[size++] = (uint8_t)(v >> 8);
			out[size++] = (uint8_t)v;
			v = 0;
		}
	}
	size_t rest = n_digits % 4;
	if (rest == 1 || (!url && (n_digits + n_pad) % 4) || n_pad > 2)
		return false;
	if (rest >= 2)
		out[size++] = (uint8_t)(rest == 2 ? v >> 4 : v >> 10);
	if (rest == 3)
		out[size++] = (uint8_t)(v >> 2);
	*ret_data = out;
	*ret_size = size;
	return true;
}

bool base64_decode(struct arena *arena, const char *s, size_t len, uint8_t **ret_data, size_t *ret_size)
{
	return decode(arena, s, len, false, ret_data, ret_size);
}

bool base64url_decode(struct arena *arena, const char *s, size_t len, uint8_t **ret_data, size_t *ret_size)
{
	return decode(arena, s, len, true, ret_data, ret_size);
}

/* After a padding only another one may come, and line ends. */
static size_t padding_error_at(const char *s, size_t len, size_t i, size_t n_digits)
{
	size_t next = i + 1;
	if (n_digits < 2)
		return i;
	while (next < len && (s[next] == '\n' || s[next] == '\r'))
		next++;
	if (n_digits == 2) {
		if (next >= len)
			return len;
		if (s[next] != '=')
			return next;
		next++;
	}
	while (next < len && (s[next] == '\n' || s[next] == '\r'))
		next++;
	return next;
}

size_t base64_error_at(const char *s, size_t len)
{
	size_t n_digits = 0;
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '\n' || s[i] == '\r')
			continue;
		if (s[i] == '=')
			return padding_error_at(s, len, i, n_digits);
		if (digit(s[i], false) < 0)
			return i;
		n_digits = (n_digits + 1) % 4;
	}
	return len - n_digits;
}

size_t base64url_error_at(const char *s, size_t len)
{
	size_t good = 0;
	while (good < len && digit(s[good], true) >= 0)
		good++;
	return good < len ? good : len - len % 4;
}

char *hex_encode(struct arena *arena, const void *data, size_t size)
{
	const uint8_t *in = data;
	char *out = arena_alloc(arena, size * 2 + 1);
	for (size_t i = 0; i < size; i++) {
		out[2 * i] = hex_digits[in[i] >> 4];
		out[2 * i + 1] = hex_digits[in[i] & 15];
	}
	out[2 * size] = '\0';
	return out;
}

uint32_t fnv1a_32(uint32_t hash, const void *data, size_t size)
{
	const uint8_t *p = data;
	for (size_t i = 0; i < size; i++)
		hash = (hash ^ p[i]) * 16777619u;
	return hash;
}

uint64_t fnv1a_64(const void *data, size_t size)
{
	const uint8_t *p = data;
	uint64_t hash = 14695981039346656037u;
	for (size_t i = 0; i < size; i++)
		hash = (hash ^ p[i]) * 1099511628211u;
	return hash;
}

static uint64_t rotate(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

static inline __attribute__((always_inline)) void sip_round(uint64_t v[static 4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

/* The kernel gives every program sixteen random bytes: a key without state of ours, but where it stands. */
static const uint8_t *random_key(void)
{
	static const uint8_t none[16];
	static _Atomic(const uint8_t *) found;
	const uint8_t *key = atomic_load_explicit(&found, memory_order_relaxed);
	if (!key) {
		key = (const uint8_t *)(uintptr_t)getauxval(AT_RANDOM);
		key = key ? key : none;
		atomic_store_explicit(&found, key, memory_order_relaxed);
	}
	return key;
}

uint64_t hash_keyed(const void *data, size_t size)
{
	const uint8_t *p = data;
	uint64_t key[2], word, last = (uint64_t)size << 56;

	memcpy(key, random_key(), sizeof(key));
	uint64_t v[4] = {key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d, key[0] ^ 0x6c7967656e657261,
		key[1] ^ 0x7465646279746573};
	for (; size >= sizeof(word); p += sizeof(word), size -= sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		v[3] ^= word;
		sip_round(v);
		v[0] ^= word;
	}
	for (size_t i = 0; i < size; i++)
		last |= (uint64_t)p[i] << 8 * i;
	v[3] ^= last;
	sip_round(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static void ask_kernel(uint8_t *p, size_t size)
{
	while (size) {
		ssize_t n = getrandom(p, size, 0);
		if (n < 0 && errno == EINTR)
			continue;
		assert(n > 0);
		p += n;
		size -= (size_t)n;
	}
}

/* Small wants are met from a block that each thread draws; what has been handed out is wiped from it. */
static _Thread_local struct {
	uint8_t bytes[256];
	size_t left;
} drawn;

/* A child is not to draw what its parent draws. Of the parent's threads it has the one that forked. */
static void forget_drawn(void)
{
	drawn.left = 0;
}

static void watch_forks(void)
{
	pthread_atfork(NULL, NULL, forget_drawn);
}

void random_bytes(void *buf, size_t size)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	if (size > sizeof(drawn.bytes) / 8) {
		ask_kernel(buf, size);
		return;
	}
	if (drawn.left < size) {
		pthread_once(&once, watch_forks);
		ask_kernel(drawn.bytes, sizeof(drawn.bytes));
		drawn.left = sizeof(drawn.bytes);
	}
	drawn.left -= size;
	memcpy(buf, drawn.bytes + drawn.left, size);
	explicit_bzero(drawn.bytes + drawn.left, size);
}

uint32_t random_below(uint32_t n)
{
	assert(n > 0);
	uint32_t limit = UINT32_MAX - UINT32_MAX % n, v;
	do
		random_bytes(&v, sizeof(v));
	while (v >= limit);
	return v % n;
}

void uuid_generate(char buf[static 37])
{
	uint8_t b[16];
	random_bytes(b, sizeof(b));
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	char *to = buf;
	for (size_t i = 0; i < sizeof(b); i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*to++ = '-';
		*to++ = hex_digits[b[i] >> 4];
		*to++ = hex_digits[b[i] & 15];
	}
	*to = '\0';
}

/* No vowels and no 0, 1, 3: names that cannot spell words. */
static const char name_alphabet[] = "bcdfghjklmnpqrstvwxz2456789";

void random_name_suffix(char *buf, size_t n)
{
	const uint8_t n_letters = sizeof(name_alphabet) - 1, limit = UINT8_MAX - UINT8_MAX % n_letters;
	uint8_t some[16];
	for (size_t i = 0; i < n;) {
		random_bytes(some, sizeof(some));
		for (size_t k = 0; k < sizeof(some) && i < n; k++)
			if (some[k] < limit)
				buf[i++] = name_alphabet[some[k] % n_letters];
	}
	buf[n] = '\0';
}

void safe_encode_string(char *s)
{
	for (; *s; s++)
		*s = name_alphabet[(unsigned char)*s % (sizeof(name_alphabet) - 1)];
}
