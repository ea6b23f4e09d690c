/* Pods and runtime states for tests, out of short texts. */
#ifndef TEST_KUBELET_PODS_H
#define TEST_KUBELET_PODS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "api/yaml.h"
#include "base/str.h"
#include "kubelet/pod/pod.h"
#include "kubelet/runtime/names.h"
#include "kubelet/runtime/types.h"

/* A pod with the spec given as YAML (one line, flow style). */
static inline struct pod *pod_of(const char *spec)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	char *text = arena_printf(arena,
		"{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: default, uid: u1}, spec: %s}", spec);
	CoreV1Pod *api;
	struct status *s = yaml_decode(arena, NULL, text, strlen(text), NULL, &api);
	if (s)
		fail_msg("%s: %s", text, s->message);
	return pod_new(api);
}

/*
 * "a=running b=exited:1 b=exited:0": containers, newest first; a name with "!" has another hash than the pod's
 * container. sandbox: "ready", "dead", or "" for none.
 */
static inline struct pod_status *state_of_pod(const struct pod *pod, const char *sandbox, const char *containers)
{
	struct pod_status *s = pod_status_new(pod->uid, pod->name, pod->namespace);
	if (sandbox[0]) {
		struct sandbox_status item = {
			.id = "s1", .ready = str_eq(sandbox, "ready"), .attempt = 0, .has_network = true};
		ARENA_PUSH(s->arena, item.ips, item.n_ips) = "10.0.0.5";
		ARENA_PUSH(s->arena, s->sandboxes, s->n_sandboxes) = item;
		if (item.ready) {
			s->active_sandbox = "s1";
			s->ips = s->sandboxes[0].ips;
			s->n_ips = 1;
		}
	}
	char **parts;
	size_t n = str_split(s->arena, containers, ' ', &parts);
	for (size_t i = 0; i < n; i++) {
		char *equals = strchr(parts[i], '=');
		if (!equals)
			continue;
		*equals = '\0';
		bool other = str_ends_with(parts[i], "!");
		if (other)
			parts[i][strlen(parts[i]) - 1] = '\0';
		const CoreV1Container *c = pod_container(pod, parts[i]);
		struct container_status item = {.id = arena_printf(s->arena, "%s-%zu", parts[i], i),
			.name = parts[i],
			.sandbox_id = "s1",
			.created_at = (int64_t)(1000 - i),
			.started_at = 5,
			.reason = "",
			.message = "",
			.image = "i",
			.image_id = "i",
			.image_ref = "i",
			.log_path = ""};
		item.hash = c ? container_hash(c) + other : 0;
		char *state = equals + 1, *code = strchr(state, ':');
		if (code)
			*code++ = '\0';
		item.exit_code = code ? (int32_t)strtol(code, NULL, 10) : 0;
		item.state = str_eq(state, "running")	? CONTAINER_RUNNING
			     : str_eq(state, "exited")	? CONTAINER_EXITED
			     : str_eq(state, "created") ? CONTAINER_CREATED
							: CONTAINER_UNKNOWN;
		ARENA_PUSH(s->arena, s->containers, s->n_containers) = item;
	}
	return s;
}

#endif
