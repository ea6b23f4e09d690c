/*
 * kubectl describe: a kind that has a layout of its own is one record, listed in describe/table.c; all others are shown
 * field by field.
 *
 * Text goes to a tabwriter; a level is an indent of two spaces.
 */
#ifndef KUBECTL_DESCRIBE_DESCRIBE_H
#define KUBECTL_DESCRIBE_DESCRIBE_H

#include "kubectl/builder.h"
#include "kubectl/tabwriter.h"

struct desc {
	struct kubectl *k;
	struct arena *arena;
	struct tabwriter w;
	const struct info *info;
	bool show_events;
};

struct describer {
	const char *group, *kind;
	struct status *(*describe)(struct desc *d, const cJSON *object);
};

const struct describer *describer_find(const char *group, const char *kind);
/* Appends the description to out. */
struct status *describe_object(
	struct kubectl *k, const struct info *info, bool show_events, struct strbuf *out) MUST_USE;
struct status *describe_generic(struct desc *d, const cJSON *object);

void line(struct desc *d, int level, const char *format, ...) PRINTF(3, 4);
void describe_labels(struct desc *d, const char *title, const cJSON *map);
void describe_annotations(struct desc *d, const char *title, const cJSON *map);
/* "Name", "Namespace", labels and annotations, as most kinds begin. */
void describe_head(struct desc *d, const cJSON *object);
void describe_events(struct desc *d, const cJSON *object);
/* "Mon, 23 Nov 2026 08:00:00 +0000" */
char *rfc1123(struct arena *arena, const char *time);
char *age_of(struct desc *d, const cJSON *object, const char *path);
/* "Kind/name" of the controlling owner, "" if there is none. */
char *controller_of(struct arena *arena, const cJSON *object);
char *join_strings(struct arena *arena, const cJSON *list, const char *separator);
const char *text_of(struct desc *d, const cJSON *object, const char *path, const char *missing);

/* pod.c */
void describe_containers(struct desc *d, const char *label, const cJSON *containers, const cJSON *statuses,
	const cJSON *pod, const char *space);
void describe_volumes(struct desc *d, const cJSON *volumes, const char *space);
void describe_tolerations(struct desc *d, const char *title, const cJSON *tolerations);
void describe_pod_template(struct desc *d, const cJSON *template);

struct status *describe_pod(struct desc *d, const cJSON *object);
struct status *describe_deployment(struct desc *d, const cJSON *object);
struct status *describe_replica_set(struct desc *d, const cJSON *object);
struct status *describe_replication_controller(struct desc *d, const cJSON *object);
struct status *describe_cron_job(struct desc *d, const cJSON *object);
struct status *describe_daemon_set(struct desc *d, const cJSON *object);
struct status *describe_stateful_set(struct desc *d, const cJSON *object);
struct status *describe_job(struct desc *d, const cJSON *object);
struct status *describe_node(struct desc *d, const cJSON *object);
struct status *describe_namespace(struct desc *d, const cJSON *object);
struct status *describe_service(struct desc *d, const cJSON *object);
struct status *describe_endpoints(struct desc *d, const cJSON *object);
struct status *describe_config_map(struct desc *d, const cJSON *object);
struct status *describe_secret(struct desc *d, const cJSON *object);
struct status *describe_service_account(struct desc *d, const cJSON *object);
struct status *describe_role(struct desc *d, const cJSON *object);
struct status *describe_role_binding(struct desc *d, const cJSON *object);

struct status *describe_resource_quota(struct desc *d, const cJSON *object);
struct status *describe_priority_class(struct desc *d, const cJSON *object);
struct status *describe_claim(struct desc *d, const cJSON *object);
struct status *describe_signing_request(struct desc *d, const cJSON *object);

#endif
