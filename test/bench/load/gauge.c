/* A process seen from outside: /proc/PID/{stat,status,clear_refs}. And figures as lines. */
#include <fcntl.h>
#include "base/io.h"
#include "base/mem.h"
#include "test/bench/load/load.h"

double now_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static char *read_proc(int64_t pid, const char *file)
{
	CLEANUP_FREE char *path = mem_printf("/proc/%lld/%s", (long long)pid, file);
	char *text = NULL;
	size_t size;
	struct status *failed = pid ? io_read_file(path, 65536, &text, &size) : NULL;
	status_drop(failed, "the server is gone; the requests to it say so");
	return text;
}

static double cpu_of(int64_t pid)
{
	CLEANUP_FREE char *text = read_proc(pid, "stat");
	unsigned long user = 0, kernel = 0;
	const char *after_name = text ? strrchr(text, ')') : NULL;
	if (!after_name ||
		sscanf(after_name + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &kernel) != 2)
		return NAN;
	return (double)(user + kernel) / (double)sysconf(_SC_CLK_TCK);
}

static double status_mib(int64_t pid, const char *field)
{
	CLEANUP_FREE char *text = read_proc(pid, "status");
	const char *at = text ? strstr(text, field) : NULL;
	return at ? (double)strtoull(at + strlen(field), NULL, 10) / 1024 : NAN;
}

struct gauge gauge_start(int64_t pid)
{
	CLEANUP_FREE char *path = mem_printf("/proc/%lld/clear_refs", (long long)pid);
	CLEANUP_FD int fd = pid ? open(path, O_WRONLY | O_CLOEXEC) : -1;
	if (fd >= 0 && write(fd, "5", 1) != 1)
		fprintf(stderr, "bench-load: %s: the peak counts from the process's start\n", path);
	return (struct gauge){.pid = pid, .cpu_s = cpu_of(pid), .resident_mib = status_mib(pid, "VmRSS:")};
}

double gauge_cpu_s(const struct gauge *g)
{
	return cpu_of(g->pid) - g->cpu_s;
}

double gauge_resident_mib(const struct gauge *g)
{
	return status_mib(g->pid, "VmRSS:");
}

double gauge_peak_mib(const struct gauge *g)
{
	return status_mib(g->pid, "VmHWM:");
}

void samples_add(struct samples *s, double value)
{
	mem_grow(&s->values, &s->cap, s->n + 1, sizeof *s->values);
	s->values[s->n++] = value;
}

void samples_join(struct samples *into, struct samples *from)
{
	for (size_t i = 0; i < from->n; i++)
		samples_add(into, from->values[i]);
	samples_done(from);
}

void samples_done(struct samples *s)
{
	free(s->values);
	*s = (struct samples){0};
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

double samples_quantile(struct samples *s, double q)
{
	if (!s->n)
		return NAN;
	qsort(s->values, s->n, sizeof *s->values, compare);
	return s->values[(size_t)(q * (double)(s->n - 1) + 0.5)];
}

static void print_number(double value)
{
	if (isnan(value))
		printf("\t-");
	else
		printf("\t%.6g", value);
}

void figure_print(const struct figure *f)
{
	printf("%s\t%s", f->name, f->unit);
	print_number(f->value);
	print_number(f->p99);
	print_number(f->cpu);
	print_number(f->peak);
	printf("\n");
	fflush(stdout);
}
