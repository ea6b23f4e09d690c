/*
 * The REST client: the one way to an apiserver.
 *
 *	struct client *client;
 *	TRY(client_new(&config, clock_system(), &client));
 *	CoreV1Pod *pod;
 *	TRY(client_get(client, arena, &CoreV1Pod_schema, "default", "web-0", &pod));
 *	pod->metadata->labels = …;
 *	TRY(client_update(client, arena, pod, &pod));
 *
 * Every call blocks and may be made from any thread, any number at once. A ret_msg is the address of a typed pointer
 * (`CoreV1Pod **`), declared void * so that no cast is needed; NULL: the answer is not decoded. Answers live in the
 *caller's arena. Errors are the server's Status (reason, code, details, causes), or STATUS_UNAVAILABLE (no connection),
 *STATUS_TIMEOUT.
 *
 * Typed kinds travel as protobuf. Requests wait for the client-side rate limit; 429 and 503 with Retry-After are tried
 *again (10 times at most); a broken connection is tried again for get and list only, with jittered back-off. After any
 *other lost reply the error comes back: read before writing again.
 *
 * Object rule: objects of an informer are immutable and shared. Copy one (api_copy) before changing it.
 */
#ifndef CLIENT_CLIENT_H
#define CLIENT_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "api/types.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/status.h"
#include "client/config.h"
#include "net/http1.h"
#include "net/stream.h"

struct client;
struct schema_type;

struct status *client_new(const struct client_config *config, const struct clock *clock, struct client **ret) MUST_USE;
/* No call may be in progress, no informer or watch may be left. */
void client_free(struct client *client);
DEFINE_CLEANUP(struct client *, client_free)
/* From any thread: calls in progress and later ones fail with STATUS_UNAVAILABLE "client is shutting down". */
void client_cancel(struct client *client);
const struct clock *client_clock(const struct client *client);
/* The server's base URL. */
const char *client_host(const struct client *client);

/*
 * Where a resource is served. The typed calls find it in the schema; pass one explicitly for resources that the schema
 * does not know or that are to be read in another form (MetaV1PartialObjectMetadata: metadata only).
 */
struct client_resource {
	const char *group; /* "" is core */
	const char *version;
	const char *plural;
	bool namespaced;
};

/* Of a typed kind; NULL if the schema does not serve it. */
const struct client_resource *client_resource_of(struct client *client, const struct schema_type *type);
/* "/api/v1/namespaces/x/pods/y/status"; any of namespace (NULL or "": all), name, subresource may be NULL. */
char *client_path(struct arena *arena, const struct client_resource *resource, const char *namespace, const char *name,
	const char *subresource);

/* --- typed calls. namespace: NULL or "" for cluster-scoped kinds and for lists over all namespaces. --- */

struct status *client_get(struct client *client, struct arena *arena, const struct schema_type *type,
	const char *namespace, const char *name, void *ret_msg) MUST_USE;
/* By explicit resource, decoded as type (its own, or MetaV1PartialObjectMetadata). */
struct status *client_get_as(struct client *client, struct arena *arena, const struct client_resource *resource,
	const struct schema_type *type, const char *namespace, const char *name, void *ret_msg) MUST_USE;

struct client_list_options {
	const char *label_selector;
	const char *field_selector;
	const char *resource_version; /* NULL: the newest; "0": any, from the server's cache */
	const char *resource_version_match;
	int64_t limit; /* 0: all in one answer; client_list() follows pages until the end unless `one_page` */
	const char *continue_;
	bool one_page;
};

struct client_list {
	char *resource_version;
	char *continue_; /* "" at the end */
	int64_t remaining;
	void **items; /* of the type asked for; apiVersion and kind are known by their type */
	size_t n_items;
};

/* options may be NULL. Without a limit pages of 500 are fetched when the resource version is not "0". */
struct status *client_list(struct client *client, struct arena *arena, const struct schema_type *type,
	const char *namespace, const struct client_list_options *options, struct client_list *ret) MUST_USE;
struct status *client_list_as(struct client *client, struct arena *arena, const struct client_resource *resource,
	const struct schema_type *type, const char *namespace, const struct client_list_options *options,
	struct client_list *ret) MUST_USE;

/* The namespace and name come from the object's metadata. ret_msg: what the server stored; may be NULL. */
struct status *client_create(struct client *client, struct arena *arena, const void *msg, void *ret_msg) MUST_USE;
struct status *client_update(struct client *client, struct arena *arena, const void *msg, void *ret_msg) MUST_USE;
struct status *client_update_status(
	struct client *client, struct arena *arena, const void *msg, void *ret_msg) MUST_USE;
/* PUT of any subresource ("approval", "ephemeralcontainers", …) of the object msg. */
struct status *client_update_subresource(
	struct client *client, struct arena *arena, const char *subresource, const void *msg, void *ret_msg) MUST_USE;
/*
 * GET, POST or PUT of a subresource whose body is another kind: "binding" (CoreV1Binding), "eviction"
 * (PolicyV1Eviction), "token" (AuthenticationV1TokenRequest), "scale" (AutoscalingV1Scale). type: the parent's. ret_msg
 * is of ret_type (NULL: body's own type; if ret_msg is NULL the answer is ignored).
 */
struct status *client_create_subresource(struct client *client, struct arena *arena, const struct schema_type *type,
	const char *namespace, const char *name, const char *subresource, const void *body, void *ret_msg) MUST_USE;

enum client_patch_type { CLIENT_PATCH_JSON, CLIENT_PATCH_MERGE, CLIENT_PATCH_STRATEGIC, CLIENT_PATCH_APPLY };
const char *client_patch_content_type(enum client_patch_type type);

