#include <inttypes.h>
#include <pthread.h>
#include "api/tree.h"
#include "base/encode.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"
#include "kubelet/image/image.h"
#include "kubelet/objects.h"
#include "kubelet/pod/workers.h"
#include "kubelet/runtime/restart_backoff.h"

#define BACKOFF_INITIAL_MS 10000
#define GRPC_UNKNOWN 2
#define BACKOFF_MAX_MS 300000

struct image_puller {
	struct kubelet *k;
	struct restart_backoff *backoff;
	pthread_mutex_t lock; /* guards what follows */
	bool pulling;	      /* somebody has the turn, when pulls are serialized */
	pthread_cond_t turn;
	struct strmap *last_errors; /* uid_image → what the last pull said */
};

struct image_puller *image_puller_new(struct kubelet *k)
{
	struct image_puller *p = mem_zalloc(sizeof(*p));
	p->k = k;
	p->backoff = restart_backoff_new(k->clock, BACKOFF_INITIAL_MS, BACKOFF_MAX_MS);
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->turn, NULL);
	p->last_errors = strmap_new(free);
	return p;
}

void image_puller_free(struct image_puller *p)
{
	restart_backoff_free(p->backoff);
	strmap_free(p->last_errors);
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->turn);
	free(p);
}

/* NULL: the runtime does not have it. */
static struct status *find(struct kubelet *k, struct arena *arena, const char *name, CriImage **ret)
{
	CriImageStatusRequest *request = RPC_NEW(arena, CriImageStatusRequest);
	request->image = RPC_NEW(arena, CriImageSpec);
	request->image->image = arena_strdup(arena, name);
	CriImageStatusResponse *response;
	TRY(cri_image_call(k->cri, "ImageStatus", request, 0, arena, &response));
	*ret = response->image;
	return NULL;
}

struct status *image_user(
	struct kubelet *k, struct arena *arena, const char *image, bool *ret_has_uid, int64_t *ret_uid, char **ret_name)
{
	CriImage *found;
	char *name;
	TRY(image_normalize(arena, image, &name));
	TRY(find(k, arena, name, &found));
	if (!found)
		return status_internal("image %s is not there", name);
	*ret_has_uid = found->uid || str_empty(found->username);
	*ret_uid = found->uid ? found->uid->value : 0;
	*ret_name = arena_strdup(arena, found->uid ? "" : str_or_empty(found->username));
	return NULL;
}

/* user, password or auth of one entry of a docker config. */
static CriAuthConfig *auth_of(struct arena *arena, const cJSON *entry)
{
	CriAuthConfig *auth = RPC_NEW(arena, CriAuthConfig);
	const char *encoded = tree_string(tree_get(entry, "auth"));
	auth->username = arena_strdup(arena, str_or_empty(tree_string(tree_get(entry, "username"))));
	auth->password = arena_strdup(arena, str_or_empty(tree_string(tree_get(entry, "password"))));
	uint8_t *data;
	size_t size;
	if (!auth->username[0] && encoded && base64_decode(arena, encoded, strlen(encoded), &data, &size)) {
		char *text = arena_strndup(arena, (char *)data, size);
		char *colon = strchr(text, ':');
		if (colon) {
			*colon = '\0';
			auth->username = text;
			auth->password = colon + 1;
		}
	}
	return auth;
}

static CriAuthConfig *auth_in_secret(struct arena *arena, const CoreV1Secret *secret, const char *image)
{
	for (size_t i = 0; i < secret->n_data; i++) {
		const char *key = secret->data[i]->key;
		bool is_json = str_eq(key, ".dockerconfigjson");
		if (!is_json && !str_eq(key, ".dockercfg"))
			continue;
		cJSON *tree;
		const ProtobufCBinaryData *v = &secret->data[i]->value;
		struct status *s = tree_parse(arena, (const char *)v->data, v->len, NULL, &tree);
		if (s) {
			log_status(s, "secret %s", secret->metadata->name);
			continue;
		}
		TREE_FOREACH (entry, is_json ? tree_get(tree, "auths") : tree)
			if (image_matches_credentials(entry->string, image))
				return auth_of(arena, entry);
	}
	return NULL;
}

