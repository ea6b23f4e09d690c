#include "serve/metrics.h"
#include "serve/features.h"

#include <dirent.h>
#include <math.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <time.h>
#include "base/map.h"
#include "base/mem.h"

enum { MAX_LABELS = 16, MAX_SERIES = 10000 };

enum metric_kind { COUNTER, GAUGE, HISTOGRAM, FUNCTION, WRITER };

/* The value of one label set. */
struct series {
	double value;	   /* histogram: the sum */
	uint64_t count;	   /* histogram */
	uint64_t *buckets; /* histogram: one for each bound */
};

struct metric {
	char *name, *help;
	enum metric_kind kind;
	const char *type;
	const char *const *labels;
	size_t n_labels;
	double *bounds;
	size_t n_bounds;
	double (*fn)(void *data);
	void (*write)(void *data, struct strbuf *out);
	void *fn_data;
	pthread_mutex_t lock;  /* guards the series */
	struct strmap *series; /* by the text {a="b"} without braces */
};

struct metrics {
	pthread_mutex_t lock; /* guards the list */
	struct metric **items;
	size_t n, cap;
	double start_s;
};

static void series_free(void *p)
{
	struct series *s = p;
	free(s->buckets);
	free(s);
}

struct metrics *metrics_new(void)
{
	struct metrics *m = mem_zalloc(sizeof(*m));
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	m->start_s = (double)now.tv_sec + (double)now.tv_nsec / 1e9;
	pthread_mutex_init(&m->lock, NULL);
	return m;
}

void metrics_free(struct metrics *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->n; i++) {
		struct metric *metric = m->items[i];
		strmap_free(metric->series);
		pthread_mutex_destroy(&metric->lock);
		free(metric->bounds);
		free(metric->name);
		free(metric->help);
		free(metric);
	}
	free(m->items);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

static struct metric *add(struct metrics *m, const char *name, const char *help, const char *type,
	enum metric_kind kind, const char *const *labels)
{
	if (!m)
		return NULL;
	struct metric *metric = NULL;
	pthread_mutex_lock(&m->lock);
	for (size_t i = 0; i < m->n && !metric; i++)
		if (str_eq(m->items[i]->name, name))
			metric = m->items[i];
	if (!metric) {
		metric = mem_zalloc(sizeof(*metric));
		*metric = (struct metric){.name = mem_strdup(name),
			.help = mem_strdup(help),
			.kind = kind,
			.type = type,
			.labels = labels};
		while (labels && labels[metric->n_labels] && metric->n_labels < MAX_LABELS)
			metric->n_labels++;
		pthread_mutex_init(&metric->lock, NULL);
		metric->series = strmap_new(series_free);
		mem_grow(&m->items, &m->cap, m->n + 1, sizeof(*m->items));
		m->items[m->n++] = metric;
	}
	pthread_mutex_unlock(&m->lock);
	return metric;
}

struct metric *metrics_counter(struct metrics *m, const char *name, const char *help, const char *const *labels)
{
	return add(m, name, help, "counter", COUNTER, labels);
}

struct metric *metrics_gauge(struct metrics *m, const char *name, const char *help, const char *const *labels)
{
	return add(m, name, help, "gauge", GAUGE, labels);
}

struct metric *metrics_histogram(struct metrics *m, const char *name, const char *help, const char *const *labels,
	const double *buckets, size_t n_buckets)
{
	struct metric *metric = add(m, name, help, "histogram", HISTOGRAM, labels);
	if (metric && !metric->bounds) {
		metric->bounds = mem_dup(buckets, n_buckets * sizeof(*buckets));
		metric->n_bounds = n_buckets;
	}
	return metric;
}

void metrics_function(
	struct metrics *m, const char *name, const char *help, const char *type, double (*fn)(void *data), void *data)
{
	struct metric *metric = add(m, name, help, str_eq(type, "counter") ? "counter" : "gauge", FUNCTION, NULL);
	if (metric) {
		metric->fn = fn;
		metric->fn_data = data;
	}
}