struct client_patch_options {
	const char *field_manager;
	const char *field_validation;
	const char *dry_run; /* "All" */
	bool force;	     /* apply: take over conflicting fields */
};

/* subresource NULL: the object itself. patch is JSON (YAML for apply). options may be NULL. */
struct status *client_patch(struct client *client, struct arena *arena, const struct schema_type *type,
	const char *namespace, const char *name, const char *subresource, enum client_patch_type patch_type,
	const void *patch, size_t patch_size, const struct client_patch_options *options, void *ret_msg) MUST_USE;
/*
 * Patches what changed between two versions of an object (two-way strategic merge of their JSON), with the old one's
 * uid in the patch; no request if nothing did. resource_version: put the old one's into the patch too, so that a race
 * is a Conflict.
 */
struct status *client_patch_diff(struct client *client, struct arena *arena, const void *old_msg, const void *new_msg,
	const char *subresource, bool resource_version, void *ret_msg) MUST_USE;

/* options may be NULL: the kind's own grace period and propagation. */
struct status *client_delete(struct client *client, struct arena *arena, const struct schema_type *type,
	const char *namespace, const char *name, const MetaV1DeleteOptions *options) MUST_USE;
struct status *client_delete_as(struct client *client, struct arena *arena, const struct client_resource *resource,
	const char *namespace, const char *name, const MetaV1DeleteOptions *options) MUST_USE;
struct status *client_delete_collection(struct client *client, struct arena *arena,
	const struct client_resource *resource, const char *namespace, const MetaV1DeleteOptions *options,
	const struct client_list_options *list) MUST_USE;
struct status *client_patch_as(struct client *client, struct arena *arena, const struct client_resource *resource,
	const char *namespace, const char *name, const char *subresource, enum client_patch_type patch_type,
	const void *patch, size_t patch_size, const struct client_patch_options *options) MUST_USE;

/* --- raw requests --- */

struct client_request {
	const char *method;		   /* NULL: GET */
	const char *path;		   /* escaped, with a leading slash; or an absolute URL of the same server */
	const char *query;		   /* escaped, without '?'; may be NULL */
	const struct http_header *headers; /* beside those of authentication; Accept is application/json if not given */
	size_t n_headers;
	const void *body;
	size_t body_size;
	const char *content_type; /* of the body; NULL: application/json */
	int timeout_ms;		  /* 0: the client's own; -1: none (streams) */
	bool retry;		  /* try again after a lost connection: safe requests only */
	size_t max_body_bytes;	  /* 0: 256 MiB */
	/* NULL: the body is collected. Otherwise each piece of a 2xx body as it comes; false stops the request without
	 * an error. */
	bool (*on_data)(void *data, const void *bytes, size_t size);
	void *data;
	/* Called between the pieces, at least once a second; true stops the request. May be NULL. */
	bool (*cancelled)(void *data);
};

struct client_response {
	int code;
	struct http_header *headers;
	size_t n_headers;
	char *body; /* NUL-terminated */
	size_t body_size;
};

/*
 * Performs one request. An answer that is not 2xx is an error (its Status body decoded) and ret is filled all the same;
 * ret may be NULL.
 */
struct status *client_do(struct client *client, struct arena *arena, const struct client_request *request,
	struct client_response *ret) MUST_USE;

/*
 * Passes on the head of somebody's request, with this client's credentials unless it brings its own, over a connection
 * of its own. The caller relays what follows, in both directions; the server ends the connection after its answer.
 */
struct http_head;
struct status *client_forward(struct client *client, struct arena *arena, const struct http_head *request,
	struct stream **ret_stream) MUST_USE;

/*
 * Opens an upgraded connection (exec, attach, port-forward, or any WebSocket): protocols is NULL-terminated, in order
 * of preference. The stream stands at the first byte after the 101. An answer other than 101 is its Status as an error
 * (code kept).
 */
struct status *client_websocket(struct client *client, struct arena *arena, const char *path, const char *query,
	const char *const *protocols, struct stream **ret_stream, char **ret_protocol) MUST_USE;
/* The same for SPDY/3.1: POST with Upgrade: SPDY/3.1 and X-Stream-Protocol-Version. */
struct status *client_spdy(struct client *client, struct arena *arena, const char *path, const char *query,
	const char *const *protocols, struct stream **ret_stream, char **ret_protocol) MUST_USE;

/* The Status body of an answer as an error; text that is no Status becomes the message, as the original words it. */
struct status *client_status_from_body(
	const char *method, const char *path, int code, const void *body, size_t size) MUST_USE;

/* --- plain watches (kubectl get -w); controllers use client/informer.h --- */

enum watch_event_type { WATCH_ADDED, WATCH_MODIFIED, WATCH_DELETED, WATCH_BOOKMARK, WATCH_ERROR };

struct watch_event {
	enum watch_event_type type;
	const void *msg;  /* the object, when a type was given; else NULL */
	const char *json; /* the object's JSON, when no type was given; else NULL */
	size_t json_size;
	const struct status *error; /* of WATCH_ERROR */
};

struct watch_options {
	const char *resource_version;
	const char *label_selector;
	const char *field_selector;
	const char *accept; /* for JSON watches, e.g. the Table form; NULL: application/json */
	int64_t timeout_seconds;
	bool bookmarks;
	bool send_initial_events;
};

/*
 * Watches until the server ends the stream (NULL), it breaks (an error), or on_event returns false (NULL). Blocks.
 * on_event runs on the calling thread; what it is given is valid during the call only. type NULL: events carry JSON.
 */
struct status *client_watch(struct client *client, const struct client_resource *resource,
	const struct schema_type *type, const char *namespace, const struct watch_options *options,
	bool (*on_event)(void *data, const struct watch_event *event), void *data) MUST_USE;

#endif
