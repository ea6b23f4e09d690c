/*
 * Reruns the corpus of a fuzz target as an ordinary test: linked with the target instead of libFuzzer, named as it.
 *
 *	NAME [FILE…]        without files: those of test/fuzz/corpus/NAME
 */
#include <dirent.h>
#include <stdlib.h>
#include "base/io.h"
#include "test/fuzz/target.h"

static void run_file(const char *path)
{
	CLEANUP_FREE char *data = NULL;
	size_t size;

	printf("[ RUN      ] %s\n", path);
	fflush(stdout);
	fuzz_ok("read", io_read_file(path, 4u << 20, &data, &size));
	/* As libFuzzer hands it over: nothing after the last byte. */
	CLEANUP_FREE uint8_t *exact = malloc(size + !size);
	assert(exact);
	memcpy(exact, data, size);
	LLVMFuzzerTestOneInput(exact, size);
	printf("[       OK ] %s\n", path);
}

static int run_corpus(const char *name)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const char *folder = arena_printf(arena, "test/fuzz/corpus/%s", name);
	struct dirent **entries;
	int n = scandir(folder, &entries, NULL, alphasort), n_run = 0;

	for (int i = 0; i < n; i++) {
		if (*entries[i]->d_name != '.') {
			run_file(arena_printf(arena, "%s/%s", folder, entries[i]->d_name));
			n_run++;
		}
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	if (!n_run)
		fprintf(stderr, "%s: no corpus\n", folder);
	return n_run ? 0 : 1;
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');

	for (int i = 1; i < argc; i++)
		run_file(argv[i]);
	return argc > 1 ? 0 : run_corpus(slash ? slash + 1 : argv[0]);
}
