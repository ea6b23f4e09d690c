/* kubeconfig: precedence, merging, overrides, errors, writing. Files live in a directory of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include "base/io.h"
#include "base/str.h"
#include "client/kubeconfig.h"

static char dir[] = "/tmp/kubeconfig-test-XXXXXX";

static int set_up(void **state)
{
	(void)state;
	unsetenv("KUBECONFIG");
	unsetenv("KUBERNETES_SERVICE_HOST");
	return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	return io_remove_tree(dir) ? -1 : 0;
}

static char *file(struct arena *arena, const char *name, const char *text)
{
	char *path = arena_printf(arena, "%s/%s", dir, name);
	assert_null(io_write_file(path, text, strlen(text), 0600));
	return path;
}

#define TWO_CONTEXTS                                                                                       \
	"apiVersion: v1\n"                                                                                 \
	"kind: Config\n"                                                                                   \
	"current-context: dev\n"                                                                           \
	"clusters:\n"                                                                                      \
	"- name: one\n"                                                                                    \
	"  cluster: {server: 'https://one:6443', certificate-authority: ca.crt, tls-server-name: inner}\n" \
	"- name: two\n"                                                                                    \
	"  cluster: {server: 'https://two:6443', insecure-skip-tls-verify: true}\n"                        \
	"users:\n"                                                                                         \
	"- name: jane\n"                                                                                   \
	"  user: {token: secret}\n"                                                                        \
	"- name: joe\n"                                                                                    \
	"  user: {tokenFile: tok}\n"                                                                       \
	"contexts:\n"                                                                                      \
	"- name: dev\n"                                                                                    \
	"  context: {cluster: one, user: jane, namespace: work}\n"                                         \
	"- name: prod\n"                                                                                   \
	"  context: {cluster: two, user: joe}\n"

static void contexts_and_flags_decide(void **state)
{
	(void)state;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	char *path = file(arena, "config", TWO_CONTEXTS);
	char *ca = file(arena, "ca.crt", "x");
	struct client_config c;
	char *namespace;
	struct kubeconfig_overrides o = {.path = path};
	assert_null(kubeconfig_load(arena, &o, &c, &namespace));
	assert_string_equal(c.host, "https://one:6443");
	assert_string_equal(c.ca_file, ca); /* relative to the file */
	assert_string_equal(c.token, "secret");
	assert_string_equal(c.tls_server_name, "inner");
	assert_string_equal(namespace, "work");
	o = (struct kubeconfig_overrides){.path = path, .context = "prod", .namespace = "x"};
	assert_null(kubeconfig_load(arena, &o, &c, &namespace));
	assert_string_equal(c.host, "https://two:6443");
	assert_true(c.insecure);
	assert_string_equal(c.token_file, arena_printf(arena, "%s/tok", dir));
	assert_string_equal(namespace, "x");
	/* -s clears the file's server name; trust from a flag replaces the file's. */
	o = (struct kubeconfig_overrides){
		.path = path, .server = "https://other", .insecure_skip_tls_verify = true, .user = "joe", .as = "root"};
	assert_null(kubeconfig_load(arena, &o, &c, &namespace));
	assert_string_equal(c.host, "https://other");
	assert_null(c.tls_server_name);
	assert_null(c.ca_file);
	assert_true(c.insecure);
	assert_null(c.token);
	assert_string_equal(c.as_user, "root");
}

static void credentials_stay_home_without_tls(void **state)
{
	(void)state;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	char *path = file(arena, "plain",
		"clusters: [{name: c, cluster: {server: 'http://x'}}]\nusers: [{name: u, user: {token: secret}}]\n"
		"contexts: [{name: k, context: {cluster: c, user: u}}]\ncurrent-context: k\n");
	struct client_config c;
	assert_null(kubeconfig_load_file(arena, path, NULL, &c));
	assert_string_equal(c.host, "http://x");
	assert_null(c.token);
}

static void the_first_file_of_the_list_wins(void **state)
{
	(void)state;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	char *first = file(arena, "first", "clusters: [{name: one, cluster: {server: 'http://first'}}]\n");
	char *second = file(arena, "second", TWO_CONTEXTS);
	setenv("KUBECONFIG", arena_printf(arena, "%s:%s/missing:%s", first, dir, second), 1);
	struct client_config c;
	char *namespace;
	assert_null(kubeconfig_load(arena, NULL, &c, &namespace));
	assert_string_equal(c.host, "http://first");
	assert_string_equal(namespace, "work");
	ClientcmdV1Config *merged;
	assert_null(kubeconfig_merged(arena, NULL, &merged));
	assert_int_equal(merged->n_clusters, 2);
	assert_string_equal(merged->current_context, "dev");
	unsetenv("KUBECONFIG");
}

