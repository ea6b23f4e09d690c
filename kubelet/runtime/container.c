#include <errno.h>
#include <inttypes.h>
#include <unistd.h>
#include "base/io.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/str.h"
#include "kubelet/allocation/allocation.h"
#include "kubelet/image/image.h"
#include "kubelet/runtime/env.h"
#include "kubelet/runtime/runtime.h"

#define HOOK_NO_TIMEOUT_MS (3600 * 1000)

static struct sync_result failed(const CoreV1Container *c, const char *reason, const char *message)
{
	return (struct sync_result){c->name, reason, message};
}

/* Reports a failure as an event and as the container's waiting state. Takes the status. */
static struct sync_result fail_with(struct kubelet *k, struct arena *arena, const struct pod *pod,
	const CoreV1Container *c, const char *reason, struct status *s)
{
	char *message = arena_strdup(arena, s->message);
	status_free(s);
	kubelet_pod_event(k, pod, c->name, EVENT_WARNING, "Failed", "Error: %s", message);
	return failed(c, reason, message);
}

static void add_metadata(struct arena *arena, const struct pod *pod, const CoreV1Container *c, int32_t restart_count,
	CriContainerConfig *config)
{
	config->metadata = RPC_NEW(arena, CriContainerMetadata);
	config->metadata->name = c->name;
	config->metadata->attempt = (uint32_t)restart_count;
	struct name_values labels = container_labels(arena, pod, c);
	for (size_t i = 0; i < labels.n_items; i++) {
		CriContainerConfigLabelsEntry *e = RPC_NEW(arena, CriContainerConfigLabelsEntry);
		e->key = labels.items[i].name;
		e->value = labels.items[i].value;
		ARENA_PUSH(arena, config->labels, config->n_labels) = e;
	}
	struct name_values annotations = container_annotations(arena, pod, c, restart_count);
	for (size_t i = 0; i < annotations.n_items; i++) {
		CriContainerConfigAnnotationsEntry *e = RPC_NEW(arena, CriContainerConfigAnnotationsEntry);
		e->key = annotations.items[i].name;
		e->value = annotations.items[i].value;
		ARENA_PUSH(arena, config->annotations, config->n_annotations) = e;
	}
}

static void add_command(
	struct arena *arena, const CoreV1Container *c, const struct name_values *env, CriContainerConfig *config)
{
	config->command = env_expand_list(arena, c->command, c->n_command, env);
	config->n_command = c->n_command;
	config->args = env_expand_list(arena, c->args, c->n_args, env);
	config->n_args = c->n_args;
	config->working_dir = arena_strdup(arena, c->working_dir);
	config->stdin = c->stdin;
	config->stdin_once = c->stdin_once;
	config->tty = c->tty;
	for (size_t i = 0; i < env->n_items; i++) {
		CriKeyValue *kv = RPC_NEW(arena, CriKeyValue);
		kv->key = env->items[i].name;
		kv->value = env->items[i].value;
		ARENA_PUSH(arena, config->envs, config->n_envs) = kv;
	}
}

static struct status *add_linux(struct kubelet *k, struct arena *arena, const struct pod *pod,
	const struct container_start *start, CriContainerConfig *config)
{
	const CoreV1Container *c = start->container;
	bool has_uid;
	int64_t uid;
	char *user;
	TRY(image_user(k, arena, c->image, &has_uid, &uid, &user));
	config->linux = RPC_NEW(arena, CriLinuxContainerConfig);
	TRY(container_security(k, arena, pod, c, has_uid, uid, user, &config->linux->security_context));
	config->linux->resources = container_resources(k, arena, pod, c);
	CriNamespaceOption *ns = config->linux->security_context->namespace_options;
	if (start->target_id && ns->pid == CRI_NAMESPACE_MODE_CONTAINER) {
		ns->pid = CRI_NAMESPACE_MODE_TARGET;
		ns->target_id = arena_strdup(arena, start->target_id);
	}
	return NULL;
}

static struct status *make_config(struct kubelet *k, struct arena *arena, const struct pod *pod,
	const struct container_start *start, const char *image_ref, int32_t restart_count, CriContainerConfig **ret)
{
	const CoreV1Container *c = start->container;
	CriContainerConfig *config = RPC_NEW(arena, CriContainerConfig);
	struct name_values env;
	TRY(env_make(k, arena, pod, c, start->pod_ips, start->n_pod_ips, &env));
	TRY(container_mounts(
		k, arena, pod, c, &env, start->pod_ips, start->n_pod_ips, &config->mounts, &config->n_mounts));
	TRY(add_linux(k, arena, pod, start, config));
	TRY(io_mkdirs(arena_printf(arena, "%s/%s", start->sandbox->log_directory, c->name), 0755));
	add_metadata(arena, pod, c, restart_count, config);
	add_command(arena, c, &env, config);
	config->image = RPC_NEW(arena, CriImageSpec);
	config->image->image = arena_strdup(arena, image_ref);
	config->image->user_specified_image = c->image;
	config->log_path = container_log_path(arena, c->name, restart_count);
	*ret = config;
	return NULL;
}

