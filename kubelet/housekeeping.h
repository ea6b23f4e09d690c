/*
 * What is done now and then: what pods leave behind, containers, images, logs.
 */
#ifndef KUBELET_HOUSEKEEPING_H
#define KUBELET_HOUSEKEEPING_H

#include "kubelet/kubelet.h"

struct housekeeping;

struct housekeeping *housekeeping_start(struct kubelet *k);
/* Stops and waits. */
void housekeeping_free(struct housekeeping *h);

#endif
