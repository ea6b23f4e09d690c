/* What admission adds to objects, and what it refuses. */
#include <stdlib.h>
#include <unistd.h>
#include "apiserver/admission/admission.h"
#include "base/io.h"
#include "world.h"

struct fixture {
	struct world *w;
	struct admission *admission;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char *enabled[] = {"NodeRestriction"};
	const struct admission_options options = {.enable = {enabled, 1}};
	f->w = world_new();
	const struct admission_context context = {.objects = &f->w->objects, .clock = clock_system()};
	assert_null(admission_new(&options, &context, &f->admission));
	world_put(f->w, "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"dev\"},\"status\":{"
			"\"phase\":\"Active\"}}");
	world_put(f->w,
		"{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"going\"},\"status\":{\"phase\":"
		"\"Terminating\"}}");
	world_put(f->w, "{\"apiVersion\":\"v1\",\"kind\":\"ServiceAccount\",\"metadata\":{\"namespace\":\"dev\","
			"\"name\":\"default\"},"
			"\"imagePullSecrets\":[{\"name\":\"pull\"}]}");
	world_put(f->w, "{\"apiVersion\":\"v1\",\"kind\":\"ServiceAccount\",\"metadata\":{\"namespace\":\"dev\","
			"\"name\":\"quiet\"},"
			"\"automountServiceAccountToken\":false}");
	world_put(f->w, "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"n1\",\"uid\":\"nu\"}}");
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	admission_free(f->admission);
	world_free(f->w);
	free(f);
	return 0;
}

static struct status *admit(struct fixture *f, const char *user, enum admission_operation operation,
	const char *resource, const char *subresource, ProtobufCMessage *object, const ProtobufCMessage *old)
{
	struct user *who = user_new(f->w->arena, user, "");
	if (str_starts_with(user, NODE_USER_PREFIX))
		user_add_group(f->w->arena, who, GROUP_NODES);
	const ProtobufCMessage *any = object ? object : old;
	const struct admission_attributes a = {.arena = f->w->arena,
		.user = who,
		.operation = operation,
		.group = "",
		.version = "v1",
		.resource = resource,
		.subresource = subresource,
		.kind = object_kind(any),
		.namespace = object_namespace(any),
		.name = object_name(any),
		.object = object,
		.old = old};
	TRY(admission_mutate(f->admission, &a));
	return admission_validate(f->admission, &a);
}

static void assert_refused(struct status *s, const char *message)
{
	assert_non_null(s);
	assert_string_equal(s->message, message);
	status_free(s);
}

#define POD(meta, spec)                                                                                   \
	"{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"namespace\":\"dev\",\"name\":\"p\"" meta \
	"},\"spec\":{" spec "\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}"

static void test_pod_gets_what_it_needs(void **state)
{
	struct fixture *f = *state;
	CoreV1Pod *pod = world_object(f->w->arena, POD("", ""));
	assert_null(admit(f, "ann", ADMISSION_CREATE, "pods", "", &pod->base, NULL));
	assert_string_equal(pod->spec->service_account_name, "default");
	assert_int_equal(pod->spec->n_volumes, 1);
	assert_true(str_starts_with(pod->spec->volumes[0]->name, "kube-api-access-"));
	assert_int_equal(pod->spec->volumes[0]->volume_source->projected->n_sources, 3);
	assert_string_equal(pod->spec->containers[0]->volume_mounts[0]->name, pod->spec->volumes[0]->name);
	assert_string_equal(pod->spec->image_pull_secrets[0]->name, "pull");
	assert_int_equal(pod->spec->n_tolerations, 2);
	assert_true(pod->spec->has_priority && !pod->spec->priority);
	assert_string_equal(pod->spec->preemption_policy, "PreemptLowerPriority");
}

