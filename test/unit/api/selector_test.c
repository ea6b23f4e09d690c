#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "api/meta.h"
#include "api/selector.h"

/* The labels a=b,n=3,x.y/z=1 against selectors. text NULL: an error that holds the words of want. */
static const struct {
	const char *selector, *text;
	bool matches;
	const char *error;
} selectors[] = {
	{"", "", true, NULL},
	{"a", "a", true, NULL},
	{"!a", "!a", false, NULL},
	{"!q", "!q", true, NULL},
	{"a=b", "a=b", true, NULL},
	{"a==b", "a=b", true, NULL},
	{"a!=b", "a!=b", false, NULL},
	{"q!=b", "q!=b", true, NULL},
	{"a in (c, b)", "a in (b,c)", true, NULL},
	{"a notin (c,b)", "a notin (b,c)", false, NULL},
	{"q in ()", "q in ()", false, NULL},
	{"n>2,n<4", "n>2,n<4", true, NULL},
	{"n>3", "n>3", false, NULL},
	{"x.y/z=1,a", "a,x.y/z=1", true, NULL},
	{"a=", "a=", false, NULL},
	{"  a  =  b  ", "a=b", true, NULL},
	{"in in (in)", "in in (in)", false, NULL},
	{"a in (b", NULL, false, "found '', expected: ',' or ')'"},
	{"a b", NULL, false, "found 'b', expected: in, notin, =, ==, !=, gt, lt"},
	{"a,", NULL, false, "found '', expected: identifier after ','"},
	{",a", NULL, false, "found ',', expected: !, identifier, or 'end of string'"},
	{"a=b=c", NULL, false, "found '=', expected: ',' or 'end of string'"},
	{"a>x", NULL, false, "for 'Gt', 'Lt' operators, the value must be an integer"},
	{"-a=b", NULL, false, "name part must consist of alphanumeric characters"},
	{"a=-b", NULL, false, "a valid label must be an empty string or consist of"},
	{"X_Y/z", NULL, false, "prefix part a lowercase RFC 1123 subdomain"},
	{"a/b/c", NULL, false, "a qualified name must consist of"},
};

static void label_selectors(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(selectors); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		MapStringEntry **labels = NULL;
		struct label_selector *s = NULL;
		size_t n = 0;
		map_set(arena, &labels, &n, "a", "b");
		map_set(arena, &labels, &n, "n", "3");
		map_set(arena, &labels, &n, "x.y/z", "1");
		CLEANUP_STATUS struct status *status = label_selector_parse(arena, selectors[i].selector, &s);
		if (!selectors[i].text) {
			assert_non_null(status);
			if (!strstr(status->message, selectors[i].error))
				fail_msg("%s: %s", selectors[i].selector, status->message);
			continue;
		}
		assert_null(status);
		assert_string_equal(label_selector_format(arena, s), selectors[i].text);
		if (label_selector_matches(s, labels, n) != selectors[i].matches)
			fail_msg("%s", selectors[i].selector);
	}
}

static void api_selectors(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	MetaV1LabelSelector *api = API_NEW(arena, MetaV1LabelSelector);
	MetaV1LabelSelectorRequirement *r = API_NEW(arena, MetaV1LabelSelectorRequirement);
	struct label_selector *s;

	assert_null(label_selector_from_api(arena, NULL, &s));
	assert_false(label_selector_matches(s, NULL, 0));
	assert_null(label_selector_from_api(arena, api, &s));
	assert_true(label_selector_matches(s, NULL, 0));
	assert_string_equal(label_selector_format_api(arena, api), "<none>");
	r->key = arena_strdup(arena, "tier");
	r->operator= arena_strdup(arena, "DoesNotExist");
	ARENA_PUSH(arena, api->match_expressions, api->n_match_expressions) = r;
	map_set(arena, &api->match_labels, &api->n_match_labels, "app", "web");
	assert_string_equal(label_selector_format_api(arena, api), "app=web,!tier");
	r->operator= arena_strdup(arena, "Nope");
	assert_string_equal(label_selector_format_api(arena, api), "<error>");
}

static void field_selectors(void **state)
{
	static const struct {
		const char *selector, *text; /* NULL: an error */
		bool matches;
	} cases[] = {{"", "", true}, {"metadata.name=web", "metadata.name=web", true},
		{"spec.nodeName!=n1", "spec.nodeName!=n1", false},
		{"status.phase=Running,metadata.name==web", "metadata.name=web,status.phase=Running", true},
		{"spec.nodeName=", "spec.nodeName=", false}, {"spec.hostNetwork=true", "spec.hostNetwork=true", true},
		{"a=\\,\\=\\\\", "a=\\,\\=\\\\", false}, {"a", NULL, false}, {"a=b=c", NULL, false},
		{"a=\\x", NULL, false}, {"=", "", true}, {"!=,spec.nodeName=n1", "spec.nodeName=n1", true},
		{"=x", "=x", false}};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		CoreV1Pod *pod = API_NEW(arena, CoreV1Pod);
		struct field_selector *s;
		ENSURE(arena, pod->metadata, MetaV1ObjectMeta)->name = arena_strdup(arena, "web");
		ENSURE(arena, pod->spec, CoreV1PodSpec)->node_name = arena_strdup(arena, "n1");
		pod->spec->host_network = true;
		ENSURE(arena, pod->status, CoreV1PodStatus)->phase = arena_strdup(arena, "Running");
		CLEANUP_STATUS struct status *status = field_selector_parse(arena, cases[i].selector, &s);
		assert_int_equal(status != NULL, cases[i].text == NULL);
		if (status)
			continue;
		assert_string_equal(field_selector_format(arena, s), cases[i].text);
		assert_int_equal(field_selector_matches_object(s, pod), cases[i].matches);
	}
	assert_true(field_selector_supported(CoreV1Pod_schema.resource, "spec.nodeName"));
	assert_false(field_selector_supported(CoreV1Pod_schema.resource, "spec.nope"));
	assert_false(field_selector_supported(CoreV1Node_schema.resource, "metadata.namespace"));
}

static void selectable_fields_have_a_value(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	BatchV1Job *job = API_NEW(arena, BatchV1Job);
	CoreV1Event *event = API_NEW(arena, CoreV1Event);
	AppsV1ReplicaSet *set = API_NEW(arena, AppsV1ReplicaSet);

	assert_string_equal(field_value(arena, job, "status.successful"), "0");
	ENSURE(arena, job->status, BatchV1JobStatus)->succeeded = 3;
	assert_string_equal(field_value(arena, job, "status.successful"), "3");
	assert_string_equal(field_value(arena, set, "status.replicas"), "0");
	assert_string_equal(field_value(arena, API_NEW(arena, CoreV1Node), "spec.unschedulable"), "false");
	event->reporting_component = arena_strdup(arena, "b");
	assert_string_equal(field_value(arena, event, "source"), "b");
	ENSURE(arena, event->source, CoreV1EventSource)->component = arena_strdup(arena, "a");
	assert_string_equal(field_value(arena, event, "source"), "a");
	assert_string_equal(field_value(arena, event, "involvedObject.name"), "");
	assert_string_equal(field_value(arena, event, "no.such.field"), "");
	assert_string_equal(field_value(arena, event, ""), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(label_selectors), cmocka_unit_test(api_selectors),
		cmocka_unit_test(field_selectors), cmocka_unit_test(selectable_fields_have_a_value)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
