#include "apiserver/boot/boot.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include "api/meta.h"
#include "apiserver/boot/internal.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/workers.h"

enum { RETRY_MS = 200, PERIOD_MS = 10000, NAMESPACES_PERIOD_MS = 60000 };

struct boot {
	struct boot_options options;
	pthread_t thread;
	bool running;
	atomic_bool namespaces_ready, rbac_ready;
	pthread_mutex_t lock; /* guards stopping */
	pthread_cond_t wake;
	bool stopping;
};

struct boot *boot_new(const struct boot_options *options)
{
	struct boot *boot = mem_zalloc(sizeof(*boot));
	pthread_condattr_t attr;
	boot->options = *options;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_mutex_init(&boot->lock, NULL);
	pthread_cond_init(&boot->wake, &attr);
	pthread_condattr_destroy(&attr);
	return boot;
}

/* Sleeps, or returns true as soon as the server stops. */
static bool pause_for(struct boot *boot, int64_t ms)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += ms % 1000 * 1000000;
	until.tv_sec += ms / 1000 + until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&boot->lock);
	while (!boot->stopping && !pthread_cond_timedwait(&boot->wake, &boot->lock, &until))
		;
	bool stopping = boot->stopping;
	pthread_mutex_unlock(&boot->lock);
	return stopping;
}

/* Repeats a step until it succeeds; false when the server stops first. Says why only when the reason is new. */
static bool until_done(
	struct boot *boot, const char *what, struct status *(*step)(const struct boot_options *), atomic_bool *done)
{
	CLEANUP_STATUS struct status *last = NULL;
	for (;;) {
		struct status *s = step(&boot->options);
		if (!s)
			break;
		if (!last || !str_eq(last->message, s->message))
			log_warn("%s: %s; trying again", what, s->message);
		status_free(last);
		last = s;
		if (pause_for(boot, RETRY_MS))
			return false;
	}
	if (done)
		atomic_store(done, true);
	return true;
}

static struct status *repair(const struct boot_options *options)
{
	return alloc_repair_step(options->repair);
}

static void *run(void *data)
{
	struct boot *boot = data;
	if (!until_done(boot, "system namespaces", boot_namespaces, &boot->namespaces_ready) ||
		!until_done(boot, "priority classes", boot_priorities, NULL) ||
		!until_done(boot, "service ranges", boot_ranges, NULL) || !until_done(boot, "repair", repair, NULL) ||
		(boot->options.rbac && !until_done(boot, "bootstrap roles", boot_roles, NULL)))
		return NULL;
	atomic_store(&boot->rbac_ready, true);
	if (!until_done(boot, "authentication trust", boot_trust, NULL) ||
		!until_done(boot, "kubernetes service", boot_service, NULL))
		return NULL;
	for (int64_t turn = 1; !pause_for(boot, PERIOD_MS); turn++) {
		log_status(boot_service(&boot->options), "kubernetes service");
		log_status(repair(&boot->options), "repair");
		if (turn % (NAMESPACES_PERIOD_MS / PERIOD_MS) == 0) {
			log_status(boot_namespaces(&boot->options), "system namespaces");
			log_status(boot_trust(&boot->options), "authentication trust");
		}
	}
	return NULL;
}

void boot_start(struct boot *boot)
{
	boot->running = true;
	boot->thread = thread_start("boot", run, boot);
}

bool boot_rbac_ready(const struct boot *boot)
{
	return atomic_load(&boot->rbac_ready);
}

bool boot_namespaces_ready(const struct boot *boot)
{
	return atomic_load(&boot->namespaces_ready);
}

void boot_stop(struct boot *boot)
{
	if (!boot->running)
		return;
	pthread_mutex_lock(&boot->lock);
	boot->stopping = true;
	pthread_cond_broadcast(&boot->wake);
	pthread_mutex_unlock(&boot->lock);
	pthread_join(boot->thread, NULL);
	boot->running = false;
	log_status(boot_service_leave(&boot->options), "leave the kubernetes service");
}

void boot_free(struct boot *boot)
{
	if (!boot)
		return;
	boot_stop(boot);
	pthread_cond_destroy(&boot->wake);
	pthread_mutex_destroy(&boot->lock);
	free(boot);
}

struct status *boot_ensure(const struct boot_options *options, struct arena *arena, const void *object)
{
	const ProtobufCMessage *found;
	struct status *s = objects_get(
		options->objects, arena, schema_of(object), object_namespace(object), object_name(object), &found);
	if (!status_is(s, STATUS_NOT_FOUND))
		return s;
	status_free(s);
	s = objects_create(options->objects, arena, object, NULL);
	if (!status_is(s, STATUS_ALREADY_EXISTS))
		return s;
	status_free(s);
	return NULL;
}
