/* Reruns the corpus of every fuzz target. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "base/io.h"
#define FUZZ_TARGET fuzz_json
#include "test/fuzz/json.c"
#undef FUZZ_TARGET
#define FUZZ_TARGET fuzz_yaml
#include "test/fuzz/yaml.c"
#undef FUZZ_TARGET
#define FUZZ_TARGET fuzz_protobuf
#include "test/fuzz/protobuf.c"
#undef FUZZ_TARGET
#define FUZZ_TARGET fuzz_selector
#include "test/fuzz/selector.c"
#undef FUZZ_TARGET
#define FUZZ_TARGET fuzz_quantity
#include "test/fuzz/quantity.c"
#undef FUZZ_TARGET
#define FUZZ_TARGET fuzz_patch
#include "test/fuzz/patch.c"
#undef FUZZ_TARGET

static const struct {
	const char *folder;
	int (*run)(const uint8_t *data, size_t size);
} targets[] = {{"json", fuzz_json}, {"yaml", fuzz_yaml}, {"protobuf", fuzz_protobuf}, {"selector", fuzz_selector},
	{"quantity", fuzz_quantity}, {"patch", fuzz_patch}};

static size_t run_folder(const char *folder, int (*run)(const uint8_t *data, size_t size))
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	char *path = arena_printf(arena, "test/fuzz/corpus/%s", folder);
	DIR *dir = opendir(path);
	size_t n = 0;

	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir));) {
		CLEANUP_FREE char *data = NULL;
		size_t size;
		if (*entry->d_name == '.')
			continue;
		assert_null(io_read_file(arena_printf(arena, "%s/%s", path, entry->d_name), 1u << 20, &data, &size));
		run((const uint8_t *)data, size);
		n++;
	}
	closedir(dir);
	return n;
}

static void every_corpus_passes(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(targets); i++)
		assert_true(run_folder(targets[i].folder, targets[i].run) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_corpus_passes)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