void metrics_writer(struct metrics *m, void (*write)(void *data, struct strbuf *out), void *data)
{
	struct metric *metric = mem_zalloc(sizeof(*metric));
	*metric = (struct metric){.name = mem_strdup(""), .help = mem_strdup(""), .kind = WRITER, .write = write};
	metric->fn_data = data;
	pthread_mutex_init(&metric->lock, NULL);
	metric->series = strmap_new(series_free);
	pthread_mutex_lock(&m->lock);
	mem_grow(&m->items, &m->cap, m->n + 1, sizeof(*m->items));
	m->items[m->n++] = metric;
	pthread_mutex_unlock(&m->lock);
}

void metrics_forget_writer(struct metrics *m, const void *data)
{
	pthread_mutex_lock(&m->lock);
	for (size_t i = 0; i < m->n; i++)
		if (m->items[i]->kind == WRITER && m->items[i]->fn_data == data)
			m->items[i]->write = NULL;
	pthread_mutex_unlock(&m->lock);
}

static void add_label_value(struct strbuf *out, const char *value)
{
	for (const char *p = str_or_empty(value);;) {
		size_t plain = strcspn(p, "\\\"\n");
		strbuf_add(out, p, plain);
		p += plain;
		if (!*p)
			return;
		strbuf_addc(out, '\\');
		strbuf_addc(out, *p == '\n' ? 'n' : *p);
		p++;
	}
}

void metrics_add_label(struct strbuf *labels, const char *name, const char *value)
{
	strbuf_printf(labels, "%s%s=\"", labels->len ? "," : "", name);
	add_label_value(labels, value);
	strbuf_addc(labels, '"');
}

static void label_text(const struct metric *metric, struct strbuf *out, va_list args)
{
	strbuf_grow(out, 256);
	for (size_t i = 0; i < metric->n_labels; i++) {
		strbuf_adds(out, i ? "," : "");
		strbuf_adds(out, metric->labels[i]);
		strbuf_adds(out, "=\"");
		add_label_value(out, va_arg(args, const char *));
		strbuf_addc(out, '"');
	}
}

/* The lock is held. NULL: too many label sets. */
static struct series *series_of(struct metric *metric, const char *key)
{
	struct series *s = strmap_get(metric->series, key);
	if (s || strmap_count(metric->series) >= MAX_SERIES)
		return s;
	s = mem_zalloc(sizeof(*s));
	if (metric->n_bounds)
		s->buckets = mem_calloc(metric->n_bounds, sizeof(*s->buckets));
	strmap_put(metric->series, key, s);
	return s;
}

static void apply(struct metric *metric, double value, bool set, va_list args)
{
	CLEANUP(strbuf_done) struct strbuf key = STRBUF_INIT;
	label_text(metric, &key, args);
	pthread_mutex_lock(&metric->lock);
	struct series *s = series_of(metric, key.buf);
	if (s && metric->kind == HISTOGRAM) {
		s->value += value;
		s->count++;
		for (size_t i = 0; i < metric->n_bounds; i++)
			s->buckets[i] += value <= metric->bounds[i];
	} else if (s) {
		s->value = set ? value : s->value + value;
	}
	pthread_mutex_unlock(&metric->lock);
}

void metric_add(struct metric *metric, double value, ...)
{
	va_list args;
	if (!metric)
		return;
	va_start(args, value);
	apply(metric, value, false, args);
	va_end(args);
}

void metric_set(struct metric *metric, double value, ...)
{
	va_list args;
	if (!metric)
		return;
	va_start(args, value);
	apply(metric, value, true, args);
	va_end(args);
}

void metric_observe(struct metric *metric, double value, ...)
{
	va_list args;
	if (!metric)
		return;
	va_start(args, value);
	apply(metric, value, false, args);
	va_end(args);
}

void metric_remove(struct metric *metric, ...)
{
	va_list args;
	CLEANUP(strbuf_done) struct strbuf key = STRBUF_INIT;
	if (!metric)
		return;
	va_start(args, metric);
	label_text(metric, &key, args);
	va_end(args);
	pthread_mutex_lock(&metric->lock);
	strmap_remove(metric->series, key.buf);
	pthread_mutex_unlock(&metric->lock);
}

