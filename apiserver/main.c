#include <limits.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "apiserver/start.h"
#include "base/log.h"

/*
 * glibc keeps freed pieces of up to 1,032 bytes for the thread that freed them, where no call gives them back: a few in
 * each page hold a megabyte and a half of the listeners' memory after a storm. Pieces of up to 128 bytes, which are
 * most of them, bring nearly all the speed. Only the environment at the start of a process sets this, so that it starts
 * once more; who has set GLIBC_TUNABLES has chosen.
 */
static void limit_thread_caches(char **argv)
{
	char self[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (length <= 0 || setenv("GLIBC_TUNABLES", "glibc.malloc.tcache_max=128", 0))
		return;
	self[length] = '\0';
	execv(self, argv);
}

int main(int argc, char **argv)
{
	struct options options;
	struct status *status = options_parse(&options, argc, argv);
	if (status) {
		fprintf(stderr, "Error: %s\n", status->message);
		status_free(status);
		return 1;
	}
	if (options.help) {
		options_usage(&options);
		return 0;
	}
	if (options.version && *options.version) {
		puts("Kubernetes " KUBEC_VERSION);
		return 0;
	}
	if (!getenv("GLIBC_TUNABLES"))
		limit_thread_caches(argv);
	/* Few arenas, and freed memory goes back: what is resident is what is held. */
	mallopt(M_ARENA_MAX, 4);
	mallopt(M_TRIM_THRESHOLD, 1 << 20);
	mallopt(M_MMAP_THRESHOLD, 256 << 10);
	/* A session that is cut at the end, as a log that is followed, goes on while the process exits: nothing is
	 * taken away from under it. */
	OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
	log_set_verbosity((int)options.verbosity);
	status = apiserver_run(&options);
	if (!status)
		return 0;
	fprintf(stderr, "Error: %s\n", status->message);
	status_free(status);
	/* What a failed start has begun is nobody's to end. */
	fflush(NULL);
	_exit(1);
}