/* What programs that collect logs look for under /var/log/containers. */
static void link_log(struct arena *arena, const struct pod *pod, const CoreV1Container *c, const char *id,
	const struct container_start *start, const char *log_path)
{
	char *link = legacy_log_link(arena, id, c->name, pod->name, pod->namespace);
	char *target = arena_printf(arena, "%s/%s", start->sandbox->log_directory, log_path);
	if (symlink(target, link) && errno != EEXIST && errno != ENOENT)
		log_status(status_errno(errno, "link %s", link), "container log");
}

static struct sync_result run_post_start(
	struct kubelet *k, struct arena *arena, const struct pod *pod, const CoreV1Container *c, const char *id)
{
	struct status *s = hook_run(k, pod, c, id, c->lifecycle->post_start, HOOK_NO_TIMEOUT_MS);
	if (!s)
		return (struct sync_result){c->name, NULL, NULL};
	char *message = arena_strdup(arena, s->message);
	log_status(s, "pod %s: postStart of %s", pod->ref, c->name);
	kubelet_pod_event(k, pod, c->name, EVENT_WARNING, "FailedPostStartHook", "PostStartHook failed");
	struct container_status status = {.id = id, .name = c->name, .state = CONTAINER_RUNNING};
	log_status(runtime_kill_container(k, pod, &status, "FailedPostStartHook", KILL_POST_START_FAILED, NULL),
		"pod %s: kill %s", pod->ref, c->name);
	return failed(c, "PostStartHookError", message);
}

static struct sync_result create_and_start(struct kubelet *k, struct arena *arena, const struct pod *pod,
	const struct container_start *start, CriContainerConfig *config)
{
	const CoreV1Container *c = start->container;
	CriCreateContainerRequest *create = RPC_NEW(arena, CriCreateContainerRequest);
	create->pod_sandbox_id = arena_strdup(arena, start->sandbox_id);
	create->config = config;
	create->sandbox_config = start->sandbox;
	CriCreateContainerResponse *created;
	struct status *s = cri_call(k->cri, "CreateContainer", create, arena, &created);
	fail_at("container.after-create");
	if (s)
		return fail_with(k, arena, pod, c, "CreateContainerError", s);
	kubelet_pod_event(k, pod, c->name, EVENT_NORMAL, "Created", "Created container: %s", c->name);
	CriStartContainerRequest *run = RPC_NEW(arena, CriStartContainerRequest);
	run->container_id = created->container_id;
	CriStartContainerResponse *started;
	s = cri_call(k->cri, "StartContainer", run, arena, &started);
	fail_at("container.after-start");
	if (s)
		return fail_with(k, arena, pod, c, "RunContainerError", s);
	kubelet_pod_event(k, pod, c->name, EVENT_NORMAL, "Started", "Started container %s", c->name);
	link_log(arena, pod, c, created->container_id, start, config->log_path);
	if (c->lifecycle && c->lifecycle->post_start)
		return run_post_start(k, arena, pod, c, created->container_id);
	return (struct sync_result){c->name, NULL, NULL};
}

static struct sync_result try_start(struct kubelet *k, struct arena *arena, const struct pod *pod,
	const struct pod_status *status, const struct container_start *start)
{
	const CoreV1Container *c = start->container;
	char *image_ref;
	const char *reason;
	struct status *s = image_ensure(k->images, arena, pod, c, start->sandbox, &image_ref, &reason);
	if (s) {
		kubelet_pod_event(k, pod, c->name, EVENT_WARNING, "Failed", "Error: %s", reason);
		char *message = arena_strdup(arena, s->message);
		status_free(s);
		return failed(c, reason, message);
	}
	const struct container_status *last = pod_status_find(status, c->name);
	char *log_dir = arena_printf(arena, "%s/%s", start->sandbox->log_directory, c->name);
	int32_t restart_count = last ? last->restart_count + 1 : restart_count_from_logs(log_dir);
	CriContainerConfig *config;
	s = make_config(k, arena, pod, start, image_ref, restart_count, &config);
	if (s)
		return fail_with(k, arena, pod, c, "CreateContainerConfigError", s);
	s = allocation_set_actuated(k->allocation, pod->uid, c->name, c->resources);
	if (s)
		return fail_with(k, arena, pod, c, "CreateContainerConfigError", s);
	return create_and_start(k, arena, pod, start, config);
}

/* What kind of container it is, as metrics name it. */
static const char *type_of(const struct pod *pod, const char *name)
{
	const CoreV1PodSpec *spec = pod_spec(pod);
	for (size_t i = 0; i < spec->n_init_containers; i++)
		if (str_eq(spec->init_containers[i]->name, name))
			return "init_container";
	for (size_t i = 0; i < spec->n_containers; i++)
		if (str_eq(spec->containers[i]->name, name))
			return "container";
	return "ephemeral_container";
}

struct sync_result container_start(struct kubelet *k, struct arena *arena, const struct pod *pod,
	const struct pod_status *status, const struct container_start *what)
{
	const char *type = type_of(pod, what->container->name);
	metric_add(k->figures.container_starts, 1, type);
	struct sync_result result = try_start(k, arena, pod, status, what);
	if (result.reason)
		metric_add(k->figures.failed_container_starts, 1, type, result.reason);
	return result;
}
