/* Templates in revisions. */
#include "controller-manager/support/history.h"
#include "test/unit/controller-manager/make.h"

#define TEMPLATE                                                                                                      \
	"{\"metadata\":{\"labels\":{\"app\":\"ds\"}},\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"nginx\","  \
	"\"resources\":{\"limits\":{\"cpu\":\"100m\"}},\"imagePullPolicy\":\"Always\",\"ports\":[{\"containerPort\":" \
	"80}]}],"                                                                                                     \
	"\"restartPolicy\":\"Always\",\"terminationGracePeriodSeconds\":30,\"dnsPolicy\":\"ClusterFirst\","           \
	"\"securityContext\":{},\"schedulerName\":\"default-scheduler\"}}"

static AppsV1ControllerRevision *holding(struct arena *arena, const char *text)
{
	AppsV1ControllerRevision *r = MAKE(arena, AppsV1ControllerRevision, "{}");
	r->data = API_NEW(arena, RuntimeRawExtension);
	r->data->raw = (ProtobufCBinaryData){strlen(text), (uint8_t *)(uintptr_t)text};
	return r;
}

static void a_revision_gives_its_template_back(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CoreV1PodTemplateSpec *template = MAKE(arena, CoreV1PodTemplateSpec, TEMPLATE);
	char *patch = history_patch(arena, template);
	/* Byte for byte as the original writes it: sorted by name. */
	assert_string_equal(patch, "{\"spec\":{\"template\":{\"$patch\":\"replace\",\"metadata\":{\"labels\":{\"app\":"
				   "\"ds\"}},\"spec\":{\"containers\":"
				   "[{\"image\":\"nginx\",\"imagePullPolicy\":\"Always\",\"name\":\"c\",\"ports\":[{"
				   "\"containerPort\":80}],"
				   "\"resources\":{\"limits\":{\"cpu\":\"100m\"}}}],\"dnsPolicy\":\"ClusterFirst\","
				   "\"restartPolicy\":\"Always\","
				   "\"schedulerName\":\"default-scheduler\",\"securityContext\":{},"
				   "\"terminationGracePeriodSeconds\":30}}}}");
	CoreV1PodTemplateSpec *back = history_template(arena, holding(arena, patch));
	assert_non_null(back);
	assert_true(api_equal(template, back));
	assert_null(history_template(arena, holding(arena, "{\"spec\":{}}")));
	assert_null(history_template(arena, holding(arena, "nonsense")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(a_revision_gives_its_template_back)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
