/* Pieces that are deflated each by itself, one behind the other: what zlib makes of the row is all of their bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <zlib.h>
#include "apiserver/store/deflate.h"
#include "base/mem.h"

enum content { TEXT, NOISE, ZEROS };

static const struct {
	const char *name;
	enum content content;
	size_t size;
	size_t most; /* it may become */
} pieces[] = {
	{"a byte", TEXT, 1, 20},
	{"a short text", TEXT, 300, 250},
	{"an object's size", TEXT, 9000, 3000},
	{"noise", NOISE, 70000, 70200},
	{"more noise than a window", NOISE, 1 << 20, (1 << 20) + 1000},
	{"a large text", TEXT, 3 << 20, 1 << 20},
	{"zeros", ZEROS, 1 << 20, 20000},
	{"a byte at the end", NOISE, 1, 20},
};

static void fill(struct strbuf *out, enum content content, size_t size)
{
	static const char words[] = "{\"name\":\"value\",\"labels\":{\"app\":\"web\",\"tier\":\"front\"},";
	uint32_t state = 7;
	for (size_t i = 0; i < size; i++) {
		state = state * 1664525 + 1013904223;
		char c = 0;
		if (content == NOISE)
			c = (char)(state >> 24);
		else if (content == TEXT)
			c = i % 40 == 39 ? (char)('a' + (state >> 24) % 26) : words[i % (sizeof(words) - 1)];
		strbuf_addc(out, c);
	}
}

static void test_pieces_make_one_stream(void **state)
{
	CLEANUP(deflater_freep) struct deflater *d = deflater_new();
	CLEANUP(strbuf_done) struct strbuf plain = STRBUF_INIT, row = STRBUF_INIT;
	uint32_t crc = 0;
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		const size_t from = plain.len, before = row.len;
		fill(&plain, pieces[i].content, pieces[i].size);
		assert_true(deflate_piece(d, plain.buf + from, pieces[i].size, &row));
		crc = deflate_crc(crc, plain.buf + from, pieces[i].size);
		if (row.len - before > pieces[i].most)
			fail_msg("%s: %zu bytes became %zu", pieces[i].name, pieces[i].size, row.len - before);
	}
	strbuf_addc(&row, 3); /* the last block: an empty one */
	strbuf_addc(&row, 0);
	CLEANUP_FREE char *out = mem_alloc(plain.len + 1);
	z_stream z = {.next_in = (Bytef *)row.buf,
		.avail_in = (uInt)row.len,
		.next_out = (Bytef *)out,
		.avail_out = (uInt)plain.len + 1};
	assert_int_equal(inflateInit2(&z, -15), Z_OK);
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(z.total_out, plain.len);
	inflateEnd(&z);
	assert_memory_equal(out, plain.buf, plain.len);
	assert_int_equal(crc, crc32_z(0, (const Bytef *)plain.buf, plain.len));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_pieces_make_one_stream)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
