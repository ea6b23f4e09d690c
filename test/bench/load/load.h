/*
 * bench-load: puts load on an apiserver (or on etcd) and says what came of it, one figure a line, tab-separated:
 *
 *	figure  unit  value  p99  cpu  peak
 *
 * value is the figure itself; p99 (ms) is of the single requests behind it, cpu (ms) what one request cost the server's
 * process, peak (MiB) how high the process's memory went; "-" where there is no such thing. test/bench/figures.tsv
 *describes every figure.
 */
#ifndef TEST_BENCH_LOAD_LOAD_H
#define TEST_BENCH_LOAD_LOAD_H

#include <math.h>
#include "base/flags.h"
#include "base/str.h"
#include "test/bench/load/wire.h"

struct load {
	struct arena *arena;
	struct target target;
	char *kubeconfig;
	char *namespace;
	char *what;   /* which of a command's kinds */
	int64_t n;    /* how many of whatever is asked for */
	int64_t from; /* the number of the first */
	int64_t clients;
	double seconds; /* how long at most */
	double rate;	/* a second */
	int64_t server_pid;
	char *figure; /* the name to print; NULL: the command's own */
	char *etcd, *source, *key, *prefix;
	char *selector;
};

struct load_command {
	const char *name, *usage;
	struct status *(*run)(struct load *l);
};
struct status *load_read(struct load *l);
struct status *load_write(struct load *l);
struct status *load_list(struct load *l);
struct status *load_watch(struct load *l);
struct status *load_body(struct load *l);
struct status *load_wait(struct load *l);
struct status *load_tls(struct load *l);
struct status *load_etcd_fill(struct load *l);
struct status *load_etcd_put(struct load *l);

/* --- the server's process, from outside --- */
struct gauge {
	int64_t pid; /* 0: nothing is known */
	double cpu_s, resident_mib;
};
/* Remembers the CPU time so far and forgets the peak. */
struct gauge gauge_start(int64_t pid);
double gauge_cpu_s(const struct gauge *g);	  /* since the start */
double gauge_resident_mib(const struct gauge *g); /* now */
double gauge_peak_mib(const struct gauge *g);	  /* the highest since the start */

/* --- what a figure is made of --- */
struct samples {
	double *values;
	size_t n, cap;
};
void samples_add(struct samples *s, double value);
void samples_join(struct samples *into, struct samples *from); /* from is emptied and freed */
double samples_quantile(struct samples *s, double q);	       /* sorts; NAN of none */
void samples_done(struct samples *s);

struct figure {
	const char *name, *unit;
	double value, p99, cpu, peak; /* NAN: none */
};
void figure_print(const struct figure *f);

double now_s(void); /* a clock that only differences mean anything of */
static inline int64_t now_us(void)
{
	return (int64_t)(now_s() * 1e6);
}

/* --- many clients --- */
struct crowd_client {
	struct load *load;
	struct wire *wire; /* dialled before the clock starts */
	struct arena *arena;
	struct strbuf scratch;
	int64_t index;
	void *data; /* the crowd's */
};
struct crowd {
	struct load *load;
	/* One request, the i-th of all. */
	struct status *(*op)(struct crowd_client *c, int64_t i);
	void *data;
	bool no_wire;
	int64_t max; /* at most so many; 0: until the time is over */
	/* out */
	struct samples ms;
	double seconds;
	int64_t done;
};
/* Runs op from load->clients threads until load->seconds have passed or max is reached. The first error is returned. */
struct status *crowd_run(struct crowd *crowd) MUST_USE;
/* The figure of a run: requests a second. */
void crowd_figure(struct crowd *crowd, const char *name, struct gauge *gauge);

/* --- bodies: text with %N (a number of 8 digits), %S (a stamp of 16) and %T (a time), filled in for each request ---
 */
void body_fill(struct strbuf *out, const char *text, int64_t n, int64_t stamp);
/* A pod as people write them, of so many bytes or a little more; the name is load-%N. */
char *body_pod(struct arena *arena, const char *namespace, size_t size);
/* Where the digits of a stamp are in what a server answered; NULL if they are not. */
char *body_find_stamp(const char *text, size_t size);
#define STAMP_KEY "bench.stamp"
#define STAMP_DIGITS 16

#endif
