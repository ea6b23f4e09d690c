/*
 * Small encodings and hashes that every part needs: base64, hex, FNV-1a, random names, UUIDs.
 */
#ifndef BASE_ENCODE_H
#define BASE_ENCODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"

/* Standard base64 with padding; url: the URL alphabet without padding. */
char *base64_encode(struct arena *arena, const void *data, size_t size);
char *base64url_encode(struct arena *arena, const void *data, size_t size);
/* Strict; false for any other byte or wrong length. Standard form skips \r and \n, as Go's decoder does. */
bool base64_decode(struct arena *arena, const char *s, size_t len, uint8_t **ret_data, size_t *ret_size);
bool base64url_decode(struct arena *arena, const char *s, size_t len, uint8_t **ret_data, size_t *ret_size);
/* Where a text that is no standard base64 goes wrong, as Go counts. */
size_t base64_error_at(const char *s, size_t len);
size_t base64url_error_at(const char *s, size_t len);
char *hex_encode(struct arena *arena, const void *data, size_t size);

#define FNV32_INIT 2166136261u
uint32_t fnv1a_32(uint32_t hash, const void *data, size_t size);
uint64_t fnv1a_64(const void *data, size_t size);
/* SipHash-1-3 under a key of the process's own: who chooses the bytes cannot choose the hash. Differs from run to run.
 */
uint64_t hash_keyed(const void *data, size_t size);

/* Bytes from the kernel. Aborts if it has none. */
void random_bytes(void *buf, size_t size);
/* A number in [0, n), uniform. n > 0. */
uint32_t random_below(uint32_t n);
/* A random version 4 UUID as text into buf. */
void uuid_generate(char buf[static 37]);
/* n characters of the name alphabet of the original ("bcdfghjklmnpqrstvwxz2456789") into buf, NUL-terminated. */
void random_name_suffix(char *buf, size_t n);
/* Encodes a decimal text into that alphabet, character by character, as the original's SafeEncodeString. In place. */
void safe_encode_string(char *s);

#endif