/* The first credentials among the pod's pull secrets that fit the image; NULL for none. */
static CriAuthConfig *credentials(struct kubelet *k, struct arena *arena, const struct pod *pod, const char *image)
{
	const CoreV1PodSpec *spec = pod_spec(pod);
	for (size_t i = 0; i < spec->n_image_pull_secrets; i++) {
		const char *name = spec->image_pull_secrets[i]->name;
		const CoreV1Secret *secret;
		struct status *s = objects_secret(k->objects, arena, pod->namespace, name, &secret);
		if (s) {
			kubelet_pod_event(k, pod, NULL, EVENT_WARNING, "FailedToRetrieveImagePullSecret",
				"Unable to retrieve some image pull secrets (%s); attempting to pull the image may not "
				"succeed.",
				name);
			log_status(s, "pod %s: pull secret", pod->ref);
			continue;
		}
		CriAuthConfig *auth = auth_in_secret(arena, secret, image);
		if (auth)
			return auth;
	}
	return NULL;
}

static void look_at_turn(void *data)
{
	struct image_puller *p = data;
	pthread_mutex_lock(&p->lock);
	pthread_cond_broadcast(&p->turn);
	pthread_mutex_unlock(&p->lock);
}

/* Returns whether it has the turn: whoever is cancelled does not wait for it. */
static bool take_turn(struct image_puller *p, struct cancel *cancel)
{
	struct cancel_hook hook = {.fn = look_at_turn, .data = p};
	cancel_add(cancel, &hook);
	pthread_mutex_lock(&p->lock);
	while (p->pulling && !cancel_requested(cancel))
		pthread_cond_wait(&p->turn, &p->lock);
	bool taken = !p->pulling;
	p->pulling = true;
	pthread_mutex_unlock(&p->lock);
	cancel_remove(cancel, &hook);
	return taken;
}

static void give_turn(struct image_puller *p)
{
	pthread_mutex_lock(&p->lock);
	p->pulling = false;
	pthread_cond_signal(&p->turn);
	pthread_mutex_unlock(&p->lock);
}

/* *ret_ms: what the pull itself took, without the wait for others. Ends early when the pod is to end. */
static struct status *pull(struct image_puller *p, struct arena *arena, const struct pod *pod, const char *image,
	CriPodSandboxConfig *sandbox, char **ret_ref, int64_t *ret_ms)
{
	CriPullImageRequest *request = RPC_NEW(arena, CriPullImageRequest);
	request->image = RPC_NEW(arena, CriImageSpec);
	request->image->image = arena_strdup(arena, image);
	request->sandbox_config = sandbox;
	request->auth = credentials(p->k, arena, pod, image);
	const KubeletV1beta1KubeletConfiguration *config = p->k->settings->config;
	bool serialize = !config->has_serialize_image_pulls || config->serialize_image_pulls;
	CriPullImageResponse *response;
	struct cancel *cancel = pod_workers_cancel(p->k->workers, pod->uid);
	bool has_turn = serialize && take_turn(p, cancel);
	int64_t start = clock_mono_ms(p->k->clock);
	struct status *s = cri_pull_image(p->k->cri, request, cancel, arena, &response);
	*ret_ms = clock_mono_ms(p->k->clock) - start;
	if (has_turn)
		give_turn(p);
	if (!s)
		*ret_ref = response->image_ref;
	return s;
}

/* The code of an error that is of no known kind says nothing. */
static char *pull_error_text(struct arena *arena, const struct status *s)
{
	return rpc_status_code(s) == GRPC_UNKNOWN ? arena_strdup(arena, s->message) : cri_error_text(arena, s);
}

static struct status *remember_failure(
	struct image_puller *p, struct arena *arena, const char *key, const char *reason, struct status *s)
{
	char *text = pull_error_text(arena, s);
	status_free(s);
	restart_backoff_next(p->backoff, key, clock_wall_ns(p->k->clock));
	pthread_mutex_lock(&p->lock);
	strmap_put(p->last_errors, key, mem_printf("%s: %s", reason, text));
	pthread_mutex_unlock(&p->lock);
	return status_internal("%s", text);
}