/* As Prometheus writes numbers: shortest form that reads back. */
static void add_number(struct strbuf *out, double value)
{
	char text[40];
	if (isinf(value)) {
		strbuf_adds(out, value > 0 ? "+Inf" : "-Inf");
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	strbuf_adds(out, text);
}

static void write_sample(
	struct strbuf *out, const char *name, const char *suffix, const char *labels, const char *extra, double value)
{
	strbuf_printf(out, "%s%s", name, suffix);
	if (*labels || *extra)
		strbuf_printf(out, "{%s%s%s}", labels, *labels && *extra ? "," : "", extra);
	strbuf_addc(out, ' ');
	add_number(out, value);
	strbuf_addc(out, '\n');
}

static void write_histogram(struct strbuf *out, const struct metric *metric, const char *labels, const struct series *s)
{
	for (size_t i = 0; i <= metric->n_bounds; i++) {
		CLEANUP(strbuf_done) struct strbuf le = STRBUF_INIT;
		strbuf_adds(&le, "le=\"");
		add_number(&le, i < metric->n_bounds ? metric->bounds[i] : (double)INFINITY);
		strbuf_addc(&le, '"');
		write_sample(out, metric->name, "_bucket", labels, le.buf,
			(double)(i < metric->n_bounds ? s->buckets[i] : s->count));
	}
	write_sample(out, metric->name, "_sum", labels, "", s->value);
	write_sample(out, metric->name, "_count", labels, "", (double)s->count);
}

void metrics_write_head(struct strbuf *out, const char *name, const char *type, const char *help)
{
	strbuf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void metrics_write_sample(struct strbuf *out, const char *name, const char *labels, double value)
{
	write_sample(out, name, "", labels, "", value);
}

void metrics_write_histogram(struct strbuf *out, const char *name, const char *labels, const double *bounds,
	size_t n_bounds, const uint64_t *counts, double sum)
{
	uint64_t total = 0;
	for (size_t i = 0; i <= n_bounds; i++) {
		CLEANUP(strbuf_done) struct strbuf le = STRBUF_INIT;
		strbuf_adds(&le, "le=\"");
		add_number(&le, i < n_bounds ? bounds[i] : (double)INFINITY);
		strbuf_addc(&le, '"');
		total += counts[i];
		write_sample(out, name, "_bucket", labels, le.buf, (double)total);
	}
	write_sample(out, name, "_sum", labels, "", sum);
	write_sample(out, name, "_count", labels, "", (double)total);
}

static void write_metric(struct strbuf *out, struct metric *metric)
{
	if (metric->kind == WRITER) {
		if (metric->write)
			metric->write(metric->fn_data, out);
		return;
	}
	pthread_mutex_lock(&metric->lock);
	if (metric->kind == FUNCTION || strmap_count(metric->series))
		strbuf_printf(
			out, "# HELP %s %s\n# TYPE %s %s\n", metric->name, metric->help, metric->name, metric->type);
	if (metric->kind == FUNCTION)
		write_sample(out, metric->name, "", "", "", metric->fn(metric->fn_data));
	STRMAP_FOREACH (metric->series, it) {
		if (metric->kind == HISTOGRAM)
			write_histogram(out, metric, it.key, it.value);
		else
			write_sample(out, metric->name, "", it.key, "", ((const struct series *)it.value)->value);
	}
	pthread_mutex_unlock(&metric->lock);
}

void metrics_write_tally(struct strbuf *out, const char *name, const char *labels, const struct tally_slot *slot,
	const struct tally_bounds *bounds)
{
	CLEANUP_FREE uint64_t *counts = mem_calloc(bounds->n + 1, sizeof(*counts));
	double sum = 0;
	if (tally_read(slot, bounds, counts, &sum))
		metrics_write_histogram(out, name, labels, bounds->bounds, bounds->n, counts, sum);
}

static void write_plain(struct strbuf *out, const char *name, const char *help, const char *type, double value)
{
	strbuf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
	write_sample(out, name, "", "", "", value);
}

/* Resident; all of it at ret_total. */
static double memory_bytes(double *ret_total)
{
	long size = 0, resident = 0;
	FILE *f = fopen("/proc/self/statm", "re");
	if (f) {
		if (fscanf(f, "%ld %ld", &size, &resident) != 2)
			size = resident = 0;
		fclose(f);
	}
	*ret_total = (double)size * (double)sysconf(_SC_PAGESIZE);
	return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

static double count_open_files(void)
{
	double n = 0;
	DIR *dir = opendir("/proc/self/fd");
	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n > 3 ? n - 3 : 0; /* ".", ".." and the folder itself */
}

static double limit_of(int resource)
{
	struct rlimit limit = {.rlim_cur = 0};
	getrlimit(resource, &limit);
	return limit.rlim_cur == RLIM_INFINITY ? 18446744073709551615.0 : (double)limit.rlim_cur;
}

/* Of the network namespace, as the original counts them; the two values stand under their names in two lines. */
static bool network_bytes(double *ret_in, double *ret_out)
{
	char names[4096], values[4096];
	bool found = false;
	FILE *f = fopen("/proc/self/net/netstat", "re");
	while (f && !found && fgets(names, sizeof(names), f) && fgets(values, sizeof(values), f)) {
		char *n_at, *v_at, *n = strtok_r(names, " \n", &n_at), *v = strtok_r(values, " \n", &v_at);
		if (!str_eq(n, "IpExt:"))
			continue;
		for (; n && v; n = strtok_r(NULL, " \n", &n_at), v = strtok_r(NULL, " \n", &v_at)) {
			if (str_eq(n, "InOctets"))
				*ret_in = strtod(v, NULL);
			found |= str_eq(n, "OutOctets");
			if (str_eq(n, "OutOctets"))
				*ret_out = strtod(v, NULL);
		}
	}
	if (f)
		fclose(f);
	return found;
}

static void write_process(struct metrics *m, struct strbuf *out)
{
	struct timespec cpu;
	double total = 0;
	double resident = memory_bytes(&total);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
	write_plain(out, "process_cpu_seconds_total", "Total user and system CPU time spent in seconds.", "counter",
		(double)cpu.tv_sec + (double)cpu.tv_nsec / 1e9);
	write_plain(
		out, "process_max_fds", "Maximum number of open file descriptors.", "gauge", limit_of(RLIMIT_NOFILE));
	double received = 0, sent = 0;
	if (network_bytes(&received, &sent)) {
		write_plain(out, "process_network_receive_bytes_total", "Bytes that came in over the network.",
			"counter", received);
		write_plain(out, "process_network_transmit_bytes_total", "Bytes that went out over the network.",
			"counter", sent);
	}
	write_plain(out, "process_open_fds", "Number of open file descriptors.", "gauge", count_open_files());
	write_plain(out, "process_resident_memory_bytes", "Resident memory size in bytes.", "gauge", resident);
	write_plain(out, "process_start_time_seconds", "Start time of the process since unix epoch in seconds.",
		"gauge", m->start_s);
	write_plain(out, "process_virtual_memory_bytes", "Virtual memory size in bytes.", "gauge", total);
	write_plain(out, "process_virtual_memory_max_bytes", "Maximum amount of virtual memory available in bytes.",
		"gauge", limit_of(RLIMIT_AS));
}

#if defined(__aarch64__)
#define PLATFORM "linux/arm64"
#else
#define PLATFORM "linux/amd64"
#endif

static void write_build(struct strbuf *out)
{
	metrics_write_head(out, "kubernetes_build_info", "gauge", "1, with what was built, and how.");
	write_sample(out, "kubernetes_build_info", "",
		"build_date=\"1970-01-01T00:00:00Z\",compiler=\"gcc\",git_commit=\"\",git_tree_state=\"clean\","
		"git_version=\"" KUBEC_VERSION "\",go_version=\"\",major=\"1\",minor=\"34\",platform=\"" PLATFORM "\"",
		"", 1);
	metrics_write_head(out, "version_info", "gauge", "1, with the versions that the program is compatible with.");
	CLEANUP(strbuf_done) struct strbuf labels = STRBUF_INIT;
	metrics_add_label(&labels, "binary", &KUBEC_VERSION[1]); /* without the v */
	strbuf_adds(&labels, ",component=\"kube\",emulation=\"1.34\",min_compat=\"1.33\"");
	write_sample(out, "version_info", "", labels.buf, "", 1);
	features_write(out);
}

void metrics_write(struct metrics *m, struct strbuf *out)
{
	pthread_mutex_lock(&m->lock);
	for (size_t i = 0; i < m->n; i++)
		write_metric(out, m->items[i]);
	pthread_mutex_unlock(&m->lock);
	write_build(out);
	write_process(m, out);
}
