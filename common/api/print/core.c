/* Rows of the core kinds that are neither pods nor of the network. */
#include <stdlib.h>
#include <string.h>
#include "api/print/internal.h"

#define ROLE_PREFIX "node-role.kubernetes.io/"

static char *node_status(struct printer *p, const CoreV1Node *node)
{
	const CoreV1NodeStatus *s = node->status;
	const CoreV1NodeCondition *ready =
		s ? condition_find((void *const *)s->conditions, s->n_conditions, "Ready") : NULL;
	const char *status = !ready ? "Unknown" : str_eq(ready->status, "True") ? "Ready" : "NotReady";

	return arena_printf(
		p->arena, "%s%s", status, node->spec && node->spec->unschedulable ? ",SchedulingDisabled" : "");
}

static void cell_roles(struct printer *p, const MetaV1ObjectMeta *meta)
{
	char **roles = NULL;
	size_t n = 0;

	for (size_t i = 0; meta && i < meta->n_labels; i++) {
		const char *key = meta->labels[i]->key, *value = meta->labels[i]->value, *role = NULL;
		if (str_starts_with(key, ROLE_PREFIX))
			role = key + strlen(ROLE_PREFIX);
		else if (str_eq(key, "kubernetes.io/role"))
			role = value;
		if (!str_empty(role) && !str_in_n(role, roles, n))
			ARENA_PUSH(p->arena, roles, n) = arena_strdup(p->arena, role);
	}
	if (n > 1)
		qsort(roles, n, sizeof(*roles), str_cmp_qsort);
	cell_or_none(p, join(p, roles, n, ","));
}

static void cell_address(struct printer *p, const CoreV1NodeStatus *status, const char *type)
{
	for (size_t i = 0; status && i < status->n_addresses; i++) {
		if (str_eq(status->addresses[i]->type, type)) {
			cell_text(p, status->addresses[i]->address);
			return;
		}
	}
	cell_text(p, "<none>");
}

static void print_node(struct printer *p, const void *msg)
{
	const CoreV1Node *node = msg;
	const CoreV1NodeSystemInfo *info = node->status ? node->status->node_info : NULL;

	cell_name(p, node);
	cell_text(p, node_status(p, node));
	cell_roles(p, node->metadata);
	cell_age(p, node);
	cell_text(p, info ? info->kubelet_version : "");
	cell_address(p, node->status, "InternalIP");
	cell_address(p, node->status, "ExternalIP");
	cell_text(p, str_or(info ? info->os_image : "", "<unknown>"));
	cell_text(p, str_or(info ? info->kernel_version : "", "<unknown>"));
	cell_text(p, str_or(info ? info->container_runtime_version : "", "<unknown>"));
}

static void print_namespace(struct printer *p, const void *msg)
{
	const CoreV1Namespace *ns = msg;

	cell_name(p, ns);
	cell_text(p, ns->status ? ns->status->phase : "");
	cell_age(p, ns);
}

static void print_config_map(struct printer *p, const void *msg)
{
	const CoreV1ConfigMap *cm = msg;

	cell_name(p, cm);
	cell_number(p, (int64_t)(cm->n_data + cm->n_binary_data));
	cell_age(p, cm);
}

static void print_secret(struct printer *p, const void *msg)
{
	const CoreV1Secret *secret = msg;

	cell_name(p, secret);
	cell_text(p, secret->type);
	cell_number(p, (int64_t)secret->n_data);
	cell_age(p, secret);
}

static void print_service_account(struct printer *p, const void *msg)
{
	cell_name(p, msg);
	cell_number(p, (int64_t)((const CoreV1ServiceAccount *)msg)->n_secrets);
	cell_age(p, msg);
}

static void cell_micro_time(struct printer *p, const MetaV1MicroTime *t)
{
	if (!t || !t->seconds)
		cell_text(p, "<unknown>");
	else
		cell_since(p, "", t->seconds, "");
}

/* What both event groups show; the core one is filled in from the other's fields by the caller. */
struct event_view {
	const char *type, *reason, *message;
	const CoreV1ObjectReference *about;
	const CoreV1EventSource *source;
	const MetaV1Time *first, *last;
	const MetaV1MicroTime *event_time, *series_time;
	const char *controller, *instance;
	int32_t count, series_count;
};

