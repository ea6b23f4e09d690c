/* What the strategy of CustomResourceDefinitions shares with who sees to their end. */
#ifndef APISERVER_STRATEGY_CRD_H
#define APISERVER_STRATEGY_CRD_H

#include "api/types.h"

/* Keeps a definition until the objects that it defines are gone. */
#define CRD_FINALIZER "customresourcecleanup.apiextensions.k8s.io"

/* The condition that tells how its deletion goes. */
void crd_tell_terminating(struct arena *arena, ApiextensionsV1CustomResourceDefinition *crd, const char *status,
	const char *reason, const char *message);

#endif