static void what_is_wrong_is_named(void **state)
{
	(void)state;
	static const struct {
		const char *text, *context, *message;
	} cases[] = {
		{TWO_CONTEXTS, "none", "context \"none\" does not exist"},
		{"current-context: gone\nclusters: [{name: c, cluster: {server: 'http://x'}}]\n", NULL,
			"invalid configuration: [context was not found for specified context: gone, cluster has no "
			"server defined]"},
		{"", NULL,
			"invalid configuration: no configuration has been provided, try setting KUBERNETES_MASTER "
			"environment "
			"variable"},
		{"clusters: [{name: c, cluster: {server: 'https://x', certificate-authority: /nonexistent}}]\n"
		 "contexts: [{name: k, context: {cluster: c}}]\ncurrent-context: k\n",
			NULL,
			"invalid configuration: unable to read certificate-authority /nonexistent for c due to open "
			"/nonexistent: no "
			"such file or directory"},
		{"clusters: [{name: c, cluster: {server: 'https://x'}}]\nusers: [{name: u, user: "
		 "{client-certificate-data: eA==}}]\n"
		 "contexts: [{name: k, context: {cluster: c, user: u}}]\ncurrent-context: k\n",
			NULL,
			"invalid configuration: client-key-data or client-key must be specified for u to use the "
			"clientCert "
			"authentication method."},
		{"clusters: [{name: c, cluster: {server: 'https://x'}}]\nusers: [{name: u, user: {exec: {command: c, "
		 "apiVersion: "
		 "client.authentication.k8s.io/v1}}}]\ncontexts: [{name: k, context: {cluster: c, user: "
		 "u}}]\ncurrent-context: k\n",
			NULL,
			"invalid configuration: interactiveMode must be specified for u to use exec authentication "
			"plugin"},
	};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct client_config c;
		struct kubeconfig_overrides o = {
			.path = file(arena, "bad", cases[i].text), .context = cases[i].context};
		file(arena, "ca.crt", "x");
		struct status *error = kubeconfig_load(arena, &o, &c, NULL);
		assert_non_null(error);
		assert_string_equal(error->message, cases[i].message);
		status_free(error);
	}
	static const char *const malformed[] = {
		"{", "clusters: x", "kind: Pod", "apiVersion: v2\nkind: Config\n", "\xff\xfe\x01"};
	for (size_t i = 0; i < ARRAY_SIZE(malformed); i++) {
		struct client_config c;
		char *path = file(arena, "bad", malformed[i]);
		struct status *error = kubeconfig_load_file(arena, path, NULL, &c);
		assert_non_null(error);
		if (!strstr(error->message, path))
			print_error("%s\n", error->message);
		assert_non_null(strstr(error->message, path));
		status_free(error);
	}
	struct client_config c;
	struct status *error = kubeconfig_load_file(arena, "/nonexistent/x", NULL, &c);
	assert_true(status_is(error, STATUS_NOT_FOUND));
	status_free(error);
}

static void a_default_server_serves_who_says_nothing(void **state)
{
	(void)state;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct client_config c;
	char *namespace;
	setenv("KUBECONFIG", arena_printf(arena, "%s/missing", dir), 1);
	struct kubeconfig_overrides o = {.default_server = "http://localhost:8080"};
	assert_null(kubeconfig_load(arena, &o, &c, &namespace));
	assert_string_equal(c.host, "http://localhost:8080");
	assert_string_equal(namespace, "default");
	unsetenv("KUBECONFIG");
}

static void files_are_written_and_read_back(void **state)
{
	(void)state;
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	ClientcmdV1Config *config;
	assert_null(kubeconfig_read(arena, file(arena, "in", TWO_CONTEXTS), &config));
	kubeconfig_add_cluster(arena, config, "three")->server = "https://three";
	kubeconfig_add_user(arena, config, "jane")->token = "changed";
	assert_true(kubeconfig_remove_context(config, "prod"));
	assert_false(kubeconfig_remove_context(config, "prod"));
	file(arena, "ca.crt", "ca bytes");
	assert_null(kubeconfig_flatten(arena, config, dir));
	char *out = arena_printf(arena, "%s/new/dir/out", dir);
	assert_null(kubeconfig_write(out, config));
	ClientcmdV1Config *again;
	assert_null(kubeconfig_read(arena, out, &again));
	assert_int_equal(again->n_clusters, 3);
	assert_int_equal(again->n_contexts, 1);
	assert_string_equal(kubeconfig_cluster(again, "three")->server, "https://three");
	assert_string_equal(kubeconfig_user(again, "jane")->token, "changed");
	assert_null(kubeconfig_user(again, "nobody"));
	ProtobufCBinaryData ca = kubeconfig_cluster(again, "one")->certificate_authority_data;
	assert_int_equal(ca.len, 8);
	assert_memory_equal(ca.data, "ca bytes", 8);
	assert_string_equal(kubeconfig_cluster(again, "one")->certificate_authority, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(contexts_and_flags_decide),
		cmocka_unit_test(credentials_stay_home_without_tls),
		cmocka_unit_test(the_first_file_of_the_list_wins),
		cmocka_unit_test(what_is_wrong_is_named),
		cmocka_unit_test(a_default_server_serves_who_says_nothing),
		cmocka_unit_test(files_are_written_and_read_back),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