static void test_pod_that_wants_less(void **state)
{
	struct fixture *f = *state;
	CoreV1Pod *pod = world_object(f->w->arena, POD("", "\"serviceAccountName\":\"quiet\",\"priorityClassName\":"
							   "\"system-node-critical\",\"tolerations\":[{\"operator\":"
							   "\"Exists\"}],"));
	assert_null(admit(f, "ann", ADMISSION_CREATE, "pods", "", &pod->base, NULL));
	assert_int_equal(pod->spec->n_volumes, 0);
	assert_int_equal(pod->spec->n_tolerations, 1);
	assert_int_equal(pod->spec->priority, 2000001000);
	pod = world_object(f->w->arena, POD("", "\"automountServiceAccountToken\":false,"));
	assert_null(admit(f, "ann", ADMISSION_CREATE, "pods", "", &pod->base, NULL));
	assert_int_equal(pod->spec->n_volumes, 0);
}

#define CLASS(name, value, rest)                                                                             \
	"{\"apiVersion\":\"scheduling.k8s.io/v1\",\"kind\":\"PriorityClass\",\"metadata\":{\"name\":\"" name \
	"\"},\"value\":" value rest "}"
#define DEFAULT ",\"globalDefault\":true"

static void assert_default_class(struct fixture *f, const char *name, int32_t value, const char *preemption)
{
	CoreV1Pod *pod = world_object(f->w->arena, POD("", ""));
	assert_null(admit(f, "ann", ADMISSION_CREATE, "pods", "", &pod->base, NULL));
	assert_string_equal(str_or_empty(pod->spec->priority_class_name), name);
	assert_int_equal(pod->spec->priority, value);
	assert_string_equal(pod->spec->preemption_policy, preemption);
}

/* Pods without a class get that which says so, of several the lowest: as the classes are now. */
static void test_default_priority(void **state)
{
	struct fixture *f = *state;
	world_put(f->w, CLASS("any", "3", ""));
	assert_default_class(f, "", 0, "PreemptLowerPriority");
	world_put(f->w, CLASS("high", "9", DEFAULT ",\"preemptionPolicy\":\"Never\""));
	assert_default_class(f, "high", 9, "Never");
	world_put(f->w, CLASS("low", "-5", DEFAULT));
	assert_default_class(f, "low", -5, "PreemptLowerPriority");
	world_put(f->w, CLASS("low", "-5", ""));
	assert_default_class(f, "high", 9, "Never");
	world_drop(f->w, &SchedulingV1PriorityClass_schema, "", "high");
	assert_default_class(f, "", 0, "PreemptLowerPriority");
}

