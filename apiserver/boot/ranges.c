/* The ServiceCIDR that tells which ranges Services have their addresses from. */
#include "api/meta.h"
#include "apiserver/boot/internal.h"
#include "base/str.h"

#define NAME "kubernetes"

static struct status *mark_ready(void *data, struct arena *arena, ProtobufCMessage *object)
{
	NetworkingV1ServiceCIDR *range = (NetworkingV1ServiceCIDR *)object;
	NetworkingV1ServiceCIDRStatus *status = ENSURE(arena, range->status, NetworkingV1ServiceCIDRStatus);
	if (CONDITION(status, "Ready"))
		return NULL;
	MetaV1Condition *ready = API_NEW(arena, MetaV1Condition);
	ready->type = (char *)"Ready";
	ready->status = (char *)"True";
	ready->message = (char *)"Kubernetes default Service CIDR is ready";
	ready->last_transition_time = time_now(arena);
	ARENA_PUSH(arena, status->conditions, status->n_conditions) = ready;
	return NULL;
}

struct status *boot_ranges(const struct boot_options *options)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const struct ip_allocator *pools[] = {options->context->service_ips, options->context->secondary_service_ips};
	NetworkingV1ServiceCIDR *range = API_NEW(arena, NetworkingV1ServiceCIDR);
	object_meta_ensure(arena, range)->name = arena_strdup(arena, NAME);
	range->spec = API_NEW(arena, NetworkingV1ServiceCIDRSpec);
	for (size_t i = 0; i < ARRAY_SIZE(pools); i++)
		if (pools[i])
			ARENA_PUSH(arena, range->spec->cidrs, range->spec->n_cidrs) =
				arena_strdup(arena, ip_allocator_cidr(pools[i]));
	if (!range->spec->n_cidrs)
		return NULL;
	TRY(status_wrap(boot_ensure(options, arena, range), "service CIDR " NAME));
	return objects_modify(
		options->objects, arena, &NetworkingV1ServiceCIDR_schema, "status", "", NAME, mark_ready, NULL, NULL);
}
