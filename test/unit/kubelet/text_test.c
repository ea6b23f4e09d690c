/* Texts: variables, log lines, resolv.conf, hosts, names of images. */
#include <fcntl.h>
#include <unistd.h>
#include "test/unit/kubelet/pods.h"
#include "base/io.h"
#include "kubelet/image/image.h"
#include "kubelet/node/status.h"
#include "kubelet/node/machine.h"
#include "kubelet/runtime/env.h"
#include "kubelet/runtime/logs.h"
#include "kubelet/runtime/resolv.h"
#include "kubelet/runtime/runtime.h"

static void variables_expand(void **state)
{
	static const struct {
		const char *text, *wanted;
	} rows[] = {
		{"$(A)", "one"},
		{"x$(A)y$(B)", "xoney"},
		{"$$(A)", "$(A)"},
		{"$$$(A)", "$one"},
		{"$(C)", "$(C)"},
		{"$(A", "$(A"},
		{"$A", "$A"},
		{"a$", "a$"},
		{"$()", "$()"},
		{"plain", "plain"},
	};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct name_values vars = {0};
	name_values_add(arena, &vars, "A", "one");
	name_values_add(arena, &vars, "B", "");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_string_equal(env_expand(arena, rows[i].text, &vars, NULL), rows[i].wanted);
	char *out;
	struct status *s = env_expand_strict(arena, "$(A)/$(C)", &vars, &out);
	assert_non_null(s);
	status_free(s);
}

static void services_become_variables(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const char *text = "{apiVersion: v1, kind: Service, metadata: {name: my-db}, spec: {clusterIP: 10.0.0.9, "
			   "ports: [{name: sql, port: 5432}, {name: web, port: 80, protocol: UDP}]}}";
	CoreV1Service *service;
	assert_null(yaml_decode(arena, NULL, text, strlen(text), NULL, &service));
	struct name_values vars = {0};
	env_add_service(arena, &vars, service);
	assert_string_equal(name_values_get(&vars, "MY_DB_SERVICE_HOST"), "10.0.0.9");
	assert_string_equal(name_values_get(&vars, "MY_DB_SERVICE_PORT"), "5432");
	assert_string_equal(name_values_get(&vars, "MY_DB_SERVICE_PORT_SQL"), "5432");
	assert_string_equal(name_values_get(&vars, "MY_DB_PORT"), "tcp://10.0.0.9:5432");
	assert_string_equal(name_values_get(&vars, "MY_DB_PORT_80_UDP"), "udp://10.0.0.9:80");
	assert_string_equal(name_values_get(&vars, "MY_DB_PORT_80_UDP_ADDR"), "10.0.0.9");
}

static bool collect(void *data, const void *bytes, size_t size)
{
	strbuf_add(data, bytes, size);
	return true;
}

static void logs_are_read(void **state)
{
	static const char text[] = "2026-01-02T03:04:05.5Z stdout F first\n"
				   "2026-01-02T03:04:06.123456789Z stderr P par\n"
				   "2026-01-02T03:04:06.2+01:00 stderr F tial\n"
				   "this is no log line\n"
				   "2026-01-02T03:04:09Z stdout F last\n";
	static const struct {
		struct log_options o;
		const char *wanted;
	} rows[] = {
		{{.tail_lines = -1, .limit_bytes = -1}, "first\npartial\nlast\n"},
		{{.tail_lines = 1, .limit_bytes = -1}, "last\n"},
		{{.tail_lines = 0, .limit_bytes = -1}, ""},
		{{.tail_lines = 99, .limit_bytes = 8}, "first\npa"},
		{{.tail_lines = -1, .limit_bytes = -1, .only_stderr = true}, "partial\n"},
		{{.tail_lines = -1, .limit_bytes = -1, .since_ns = 1767323048LL * 1000000000}, "last\n"},
		{{.tail_lines = 4, .limit_bytes = -1, .timestamps = true, .only_stderr = true},
			"2026-01-02T03:04:06.123456789Z partial\n"},
	};
	char path[] = "/tmp/log-test-XXXXXX";
	int fd = mkstemp(path);
	assert_null(io_write_all(fd, text, strlen(text)));
	close(fd);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
		struct log_sink sink = {.write = collect, .data = &out};
		assert_null(log_read(path, &rows[i].o, &sink));
		assert_string_equal(out.buf, rows[i].wanted);
	}
	unlink(path);
}

static void log_lines_are_checked(void **state)
{
	static const char *const bad[] = {"", "x", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z stdout",
		"2026-01-02T03:04:05Z stdin F x", "2026-13-02T03:04:0xZ stdout F x", "2026-01-02 stdout F x"};
	struct log_line line;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(log_parse_line(bad[i], strlen(bad[i]), &line));
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const char *t = "2026-01-02T03:04:05.5+02:00";
	assert_string_equal(log_fixed_time(arena, t, strlen(t)), "2026-01-02T03:04:05.500000000+02:00");
}

static void resolv_conf(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct resolv r;
	resolv_parse(arena,
		"# comment\nnameserver 1.1.1.1\nsearch old\n nameserver 2.2.2.2 \nsearch a.b. c .\noptions ndots:2 "
		"edns0\n",
		&r);
	assert_int_equal(r.n_servers, 2);
	assert_string_equal(r.servers[1], "2.2.2.2");
	assert_int_equal(r.n_searches, 2);
	assert_string_equal(r.searches[0], "a.b");
	assert_int_equal(r.n_options, 2);
	const char *text =
		"{nameservers: [1.1.1.1, 3.3.3.3, 4.4.4.4], searches: [c, d], options: [{name: ndots, value: '5'}]}";
	CoreV1PodDNSConfig *config;
	assert_null(yaml_decode(arena, &CoreV1PodDNSConfig_schema, text, strlen(text), NULL, &config));
	resolv_apply(arena, &r, config);
	assert_int_equal(r.n_servers, 4);
	assert_int_equal(r.n_searches, 3);
	assert_string_equal(r.options[0], "ndots:5");
	assert_non_null(resolv_limit(arena, &r));
	assert_int_equal(r.n_servers, 3);
}

