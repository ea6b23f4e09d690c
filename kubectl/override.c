#include "kubectl/override.h"

#include "api/patch.h"
#include "api/yaml.h"
#include "kubectl/kubectl.h"

const struct option override_flags[] = {
	OPT(struct override_options, type, 0, "override-type", FLAG_STRING, "merge",
		"How --overrides is applied: json, merge, strategic"),
	OPT(struct override_options, changes, 0, "overrides", FLAG_STRING, "",
		"Changes to the generated object, as JSON"),
	OPT_END,
};

struct status *override_apply(
	struct arena *arena, const struct override_options *options, const struct schema_type *type, cJSON **object)
{
	const char *how = str_or(options->type, "merge");
	cJSON *patch;
	if (str_empty(options->changes))
		return NULL;
	TRY(yaml_parse(arena, options->changes, strlen(options->changes), NULL, &patch));
	if (str_eq(how, "json"))
		return patch_json(arena, *object, patch, object);
	if (str_eq(how, "strategic"))
		return patch_strategic(arena, type, *object, patch, object);
	if (str_eq(how, "merge"))
		return patch_merge(arena, *object, patch, object);
	return user_error("invalid override type: %s", how);
}
