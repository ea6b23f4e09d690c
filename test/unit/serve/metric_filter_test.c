/* Which metrics are shown, and under which values of labels. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/io.h"
#include "base/mem.h"
#include "serve/metric_filter.h"

static const char text[] = "# HELP a A.\n"
			   "# TYPE a counter\n"
			   "a{code=\"200\",verb=\"GET\"} 3\n"
			   "a{code=\"404\",verb=\"GET\"} 4\n"
			   "a{code=\"404\",verb=\"PUT\"} 5\n"
			   "# HELP b B.\n"
			   "# TYPE b gauge\n"
			   "b 1\n"
			   "# HELP c C.\n"
			   "# TYPE c histogram\n"
			   "c_bucket{name=\"x\",le=\"1\"} 1\n"
			   "c_bucket{name=\"x\",le=\"+Inf\"} 2\n"
			   "c_sum{name=\"x\"} 1.5\n"
			   "c_count{name=\"x\"} 2\n"
			   "c_bucket{name=\"y, \\\"z\\\"\",le=\"1\"} 4\n"
			   "c_bucket{name=\"y, \\\"z\\\"\",le=\"+Inf\"} 4\n"
			   "c_sum{name=\"y, \\\"z\\\"\"} 2\n"
			   "c_count{name=\"y, \\\"z\\\"\"} 4\n";

static char *passed(const struct metric_filter_options *options, const char *behind)
{
	CLEANUP(metric_filter_freep) struct metric_filter *filter = NULL;
	CLEANUP(strbuf_done) struct strbuf in = STRBUF_INIT;
	struct strbuf out = STRBUF_INIT;
	strbuf_adds(&in, text);
	assert_null(metric_filter_new(options, &filter));
	metric_filter_pass(filter, &in, &out);
	const char *from = strstr(out.buf, behind);
	assert_non_null(from);
	char *rest = mem_strdup(from);
	strbuf_done(&out);
	return rest;
}

static struct flag_list list(char **items, size_t n)
{
	return (struct flag_list){.items = items, .n_items = n};
}

static void without_rules_all_is_shown(void **state)
{
	CLEANUP_FREE char *all = passed(&(const struct metric_filter_options){0}, "# HELP a");
	assert_memory_equal(all, text, strlen(text));
	assert_non_null(strstr(all, "\ndisabled_metrics_total 0\n"));
	assert_non_null(strstr(all, "\nhidden_metrics_total 0\n"));
}

static void what_is_disabled_is_not_shown(void **state)
{
	char *names[] = {"a", "c", "none"};
	const struct metric_filter_options options = {.disabled = list(names, 3)};
	CLEANUP_FREE char *all = passed(&options, "");
	assert_memory_equal(all, "# HELP b B.\n# TYPE b gauge\nb 1\n# HELP card", 42);
	assert_non_null(strstr(all, "\ndisabled_metrics_total 3\n"));
}

static void values_that_are_not_allowed_count_as_one(void **state)
{
	static const struct {
		const char *rule, *shown, *unexpected;
	} cases[] = {
		{"a,code=404", "a{code=\"unexpected\",verb=\"GET\"} 3\na{code=\"404\",verb=\"GET\"} 4\n", " 3\n"},
		{"\"a,code=\"",
			"a{code=\"unexpected\",verb=\"GET\"} 7\na{code=\"unexpected\",verb=\"PUT\"} 5\n# HELP b",
			" 12\n"},
		{"a,code=404,200", "a{code=\"200\",verb=\"GET\"} 3\n", " 0\n"},
		{"\"a,code=1\",\"a,verb=x\"", "a{code=\"unexpected\",verb=\"unexpected\"} 12\n# HELP b", " 24\n"},
		{"c,name=none",
			"c_bucket{name=\"unexpected\",le=\"1\"} 5\nc_bucket{name=\"unexpected\",le=\"+Inf\"} 6\n"
			"c_sum{name=\"unexpected\"} 3.5\nc_count{name=\"unexpected\"} 6\n# HELP card",
			" 6\n"},
		{"c,other=1", "c_count{name=\"y, \\\"z\\\"\"} 4\n", " 0\n"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *rule = (char *)(uintptr_t)cases[i].rule;
		const struct metric_filter_options options = {.allowed = list(&rule, 1)};
		CLEANUP_FREE char *all = passed(&options, "");
		if (!strstr(all, cases[i].shown))
			print_error("%s\n", all);
		assert_non_null(strstr(all, cases[i].shown));
		static const char name[] = "\ncardinality_enforcement_unexpected_categorizations_total";
		const char *count = strstr(all, name);
		assert_non_null(count);
		assert_memory_equal(count + strlen(name), cases[i].unexpected, strlen(cases[i].unexpected));
	}
}

static void a_manifest_is_read_where_there_is_no_flag(void **state)
{
	char path[] = "/tmp/metric-filter.XXXXXX";
	const int fd = mkstemp(path);
	static const char manifest[] = "a,code: '404'\n";
	assert_null(io_write_all(fd, manifest, strlen(manifest)));
	close(fd);
	const struct metric_filter_options options = {.manifest = path};
	CLEANUP_FREE char *all = passed(&options, "");
	assert_non_null(strstr(all, "a{code=\"unexpected\",verb=\"GET\"} 3\n"));
	char *rule = (char *)(uintptr_t) "b,x=y";
	const struct metric_filter_options both = {.manifest = path, .allowed = list(&rule, 1)};
	CLEANUP_FREE char *other = passed(&both, "");
	assert_non_null(strstr(other, "a{code=\"200\",verb=\"GET\"} 3\n"));
	unlink(path);
}

static void what_is_no_rule_is_refused(void **state)
{
	static const struct {
		const char *rule, *version, *why;
	} cases[] = {
		{"a", NULL,
			"invalid argument \"a\" for \"--allow-metric-labels\" flag: a must be formatted as key=value"},
		{"a=b", NULL,
			"--allow-metric-labels must have a list of kv pair with format "
			"`metricName,labelName=labelValue, "
			"labelValue,...`"},
		{"a,1b=c", NULL,
			"--allow-metric-labels must have a list of kv pair with format "
			"`metricName,labelName=labelValue, "
			"labelValue,...`"},
		{"a,b=c", "1.32",
			"--show-hidden-metrics-for-version must be omitted or have the value '1.33'. Only the previous "
			"minor version is allowed"},
		{"a,b=c", "1.33", NULL},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(metric_filter_freep) struct metric_filter *filter = NULL;
		char *rule = (char *)(uintptr_t)cases[i].rule;
		const struct metric_filter_options options = {
			.allowed = list(&rule, 1), .shown_version = (char *)(uintptr_t)cases[i].version};
		CLEANUP_STATUS struct status *s = metric_filter_new(&options, &filter);
		assert_string_equal(s ? s->message : "", str_or_empty(cases[i].why));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_rules_all_is_shown),
		cmocka_unit_test(what_is_disabled_is_not_shown),
		cmocka_unit_test(values_that_are_not_allowed_count_as_one),
		cmocka_unit_test(a_manifest_is_read_where_there_is_no_flag),
		cmocka_unit_test(what_is_no_rule_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
