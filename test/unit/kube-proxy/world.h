/* Services and slices from JSON, and a configuration that masquerades as a usual cluster does. */
#ifndef TEST_KUBE_PROXY_WORLD_H
#define TEST_KUBE_PROXY_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "api/json.h"
#include "base/clock.h"
#include "base/mem.h"
#include "kube-proxy/rules.h"

static inline void *world_decode(struct arena *arena, const struct schema_type *type, const char *json)
{
	void *msg = NULL;
	CLEANUP_STATUS struct status *failed = json_decode(arena, type, json, strlen(json), NULL, &msg);
	if (failed)
		fail_msg("%s: %s", json, failed->message);
	return msg;
}

/* A service ns/web; more is further members of its spec, with a leading comma. */
static inline const CoreV1Service *world_service(struct arena *arena, const char *more)
{
	return world_decode(arena, &CoreV1Service_schema,
		arena_printf(arena,
			"{\"metadata\":{\"name\":\"web\",\"namespace\":\"ns\"},\"spec\":{\"clusterIP\":\"10.96.0.10\","
			"\"ports\":[{\"name\":\"http\",\"port\":80,\"nodePort\":%d,\"protocol\":\"TCP\"}]%s}}",
			strstr(more, "NodePort") || strstr(more, "LoadBalancer") ? 30080 : 0, more));
}

/* Endpoints as JSON. */
static inline const DiscoveryV1EndpointSlice *world_slice(struct arena *arena, const char *endpoints)
{
	return world_decode(arena, &DiscoveryV1EndpointSlice_schema,
		arena_printf(arena,
			"{\"metadata\":{\"name\":\"web-x\",\"namespace\":\"ns\"},\"addressType\":\"IPv4\",\"ports\":[{"
			"\"name\":\"http\","
			"\"port\":8080,\"protocol\":\"TCP\"}],\"endpoints\":[%s]}",
			endpoints));
}

#define READY(ip, node) "{\"addresses\":[\"" ip "\"],\"nodeName\":\"" node "\",\"conditions\":{\"ready\":true}}"
#define ENDING(ip, node)                                   \
	"{\"addresses\":[\"" ip "\"],\"nodeName\":\"" node \
	"\",\"conditions\":{\"ready\":false,\"serving\":true,\"terminating\":true}}"
#define GONE(ip, node) "{\"addresses\":[\"" ip "\"],\"nodeName\":\"" node "\",\"conditions\":{\"ready\":false}}"

static inline struct rules_config world_config(void)
{
	return (struct rules_config){
		.family = FAMILY_IPV4,
		.masquerade_mark = 0x4000,
		.local = {true, "ip saddr 10.244.0.0/16", "ip saddr != 10.244.0.0/16"},
		.topology = {"here", "zone-1"},
		.node_ip = "192.168.0.2",
		.all_node_port_ips = true,
	};
}

#endif
