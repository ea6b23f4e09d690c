/*
 * The quality-of-service class of a pod, from its containers' CPU and memory.
 */
#ifndef API_QOS_H
#define API_QOS_H

#include "api/types.h"

/* "Guaranteed", "Burstable" or "BestEffort". */
const char *pod_qos_class(const CoreV1PodSpec *spec);

#endif
