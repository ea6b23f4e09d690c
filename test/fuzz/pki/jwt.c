/* Any text as a token: taken apart or refused, and never signed by a key of ours. */
#include "pki/jwt.h"
#include "test/fuzz/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct pki_key *key; /* made once: it takes longer than a thousand tokens */
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct jwt *jwt = NULL;

	if (!key)
		fuzz_ok("key", pki_key_generate(PKI_ECDSA_P256, &key));
	struct status *s = jwt_parse(arena, arena_strndup(arena, (const char *)data, size), &jwt);
	if (!s) {
		assert(jwt->header && jwt->claims && jwt->algorithm && jwt->signed_text);
		s = jwt_verify(jwt, &key, 1);
		assert(s);
	}
	status_free(s);
	return 0;
}
