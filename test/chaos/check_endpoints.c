/* Where Services lead, at rest: each to the ready pods that it selects, and to nothing else. */
#include "base/map.h"
#include "base/str.h"
#include "test/chaos/check.h"

#define SERVICES "/registry/services/specs/"
#define SLICES "/registry/endpointslices/"
#define PODS "/registry/pods/"

/* Those that are there of one kind. */
static size_t alive_of(struct arena *arena, const struct history *h, const char *prefix, const struct change ***ret)
{
	size_t n = 0;
	*ret = NULL;
	STRMAP_FOREACH (h->newest, it) {
		const struct change *c = it.value;
		if (is_alive(c) && str_starts_with(c->key, prefix))
			ARENA_PUSH(arena, *ret, n) = c;
	}
	return n;
}

static bool selects(struct arena *arena, const struct change *service, const struct change *pod)
{
	char **wanted, **labels;
	size_t n = words_of(arena, change_get(service, "selector"), &wanted);
	size_t n_labels = words_of(arena, change_get(pod, "labels"), &labels);
	if (!n || !str_eq(change_get(pod, "namespace"), change_get(service, "namespace")))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!str_in_n(wanted[i], labels, n_labels))
			return false;
	return true;
}

static bool is_ready(const struct change *pod)
{
	return str_empty(change_get(pod, "deleting")) && str_eq(change_get(pod, "ready"), "true");
}

/* The addresses that the slices of a Service call ready. */
static struct strmap *addresses_of(
	struct arena *arena, const struct change *service, const struct change **slices, size_t n)
{
	struct strmap *addresses = strmap_new(NULL);
	const char *name = strrchr(service->key, '/') + 1;
	for (size_t i = 0; i < n; i++) {
		if (!str_eq(change_get(slices[i], "service"), name) ||
			!str_eq(change_get(slices[i], "namespace"), change_get(service, "namespace")))
			continue;
		char **words;
		size_t n_words = words_of(arena, change_get(slices[i], "endpoints"), &words);
		for (size_t k = 0; k < n_words; k++)
			strmap_put(addresses, words[k], (void *)(uintptr_t)slices[i]);
	}
	return addresses;
}

void check_endpoints(struct verdict *v, const struct history *h)
{
	const struct change **services, **slices, **pods;
	size_t n_services = alive_of(v->arena, h, SERVICES, &services);
	size_t n_slices = alive_of(v->arena, h, SLICES, &slices), n_pods = alive_of(v->arena, h, PODS, &pods);
	for (size_t i = 0; i < n_services; i++) {
		CLEANUP(strmap_freep) struct strmap *addresses = addresses_of(v->arena, services[i], slices, n_slices);
		if (str_empty(change_get(services[i], "selector")))
			continue;
		for (size_t k = 0; k < n_pods; k++) {
			if (!is_ready(pods[k]) || !selects(v->arena, services[i], pods[k]))
				continue;
			v->n_things++;
			if (!strmap_remove(addresses, change_get(pods[k], "pod-ip")))
				fault(v, "%s does not lead to %s", services[i]->key, pods[k]->key);
		}
		STRMAP_FOREACH (addresses, it)
			fault(v, "%s leads to %s, which is no ready pod of it", services[i]->key, it.key);
	}
}
