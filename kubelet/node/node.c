#include "kubelet/node/node.h"

#include <pthread.h>
#include "api/copy.h"
#include "api/meta.h"
#include "base/cond.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/workers.h"
#include "kubelet/eviction/eviction.h"
#include "kubelet/node/lease.h"
#include "kubelet/node/status.h"
#include "kubelet/pod/pleg.h"

#define RUNTIME_CHECK_MS 5000
#define EAGER_CHECK_MS 200
#define MAX_IMAGES 50

struct node {
	struct kubelet *k;
	struct arena *arena;
	struct machine machine;
	char *ip;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool changed;
	bool stopping;
	bool started;
	/* The status thread's own. */
	bool registered;
	bool ready;
	char *runtime_error; /* why the runtime or the network is not ready; NULL: both are */
	int64_t reported_ms;
	pthread_t status_thread, lease_thread;
};

struct node *node_new(struct kubelet *k)
{
	struct node *n = mem_zalloc(sizeof(*n));
	n->k = k;
	n->arena = arena_new();
	pthread_mutex_init(&n->lock, NULL);
	cond_init(&n->wake);
	machine_read(n->arena, &n->machine);
	const char *given = k->settings->node_ip;
	if (!str_empty(given)) {
		n->ip = arena_strndup(n->arena, given, strcspn(given, ","));
	} else {
		n->ip = machine_address(n->arena, k->settings->hostname);
	}
	return n;
}

const char *node_ip(const struct node *n)
{
	return n->ip;
}

int64_t node_memory_capacity(const struct node *n)
{
	return n->machine.memory_bytes;
}

int64_t node_allocatable(const struct node *n, const char *resource, bool milli)
{
	struct node_facts f = {.settings = n->k->settings, .machine = &n->machine};
	disk_read(n->k->settings->root_dir, &f.disk);
	return node_allocatable_of(&f, resource, milli);
}

int64_t node_unreserved(const struct node *n, const char *resource, bool milli)
{
	struct node_facts f = {.settings = n->k->settings, .machine = &n->machine};
	disk_read(n->k->settings->root_dir, &f.disk);
	return node_unreserved_of(&f, resource, milli);
}

/* --- health --- */

/* Asks the runtime how it is, and tells the rest of the kubelet. */
static void check_runtime(struct node *n)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CriStatusRequest *request = RPC_NEW(arena, CriStatusRequest);
	CriStatusResponse *response;
	struct status *s = cri_runtime_name(n->k->cri)[0] ? NULL : cri_connect(n->k->cri);
	if (!s)
		s = cri_call_for(n->k->cri, "Status", request, 10000, arena, &response);
	bool runtime = !s, network = !s;
	CLEANUP(strbuf_done) struct strbuf why = STRBUF_INIT;
	if (s)
		strbuf_printf(&why, "container runtime is down: %s", s->message);
	for (size_t i = 0; !s && response->status && i < response->status->n_conditions; i++) {
		const CriRuntimeCondition *c = response->status->conditions[i];
		if (c->status)
			continue;
		bool is_network = str_eq(c->type, "NetworkReady");
		*(is_network ? &network : &runtime) = false;
		strbuf_printf(&why, "%scontainer runtime %s not ready: %s=false reason:%s message:%s",
			why.len ? ", " : "", is_network ? "network" : "status", c->type, c->reason, c->message);
	}
	status_free(s);
	struct status *pleg = runtime ? pleg_healthy(n->k->pleg) : NULL;
	if (pleg)
		strbuf_printf(&why, "%sPLEG is not healthy: %s", why.len ? ", " : "", pleg->message);
	status_free(pleg);
	n->k->runtime_ready = runtime;
	n->k->network_ready = network;
	/* A node that is only coming up is not in trouble yet. */
	if (why.len && !str_eq(n->runtime_error, why.buf) && (n->ready || !runtime))
		log_error("%s", why.buf);
	free(n->runtime_error);
	n->runtime_error = why.len ? mem_strdup(why.buf) : NULL;
}

