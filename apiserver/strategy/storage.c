#include "api/copy.h"
#include "api/meta.h"
#include "apiserver/strategy/kind.h"
#include "apiserver/strategy/records.h"
#include "apiserver/validation/storage/storage_kinds.h"
#include "base/str.h"

#define GROUP "storage.k8s.io"

CHECKED(storage_class, StorageV1StorageClass, validate_storage_class, validate_storage_class_update)
CHECKED(csi_driver, StorageV1CSIDriver, validate_csi_driver, validate_csi_driver_update)
CHECKED(csi_node, StorageV1CSINode, validate_csi_node, validate_csi_node_update)
CHECKED(csi_capacity, StorageV1CSIStorageCapacity, validate_csi_capacity, validate_csi_capacity_update)

CHECKED(attributes_class, StorageV1VolumeAttributesClass, validate_attributes_class, validate_attributes_class_update)

static void warn_storage_class(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old)
{
	const StorageV1StorageClass *class = (const StorageV1StorageClass *)object;
	for (size_t i = 0; i < class->n_allowed_topologies; i++)
		for (size_t k = 0; k < class->allowed_topologies[i]->n_match_label_expressions; k++) {
			const char *key = class->allowed_topologies[i]->match_label_expressions[k]->key;
			const char *advice = deprecated_node_label(key);
			if (advice)
				request_warn(request, "allowedTopologies[%zu].matchLabelExpressions[%zu].key: %s", i, k,
					advice);
		}
}

static void warn_csi_capacity(struct request *request, const ProtobufCMessage *object, const ProtobufCMessage *old)
{
	const MetaV1LabelSelector *where = ((const StorageV1CSIStorageCapacity *)object)->node_topology;
	for (size_t i = 0; where && i < where->n_match_expressions; i++) {
		const char *key = where->match_expressions[i]->key, *advice = deprecated_node_label(key);
		if (advice)
			request_warn(request, "nodeTopology.matchExpressions[%zu].key: %s is %s", i, key, advice);
	}
	for (size_t i = 0; where && i < where->n_match_labels; i++) {
		const char *key = where->match_labels[i]->key, *advice = deprecated_node_label(key);
		if (advice)
			request_warn(request, "nodeTopology.matchLabels.%s: %s", key, advice);
	}
}

/* How often a node's room is looked at again is not served by default: kept only where it is there already. */
static void prepare_create_driver(struct request *request, ProtobufCMessage *object)
{
	StorageV1CSIDriver *driver = (StorageV1CSIDriver *)object;
	ENSURE(request->arena, driver->spec, StorageV1CSIDriverSpec)->has_node_allocatable_update_period_seconds =
		false;
}

static void prepare_update_driver(struct request *request, ProtobufCMessage *object, const ProtobufCMessage *old)
{
	const StorageV1CSIDriverSpec *was = ((const StorageV1CSIDriver *)old)->spec;
	if (!was || !was->has_node_allocatable_update_period_seconds)
		prepare_create_driver(request, object);
	StorageV1CSIDriver *driver = (StorageV1CSIDriver *)object;
	if (!api_equal(driver->spec, was))
		object_meta_ensure(request->arena, object)->generation = object_meta(old)->generation + 1;
}

static void drop_code(StorageV1VolumeError *now, const StorageV1VolumeError *was)
{
	if (now && (!was || !was->has_error_code))
		now->has_error_code = false;
}

static void prepare_update_attachment(struct request *request, ProtobufCMessage *object, const ProtobufCMessage *old)
{
	if (generic_is_status(request))
		generic_keep_meta(object, old);
	StorageV1VolumeAttachmentStatus *now = ((StorageV1VolumeAttachment *)object)->status;
	const StorageV1VolumeAttachmentStatus *was = ((const StorageV1VolumeAttachment *)old)->status;
	if (!generic_is_status(request) || !now)
		return;
	drop_code(now->attach_error, was ? was->attach_error : NULL);
	drop_code(now->detach_error, was ? was->detach_error : NULL);
}

static void check_attachment(struct request *request, const ProtobufCMessage *object, struct field_errors *errors)
{
	validate_attachment(errors, (const StorageV1VolumeAttachment *)object);
}

static void check_attachment_update(struct request *request, const ProtobufCMessage *object,
	const ProtobufCMessage *old, struct field_errors *errors)
{
	validate_attachment_update(
		errors, (const StorageV1VolumeAttachment *)object, (const StorageV1VolumeAttachment *)old);
}

const struct strategy storage_class_strategy = {.group = GROUP,
	.resource = "storageclasses",
	.update_checks = {CHECK_META, CHECK_NEW, CHECK_META_CHANGE, CHECK_CHANGE},
	CHECKS(storage_class),
	.warn = warn_storage_class};
const struct strategy csi_driver_strategy = {.group = GROUP,
	.resource = "csidrivers",
	.prepare_create = prepare_create_driver,
	.prepare_update = prepare_update_driver,
	CHECKS(csi_driver)};
const struct strategy csi_node_strategy = {.group = GROUP,
	.resource = "csinodes",
	.update_checks = {CHECK_META, CHECK_NEW, CHECK_META, CHECK_NEW, CHECK_CHANGE},
	CHECKS(csi_node)};
const struct strategy csi_capacity_strategy = {.group = GROUP,
	.resource = "csistoragecapacities",
	.update_checks = {CHECK_META, CHECK_NEW, CHECK_META_CHANGE, CHECK_CHANGE},
	CHECKS(csi_capacity),
	.warn = warn_csi_capacity};
const struct strategy attachment_strategy = {.group = GROUP,
	.resource = "volumeattachments",
	.update_checks = {CHECK_META, CHECK_META, CHECK_CHANGE},
	.status_checks = {CHECK_META, CHECK_META, CHECK_CHANGE},
	.prepare_create = generic_reset_status,
	.prepare_update = prepare_update_attachment,
	.validate_create = check_attachment,
	.validate_update = check_attachment_update};
const struct strategy attributes_class_strategy = {.group = GROUP,
	.resource = "volumeattributesclasses",
	.update_checks = {CHECK_META, CHECK_NEW, CHECK_META_CHANGE, CHECK_CHANGE, CHECK_META, CHECK_NEW},
	CHECKS(attributes_class)};