static void cell_event_object(struct printer *p, const CoreV1ObjectReference *about)
{
	char *kind = str_lower(p->arena, about ? str_or_empty(about->kind) : "");

	if (about && !str_empty(about->name))
		cell_printf(p, "%s/%s", kind, about->name);
	else
		cell_text(p, kind);
}

static void cell_event_source(struct printer *p, const struct event_view *v)
{
	const char *component = str_or(v->source ? v->source->component : "", str_or_empty(v->controller));
	const char *host = str_or(v->source ? v->source->host : "", str_or_empty(v->instance));

	cell_printf(p, "%s%s%s", component, *host ? ", " : "", host);
}

static void cell_first(struct printer *p, const struct event_view *v)
{
	if (time_is_zero(v->first))
		cell_micro_time(p, v->event_time);
	else
		cell_time(p, v->first);
}

static void cell_last(struct printer *p, const struct event_view *v)
{
	if (v->series_time)
		cell_micro_time(p, v->series_time);
	else if (time_is_zero(v->last))
		cell_first(p, v);
	else
		cell_time(p, v->last);
}

static void print_event_view(struct printer *p, const void *msg, const struct event_view *v)
{
	int32_t count = v->series_time ? v->series_count : v->count ? v->count : 1;

	cell_last(p, v);
	cell_text(p, v->type);
	cell_text(p, v->reason);
	cell_event_object(p, v->about);
	cell_text(p, v->about ? v->about->field_path : "");
	cell_event_source(p, v);
	cell_text(p, str_trim(p->arena, str_or_empty(v->message)));
	cell_first(p, v);
	cell_number(p, count);
	cell_name(p, msg);
}

static const MetaV1MicroTime no_time = {.base = {&MetaV1MicroTime_schema.base, 0, NULL}};

static void print_event(struct printer *p, const void *msg)
{
	const CoreV1Event *e = msg;
	struct event_view v = {e->type, e->reason, e->message, e->involved_object, e->source, e->first_timestamp,
		e->last_timestamp, e->event_time, NULL, e->reporting_component, e->reporting_instance, e->count, 0};

	if (e->series) {
		v.series_time = e->series->last_observed_time ? e->series->last_observed_time : &no_time;
		v.series_count = e->series->count;
	}
	print_event_view(p, msg, &v);
}

static void print_new_event(struct printer *p, const void *msg)
{
	const EventsV1Event *e = msg;
	struct event_view v = {e->type, e->reason, e->note, e->regarding, e->deprecated_source,
		e->deprecated_first_timestamp, e->deprecated_last_timestamp, e->event_time, NULL,
		e->reporting_controller, e->reporting_instance, e->deprecated_count, 0};

	if (e->series) {
		v.series_time = e->series->last_observed_time ? e->series->last_observed_time : &no_time;
		v.series_count = e->series->count;
	}
	print_event_view(p, msg, &v);
}

static void print_component_status(struct printer *p, const void *msg)
{
	const CoreV1ComponentStatus *status = msg;
	const CoreV1ComponentCondition *healthy =
		condition_find((void *const *)status->conditions, status->n_conditions, "Healthy");

	cell_name(p, msg);
	cell_text(p, !healthy ? "Unknown" : str_eq(healthy->status, "True") ? "Healthy" : "Unhealthy");
	cell_text(p, healthy ? healthy->message : "");
	cell_text(p, healthy ? healthy->error : "");
}

const struct kind_printer print_core_kinds[] = {
	{&CoreV1Node_schema, print_node},
	{&CoreV1Namespace_schema, print_namespace},
	{&CoreV1ConfigMap_schema, print_config_map},
	{&CoreV1Secret_schema, print_secret},
	{&CoreV1ServiceAccount_schema, print_service_account},
	{&CoreV1Event_schema, print_event},
	{&EventsV1Event_schema, print_new_event},
	{&CoreV1ComponentStatus_schema, print_component_status},
	{0},
};
