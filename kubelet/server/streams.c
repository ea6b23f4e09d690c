/*
 * exec, attach and port-forward: the runtime is asked for a place to stream from, and the upgraded connection is passed
 * through to it byte by byte. The kubelet does not look into the protocol (SPDY/3.1).
 */
#include <errno.h>
#include <poll.h>
#include "base/io.h"
#include "base/log.h"
#include "base/str.h"
#include "kubelet/pod/pleg.h"
#include "kubelet/runtime/query.h"
#include "kubelet/server/server.h"
#include "net/url.h"

#define DIAL_TIMEOUT_MS 10000
#define UPGRADE_TIMEOUT_MS 30000
#define IDLE_MS (4 * 3600 * 1000)

/* --- the relay --- */

#define RELAY_BYTES 32768
#define RELAY_POLL_MS 1000
#define LINGER_MS 3000

/* One direction: what was read and is not yet written. */
struct half {
	struct stream *from;
	struct stream *to;
	char *buf;
	size_t used, done;
	short wants;   /* what the next step waits for; 0: may go on at once */
	bool wants_to; /* of the side written to */
};

/* Moves what can be moved; false at the end of either side. */
static bool half_step(struct half *h)
{
	h->wants = 0;
	for (;;) {
		if (h->done == h->used) {
			ssize_t n = stream_try_read(h->from, h->buf, RELAY_BYTES, &h->wants);
			h->wants_to = false;
			if (n == 0)
				return false;
			if (n < 0)
				return errno == EAGAIN;
			h->used = (size_t)n;
			h->done = 0;
		}
		ssize_t n = stream_try_write(h->to, h->buf + h->done, h->used - h->done, &h->wants);
		h->wants_to = true;
		if (n < 0)
			return errno == EAGAIN;
		h->done += (size_t)n;
	}
}

static void add_poll(struct pollfd *fds, const struct half *h, int from, int to)
{
	fds[h->wants_to ? to : from].events |= h->wants;
}

struct relay {
	struct half halves[2]; /* from the client, from the runtime */
	bool over[2];
	int64_t moved_ms;
};

/* Takes both directions as far as they go; returns whether anything is left to wait for. */
static bool relay_step(struct relay *r)
{
	for (int i = 0; i < 2; i++) {
		if (r->over[i] || half_step(&r->halves[i]))
			continue;
		r->over[i] = true;
		if (i == 1) {
			/* All that the runtime said is on its way: the client ends when it has heard it. */
			stream_shutdown_write(r->halves[1].to);
		} else if (!r->over[1]) {
			stream_shutdown_write(r->halves[0].to);
		}
	}
	return !(r->over[0] && r->over[1]);
}

/*
 * Until both sides have ended, nothing moves for idle_ms, or the kubelet stops. When one has ended the other is given a
 * moment to finish what is under way; the protocol on top has said by its own means that one direction is over.
 */
static void relay(struct stream *client, struct stream *runtime, int64_t idle_ms, const struct kubelet *k)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new_sized(2 * RELAY_BYTES + 256);
	struct relay r = {.halves = {{.from = client, .to = runtime, .buf = arena_alloc(arena, RELAY_BYTES)},
				  {.from = runtime, .to = client, .buf = arena_alloc(arena, RELAY_BYTES)}}};
	r.moved_ms = clock_mono_ms(k->clock);
	io_set_nonblocking(stream_fd(client), true);
	io_set_nonblocking(stream_fd(runtime), true);
	while (!*k->stopping && relay_step(&r)) {
		struct pollfd fds[] = {{.fd = stream_fd(client)}, {.fd = stream_fd(runtime)}};
		if (!r.over[0])
			add_poll(fds, &r.halves[0], 0, 1);
		if (!r.over[1])
			add_poll(fds, &r.halves[1], 1, 0);
		/* A side that nothing is wanted of would wake poll for ever once it has hung up. */
		for (int i = 0; i < 2; i++)
			if (!fds[i].events)
				fds[i].fd = -1;
		int64_t now = clock_mono_ms(k->clock);
		if (poll(fds, 2, RELAY_POLL_MS) > 0)
			r.moved_ms = now;
		int64_t patience = r.over[0] || r.over[1] ? LINGER_MS : idle_ms;
		if (now - r.moved_ms > patience)
			return;
	}
}

