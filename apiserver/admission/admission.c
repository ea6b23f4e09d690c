#include "apiserver/admission/admission.h"
#include "api/meta.h"
#include "apiserver/admission/plugins.h"
#include "apiserver/validation/meta.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "serve/metrics.h"
#include "base/tally.h"

enum { MUTATE, VALIDATE, N_STEPS };
enum { N_OPERATIONS = ADMISSION_CONNECT + 1 };

/* How long something took, by step, operation and whether it refused. */
struct admission_figures {
	struct tally_slot slots[N_STEPS][N_OPERATIONS][2];
};

struct admission {
	struct admission_context context;
	const struct admission_plugin **plugins;
	struct admission_figures *figures; /* of each plugin, and behind them of whole steps */
	size_t n_plugins;
};

static const double seconds[] = {0.005, 0.025, 0.1, 0.5, 1, 2.5};
static const struct tally_bounds bounds = {seconds, ARRAY_SIZE(seconds)};

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

/* Whoever asks for a plugin is not left to believe that it is there. */
static void warn_of_others(const struct flag_list *list)
{
	for (size_t i = 0; i < list->n_items; i++)
		if (str_in(list->items[i], admission_other_names))
			log_warn("admission plugin %s does nothing in this server", list->items[i]);
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
	warn_of_others(&options->enable);
	struct admission *admission = mem_zalloc(sizeof(*admission));
	admission->context = *context;
	admission->context.pod_security = pod_security_figures_new();
	admission->context.default_priorities = default_priorities_new(context->objects);
	for (size_t i = 0; admission_plugins[i]; i++) {
		if (!is_on(options, admission_plugins[i]))
			continue;
		admission->plugins =
			mem_realloc(admission->plugins, (admission->n_plugins + 1) * sizeof(*admission->plugins));
		admission->plugins[admission->n_plugins++] = admission_plugins[i];
	}
	admission->figures = mem_zalloc((admission->n_plugins + 1) * sizeof(*admission->figures));
	*ret = admission;
	return NULL;
}

static void figures_done(struct admission_figures *f)
{
	for (int step = 0; step < N_STEPS; step++)
		for (int o = 0; o < N_OPERATIONS; o++)
			for (int refused = 0; refused < 2; refused++)
				tally_done(&f->slots[step][o][refused]);
}

void admission_free(struct admission *admission)
{
	if (!admission)
		return;
	for (size_t i = 0; i <= admission->n_plugins; i++)
		figures_done(&admission->figures[i]);
	default_priorities_free(admission->context.default_priorities);
	free(admission->context.pod_security);
	free(admission->figures);
	free(admission->plugins);
	free(admission);
}

static bool handles(const struct admission_plugin *plugin, const struct admission_attributes *a)
{
	if (a->operation == ADMISSION_DELETE)
		return plugin->handles_delete;
	return a->operation != ADMISSION_CONNECT || plugin->handles_connect;
}

static struct status *run(struct admission *admission, const struct admission_attributes *a, int step)
{
	const struct clock *clock = admission->context.clock;
	int64_t begin_ns = clock_mono_ns(clock), last_ns = begin_ns;
	struct status *refused = NULL;
	for (size_t i = 0; i < admission->n_plugins && !refused; i++) {
		const struct admission_plugin *p = admission->plugins[i];
		struct status *(*ask)(const struct admission_context *, const struct admission_attributes *) =
			step == MUTATE ? p->mutate : p->validate;
		if (!ask || !handles(p, a))
			continue;
		refused = ask(&admission->context, a);
		int64_t now_ns = clock_mono_ns(clock);
		tally_observe(&admission->figures[i].slots[step][a->operation][refused != NULL], &bounds,
			(double)(now_ns - last_ns) / 1e9);
		last_ns = now_ns;
	}
	tally_observe(&admission->figures[admission->n_plugins].slots[step][a->operation][refused != NULL], &bounds,
		(double)(last_ns - begin_ns) / 1e9);
	return refused;
}

struct status *admission_mutate(struct admission *admission, const struct admission_attributes *a)
{
	return run(admission, a, MUTATE);
}

struct status *admission_validate(struct admission *admission, const struct admission_attributes *a)
{
	return run(admission, a, VALIDATE);
}

