/* Tokens become users, or are refused: static, bootstrap and service account tokens, with a clock that is ours. */
#include <unistd.h>
#include "apiserver/authn/internal.h"
#include "base/io.h"
#include "pki/jwt.h"
#include "pki/pki.h"
#include "world.h"

enum { NOW = 1800000000 };
#define ISSUER "https://kubernetes.default.svc"

struct fixture {
	struct world *w;
	struct clock *clock;
	struct authn *authn;
	struct pki_key *key, *old_key;
	char dir[32];
};

static char *path_in(struct fixture *f, const char *name)
{
	return arena_printf(f->w->arena, "%s/%s", f->dir, name);
}

static void write_text(struct fixture *f, const char *name, const char *text)
{
	assert_null(io_write_file(path_in(f, name), text, strlen(text), 0600));
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	f->w = world_new();
	f->clock = clock_fake_new(NOW * INT64_C(1000000000));
	memcpy(f->dir, "/tmp/authn-XXXXXX", sizeof("/tmp/authn-XXXXXX"));
	assert_non_null(mkdtemp(f->dir));
	assert_null(pki_key_generate(PKI_ECDSA_P256, &f->key));
	assert_null(pki_key_generate(PKI_RSA_2048, &f->old_key));
	write_text(f, "sa.key", pki_key_pem(f->w->arena, f->key));
	write_text(f, "sa.pub", pki_key_public_pem(f->w->arena, f->key));
	write_text(f, "old.pub", pki_key_public_pem(f->w->arena, f->old_key));
	write_text(f, "tokens.csv", "# people\nsecret1,ann,7,\"dev,ops\"\nsecret2,joe,8\n");
	char *keys[] = {path_in(f, "sa.pub"), path_in(f, "old.pub")}, *issuers[] = {ISSUER};
	struct authn_options options = {
		.token_auth_file = path_in(f, "tokens.csv"),
		.enable_bootstrap_token_auth = true,
		.anonymous_auth = true,
		.service_account_key_file = {arena_dup(f->w->arena, keys, sizeof(keys)), 2},
		.service_account_signing_key_file = path_in(f, "sa.key"),
		.service_account_issuer = {arena_dup(f->w->arena, issuers, sizeof(issuers)), 1},
		.service_account_lookup = true,
		.service_account_extend_token_expiration = true,
	};
	assert_null(authn_new(&options, &f->w->objects, f->clock, &f->authn));
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	authn_free(f->authn);
	pki_key_free(f->key);
	pki_key_free(f->old_key);
	clock_fake_free(f->clock);
	assert_null(io_remove_tree(f->dir));
	world_free(f->w);
	free(f);
	return 0;
}

static struct user *try_token(struct fixture *f, const char *token, char **ret_error)
{
	struct user *user = NULL;
	struct token_request request = {.token = token};
	struct status *s = authn_token(f->authn, f->w->arena, &request, &user);
	if (ret_error)
		*ret_error = s ? arena_strdup(f->w->arena, s->message) : NULL;
	status_free(s);
	return user;
}

static void test_static(void **state)
{
	struct fixture *f = *state;
	struct user *user = try_token(f, "secret1", NULL);
	assert_string_equal(user->name, "ann");
	assert_string_equal(user->uid, "7");
	assert_true(
		user_in_group(user, "dev") && user_in_group(user, "ops") && user_in_group(user, GROUP_AUTHENTICATED));
	assert_string_equal(try_token(f, "secret2", NULL)->name, "joe");
	assert_null(try_token(f, "secret", NULL));
}

static void put_bootstrap(struct fixture *f, const char *extra)
{
	world_put(f->w, arena_printf(f->w->arena,
				"{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"namespace\":\"kube-"
				"system\",\"name\":"
				"\"bootstrap-token-abcdef\"},\"type\":\"bootstrap.kubernetes.io/"
				"token\",\"data\":{\"token-id\":\"YWJjZGVm\","
				"\"token-secret\":\"MDEyMzQ1Njc4OWFiY2RlZg==\"%s}}",
				extra));
}

