/*
 * From what the user names (files, types and names, selectors) to objects.
 *
 *	struct selection selection = {.files = &options->files, .args = call->args, .n_args = call->n_args, .flatten =
 *true}; struct infos infos; struct status *errors = select_objects(k, &selection, &infos);
 *
 * Forms of the arguments: "pods", "pods,services", "pods a b", "pods,services a", "pod/a deployment/b", and categories.
 */
#ifndef KUBECTL_BUILDER_H
#define KUBECTL_BUILDER_H

#include "api/selector.h"
#include "kubectl/object.h"
#include "kubectl/request.h"

struct filename_options {
	struct flag_list filenames;
	bool recursive;
	char *kustomize;
};
extern const struct option filename_flags[];
static inline bool has_files(const struct filename_options *files)
{
	return files->filenames.n_items || !str_empty(files->kustomize);
}

struct info {
	const struct api_resource *mapping; /* NULL for local objects */
	const char *namespace;		    /* "" if cluster-scoped, or all of them */
	const char *name;		    /* "" for a list */
	cJSON *object;			    /* NULL if not asked for */
	const char *source;
};

struct infos {
	struct info *items;
	size_t n_items;
	bool single_item_implied;
};

struct selection {
	const struct filename_options *files; /* may be NULL */
	char **args;
	size_t n_args;
	const char *default_type; /* the arguments are names of this type where they do not say another */
	const char *selector, *field_selector;
	bool all_namespaces;
	bool all;		    /* --all */
	bool list_without_selector; /* a type alone means all its objects */
	bool local;		    /* no server: objects come from files as they are */
	bool flatten;		    /* lists become their items */
	bool latest;		    /* objects named by files are read from the server */
	bool names_only;	    /* objects named by arguments are not fetched */
	bool stop_at_error;
	bool single_type;
	bool ignore_not_found;
	const char *accept; /* of the requests */
	const char *query;  /* added to the requests */
	int64_t chunk_size;
	const char *subresource;
};

/* Error: of all that went wrong; *ret_infos holds what could be found all the same. */
struct status *select_objects(struct kubectl *k, const struct selection *selection, struct infos *ret_infos) MUST_USE;
/* Objects of the files only; lists are flattened. */
struct status *read_manifests(
	struct kubectl *k, const struct filename_options *files, bool local, struct infos *ret_infos) MUST_USE;
bool tree_matches_labels(const cJSON *object, const struct label_selector *selector);
/* Reads the object of an info anew. */
struct status *info_fetch(struct kubectl *k, struct info *info) MUST_USE;
/* "deployment.apps/web" */
char *info_display(struct kubectl *k, const struct info *info);
/* All documents of a text, YAML or JSON, as trees. */
struct status *parse_documents(struct arena *arena, const char *data, size_t size, const char *source,
	cJSON ***ret_items, size_t *ret_n) MUST_USE;
/* A file's content, of standard input for "-". */
struct status *read_input(struct kubectl *k, const char *path, char **ret_data, size_t *ret_size) MUST_USE;

#endif
