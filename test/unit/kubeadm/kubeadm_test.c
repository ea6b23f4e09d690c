/* kubeadm: what it writes is what the API accepts; what it is given is checked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "api/json.h"
#include "api/meta.h"
#include "api/yaml.h"
#include "base/io.h"
#include "base/str.h"
#include "deploy/kubeadm/kubeadm.h"

static struct kubeadm *new_kubeadm(void **state)
{
	struct arena *arena = arena_new();
	struct kubeadm *k = ARENA_NEW(arena, struct kubeadm);
	*k = (struct kubeadm){.arena = arena, .clock = clock_system()};
	*state = k;
	return k;
}

static int tear_down(void **state)
{
	struct kubeadm *k = *state;
	arena_free(k->arena);
	return 0;
}

static void an_address_of_a_range_is_counted_from_its_start(void **state)
{
	static const struct {
		const char *cidr;
		unsigned n;
		const char *address; /* NULL: refused */
	} rows[] = {
		{"10.96.0.0/12", 1, "10.96.0.1"},
		{"10.96.0.0/12", 10, "10.96.0.10"},
		{"10.96.77.5/16", 1, "10.96.0.1"},
		{"10.0.0.0/8,fd00::/108", 300, "10.0.1.44"},
		{"fd00:1::/108", 10, "fd00:1::a"},
		{"10.96.0.0", 1, NULL},
		{"10.96.0.0/33", 1, NULL},
		{"x/8", 1, NULL},
	};
	struct kubeadm *k = new_kubeadm(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *address = NULL;
		CLEANUP_STATUS struct status *s = config_nth_address(k->arena, rows[i].cidr, rows[i].n, &address);
		assert_int_equal(!s, rows[i].address != NULL);
		if (!s)
			assert_string_equal(address, rows[i].address);
	}
}

static void tokens_have_their_form(void **state)
{
	struct kubeadm *k = new_kubeadm(state);
	for (int i = 0; i < 100; i++)
		assert_true(token_is_valid(token_generate(k->arena)));
	static const char *const bad[] = {"", "abcdef", "abcdef-0123456789abcdef", "ABCDEF.0123456789abcdef",
		"abcdef.0123456789abcde", "abcdef.0123456789abcdeff"};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(token_is_valid(bad[i]));
}

static CoreV1Pod *decoded(struct kubeadm *k, const char *component)
{
	struct json_strict strict = {0};
	struct json_options options = {.strict = &strict};
	CoreV1Pod *pod = NULL;
	char *text = manifest_text(k, component);
	CLEANUP_STATUS struct status *s = yaml_decode(k->arena, &CoreV1Pod_schema, text, strlen(text), &options, &pod);
	if (s || strict.n_errors)
		fail_msg("%s: %s\n%s", component, s ? s->message : strict.errors[0], text);
	return pod;
}

static bool has_arg(const CoreV1Pod *pod, const char *arg)
{
	const CoreV1Container *c = pod->spec->containers[0];
	return str_in_n(arg, c->command, c->n_command);
}

static void manifests_are_pods_with_the_flags_asked_for(void **state)
{
	struct kubeadm *k = new_kubeadm(state);
	static const char file[] =
		"apiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\n"
		"localAPIEndpoint: {advertiseAddress: 10.1.2.3}\nnodeRegistration: {name: n1}\n---\n"
		"apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\n"
		"networking: {podSubnet: 10.5.0.0/16}\n"
		"apiServer: {extraArgs: [{name: authorization-mode, value: RBAC}, {name: v, value: \"4\"}]}\n";
	char path[] = "/tmp/kubec-kubeadm-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	assert_null(io_write_file(path, file, strlen(file), 0600));
	assert_null(config_read(k, path));
	unlink(path);
	assert_null(config_complete(k));
	CoreV1Pod *api = decoded(k, "kube-apiserver");
	assert_true(has_arg(api, "--advertise-address=10.1.2.3"));
	assert_true(has_arg(api, "--authorization-mode=RBAC"));
	assert_false(has_arg(api, "--authorization-mode=Node,RBAC"));
	assert_true(has_arg(api, "--v=4"));
	assert_true(api->spec->host_network);
	assert_string_equal(api->metadata->labels[0]->key, "component");
	assert_true(has_arg(decoded(k, "kube-controller-manager"), "--cluster-cidr=10.5.0.0/16"));
	assert_true(has_arg(decoded(k, "etcd"), "--initial-cluster=n1=https://10.1.2.3:2380"));
	decoded(k, "kube-scheduler");
}

static void bad_configuration_is_named(void **state)
{
	static const struct {
		const char *text, *part;
	} rows[] = {
		{"apiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\nfoo: 1\n", "unknown field \"foo\""},
		{"apiVersion: kubeadm.k8s.io/v1beta4\nkind: Nothing\n", "no kind \"Nothing\""},
		{"apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nnetworking: {serviceSubnet: 10.1}\n",
			"networking.serviceSubnet"},
		{"apiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\nlocalAPIEndpoint: {advertiseAddress: a, "
		 "bindPort: 1}\n",
			"advertiseAddress"},
		{"a: [\n", "yaml"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct kubeadm *k = new_kubeadm(state);
		char path[] = "/tmp/kubec-kubeadm-XXXXXX";
		int fd = mkstemp(path);
		assert_true(fd >= 0);
		close(fd);
		assert_null(io_write_file(path, rows[i].text, strlen(rows[i].text), 0600));
		struct status *s = config_read(k, path);
		unlink(path);
		if (!s)
			s = config_complete(k);
		if (!s || !strcasestr(s->message, rows[i].part))
			fail_msg("row %zu: %s", i, s ? s->message : "accepted");
		status_free(s);
		if (i + 1 < ARRAY_SIZE(rows))
			tear_down(state);
	}
}

static void what_is_mounted_below_a_folder_is_found(void **state)
{
	struct kubeadm *k = new_kubeadm(state);
	char **paths;
	size_t n = mounts_below(k->arena,
		"tmpfs /var/lib/kubelet/pods/1/a\\040b tmpfs rw 0 0\n"
		"/dev/sda1 /var/lib/kubelet ext4 rw 0 0\n"
		"tmpfs /var/lib/kubelet/pods tmpfs rw 0 0\n"
		"tmpfs /var/lib/kubelet-other/x tmpfs rw 0 0\n"
		"cut\n",
		"/var/lib/kubelet", &paths);
	assert_int_equal(n, 2);
	assert_string_equal(paths[0], "/var/lib/kubelet/pods");
	assert_string_equal(paths[1], "/var/lib/kubelet/pods/1/a b");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(an_address_of_a_range_is_counted_from_its_start, tear_down),
		cmocka_unit_test_teardown(tokens_have_their_form, tear_down),
		cmocka_unit_test_teardown(manifests_are_pods_with_the_flags_asked_for, tear_down),
		cmocka_unit_test_teardown(bad_configuration_is_named, tear_down),
		cmocka_unit_test_teardown(what_is_mounted_below_a_folder_is_found, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
