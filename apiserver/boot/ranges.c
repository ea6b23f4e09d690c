/* The ServiceCIDR that tells which ranges Services have their addresses from. */
#include <time.h>
#include "api/copy.h"
#include "api/meta.h"
#include "apiserver/boot/internal.h"
#include "base/log.h"
#include "base/str.h"

#define NAME "kubernetes"

static const MetaV1Condition *readiness(const ProtobufCMessage *object)
{
	const NetworkingV1ServiceCIDRStatus *status = ((const NetworkingV1ServiceCIDR *)object)->status;
	return status ? CONDITION(status, "Ready") : NULL;
}

static struct status *mark_ready(const struct boot_options *options, struct arena *arena)
{
	NetworkingV1ServiceCIDR *range = API_NEW(arena, NetworkingV1ServiceCIDR);
	MetaV1Condition *ready = API_NEW(arena, MetaV1Condition);
	ready->type = (char *)"Ready";
	ready->status = (char *)"True";
	ready->message = (char *)"Kubernetes default Service CIDR is ready";
	ready->last_transition_time = time_now(arena);
	object_meta_ensure(arena, range)->name = (char *)NAME;
	range->status = API_NEW(arena, NetworkingV1ServiceCIDRStatus);
	ARENA_PUSH(arena, range->status->conditions, range->status->n_conditions) = ready;
	return objects_apply(options->objects, arena, "kubernetes-service-cidr-controller", &range->base, "status");
}

/* The range is used as the cache shows it. */
static struct status *wait_until_seen(const struct boot_options *options)
{
	enum { TRY_MS = 10, TRIES = 500 };
	for (int i = 0; i < TRIES; i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		const ProtobufCMessage *found;
		struct status *s =
			objects_get(options->objects, arena, &NetworkingV1ServiceCIDR_schema, "", NAME, &found);
		bool ready = !s && readiness(found);
		status_drop(s, "asked again");
		if (ready)
			return NULL;
		nanosleep(&(struct timespec){.tv_nsec = TRY_MS * 1000000L}, NULL);
	}
	return status_new(STATUS_UNAVAILABLE, "has not come back from etcd yet");
}

static bool same_ranges(const NetworkingV1ServiceCIDRSpec *a, const NetworkingV1ServiceCIDRSpec *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!str_eq(a->cidrs[i], b->cidrs[i]))
			return false;
	return true;
}

static struct status *widen(void *data, struct arena *arena, ProtobufCMessage *object)
{
	NetworkingV1ServiceCIDR *range = (NetworkingV1ServiceCIDR *)object;
	range->spec = api_copy_msg(arena, data);
	return NULL;
}

static NetworkingV1ServiceCIDR *configured(const struct boot_options *options, struct arena *arena)
{
	const struct service_ips *ips = options->context->service_ips;
	NetworkingV1ServiceCIDR *range = API_NEW(arena, NetworkingV1ServiceCIDR);
	object_meta_ensure(arena, range)->name = arena_strdup(arena, NAME);
	range->spec = API_NEW(arena, NetworkingV1ServiceCIDRSpec);
	for (size_t i = 0; i < service_ips_n_ranges(ips); i++)
		ARENA_PUSH(arena, range->spec->cidrs, range->spec->n_cidrs) =
			ip_range_text(arena, service_ips_range(ips, i));
	return range;
}

/*
 * A range that is there stays as it is, but for the step from one family to two: it says that it is ready when nobody
 * has said anything, and it is the configured one. One that is being deleted is the controller manager's; once it is
 * gone, the configured one takes its place (controller/defaultservicecidr). *ret_why: what is wrong with it, or NULL.
 */
static struct status *settle(const struct boot_options *options, struct arena *arena, const char **ret_why)
{
	const NetworkingV1ServiceCIDR *wanted = configured(options, arena);
	const ProtobufCMessage *found;
	*ret_why = NULL;
	TRY(boot_ensure(options, arena, wanted));
	TRY(objects_get_live(options->objects, arena, &NetworkingV1ServiceCIDR_schema, "", NAME, &found));
	const NetworkingV1ServiceCIDRSpec *has = ((const NetworkingV1ServiceCIDR *)found)->spec;
	if (has && has->n_cidrs == 1 && wanted->spec->n_cidrs == 2 && same_ranges(has, wanted->spec, 1))
		return objects_modify(options->objects, arena, &NetworkingV1ServiceCIDR_schema, "", "", NAME, widen,
			wanted->spec, NULL);
	if (meta_is_deleting(object_meta(found)))
		return NULL;
	if (!has || has->n_cidrs != wanted->spec->n_cidrs || !same_ranges(has, wanted->spec, has->n_cidrs)) {
		*ret_why = "differs from --service-cluster-ip-range; Services use the ServiceCIDR";
		return NULL;
	}
	const MetaV1Condition *ready = readiness(found);
	if (ready && str_eq(ready->status, "False"))
		*ret_why = "is not ready";
	if (ready && !str_eq(ready->status, "Unknown"))
		return NULL;
	TRY(mark_ready(options, arena));
	return wait_until_seen(options);
}

struct status *boot_ranges_again(const struct boot_options *options)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const char *why;
	return status_wrap(settle(options, arena, &why), "service CIDR " NAME);
}

struct status *boot_ranges(const struct boot_options *options)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const char *why;
	TRY(status_wrap(settle(options, arena, &why), "service CIDR " NAME));
	if (why)
		log_warn("the ServiceCIDR " NAME " %s", why);
	return NULL;
}
