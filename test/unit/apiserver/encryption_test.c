/* Values as the original has encrypted them, what cannot be read, what is stale, and what a configuration may not say.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>
#include "apiserver/encryption/providers.h"
#include "base/encode.h"
#include "base/io.h"
#include "base/mem.h"

#define KEY "/registry/secrets/default/a"
#define A16 "AAAAAAAAAAAAAAAAAAAAAA=="
#define A32 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define B32 "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="
#define HEAD "kind: EncryptionConfiguration\napiVersion: apiserver.config.k8s.io/v1\n"

static const struct schema_resource *resource_of(const char *group, const char *plural)
{
	SCHEMA_FOREACH_RESOURCE(r)
	if (!strcmp(r->type->group, group) && !strcmp(r->plural, plural))
		return r;
	return NULL;
}

/* --- vectors, of k8s.io/apiserver v0.34.4; the bytes of a key are 0, 1, 2… --- */

static const struct {
	const struct cipher *cipher;
	size_t key_size;
	const char *plain;
	size_t plain_size;
	const char *sealed; /* hexadecimal */
} vectors[] = {
	{&cipher_aesgcm, 16, "", 0, "93ddb9539966e2952a98b27119710e724509565b3d93d9f72797a5f1"},
	{&cipher_aesgcm, 24, "0123456789abcdef", 16,
		"fd519770e1f37ab7d0b1c482b6f118c3126689e10e665f91f081f62314e25993348afdbb7a0ec9a7d162e1be"},
	{&cipher_aesgcm, 32, "k8s\0 a value", 12,
		"04bf39b36dad30489f0b90a0b5b35da90cc4b0ffcbaa36a0818987b5c115623e1bf72c96259a6870"},
	{&cipher_aescbc, 16, "", 0, "6be08fdca5e31770b607f382e0bb965b95fb2a8d42191d41b971311fe199d48d"},
	{&cipher_aescbc, 24, "k8s\0 a value", 12, "56fe85c10d3f7641562a05d4f0d9ded4ed2098fe8d2ae01a22a786d5cee8e833"},
	{&cipher_aescbc, 32, "0123456789abcdef", 16,
		"6a77d8f3b9681a57378d129cd49b22c44ecbffe48bb03ec72b83f21190e98622fef55c94847508f0ff3a33dabd3f5e4c"},
	{&cipher_secretbox, 32, "", 0,
		"e358d84f5e4b99d789f38eed5c8edd20c398e54c430857e736ca3c23c474d78bbfa988e9dee4a4d7"},
	{&cipher_secretbox, 32, "k8s\0 a value", 12,
		"8b34f47aef0c04c202a0ab751ae6030ce1bc57b1636a86fd0d4430f0f25c8ccfe614ff0b52bbe6d1e2ffd8b8719f0c2509bb4"
		"eda"},
};

static uint8_t *from_hex(struct arena *arena, const char *text, size_t *ret_size)
{
	*ret_size = strlen(text) / 2;
	uint8_t *bytes = arena_alloc(arena, *ret_size + 1);
	for (size_t i = 0; i < *ret_size; i++)
		bytes[i] = (uint8_t)strtoul(arena_strndup(arena, text + i * 2, 2), NULL, 16);
	return bytes;
}

static struct encryption_key counting_key(size_t size)
{
	struct encryption_key key = {.size = size};
	for (size_t i = 0; i < size; i++)
		key.bytes[i] = (uint8_t)i;
	return key;
}

static void values_of_the_original_are_read(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
		const struct encryption_key key = counting_key(vectors[i].key_size);
		struct cipher_input in = {.authenticated = KEY};
		in.data = from_hex(arena, vectors[i].sealed, &in.size);
		uint8_t *out = arena_alloc(arena, in.size + 1);
		size_t size;
		assert_null(vectors[i].cipher->open(&key, &in, out, &size));
		assert_int_equal(size, vectors[i].plain_size);
		assert_memory_equal(out, vectors[i].plain, size);
	}
}

