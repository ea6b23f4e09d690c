#include "apiserver/admission/admission.h"
#include <stdlib.h>
#include "api/meta.h"
#include "apiserver/admission/config.h"
#include "apiserver/admission/plugins.h"
#include "apiserver/registry/request.h"
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

/* A plugin that is on, with what it sees. */
struct plugin {
	const struct admission_plugin *record;
	struct admission_context context;
};

struct admission {
	const struct clock *clock;
	struct arena *arena; /* what the plugins were told */
	struct plugin *plugins;
	struct admission_figures *figures; /* of each plugin, and behind them of whole steps */
	size_t n_plugins;
};

static const double seconds[] = {0.005, 0.025, 0.1, 0.5, 1, 2.5};
static const struct tally_bounds bounds = {seconds, ARRAY_SIZE(seconds)};

/* --- which are on --- */

struct flag *admission_flags(struct admission_options *o)
{
	const struct flag flags[] = {
		{"enable-admission-plugins", 0, FLAG_STRINGS, &o->enable, "",
			"admission plugins to enable beside the default ones"},
		{"disable-admission-plugins", 0, FLAG_STRINGS, &o->disable, "",
			"admission plugins to disable although on by default"},
		{"admission-control", 0, FLAG_STRINGS, &o->all, "", "the admission plugins, all of them",
			.deprecated = "Use --enable-admission-plugins or --disable-admission-plugins instead. Will be "
				      "removed in a future version."},
		{"admission-control-config-file", 0, FLAG_STRING, &o->config_file, "",
			"file with the configuration of admission plugins"},
		{"default-not-ready-toleration-seconds", 0, FLAG_INT, &o->not_ready_seconds, "300",
			"for how long pods stay on a node that is not ready, where they do not say"},
		{"default-unreachable-toleration-seconds", 0, FLAG_INT, &o->unreachable_seconds, "300",
			"the same on a node that cannot be reached"},
		{NULL},
	};
	return mem_dup(flags, sizeof(flags));
}

static bool is_known(const char *name)
{
	for (size_t i = 0; admission_plugins[i]; i++)
		if (str_eq(admission_plugins[i]->name, name))
			return true;
	return false;
}

static bool is_listed(const struct flag_list *list, const char *name)
{
	return str_in_n(name, list->items, list->n_items);
}

/* Several problems are told at once. */
struct problems {
	struct arena *arena;
	char **items;
	size_t n;
};

static void check_names(struct problems *p, const struct flag_list *list, const char *flag)
{
	for (size_t i = 0; i < list->n_items; i++)
		if (!is_known(list->items[i]))
			ARENA_PUSH(p->arena, p->items, p->n) =
				arena_printf(p->arena, "%s plugin \"%s\" is unknown", flag, list->items[i]);
}

static void check_overlap(struct problems *p, const struct admission_options *o)
{
	char **both = NULL;
	size_t n = 0;
	for (size_t i = 0; i < o->enable.n_items; i++)
		if (is_listed(&o->disable, o->enable.items[i]) && !str_in_n(o->enable.items[i], both, n))
			ARENA_PUSH(p->arena, both, n) = o->enable.items[i];
	if (!n)
		return;
	qsort(both, n, sizeof(*both), str_cmp_qsort);
	ARENA_PUSH(p->arena, p->items, p->n) =
		arena_printf(p->arena, "[%s] in enable-admission-plugins and disable-admission-plugins overlapped",
			str_join(p->arena, both, n, " "));
}

struct status *admission_check(const struct admission_options *o)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct problems p = {.arena = arena};
	if (o->all.n_items && (o->enable.n_items || o->disable.n_items))
		ARENA_PUSH(arena, p.items, p.n) =
			(char *)"admission-control and enable-admission-plugins/disable-admission-plugins flags are "
				"mutually exclusive";
	check_names(&p, &o->all, "admission-control");
	check_names(&p, &o->enable, "enable-admission-plugins");
	check_names(&p, &o->disable, "disable-admission-plugins");
	check_overlap(&p, o);
	if (p.n < 2)
		return p.n ? status_bad_request("%s", p.items[0]) : NULL;
	return status_bad_request("[%s]", str_join(arena, p.items, p.n, ", "));
}

static bool is_on(const struct admission_options *o, const struct admission_plugin *plugin)
{
	if (o->all.n_items)
		return is_listed(&o->all, plugin->name);
	if (is_listed(&o->enable, plugin->name))
		return true;
	return plugin->on_by_default && !is_listed(&o->disable, plugin->name);
}

/* --- their beginning and end --- */

