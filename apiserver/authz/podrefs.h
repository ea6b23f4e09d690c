/*
 * What a pod refers to by name: secrets, config maps, claims of volumes and of devices, its service account; and which
 * secrets a kubelet needs of a volume.
 */
#ifndef APISERVER_AUTHZ_PODREFS_H
#define APISERVER_AUTHZ_PODREFS_H

#include <stdbool.h>
#include "api/types.h"
#include "base/arena.h"

enum pod_ref { POD_REF_SECRET, POD_REF_CONFIG_MAP, POD_REF_CLAIM, POD_REF_SERVICE_ACCOUNT, POD_REF_RESOURCE_CLAIM };

/* Calls each for every name, possibly several times for the same one. */
void pod_refs_visit(const CoreV1Pod *pod, void (*each)(void *data, enum pod_ref kind, const char *name), void *data);
/* Whether it refers to such a thing. */
bool pod_refs_has(const CoreV1Pod *pod, enum pod_ref kind);
/*
 * The first thing of the API that a pod needs, as the original calls it ("secrets"); NULL: it needs none. *ret_unknown
 * is what is wrong with a volume that nobody knows, else NULL.
 */
const char *pod_refs_first(struct arena *arena, const CoreV1Pod *pod, const char **ret_unknown);

/* Calls each for every secret of the volume that is for nodes. */
void volume_secrets_visit(const CoreV1PersistentVolume *volume,
	void (*each)(void *data, const char *namespace, const char *name), void *data);

#endif
