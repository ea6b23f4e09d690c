/*
 * Who owns which fields of an object: the entries of metadata.managedFields, and what a write makes of them. This is
 *the part of server-side apply that knows neither HTTP nor the store; it serves typed objects and trees alike.
 *
 *	struct managers managers;
 *	TRY(managers_read(arena, meta->managed_fields, meta->n_managed_fields, &managers));
 *	managers_update(&call, &managers);
 *	managers_write(arena, &managers, &meta->managed_fields, &meta->n_managed_fields);
 *
 * Ownership: everything lives in the arena. An entry whose set stays as it was is written back as it was read.
 */
#ifndef API_MANAGERS_H
#define API_MANAGERS_H

#include "api/field_walk.h"
#include "api/types.h"

#define MANAGERS_MAX_UPDATERS 10 /* more are joined, the oldest first */

/* Who wrote, and how. Updates of different versions are different managers; applies are not. */
struct manager_id {
	const char *name;
	bool applied;
	const char *api_version; /* "" of an apply */
	const char *subresource;
};

struct manager {
	struct manager_id id;
	const char *api_version; /* of the set */
	MetaV1Time *time;
	const struct fieldset *set;	 /* unread: see managers_read() */
	MetaV1ManagedFieldsEntry *entry; /* as it was read, or NULL */
	bool unread;
};

struct managers {
	struct manager *items;
	size_t n_items;
};

/* BadRequest when one of them is none; then nothing is said. Of entries that we wrote ourselves (trusted) the sets are
 * read when somebody asks for them, by manager_fields(): most writes touch those of one manager. */
struct status *managers_read(struct arena *arena, MetaV1ManagedFieldsEntry *const *entries, size_t n_entries,
	bool trusted, struct managers *ret_managers) MUST_USE;
const struct fieldset *manager_fields(struct arena *arena, struct manager *manager);
/* In the order of the original: applies first, then by time, name, version and subresource. */
void managers_write(
	struct arena *arena, const struct managers *managers, MetaV1ManagedFieldsEntry ***ret_entries, size_t *ret_n);
struct manager_id manager_id_of(const char *name, bool applied, const char *api_version, const char *subresource);
int manager_id_compare(const struct manager_id *a, const struct manager_id *b);
struct manager *managers_find(const struct managers *managers, const struct manager_id *id);
void managers_add(struct arena *arena, struct managers *managers, struct manager manager);
void managers_remove(struct managers *managers, const struct manager *manager);

/* The versions that sets may be of. */
struct managers_versions {
	void *data;
	/* False: there is no such version (any more); its managers are forgotten. */
	bool (*place)(void *data, const char *api_version, struct field_place *ret_place);
	/* What no write of this kind ever owns: fields that the server sets back. */
	const struct fieldset *(*reset)(void *data, const char *api_version);
	/* The object before and after an update in a version. */
	bool (*values)(
		void *data, const char *api_version, struct field_value *ret_before, struct field_value *ret_after);
	/* A tree in another version, for applies; NULL when it cannot be. */
	const cJSON *(*convert)(void *data, const cJSON *tree, const char *api_version);
};

/* A write. */
struct managers_call {
	struct arena *arena;
	const struct managers_versions *versions;
	const char *api_version; /* of the request */
	struct manager_id self;
	int64_t now_s;
};

/* After a write that was no apply: who changed a field owns it, and nobody else does. */
void managers_update(const struct managers_call *call, struct managers *managers);
/* The same of an object that is new and brings no entries, and what managers_write() would make of it, at once. */
void managers_create(
	const struct managers_call *call, const void *object, MetaV1ManagedFieldsEntry ***ret_entries, size_t *ret_n);

/* Fields that an apply would take from others. */
struct manager_conflict {
	struct manager_id manager;
	const struct fieldset *set;
};
struct manager_conflicts {
	struct manager_conflict *items;
	size_t n_items;
};
/* "Apply failed with 1 conflict: …", with a cause for each field. */
struct status *manager_conflicts_status(struct arena *arena, const struct manager_conflicts *conflicts) MUST_USE;

/* An apply of a configuration onto what is there: *ret_tree is the object, the caller's to change, NULL when it stays
 * as it is. With conflicts, which force passes over, neither the managers nor the object change. */
struct status *managers_apply(const struct managers_call *call, struct managers *managers, const cJSON *live,
	const cJSON *config, bool force, cJSON **ret_tree, struct manager_conflicts *ret_conflicts) MUST_USE;

#endif