static void what_is_written_is_read(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
		const struct cipher *cipher = vectors[i].cipher;
		const struct encryption_key key = counting_key(vectors[i].key_size);
		const struct cipher_input plain = {(const uint8_t *)vectors[i].plain, vectors[i].plain_size, KEY};
		struct cipher_input sealed = {.authenticated = KEY};
		uint8_t *room = arena_alloc(arena, plain.size + cipher->added_bytes),
			*out = arena_alloc(arena, plain.size + cipher->added_bytes);
		size_t size;
		sealed.data = room;
		sealed.size = cipher->seal(&key, &plain, room);
		assert_int_equal(sealed.size, strlen(vectors[i].sealed) / 2);
		assert_null(cipher->open(&key, &sealed, out, &size));
		assert_int_equal(size, plain.size);
		assert_memory_equal(out, plain.data, size);
	}
}

static void what_is_not_whole_is_refused_in_words(void **state)
{
	static const struct {
		const struct cipher *cipher;
		size_t size;	 /* of zeros */
		const char *key; /* that is authenticated */
		const char *why;
	} cases[] = {
		{&cipher_aesgcm, 11, KEY, "the stored data was shorter than the required size"},
		{&cipher_aesgcm, 12, KEY, "cipher: message authentication failed"},
		{&cipher_aesgcm, 60, KEY, "cipher: message authentication failed"},
		{&cipher_aescbc, 15, KEY, "the stored data was shorter than the required size"},
		{&cipher_aescbc, 17, KEY, "the stored data is not a multiple of the block size"},
		{&cipher_aescbc, 16, KEY, "invalid PKCS7 data (empty or not padded)"},
		{&cipher_aescbc, 32, KEY, "invalid padding on input"},
		{&cipher_secretbox, 39, KEY, "the stored data was shorter than the required size"},
		{&cipher_secretbox, 40, KEY, "output array was not large enough for encryption"},
	};
	const struct encryption_key key = counting_key(32);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t zeros[64] = {0}, out[64];
		const struct cipher_input in = {zeros, cases[i].size, cases[i].key};
		size_t size;
		const char *why = cases[i].cipher->open(&key, &in, out, &size);
		assert_string_equal(why ? why : "", cases[i].why);
	}
}

/* --- configurations --- */

static char *write_config(const char *text)
{
	char *path = mem_strdup("/tmp/encryption-test.XXXXXX");
	const int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_null(io_write_all(fd, text, strlen(text)));
	close(fd);
	return path;
}

static struct encryption *configured(const char *text)
{
	CLEANUP_FREE char *path = write_config(text);
	const struct encryption_options options = {.path = path, .server_id = "one", .clock = clock_system()};
	struct encryption *e;
	assert_null(encryption_new(&options, &e));
	unlink(path);
	return e;
}

#define SECRETS(providers) HEAD "resources: [{resources: [secrets], providers: [" providers "]}]\n"
#define CBC(name, secret) "{aescbc: {keys: [{name: " name ", secret: " secret "}]}}"
#define GCM(name, secret) "{aesgcm: {keys: [{name: " name ", secret: " secret "}]}}"
#define IDENTITY "{identity: {}}"

