/* What the log says of an event that the server would not take. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/str.h"
#include "client/events.h"
#include "test/unit/client/server.h"

#define REFUSAL(reason, code, details)                                                                              \
	"{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Failure\",\"message\":\"no\",\"reason\":\"" reason \
	"\",\"code\":" code details "}"

struct answer {
	int code;
	const char *body;
};

static bool respond(struct test_request *r, void *data)
{
	const struct answer *answer = data;
	return test_respond(r, answer->code, NULL, answer->body ? answer->body : r->body);
}

/* What is written to standard error until stderr_restore(). */
static int stderr_divert(FILE *into)
{
	fflush(stderr);
	int saved = dup(STDERR_FILENO);
	assert_true(saved >= 0);
	assert_true(dup2(fileno(into), STDERR_FILENO) >= 0);
	return saved;
}

static void stderr_restore(int saved)
{
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	close(saved);
}

static void only_what_is_out_of_order_is_told(void **state)
{
	(void)state;
	static const struct {
		const char *what;
		struct answer answer;
		bool told;
	} cases[] = {
		{"written", {201, NULL}, false},
		{"recorded before", {409, REFUSAL("AlreadyExists", "409", "")}, false},
		{"the namespace goes",
			{403, REFUSAL("Forbidden", "403",
				      ",\"details\":{\"causes\":[{\"reason\":\"NamespaceTerminating\"}]}")},
			false},
		{"not allowed", {403, REFUSAL("Forbidden", "403", "")}, true},
		{"the namespace is gone", {404, REFUSAL("NotFound", "404", "")}, true},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct test_server server;
		test_server_start(&server, respond, (void *)&cases[i].answer);
		FILE *log = tmpfile();
		assert_non_null(log);
		int saved = stderr_divert(log);
		struct client *client = test_client(&server);
		struct event_recorder *recorder = event_recorder_new(client, "tester", "");
		CoreV1ObjectReference ref = {.kind = (char *)"Pod", .namespace = (char *)"ns", .name = (char *)"p"};
		event_record_ref(recorder, &ref, EVENT_NORMAL, "Pulled", "it has come");
		event_recorder_free(recorder);
		client_free(client);
		stderr_restore(saved);
		test_server_stop(&server);
		char text[4096];
		rewind(log);
		text[fread(text, 1, sizeof(text) - 1, log)] = '\0';
		fclose(log);
		if ((strstr(text, "server rejected event 'Pulled'") != NULL) != cases[i].told)
			fail_msg("%s: the log says: %s", cases[i].what, text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_is_out_of_order_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
