/*
 * Many watchers of pods while one pod changes: how long each waits to hear of a change, and what that costs the server.
 * A change carries the time at which it was sent, so a delivery says how late it is.
 */
#include <stdatomic.h>
#include <sys/epoll.h>
#include "base/cleanup.h"
#include "base/mem.h"
#include "base/workers.h"
#include "test/bench/load/load.h"

#define READERS 2
#define DIALLERS 4
#define LATEST_S 20 /* how long to wait for what is not delivered yet */

struct watcher {
	struct wire *wire;
	struct reader *reader;
	char tail[64]; /* of the bytes before: a mark may lie across two reads */
	size_t tail_size;
};

struct reader {
	struct fanout *fanout;
	int epoll;
	struct samples ms;
	atomic_llong lost;
};

struct fanout {
	struct load *load;
	struct watcher *watchers;
	struct reader readers[READERS];
	atomic_llong dialled, delivered;
	atomic_bool over;
	const char *path;
};

/* The readers have ended. */
static void fanout_free(struct fanout *f)
{
	for (int i = 0; i < READERS; i++) {
		samples_done(&f->readers[i].ms);
		if (f->readers[i].epoll)
			close(f->readers[i].epoll);
	}
	for (int64_t i = 0; i < f->load->n; i++)
		wire_freep(&f->watchers[i].wire);
	free(f->watchers);
	free(f);
}
DEFINE_CLEANUP(struct fanout *, fanout_free)

static void look_for_stamps(struct reader *r, const char *bytes, size_t size)
{
	const char *end = bytes + size, *digits;
	while (bytes && (digits = body_find_stamp(bytes, (size_t)(end - bytes)))) {
		char stamp[STAMP_DIGITS + 1];
		memcpy(stamp, digits, STAMP_DIGITS);
		stamp[STAMP_DIGITS] = '\0';
		samples_add(&r->ms, (double)(now_us() - strtoll(stamp, NULL, 10)) / 1000);
		atomic_fetch_add(&r->fanout->delivered, 1);
		/* An event has one, and is a line. */
		bytes = memchr(digits, '\n', (size_t)(end - digits));
	}
}

/* A mark that lies across two pieces is found in the end of one and the beginning of the next. */
static void on_bytes(void *data, const char *bytes, size_t size)
{
	enum { MARK = sizeof "\"" STAMP_KEY "\":\"" - 1 + STAMP_DIGITS };
	struct watcher *w = data;
	char joint[2 * MARK];
	size_t head = size < MARK - 1 ? size : MARK - 1;
	memcpy(joint, w->tail, w->tail_size);
	memcpy(joint + w->tail_size, bytes, head);
	look_for_stamps(w->reader, joint, w->tail_size + head);
	if (size >= MARK)
		look_for_stamps(w->reader, bytes, size);
	/* What is kept is less than a mark: nothing is counted twice. */
	const char *from = size >= MARK ? bytes : joint;
	size_t total = size >= MARK ? size : w->tail_size + head;
	w->tail_size = total < MARK - 1 ? total : MARK - 1;
	memmove(w->tail, from + total - w->tail_size, w->tail_size);
}

static void *read_events(void *data)
{
	struct reader *r = data;
	struct epoll_event ready[64];
	CLEANUP_FREE char *buffer = mem_alloc(WIRE_BUFFER);
	while (!atomic_load(&r->fanout->over)) {
		int n = epoll_wait(r->epoll, ready, ARRAY_SIZE(ready), 20);
		for (int i = 0; i < n; i++) {
			struct watcher *w = ready[i].data.ptr;
			if (wire_poll(w->wire, buffer, on_bytes, w))
				continue;
			atomic_fetch_add(&r->lost, 1);
			epoll_ctl(r->epoll, EPOLL_CTL_DEL, stream_fd(wire_stream(w->wire)), NULL);
		}
	}
	return NULL;
}

static struct status *open_one(struct crowd_client *c, int64_t i)
{
	struct fanout *f = c->data;
	struct watcher *w = &f->watchers[i];
	int code;
	TRY(wire_dial(&f->load->target, &w->wire));
	TRY(wire_send(w->wire, &f->load->target, "GET", f->path, "Accept: application/json\r\n", NULL, 0));
	TRY(wire_receive_head(w->wire, &code));
	if (code != 200)
		return status_internal("watch: %d", code);
	w->reader = &f->readers[i % READERS];
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = w};
	if (epoll_ctl(w->reader->epoll, EPOLL_CTL_ADD, stream_fd(wire_stream(w->wire)), &event))
		return status_errno(errno, "epoll");
	return NULL;
}

static struct status *open_all(struct fanout *f)
{
	struct load some = *f->load;
	some.clients = DIALLERS;
	some.seconds = 600;
	struct crowd crowd = {.load = &some, .op = open_one, .data = f, .no_wire = true, .max = f->load->n};
	struct status *failed = crowd_run(&crowd);
	samples_done(&crowd.ms);
	return failed;
}

