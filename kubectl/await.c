#include "kubectl/await.h"

#include "net/url.h"

struct session {
	const struct await *await;
	enum await_answer answer;
	struct status *error;
	bool lost; /* the watch must begin anew */
	int64_t deadline;
};

static bool timed_out(const struct session *s)
{
	return s->await->timeout_ms >= 0 && now_ms() >= s->deadline;
}

static bool on_event(void *data, const struct watch_event *event)
{
	struct session *s = data;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	cJSON *object = NULL;
	if (event->type == WATCH_BOOKMARK)
		return !timed_out(s);
	if (event->type == WATCH_ERROR) {
		s->lost = true;
		return false;
	}
	if (event->type != WATCH_DELETED)
		s->error = tree_parse(arena, event->json, event->json_size, NULL, &object);
	if (!s->error)
		s->error = s->await->check(s->await->data, object, &s->answer);
	return !s->error && s->answer == AWAIT_MORE && !timed_out(s);
}

/* Lists the object by its name and checks it; *ret_version is where a watch goes on. */
static struct status *look(
	struct kubectl *k, struct arena *arena, const struct info *info, struct session *s, const char **ret_version)
{
	CLEANUP(strbuf_done) struct strbuf query = STRBUF_INIT;
	cJSON *list;
	query_add(&query, "fieldSelector", arena_printf(arena, "metadata.name=%s", info->name));
	TRY(rest_get(k, arena, rest_path(arena, info->mapping, info->namespace, NULL, NULL), query.buf, &list));
	const cJSON *object = tree_at(tree_get(list, "items"), 0);
	*ret_version = obj_string(list, "metadata.resourceVersion");
	if (object && str_empty(obj_kind(object))) {
		tree_set_string(arena, (cJSON *)(uintptr_t)object, "kind", info->mapping->kind);
		tree_set_string(arena, (cJSON *)(uintptr_t)object, "apiVersion",
			api_resource_group_version(arena, info->mapping));
	}
	return s->await->check(s->await->data, object, &s->answer);
}

static struct status *look_and_watch(struct kubectl *k, const struct info *info, struct session *s)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct client *client;
	const char *version;
	TRY(kubectl_client(k, &client));
	TRY(look(k, arena, info, s, &version));
	if (s->answer == AWAIT_DONE || timed_out(s))
		return NULL;
	int64_t left_ms = s->await->timeout_ms < 0 ? 300000 : s->deadline - now_ms();
	struct watch_options options = {.resource_version = version,
		.field_selector = arena_printf(arena, "metadata.name=%s", info->name),
		.timeout_seconds = left_ms > 300000 ? 300 : (left_ms + 999) / 1000};
	struct status *lost = client_watch(client, &info->mapping->rest, NULL, info->namespace, &options, on_event, s);
	if (lost) {
		status_drop(lost, "the list that follows says what is wrong, if it still is");
		sleep_ms(200);
	}
	return s->error;
}

struct status *await_object(struct kubectl *k, const struct info *info, const struct await *await)
{
	struct session s = {.await = await, .deadline = now_ms() + await->timeout_ms};
	for (;;) {
		TRY(look_and_watch(k, info, &s));
		if (s.answer == AWAIT_DONE)
			return NULL;
		if (timed_out(&s))
			return status_with_code(
				status_new(STATUS_TIMEOUT, "timed out waiting for the condition on %s/%s",
					info->mapping->rest.plural, info->name),
				1);
	}
}

static struct status *check_deleted(void *data, const cJSON *object, enum await_answer *ret_answer)
{
	const char *uid = data;
	if (!object || (!str_empty(uid) && !str_eq(obj_string(object, "metadata.uid"), uid)))
		*ret_answer = AWAIT_DONE;
	return NULL;
}

struct status *await_deletion(struct kubectl *k, const struct info *info, const char *uid, int64_t timeout_ms)
{
	struct await await = {.check = check_deleted, .data = (void *)(uintptr_t)uid, .timeout_ms = timeout_ms};
	return await_object(k, info, &await);
}