static void the_first_provider_writes_and_all_of_them_read(void **state)
{
	static const struct {
		const char *writer, *reader;
		const char *prefix;
		const char *why; /* it cannot be read; NULL: it can */
		bool stale;
	} cases[] = {
		{SECRETS(CBC("a", A32)), SECRETS(CBC("a", A32)), "k8s:enc:aescbc:v1:a:", NULL, false},
		{SECRETS(CBC("a", A32)), SECRETS(IDENTITY ", " CBC("a", A32)), "k8s:enc:aescbc:v1:a:", NULL, true},
		{SECRETS(GCM("b", A16)), SECRETS(CBC("a", A32) ", " GCM("b", A16)), "k8s:enc:aesgcm:v1:b:", NULL, true},
		{SECRETS(GCM("b", A16)), SECRETS(GCM("a", A32) ", " GCM("b", A16)), "k8s:enc:aesgcm:v1:b:", NULL, true},
		{SECRETS("{secretbox: {keys: [{name: b, secret: " A32 "}]}}"),
			SECRETS("{secretbox: {keys: [{name: a, secret: " A32 "}, {name: b, secret: " A32 "}]}}"),
			"k8s:enc:secretbox:v1:b:", NULL, true},
		/* Keys of one name, and providers of one kind, are tried in turn. */
		{SECRETS(GCM("a", A32)), SECRETS(GCM("a", B32) ", " GCM("a", A32)), "k8s:enc:aesgcm:v1:a:", NULL, true},
		{SECRETS(IDENTITY), SECRETS(IDENTITY), "k8s", NULL, false},
		{SECRETS(IDENTITY), SECRETS(CBC("a", A32) ", " IDENTITY), "k8s", NULL, true},
		{SECRETS(IDENTITY), SECRETS(CBC("a", A32)), "k8s", "no matching prefix found", false},
		{SECRETS(CBC("a", A32)), SECRETS(IDENTITY), "k8s:enc:aescbc:v1:a:", "no matching prefix found", false},
		{SECRETS(CBC("a", A32)), HEAD "resources: [{resources: [pods], providers: [" IDENTITY "]}]\n",
			"k8s:enc:aescbc:v1:a:", "identity transformer tried to read encrypted data", false},
		{SECRETS(CBC("a", A32)), SECRETS(CBC("b", A32)),
			"k8s:enc:aescbc:v1:a:", "no matching key was found for the provided AES transformer", false},
		{SECRETS(GCM("a", A32)), SECRETS(GCM("a", B32) ", " GCM("b", A32)), "k8s:enc:aesgcm:v1:a:",
			"[cipher: message authentication failed, "
			"no matching key was found for the provided AES transformer]",
			false},
	};
	const struct schema_resource *secrets = resource_of("", "secrets");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		CLEANUP(encryption_freep) struct encryption *writer = configured(cases[i].writer);
		CLEANUP(encryption_freep) struct encryption *reader = configured(cases[i].reader);
		struct encryption_value value = {"k8s\0 a value", 12};
		assert_null(encryption_seal(writer, secrets, arena, KEY, &value));
		assert_memory_equal(value.bytes, cases[i].prefix, strlen(cases[i].prefix));
		CLEANUP_STATUS struct status *s = encryption_open(reader, secrets, arena, KEY, &value);
		assert_string_equal(s ? s->causes[0].message : "", str_or_empty(cases[i].why));
		if (s)
			continue;
		assert_int_equal(value.size, 12);
		assert_memory_equal(value.bytes, "k8s\0 a value", 12);
		assert_int_equal(value.stale, cases[i].stale);
	}
}

static void a_value_belongs_to_its_key(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(encryption_freep) struct encryption *e = configured(SECRETS(GCM("a", A32)));
	const struct schema_resource *secrets = resource_of("", "secrets");
	struct encryption_value value = {"text", 4};
	assert_null(encryption_seal(e, secrets, arena, KEY, &value));
	CLEANUP_STATUS struct status *s = encryption_open(e, secrets, arena, KEY "b", &value);
	assert_non_null(s);
	assert_string_equal(s->message, "Internal error occurred: cipher: message authentication failed");
}

static void rules_go_from_one_to_all(void **state)
{
	static const struct {
		const char *group, *resource, *prefix;
	} cases[] = {{"", "secrets", "k8s:enc:aescbc:v1:one:"}, {"", "pods", "k8s:enc:aescbc:v1:core:"},
		{"apps", "deployments", "k8s:enc:aescbc:v1:apps:"}, {"batch", "jobs", "k8s:enc:aescbc:v1:all:"},
		{"batch", "cronjobs", "text"}};
	CLEANUP(encryption_freep)
	struct encryption *e = configured(HEAD
		"resources:\n"
		"- {resources: [cronjobs.batch], providers: [" IDENTITY "]}\n"
		"- {resources: [secrets], providers: [" CBC("one",
			A32) "]}\n"
			     "- {resources: ['*.'], providers: [" CBC("core",
				     A32) "]}\n"
					  "- {resources: ['*.apps'], providers: [" CBC("apps",
						  A32) "]}\n"
						       "- {resources: ['*.*'], providers: [" CBC("all", A32) "]}\n");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		struct encryption_value value = {"text", 4};
		assert_null(encryption_seal(e, resource_of(cases[i].group, cases[i].resource), arena, KEY, &value));
		assert_true(value.size >= strlen(cases[i].prefix));
		assert_memory_equal(value.bytes, cases[i].prefix, strlen(cases[i].prefix));
	}
}

