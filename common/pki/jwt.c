#include "pki/jwt.h"

#include <cjson/cJSON.h>
#include <string.h>
#include "base/encode.h"
#include "base/str.h"

static char *encode_text(struct arena *arena, const char *text)
{
	return base64url_encode(arena, text, strlen(text));
}

struct status *jwt_sign(struct arena *arena, const struct pki_key *key, const char *claims, char **ret_token)
{
	uint8_t *signature;
	size_t size;
	const char *alg = pki_key_jws_algorithm(key);
	if (!alg)
		return status_internal("sign token: the key is neither RSA nor ECDSA P-256");
	char *header = arena_printf(arena, "{\"alg\":\"%s\",\"kid\":\"%s\"}", alg, pki_key_id(arena, key));
	char *text = arena_printf(arena, "%s.%s", encode_text(arena, header), encode_text(arena, claims));
	TRY(pki_key_sign(arena, key, text, strlen(text), &signature, &size));
	*ret_token = arena_printf(arena, "%s.%s", text, base64url_encode(arena, signature, size));
	return NULL;
}

static char *string_member(struct arena *arena, const cJSON *object, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
	return cJSON_IsString(item) ? arena_strdup(arena, item->valuestring) : NULL;
}

static bool read_header(struct arena *arena, struct jwt *jwt)
{
	cJSON *header = cJSON_Parse(jwt->header);
	bool ok = cJSON_IsObject(header);
	jwt->algorithm = string_member(arena, header, "alg");
	jwt->key_id = string_member(arena, header, "kid");
	cJSON_Delete(header);
	return ok && jwt->algorithm;
}

static bool decode_part(struct arena *arena, const char *start, const char *end, char **ret_text)
{
	uint8_t *data;
	size_t size;
	if (!base64url_decode(arena, start, (size_t)(end - start), &data, &size) || memchr(data, 0, size))
		return false;
	*ret_text = arena_strndup(arena, (char *)data, size);
	return true;
}

struct status *jwt_parse(struct arena *arena, const char *token, struct jwt **ret_jwt)
{
	struct jwt *jwt = ARENA_NEW(arena, struct jwt);
	const char *dot1 = strchr(token, '.'), *dot2 = dot1 ? strchr(dot1 + 1, '.') : NULL;
	if (!dot2 || strchr(dot2 + 1, '.') || strlen(token) > JWT_MAX_BYTES)
		return status_bad_request("a token has three parts and at most %d bytes", JWT_MAX_BYTES);
	jwt->signed_text = arena_strndup(arena, token, (size_t)(dot2 - token));
	if (!decode_part(arena, token, dot1, &jwt->header) || !decode_part(arena, dot1 + 1, dot2, &jwt->claims) ||
		!base64url_decode(arena, dot2 + 1, strlen(dot2 + 1), &jwt->signature, &jwt->signature_size))
		return status_bad_request("a part of the token is not base64url");
	if (!read_header(arena, jwt))
		return status_bad_request("the token's header names no algorithm");
	*ret_jwt = jwt;
	return NULL;
}

struct status *jwt_verify(const struct jwt *jwt, struct pki_key *const *keys, size_t n_keys)
{
	/* A key that is named is the only one that counts. */
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	size_t n = 0;
	for (size_t i = 0; i < n_keys; i++) {
		if (!str_empty(jwt->key_id) && !str_eq(pki_key_id(arena, keys[i]), jwt->key_id))
			continue;
		n++;
		if (pki_key_verify(keys[i], jwt->algorithm, jwt->signed_text, strlen(jwt->signed_text), jwt->signature,
			    jwt->signature_size))
			return NULL;
	}
	return status_new(STATUS_UNAUTHORIZED,
		n ? "go-jose/go-jose: error in cryptographic primitive" : "invalid signature, no keys found");
}

char *jws_detached_hs256(struct arena *arena, const char *key_id, const char *secret, const void *payload, size_t size)
{
	uint8_t digest[32];
	char *header = encode_text(arena, arena_printf(arena, "{\"alg\":\"HS256\",\"kid\":\"%s\"}", key_id));
	char *text = arena_printf(arena, "%s.%s", header, base64url_encode(arena, payload, size));
	pki_hmac_sha256(secret, strlen(secret), text, strlen(text), digest);
	return arena_printf(arena, "%s..%s", header, base64url_encode(arena, digest, sizeof(digest)));
}
