/*
 * Checks of Services and Endpoints.
 */
#ifndef APISERVER_VALIDATION_SERVICE_H
#define APISERVER_VALIDATION_SERVICE_H

#include "api/types.h"
#include "apiserver/validation/field.h"

/* What is looked at before a Service is given addresses: those it names, families and policy. */
void validate_service_addresses(struct field_errors *errors, const CoreV1Service *service);
void validate_service(struct field_errors *errors, const CoreV1Service *service);
void validate_service_status(struct field_errors *errors, const CoreV1Service *service);
void validate_service_update(struct field_errors *errors, const CoreV1Service *service, const CoreV1Service *old);
/* old: NULL for a create. Who leaves the addresses as they are may have any. */
void validate_endpoints(struct field_errors *errors, const CoreV1Endpoints *endpoints, const CoreV1Endpoints *old);

#endif
