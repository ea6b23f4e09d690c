#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "api/image_reference.h"
#include "base/arena.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct {
	const char *image;
	bool valid, latest;
} references[] = {
	{"nginx", true, true},
	{"nginx:latest", true, true},
	{"nginx:1.2", true, false},
	{"library/nginx", true, true},
	{"localhost/nginx", true, true},
	{"host:5000/nginx", true, true},
	{"host:5000/a/b_c/d__e/f-g--h:V1.2_x-y", true, false},
	{"HOST.example/nginx", true, true},
	{"a.b/c@sha256:" HEX64, true, false},
	{"a.b/c:latest@sha256:" HEX64, true, true},
	{"a.b/c@sha256:abc", false, false},
	{"a.b/c@md5:" HEX64, false, false},
	{HEX64, false, false},
	{"", false, false},
	{" nginx", false, false},
	{"-nginx", false, false},
	{"nginx-", false, false},
	{"a..b", false, false},
	{"a___b", false, false},
	{"a//b", false, false},
	{"a/", false, false},
	{"Nginx", false, false},
	{"Not/Valid ", false, false},
	{"host:x/nginx", false, false},
	{"-host.example/nginx", false, false},
	{"nginx:", false, false},
	{"nginx:-1", false, false},
};

static void test_references(void **state)
{
	for (size_t i = 0; i < sizeof(references) / sizeof(*references); i++) {
		const char *image = references[i].image;
		if (image_reference_is_valid(image) != references[i].valid ||
			image_reference_is_latest(image) != references[i].latest)
			fail_msg("\"%s\": valid %d, latest %d", image, image_reference_is_valid(image),
				image_reference_is_latest(image));
	}
}

/* A path has 255 characters at most, the folder that is left out among them. */
static void test_length(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	for (int n = 246; n < 258; n++) {
		assert_int_equal(image_reference_is_valid(arena_printf(arena, "%0*d", n, 0)), n <= 247);
		assert_int_equal(image_reference_is_valid(arena_printf(arena, "a.b/%0*d", n, 0)), n <= 255);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_references), cmocka_unit_test(test_length)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
