#include "apiserver/admission/admission.h"
#include "api/meta.h"
#include "apiserver/admission/plugins.h"
#include "base/mem.h"
#include "base/str.h"

struct admission {
	struct admission_context context;
	const struct admission_plugin **plugins;
	size_t n_plugins;
};

struct flag *admission_flags(struct admission_options *o)
{
	const struct flag flags[] = {
		{"enable-admission-plugins", 0, FLAG_STRINGS, &o->enable, "",
			"admission plugins to enable beside the default ones"},
		{"disable-admission-plugins", 0, FLAG_STRINGS, &o->disable, "",
			"admission plugins to disable although on by default"},
		{NULL},
	};
	return mem_dup(flags, sizeof(flags));
}

static bool is_known(const char *name)
{
	for (size_t i = 0; admission_plugins[i]; i++)
		if (str_eq(admission_plugins[i]->name, name))
			return true;
	return str_in(name, admission_other_names);
}

static struct status *check_names(const struct flag_list *list, const char *flag)
{
	for (size_t i = 0; i < list->n_items; i++)
		if (!is_known(list->items[i]))
			return status_bad_request("%s plugin \"%s\" is unknown", flag, list->items[i]);
	return NULL;
}

static bool is_on(const struct admission_options *o, const struct admission_plugin *plugin)
{
	if (str_in_n(plugin->name, o->disable.items, o->disable.n_items))
		return false;
	return plugin->on_by_default || str_in_n(plugin->name, o->enable.items, o->enable.n_items);
}

struct status *admission_new(
	const struct admission_options *options, const struct admission_context *context, struct admission **ret)
{
	TRY(check_names(&options->enable, "enable-admission-plugins"));
	TRY(check_names(&options->disable, "disable-admission-plugins"));
	struct admission *admission = mem_zalloc(sizeof(*admission));
	admission->context = *context;
	for (size_t i = 0; admission_plugins[i]; i++) {
		if (!is_on(options, admission_plugins[i]))
			continue;
		admission->plugins =
			mem_realloc(admission->plugins, (admission->n_plugins + 1) * sizeof(*admission->plugins));
		admission->plugins[admission->n_plugins++] = admission_plugins[i];
	}
	*ret = admission;
	return NULL;
}

void admission_free(struct admission *admission)
{
	if (!admission)
		return;
	free(admission->plugins);
	free(admission);
}

static bool handles(const struct admission_plugin *plugin, const struct admission_attributes *a)
{
	if (a->operation == ADMISSION_DELETE)
		return plugin->handles_delete;
	return a->operation != ADMISSION_CONNECT || plugin->handles_connect;
}

struct status *admission_mutate(struct admission *admission, const struct admission_attributes *a)
{
	for (size_t i = 0; i < admission->n_plugins; i++)
		if (admission->plugins[i]->mutate && handles(admission->plugins[i], a))
			TRY(admission->plugins[i]->mutate(&admission->context, a));
	return NULL;
}

struct status *admission_validate(struct admission *admission, const struct admission_attributes *a)
{
	for (size_t i = 0; i < admission->n_plugins; i++)
		if (admission->plugins[i]->validate && handles(admission->plugins[i], a))
			TRY(admission->plugins[i]->validate(&admission->context, a));
	return NULL;
}

bool admission_is(
	const struct admission_attributes *a, const char *group, const char *resource, const char *subresource)
{
	return str_eq(a->group, group) && str_eq(a->resource, resource) && str_eq(a->subresource, subresource);
}

struct status *admission_namespace(const struct admission_context *context, const struct admission_attributes *a,
	const CoreV1Namespace **ret_namespace)
{
	const ProtobufCMessage *object;
	struct status *s = objects_get(context->objects, a->arena, &CoreV1Namespace_schema, "", a->namespace, &object);
	if (status_is(s, STATUS_NOT_FOUND)) {
		/* Perhaps through another server. */
		status_drop(s, "asked again at the source");
		s = objects_get_live(context->objects, a->arena, &CoreV1Namespace_schema, "", a->namespace, &object);
	}
	if (!s)
		*ret_namespace = (const CoreV1Namespace *)object;
	return s;
}

/* What the object is called in an error: its name, or what its name will begin with. */
static const char *name_of(const struct admission_attributes *a)
{
	if (!str_empty(a->name))
		return a->name;
	const MetaV1ObjectMeta *meta = a->object ? object_meta(a->object) : NULL;
	return meta ? str_or(meta->name, str_or_empty(meta->generate_name)) : "";
}

struct status *admission_forbidden(const struct admission_attributes *a, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	char *why = arena_vprintf(a->arena, format, args);
	va_end(args);
	const char *name = name_of(a), *dot = str_empty(a->group) ? "" : ".";
	struct status *s = *name ? status_new(STATUS_FORBIDDEN, "%s%s%s \"%s\" is forbidden: %s", a->resource, dot,
					   str_or_empty(a->group), name, why)
				 : status_new(STATUS_FORBIDDEN, "%s%s%s is forbidden: %s", a->resource, dot,
					   str_or_empty(a->group), why);
	return status_details(s, a->group, a->resource, name);
}
