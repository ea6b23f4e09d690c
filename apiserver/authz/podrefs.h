/*
 * What a pod refers to by name: secrets, config maps, claims, its service account.
 */
#ifndef APISERVER_AUTHZ_PODREFS_H
#define APISERVER_AUTHZ_PODREFS_H

#include "api/types.h"

enum pod_ref { POD_REF_SECRET, POD_REF_CONFIG_MAP, POD_REF_CLAIM, POD_REF_SERVICE_ACCOUNT };

/* Calls each for every name, possibly several times for the same one. */
void pod_refs_visit(const CoreV1Pod *pod, void (*each)(void *data, enum pod_ref kind, const char *name), void *data);

#endif
