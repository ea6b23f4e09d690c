#include "apiserver/boot/boot.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include "api/meta.h"
#include "apiserver/boot/internal.h"
#include "base/cond.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/workers.h"

enum { RETRY_MS = 200, PERIOD_MS = 10000 };

struct boot {
	struct boot_options options;
	pthread_t thread;
	bool running;
	atomic_bool done[BOOT_STEPS];
	pthread_mutex_t lock; /* guards stopping and changed */
	pthread_cond_t wake;
	bool stopping, changed;
};

/* What is seen to as soon as an object of a type changes. */
static const struct {
	const char *what;
	struct status *(*step)(const struct boot_options *);
	const struct schema_type *types[2];
} followers[] = {
	{"conditions of flow schemas", boot_flow_conditions,
		{&FlowcontrolV1FlowSchema_schema, &FlowcontrolV1PriorityLevelConfiguration_schema}},
	{"definitions that are deleted", boot_definitions, {&ApiextensionsV1CustomResourceDefinition_schema}},
};

static void note_change(void *data, enum object_event event, const ProtobufCMessage *object)
{
	struct boot *boot = data;
	pthread_mutex_lock(&boot->lock);
	boot->changed = true;
	pthread_cond_broadcast(&boot->wake);
	pthread_mutex_unlock(&boot->lock);
}

struct boot *boot_new(struct objects *objects)
{
	struct boot *boot = mem_zalloc(sizeof(*boot));
	pthread_mutex_init(&boot->lock, NULL);
	cond_init(&boot->wake);
	for (size_t i = 0; i < ARRAY_SIZE(followers); i++)
		for (size_t k = 0; k < ARRAY_SIZE(followers[i].types) && followers[i].types[k]; k++)
			objects_subscribe(objects, followers[i].types[k], note_change, boot);
	return boot;
}

enum pause_end { PAUSE_OVER, PAUSE_CHANGE, PAUSE_STOP };

/* Sleeps until then, or until the server stops, or something that is followed has changed. */
static enum pause_end pause_until(struct boot *boot, int64_t deadline_ms)
{
	bool in_time = true;
	pthread_mutex_lock(&boot->lock);
	while (!boot->stopping && !boot->changed && in_time)
		in_time = cond_wait_until(&boot->wake, &boot->lock, deadline_ms);
	enum pause_end end = boot->stopping ? PAUSE_STOP : boot->changed ? PAUSE_CHANGE : PAUSE_OVER;
	boot->changed = false;
	pthread_mutex_unlock(&boot->lock);
	return end;
}

static void follow(struct boot *boot)
{
	for (size_t i = 0; i < ARRAY_SIZE(followers); i++)
		log_status(followers[i].step(&boot->options), "%s", followers[i].what);
}

/* Sleeps; true as soon as the server stops. Meanwhile changes are followed. */
static bool pause_for(struct boot *boot, int64_t ms)
{
	const int64_t deadline_ms = cond_deadline_ms(ms);
	for (;;) {
		enum pause_end end = pause_until(boot, deadline_ms);
		if (end != PAUSE_CHANGE)
			return end == PAUSE_STOP;
		follow(boot);
	}
}

static struct status *repair(const struct boot_options *options)
{
	return alloc_repair_step(options->repair);
}

/* In the order in which they are taken; some are repeated, every so many periods. */
static const struct {
	const char *what;
	struct status *(*step)(const struct boot_options *);
	int every;
	struct status *(*again)(const struct boot_options *); /* NULL: the same */
} steps[BOOT_STEPS] = {
	[BOOT_NAMESPACES] = {"system namespaces", boot_namespaces, 6},
	[BOOT_PRIORITIES] = {"priority classes", boot_priorities, 0},
	[BOOT_RANGES] = {"service ranges", boot_ranges, 1, boot_ranges_again},
	[BOOT_REPAIR] = {"repair of service addresses", repair, 1},
	[BOOT_ROLES] = {"bootstrap roles", boot_roles, 0},
	[BOOT_TRUST] = {"authentication trust", boot_trust, 1},
	[BOOT_TRACKING] = {"tracking of legacy tokens", boot_tracking, 6},
	[BOOT_SERVICE] = {"kubernetes service", boot_service, 1},
	[BOOT_IDENTITY] = {"identity lease", boot_identity, 1},
	[BOOT_IDENTITIES] = {"identity leases that expired", boot_identities, 360},
	[BOOT_API_SERVICES] = {"API services", boot_api_services, 0},
	[BOOT_FLOW_CONTROL] = {"flow schemas and priority levels", boot_flow_control, 6},
};

static bool is_taken(const struct boot *boot, enum boot_step step)
{
	return step != BOOT_ROLES || boot->options.rbac;
}

/* Repeats a step until it succeeds; false when the server stops first. Says why only when the reason is new. */
static bool until_done(struct boot *boot, enum boot_step step)
{
	CLEANUP_STATUS struct status *last = NULL;
	for (;;) {
		struct status *s = is_taken(boot, step) ? steps[step].step(&boot->options) : NULL;
		if (!s)
			break;
		/* What admission refuses it will refuse again, and it is for those who chose it to say. */
		if (status_is(s, STATUS_FORBIDDEN)) {
			log_status(s, "%s", steps[step].what);
			break;
		}
		if (!last || !str_eq(last->message, s->message))
			log_warn("%s: %s; trying again", steps[step].what, s->message);
		status_free(last);
		last = s;
		if (pause_for(boot, RETRY_MS))
			return false;
	}
	atomic_store(&boot->done[step], true);
	return true;
}

static void repeat(struct boot *boot, enum boot_step step)
{
	struct status *(*again)(const struct boot_options *) = steps[step].again;
	log_status((again ? again : steps[step].step)(&boot->options), "%s", steps[step].what);
}

static void *run(void *data)
{
	struct boot *boot = data;
	for (enum boot_step step = 0; step < BOOT_STEPS; step++)
		if (!until_done(boot, step))
			return NULL;
	for (int turn = 1; !pause_for(boot, PERIOD_MS); turn++) {
		for (enum boot_step step = 0; step < BOOT_STEPS; step++)
			if (steps[step].every && turn % steps[step].every == 0)
				repeat(boot, step);
		follow(boot); /* what has failed */
	}
	return NULL;
}

void boot_start(struct boot *boot, const struct boot_options *options)
{
	boot->options = *options;
	boot->running = true;
	boot->thread = thread_start("boot", run, boot);
}

bool boot_done(const struct boot *boot, enum boot_step step)
{
	return atomic_load(&boot->done[step]);
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

struct status *boot_create(const struct boot_options *options, struct arena *arena, const void *object)
{
	struct status *s = objects_create(options->objects, arena, object, NULL);
	if (!status_is(s, STATUS_ALREADY_EXISTS))
		return s;
	status_free(s);
	return NULL;
}

struct status *boot_ensure(const struct boot_options *options, struct arena *arena, const void *object)
{
	const ProtobufCMessage *found;
	struct status *s = objects_get(
		options->objects, arena, schema_of(object), object_namespace(object), object_name(object), &found);
	if (!status_is(s, STATUS_NOT_FOUND))
		return s;
	status_free(s);
	return boot_create(options, arena, object);
}