void node_event(struct node *n, const char *type, const char *reason, const char *format, ...)
{
	if (!n->k->recorder)
		return;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CoreV1ObjectReference *ref = API_NEW(arena, CoreV1ObjectReference);
	va_list args;
	va_start(args, format);
	char *message = arena_vprintf(arena, format, args);
	va_end(args);
	ref->kind = arena_strdup(arena, "Node");
	ref->name = arena_strdup(arena, n->k->settings->node_name);
	ref->uid = ref->name;
	event_record_ref(n->k->recorder, ref, type, reason, "%s", message);
}

/* --- status --- */

static int biggest_first(const void *a, const void *b)
{
	const CoreV1ContainerImage *x = *(CoreV1ContainerImage *const *)a, *y = *(CoreV1ContainerImage *const *)b;
	return (x->size_bytes < y->size_bytes) - (x->size_bytes > y->size_bytes);
}

static void add_images(struct node *n, struct arena *arena, struct node_facts *f)
{
	CriListImagesRequest *request = RPC_NEW(arena, CriListImagesRequest);
	CriListImagesResponse *response;
	struct status *s = cri_image_call(n->k->cri, "ListImages", request, 10000, arena, &response);
	if (s) {
		log_status(s, "list images");
		return;
	}
	for (size_t i = 0; i < response->n_images; i++) {
		const CriImage *image = response->images[i];
		CoreV1ContainerImage *out = API_NEW(arena, CoreV1ContainerImage);
		for (size_t j = 0; j < image->n_repo_digests; j++)
			ARENA_PUSH(arena, out->names, out->n_names) = image->repo_digests[j];
		for (size_t j = 0; j < image->n_repo_tags; j++)
			ARENA_PUSH(arena, out->names, out->n_names) = image->repo_tags[j];
		out->size_bytes = (int64_t)image->size;
		if (out->n_names)
			ARENA_PUSH(arena, f->images, f->n_images) = out;
	}
	if (f->n_images)
		qsort(f->images, f->n_images, sizeof(f->images[0]), biggest_first);
	if (f->n_images > MAX_IMAGES)
		f->n_images = MAX_IMAGES;
}

static void gather(struct node *n, struct arena *arena, struct node_facts *f)
{
	*f = (struct node_facts){
		.settings = n->k->settings,
		.machine = &n->machine,
		.ip = n->ip,
		.now_s = clock_wall_s(n->k->clock),
		.port = (uint16_t)n->k->settings->port,
	};
	f->runtime_version = arena_printf(arena, "%s://%s", str_or(cri_runtime_name(n->k->cri), "unknown"),
		runtime_version_shown(arena, cri_runtime_version(n->k->cri)));
	disk_read(n->k->settings->root_dir, &f->disk);
	eviction_pressure(
		n->k->evictions, &f->health.memory_pressure, &f->health.disk_pressure, &f->health.pid_pressure);
	f->health.not_ready = n->runtime_error;
	if (n->k->runtime_ready)
		add_images(n, arena, f);
}

/* Makes the Node, or brings an existing one into line. */
static struct status *register_node(struct node *n, struct arena *arena, const struct node_facts *f)
{
	struct client *client = n->k->client;
	CoreV1Node *node = node_object(arena, f), *existing;
	node_fill_status(arena, node, f);
	struct status *s = n->k->settings->register_node ? client_create(client, arena, node, NULL)
							 : status_new(STATUS_ALREADY_EXISTS, "not to be registered");
	if (!s) {
		log_info("node %s registered", n->k->settings->node_name);
		n->registered = true;
		return NULL;
	}
	if (!status_is(s, STATUS_ALREADY_EXISTS))
		return status_wrap(s, "register node %s", n->k->settings->node_name);
	status_drop(s, "it is there already");
	TRY(client_get(client, arena, &CoreV1Node_schema, NULL, n->k->settings->node_name, &existing));
	CoreV1Node *wanted = api_copy(arena, existing);
	if (node_fix_labels(arena, wanted, f))
		TRY(client_patch_diff(client, arena, existing, wanted, NULL, false, NULL));
	log_info("node %s was registered before", n->k->settings->node_name);
	n->registered = true;
	return NULL;
}

