#include <pthread.h>
#include <time.h>
#include "api/json.h"
#include "api/meta.h"
#include "api/yaml.h"
#include "apiserver/admission/plugins.h"
#include "base/encode.h"
#include "base/mem.h"
#include "base/recent.h"
#include "base/str.h"
#include "client/client.h"
#include "client/kubeconfig.h"

/* Another server says which images may be run: it is asked of the pods' as they are made and changed. */

#define OWN_ANNOTATIONS ".image-policy.k8s.io/"
#define MAX_REMEMBERED 1024
#define PATIENCE_MS 30000
#define MAX_TRIES 5
#define SECOND_NS INT64_C(1000000000)
#define MILLISECOND_NS INT64_C(1000000)

struct judge {
	const struct clock *clock;
	struct client *client;
	const char *path;
	int64_t allow_ns, deny_ns, retry_ns;
	bool allows_unasked; /* where it does not answer */
	pthread_mutex_t lock;
	struct recent *verdicts; /* by what was asked */
};

struct verdict {
	int64_t until_ns;
	bool allowed;
	char reason[];
};

/* --- what the configuration says --- */

/* -1: none, 0: the usual one; else a number of units. */
static struct status *settle(int64_t *value, int64_t unit, int64_t least, int64_t most, int64_t usual)
{
	char low[40], high[40], got[40];
	if (*value == -1 || *value == 0) {
		*value = *value ? 0 : usual;
		return NULL;
	}
	if (__builtin_mul_overflow(*value, unit, value))
		*value = INT64_MAX;
	if (*value >= least && *value <= most)
		return NULL;
	return status_bad_request("valid value is between %s and %s, got %s", duration_format(least, low),
		duration_format(most, high), duration_format(*value, got));
}

static struct status *settle_times(struct judge *j, const ImagepolicyV1alpha1ImagePolicyWebhookConfig *config)
{
	j->retry_ns = config->retry_backoff;
	j->allow_ns = config->allow_ttl;
	j->deny_ns = config->deny_ttl;
	TRY(settle(&j->retry_ns, MILLISECOND_NS, 1, 300 * SECOND_NS, SECOND_NS / 2));
	TRY(settle(&j->allow_ns, SECOND_NS, SECOND_NS, 1800 * SECOND_NS, 300 * SECOND_NS));
	return settle(&j->deny_ns, SECOND_NS, SECOND_NS, 1800 * SECOND_NS, 30 * SECOND_NS);
}

static struct status *connect_to(struct judge *j, struct arena *arena, const char *kubeconfig)
{
	const struct kubeconfig_overrides overrides = {.path = kubeconfig, .no_in_cluster = true};
	struct client_config config;
	TRY(kubeconfig_load(arena, &overrides, &config, NULL));
	config.timeout_ms = PATIENCE_MS;
	config.qps = -1;
	config.json = true;
	/* The review is sent to the very address of the server. */
	const char *rest = strstr(config.host, "://");
	j->path = strchr(rest ? rest + 3 : config.host, '/') ? "" : "/";
	return client_new(&config, j->clock, &j->client);
}

static void stop(void *own)
{
	struct judge *j = own;
	client_free(j->client);
	recent_free(j->verdicts);
	pthread_mutex_destroy(&j->lock);
	free(j);
}

static struct status *start(struct admission_context *context, const struct admission_start *start)
{
	static const ImagepolicyV1alpha1ImagePolicyWebhookConfig none;
	const struct json_options options = {.no_place = true};
	ImagepolicyV1alpha1AdmissionConfig *config;
	if (!start->config)
		return status_bad_request("no config specified");
	TRY(yaml_decode(start->arena, &ImagepolicyV1alpha1AdmissionConfig_schema, start->config, start->config_size,
		&options, &config));
	const ImagepolicyV1alpha1ImagePolicyWebhookConfig *told = config->image_policy ? config->image_policy : &none;
	struct judge *j = mem_zalloc(sizeof(*j));
	j->clock = context->clock;
	j->allows_unasked = told->default_allow;
	j->verdicts = recent_new(MAX_REMEMBERED, free);
	pthread_mutex_init(&j->lock, NULL);
	struct status *wrong = settle_times(j, told);
	if (!wrong)
		wrong = connect_to(j, start->arena, str_or_empty(told->kube_config_file));
	if (wrong) {
		stop(j);
		return wrong;
	}
	context->own = j;
	return NULL;
}

/* --- verdicts --- */

static bool recall(struct judge *j, struct arena *arena, const char *asked, bool *ret_allowed, const char **ret_reason)
{
	pthread_mutex_lock(&j->lock);
	const struct verdict *v = recent_get(j->verdicts, asked);
	const bool valid = v && clock_mono_ns(j->clock) < v->until_ns;
	if (valid) {
		*ret_allowed = v->allowed;
		*ret_reason = arena_strdup(arena, v->reason);
	}
	pthread_mutex_unlock(&j->lock);
	return valid;
}

static void remember(struct judge *j, const char *asked, bool allowed, const char *reason)
{
	const int64_t time_ns = allowed ? j->allow_ns : j->deny_ns;
	const size_t size = strlen(reason) + 1;
	if (!time_ns)
		return;
	struct verdict *v = mem_alloc(sizeof(*v) + size);
	v->until_ns = clock_mono_ns(j->clock) + time_ns;
	v->allowed = allowed;
	memcpy(v->reason, reason, size);
	pthread_mutex_lock(&j->lock);
	recent_put(j->verdicts, asked, v);
	pthread_mutex_unlock(&j->lock);
}

