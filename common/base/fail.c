#include "base/fail.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

enum { MAX_ORDERS_BYTES = 4096, CLOCK_CACHE_MS = 100 };

static const struct {
	const char *name;
	enum fail_action action;
	bool ms;
} actions[] = {
	{"crash", FAIL_CRASH, false},
	{"error", FAIL_ERROR, false},
	{"delay:", FAIL_DELAY, true},
};

bool fail_order_parse(const char *text, struct fail_order *ret_order)
{
	char name[64], action[64], more[2];
	long long skip = 0;
	int n = sscanf(text, " %63s %63s %lld %1s", name, action, &skip, more);
	if (n < 2 || n > 3 || skip < 0)
		return false;
	struct fail_order order = {.skip = skip};
	memcpy(order.name, name, sizeof(name));
	if (str_eq(name, "clock")) {
		order.action = FAIL_CLOCK;
		*ret_order = order;
		return str_to_int64(action, -INT32_MAX, INT32_MAX, &ret_order->ms);
	}
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		if (actions[i].ms ? !str_starts_with(action, actions[i].name) : !str_eq(action, actions[i].name))
			continue;
		order.action = actions[i].action;
		if (actions[i].ms && !str_to_int64(action + strlen(actions[i].name), 0, INT32_MAX, &order.ms))
			return false;
		*ret_order = order;
		return true;
	}
	return false;
}

#ifdef KUBEC_FAIL_POINTS

/* One that acts must not act again while its order stands unchanged. */
static struct {
	pthread_mutex_t lock;
	char *orders; /* as last read */
	struct timespec changed;
	bool environment; /* has been read */
	size_t n_done;
	struct {
		char name[64];
		int64_t passes;
		bool done;
	} seen[128];
} state = {.lock = PTHREAD_MUTEX_INITIALIZER};

static const char *orders_path(void)
{
	static char path[128];
	static pthread_mutex_t once = PTHREAD_MUTEX_INITIALIZER;
	pthread_mutex_lock(&once);
	if (!*path)
		snprintf(path, sizeof(path), "/run/kubec-fail/%s", program_invocation_short_name);
	pthread_mutex_unlock(&once);
	return path;
}

static void forget(void)
{
	memset(state.seen, 0, sizeof(state.seen));
}

/* The orders as they stand now; state.lock is held. Changed orders are new orders. */
static const char *orders_now(void)
{
	struct stat st;
	if (!state.environment) {
		state.environment = true;
		state.orders = mem_strdup(getenv("KUBEC_FAIL"));
	}
	if (stat(orders_path(), &st) != 0) {
		if (state.changed.tv_sec) {
			state.changed = (struct timespec){0};
			free(STEAL(state.orders));
			forget();
		}
		return state.orders;
	}
	if (st.st_mtim.tv_sec == state.changed.tv_sec && st.st_mtim.tv_nsec == state.changed.tv_nsec)
		return state.orders;
	char *text = NULL;
	size_t size;
	struct status *failed = io_read_file(orders_path(), MAX_ORDERS_BYTES, &text, &size);
	if (failed) {
		status_drop(failed, "it has just been taken away");
		return state.orders;
	}
	free(state.orders);
	state.orders = text;
	state.changed = st.st_mtim;
	forget();
	return state.orders;
}

static bool order_for(const char *orders, const char *name, struct fail_order *ret_order)
{
	char line[256];
	for (const char *at = str_or_empty(orders); *at;) {
		size_t len = strcspn(at, "\n;");
		if (len < sizeof(line)) {
			memcpy(line, at, len);
			line[len] = 0;
			if (fail_order_parse(line, ret_order) && str_eq(ret_order->name, name))
				return true;
		}
		at += len + (at[len] != 0);
	}
	return false;
}

/* Whether the point acts on this pass; counts the pass. state.lock is held. */
static bool its_turn(const struct fail_order *order)
{
	for (size_t i = 0; i < ARRAY_SIZE(state.seen); i++) {
		if (*state.seen[i].name && !str_eq(state.seen[i].name, order->name))
			continue;
		memcpy(state.seen[i].name, order->name, sizeof(order->name));
		if (state.seen[i].done || state.seen[i].passes++ < order->skip)
			return false;
		return state.seen[i].done = true;
	}
	return false;
}

static void wait_ms(int64_t ms)
{
	struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	while (nanosleep(&left, &left) != 0 && errno == EINTR)
		;
}

struct status *fail_act(const char *name, bool can_fail)
{
	struct fail_order order;
	pthread_mutex_lock(&state.lock);
	bool acts = order_for(orders_now(), name, &order) && order.action != FAIL_CLOCK && its_turn(&order);
	pthread_mutex_unlock(&state.lock);
	if (!acts)
		return NULL;
	switch (order.action) {
	case FAIL_DELAY:
		log_info("failure point %s: delay of %lld ms", name, (long long)order.ms);
		wait_ms(order.ms);
		return NULL;
	case FAIL_ERROR:
		log_info("failure point %s: %s", name, can_fail ? "error" : "cannot fail; goes on");
		return can_fail ? status_new(STATUS_UNAVAILABLE, "failure point %s", name) : NULL;
	default:
		log_info("failure point %s: crash", name);
		raise(SIGKILL);
		return NULL;
	}
}

const char *fail_agent(const char *name)
{
	return str_or(getenv("KUBEC_AGENT"), name);
}

int64_t fail_clock_ms(void)
{
	static atomic_int_least64_t read_at_ms, offset_ms;
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	int64_t now = (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
	if (now - atomic_load(&read_at_ms) < CLOCK_CACHE_MS)
		return atomic_load(&offset_ms);
	atomic_store(&read_at_ms, now);
	struct fail_order order;
	pthread_mutex_lock(&state.lock);
	atomic_store(&offset_ms, order_for(orders_now(), "clock", &order) ? order.ms : 0);
	pthread_mutex_unlock(&state.lock);
	return atomic_load(&offset_ms);
}

#endif