/* Headers that belong to one hop, or speak of who asks, are not passed on. */
static bool passes(const char *name)
{
	static const char *const own[] = {"Host", "Content-Length", "Transfer-Encoding", "Authorization", "Connection",
		"Upgrade", "X-Forwarded-For", "X-Forwarded-Uri", "X-Forwarded-Host", "X-Forwarded-Proto", "Keep-Alive",
		NULL};
	for (size_t i = 0; own[i]; i++)
		if (str_eq_nocase(name, own[i]))
			return false;
	return true;
}

static void add_header(struct arena *arena, struct http_header **list, size_t *n, const char *name, const char *value)
{
	struct http_header h = {arena_strdup(arena, name), arena_strdup(arena, value)};
	ARENA_PUSH(arena, *list, *n) = h;
}

/* Opens the runtime's side; on a refusal its answer has been passed on and *ret is NULL. */
static struct status *open_runtime(struct http_request *request, const char *url_text, const char *protocol,
	struct stream **ret, struct http_head *ret_head)
{
	struct arena *arena = request->arena;
	struct url url;
	CLEANUP(stream_freep) struct stream *s = NULL;
	TRY(url_parse(arena, url_text, &url));
	TRY(stream_dial(url.host, url.port, NULL, DIAL_TIMEOUT_MS, &s));
	struct http_header *headers = NULL;
	size_t n = 0;
	for (size_t i = 0; i < request->n_headers; i++)
		if (passes(request->headers[i].name))
			add_header(arena, &headers, &n, request->headers[i].name, request->headers[i].value);
	add_header(arena, &headers, &n, "Connection", "Upgrade");
	add_header(arena, &headers, &n, "Upgrade", protocol);
	char *target = str_empty(url.query) ? arena_strdup(arena, str_or(url.path, "/"))
					    : arena_printf(arena, "%s?%s", str_or(url.path, "/"), url.query);
	char *body;
	size_t body_size;
	*ret = NULL;
	TRY(http_upgrade(s, arena, request->method, target, arena_printf(arena, "%s:%u", url.host, url.port), headers,
		n, UPGRADE_TIMEOUT_MS, ret_head, &body, &body_size));
	if (ret_head->code != 101) {
		http_respond(request, ret_head->code, NULL, body, body_size);
		return NULL;
	}
	*ret = STEAL(s);
	return NULL;
}

static void tunnel(struct http_request *request, const char *url)
{
	struct server_context *c = request->data;
	const char *protocol = http_request_header(request, "Upgrade");
	if (str_empty(protocol)) {
		http_respondf(request, 400, "Upgrade request required");
		return;
	}
	struct stream *runtime, *client;
	struct http_head head;
	struct status *s = open_runtime(request, url, protocol, &runtime, &head);
	if (s || !runtime) {
		if (s)
			http_respond_status(request, s);
		return;
	}
	struct http_header *headers = NULL;
	size_t n = 0;
	const char *chosen = http_header_get(head.headers, head.n_headers, "X-Stream-Protocol-Version");
	const char *accept = http_header_get(head.headers, head.n_headers, "Sec-WebSocket-Accept");
	const char *sub = http_header_get(head.headers, head.n_headers, "Sec-WebSocket-Protocol");
	if (chosen)
		add_header(request->arena, &headers, &n, "X-Stream-Protocol-Version", chosen);
	if (accept)
		add_header(request->arena, &headers, &n, "Sec-WebSocket-Accept", accept);
	if (sub)
		add_header(request->arena, &headers, &n, "Sec-WebSocket-Protocol", sub);
	s = http_upgrade_request(request, protocol, headers, n, &client);
	if (s) {
		log_status(s, "upgrade of %s", request->path);
		stream_free(runtime);
		return;
	}
	/* The connection lives as long as the handler does. */
	const MetaV1Duration *idle = c->k->settings->config->streaming_connection_idle_timeout;
	relay(client, runtime, idle && idle->duration ? idle->duration / 1000000 : IDLE_MS, c->k);
	stream_free(client);
	stream_free(runtime);
}

static void refuse(struct http_request *request, struct status *s)
{
	if (status_is(s, STATUS_NOT_FOUND))
		http_respondf(request, 404, "%s\n", s->message);
	else
		http_respondf(request, 500, "%s\n", s->message);
	status_free(s);
}

