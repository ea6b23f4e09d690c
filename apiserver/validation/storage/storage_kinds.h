/*
 * Checks of storage.k8s.io. An update's check asks all that the original asks of an update, the metadata excepted.
 */
#ifndef APISERVER_VALIDATION_STORAGE_KINDS_H
#define APISERVER_VALIDATION_STORAGE_KINDS_H

#include "api/types.h"
#include "apiserver/validation/field.h"

void validate_storage_class(struct field_errors *errors, const StorageV1StorageClass *class);
void validate_storage_class_update(
	struct field_errors *errors, const StorageV1StorageClass *class, const StorageV1StorageClass *old);
void validate_csi_driver(struct field_errors *errors, const StorageV1CSIDriver *driver);
void validate_csi_driver_update(
	struct field_errors *errors, const StorageV1CSIDriver *driver, const StorageV1CSIDriver *old);
void validate_csi_node(struct field_errors *errors, const StorageV1CSINode *node);
void validate_csi_node_update(struct field_errors *errors, const StorageV1CSINode *node, const StorageV1CSINode *old);
void validate_csi_capacity(struct field_errors *errors, const StorageV1CSIStorageCapacity *capacity);
void validate_csi_capacity_update(struct field_errors *errors, const StorageV1CSIStorageCapacity *capacity,
	const StorageV1CSIStorageCapacity *old);
void validate_attachment(struct field_errors *errors, const StorageV1VolumeAttachment *attachment);
void validate_attachment_update(
	struct field_errors *errors, const StorageV1VolumeAttachment *attachment, const StorageV1VolumeAttachment *old);
void validate_attributes_class(struct field_errors *errors, const StorageV1VolumeAttributesClass *class);
void validate_attributes_class_update(struct field_errors *errors, const StorageV1VolumeAttributesClass *class,
	const StorageV1VolumeAttributesClass *old);

/* The name of a CSI driver: there, of at most 63 bytes, a subdomain in any case. */
void validate_csi_driver_name(struct field_errors *errors, const struct field_path *path, const char *name);

#endif
