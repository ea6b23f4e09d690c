/* Rows of what extends or steers the API server: webhooks, policies, flow control, aggregated services, quotas. */
#include <stdlib.h>
#include <string.h>
#include "api/print/internal.h"

static void print_validating_webhooks(struct printer *p, const void *msg)
{
	cell_name(p, msg);
	cell_number(p, (int64_t)((const AdmissionregistrationV1ValidatingWebhookConfiguration *)msg)->n_webhooks);
	cell_age(p, msg);
}

static void print_mutating_webhooks(struct printer *p, const void *msg)
{
	cell_name(p, msg);
	cell_number(p, (int64_t)((const AdmissionregistrationV1MutatingWebhookConfiguration *)msg)->n_webhooks);
	cell_age(p, msg);
}

static void print_policy(struct printer *p, const void *msg)
{
	const AdmissionregistrationV1ValidatingAdmissionPolicySpec *spec =
		((const AdmissionregistrationV1ValidatingAdmissionPolicy *)msg)->spec;

	cell_name(p, msg);
	cell_number(p, spec ? (int64_t)spec->n_validations : 0);
	if (spec && spec->param_kind)
		cell_printf(p, "%s/%s", spec->param_kind->api_version, spec->param_kind->kind);
	else
		cell_text(p, "<unset>");
	cell_age(p, msg);
}

static void print_policy_binding(struct printer *p, const void *msg)
{
	const AdmissionregistrationV1ValidatingAdmissionPolicyBindingSpec *spec =
		((const AdmissionregistrationV1ValidatingAdmissionPolicyBinding *)msg)->spec;
	const AdmissionregistrationV1ParamRef *param = spec ? spec->param_ref : NULL;

	cell_name(p, msg);
	cell_text(p, spec ? spec->policy_name : "");
	if (param && !str_empty(param->name))
		cell_printf(p, "%s/%s", str_or(param->namespace, "*"), param->name);
	else
		cell_text(p, "<unset>");
	cell_age(p, msg);
}

static void print_flow_schema(struct printer *p, const void *msg)
{
	const FlowcontrolV1FlowSchema *schema = msg;
	const FlowcontrolV1FlowSchemaSpec *spec = schema->spec ? schema->spec : FlowcontrolV1FlowSchemaSpec_schema.zero;
	const FlowcontrolV1FlowSchemaStatus *status = schema->status;
	const FlowcontrolV1FlowSchemaCondition *dangling =
		status ? condition_find((void *const *)status->conditions, status->n_conditions, "Dangling") : NULL;

	cell_name(p, msg);
	cell_text(p, spec->priority_level_configuration ? spec->priority_level_configuration->name : "");
	cell_number(p, spec->matching_precedence);
	cell_text(p, spec->distinguisher_method ? spec->distinguisher_method->type : "<none>");
	cell_age(p, msg);
	cell_text(p, dangling ? dangling->status : "?");
}

static void cell_number_or_none(struct printer *p, bool has, int64_t number)
{
	if (has)
		cell_number(p, number);
	else
		cell_text(p, "<none>");
}

static void print_priority_level(struct printer *p, const void *msg)
{
	const FlowcontrolV1PriorityLevelConfigurationSpec *spec =
		((const FlowcontrolV1PriorityLevelConfiguration *)msg)->spec;
	const FlowcontrolV1LimitedPriorityLevelConfiguration *limited = spec ? spec->limited : NULL;
	const FlowcontrolV1QueuingConfiguration *queuing =
		limited && limited->limit_response ? limited->limit_response->queuing : NULL;

	cell_name(p, msg);
	cell_text(p, spec ? spec->type : "");
	cell_number_or_none(p, limited, limited ? limited->nominal_concurrency_shares : 0);
	cell_number_or_none(p, queuing, queuing ? queuing->queues : 0);
	cell_number_or_none(p, queuing, queuing ? queuing->hand_size : 0);
	cell_number_or_none(p, queuing, queuing ? queuing->queue_length_limit : 0);
	cell_age(p, msg);
}