/* The running instance of the container that is asked for; NULL after the refusal was answered. */
static char *running_container(struct http_request *request, struct kubelet *k)
{
	const char *name = http_capture(request, "container");
	CLEANUP(pod_unrefp) struct pod *pod = server_find_pod(request);
	if (!pod)
		return NULL;
	CLEANUP(pod_status_unrefp) struct pod_status *status = NULL;
	struct status *s = runtime_pod_status(k->cri, pod->uid, pod->name, pod->namespace, &status);
	if (s) {
		refuse(request, s);
		return NULL;
	}
	for (size_t i = 0; i < status->n_containers; i++)
		if (str_eq(status->containers[i].name, name) && status->containers[i].state == CONTAINER_RUNNING)
			return arena_strdup(request->arena, status->containers[i].id);
	http_respondf(request, 404, "container not found (\"%s\")\n", name);
	return NULL;
}

void serve_exec(struct http_request *request)
{
	struct server_context *c = request->data;
	CriExecRequest *ask = RPC_NEW(request->arena, CriExecRequest);
	ask->container_id = running_container(request, c->k);
	if (!ask->container_id)
		return;
	for (size_t i = 0; i < request->n_query; i++)
		if (str_eq(request->query[i].key, "command"))
			ARENA_PUSH(request->arena, ask->cmd, ask->n_cmd) =
				arena_strdup(request->arena, request->query[i].value);
	ask->tty = http_query_bool(request, "tty");
	ask->stdin = http_query_bool(request, "input");
	ask->stdout = http_query_bool(request, "output");
	ask->stderr = http_query_bool(request, "error") && !ask->tty;
	if (!ask->stdin && !ask->stdout && !ask->stderr) {
		http_respondf(request, 400, "you must specify at least 1 of stdin, stdout, stderr");
		return;
	}
	CriExecResponse *answer;
	struct status *s = cri_call(c->k->cri, "Exec", ask, request->arena, &answer);
	if (s)
		refuse(request, s);
	else
		tunnel(request, answer->url);
}

void serve_attach(struct http_request *request)
{
	struct server_context *c = request->data;
	CriAttachRequest *ask = RPC_NEW(request->arena, CriAttachRequest);
	ask->container_id = running_container(request, c->k);
	if (!ask->container_id)
		return;
	ask->tty = http_query_bool(request, "tty");
	ask->stdin = http_query_bool(request, "input");
	ask->stdout = http_query_bool(request, "output");
	ask->stderr = http_query_bool(request, "error") && !ask->tty;
	CriAttachResponse *answer;
	struct status *s = cri_call(c->k->cri, "Attach", ask, request->arena, &answer);
	if (s)
		refuse(request, s);
	else
		tunnel(request, answer->url);
}

void serve_port_forward(struct http_request *request)
{
	struct server_context *c = request->data;
	CLEANUP(pod_unrefp) struct pod *pod = server_find_pod(request);
	if (!pod)
		return;
	CLEANUP(pod_status_unrefp) struct pod_status *status = NULL;
	struct status *s = runtime_pod_status(c->k->cri, pod->uid, pod->name, pod->namespace, &status);
	if (s) {
		refuse(request, s);
		return;
	}
	if (!status->active_sandbox) {
		http_respondf(request, 404, "pod %s is not running\n", pod->ref);
		return;
	}
	CriPortForwardRequest *ask = RPC_NEW(request->arena, CriPortForwardRequest);
	CriPortForwardResponse *answer;
	ask->pod_sandbox_id = arena_strdup(request->arena, status->active_sandbox);
	s = cri_call(c->k->cri, "PortForward", ask, request->arena, &answer);
	if (s)
		refuse(request, s);
	else
		tunnel(request, answer->url);
}

void serve_run(struct http_request *request)
{
	struct server_context *c = request->data;
	char *id = running_container(request, c->k),
	     *command = arena_strdup(request->arena, http_query(request, "cmd"));
	if (!id)
		return;
	char **words;
	size_t n = str_split(request->arena, str_or_empty(command), ' ', &words);
	char *output;
	int32_t code;
	struct status *s = cri_exec_sync(c->k->cri, id, words, n, 0, NULL, request->arena, &output, &code);
	if (s)
		refuse(request, s);
	else
		http_respond(request, 200, NULL, output, strlen(output));
}