static void test_refusals(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *user;
		enum admission_operation operation;
		const char *resource, *subresource, *object, *message;
	} cases[] = {
		{"ann", ADMISSION_CREATE, "pods", "", POD("", "\"serviceAccountName\":\"nope\","),
			"pods \"p\" is forbidden: error looking up service account dev/nope: serviceaccount \"nope\" "
			"not found"},
		{"ann", ADMISSION_CREATE, "pods", "", POD("", "\"priorityClassName\":\"nope\","),
			"pods \"p\" is forbidden: no PriorityClass with name nope was found"},
		{"ann", ADMISSION_CREATE, "pods", "", POD("", "\"priority\":7,"),
			"pods \"p\" is forbidden: the integer value of priority (7) must not be provided in pod spec; "
			"priority admission "
			"controller computed 0 from the given PriorityClass name"},
		{"ann", ADMISSION_CREATE, "pods", "", POD("", "\"runtimeClassName\":\"x\","),
			"pods \"p\" is forbidden: pod rejected: RuntimeClass \"x\" not found"},
		{"ann", ADMISSION_CREATE, "configmaps", "",
			"{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"namespace\":\"nowhere\","
			"\"name\":\"x\"}}",
			"namespaces \"nowhere\" not found"},
		{"ann", ADMISSION_CREATE, "configmaps", "",
			"{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"namespace\":\"going\",\"name\":"
			"\"x\"}}",
			"configmaps \"x\" is forbidden: unable to create new content in namespace going because it is "
			"being terminated"},
		{"system:node:n1", ADMISSION_CREATE, "pods", "", POD("", "\"nodeName\":\"n1\","),
			"pods \"p\" is forbidden: pod does not have \"kubernetes.io/config.mirror\" annotation, node "
			"\"n1\" can only create "
			"mirror pods"},
		{"system:node:n1", ADMISSION_CREATE, "pods", "",
			POD(",\"annotations\":{\"kubernetes.io/config.mirror\":\"x\"}", "\"nodeName\":\"n2\","),
			"pods \"p\" is forbidden: node \"n1\" can only create pods with spec.nodeName set to itself"},
		{"system:node:n1", ADMISSION_CREATE, "nodes", "",
			"{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"n2\"}}",
			"nodes \"n2\" is forbidden: node \"n1\" is not allowed to modify node \"n2\""},
		{"system:node:n1", ADMISSION_CREATE, "nodes", "",
			"{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"n1\",\"labels\":{\"node-"
			"role.kubernetes.io/x\":\"\","
			"\"kubernetes.io/os\":\"linux\",\"mine\":\"x\",\"node-restriction.kubernetes.io/a\":\"b\"}}}",
			"nodes \"n1\" is forbidden: node \"n1\" is not allowed to set the following labels: "
			"node-restriction.kubernetes.io/a, node-role.kubernetes.io/x"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_refused(admit(f, cases[i].user, cases[i].operation, cases[i].resource, cases[i].subresource,
				       world_object(f->w->arena, cases[i].object), NULL),
			cases[i].message);
	const ProtobufCMessage *ns = world_object(
		f->w->arena, "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"kube-system\"}}");
	assert_refused(admit(f, "ann", ADMISSION_DELETE, "namespaces", "", NULL, ns),
		"namespaces \"kube-system\" is forbidden: this namespace may not be deleted");
}

static void test_node(void **state)
{
	struct fixture *f = *state;
	CoreV1Node *node =
		world_object(f->w->arena, "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"n1\"}}");
	assert_null(admit(f, "system:node:n1", ADMISSION_CREATE, "nodes", "", &node->base, NULL));
	assert_string_equal(node->spec->taints[0]->key, "node.kubernetes.io/not-ready");
	CoreV1Pod *mirror = world_object(
		f->w->arena, POD(",\"annotations\":{\"kubernetes.io/"
				 "config.mirror\":\"x\"},\"ownerReferences\":[{\"apiVersion\":\"v1\",\"kind\":\"Node\","
				 "\"name\":\"n1\",\"uid\":\"nu\",\"controller\":true}]",
				     "\"nodeName\":\"n1\","));
	assert_null(admit(f, "system:node:n1", ADMISSION_CREATE, "pods", "", &mirror->base, NULL));
	assert_int_equal(mirror->spec->n_volumes, 0);
	CoreV1Node *tainted =
		world_object(f->w->arena, "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"n1\"},"
					  "\"spec\":{\"taints\":[{\"key\":\"a\",\"effect\":"
					  "\"NoSchedule\"}]}}");
	assert_refused(admit(f, "system:node:n1", ADMISSION_UPDATE, "nodes", "", &tainted->base, &node->base),
		"nodes \"n1\" is forbidden: node \"n1\" is not allowed to modify taints");
}

static void test_limit_range(void **state)
{
	struct fixture *f = *state;
	world_put(f->w, "{\"apiVersion\":\"v1\",\"kind\":\"LimitRange\",\"metadata\":{\"namespace\":\"dev\",\"name\":"
			"\"l\"},\"spec\":{"
			"\"limits\":[{\"type\":\"Container\",\"default\":{\"cpu\":\"500m\"},\"defaultRequest\":{"
			"\"cpu\":\"100m\"},\"max\":{"
			"\"cpu\":\"1\"}}]}}");
	CoreV1Pod *pod = world_object(f->w->arena, POD("", ""));
	assert_null(admit(f, "ann", ADMISSION_CREATE, "pods", "", &pod->base, NULL));
	assert_string_equal(pod->spec->containers[0]->resources->limits[0]->value->string, "500m");
	assert_string_equal(pod->spec->containers[0]->resources->requests[0]->value->string, "100m");
	pod = world_object(f->w->arena,
		"{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"namespace\":\"dev\",\"name\":\"p\"},\"spec\":{"
		"\"containers\":[{"
		"\"name\":\"c\",\"image\":\"i\",\"resources\":{\"limits\":{\"cpu\":\"2\"}}}]}}");
	assert_refused(admit(f, "ann", ADMISSION_CREATE, "pods", "", &pod->base, NULL),
		"pods \"p\" is forbidden: maximum cpu usage per Container is 1, but limit is 2");
	assert_refused(admit(f, "ann", ADMISSION_UPDATE, "pods", "resize", &pod->base, &pod->base),
		"pods \"p\" is forbidden: maximum cpu usage per Container is 1, but limit is 2");
}

/* What a pod takes at once: its containers and sidecars, or its largest init step, or what it says as a whole. */
static void test_limit_of_pods(void **state)
{
#define TAKES(text) "{\"name\":\"c\",\"image\":\"i\",\"resources\":{\"limits\":{\"cpu\":\"" text "\"}}}"
#define SIDECAR(text)                                                                  \
	"{\"name\":\"s\",\"image\":\"i\",\"restartPolicy\":\"Always\",\"resources\":{" \
	"\"limits\":{\"cpu\":\"" text "\"}}}"
	static const struct {
		const char *spec, *limit;
	} pods[] = {
		{"\"containers\":[" TAKES("1") "," TAKES("1") "]", NULL},
		{"\"containers\":[" TAKES("1") "," TAKES("2") "]", "3"},
		{"\"initContainers\":[" TAKES("3") "],\"containers\":[" TAKES("1") "]", "3"},
		{"\"initContainers\":[" SIDECAR("1") "," TAKES("2") "],\"containers\":[" TAKES("1") "]", "3"},
		{"\"initContainers\":[" TAKES("2") "," SIDECAR("1") "],\"containers\":[" TAKES("1") "]", NULL},
		{"\"resources\":{\"limits\":{\"cpu\":\"4\"}},\"containers\":[" TAKES("1") "]", "4"},
	};
	struct fixture *f = *state;
	world_put(f->w, "{\"apiVersion\":\"v1\",\"kind\":\"LimitRange\",\"metadata\":{\"namespace\":\"dev\",\"name\":"
			"\"l\"},\"spec\":{\"limits\":[{\"type\":\"Pod\",\"max\":{\"cpu\":\"2\"}}]}}");
	for (size_t i = 0; i < ARRAY_SIZE(pods); i++) {
		CoreV1Pod *pod =
			world_object(f->w->arena, arena_printf(f->w->arena,
							  "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{"
							  "\"namespace\":\"dev\",\"name\":\"p\"},"
							  "\"spec\":{%s}}",
							  pods[i].spec));
		struct status *s = admit(f, "ann", ADMISSION_CREATE, "pods", "", &pod->base, NULL);
		if (pods[i].limit)
			assert_refused(
				s, arena_printf(f->w->arena,
					   "pods \"p\" is forbidden: maximum cpu usage per Pod is 2, but limit is %s",
					   pods[i].limit));
		else
			assert_null(s);
	}
}

static void test_pod_security(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *level, *spec, *message;
	} cases[] = {
		{"privileged", "\"hostPID\":true,", NULL},
		{"baseline", "", NULL},
		{"baseline", "\"hostPID\":true,\"hostNetwork\":true,",
			"pods \"p\" is forbidden: violates PodSecurity \"baseline:latest\": host namespaces "
			"(hostNetwork=true, "
			"hostPID=true)"},
		{"restricted", "",
			"pods \"p\" is forbidden: violates PodSecurity \"restricted:latest\": allowPrivilegeEscalation "
			"!= false "
			"(container \"c\" must set securityContext.allowPrivilegeEscalation=false), unrestricted "
			"capabilities "
			"(container \"c\" must set securityContext.capabilities.drop=[\"ALL\"]), runAsNonRoot != true "
			"(pod or "
			"container \"c\" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "
			"\"c\" must "
			"set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\")"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		world_put(f->w, arena_printf(f->w->arena,
					"{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"dev\","
					"\"labels\":{"
					"\"pod-security.kubernetes.io/enforce\":\"%s\"}}}",
					cases[i].level));
		char *json = arena_printf(f->w->arena,
			"{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"namespace\":\"dev\",\"name\":\"p\"},"
			"\"spec\":{%s"
			"\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}",
			cases[i].spec);
		struct status *s = admit(f, "ann", ADMISSION_CREATE, "pods", "", world_object(f->w->arena, json), NULL);
		if (cases[i].message)
			assert_refused(s, cases[i].message);
		else
			assert_null(s);
	}
}

static void test_unknown_plugin(void **state)
{
	char *bad[] = {"Magic"}, *good[] = {"PodSecurity"};
	const struct admission_options off = {.disable = {bad, 1}}, both = {.enable = {good, 1}, .disable = {good, 1}};
	assert_refused(admission_check(&off), "disable-admission-plugins plugin \"Magic\" is unknown");
	assert_refused(admission_check(&both),
		"[PodSecurity] in enable-admission-plugins and disable-admission-plugins overlapped");
}

/* One event of a namespace or a user, as the admission's clock has it. */
static struct status *send_event(struct world *w, struct admission *admission, const char *user, const char *namespace)
{
	CoreV1Event *event = world_object(w->arena,
		"{\"apiVersion\":\"v1\",\"kind\":\"Event\",\"metadata\":{\"namespace\":\"dev\",\"name\":\"e\"},"
		"\"source\":{\"component\":\"c\"},\"involvedObject\":{\"name\":\"o\"}}");
	const struct admission_attributes a = {.arena = w->arena,
		.user = user_new(w->arena, user, ""),
		.operation = ADMISSION_CREATE,
		.group = "",
		.resource = "events",
		.subresource = "",
		.kind = "Event",
		.namespace = namespace,
		.name = "e",
		.object = &event->base};
	return admission_validate(admission, &a);
}

#define LIMITED(what) "limit reached on type " what

/* Each limit is taken from, whichever refuses; the keys used longest ago are forgotten. */
static void test_event_limits(void **state)
{
	static const char config[] =
		"apiVersion: apiserver.config.k8s.io/v1\nkind: AdmissionConfiguration\nplugins:\n- name: "
		"EventRateLimit\n"
		"  configuration:\n    apiVersion: eventratelimit.admission.k8s.io/v1alpha1\n    kind: Configuration\n"
		"    limits: [{type: Namespace, qps: 1, burst: 2, cacheSize: 2}, {type: User, qps: 2, burst: 3}]\n";
	char path[] = "/tmp/kubec-admission.XXXXXX", *only[] = {"EventRateLimit"};
	const int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_null(io_write_all(fd, config, strlen(config)));
	close(fd);
	struct world *w = world_new();
	struct clock *clock = clock_fake_new(0);
	const struct admission_options options = {.all = {only, 1}, .config_file = path};
	const struct admission_context context = {.objects = &w->objects, .clock = clock};
	struct admission *admission;
	assert_null(admission_new(&options, &context, &admission));
	assert_null(send_event(w, admission, "ann", "dev"));
	assert_null(send_event(w, admission, "ann", "dev"));
	assert_refused(send_event(w, admission, "ann", "dev"), "Too many requests: " LIMITED("Namespace for key dev"));
	assert_refused(send_event(w, admission, "ann", "dev"),
		"Too many requests: [" LIMITED("Namespace for key dev") ", " LIMITED("User for key ann") "]");
	assert_refused(send_event(w, admission, "ann", "prod"), "Too many requests: " LIMITED("User for key ann"));
	assert_null(send_event(w, admission, "bob", "prod"));
	clock_fake_advance(clock, 1000);
	assert_null(send_event(w, admission, "ann", "dev"));
	assert_refused(send_event(w, admission, "bob", "dev"), "Too many requests: " LIMITED("Namespace for key dev"));
	/* Two namespaces later that is forgotten. */
	assert_null(send_event(w, admission, "carol", "one"));
	assert_null(send_event(w, admission, "carol", "two"));
	assert_null(send_event(w, admission, "dan", "dev"));
	admission_free(admission);
	clock_fake_free(clock);
	world_free(w);
	unlink(path);
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {CASE(test_pod_gets_what_it_needs), CASE(test_pod_that_wants_less),
		CASE(test_default_priority), CASE(test_refusals), CASE(test_node), CASE(test_limit_range),
		CASE(test_limit_of_pods), CASE(test_pod_security), cmocka_unit_test(test_unknown_plugin),
		cmocka_unit_test(test_event_limits)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
