/*
 * Names and amounts of resources: those of containers, quotas, limit ranges, nodes and volumes follow different rules.
 */
#ifndef APISERVER_VALIDATION_RESOURCES_H
#define APISERVER_VALIDATION_RESOURCES_H

#include "api/types.h"
#include "apiserver/validation/field.h"

/* Without a domain it must be a resource that Kubernetes knows. False: something was wrong. */
bool check_resource_name(struct field_errors *errors, const struct field_path *path, const char *name);
/* One that a container may ask for. */
void check_container_resource(struct field_errors *errors, const struct field_path *path, const char *name);
/* Not negative; whole, where the resource is counted. */
void check_resource_value(
	struct field_errors *errors, const struct field_path *path, const char *name, const ResourceQuantity *value);
bool resource_is_native(const char *name);
bool resource_is_extended(struct arena *arena, const char *name);
bool resource_is_huge_page(const char *name);
/* Whether more of it may be promised than there is. */
bool resource_may_overcommit(const char *name);
bool resource_is_counted(struct arena *arena, const char *name);
/* An entry of a list of quantities, NULL if it has none. */
const MapQuantityEntry *resource_entry(MapQuantityEntry *const *list, size_t n, const char *name);

#endif
