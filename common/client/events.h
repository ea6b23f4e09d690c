/*
 * Events: what happened to an object, for people to read.
 *
 *	struct event_recorder *recorder = event_recorder_new(client, "kubelet", node_name);
 *	event_record(recorder, pod, EVENT_WARNING, "BackOff", "Back-off restarting failed container %s", name);
 *
 * Recording never blocks and never fails: a bounded queue is written by a thread of its own, and what does not fit is
 *dropped with a log line. As in the original: the same event again raises `count` of the first one by a patch; more
 *than ten events within ten minutes that differ only in their message become one ("(combined from similar events): …");
 *a source may send 25 events about an object, then one in five minutes.
 *
 * Threads: any.
 */
#ifndef CLIENT_EVENTS_H
#define CLIENT_EVENTS_H

#include "client/client.h"

struct event_recorder;

#define EVENT_NORMAL "Normal"
#define EVENT_WARNING "Warning"

/* component: source.component and reportingComponent; host: source.host, "" if it has none. */
struct event_recorder *event_recorder_new(struct client *client, const char *component, const char *host);
/* A host that is known only later. Before the first event. */
void event_recorder_set_host(struct event_recorder *recorder, const char *host);
/* Writes what is queued (for at most two seconds), stops. */
void event_recorder_free(struct event_recorder *recorder);
DEFINE_CLEANUP(struct event_recorder *, event_recorder_free)

/* About an object with metadata (any typed message). recorder NULL: nothing happens. */
void event_record(struct event_recorder *recorder, const void *msg, const char *type, const char *reason,
	const char *format, ...) PRINTF(5, 6);
/* About a reference: parts of objects (field_path "spec.containers{web}"), nodes by name, what exists no more. */
void event_record_ref(struct event_recorder *recorder, const CoreV1ObjectReference *ref, const char *type,
	const char *reason, const char *format, ...) PRINTF(5, 6);
/* The same, but in the events.k8s.io form, as the scheduler writes them: with action, related object and series.
 * related may be NULL. */
void event_record_v1(struct event_recorder *recorder, const CoreV1ObjectReference *regarding,
	const CoreV1ObjectReference *related, const char *type, const char *reason, const char *action,
	const char *format, ...) PRINTF(7, 8);
/* The reference to an object: apiVersion, kind, namespace, name, uid, resourceVersion. */
CoreV1ObjectReference *event_reference(struct arena *arena, const void *msg);

#endif
