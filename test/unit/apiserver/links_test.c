/* Links of pages that pass through a proxy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>
#include <zlib.h>
#include "apiserver/http/links.h"

#define PREFIX "/api/v1/namespaces/ns/pods/web/proxy"
#define BACKEND "10.0.0.1:8080"
#define CLIENT "cluster.example:6443"

static void addresses(void **state)
{
	static const struct {
		const char *url, *expected;
	} cases[] = {
		{"/", PREFIX "/"},
		{"/static/a.js?x=/b#/c", PREFIX "/static/a.js?x=/b#/c"},
		{"/a/../b//./c/", PREFIX "/b/c/"},
		{"/../../x", PREFIX "/x"},
		{"http://" BACKEND "/a", PREFIX "/a"},
		{"//" BACKEND "/a", PREFIX "/a"},
		{"https://user@" CLIENT "/a", "https://user@" CLIENT PREFIX "/a"},
		{"https://elsewhere/a", "https://elsewhere/a"},
		{"//elsewhere/a", "//elsewhere/a"},
		{PREFIX "/a", PREFIX "/a"},
		{"relative/a", "relative/a"},
		{"../a", "../a"},
		{"?q", "?q"},
		{"#top", "#top"},
		{"", ""},
		{"mailto:a@b", "mailto:a@b"},
		{"javascript:f('/a')", "javascript:f('/a')"},
		{"http://" BACKEND, "http://" BACKEND},
	};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(links_rewrite(arena, PREFIX, BACKEND, CLIENT, cases[i].url), cases[i].expected);
}

static const struct {
	const char *page, *expected;
} pages[] = {
	{"<a href=\"/x\">/x</a>", "<a href=\"" PREFIX "/x\">/x</a>"},
	{"<A class=b HREF='/x' id=/c>", "<A class=b HREF='" PREFIX "/x' id=/c>"},
	{"<a href=/x>y", "<a href=" PREFIX "/x>y"},
	{"<a href = \"/x\"><img src=/i.png usemap='/m'/>",
		"<a href = \"" PREFIX "/x\"><img src=" PREFIX "/i.png usemap='" PREFIX "/m'/>"},
	{"<a title=\"a > b\" href=\"/x\">", "<a title=\"a > b\" href=\"" PREFIX "/x\">"},
	{"<a data-href=\"/x\"><p href=\"/x\">", "<a data-href=\"/x\"><p href=\"/x\">"},
	{"<abbr href=\"/x\">", "<abbr href=\"/x\">"},
	{"<!-- <a href=\"/x\"> --><a href=\"/x\">", "<!-- <a href=\"/x\"> --><a href=\"" PREFIX "/x\">"},
	{"<script src=\"/s\">var a = '<a href=\"/x\">';</script><a href=\"/x\">",
		"<script src=\"" PREFIX "/s\">var a = '<a href=\"/x\">';</script><a href=\"" PREFIX "/x\">"},
	{"<!doctype html><html><body background=/b>1 < 2 <",
		"<!doctype html><html><body background=" PREFIX "/b>1 < 2 <"},
	{"<a href=\"/never closed", "<a href=\"/never closed"},
	{"<a href=\"\"><a href><a =/x><a", "<a href=\"\"><a href><a =/x><a"},
	{"", ""},
};

/* A page comes in pieces of any size; what comes out is the same. */
static void page_in_pieces(const char *page, size_t size, size_t piece, bool gzip, const char *expected)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	struct links *links = links_new(PREFIX, BACKEND, CLIENT, gzip);
	for (size_t at = 0; at < size; at += piece)
		assert_true(links_feed(links, page + at, size - at < piece ? size - at : piece, &out));
	links_end(links, &out);
	links_free(links);
	assert_string_equal(str_or_empty(out.buf), expected);
}

static void whole_pages(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++)
		for (size_t piece = 1; piece < 64; piece++)
			page_in_pieces(pages[i].page, strlen(pages[i].page), piece, false, pages[i].expected);
}

static void compressed_pages(void **state)
{
	char packed[1024];
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
		z_stream z = {.next_in = (Bytef *)(uintptr_t)pages[i].page,
			.avail_in = (uInt)strlen(pages[i].page),
			.next_out = (Bytef *)packed,
			.avail_out = sizeof(packed)};
		assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
		assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
		page_in_pieces(packed, sizeof(packed) - z.avail_out, 7, true, pages[i].expected);
		deflateEnd(&z);
	}
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	struct links *links = links_new(PREFIX, BACKEND, CLIENT, true);
	assert_false(links_feed(links, "this is not gzip", 16, &out));
	links_free(links);
}

/* A tag that never ends is not kept for ever. */
static void endless_tag(void **state)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	struct links *links = links_new(PREFIX, BACKEND, CLIENT, false);
	char block[4096];
	memset(block, 'a', sizeof(block));
	assert_true(links_feed(links, "<a href=\"", 9, &out));
	for (size_t i = 0; i < 64; i++)
		assert_true(links_feed(links, block, sizeof(block), &out));
	assert_true(out.len > 32 * sizeof(block));
	links_end(links, &out);
	links_free(links);
	assert_int_equal(out.len, 9 + 64 * sizeof(block));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(addresses), cmocka_unit_test(whole_pages),
		cmocka_unit_test(compressed_pages), cmocka_unit_test(endless_tag)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
