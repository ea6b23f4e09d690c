/* What paths ask for, and in which form the answer is wanted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "apiserver/http/negotiate.h"
#include "apiserver/http/route.h"
#include "base/str.h"

static void paths_are_taken_apart(void **state)
{
	static const struct {
		const char *method, *path, *query;
		const char *verb, *group, *version, *resource, *subresource, *namespace, *name;
	} cases[] = {
		{"GET", "/api/v1/pods", "", "list", "", "v1", "pods", "", "", ""},
		{"GET", "/api/v1/pods", "watch=true", "watch", "", "v1", "pods", "", "", ""},
		{"GET", "/api/v1/pods", "watch=false", "list", "", "v1", "pods", "", "", ""},
		{"GET", "/api/v1/watch/pods", "", "watch", "", "v1", "pods", "", "", ""},
		{"GET", "/api/v1/namespaces/a/pods", "fieldSelector=metadata.name%3Dx", "list", "", "v1", "pods", "",
			"a", "x"},
		{"GET", "/api/v1/namespaces/a/pods/x", "", "get", "", "v1", "pods", "", "a", "x"},
		{"HEAD", "/api/v1/namespaces/a/pods/x", "", "get", "", "v1", "pods", "", "a", "x"},
		{"GET", "/api/v1/namespaces/a", "", "get", "", "v1", "namespaces", "", "a", "a"},
		{"PUT", "/api/v1/namespaces/a/finalize", "", "update", "", "v1", "namespaces", "finalize", "a", "a"},
		{"GET", "/api/v1/namespaces/a/status", "", "get", "", "v1", "namespaces", "status", "a", "a"},
		{"GET", "/api/v1/namespaces", "", "list", "", "v1", "namespaces", "", "", ""},
		{"POST", "/api/v1/namespaces/a/pods/x/binding", "", "create", "", "v1", "pods", "binding", "a", "x"},
		{"PATCH", "/apis/apps/v1/namespaces/a/deployments/x/scale", "", "patch", "apps", "v1", "deployments",
			"scale", "a", "x"},
		{"DELETE", "/apis/apps/v1/namespaces/a/deployments", "", "deletecollection", "apps", "v1",
			"deployments", "", "a", ""},
		{"DELETE", "/apis/apps/v1/namespaces/a/deployments/x", "", "delete", "apps", "v1", "deployments", "",
			"a", "x"},
		{"GET", "/api/v1/nodes/n/proxy/metrics", "", "get", "", "v1", "nodes", "proxy", "", "n"},
		{"GET", "/api/v1/namespaces/a/pods/x/status/", "", "get", "", "v1", "pods", "status", "a", "x"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		struct exchange exchange = {
			.arena = arena, .method = cases[i].method, .raw_path = cases[i].path, .path = cases[i].path};
		query_parse(arena, cases[i].query, &exchange.query, &exchange.n_query);
		struct request r = {.arena = arena};
		route_request(&r, &exchange, NULL);
		assert_true(r.is_resource);
		assert_non_null(r.schema);
		assert_string_equal(r.verb, cases[i].verb);
		assert_string_equal(r.group, cases[i].group);
		assert_string_equal(r.version, cases[i].version);
		assert_string_equal(r.resource, cases[i].resource);
		assert_string_equal(r.subresource, cases[i].subresource);
		assert_string_equal(r.namespace, cases[i].namespace);
		assert_string_equal(r.name, cases[i].name);
	}
}

static void other_paths_are_left_alone(void **state)
{
	static const char *const paths[] = {
		"/", "/api", "/api/v1", "/apis", "/apis/apps", "/apis/apps/v1", "/healthz", "/version", "//"};
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		const struct exchange exchange = {
			.arena = arena, .method = "GET", .raw_path = paths[i], .path = paths[i]};
		struct request r = {.arena = arena};
		route_request(&r, &exchange, NULL);
		assert_false(r.is_resource);
		assert_string_equal(r.verb, "get");
	}
}

static void the_best_form_is_chosen(void **state)
{
	static const struct {
		const char *accept;
		bool ok;
		enum media media;
		enum shape shape;
	} cases[] = {
		{NULL, true, MEDIA_JSON, SHAPE_OBJECT},
		{"", true, MEDIA_JSON, SHAPE_OBJECT},
		{"*/*", true, MEDIA_JSON, SHAPE_OBJECT},
		{"application/json", true, MEDIA_JSON, SHAPE_OBJECT},
		{"application/yaml", true, MEDIA_YAML, SHAPE_OBJECT},
		{"application/vnd.kubernetes.protobuf,application/json", true, MEDIA_PROTOBUF, SHAPE_OBJECT},
		{"application/json;q=0.5, application/vnd.kubernetes.protobuf", true, MEDIA_PROTOBUF, SHAPE_OBJECT},
		{"application/json;as=Table;v=v1;g=meta.k8s.io,application/json", true, MEDIA_JSON, SHAPE_TABLE},
		{"application/json;as=Table;v=v7;g=meta.k8s.io,application/json", true, MEDIA_JSON, SHAPE_OBJECT},
		{"application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io", true, MEDIA_JSON,
			SHAPE_METADATA_LIST},
		{"application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1", true,
			MEDIA_PROTOBUF, SHAPE_METADATA},
		{"application/vnd.kubernetes.protobuf;stream=watch", true, MEDIA_PROTOBUF, SHAPE_OBJECT},
		{"text/html", false, MEDIA_JSON, SHAPE_OBJECT},
		{"a, application/yaml;q=0.1, application/json;q=0", true, MEDIA_YAML, SHAPE_OBJECT},
		{"APPLICATION/JSON", false, MEDIA_JSON, SHAPE_OBJECT},
		{"*", true, MEDIA_JSON, SHAPE_OBJECT},
		{"*/*;stream=watch;as=x", false, MEDIA_JSON, SHAPE_OBJECT},
		{"application/yaml;stream=watch", false, MEDIA_JSON, SHAPE_OBJECT},
		{"application/json;sv=v1", true, MEDIA_JSON, SHAPE_OBJECT},
		{"text/html,*/*;q=0.1", true, MEDIA_JSON, SHAPE_OBJECT},
		{"application/yaml;as=Table;v=v1;g=meta.k8s.io", true, MEDIA_YAML, SHAPE_TABLE},
		{"application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io", false, MEDIA_JSON, SHAPE_OBJECT},
		{"application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io,application/"
		 "json;as=Table;v=v1;g=meta.k8s.io",
			true, MEDIA_JSON, SHAPE_TABLE},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		struct accept accept;
		CLEANUP_STATUS struct status *status = accept_parse_text(arena, cases[i].accept, SHAPES_ALL, &accept);
		assert_int_equal(!status, cases[i].ok);
		if (status) {
			assert_int_equal(status->code, 406);
			continue;
		}
		assert_int_equal(accept.media, cases[i].media);
		assert_int_equal(accept.shape, cases[i].shape);
	}
}

