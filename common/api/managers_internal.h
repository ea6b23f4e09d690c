/* What updates and applies share. */
#ifndef API_MANAGERS_INTERNAL_H
#define API_MANAGERS_INTERNAL_H

#include "api/managers.h"

/* Another set, when it is another. */
void manager_set(struct manager *manager, const struct fieldset *set);
/* Everybody but self loses what was changed or removed; with force unset, what of it is a conflict is told too. */
void managers_disown(const struct managers_call *call, struct managers *managers, const struct manager_id *self,
	bool force, struct field_changes *ret_changes, struct manager_conflicts *ret_conflicts);
/* Sets of versions that are gone go; those of another schema are read as of this. */
void managers_reconcile(const struct managers_call *call, struct managers *managers);
/* Without the fields that nobody owns. */
const struct fieldset *managers_strip(struct arena *arena, const struct fieldset *set);

#endif