/* Changes a pod so many times, evenly in time; rate 0: one after the other. */
static struct status *change_pod(struct load *l, struct wire *wire, int64_t times, double rate)
{
	CLEANUP(strbuf_done) struct strbuf body = STRBUF_INIT;
	const char *path = arena_printf(l->arena, "/api/v1/namespaces/%s/pods/load-00000000", l->namespace);
	double begin = now_s();
	for (int64_t i = 0; i < times; i++) {
		double wait = rate > 0 ? begin + (double)i / rate - now_s() : 0;
		struct answer answer;
		if (wait > 0)
			usleep((useconds_t)(wait * 1e6));
		body_fill(&body, "{\"metadata\":{\"annotations\":{\"" STAMP_KEY "\":\"%S\"}}}", 0, now_us());
		TRY(wire_ask(wire, &l->target, "PATCH", path, "Content-Type: application/merge-patch+json\r\n",
			body.buf, body.len, false, &answer));
	}
	return NULL;
}

static void wait_for(struct fanout *f, int64_t wanted)
{
	double deadline = now_s() + LATEST_S;
	while (atomic_load(&f->delivered) < wanted && now_s() < deadline)
		usleep(2000);
}

static void print(struct fanout *f, struct gauge *gauge, int64_t wanted, double seconds, double kib_each)
{
	const char *w = str_or(f->load->figure, "watch");
	struct samples ms = {0};
	int64_t lost = 0;
	for (int i = 0; i < READERS; i++) {
		samples_join(&ms, &f->readers[i].ms);
		lost += atomic_load(&f->readers[i].lost);
	}
	double got = (double)ms.n, tick = 1.0 / (double)sysconf(_SC_CLK_TCK), cpu = gauge_cpu_s(gauge);
	figure_print(&(struct figure){arena_printf(f->load->arena, "%s-delay", w), "ms", samples_quantile(&ms, 0.5),
		samples_quantile(&ms, 0.99), cpu * 1000 / (got > 0 ? got : 1), gauge_peak_mib(gauge)});
	figure_print(&(struct figure){arena_printf(f->load->arena, "%s-rate", w), "1/s", got / seconds, NAN, NAN, NAN});
	figure_print(&(struct figure){
		arena_printf(f->load->arena, "%s-per-cpu", w), "1/s", got / fmax(cpu, tick), NAN, NAN, NAN});
	figure_print(&(struct figure){arena_printf(f->load->arena, "%s-memory", w), "KiB", kib_each, NAN, NAN, NAN});
	samples_done(&ms);
	if ((int64_t)got < wanted || lost)
		fprintf(stderr, "bench-load: watch: %.0f of %lld deliveries came, %lld watches were ended\n", got,
			(long long)wanted, (long long)lost);
}

static struct status *measure(struct fanout *f, struct wire *writer)
{
	struct load *l = f->load;
	struct gauge before = gauge_start(l->server_pid);
	TRY(open_all(f));
	/* The first change reaches everybody before the clock starts: all are truly watching. */
	TRY(change_pod(l, writer, 1, 0));
	wait_for(f, l->n);
	double kib_each = (gauge_resident_mib(&before) - before.resident_mib) * 1024 / (double)l->n;
	if (atomic_load(&f->delivered) < l->n)
		return status_internal("%lld of %lld watchers heard of the first change",
			(long long)atomic_load(&f->delivered), (long long)l->n);
	atomic_store(&f->delivered, 0);
	for (int i = 0; i < READERS; i++)
		f->readers[i].ms.n = 0;
	int64_t times = (int64_t)(l->seconds * l->rate);
	struct gauge gauge = gauge_start(l->server_pid);
	double begin = now_s();
	TRY(change_pod(l, writer, times, l->rate));
	wait_for(f, times * l->n);
	double seconds = now_s() - begin;
	print(f, &gauge, times * l->n, seconds, kib_each);
	return NULL;
}

/* Watches begin at what a list of now says. */
static struct status *find_begin(struct fanout *f, struct wire *wire)
{
	static const char mark[] = "\"resourceVersion\":\"";
	struct load *l = f->load;
	const char *pods = arena_printf(l->arena, "/api/v1/namespaces/%s/pods", l->namespace);
	struct answer answer;
	TRY(wire_ask(
		wire, &l->target, "GET", arena_printf(l->arena, "%s?limit=1", pods), NULL, NULL, 0, true, &answer));
	const char *at = strstr(answer.body, mark);
	if (!at)
		return status_internal("a list without resourceVersion");
	at += sizeof mark - 1;
	f->path = arena_printf(l->arena, "%s?watch=1&resourceVersion=%.*s", pods, (int)strcspn(at, "\""), at);
	return NULL;
}

/* l->n watchers, of the pods of a namespace; changes for l->seconds at l->rate. */
struct status *load_watch(struct load *l)
{
	CLEANUP(fanout_freep) struct fanout *f = mem_zalloc(sizeof *f);
	CLEANUP(wire_freep) struct wire *writer = NULL;
	f->load = l;
	f->watchers = mem_calloc((size_t)l->n, sizeof *f->watchers);
	TRY(wire_dial(&l->target, &writer));
	TRY(find_begin(f, writer));
	pthread_t threads[READERS];
	for (int i = 0; i < READERS; i++) {
		f->readers[i].fanout = f;
		f->readers[i].epoll = epoll_create1(EPOLL_CLOEXEC);
		threads[i] = thread_start("reader", read_events, &f->readers[i]);
	}
	struct status *failed = measure(f, writer);
	atomic_store(&f->over, true);
	for (int i = 0; i < READERS; i++)
		pthread_join(threads[i], NULL);
	return failed;
}
