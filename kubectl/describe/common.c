#include <ctype.h>
#include <time.h>
#include "kubectl/describe/describe.h"
#include "kubectl/pods.h"
#include "net/url.h"

#define ANNOTATION_MAX 140

void line(struct desc *d, int level, const char *format, ...)
{
	va_list args;
	for (int i = 0; i < level; i++)
		tabwriter_adds(&d->w, "  ");
	va_start(args, format);
	strbuf_vprintf(&d->w.text, format, args);
	va_end(args);
}

void describe_labels(struct desc *d, const char *title, const cJSON *map)
{
	size_t n;
	cJSON **items = obj_sorted(d->arena, map, &n);
	line(d, 0, "%s:\t", title);
	if (!n)
		line(d, 0, "<none>\n");
	for (size_t i = 0; i < n; i++)
		line(d, 0, "%s%s=%s\n", i ? "\t" : "", items[i]->string, obj_text(d->arena, items[i]));
}

static void describe_long_annotation(struct desc *d, const char *key, char *value)
{
	char **lines;
	line(d, 0, "%s:\n", key);
	size_t n = str_split(d->arena, value, '\n', &lines);
	if (!n)
		line(d, 0, "\t  \n");
	for (size_t i = 0; i < n; i++)
		line(d, 0, "\t  %.*s%s\n", ANNOTATION_MAX - 2, lines[i],
			strlen(lines[i]) > ANNOTATION_MAX - 2 ? "..." : "");
}

void describe_annotations(struct desc *d, const char *title, const cJSON *map)
{
	size_t n, shown = 0;
	cJSON **items = obj_sorted(d->arena, map, &n);
	line(d, 0, "%s:\t", title);
	for (size_t i = 0; i < n; i++) {
		if (str_eq(items[i]->string, "kubectl.kubernetes.io/last-applied-configuration"))
			continue;
		char *value = obj_text(d->arena, items[i]);
		size_t size = strlen(value);
		if (size && value[size - 1] == '\n')
			value[--size] = 0;
		line(d, 0, "%s", shown++ ? "\t" : "");
		if (size + strlen(items[i]->string) + 2 > ANNOTATION_MAX || strchr(value, '\n'))
			describe_long_annotation(d, items[i]->string, value);
		else
			line(d, 0, "%s: %s\n", items[i]->string, value);
	}
	if (!shown)
		line(d, 0, "<none>\n");
}

void describe_head(struct desc *d, const cJSON *object)
{
	line(d, 0, "Name:\t%s\n", obj_name(object));
	line(d, 0, "Namespace:\t%s\n", obj_namespace(object));
	describe_labels(d, "Labels", obj_at(object, "metadata.labels"));
	describe_annotations(d, "Annotations", obj_at(object, "metadata.annotations"));
}

char *rfc1123(struct arena *arena, const char *text)
{
	int64_t seconds;
	struct tm tm;
	char buf[64];
	if (!rfc3339_parse(text, &seconds, NULL))
		return arena_strdup(arena, "Mon, 01 Jan 0001 00:00:00 +0000");
	time_t t = seconds;
	localtime_r(&t, &tm);
	strftime(buf, sizeof(buf), "%a, %d %b %Y %H:%M:%S %z", &tm);
	return arena_strdup(arena, buf);
}

char *age_of(struct desc *d, const cJSON *object, const char *path)
{
	return human_age(d->arena, obj_string(object, path));
}

char *controller_of(struct arena *arena, const cJSON *object)
{
	TREE_FOREACH (owner, obj_at(object, "metadata.ownerReferences"))
		if (obj_bool(owner, "controller"))
			return arena_printf(arena, "%s/%s", obj_string(owner, "kind"), obj_string(owner, "name"));
	return arena_strdup(arena, "");
}

char *join_strings(struct arena *arena, const cJSON *list, const char *separator)
{
	CLEANUP(strbuf_done) struct strbuf text = STRBUF_INIT;
	TREE_FOREACH (item, list)
		strbuf_printf(&text, "%s%s", item == list->child ? "" : separator, obj_text(arena, item));
	return arena_strdup(arena, text.buf);
}

const char *text_of(struct desc *d, const cJSON *object, const char *path, const char *missing)
{
	const cJSON *node = obj_at(object, path);
	return node && !cJSON_IsNull(node) ? obj_text(d->arena, node) : missing;
}

static int by_time(const void *a, const void *b)
{
	const cJSON *ea = *(cJSON *const *)a, *eb = *(cJSON *const *)b;
	const char *ta = obj_string(ea, "lastTimestamp"), *tb = obj_string(eb, "lastTimestamp");
	return strcmp(ta, tb);
}

static char *event_interval(struct desc *d, const cJSON *event)
{
	const char *first = obj_string(event, *obj_string(event, "eventTime") ? "eventTime" : "firstTimestamp");
	char *since = human_age(d->arena, first);
	if (obj_has(event, "series"))
		return arena_printf(d->arena, "%s (x%lld over %s)", age_of(d, event, "series.lastObservedTime"),
			(long long)obj_int(event, "series.count", 0), since);
	if (obj_int(event, "count", 0) > 1)
		return arena_printf(d->arena, "%s (x%lld over %s)", age_of(d, event, "lastTimestamp"),
			(long long)obj_int(event, "count", 0), since);
	return since;
}

