/*
 * JSON Web Tokens: compact JWS with RS256, ES256 (service account tokens) and HS256 (the signed cluster-info).
 *
 *	TRY(jwt_sign(arena, key, claims_json, &token));
 *	TRY(jwt_parse(arena, token, &jwt));          // splits and decodes, checks nothing
 *	TRY(jwt_verify(jwt, keys, n_keys));          // checks the signature, by the key that it names
 *
 * Claims are JSON text: building and checking them is the caller's.
 */
#ifndef PKI_JWT_H
#define PKI_JWT_H

#include "pki/pki.h"

enum { JWT_MAX_BYTES = 65536 };

struct jwt {
	char *header;	   /* JSON text */
	char *claims;	   /* JSON text */
	char *algorithm;   /* header "alg" */
	char *key_id;	   /* header "kid", or NULL */
	char *signed_text; /* header.claims as received */
	uint8_t *signature;
	size_t signature_size;
};

struct status *jwt_sign(struct arena *arena, const struct pki_key *key, const char *claims, char **ret_token) MUST_USE;
/* BadRequest where the text is no token: wrong number of parts, bad base64url, header that is not JSON, too long. */
struct status *jwt_parse(struct arena *arena, const char *token, struct jwt **ret_jwt) MUST_USE;
/* Unauthorized unless one of the keys, of that id where the token names one, made the signature with the algorithm
 * named. "none" never passes. */
struct status *jwt_verify(const struct jwt *jwt, struct pki_key *const *keys, size_t n_keys) MUST_USE;
/* The detached signature of a payload under a shared secret (header {"alg":"HS256","kid":id}), as the bootstrap signer
 * writes it: "header..signature". */
char *jws_detached_hs256(struct arena *arena, const char *key_id, const char *secret, const void *payload, size_t size);

#endif
