#include "kubectl/builder.h"
#include "kubectl/printer.h"
#include "kubectl/tabwriter.h"
#include "kubectl/verbs/verbs.h"
#include "net/url.h"

struct events_options {
	struct print_options print;
	bool all_namespaces, no_headers, watch;
	char *for_;
	struct flag_list types;
	int64_t chunk_size;
};

#define E(...) OPT(struct events_options, __VA_ARGS__)
static const struct option events_flags[] = {
	OPT_GROUP(struct events_options, print, print_flags),
	E(all_namespaces, 'A', "all-namespaces", FLAG_BOOL, "false", "In all namespaces"),
	E(chunk_size, 0, "chunk-size", FLAG_INT, "500", "Fetch long lists in pieces of this size"),
	E(for_, 0, "for", FLAG_STRING, "", "Only events of this object: type/name"),
	E(no_headers, 0, "no-headers", FLAG_BOOL, "false", "Leave the column headers out"),
	E(types, 0, "types", FLAG_STRINGS, "", "Only events of these types: Normal, Warning"),
	E(watch, 'w', "watch", FLAG_BOOL, "false", "Show the events, then every new one"),
	OPT_END,
};

struct printer_state {
	struct kubectl *k;
	const struct events_options *o;
	struct tabwriter w;
	struct printer *printer;
	bool header;
	struct status *error;
};

static const char *last_seen(const cJSON *event)
{
	const char *series = obj_string(event, "series.lastObservedTime"), *last = obj_string(event, "lastTimestamp");
	return *series ? series : *last ? last : obj_string(event, "eventTime");
}

static int by_last_seen(const void *a, const void *b)
{
	return strcmp(last_seen(*(cJSON *const *)a), last_seen(*(cJSON *const *)b));
}

static bool type_wanted(const struct events_options *o, const cJSON *event)
{
	for (size_t i = 0; i < o->types.n_items; i++)
		if (str_eq_nocase(o->types.items[i], obj_string(event, "type")))
			return true;
	return !o->types.n_items;
}

static char *interval(struct arena *arena, const cJSON *event)
{
	const char *first = obj_string(event, "firstTimestamp");
	char *since = human_age(arena, *first ? first : obj_string(event, "eventTime"));
	int64_t n = obj_int(event, obj_has(event, "series") ? "series.count" : "count", 0);
	if (n > 1)
		return arena_printf(
			arena, "%s (x%lld over %s)", human_age(arena, last_seen(event)), (long long)n, since);
	return since;
}

static void print_event(struct printer_state *p, struct arena *arena, const cJSON *event)
{
	const cJSON *object = tree_get(event, "involvedObject");
	char *message = str_trim(arena, obj_string(event, "message"));
	message[strcspn(message, "\n")] = 0;
	if (!p->header && !p->o->no_headers)
		tabwriter_printf(&p->w, "%sLAST SEEN\tTYPE\tREASON\tOBJECT\tMESSAGE\n",
			p->o->all_namespaces ? "NAMESPACE\t" : "");
	p->header = true;
	if (p->o->all_namespaces)
		tabwriter_printf(&p->w, "%s\t", obj_namespace(event));
	tabwriter_printf(&p->w, "%s\t%s\t%s\t%s/%s\t%s\n", interval(arena, event), obj_string(event, "type"),
		obj_string(event, "reason"), obj_kind(object), obj_string(object, "name"), message);
}

static struct status *field_selector(struct kubectl *k, const struct events_options *o, char **ret)
{
	const struct api_resource *mapping;
	const char *slash = strchr(o->for_, '/');
	*ret = NULL;
	if (str_empty(o->for_))
		return NULL;
	if (!slash)
		return user_error("--for must be in resource/name form");
	TRY(mapping_find(k, arena_strndup(k->arena, o->for_, (size_t)(slash - o->for_)), &mapping));
	const char *group = mapping->rest.group;
	*ret = arena_printf(k->arena, "involvedObject.kind=%s,involvedObject.apiVersion=%s%s%s,involvedObject.name=%s",
		mapping->kind, group, *group ? "/" : "", mapping->rest.version, slash + 1);
	return NULL;
}

