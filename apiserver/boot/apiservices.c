/*
 * The APIService objects of what this server serves itself: discovery's order is written down in them, and who lists
 * them sees every group version there is. (k8s.io/kube-aggregator's autoregistration)
 */
#include "api/meta.h"
#include "apiserver/boot/internal.h"
#include "base/str.h"

static const struct {
	const char *group, *version;
	int32_t group_priority, version_priority;
} versions[] = {
	{"", "v1", 18000, 1},
	{"apps", "v1", 17800, 15},
	{"events.k8s.io", "v1", 17750, 15},
	{"authentication.k8s.io", "v1", 17700, 15},
	{"authorization.k8s.io", "v1", 17600, 15},
	{"autoscaling", "v1", 17500, 15},
	{"autoscaling", "v2", 17500, 30},
	{"batch", "v1", 17400, 15},
	{"certificates.k8s.io", "v1", 17300, 15},
	{"networking.k8s.io", "v1", 17200, 15},
	{"policy", "v1", 17100, 15},
	{"rbac.authorization.k8s.io", "v1", 17000, 15},
	{"storage.k8s.io", "v1", 16800, 15},
	{"apiextensions.k8s.io", "v1", 16700, 15},
	{"admissionregistration.k8s.io", "v1", 16700, 15},
	{"scheduling.k8s.io", "v1", 16600, 15},
	{"coordination.k8s.io", "v1", 16500, 15},
	{"node.k8s.io", "v1", 16300, 15},
	{"discovery.k8s.io", "v1", 16200, 15},
	{"resource.k8s.io", "v1", 16200, 21},
	{"flowcontrol.apiserver.k8s.io", "v1", 16100, 21},
};

#define AUTOMANAGED "kube-aggregator.kubernetes.io/automanaged"

/* Of a version that is no longer served; what somebody else has made under that name stays. */
static struct status *remove_service(const struct boot_options *options, struct arena *arena, const char *name)
{
	const ProtobufCMessage *found;
	struct status *s = objects_get(options->objects, arena, &ApiregistrationV1APIService_schema, "", name, &found);
	if (!s && str_eq(meta_label(object_meta(found), AUTOMANAGED), "onstart"))
		s = objects_delete(options->objects, arena, &ApiregistrationV1APIService_schema, "", name);
	if (!status_is(s, STATUS_NOT_FOUND))
		return s;
	status_free(s);
	return NULL;
}

struct status *boot_api_services(const struct boot_options *options)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		ApiregistrationV1APIService *service = API_NEW(arena, ApiregistrationV1APIService);
		MetaV1ObjectMeta *meta = object_meta_ensure(arena, service);
		meta->name = arena_printf(arena, "%s.%s", versions[i].version, versions[i].group);
		meta_set_label(arena, meta, AUTOMANAGED, "onstart");
		service->spec = API_NEW(arena, ApiregistrationV1APIServiceSpec);
		service->spec->group = arena_strdup(arena, versions[i].group);
		service->spec->version = arena_strdup(arena, versions[i].version);
		service->spec->group_priority_minimum = versions[i].group_priority;
		service->spec->version_priority = versions[i].version_priority;
		struct status *s = served_version(options->served, versions[i].group, versions[i].version)
					   ? boot_ensure(options, arena, service)
					   : remove_service(options, arena, meta->name);
		TRY(status_wrap(s, "API service %s", meta->name));
	}
	return NULL;
}
