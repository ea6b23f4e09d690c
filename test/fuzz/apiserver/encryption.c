/*
 * Encryption at rest. The first byte decides: a configuration file, any text or one that is right by the schema, which
 * is taken or refused in words; or a value of etcd behind any prefix, which is read or refused, by keys that cannot
 * have written it, and whatever is written is read again.
 */
#include "apiserver/encryption/providers.h"
#include "test/fuzz/config.h"

static const struct schema_resource *secrets(void)
{
	SCHEMA_FOREACH_RESOURCE(r)
	if (!*r->type->group && !strcmp(r->plural, "secrets"))
		return r;
	abort();
}

static void read_config(struct arena *arena, const uint8_t *data, size_t size)
{
	CLEANUP(encryption_rules_freep) struct encryption_rules *rules = NULL;
	const char *path = fuzz_config(arena, data, size, &ApiserverV1EncryptionConfiguration_schema);
	if (!path)
		return;
	CLEANUP_STATUS struct status *s = encryption_rules_read(path, size % 2, &rules);
	assert(s ? *s->message != 0 : rules->n_items > 0);
}

static struct encryption *keys(struct arena *arena)
{
	static const char text[] =
		"{\"kind\":\"EncryptionConfiguration\",\"apiVersion\":\"apiserver.config.k8s.io/v1\",\"resources\":[{"
		"\"resources\":[\"*.*\"],\"providers\":["
		"{\"secretbox\":{\"keys\":[{\"name\":\"a\",\"secret\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"}"
		"]}},"
		"{\"aesgcm\":{\"keys\":[{\"name\":\"a\",\"secret\":\"AAAAAAAAAAAAAAAAAAAAAA==\"}]}},"
		"{\"aescbc\":{\"keys\":[{\"name\":\"a\",\"secret\":\"AAAAAAAAAAAAAAAAAAAAAA==\"}]}},"
		"{\"identity\":{}}]}]}";
	const struct encryption_options options = {
		.path = fuzz_file(arena, text, sizeof(text) - 1), .server_id = "fuzz", .clock = clock_system()};
	struct encryption *e;
	fuzz_ok("the configuration", encryption_new(&options, &e));
	return e;
}

static void pass_value(struct arena *arena, const uint8_t *data, size_t size)
{
	static const char *const prefixes[] = {
		"", "k8s:enc:", "k8s:enc:secretbox:v1:a:", "k8s:enc:aesgcm:v1:a:", "k8s:enc:aescbc:v1:a:"};
	static struct encryption *e;
	if (!e)
		e = keys(arena);
	const char *prefix = size ? prefixes[*data % ARRAY_SIZE(prefixes)] : "";
	const size_t len = strlen(prefix);
	char *text = arena_alloc(arena, len + size + 1);
	memcpy(stpcpy(text, prefix), data, size);
	struct encryption_value value = {text, len + size}, again = {data, size};
	CLEANUP_STATUS struct status *s = encryption_open(e, secrets(), arena, "/a", &value);
	assert(s ? s->n_causes == 1 : value.size <= len + size);
	fuzz_ok("seal", encryption_seal(e, secrets(), arena, "/a", &again));
	fuzz_ok("open", encryption_open(e, secrets(), arena, "/a", &again));
	assert(again.size == size && !memcmp(again.bytes, data, size) && !again.stale);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	if (!size)
		return 0;
	if (*data % 2)
		read_config(arena, data + 1, size - 1);
	else
		pass_value(arena, data + 1, size - 1);
	return 0;
}