static bool on_event(void *data, const struct watch_event *event)
{
	struct printer_state *p = data;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	cJSON *object;
	if (event->type != WATCH_ADDED && event->type != WATCH_MODIFIED)
		return event->type != WATCH_ERROR;
	p->error = tree_parse(arena, event->json, event->json_size, NULL, &object);
	if (p->error)
		return false;
	if (type_wanted(p->o, object)) {
		print_event(p, arena, object);
		tabwriter_flush(&p->w);
	}
	return true;
}

static struct status *print_all(struct printer_state *p, cJSON **items, size_t n, const char *namespace)
{
	if (print_wants_object(&p->o->print) || str_eq(p->o->print.output, "name")) {
		cJSON *list = obj_new(p->k->arena, "v1", "List", NULL);
		obj_set_string(p->k->arena, list, "metadata.resourceVersion", "");
		for (size_t i = 0; i < n; i++)
			tree_append(obj_array(p->k->arena, list, "items"), tree_copy(p->k->arena, items[i]));
		return printer_print(p->printer, list, stdout);
	}
	if (!n && p->o->all_namespaces)
		fputs("No events found.\n", stderr);
	else if (!n)
		fprintf(stderr, "No events found in %s namespace.\n", namespace);
	for (size_t i = 0; i < n; i++)
		print_event(p, p->k->arena, items[i]);
	tabwriter_flush(&p->w);
	return NULL;
}

static struct status *events_run(struct kubectl *k, struct call *call)
{
	static const struct client_resource events = {
		.group = "", .version = "v1", .plural = "events", .namespaced = true};
	struct events_options *o = call->options;
	struct printer_state p = {.k = k, .o = o};
	struct client *client;
	const char *namespace = "";
	char *selector;
	cJSON *list, **items = NULL;
	size_t n = 0;
	CLEANUP(strbuf_done) struct strbuf query = STRBUF_INIT;
	for (size_t i = 0; i < o->types.n_items; i++)
		if (!str_eq_nocase(o->types.items[i], "Normal") && !str_eq_nocase(o->types.items[i], "Warning"))
			return user_error("valid --types are Normal or Warning");
	if (!o->all_namespaces)
		TRY(kubectl_namespace(k, &namespace));
	TRY(printer_new(k, &o->print, NULL, &p.printer));
	TRY(field_selector(k, o, &selector));
	TRY(kubectl_client(k, &client));
	query_add(&query, "fieldSelector", selector);
	TRY(rest_get(k, k->arena, client_path(k->arena, &events, namespace, NULL, NULL), query.buf, &list));
	TREE_FOREACH (item, tree_get(list, "items")) {
		tree_set_string(k->arena, item, "kind", "Event");
		tree_set_string(k->arena, item, "apiVersion", "v1");
		if (type_wanted(o, item))
			ARENA_PUSH(k->arena, items, n) = item;
	}
	if (n)
		qsort(items, n, sizeof(*items), by_last_seen);
	tabwriter_init(&p.w, k->arena, 6, 3, true, stdout);
	if (n || !o->watch)
		TRY(print_all(&p, items, n, namespace));
	if (!o->watch)
		return NULL;
	struct watch_options options = {.resource_version = obj_string(list, "metadata.resourceVersion"),
		.field_selector = selector,
		.timeout_seconds = kubectl_watch_seconds(k)};
	TRY(client_watch(client, &events, NULL, namespace, &options, on_event, &p));
	return p.error;
}

const struct command events_command = {
	.name = "events",
	.section = "Troubleshooting and Debugging Commands:",
	.summary = "List events",
	.usage = "[(-o|--output=)json|yaml|name] [--for TYPE/NAME] [--watch] [--types=Normal,Warning]",
	.flags = events_flags,
	.options_size = sizeof(struct events_options),
	.run = events_run,
};
