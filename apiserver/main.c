#include <malloc.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <unistd.h>
#include "apiserver/start.h"
#include "base/log.h"

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