static void test_bootstrap(void **state)
{
	struct fixture *f = *state;
	static const char token[] = "abcdef.0123456789abcdef";
	static const struct {
		const char *extra;
		bool good;
	} cases[] = {
		{",\"usage-bootstrap-authentication\":\"dHJ1ZQ==\"", true},
		{"", false},
		/* 2027-01-15T08:00:00Z is NOW */
		{",\"usage-bootstrap-authentication\":\"dHJ1ZQ==\",\"expiration\":\"MjAyNy0wMS0xNVQwODowMDowMFo=\"",
			false},
		{",\"usage-bootstrap-authentication\":\"dHJ1ZQ==\",\"expiration\":\"MjAyNy0wMS0xNVQwODowMDowMVo=\"",
			true},
		{",\"usage-bootstrap-authentication\":\"dHJ1ZQ==\",\"expiration\":\"bm9uc2Vuc2U=\"", false},
		/* system:bootstrappers:kubeadm:default-node-token; and a group that is none of theirs */
		{",\"usage-bootstrap-authentication\":\"dHJ1ZQ==\",\"auth-extra-groups\":"
		 "\"c3lzdGVtOmJvb3RzdHJhcHBlcnM6a3ViZWFkbTpkZWZhdWx0LW5vZGUtdG9rZW4=\"",
			true},
		{",\"usage-bootstrap-authentication\":\"dHJ1ZQ==\",\"auth-extra-groups\":\"c3lzdGVtOm1hc3RlcnM=\"",
			false},
	};
	assert_null(try_token(f, token, NULL));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		put_bootstrap(f, cases[i].extra);
		struct user *user = try_token(f, token, NULL);
		if (!!user != cases[i].good)
			fail_msg("case %zu", i);
		if (user) {
			assert_string_equal(user->name, "system:bootstrap:abcdef");
			assert_true(user_in_group(user, "system:bootstrappers"));
		}
	}
	put_bootstrap(f, cases[0].extra);
	assert_null(try_token(f, "abcdef.0123456789abcdeg", NULL));
	assert_null(try_token(f, "abcdef.0123456789abcde", NULL));
}

static const CoreV1ServiceAccount *put_account(struct fixture *f, const char *uid)
{
	return world_put(f->w, arena_printf(f->w->arena,
				       "{\"apiVersion\":\"v1\",\"kind\":\"ServiceAccount\",\"metadata\":{\"namespace\":"
				       "\"dev\",\"name\":"
				       "\"bot\",\"uid\":\"%s\"}}",
				       uid));
}

static char *issue(struct fixture *f, const CoreV1ServiceAccount *account, const char *json)
{
	AuthenticationV1TokenRequest *request = world_object(f->w->arena, json);
	const char *warning;
	struct status *s = authn_issue_token(f->authn, f->w->arena, account, request, &warning);
	if (s)
		fail_msg("%s", s->message);
	return request->status->token;
}

#define REQUEST "{\"apiVersion\":\"authentication.k8s.io/v1\",\"kind\":\"TokenRequest\",\"spec\":{"

static void test_service_account(void **state)
{
	struct fixture *f = *state;
	char *error;
	const CoreV1ServiceAccount *account = put_account(f, "u1");
	char *token = issue(f, account, REQUEST "\"expirationSeconds\":600}}");
	struct user *user = try_token(f, token, &error);
	assert_non_null(user);
	assert_string_equal(user->name, "system:serviceaccount:dev:bot");
	assert_string_equal(user->uid, "u1");
	assert_true(user_in_group(user, "system:serviceaccounts:dev"));
	assert_non_null(user_extra_get(user, "authentication.kubernetes.io/credential-id"));
	/* A letter changed in the signature. */
	char *forged = arena_strdup(f->w->arena, token);
	char *dot = strrchr(forged, '.');
	dot[5] = dot[5] == 'A' ? 'B' : 'A';
	assert_null(try_token(f, forged, &error));
	/* The account is made anew: its old tokens are nobody's. */
	put_account(f, "u2");
	assert_null(try_token(f, token, &error));
	assert_string_equal(error, "service account UID (u2) does not match claim (u1)");
	put_account(f, "u1");
	assert_non_null(try_token(f, token, &error));
	clock_fake_advance(f->clock, (600 + 59) * 1000);
	assert_non_null(try_token(f, token, &error));
	clock_fake_advance(f->clock, 2 * 1000);
	assert_null(try_token(f, token, &error));
	assert_string_equal(error, "service account token has expired");
}

static void test_audiences(void **state)
{
	struct fixture *f = *state;
	char *error, *vault[] = {"vault", "other"};
	char *token = issue(f, put_account(f, "u1"), REQUEST "\"audiences\":[\"vault\"]}}");
	struct user *user;
	assert_null(try_token(f, token, &error));
	assert_non_null(strstr(error, "is invalid for the target audiences"));
	struct token_request request = {.token = token, .audiences = vault, .n_audiences = 2};
	assert_null(authn_token(f->authn, f->w->arena, &request, &user));
	assert_int_equal(request.ret_n_audiences, 1);
	assert_string_equal(request.ret_audiences[0], "vault");
}