static void what_cannot_be_listed_has_no_table(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct accept accept;
	CLEANUP_STATUS struct status *status =
		accept_parse_text(arena, "application/json;as=Table;v=v1;g=meta.k8s.io", SHAPES_METADATA, &accept);
	assert_non_null(status);
	assert_int_equal(status->code, 406);
	assert_string_equal(status->message, "only the following media types are accepted: application/json, "
					     "application/yaml, application/vnd.kubernetes.protobuf");
	assert_null(accept_parse_text(
		arena, "application/json;as=Table;v=v1;g=meta.k8s.io,application/json", SHAPES_METADATA, &accept));
	assert_int_equal(accept.shape, SHAPE_OBJECT);
}

static void bodies_are_known_by_their_type(void **state)
{
	static const struct {
		const char *type;
		bool known;
		enum media media;
	} cases[] = {{"", true, MEDIA_JSON}, {NULL, true, MEDIA_JSON}, {"application/yaml", true, MEDIA_YAML},
		{"APPLICATION/JSON; charset=utf-8", true, MEDIA_JSON}, {"application/json;", true, MEDIA_JSON},
		{"application/json;q", false, MEDIA_JSON}, {"application/*", false, MEDIA_JSON},
		{"text/plain", false, MEDIA_JSON}};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		enum media media;
		CLEANUP_STATUS struct status *status = content_media(arena, cases[i].type, &media);
		assert_int_equal(!status, cases[i].known);
		assert_int_equal(media, cases[i].media);
		assert_true(!status || status->code == 415);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_are_taken_apart),
		cmocka_unit_test(other_paths_are_left_alone),
		cmocka_unit_test(the_best_form_is_chosen),
		cmocka_unit_test(what_cannot_be_listed_has_no_table),
		cmocka_unit_test(bodies_are_known_by_their_type),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
