#include "serve/metric_filter.h"
#include <ctype.h>
#include <stdlib.h>
#include "api/tree.h"
#include "api/yaml.h"
#include "base/io.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "serve/metrics.h"

#define MAX_MANIFEST_BYTES (1u << 20)
#define SHOWN_VERSION "1.33" /* the release before this one */
#define UNEXPECTED "unexpected"

struct metric_filter {
	struct strmap *disabled; /* names of metrics */
	struct strmap *metrics;	 /* those with a rule */
	struct strmap *rules;	 /* "metric,label": a map of the values that are allowed */
};

struct flag *metric_filter_flags(struct metric_filter_options *o)
{
	const struct flag flags[] = {
		{"disabled-metrics", 0, FLAG_STRINGS, &o->disabled, "", "names of metrics that are not shown"},
		{"allow-metric-labels", 0, FLAG_STRING_ARRAY, &o->allowed, "",
			"values that a label of a metric may have, metric,label=value,value; others are shown as one"},
		{"allow-metric-labels-manifest", 0, FLAG_STRING, &o->manifest, "",
			"file of such rules, YAML; read where the flag is not given"},
		{"show-hidden-metrics-for-version", 0, FLAG_STRING, &o->shown_version, "",
			"the release before, " SHOWN_VERSION ", to be shown what it has that this one hides: nothing"},
		{NULL},
	};
	return mem_dup(flags, sizeof(flags));
}

/* --- rules --- */

static void values_free(void *values)
{
	strmap_free(values);
}

/* Of a name at its begin: letters, digits, underscores, and one more character. */
static size_t name_len(const char *s, char more)
{
	size_t n = 0;
	while (isalpha((unsigned char)s[n]) || s[n] == '_' || s[n] == more || (n && isdigit((unsigned char)s[n])))
		n++;
	return n;
}

static bool is_key(const char *key)
{
	const size_t metric = name_len(key, ':');
	if (!metric || key[metric] != ',')
		return false;
	const char *label = key + metric + 1;
	const size_t len = name_len(label, '_');
	return len && !label[len];
}

/* The last rule for a label is the one that counts. */
static void add_rule(struct metric_filter *f, const char *key, const char *values)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct strmap *allowed = strmap_new(NULL);
	char **parts;
	const size_t n = str_split(arena, values, ',', &parts);
	for (size_t i = 0; i < n; i++)
		strmap_put(allowed, parts[i], f);
	strmap_put(f->rules, key, allowed);
	strmap_put(f->metrics, arena_strndup(arena, key, strcspn(key, ",")), f);
}

static struct status *add_pair(struct metric_filter *f, struct arena *arena, const char *pair)
{
	const char *equals = strchr(pair, '=');
	if (!equals)
		return status_bad_request(
			"invalid argument \"%s\" for \"--allow-metric-labels\" flag: %s must be formatted as key=value",
			pair, pair);
	const char *key = arena_strndup(arena, pair, (size_t)(equals - pair));
	if (!is_key(key))
		return status_bad_request("--allow-metric-labels must have a list of kv pair with format "
					  "`metricName,labelName=labelValue, labelValue,...`");
	add_rule(f, key, equals + 1);
	return NULL;
}

/* The next field of a line of CSV: what stands in quotes is one, "" is a quote there. */
static char *next_field(struct arena *arena, const char **p)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	const bool quoted = **p == '"';
	for (*p += quoted; **p; ++*p) {
		if (quoted && **p == '"' && (*p)[1] != '"')
			break;
		if (!quoted && **p == ',')
			break;
		*p += quoted && **p == '"';
		strbuf_addc(&out, **p);
	}
	*p += strcspn(*p, ",");
	*p += **p == ',';
	return arena_strdup(arena, out.buf);
}

/* One rule as it is, or in quotes; several as a line of CSV (pflag's stringToString). */
static struct status *add_rules(struct metric_filter *f, const char *text)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const char *equals = strchr(text, '=');
	if (!equals || !strchr(equals + 1, '=')) {
		const size_t begin = strspn(text, "\"");
		size_t len = strlen(text + begin);
		while (len && text[begin + len - 1] == '"')
			len--;
		return add_pair(f, arena, arena_strndup(arena, text + begin, len));
	}
	for (const char *p = text; *p;)
		TRY(add_pair(f, arena, next_field(arena, &p)));
	return NULL;
}

static void read_manifest(struct metric_filter *f, const char *path)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP_FREE char *text = NULL;
	size_t size;
	cJSON *tree;
	struct status *failed = io_read_file(path, MAX_MANIFEST_BYTES, &text, &size);
	if (failed) {
		log_status(failed, "Failed to read allow list manifest");
		return;
	}
	failed = yaml_parse(arena, text, size, NULL, &tree);
	if (failed) {
		log_status(failed, "Failed to parse allow list manifest");
		return;
	}
	TREE_FOREACH (member, tree)
		if (cJSON_IsString(member) && is_key(member->string))
			add_rule(f, member->string, member->valuestring);
}

static struct status *fill(struct metric_filter *f, const struct metric_filter_options *o)
{
	if (!str_empty(o->shown_version) && !str_eq(o->shown_version, SHOWN_VERSION))
		return status_bad_request(
			"--show-hidden-metrics-for-version must be omitted or have the value '" SHOWN_VERSION
			"'. Only the previous minor version is allowed");
	for (size_t i = 0; i < o->disabled.n_items; i++)
		strmap_put(f->disabled, o->disabled.items[i], f);
	for (size_t i = 0; i < o->allowed.n_items; i++)
		TRY(add_rules(f, o->allowed.items[i]));
	if (!o->allowed.n_items && !str_empty(o->manifest))
		read_manifest(f, o->manifest);
	return NULL;
}