static void test_bound(void **state)
{
	struct fixture *f = *state;
	char *error;
	static const char pod[] =
		"{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"namespace\":\"dev\",\"name\":\"p\",\"uid\":"
		"\"pu\"},\"spec\":{\"serviceAccountName\":\"bot\",\"nodeName\":\"n1\"}}";
	const CoreV1ServiceAccount *account = put_account(f, "u1");
	world_put(f->w, pod);
	char *token = issue(f, account,
		REQUEST "\"expirationSeconds\":3607,\"boundObjectRef\":{\"apiVersion\":\"v1\",\"kind\":\"Pod\","
			"\"name\":\"p\"}}}");
	struct user *user = try_token(f, token, &error);
	assert_string_equal(user_extra_get(user, "authentication.kubernetes.io/pod-name"), "p");
	assert_string_equal(user_extra_get(user, "authentication.kubernetes.io/node-name"), "n1");
	/* What a kubelet projects outlives its hour. */
	clock_fake_advance(f->clock, INT64_C(24) * 3600 * 1000);
	assert_non_null(try_token(f, token, &error));
	world_drop(f->w, &CoreV1Pod_schema, "dev", "p");
	assert_null(try_token(f, token, &error));
	assert_string_equal(error, "service account token has been invalidated");
}

static void test_rotation(void **state)
{
	struct fixture *f = *state;
	char *token, *error;
	put_account(f, "u1");
	char *claims = arena_printf(f->w->arena,
		"{\"aud\":[\"" ISSUER
		"\"],\"exp\":%d,\"iss\":\"%%s\",\"kubernetes.io\":{\"namespace\":\"dev\",\"serviceaccount\":{"
		"\"name\":\"bot\",\"uid\":\"u1\"}},\"sub\":\"system:serviceaccount:dev:bot\"}",
		NOW + 100);
	char *ours = arena_strdup(f->w->arena, claims), *at = strstr(ours, "%s");
	ours = arena_printf(f->w->arena, "%.*s" ISSUER "%s", (int)(at - ours), ours, at + 2);
	assert_null(jwt_sign(f->w->arena, f->old_key, ours, &token));
	assert_non_null(try_token(f, token, &error));
	/* A key that is nobody's here. */
	struct pki_key *foreign;
	assert_null(pki_key_generate(PKI_ECDSA_P256, &foreign));
	assert_null(jwt_sign(f->w->arena, foreign, ours, &token));
	assert_null(try_token(f, token, &error));
	assert_non_null(error);
	/* Another issuer's token is not ours to judge. */
	char *theirs = arena_printf(f->w->arena, "{\"iss\":\"https://elsewhere\",\"sub\":\"x\"}");
	assert_null(jwt_sign(f->w->arena, f->key, theirs, &token));
	assert_null(try_token(f, token, &error));
	assert_string_equal(error, "invalid bearer token");
	pki_key_free(foreign);
}

static void test_bad_requests(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *json, *message;
	} cases[] = {
		{REQUEST "\"expirationSeconds\":60}}", "TokenRequest.authentication.k8s.io \"\" is invalid: "
						       "spec.expirationSeconds: Invalid value: 60: may not specify a "
						       "duration less than 10 minutes"},
		{REQUEST "\"boundObjectRef\":{\"apiVersion\":\"v1\",\"kind\":\"Job\",\"name\":\"p\"}}}",
			"cannot bind token to object of type /v1, Kind=Job"},
		{REQUEST "\"boundObjectRef\":{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"name\":\"nope\"}}}",
			"pods \"nope\" not found"},
	};
	const CoreV1ServiceAccount *account = put_account(f, "u1");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AuthenticationV1TokenRequest *request = world_object(f->w->arena, cases[i].json);
		const char *warning;
		struct status *s = authn_issue_token(f->authn, f->w->arena, account, request, &warning);
		assert_non_null(s);
		assert_string_equal(s->message, cases[i].message);
		status_free(s);
	}
}

static const char *no_header(void *data, const char *name, size_t nth)
{
	return data && !nth && !strcmp(name, "Authorization") ? data : NULL;
}

static void test_anonymous(void **state)
{
	struct fixture *f = *state;
	struct user *user;
	struct authn_request request = {.header = no_header};
	assert_null(authn_authenticate(f->authn, f->w->arena, &request, &user));
	assert_string_equal(user->name, "system:anonymous");
	assert_true(user_in_group(user, GROUP_UNAUTHENTICATED) && !user_in_group(user, GROUP_AUTHENTICATED));
	/* A bad credential is not the same as none. */
	request.data = (void *)"Bearer nonsense";
	struct status *s = authn_authenticate(f->authn, f->w->arena, &request, &user);
	assert_true(status_is(s, STATUS_UNAUTHORIZED));
	assert_string_equal(s->message, "Unauthorized");
	status_free(s);
	request.data = (void *)"bearer secret1";
	assert_null(authn_authenticate(f->authn, f->w->arena, &request, &user));
	assert_string_equal(user->name, "ann");
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {CASE(test_static), CASE(test_bootstrap), CASE(test_service_account),
		CASE(test_audiences), CASE(test_bound), CASE(test_rotation), CASE(test_bad_requests),
		CASE(test_anonymous)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