static void print_api_service(struct printer *p, const void *msg)
{
	const ApiregistrationV1APIService *service = msg;
	const ApiregistrationV1ServiceReference *ref = service->spec ? service->spec->service : NULL;
	const ApiregistrationV1APIServiceCondition *available =
		service->status ? condition_find((void *const *)service->status->conditions,
					  service->status->n_conditions, "Available")
				: NULL;

	cell_name(p, msg);
	if (ref)
		cell_printf(p, "%s/%s", ref->namespace, ref->name);
	else
		cell_text(p, "Local");
	if (!available)
		cell_text(p, "Unknown");
	else if (str_eq(available->status, "True"))
		cell_text(p, "True");
	else
		cell_printf(p, "%s (%s)", available->status, available->reason);
	cell_age(p, msg);
}

static void print_runtime_class(struct printer *p, const void *msg)
{
	cell_name(p, msg);
	cell_text(p, ((const NodeV1RuntimeClass *)msg)->handler);
	cell_age(p, msg);
}

static int compare_quantities(const void *a, const void *b)
{
	return str_cmp((*(MapQuantityEntry *const *)a)->key, (*(MapQuantityEntry *const *)b)->key);
}

static const char *quantity_text(const ResourceQuantity *q)
{
	return q ? str_or(q->string, "0") : "0";
}

static void print_resource_quota(struct printer *p, const void *msg)
{
	const CoreV1ResourceQuotaStatus *status = ((const CoreV1ResourceQuota *)msg)->status;
	CLEANUP(strbuf_done) struct strbuf requests = STRBUF_INIT;
	CLEANUP(strbuf_done) struct strbuf limits = STRBUF_INIT;
	size_t n = status ? status->n_hard : 0;
	MapQuantityEntry **hard = n ? arena_dup(p->arena, status->hard, n * sizeof(*hard)) : NULL;

	if (n > 1)
		qsort(hard, n, sizeof(*hard), compare_quantities);
	for (size_t i = 0; i < n; i++) {
		struct strbuf *to = str_starts_with(hard[i]->key, "limits.") ? &limits : &requests;
		const ResourceQuantity *used = quantity_map_get(status->used, status->n_used, hard[i]->key);
		strbuf_printf(to, "%s%s: %s/%s", to->len ? ", " : "", hard[i]->key, quantity_text(used),
			quantity_text(hard[i]->value));
	}
	cell_name(p, msg);
	cell_text(p, requests.buf);
	cell_text(p, limits.buf);
	cell_age(p, msg);
}

static void print_resource_claim(struct printer *p, const void *msg)
{
	const ResourceV1ResourceClaim *claim = msg;
	bool deleted = meta_is_deleting(claim->metadata), allocated = claim->status && claim->status->allocation;

	cell_name(p, msg);
	if (allocated)
		cell_printf(p, "%sallocated%s", deleted ? "deleted," : "",
			claim->status->n_reserved_for ? ",reserved" : "");
	else
		cell_text(p, deleted ? "deleted" : "pending");
	cell_age(p, msg);
}

static void print_resource_slice(struct printer *p, const void *msg)
{
	const ResourceV1ResourceSliceSpec *spec = ((const ResourceV1ResourceSlice *)msg)->spec;

	cell_name(p, msg);
	cell_text(p, spec ? spec->node_name : "");
	cell_text(p, spec ? spec->driver : "");
	cell_text(p, spec && spec->pool ? spec->pool->name : "");
	cell_age(p, msg);
}

const struct kind_printer print_extension_kinds[] = {
	{&AdmissionregistrationV1ValidatingWebhookConfiguration_schema, print_validating_webhooks},
	{&AdmissionregistrationV1MutatingWebhookConfiguration_schema, print_mutating_webhooks},
	{&AdmissionregistrationV1ValidatingAdmissionPolicy_schema, print_policy},
	{&AdmissionregistrationV1ValidatingAdmissionPolicyBinding_schema, print_policy_binding},
	{&FlowcontrolV1FlowSchema_schema, print_flow_schema},
	{&FlowcontrolV1PriorityLevelConfiguration_schema, print_priority_level},
	{&ApiregistrationV1APIService_schema, print_api_service},
	{&NodeV1RuntimeClass_schema, print_runtime_class},
	{&CoreV1ResourceQuota_schema, print_resource_quota},
	{&ResourceV1ResourceClaim_schema, print_resource_claim},
	{&ResourceV1ResourceSlice_schema, print_resource_slice},
	{0},
};