static void hosts_file(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(pod_unrefp)
	struct pod *pod = pod_of("{containers: [{name: a}], hostAliases: [{ip: 1.2.3.4, hostnames: [xx, yy]}]}");
	const char *const ips[] = {"10.0.0.5"};
	char *text = hosts_file_text(arena, pod_spec(pod), ips, 1, "web", "sub.ns.svc.local", "");
	assert_non_null(strstr(text, "\n10.0.0.5\tweb.sub.ns.svc.local\tweb\n"));
	assert_non_null(strstr(text, "\n\n# Entries added by HostAliases.\n1.2.3.4\txx\tyy\n"));
}

static void versions_of_runtimes(void **state)
{
	static const char *const rows[][2] = {{"1.6.20~ds1", "1.6.20"}, {"1.7.2", "1.7.2"},
		{"v2.0.0-rc.1", "2.0.0-rc.1"}, {"1.7.2+unknown", "1.7.2+unknown"}, {"1.7", "1.7"},
		{"1.2.3.4", "1.2.3.4"}, {"", ""}};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_string_equal(runtime_version_shown(arena, rows[i][0]), rows[i][1]);
}

static void image_names(void **state)
{
	static const struct {
		const char *name, *wanted; /* NULL: refused */
	} rows[] = {
		{"busybox", "busybox:latest"},
		{"busybox:1", "busybox:1"},
		{"a.b:5000/x/y", "a.b:5000/x/y:latest"},
		{"a.b:5000/x/y:2", "a.b:5000/x/y:2"},
		{"x@sha256:0123", "x@sha256:0123"},
		{"Upper", NULL},
		{"a.b:5000/x/Y:1", NULL},
		{"x:TAG", "x:TAG"},
		{"", NULL},
		{"x:", NULL},
		{"-x", NULL},
		{"a b", NULL},
	};
	static const struct {
		const char *name, *repository;
	} capitals[] = {{"Upper::x", "library/Upper"}, {"team/Upper", "team/Upper"}, {"a.b:5000/x/Y:1", "x/Y"}};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *out = NULL;
		struct status *s = image_normalize(arena, rows[i].name, &out);
		if (!s != !!rows[i].wanted)
			fail_msg("%s: %s", rows[i].name, s ? s->message : "accepted");
		if (!s)
			assert_string_equal(out, rows[i].wanted);
		status_free(s);
	}
	for (size_t i = 0; i < ARRAY_SIZE(capitals); i++) {
		char *out;
		struct status *s = image_normalize(arena, capitals[i].name, &out);
		char *wanted = arena_printf(arena,
			"couldn't parse image name \"%s\": invalid reference format: repository name (%s) must be "
			"lowercase",
			capitals[i].name, capitals[i].repository);
		assert_string_equal(s->message, wanted);
		status_free(s);
	}
	assert_true(image_matches_credentials("https://index.docker.io/v1/", "busybox:1"));
	assert_true(image_matches_credentials("*.example.com/team", "r.example.com/team/x:1"));
	assert_false(image_matches_credentials("*.example.com/team", "r.example.com/other/x:1"));
	assert_false(image_matches_credentials("example.com", "example.com:5000/x"));
}

static void what_the_machine_says_of_itself(void **state)
{
	static const char meminfo[] =
		"MemTotal:       1000 kB\nMemFree: 1 kB\nXMemAvailable: 7 kB\nMemAvailable: 20 kB";
	static const char release[] = "PRETTY=x\nMY_PRETTY_NAME=y\nPRETTY_NAME=\"Debian 12\"\nNAME=z\n";
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	assert_int_equal(machine_meminfo(meminfo, "MemTotal"), 1024000);
	assert_int_equal(machine_meminfo(meminfo, "MemAvailable"), 20480);
	assert_int_equal(machine_meminfo(meminfo, "SwapTotal"), 0);
	assert_int_equal(machine_meminfo("MemTotal: 9223372036854775807 kB\n", "MemTotal"), 0);
	assert_string_equal(machine_os_image(arena, release), "Debian 12");
	assert_string_equal(machine_os_image(arena, "PRETTY_NAME=Plain"), "Plain");
	assert_string_equal(machine_os_image(arena, "PRETTY_NAME=\""), "\"");
	assert_string_equal(machine_os_image(arena, "NAME=z\n"), "");
	assert_int_equal(
		machine_cpu_ns("cpu  100 0 20 999 999 3 4 1\n"), 128ull * 1000000000 / (uint64_t)sysconf(_SC_CLK_TCK));
	assert_int_equal(machine_cpu_ns("cpu 1 2\n"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(variables_expand),
		cmocka_unit_test(services_become_variables),
		cmocka_unit_test(logs_are_read),
		cmocka_unit_test(log_lines_are_checked),
		cmocka_unit_test(resolv_conf),
		cmocka_unit_test(hosts_file),
		cmocka_unit_test(image_names),
		cmocka_unit_test(versions_of_runtimes),
		cmocka_unit_test(what_the_machine_says_of_itself),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
