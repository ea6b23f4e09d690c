/* XSalsa20 and Poly1305 (apiserver/pkg/storage/value/encrypt/secretbox): the nonce, the authenticator, what it begins.
 */
#include <sodium.h>
#include "apiserver/encryption/providers.h"
#include "base/encode.h"

enum { NONCE_BYTES = crypto_secretbox_NONCEBYTES, ADDED_BYTES = NONCE_BYTES + crypto_secretbox_MACBYTES };

static size_t seal(const struct encryption_key *key, const struct cipher_input *in, uint8_t *out)
{
	random_bytes(out, NONCE_BYTES);
	if (crypto_secretbox_easy(out + NONCE_BYTES, in->data, in->size, out, key->bytes) != 0)
		return 0;
	return in->size + ADDED_BYTES;
}

static const char *open_box(
	const struct encryption_key *key, const struct cipher_input *in, uint8_t *out, size_t *ret_size)
{
	if (in->size < ADDED_BYTES)
		return "the stored data was shorter than the required size";
	*ret_size = in->size - ADDED_BYTES;
	if (crypto_secretbox_open_easy(out, in->data + NONCE_BYTES, in->size - NONCE_BYTES, in->data, key->bytes) == 0)
		return NULL;
	/* So the original tells of what is not authentic. */
	return "output array was not large enough for encryption";
}

const struct cipher cipher_secretbox = {.field = "secretbox",
	.prefix = "k8s:enc:secretbox:v1:",
	.no_key = "no matching key was found for the provided Secretbox transformer",
	.key_sizes = {crypto_secretbox_KEYBYTES},
	.added_bytes = ADDED_BYTES,
	.seal = seal,
	.open = open_box};
