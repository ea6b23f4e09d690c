/* Kinds of a few lines: quotas, limit ranges, priority classes, signing requests, claims and volumes. */
#include "base/encode.h"
#include "kubectl/describe/describe.h"

struct status *describe_resource_quota(struct desc *d, const cJSON *o)
{
	size_t n;
	cJSON **items = obj_sorted(d->arena, obj_at(o, "status.hard"), &n);
	line(d, 0, "Name:\t%s\n", obj_name(o));
	line(d, 0, "Namespace:\t%s\n", obj_namespace(o));
	if (tree_size(obj_at(o, "spec.scopes")))
		line(d, 0, "Scopes:\t%s\n", join_strings(d->arena, obj_at(o, "spec.scopes"), ", "));
	line(d, 0, "Resource\tUsed\tHard\n");
	line(d, 0, "--------\t----\t----\n");
	for (size_t i = 0; i < n; i++) {
		const cJSON *used = tree_get(obj_at(o, "status.used"), items[i]->string);
		line(d, 0, "%s\t%s\t%s\n", items[i]->string, used ? obj_text(d->arena, used) : "0",
			obj_text(d->arena, items[i]));
	}
	return NULL;
}

struct status *describe_priority_class(struct desc *d, const cJSON *o)
{
	line(d, 0, "Name:\t%s\n", obj_name(o));
	line(d, 0, "Value:\t%s\n", text_of(d, o, "value", "0"));
	line(d, 0, "GlobalDefault:\t%s\n", text_of(d, o, "globalDefault", "false"));
	line(d, 0, "PreemptionPolicy:\t%s\n", text_of(d, o, "preemptionPolicy", ""));
	line(d, 0, "Description:\t%s\n", obj_string(o, "description"));
	describe_annotations(d, "Annotations", obj_at(o, "metadata.annotations"));
	describe_events(d, o);
	return NULL;
}

struct status *describe_claim(struct desc *d, const cJSON *o)
{
	line(d, 0, "Name:\t%s\n", obj_name(o));
	line(d, 0, "Namespace:\t%s\n", obj_namespace(o));
	line(d, 0, "StorageClass:\t%s\n", obj_string(o, "spec.storageClassName"));
	if (obj_has(o, "metadata.deletionTimestamp"))
		line(d, 0, "Status:\tTerminating (lasts %s)\n", age_of(d, o, "metadata.deletionTimestamp"));
	else
		line(d, 0, "Status:\t%s\n", obj_string(o, "status.phase"));
	line(d, 0, "Volume:\t%s\n", obj_string(o, "spec.volumeName"));
	describe_labels(d, "Labels", obj_at(o, "metadata.labels"));
	describe_annotations(d, "Annotations", obj_at(o, "metadata.annotations"));
	line(d, 0, "Finalizers:\t[%s]\n", join_strings(d->arena, obj_at(o, "metadata.finalizers"), " "));
	line(d, 0, "Capacity:\t%s\n", text_of(d, o, "status.capacity.storage", ""));
	line(d, 0, "Access Modes:\t%s\n", join_strings(d->arena, obj_at(o, "status.accessModes"), ","));
	line(d, 0, "VolumeMode:\t%s\n", text_of(d, o, "spec.volumeMode", "Filesystem"));
	line(d, 0, "Used By:\t<none>\n");
	describe_events(d, o);
	return NULL;
}

static const char *decision(const cJSON *o)
{
	const char *status = "Pending";
	TREE_FOREACH (c, obj_at(o, "status.conditions"))
		status = obj_string(c, "type");
	return status;
}

struct status *describe_signing_request(struct desc *d, const cJSON *o)
{
	line(d, 0, "Name:\t%s\n", obj_name(o));
	describe_labels(d, "Labels", obj_at(o, "metadata.labels"));
	describe_annotations(d, "Annotations", obj_at(o, "metadata.annotations"));
	line(d, 0, "CreationTimestamp:\t%s\n", rfc1123(d->arena, obj_string(o, "metadata.creationTimestamp")));
	line(d, 0, "Requesting User:\t%s\n", obj_string(o, "spec.username"));
	if (*obj_string(o, "spec.signerName"))
		line(d, 0, "Signer:\t%s\n", obj_string(o, "spec.signerName"));
	if (obj_has(o, "spec.expirationSeconds"))
		line(d, 0, "Requested Duration:\t%s\n",
			human_duration(d->arena, obj_int(o, "spec.expirationSeconds", 0)));
	line(d, 0, "Status:\t%s\n", decision(o));
	describe_events(d, o);
	return NULL;
}
