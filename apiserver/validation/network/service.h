/*
 * Checks of Services and Endpoints.
 */
#ifndef APISERVER_VALIDATION_SERVICE_H
#define APISERVER_VALIDATION_SERVICE_H

#include "api/types.h"
#include "apiserver/validation/field.h"

void validate_service(struct field_errors *errors, const CoreV1Service *service);
void validate_service_status(struct field_errors *errors, const CoreV1Service *service);
void validate_service_update(struct field_errors *errors, const CoreV1Service *service, const CoreV1Service *old);
void validate_endpoints(struct field_errors *errors, const CoreV1Endpoints *endpoints);

#endif
