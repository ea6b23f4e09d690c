/* kubeadm: finds the command and runs it. */
#include <stdio.h>
#include <string.h>
#include "base/str.h"
#include "kubeadm.h"

static void usage(FILE *out)
{
	fputs("kubeadm sets up a Kubernetes cluster on this machine, or joins this machine to one.\n\nUsage:\n", out);
	for (const struct kubeadm_command *c = kubeadm_commands; c->name; c++)
		fprintf(out, "  kubeadm %s%s%-*s %s\n", c->name, c->sub ? " " : "",
			(int)(24 - strlen(c->name) - (c->sub ? 1 : 0)), str_or_empty(c->sub), c->summary);
}

static const struct kubeadm_command *find(int argc, char **argv, int *ret_skip)
{
	for (const struct kubeadm_command *c = kubeadm_commands; c->name; c++) {
		if (argc < 2 || !str_eq(c->name, argv[1]))
			continue;
		if (c->sub && (argc < 3 || !str_eq(c->sub, argv[2])))
			continue;
		*ret_skip = c->sub ? 2 : 1;
		return c;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	int skip;
	if (argc < 2 || str_eq(argv[1], "help") || str_eq(argv[1], "--help") || str_eq(argv[1], "-h")) {
		usage(stdout);
		return 0;
	}
	const struct kubeadm_command *command = find(argc, argv, &skip);
	if (!command) {
		fprintf(stderr, "error: unknown command \"%s\" for \"kubeadm\"\n", argv[1]);
		usage(stderr);
		return 1;
	}
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct kubeadm k = {.arena = arena, .clock = clock_system()};
	CLEANUP_STATUS struct status *s = command->run(&k, argc - skip, argv + skip);
	if (s)
		fprintf(stderr, "error: %s\n", s->message);
	return s ? 1 : 0;
}
