/*
 * Checks of events. Those of events.k8s.io are judged in their core form, as the original does: its messages name the
 * core fields.
 */
#ifndef APISERVER_VALIDATION_EVENT_H
#define APISERVER_VALIDATION_EVENT_H

#include "api/types.h"
#include "apiserver/validation/field.h"

/* Of every write. core: it came as a core event. */
void validate_event(struct field_errors *errors, const CoreV1Event *event, bool core);
/* Of a new one that came as events.k8s.io/v1, beside the above. */
void validate_event_v1(struct field_errors *errors, const CoreV1Event *event);
/* Of a changed one: only the series changes. */
void validate_event_v1_update(struct field_errors *errors, const CoreV1Event *event, const CoreV1Event *old);

#endif