/* Whether the other side may answer better a moment later. */
static bool is_passing(const struct status *s)
{
	return status_is(s, STATUS_INTERNAL) || status_is(s, STATUS_TIMEOUT) || status_is(s, STATUS_SERVER_TIMEOUT) ||
	       status_is(s, STATUS_TOO_MANY_REQUESTS) || s->retry_after_seconds || strstr(s->message, "reset by peer");
}

static void sleep_ns(int64_t ns)
{
	nanosleep(&(const struct timespec){.tv_sec = ns / SECOND_NS, .tv_nsec = ns % SECOND_NS}, NULL);
}

static struct status *ask(
	struct judge *j, struct arena *arena, const void *review, ImagepolicyV1alpha1ImageReview **ret_review)
{
	const struct json_options options = {.no_place = true};
	const char *body = json_to_string(arena, review, JSON_NEWLINE);
	const struct client_request request = {
		.method = "POST", .path = j->path, .query = "timeout=30s", .body = body, .body_size = strlen(body)};
	struct client_response response;
	int64_t wait_ns = j->retry_ns;
	for (int tries = 1;; tries++) {
		struct status *failed = client_do(j->client, arena, &request, &response);
		if (!failed)
			break;
		if (tries == MAX_TRIES || !is_passing(failed))
			return failed;
		status_drop(failed, "it is asked again");
		sleep_ns(wait_ns + wait_ns / 5 * random_below(1024) / 1024);
		wait_ns += wait_ns / 2;
	}
	return json_decode(
		arena, &ImagepolicyV1alpha1ImageReview_schema, response.body, response.body_size, &options, ret_review);
}

/* --- the plugin --- */

static void add_image(struct arena *arena, ImagepolicyV1alpha1ImageReviewSpec *spec, char *image)
{
	ImagepolicyV1alpha1ImageReviewContainerSpec *c = API_NEW(arena, ImagepolicyV1alpha1ImageReviewContainerSpec);
	c->image = image;
	ARENA_PUSH(arena, spec->containers, spec->n_containers) = c;
}

static ImagepolicyV1alpha1ImageReview *review_of(const struct admission_attributes *a, const CoreV1Pod *pod)
{
	ImagepolicyV1alpha1ImageReview *review = API_NEW(a->arena, ImagepolicyV1alpha1ImageReview);
	ImagepolicyV1alpha1ImageReviewSpec *spec = API_NEW(a->arena, ImagepolicyV1alpha1ImageReviewSpec);
	const bool whole = str_empty(a->subresource);
	review->spec = spec;
	spec->namespace = arena_strdup(a->arena, a->namespace);
	for (size_t i = 0; whole && i < pod->spec->n_containers; i++)
		add_image(a->arena, spec, pod->spec->containers[i]->image);
	for (size_t i = 0; whole && i < pod->spec->n_init_containers; i++)
		add_image(a->arena, spec, pod->spec->init_containers[i]->image);
	for (size_t i = 0; !whole && i < pod->spec->n_ephemeral_containers; i++)
		if (pod->spec->ephemeral_containers[i]->ephemeral_container_common)
			add_image(
				a->arena, spec, pod->spec->ephemeral_containers[i]->ephemeral_container_common->image);
	for (size_t i = 0; pod->metadata && i < pod->metadata->n_annotations; i++) {
		const MapStringEntry *entry = pod->metadata->annotations[i];
		if (strstr(entry->key, OWN_ANNOTATIONS))
			map_set(a->arena, &spec->annotations, &spec->n_annotations, entry->key, entry->value);
	}
	return review;
}

/* Nobody can be asked. */
static struct status *unasked(const struct judge *j, const struct admission_attributes *a, struct status *failed)
{
	const char *why = arena_strdup(a->arena, failed->message);
	status_drop(failed, "told of the pod, or let by");
	return j->allows_unasked ? NULL : admission_forbidden(a, "%s", why);
}

static struct status *validate(const struct admission_context *context, const struct admission_attributes *a)
{
	struct judge *j = context->own;
	bool allowed = false;
	const char *reason = "";
	if (!(admission_is(a, "", "pods", "") || admission_is(a, "", "pods", "ephemeralcontainers")) ||
		!API_IS(a->object, CoreV1Pod) || !((const CoreV1Pod *)a->object)->spec)
		return NULL;
	ImagepolicyV1alpha1ImageReview *review = review_of(a, (const CoreV1Pod *)a->object);
	const char *asked = json_to_string(a->arena, review->spec, 0);
	if (!recall(j, a->arena, asked, &allowed, &reason)) {
		ImagepolicyV1alpha1ImageReview *answer;
		struct status *failed = ask(j, a->arena, review, &answer);
		if (failed)
			return unasked(j, a, failed);
		allowed = answer->status && answer->status->allowed;
		reason = answer->status ? str_or_empty(answer->status->reason) : "";
		remember(j, asked, allowed, reason);
	}
	if (allowed)
		return NULL;
	return *reason ? admission_forbidden(a, "image policy webhook backend denied one or more images: %s", reason)
		       : admission_forbidden(a, "one or more images rejected by webhook backend");
}

const struct admission_plugin image_policy_plugin = {
	.name = "ImagePolicyWebhook",
	.operations = ON_CREATE | ON_UPDATE,
	.validate = validate,
	.start = start,
	.stop = stop,
};
