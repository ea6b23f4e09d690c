/*
 * Checks of ConfigMaps and Secrets.
 */
#ifndef APISERVER_VALIDATION_DATA_H
#define APISERVER_VALIDATION_DATA_H

#include "api/types.h"
#include "apiserver/validation/field.h"

void validate_config_map(struct field_errors *errors, const CoreV1ConfigMap *map);
void validate_config_map_update(struct field_errors *errors, const CoreV1ConfigMap *map, const CoreV1ConfigMap *old);
void validate_secret(struct field_errors *errors, const CoreV1Secret *secret);
void validate_secret_update(struct field_errors *errors, const CoreV1Secret *secret, const CoreV1Secret *old);

#endif
