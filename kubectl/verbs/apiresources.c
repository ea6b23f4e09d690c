/* kubectl api-resources and api-versions. */
#include "kubectl/printer.h"
#include "kubectl/request.h"
#include "kubectl/verbs/verbs.h"

struct resources_options {
	char *group, *output, *sort_by;
	struct flag_list verbs, categories;
	bool namespaced, no_headers, cached;
};

#define R(...) OPT(struct resources_options, __VA_ARGS__)
static const struct option resources_flags[] = {
	R(group, 0, "api-group", FLAG_STRING, "", "Only resources of this group"),
	R(cached, 0, "cached", FLAG_BOOL, "false", "Use what is cached on disk"),
	R(categories, 0, "categories", FLAG_STRINGS, "", "Only resources of these categories"),
	R(namespaced, 0, "namespaced", FLAG_BOOL, "true", "Only namespaced resources, or only those that are not"),
	R(no_headers, 0, "no-headers", FLAG_BOOL, "false", "Leave the column headers out"),
	R(output, 'o', "output", FLAG_STRING, "", "name or wide"),
	R(sort_by, 0, "sort-by", FLAG_STRING, "", "name or kind"),
	R(verbs, 0, "verbs", FLAG_STRINGS, "", "Only resources that know these verbs"),
	OPT_END,
};

static bool in_list(const char *const *list, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(list[i], text))
			return true;
	return false;
}

static bool wanted(const struct resources_options *o, struct call *call, const struct api_resource *r)
{
	if (call_changed(call, "api-group") && !str_eq(r->rest.group, o->group))
		return false;
	if (call_changed(call, "namespaced") && r->rest.namespaced != o->namespaced)
		return false;
	for (size_t i = 0; i < o->verbs.n_items; i++)
		if (!in_list(r->verbs, r->n_verbs, o->verbs.items[i]))
			return false;
	for (size_t i = 0; i < o->categories.n_items; i++)
		if (!in_list(r->categories, r->n_categories, o->categories.items[i]))
			return false;
	return true;
}

static const char *join(struct arena *arena, const char *const *items, size_t n)
{
	return str_join(arena, (char *const *)(uintptr_t)items, n, ",");
}

static int by_group(const void *a, const void *b)
{
	const struct api_resource *ra = *(const struct api_resource *const *)a,
				  *rb = *(const struct api_resource *const *)b;
	int group = str_cmp(ra->rest.group, rb->rest.group);
	return group ? group : str_cmp(ra->rest.plural, rb->rest.plural);
}

static int by_name(const void *a, const void *b)
{
	return str_cmp((*(const struct api_resource *const *)a)->rest.plural,
		(*(const struct api_resource *const *)b)->rest.plural);
}

static int by_kind(const void *a, const void *b)
{
	return str_cmp((*(const struct api_resource *const *)a)->kind, (*(const struct api_resource *const *)b)->kind);
}

static void print_row(struct kubectl *k, struct tabwriter *w, const struct api_resource *r, bool wide)
{
	tabwriter_printf(w, "%s\t%s\t%s\t%s\t%s", r->rest.plural, join(k->arena, r->short_names, r->n_short_names),
		api_resource_group_version(k->arena, r), r->rest.namespaced ? "true" : "false", r->kind);
	if (wide) {
		const char **verbs = arena_dup(k->arena, r->verbs, (r->n_verbs + 1) * sizeof(*verbs));
		qsort(verbs, r->n_verbs, sizeof(*verbs), str_cmp_qsort);
		tabwriter_printf(w, "\t%s\t%s", join(k->arena, verbs, r->n_verbs),
			join(k->arena, r->categories, r->n_categories));
	}
	tabwriter_adds(w, "\n");
}

static struct status *resources_run(struct kubectl *k, struct call *call)
{
	struct resources_options *o = call->options;
	struct discovery *discovery;
	const struct api_resource *const *all, **items = NULL;
	size_t n_all, n = 0;
	bool wide = str_eq(o->output, "wide"), names = str_eq(o->output, "name");
	struct tabwriter w;
	if (call->n_args)
		return usage_error(
			call, "unexpected arguments: [%s]", str_join(k->arena, call->args, call->n_args, " "));
	if (!wide && !names && !str_empty(o->output))
		return user_error("--output %s is not available", o->output);
	if (!str_empty(o->sort_by) && !str_eq(o->sort_by, "name") && !str_eq(o->sort_by, "kind"))
		return user_error("--sort-by accepts only name or kind");
	TRY(kubectl_discovery(k, &discovery));
	if (!o->cached)
		discovery_invalidate(discovery);
	TRY(discovery_preferred_resources(discovery, &all, &n_all));
	for (size_t i = 0; i < n_all; i++)
		if (all[i]->n_verbs && wanted(o, call, all[i]))
			ARENA_PUSH(k->arena, items, n) = all[i];
	if (n)
		qsort(items, n, sizeof(*items),
			str_eq(o->sort_by, "name")   ? by_name
			: str_eq(o->sort_by, "kind") ? by_kind
						     : by_group);
	tabwriter_init(&w, k->arena, 6, 3, false, stdout);
	if (!names && !o->no_headers && n)
		tabwriter_printf(
			&w, "NAME\tSHORTNAMES\tAPIVERSION\tNAMESPACED\tKIND%s\n", wide ? "\tVERBS\tCATEGORIES" : "");
	for (size_t i = 0; i < n; i++) {
		if (names)
			tabwriter_printf(&w, "%s\n", mapping_plural_group(k->arena, items[i]));
		else
			print_row(k, &w, items[i], wide);
	}
	tabwriter_flush(&w);
	return NULL;
}

static struct status *versions_run(struct kubectl *k, struct call *call)
{
	struct discovery *discovery;
	const struct api_group *groups;
	struct status *partial = NULL;
	size_t n_groups, n = 0;
	char **items = NULL;
	if (call->n_args)
		return usage_error(
			call, "unexpected arguments: [%s]", str_join(k->arena, call->args, call->n_args, " "));
	TRY(kubectl_discovery(k, &discovery));
	discovery_invalidate(discovery);
	TRY(discovery_groups(discovery, &groups, &n_groups, &partial));
	status_drop(partial, "groups are listed even where their server is down");
	for (size_t i = 0; i < n_groups; i++)
		for (size_t j = 0; j < groups[i].n_versions; j++)
			ARENA_PUSH(k->arena, items, n) =
				*groups[i].name ? arena_printf(k->arena, "%s/%s", groups[i].name, groups[i].versions[j])
						: arena_strdup(k->arena, groups[i].versions[j]);
	if (n)
		qsort(items, n, sizeof(*items), str_cmp_qsort);
	for (size_t i = 0; i < n; i++)
		puts(items[i]);
	return NULL;
}

const struct command api_resources_command = {
	.name = "api-resources",
	.section = "Other Commands:",
	.summary = "Print the supported API resources on the server",
	.flags = resources_flags,
	.options_size = sizeof(struct resources_options),
	.run = resources_run,
};
const struct command api_versions_command = {
	.name = "api-versions",
	.section = "Other Commands:",
	.summary = "Print the supported API versions on the server, in the form of \"group/version\"",
	.run = versions_run,
};
