#include "kubelet/kubelet.h"

#include "base/str.h"

void kubelet_pod_event(struct kubelet *k, const struct pod *pod, const char *container, const char *type,
	const char *reason, const char *format, ...)
{
	if (!k->recorder)
		return;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	va_list args;
	va_start(args, format);
	char *message = arena_vprintf(arena, format, args);
	va_end(args);
	CoreV1ObjectReference *ref = event_reference(arena, pod->api);
	if (container)
		ref->field_path = pod_container_field_path(arena, pod, container);
	event_record_ref(k->recorder, ref, type, reason, "%s", message);
}