static void without_a_configuration_nothing_changes(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	const struct schema_resource *secrets = resource_of("", "secrets");
	struct encryption_value value = {"text", 4};
	assert_null(encryption_seal(NULL, secrets, arena, KEY, &value));
	assert_null(encryption_open(NULL, secrets, arena, KEY, &value));
	assert_string_equal(value.bytes, "text");
	value = (struct encryption_value){"k8s:enc:x", 9};
	CLEANUP_STATUS struct status *s = encryption_open(NULL, secrets, arena, KEY, &value);
	assert_string_equal(s->message, "Internal error occurred: identity transformer tried to read encrypted data");
}

/* As the original has it; the file's name is left out, and the place in Go of a kind that is not registered. */
static const struct {
	const char *text, *why;
} refused[] = {
	{"", "error while loading file: encryption provider configuration file \"\" is empty"},
	{"kind: EncryptionConfiguration\napiVersion: v1\n",
		"error decoding encryption provider configuration file \"\": "
		"no kind \"EncryptionConfiguration\" is registered for version \"v1\""},
	{HEAD "foo: 1\nresources: [{resources: ['*.apps'], providers: [{identity: {}, bar: 1}]}]\n",
		"error decoding encryption provider configuration file \"\": strict decoding error: "
		"unknown field \"foo\", unknown field \"resources[0].providers[0].bar\""},
	{HEAD, "resources: Required value: at least one resources is required"},
	{HEAD "resources: [{resources: [], providers: []}]\n",
		"[resources[0].resources: Required value: at least one resources[0].resources is required, "
		"resources[0].providers: Required value: at least one resources[0].providers is required]"},
	{HEAD "resources: [{resources: [secrets, secrets, '*.'], providers: [{identity: {}}]}]\n",
		"[resources[0].resources: Invalid value: [\"secrets\",\"secrets\",\"*.\"]: the same resource "
		"cannot be specified multiple times, resources[0].resources: Invalid value: "
		"[\"secrets\",\"secrets\",\"*.\"]: using overlapping resources such as 'secrets' and '*.' in "
		"the same resource list is not allowed as they will be masked]"},
	{HEAD "resources: [{resources: [Secrets, '*', apiserveripinfo, events.events.k8s.io, a.extensions, "
	      "'pods.*'], providers: [{identity: {}}]}]\n",
		"[resources[0].resources: Invalid value: [\"Secrets\",\"*\",\"apiserveripinfo\","
		"\"events.events.k8s.io\",\"a.extensions\",\"pods.*\"]: using overlapping resources such as "
		"'secrets' and '*.' in the same resource list is not allowed as they will be masked, "
		"resources[0].resources[0]: Invalid value: \"Secrets\": resource name should not contain "
		"capital letters, resources[0].resources[1]: Invalid value: \"*\": use '*.' to encrypt all the "
		"resources from core API group or *.* to encrypt all resources, resources[0].resources[2]: "
		"Invalid value: \"apiserveripinfo\": resources which do not have REST API/s cannot be "
		"encrypted, resources[0].resources[3]: Invalid value: \"events.events.k8s.io\": "
		"'*.events.k8s.io' objects are stored using the 'events' API group in etcd. Use 'events' "
		"instead in the config file, resources[0].resources[4]: Invalid value: \"a.extensions\": "
		"'extensions' group has been removed and cannot be used for encryption, "
		"resources[0].resources[5]: Invalid value: \"pods.*\": encrypting the same resource across "
		"groups is not supported]"},
	{SECRETS("{}"), "resources[0].providers[0]: Invalid value: {\"AESGCM\":null,\"AESCBC\":null,"
			"\"Secretbox\":null,\"Identity\":null,\"KMS\":null}: provider does not contain any of the "
			"expected providers: KMS, AESGCM, AESCBC, Secretbox, Identity"},
	/* The original tells the secret. */
	{SECRETS("{identity: {}, aescbc: {keys: [{name: a, secret: " A32 "}]}}"),
		"resources[0].providers[0]: Invalid value: {\"AESGCM\":null,\"AESCBC\":{\"Keys\":"
		"[{\"Name\":\"a\",\"Secret\":\"REDACTED\"}]},\"Secretbox\":null,\"Identity\":{},\"KMS\":null}: "
		"more than one provider specified in a single element, should split into different list "
		"elements"},
	{SECRETS("{aescbc: {}}, {aesgcm: {keys: [{name: a}, {secret: " A16 "}, {name: b, secret: '!!'}, "
		 "{name: c, secret: YWJj}]}}, {secretbox: {keys: [{name: x, secret: " A16 "}]}}"),
		"[resources[0].providers[0].aescbc.keys: Required value: at least one keys is required, "
		"resources[0].providers[1].aesgcm.keys[0].secret: Required value: secret is a mandatory field "
		"for a key, resources[0].providers[1].aesgcm.keys[1].name: Required value: name is a mandatory "
		"field for a key, resources[0].providers[1].aesgcm.keys[2].secret: Invalid value: "
		"\"REDACTED\": secrets must be base64 encoded, "
		"resources[0].providers[1].aesgcm.keys[3].secret: Invalid value: \"REDACTED\": secret is not "
		"of the expected length, got 3, expected one of [16 24 32], "
		"resources[0].providers[2].secretbox.keys[0].secret: Invalid value: \"REDACTED\": secret is "
		"not of the expected length, got 16, expected one of [32]]"},
	{SECRETS("{kms: {}}"),
		"[resources[0].providers[0].kms.name: Required value: name is a mandatory field for a "
		"provider, "
		"resources[0].providers[0].kms.endpoint: Invalid value: \"\": endpoint is a mandatory field "
		"for a kms]"},
	{SECRETS("{kms: {apiVersion: v2, name: 'a:b', endpoint: 'http://x', cachesize: 3, timeout: -1s}}, "
		 "{kms: {apiVersion: v2, name: 'a:b', endpoint: '::', timeout: 0s}}, "
		 "{kms: {apiVersion: v3, name: z, endpoint: 'unix:///a'}}, "
		 "{kms: {name: q, cachesize: 0, endpoint: 'unix:///a'}}"),
		"[resources[0].providers[0].kms.name: Invalid value: \"a:b\": invalid KMS provider name a:b, "
		"must not contain ':', resources[0].providers[0].kms.timeout: Invalid value: \"-1s\": timeout "
		"should be a positive value, resources[0].providers[0].kms.endpoint: Invalid value: "
		"\"http://x\": unsupported scheme \"http\" for KMS provider, only unix is supported, "
		"resources[0].providers[0].kms.cachesize: Invalid value: 3: cachesize is not supported in v2, "
		"resources[0].providers[1].kms.name: Invalid value: \"a:b\": invalid KMS provider name a:b, "
		"must not contain ':', resources[0].providers[1].kms.name: Invalid value: \"a:b\": duplicate "
		"KMS provider name a:b, names must be unique, resources[0].providers[1].kms.timeout: Invalid "
		"value: \"0s\": timeout should be a positive value, resources[0].providers[1].kms.endpoint: "
		"Invalid value: \"::\": invalid endpoint for kms provider, error: parse \"::\": missing "
		"protocol scheme, resources[0].providers[2].kms.apiVersion: Invalid value: \"v3\": unsupported "
		"apiVersion apiVersion for KMS provider, only v1 and v2 are supported, "
		"resources[0].providers[3].kms.cachesize: Invalid value: 0: cachesize should be a positive "
		"value, or negative to disable]"},
};

