/* AES in the modes of the original (apiserver/pkg/storage/value/encrypt/aes): nonce or vector first, what it begins. */
#include <openssl/evp.h>
#include "apiserver/encryption/providers.h"
#include "base/encode.h"

enum { BLOCK_BYTES = 16, NONCE_BYTES = 12, TAG_BYTES = 16 };

static const char too_short[] = "the stored data was shorter than the required size";

DEFINE_CLEANUP(EVP_CIPHER_CTX *, EVP_CIPHER_CTX_free)

static const EVP_CIPHER *mode_of(size_t key_size, bool gcm)
{
	if (key_size == 16)
		return gcm ? EVP_aes_128_gcm() : EVP_aes_128_cbc();
	if (key_size == 24)
		return gcm ? EVP_aes_192_gcm() : EVP_aes_192_cbc();
	return gcm ? EVP_aes_256_gcm() : EVP_aes_256_cbc();
}

/* --- GCM --- */

static bool authenticate(EVP_CIPHER_CTX *ctx, const char *text)
{
	int n;
	return EVP_CipherUpdate(ctx, NULL, &n, (const uint8_t *)text, (int)strlen(text)) == 1;
}

static size_t gcm_seal(const struct encryption_key *key, const struct cipher_input *in, uint8_t *out)
{
	CLEANUP(EVP_CIPHER_CTX_freep) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t *sealed = out + NONCE_BYTES;
	int n = 0, rest = 0;
	random_bytes(out, NONCE_BYTES);
	const bool done = ctx && EVP_EncryptInit_ex2(ctx, mode_of(key->size, true), key->bytes, out, NULL) == 1 &&
			  authenticate(ctx, in->authenticated) &&
			  EVP_EncryptUpdate(ctx, sealed, &n, in->data, (int)in->size) == 1 &&
			  EVP_EncryptFinal_ex(ctx, sealed + n, &rest) == 1 &&
			  EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, sealed + in->size) == 1;
	return done ? NONCE_BYTES + in->size + TAG_BYTES : 0;
}

static const char *gcm_open(
	const struct encryption_key *key, const struct cipher_input *in, uint8_t *out, size_t *ret_size)
{
	CLEANUP(EVP_CIPHER_CTX_freep) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	static const char unauthentic[] = "cipher: message authentication failed";
	int n = 0, rest = 0;
	if (in->size < NONCE_BYTES)
		return too_short;
	if (in->size < NONCE_BYTES + TAG_BYTES)
		return unauthentic;
	const uint8_t *sealed = in->data + NONCE_BYTES;
	const size_t size = in->size - NONCE_BYTES - TAG_BYTES;
	void *tag = (void *)(uintptr_t)(sealed + size);
	const bool done = ctx && EVP_DecryptInit_ex2(ctx, mode_of(key->size, true), key->bytes, in->data, NULL) == 1 &&
			  authenticate(ctx, in->authenticated) &&
			  EVP_DecryptUpdate(ctx, out, &n, sealed, (int)size) == 1 &&
			  EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES, tag) == 1 &&
			  EVP_DecryptFinal_ex(ctx, out + n, &rest) == 1;
	*ret_size = size;
	return done ? NULL : unauthentic;
}

const struct cipher cipher_aesgcm = {.field = "aesgcm",
	.prefix = "k8s:enc:aesgcm:v1:",
	.no_key = "no matching key was found for the provided AES transformer",
	.key_sizes = {16, 24, 32},
	.added_bytes = NONCE_BYTES + TAG_BYTES,
	.seal = gcm_seal,
	.open = gcm_open};

/* --- CBC, which authenticates nothing --- */

static size_t cbc_seal(const struct encryption_key *key, const struct cipher_input *in, uint8_t *out)
{
	CLEANUP(EVP_CIPHER_CTX_freep) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0, rest = 0;
	random_bytes(out, BLOCK_BYTES);
	const bool done = ctx && EVP_EncryptInit_ex2(ctx, mode_of(key->size, false), key->bytes, out, NULL) == 1 &&
			  EVP_EncryptUpdate(ctx, out + BLOCK_BYTES, &n, in->data, (int)in->size) == 1 &&
			  EVP_EncryptFinal_ex(ctx, out + BLOCK_BYTES + n, &rest) == 1;
	return done ? BLOCK_BYTES + (size_t)n + (size_t)rest : 0;
}

/* The padding is looked at as the original does: it may be longer than a block. */
static const char *unpad(const uint8_t *data, size_t *size)
{
	const size_t padding = *size ? data[*size - 1] : 0;
	if (!padding || padding > *size)
		return "invalid PKCS7 data (empty or not padded)";
	for (size_t i = *size - padding; i < *size; i++)
		if (data[i] != padding)
			return "invalid padding on input";
	*size -= padding;
	return NULL;
}

static const char *cbc_open(
	const struct encryption_key *key, const struct cipher_input *in, uint8_t *out, size_t *ret_size)
{
	CLEANUP(EVP_CIPHER_CTX_freep) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0;
	if (in->size < BLOCK_BYTES)
		return too_short;
	*ret_size = in->size - BLOCK_BYTES;
	if (*ret_size % BLOCK_BYTES)
		return "the stored data is not a multiple of the block size";
	const bool done = ctx && EVP_DecryptInit_ex2(ctx, mode_of(key->size, false), key->bytes, in->data, NULL) == 1 &&
			  EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 &&
			  EVP_DecryptUpdate(ctx, out, &n, in->data + BLOCK_BYTES, (int)*ret_size) == 1;
	return done ? unpad(out, ret_size) : "it cannot be decrypted";
}

const struct cipher cipher_aescbc = {.field = "aescbc",
	.prefix = "k8s:enc:aescbc:v1:",
	.no_key = "no matching key was found for the provided AES transformer",
	.key_sizes = {16, 24, 32},
	.added_bytes = BLOCK_BYTES + BLOCK_BYTES,
	.seal = cbc_seal,
	.open = cbc_open};
