/*
 * HorizontalPodAutoscalers between autoscaling/v1 and v2, without loss: what v1 has no field for travels in
 * annotations, which nobody sees in v2.
 */
#ifndef APISERVER_CONVERT_AUTOSCALER_H
#define APISERVER_CONVERT_AUTOSCALER_H

#include "api/types.h"
#include "base/arena.h"

/* The results share what they can with the argument. Annotations that do not parse count as absent. */
ProtobufCMessage *autoscaler_to_v2(struct arena *arena, const AutoscalingV1HorizontalPodAutoscaler *from);
ProtobufCMessage *autoscaler_from_v2(struct arena *arena, const AutoscalingV2HorizontalPodAutoscaler *from);
/* Without the annotations above: what a client of v2 wrote of them is dropped. */
void autoscaler_drop_annotations(struct arena *arena, MetaV1ObjectMeta *meta);

#endif
