/*
 * The faults of a run: a function of the seed, the time, the number of servers and the failure points that the binaries
 * have. One fault a line, in the order of time:
 *	at-ms  fault  target  how-long-ms  argument
 */
#include "base/fail.h"
#include "base/str.h"
#include "test/chaos/chaos.h"
#include "test/chaos/random.h"

enum { FIRST_MS = 3000, MOST_POINTS = 256 };

static const char *const components[] = {
	"kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy"};

static const char *const processes[] = {"etcd", "apiserver-a", "controller-manager-a", "scheduler-a", "kubelet1",
	"kubelet2", "proxy1", "proxy2", "containerd1", "containerd2", "apiserver-b", "controller-manager-b",
	"scheduler-b", NULL};
static const char *const clocks[] = {
	"apiserver-a", "controller-manager-a", "scheduler-a", "kubelet1", "kubelet2", NULL};
static const char *const links[] = {"node1", "node2", NULL};
static const char *const disks[] = {"etcd", NULL};
static const char *const candidates[] = {"controller-manager-a", "scheduler-a", NULL};

/* How long a fault stands, and how long the cluster is then left alone. */
static const struct kind {
	const char *name;
	const char *const *targets;
	uint32_t weight, low_ms, high_ms, rest_ms;
} kinds[] = {
	{"kill", processes, 40, 0, 0, 4000},
	{"stop", processes, 20, 500, 7000, 3000},
	{"stop", candidates, 4, 17000, 22000, 2000}, /* past the term of a lease */
	{"cut", links, 12, 500, 8000, 2500},
	{"slow", links, 6, 3000, 8000, 1000},
	{"lossy", links, 6, 3000, 8000, 1000},
	{"fill", disks, 6, 2000, 5000, 5000},
	{"slow-disk", disks, 6, 3000, 8000, 1000},
	{"clock", clocks, 8, 4000, 8000, 1000},
	{"point", NULL, 30, 6000, 6000, 2000},
};

struct point {
	const char *component, *name;
};

static struct status *points_of(struct arena *arena, const char *binaries, struct point *points, size_t *n_points)
{
	for (size_t i = 0; i < ARRAY_SIZE(components); i++) {
		char **names;
		size_t n;
		TRY(fail_points_of(arena, arena_printf(arena, "%s/%s", binaries, components[i]), &names, &n));
		for (size_t k = 0; k < n && *n_points < MOST_POINTS; k++)
			points[(*n_points)++] = (struct point){components[i], names[k]};
	}
	return NULL;
}

struct status *chaos_points(const struct chaos_options *o, char *const *args, size_t n_args)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct point points[MOST_POINTS];
	size_t n = 0;
	TRY(points_of(arena, o->binaries, points, &n));
	for (size_t i = 0; i < n; i++)
		printf("%s %s\n", points[i].component, points[i].name);
	return NULL;
}

static const struct kind *choose(struct random *random, bool points)
{
	uint32_t total = 0, at;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		total += points || kinds[i].targets ? kinds[i].weight : 0;
	at = random_up_to(random, total);
	for (size_t i = 0;; at -= kinds[i++].weight)
		if (at < kinds[i].weight)
			return &kinds[i];
}

/* The processes of the second server stand last and are there in runs of two only. */
static const char *target_of(struct random *random, const struct kind *kind, int64_t n_servers)
{
	uint32_t n = 0;
	while (kind->targets[n] && (n_servers > 1 || !str_ends_with(kind->targets[n], "-b")))
		n++;
	return kind->targets[random_up_to(random, n)];
}

/* Components are named by their binary, processes by what they are here. */
static const char *process_of(struct random *random, const char *component, int64_t n_servers)
{
	static const char *const by_component[][4] = {
		{"kube-apiserver", "apiserver-a", "apiserver-b", "s"},
		{"kube-controller-manager", "controller-manager-a", "controller-manager-b", "s"},
		{"kube-scheduler", "scheduler-a", "scheduler-b", "s"},
		{"kubelet", "kubelet1", "kubelet2"},
		{"kube-proxy", "proxy1", "proxy2"},
	};
	size_t i = 0;
	while (!str_eq(by_component[i][0], component))
		i++;
	bool one = by_component[i][3] && n_servers < 2;
	return by_component[i][one ? 1 : 1 + random_up_to(random, 2)];
}

static void print_point(struct random *random, const struct point *point, int64_t at, uint32_t ms, int64_t n_servers)
{
	static const char *const actions[] = {"crash", "crash", "error", "delay:3000"};
	const char *target = process_of(random, point->component, n_servers);
	printf("%lld point %s %u %s %s %u\n", (long long)at, target, ms, point->name,
		actions[random_up_to(random, ARRAY_SIZE(actions))], random_up_to(random, 4));
}

struct status *chaos_plan(const struct chaos_options *o, char *const *args, size_t n_args)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct random random = random_from((uint64_t)o->seed, "plan");
	struct point points[MOST_POINTS];
	size_t n = 0;
	TRY(points_of(arena, o->binaries, points, &n));
	for (int64_t at = FIRST_MS; at < o->seconds * 1000;) {
		const struct kind *kind = choose(&random, n > 0);
		uint32_t ms = random_between(&random, kind->low_ms, kind->high_ms);
		if (kind->targets)
			printf("%lld %s %s %u %d\n", (long long)at, kind->name, target_of(&random, kind, o->n_servers),
				ms, (random_up_to(&random, 2) ? 1 : -1) * (int)random_between(&random, 10, 120));
		else
			print_point(&random, &points[random_up_to(&random, (uint32_t)n)], at, ms, o->n_servers);
		at += ms + kind->rest_ms + random_up_to(&random, 2000);
	}
	return NULL;
}