struct status *metric_filter_new(const struct metric_filter_options *options, struct metric_filter **ret)
{
	CLEANUP(metric_filter_freep) struct metric_filter *f = mem_zalloc(sizeof(*f));
	f->disabled = strmap_new(NULL);
	f->metrics = strmap_new(NULL);
	f->rules = strmap_new(values_free);
	TRY(fill(f, options));
	*ret = STEAL(f);
	return NULL;
}

void metric_filter_free(struct metric_filter *f)
{
	if (!f)
		return;
	strmap_free(f->disabled);
	strmap_free(f->metrics);
	strmap_free(f->rules);
	free(f);
}

/* --- passing --- */

struct passing {
	const struct metric_filter *filter;
	struct arena *arena;
	struct strbuf *out;
	const char *metric; /* whose lines these are */
	bool counts;	    /* its values are of observations */
	bool disabled, ruled;
	struct strmap *sums; /* of a ruled metric: double by line without the value */
	double unexpected;
};

/* The labels with what is not allowed made one; how many labels were. */
static unsigned rewrite(const struct passing *p, const char *labels, struct strbuf *out)
{
	unsigned n = 0;
	while (*labels && *labels != '}') {
		const size_t len = strcspn(labels, "=");
		const char *name = arena_strndup(p->arena, labels, len), *value = labels + len + 2, *end = value;
		while (*end && *end != '"')
			end += *end == '\\' && end[1] ? 2 : 1;
		const struct strmap *allowed =
			strmap_get(p->filter->rules, arena_printf(p->arena, "%s,%s", p->metric, name));
		const char *text = arena_strndup(p->arena, value, (size_t)(end - value));
		const bool fits = !allowed || strmap_has(allowed, text);
		n += !fits;
		strbuf_printf(out, "%s=\"%s\"", name, fits ? text : UNEXPECTED);
		labels = *end ? end + 1 : end;
		if (*labels == ',') {
			strbuf_addc(out, ',');
			labels++;
		}
	}
	return n;
}

static void sum_up(struct passing *p, const char *line)
{
	CLEANUP(strbuf_done) struct strbuf key = STRBUF_INIT;
	const char *brace = strchr(line, '{'), *space = strrchr(line, ' ');
	const double value = strtod(space + 1, NULL);
	if (!brace) {
		strbuf_printf(p->out, "%s\n", line);
		return;
	}
	const char *name = arena_strndup(p->arena, line, (size_t)(brace - line));
	strbuf_printf(&key, "%s{", name);
	const unsigned n = rewrite(p, brace + 1, &key);
	if (p->counts && (str_eq(name, p->metric) || str_ends_with(name, "_count")))
		p->unexpected += n * value;
	strbuf_addc(&key, '}');
	double *sum = strmap_get(p->sums, key.buf);
	if (sum) {
		*sum += value;
		return;
	}
	sum = mem_alloc(sizeof(*sum));
	*sum = value;
	strmap_put(p->sums, key.buf, sum);
}

static void finish(struct passing *p)
{
	STRMAP_FOREACH (p->sums, it) {
		const char *brace = strchr(it.key, '{');
		const size_t len = strlen(brace + 1);
		metrics_write_sample(p->out, arena_strndup(p->arena, it.key, (size_t)(brace - it.key)),
			arena_strndup(p->arena, brace + 1, len - 1), *(double *)it.value);
	}
	strmap_clear(p->sums);
}

static void begin(struct passing *p, const char *name, size_t len)
{
	if (p->metric && strlen(p->metric) == len && !strncmp(p->metric, name, len))
		return;
	finish(p);
	p->metric = arena_strndup(p->arena, name, len);
	p->disabled = strmap_has(p->filter->disabled, p->metric);
	p->ruled = strmap_has(p->filter->metrics, p->metric);
}

static void pass_line(struct passing *p, const char *line)
{
	const bool is_type = str_starts_with(line, "# TYPE ");
	if (is_type || str_starts_with(line, "# HELP "))
		begin(p, line + 7, strcspn(line + 7, " "));
	if (is_type)
		p->counts = str_ends_with(line, " counter") || str_ends_with(line, " histogram");
	if (p->disabled)
		return;
	if (p->ruled && *line != '#' && strchr(line, ' '))
		sum_up(p, line);
	else
		strbuf_printf(p->out, "%s\n", line);
}

static void write_one(struct strbuf *out, const char *name, const char *help, double value)
{
	metrics_write_head(out, name, "counter", help);
	metrics_write_sample(out, name, "", value);
}

static void write_own(const struct metric_filter *f, double unexpected, struct strbuf *out)
{
	write_one(out, "cardinality_enforcement_unexpected_categorizations_total",
		"Observations under a label whose value is not allowed.", unexpected);
	write_one(out, "disabled_metrics_total", "Metrics that are not shown.", (double)strmap_count(f->disabled));
	write_one(out, "hidden_metrics_total", "Metrics of former releases that are hidden.", 0);
}

void metric_filter_pass(const struct metric_filter *f, const struct strbuf *text, struct strbuf *out)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(strmap_freep) struct strmap *sums = strmap_new(free);
	struct passing p = {.filter = f, .arena = arena, .out = out, .sums = sums};
	if (!strmap_count(f->disabled) && !strmap_count(f->metrics)) {
		strbuf_add(out, text->buf, text->len);
		write_own(f, 0, out);
		return;
	}
	for (const char *line = text->buf; *line;) {
		const size_t len = strcspn(line, "\n");
		pass_line(&p, arena_strndup(arena, line, len));
		line += len + (line[len] == '\n');
	}
	finish(&p);
	write_own(f, p.unexpected, out);
}