static struct status *report(struct node *n, struct arena *arena, const struct node_facts *f)
{
	CoreV1Node *node;
	const char *name = n->k->settings->node_name;
	const CoreV1Node *known = informer_get(n->k->nodes, arena, NULL, name);
	if (known)
		node = api_copy_msg(arena, known);
	else
		TRY(client_get(n->k->client, arena, &CoreV1Node_schema, NULL, name, &node));
	CoreV1Node *wanted = api_copy(arena, node);
	node_fill_status(arena, wanted, f);
	int64_t now = clock_mono_ms(n->k->clock);
	bool due = now - n->reported_ms >= n->k->settings->status_report_ms;
	if (!due && node_status_equal(node->status, wanted->status))
		return NULL;
	struct status *s = client_patch_diff(n->k->client, arena, node, wanted, "status", false, NULL);
	if (status_is(s, STATUS_NOT_FOUND))
		n->registered = false;
	if (s)
		return status_wrap(s, "status of node %s", name);
	n->reported_ms = now;
	return NULL;
}

/* One round; returns whether the apiserver knows how things are. */
static bool round_of_status(struct node *n)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	check_runtime(n);
	if (!n->k->client)
		return true;
	struct node_facts f;
	gather(n, arena, &f);
	struct status *s = n->registered ? NULL : register_node(n, arena, &f);
	if (!s)
		s = report(n, arena, &f);
	bool ok = !s;
	log_status(s, "node status");
	bool ready = !f.health.not_ready;
	if (ok && ready != n->ready) {
		node_event(n, EVENT_NORMAL, ready ? "NodeReady" : "NodeNotReady", "Node %s status is now: %s",
			n->k->settings->node_name, ready ? "NodeReady" : "NodeNotReady");
		n->ready = ready;
	}
	return ok && ready;
}

static void *status_thread(void *data)
{
	struct node *n = data;
	int64_t next_report = 0;
	bool settled = false;
	pthread_mutex_lock(&n->lock);
	while (!n->stopping) {
		int64_t now = clock_mono_ms(n->k->clock);
		n->changed = false;
		pthread_mutex_unlock(&n->lock);
		if (!settled || now >= next_report) {
			settled = round_of_status(n);
			next_report = now + n->k->settings->status_update_ms;
		} else {
			bool before = n->runtime_error != NULL;
			check_runtime(n);
			settled = before == (n->runtime_error != NULL);
		}
		pthread_mutex_lock(&n->lock);
		/* Eager until the node is ready for the first time, calm afterwards. */
		int64_t wait = settled || n->ready ? RUNTIME_CHECK_MS : EAGER_CHECK_MS;
		const int64_t deadline_ms = cond_deadline_ms(wait);
		while (!n->stopping && !n->changed && cond_wait_until(&n->wake, &n->lock, deadline_ms))
			;
		if (n->changed)
			settled = false;
	}
	pthread_mutex_unlock(&n->lock);
	return NULL;
}

static void *lease_thread(void *data)
{
	struct node *n = data;
	struct lease_state lease = {0};
	pthread_mutex_lock(&n->lock);
	while (!n->stopping) {
		pthread_mutex_unlock(&n->lock);
		struct status *s = lease_renew(n->k, &lease);
		int64_t wait = s ? 1000 : n->k->settings->lease_duration_s * 250;
		log_status(s, "node lease");
		pthread_mutex_lock(&n->lock);
		const int64_t deadline_ms = cond_deadline_ms(wait);
		while (!n->stopping && cond_wait_until(&n->wake, &n->lock, deadline_ms))
			;
	}
	pthread_mutex_unlock(&n->lock);
	lease_state_done(&lease);
	return NULL;
}

void node_start(struct node *n)
{
	n->started = true;
	n->status_thread = thread_start("node-status", status_thread, n);
	if (n->k->client)
		n->lease_thread = thread_start("node-lease", lease_thread, n);
}

void node_status_changed(struct node *n)
{
	pthread_mutex_lock(&n->lock);
	n->changed = true;
	pthread_cond_broadcast(&n->wake);
	pthread_mutex_unlock(&n->lock);
}

void node_free(struct node *n)
{
	pthread_mutex_lock(&n->lock);
	n->stopping = true;
	pthread_cond_broadcast(&n->wake);
	pthread_mutex_unlock(&n->lock);
	if (n->started)
		pthread_join(n->status_thread, NULL);
	if (n->started && n->k->client)
		pthread_join(n->lease_thread, NULL);
	free(n->runtime_error);
	pthread_cond_destroy(&n->wake);
	pthread_mutex_destroy(&n->lock);
	arena_free(n->arena);
	free(n);
}
