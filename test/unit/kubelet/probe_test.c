/* Probes over HTTP, against a server that answers as it likes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "kubelet/probe/probe.h"
#include "test/unit/client/server.h"

/* The path /moved has an answer of its own, any other the one that the case says. */
static bool answer(struct test_request *r, void *data)
{
	const char *text = str_eq(r->head.target, "/moved") ? "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nthere"
							    : atomic_load((const char *_Atomic *)data);
	test_write(r, text, strlen(text));
	return false;
}

static const struct row {
	const char *answer;
	enum probe_outcome outcome;
	const char *output;
} rows[] = {
	{"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine", PROBE_OUTCOME_SUCCESS, "fine"},
	{"HTTP/1.0 399 Odd\r\n\r\nto the end", PROBE_OUTCOME_SUCCESS, "to the end"},
	{"HTTP/1.1 204 No Content\r\n\r\nnobody reads this", PROBE_OUTCOME_SUCCESS, ""},
	{"HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n", PROBE_OUTCOME_FAILURE,
		"HTTP probe failed with statuscode: 400"},
	{"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n\r\nlate",
		PROBE_OUTCOME_SUCCESS, "late"},
	{"HTTP/1.1 302 Found\r\nLocation: /moved\r\n\r\n", PROBE_OUTCOME_SUCCESS, "there"},
	{"HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/moved\r\n\r\nbye", PROBE_OUTCOME_WARNING,
		"Probe terminated redirects, Response body: bye"},
	/* What is no answer, or not all of it. */
	{"", PROBE_OUTCOME_FAILURE, ": EOF"},
	{"HTTP/1.1 103 Early Hints\r\n\r\n", PROBE_OUTCOME_FAILURE, ": EOF"},
	{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut", PROBE_OUTCOME_FAILURE, ": unexpected EOF"},
	{"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", PROBE_OUTCOME_FAILURE, "bad Content-Length \"-1\""},
	{"GET / HTTP/1.1\r\n\r\n", PROBE_OUTCOME_FAILURE, ": malformed HTTP response"},
	{"SSH-2.0-OpenSSH\r\n\r\n", PROBE_OUTCOME_FAILURE, ": malformed HTTP first line"},
};

static void each_answer_has_its_outcome(void **state)
{
	const char *_Atomic text = "";
	struct test_server server;
	test_server_start(&server, answer, &text);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		CoreV1Probe *probe = API_NEW(arena, CoreV1Probe);
		CoreV1HTTPGetAction *get = API_NEW(arena, CoreV1HTTPGetAction);
		enum probe_outcome outcome;
		char *output;
		atomic_store(&text, rows[i].answer);
		get->port = API_NEW(arena, IntstrIntOrString);
		get->port->int_val = server.port;
		probe->timeout_seconds = 20;
		probe->handler = API_NEW(arena, CoreV1ProbeHandler);
		probe->handler->http_get = get;
		assert_null(probe_run(NULL, arena, NULL, NULL, probe, "id", "127.0.0.1", &outcome, &output));
		if (outcome != rows[i].outcome || !str_ends_with(output, rows[i].output))
			fail_msg("%s\nexpected: %d %s\nactual: %d %s", rows[i].answer, (int)rows[i].outcome,
				rows[i].output, (int)outcome, output);
	}
	test_server_stop(&server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(each_answer_has_its_outcome)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