static void configurations_are_refused_in_words(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		CLEANUP_FREE char *path = write_config(refused[i].text);
		struct encryption_rules *rules;
		CLEANUP_STATUS struct status *s = encryption_rules_read(path, false, &rules);
		unlink(path);
		assert_non_null(s);
		const char *name = strstr(s->message, path);
		const char *message =
			name ? arena_printf(arena, "%.*s%s", (int)(name - s->message), s->message, name + strlen(path))
			     : s->message;
		assert_string_equal(message, arena_printf(arena, "error while parsing file: %s", refused[i].why));
	}
}

static void rules_that_no_object_reaches_are_refused(void **state)
{
	static const struct {
		const char *first, *second, *why;
	} cases[] = {{"'*.*'", "secrets", "resource \"secrets\" is masked by earlier rule \"*.*\""},
		{"'*.'", "secrets", "resource \"secrets\" is masked by earlier rule \"*.\""},
		{"'*.apps'", "deployments.apps", "resource \"deployments.apps\" is masked by earlier rule \"*.apps\""},
		{"'*.*'", "'*.*'", "resource \"*.*\" is masked by earlier rule \"*.*\""},
		{"'*.'", "'*.'", "resource \"*.\" is masked by earlier rule \"*.\""}, {"secrets", "'*.'", NULL},
		{"secrets", "secrets", NULL}};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		CLEANUP(encryption_rules_freep) struct encryption_rules *rules = NULL;
		CLEANUP_FREE char *path = write_config(arena_printf(arena,
			HEAD "resources: [{resources: [%s], providers: [" IDENTITY "]}, {resources: [%s], providers: "
			     "[" IDENTITY "]}]\n",
			cases[i].first, cases[i].second));
		CLEANUP_STATUS struct status *s = encryption_rules_read(path, false, &rules);
		unlink(path);
		assert_string_equal(s ? s->message : "",
			cases[i].why ? arena_printf(arena, "error while building transformers: %s", cases[i].why) : "");
	}
}