static struct status *pull_with_backoff(struct image_puller *p, struct arena *arena, const struct pod *pod,
	const CoreV1Container *c, const char *image, CriPodSandboxConfig *sandbox, char **ret_ref,
	const char **ret_reason)
{
	char *key = arena_printf(arena, "%s_%s", pod->uid, image);
	if (restart_backoff_active(p->backoff, key)) {
		*ret_reason = "ImagePullBackOff";
		kubelet_pod_event(p->k, pod, c->name, EVENT_NORMAL, "BackOff", "Back-off pulling image \"%s\"", image);
		pthread_mutex_lock(&p->lock);
		char *last = arena_strdup(arena, strmap_get(p->last_errors, key));
		pthread_mutex_unlock(&p->lock);
		return status_internal(
			"Back-off pulling image \"%s\"%s%s", image, last ? ": " : "", str_or_empty(last));
	}
	kubelet_pod_event(p->k, pod, c->name, EVENT_NORMAL, "Pulling", "Pulling image \"%s\"", image);
	int64_t start = clock_mono_ms(p->k->clock);
	int64_t pull_ms;
	struct status *s = pull(p, arena, pod, image, sandbox, ret_ref, &pull_ms);
	if (s) {
		kubelet_pod_event(p->k, pod, c->name, EVENT_WARNING, "Failed", "Failed to pull image \"%s\": %s", image,
			pull_error_text(arena, s));
		*ret_reason = "ErrImagePull";
		return remember_failure(p, arena, key, *ret_reason, s);
	}
	CriImage *found = NULL;
	status_drop(find(p->k, arena, *ret_ref, &found), "only its size is wanted");
	char took[40], took_all[40];
	duration_format(pull_ms * 1000000, took);
	duration_format((clock_mono_ms(p->k->clock) - start) * 1000000, took_all);
	kubelet_pod_event(p->k, pod, c->name, EVENT_NORMAL, "Pulled",
		"Successfully pulled image \"%s\" in %s (%s including waiting). Image size: %" PRIu64 " bytes.", image,
		took, took_all, found ? found->size : 0);
	return NULL;
}

struct status *image_ensure(struct image_puller *p, struct arena *arena, const struct pod *pod,
	const CoreV1Container *c, CriPodSandboxConfig *sandbox, char **ret_ref, const char **ret_reason)
{
	char *name;
	struct status *s = image_normalize(arena, c->image, &name);
	if (s) {
		*ret_reason = "InvalidImageName";
		kubelet_pod_event(p->k, pod, c->name, EVENT_WARNING, "InspectFailed",
			"Failed to apply default image tag \"%s\": %s", c->image, s->message);
		return status_wrap(s, "Failed to apply default image tag \"%s\"", c->image);
	}
	if (str_eq(c->image_pull_policy, "Always"))
		return pull_with_backoff(p, arena, pod, c, name, sandbox, ret_ref, ret_reason);
	CriImage *found;
	s = find(p->k, arena, name, &found);
	if (s) {
		*ret_reason = "ImageInspectError";
		kubelet_pod_event(p->k, pod, c->name, EVENT_WARNING, "InspectFailed",
			"Failed to inspect image \"%s\": %s", name, s->message);
		return status_wrap(s, "Failed to inspect image \"%s\"", name);
	}
	if (found) {
		kubelet_pod_event(p->k, pod, c->name, EVENT_NORMAL, "Pulled",
			"Container image \"%s\" already present on machine", c->image);
		*ret_ref = found->id;
		return NULL;
	}
	if (str_eq(c->image_pull_policy, "Never")) {
		*ret_reason = "ErrImageNeverPull";
		s = status_internal("Container image \"%s\" is not present with pull policy of Never", c->image);
		kubelet_pod_event(p->k, pod, c->name, EVENT_WARNING, "ErrImageNeverPull", "%s", s->message);
		return s;
	}
	return pull_with_backoff(p, arena, pod, c, name, sandbox, ret_ref, ret_reason);
}