static struct status *find_events(struct desc *d, const cJSON *object, cJSON **ret)
{
	static const struct client_resource events = {
		.group = "", .version = "v1", .plural = "events", .namespaced = true};
	CLEANUP(strbuf_done) struct strbuf query = STRBUF_INIT;
	/* A node's uid in events is its name, as its kubelet does not know better. */
	bool is_node = str_eq(obj_kind(object), "Node");
	char *selector =
		arena_printf(d->arena, "involvedObject.name=%s,involvedObject.namespace=%s,involvedObject.kind=%s%s%s",
			obj_name(object), obj_namespace(object), obj_kind(object),
			is_node ? "" : ",involvedObject.uid=", is_node ? "" : obj_string(object, "metadata.uid"));
	query_add(&query, "fieldSelector", selector);
	query_add(&query, "limit", "500");
	return rest_get(
		d->k, d->arena, client_path(d->arena, &events, obj_namespace(object), NULL, NULL), query.buf, ret);
}

void describe_events(struct desc *d, const cJSON *object)
{
	cJSON *list, **items = NULL;
	size_t n = 0;
	if (!d->show_events)
		return;
	struct status *s = find_events(d, object, &list);
	if (s) {
		status_drop(s, "a description without events is better than none");
		return;
	}
	TREE_FOREACH (event, tree_get(list, "items"))
		ARENA_PUSH(d->arena, items, n) = event;
	if (!n) {
		line(d, 0, "Events:\t<none>\n");
		return;
	}
	qsort(items, n, sizeof(*items), by_time);
	struct strbuf text = STRBUF_INIT;
	tabwriter_layout(&d->w, &text); /* the events' columns stand for themselves */
	line(d, 0, "Events:\n  Type\tReason\tAge\tFrom\tMessage\n");
	line(d, 1, "----\t------\t----\t----\t-------\n");
	for (size_t i = 0; i < n; i++) {
		const char *source = obj_string(items[i], "source.component");
		line(d, 1, "%s\t%s\t%s\t%s\t%s\n", obj_string(items[i], "type"), obj_string(items[i], "reason"),
			event_interval(d, items[i]), *source ? source : obj_string(items[i], "reportingComponent"),
			str_trim(d->arena, obj_string(items[i], "message")));
	}
	tabwriter_layout(&d->w, &text);
	strbuf_adds(&d->w.text, "");
	d->w.text = text;
	d->w.n_written = 1; /* laid out already */
}

static char *label_for(struct desc *d, const char *field)
{
	static const char *const acronyms[] = {"API", "URL", "UID", "OSB", "GUID", NULL};
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	for (const char *c = field; *c; c++)
		if (!isalpha((unsigned char)*c) && *c != '-')
			return arena_strdup(d->arena, field);
	for (const char *c = field; *c;) {
		size_t n = 1;
		bool upper = isupper((unsigned char)*c) && isupper((unsigned char)c[1]);
		while (c[n] && (upper ? isupper((unsigned char)c[n]) && !(c[n + 1] && islower((unsigned char)c[n + 1]))
				      : islower((unsigned char)c[n])))
			n++;
		char *part = arena_strndup(d->arena, c, n);
		for (char *p = part; *p; p++)
			*p = (char)toupper((unsigned char)*p);
		if (!str_in(part, acronyms)) {
			part = arena_strndup(d->arena, c, n);
			*part = (char)toupper((unsigned char)*part);
		}
		strbuf_printf(&out, "%s%s", out.len ? " " : "", part);
		c += n;
	}
	return arena_strdup(d->arena, out.buf);
}

static bool skipped(const char *path)
{
	static const char *const paths[] = {".metadata.managedFields", ".metadata.name", ".metadata.namespace",
		".metadata.labels", ".metadata.annotations", NULL};
	return str_in(path, paths);
}

static void describe_fields(struct desc *d, int level, const cJSON *object, const char *path)
{
	size_t n;
	cJSON **items = obj_sorted(d->arena, object, &n);
	for (size_t i = 0; i < n; i++) {
		const cJSON *item = items[i];
		char *here = arena_printf(d->arena, "%s.%s", path, item->string), *label = label_for(d, item->string);
		if (skipped(here))
			continue;
		if (cJSON_IsObject(item)) {
			line(d, level, "%s:\n", label);
			describe_fields(d, level + 1, item, here);
		} else if (cJSON_IsArray(item)) {
			line(d, level, "%s:\n", label);
			TREE_FOREACH (child, item) {
				if (cJSON_IsObject(child))
					describe_fields(d, level + 1, child, here);
				else
					line(d, level + 1, "%s\n", obj_text(d->arena, child));
			}
		} else {
			line(d, level, "%s:\t%s\n", label, obj_text(d->arena, item));
		}
	}
}

struct status *describe_generic(struct desc *d, const cJSON *object)
{
	describe_head(d, object);
	describe_fields(d, 0, object, "");
	describe_events(d, object);
	return NULL;
}

struct status *describe_object(struct kubectl *k, const struct info *info, bool show_events, struct strbuf *out)
{
	struct desc d = {.k = k, .arena = k->arena, .info = info, .show_events = show_events};
	const struct describer *describer = describer_find(info->mapping->rest.group, obj_kind(info->object));
	tabwriter_init(&d.w, k->arena, 0, 2, false, stdout);
	struct status *s = describer ? describer->describe(&d, info->object) : describe_generic(&d, info->object);
	if (!s && d.w.n_written)
		strbuf_adds(out, d.w.text.buf);
	else if (!s)
		tabwriter_layout(&d.w, out);
	strbuf_done(&d.w.text);
	return s;
}