static const char *const operations[] = {"CREATE", "UPDATE", "DELETE", "CONNECT"};
static const char *const steps[] = {"admit", "validate"};

/* plugin "": of a whole step. */
static void write_figures(const struct admission_figures *f, struct strbuf *out, const char *name, const char *plugin)
{
	for (int step = 0; step < N_STEPS; step++)
		for (int o = 0; o < N_OPERATIONS; o++)
			for (int refused = 0; refused < 2; refused++) {
				CLEANUP(strbuf_done) struct strbuf labels = STRBUF_INIT;
				if (*plugin)
					metrics_add_label(&labels, "name", plugin);
				metrics_add_label(&labels, "operation", operations[o]);
				metrics_add_label(&labels, "rejected", refused ? "true" : "false");
				metrics_add_label(&labels, "type", steps[step]);
				metrics_write_tally(out, name, labels.buf, &f->slots[step][o][refused], &bounds);
			}
}

/* How often and how long in all; quantiles of the last hours are not kept. */
static void write_summary(const struct admission_figures *f, struct strbuf *out)
{
	static const char name[] = "apiserver_admission_step_admission_duration_seconds_summary";
	metrics_write_head(out, name, "summary", "How long all plugins of an admission step took.");
	for (int step = 0; step < N_STEPS; step++)
		for (int o = 0; o < N_OPERATIONS; o++)
			for (int refused = 0; refused < 2; refused++) {
				uint64_t counts[ARRAY_SIZE(seconds) + 1];
				double sum;
				CLEANUP(strbuf_done) struct strbuf labels = STRBUF_INIT;
				uint64_t n = tally_read(&f->slots[step][o][refused], &bounds, counts, &sum);
				if (!n)
					continue;
				metrics_add_label(&labels, "operation", operations[o]);
				metrics_add_label(&labels, "rejected", refused ? "true" : "false");
				metrics_add_label(&labels, "type", steps[step]);
				metrics_write_sample(out,
					"apiserver_admission_step_admission_duration_seconds_summary_sum", labels.buf,
					sum);
				metrics_write_sample(out,
					"apiserver_admission_step_admission_duration_seconds_summary_count", labels.buf,
					(double)n);
			}
}

void admission_write_metrics(const struct admission *admission, struct strbuf *out)
{
	static const char by_plugin[] = "apiserver_admission_controller_admission_duration_seconds",
			  by_step[] = "apiserver_admission_step_admission_duration_seconds";
	metrics_write_head(out, by_plugin, "histogram", "How long each admission plugin took.");
	for (size_t i = 0; i < admission->n_plugins; i++)
		write_figures(&admission->figures[i], out, by_plugin, admission->plugins[i]->name);
	metrics_write_head(out, by_step, "histogram", "How long all plugins of an admission step took.");
	write_figures(&admission->figures[admission->n_plugins], out, by_step, "");
	write_summary(&admission->figures[admission->n_plugins], out);
	pod_security_figures_write(admission->context.pod_security, out);
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
	if (a->namespace_seen && *a->namespace_seen) {
		*ret_namespace = *a->namespace_seen;
		return NULL;
	}
	struct status *s = objects_get(context->objects, a->arena, &CoreV1Namespace_schema, "", a->namespace, &object);
	if (status_is(s, STATUS_NOT_FOUND)) {
		/* Perhaps through another server. */
		status_drop(s, "asked again at the source");
		s = objects_get_live(context->objects, a->arena, &CoreV1Namespace_schema, "", a->namespace, &object);
	}
	if (s)
		return s;
	*ret_namespace = (const CoreV1Namespace *)object;
	if (a->namespace_seen)
		*a->namespace_seen = *ret_namespace;
	return NULL;
}

/* What the object is called in an error: its name, or what its name will begin with. */
static const char *name_of(const struct admission_attributes *a)
{
	if (!str_empty(a->name))
		return a->name;
	const MetaV1ObjectMeta *meta = a->object ? object_meta(a->object) : NULL;
	return meta ? str_or(meta->name, str_or(meta->generate_name, "Unknown")) : "Unknown";
}

const char *admission_bad_name(const struct admission_attributes *a, const char *name)
{
	const char *wrong = name_is_path_segment(a->arena, name, false);
	return wrong ? arena_printf(a->arena, "invalid resource name %s: [%s]", field_quote(a->arena, name), wrong)
		     : NULL;
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