static struct status *start_plugin(struct admission *admission, const struct admission_plugin *record,
	const struct admission_options *options, const struct admission_context *context,
	const ApiserverV1AdmissionConfiguration *told)
{
	struct plugin *p = &admission->plugins[admission->n_plugins];
	struct admission_start start = {.arena = admission->arena, .options = options};
	*p = (struct plugin){.record = record, .context = *context};
	/* Whoever asks for a plugin is not left to believe that it is there. */
	if (!record->mutate && !record->validate && is_listed(&options->enable, record->name))
		log_warn("the admission plugin %s does nothing in this server", record->name);
	TRY(admission_config_of(admission->arena, told, record->name, &start.config, &start.config_size));
	if (record->start)
		TRY(status_wrap(
			record->start(&p->context, &start), "couldn't init admission plugin \"%s\"", record->name));
	/* From now on it has an end. */
	admission->n_plugins++;
	return record->ready ? status_wrap(record->ready(&p->context), "failed to initialize admission plugin \"%s\"",
				       record->name)
			     : NULL;
}

static struct status *start_plugins(
	struct admission *admission, const struct admission_options *options, const struct admission_context *context)
{
	ApiserverV1AdmissionConfiguration *told;
	TRY(status_wrap(admission_config_read(admission->arena, str_or_empty(options->config_file), &told),
		"failed to read plugin config"));
	for (size_t i = 0; admission_plugins[i]; i++)
		if (is_on(options, admission_plugins[i]))
			TRY(start_plugin(admission, admission_plugins[i], options, context, told));
	return NULL;
}

struct status *admission_new(
	const struct admission_options *options, const struct admission_context *context, struct admission **ret)
{
	struct admission *admission = mem_zalloc(sizeof(*admission));
	size_t n = 0;
	while (admission_plugins[n])
		n++;
	admission->clock = context->clock;
	admission->arena = arena_new_sized(256);
	admission->plugins = mem_calloc(n, sizeof(*admission->plugins));
	admission->figures = mem_calloc(n + 1, sizeof(*admission->figures));
	struct status *wrong = start_plugins(admission, options, context);
	if (wrong) {
		admission_free(admission);
		return status_wrap(wrong, "failed to apply admission");
	}
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
	for (size_t i = 0; i < admission->n_plugins; i++)
		if (admission->plugins[i].record->stop)
			admission->plugins[i].record->stop(admission->plugins[i].context.own);
	free(admission->figures);
	free(admission->plugins);
	arena_free(admission->arena);
	free(admission);
}

/* --- asking them --- */

static struct status *run(struct admission *admission, const struct admission_attributes *a, int step)
{
	const struct clock *clock = admission->clock;
	int64_t begin_ns = clock_mono_ns(clock), last_ns = begin_ns;
	struct status *refused = NULL;
	for (size_t i = 0; i < admission->n_plugins && !refused; i++) {
		const struct plugin *p = &admission->plugins[i];
		struct status *(*ask)(const struct admission_context *, const struct admission_attributes *) =
			step == MUTATE ? p->record->mutate : p->record->validate;
		if (!ask || !(p->record->operations & 1U << a->operation))
			continue;
		refused = ask(&p->context, a);
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
		write_figures(&admission->figures[i], out, by_plugin, admission->plugins[i].record->name);
	metrics_write_head(out, by_step, "histogram", "How long all plugins of an admission step took.");
	write_figures(&admission->figures[admission->n_plugins], out, by_step, "");
	write_summary(&admission->figures[admission->n_plugins], out);
	for (size_t i = 0; i < admission->n_plugins; i++)
		if (admission->plugins[i].record->write_metrics)
			admission->plugins[i].record->write_metrics(admission->plugins[i].context.own, out);
}

bool admission_is(
	const struct admission_attributes *a, const char *group, const char *resource, const char *subresource)
{
	return str_eq(a->group, group) && str_eq(a->resource, resource) && str_eq(a->subresource, subresource);
}

CoreV1PodSpec *admission_pod_spec(const struct admission_attributes *a)
{
	return admission_is(a, "", "pods", "") && API_IS(a->object, CoreV1Pod) ? ((CoreV1Pod *)a->object)->spec : NULL;
}

void admission_warn(const struct admission_attributes *a, const char *format, ...)
{
	va_list args;
	if (!a->request)
		return;
	va_start(args, format);
	request_warn(a->request, "%s", arena_vprintf(a->arena, format, args));
	va_end(args);
}

struct status *admission_get(const struct admission_context *context, const struct admission_attributes *a,
	const struct schema_type *type, const char *namespace, const char *name, const ProtobufCMessage **ret_object)
{
	struct status *s = objects_get(context->objects, a->arena, type, namespace, name, ret_object);
	if (!status_is(s, STATUS_NOT_FOUND))
		return s;
	/* Perhaps through another server. */
	status_drop(s, "asked again at the source");
	return objects_get_live(context->objects, a->arena, type, namespace, name, ret_object);
}

struct status *admission_namespace(const struct admission_context *context, const struct admission_attributes *a,
	const CoreV1Namespace **ret_namespace)
{
	const ProtobufCMessage *object;
	if (a->namespace_seen && *a->namespace_seen) {
		*ret_namespace = *a->namespace_seen;
		return NULL;
	}
	TRY(admission_get(context, a, &CoreV1Namespace_schema, "", a->namespace, &object));
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