static void a_configuration_that_changes_is_taken(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP_FREE char *path = write_config(SECRETS(CBC("a", A32)));
	struct clock *clock = clock_fake_new(0);
	const struct encryption_options options = {.path = path, .reloads = true, .server_id = "one", .clock = clock};
	CLEANUP(encryption_freep) struct encryption *e = NULL;
	CLEANUP(strbuf_done) struct strbuf metrics = STRBUF_INIT;
	const struct schema_resource *secrets = resource_of("", "secrets");
	static const char again[] = SECRETS(CBC("b", B32) ", " CBC("a", A32));
	struct encryption_value value = {"text", 4};
	assert_null(encryption_new(&options, &e));
	assert_null(encryption_seal(e, secrets, arena, KEY, &value));
	clock_fake_advance(clock, 5000);
	assert_false(encryption_refresh(e));
	assert_null(io_write_file(path, again, strlen(again), 0600));
	clock_fake_advance(clock, 5000);
	assert_true(encryption_refresh(e));
	assert_null(encryption_open(e, secrets, arena, KEY, &value));
	assert_true(value.stale);
	assert_null(io_write_file(path, "junk", 4, 0600));
	clock_fake_advance(clock, 5000);
	assert_false(encryption_refresh(e));
	assert_null(encryption_seal(e, secrets, arena, KEY, &value));
	assert_memory_equal(value.bytes, "k8s:enc:aescbc:v1:b:", 20);
	encryption_write_metrics(e, &metrics);
	assert_non_null(strstr(metrics.buf, "automatic_reloads_total{apiserver_id_hash=\"sha256:"));
	assert_non_null(strstr(metrics.buf, "status=\"success\"} 1\n"));
	assert_non_null(strstr(metrics.buf, "status=\"failure\"} 1\n"));
	assert_non_null(strstr(metrics.buf,
		"apiserver_storage_transformation_operations_total{resource=\"secrets\",status=\"OK\","
		"transformation_type=\"to_storage\",transformer_prefix=\"k8s:enc:aescbc:v1:\"} 2\n"));
	unlink(path);
	encryption_free(STEAL(e));
	clock_fake_free(clock);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_of_the_original_are_read),
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(what_is_not_whole_is_refused_in_words),
		cmocka_unit_test(the_first_provider_writes_and_all_of_them_read),
		cmocka_unit_test(a_value_belongs_to_its_key),
		cmocka_unit_test(rules_go_from_one_to_all),
		cmocka_unit_test(without_a_configuration_nothing_changes),
		cmocka_unit_test(configurations_are_refused_in_words),
		cmocka_unit_test(rules_that_no_object_reaches_are_refused),
		cmocka_unit_test(a_configuration_that_changes_is_taken),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
