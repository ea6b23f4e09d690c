/* PEM as Go reads it, and what is wrong with what is in it, in Go's words: the API tells of both. */
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include "base/encode.h"
#include "base/mem.h"
#include "base/str.h"
#include "pki/internal.h"

static const char begin_mark[] = "-----BEGIN ", end_mark[] = "\n-----END ", dashes[] = "-----";
enum { BEGIN = sizeof(begin_mark) - 1, END = sizeof(end_mark) - 1, DASHES = sizeof(dashes) - 1 };

struct text {
	const char *p, *end;
};

/* The line at the beginning of *rest without its end and white space before it; *rest is what comes after. */
static struct text next_line(struct text *rest)
{
	const char *newline = memchr(rest->p, '\n', (size_t)(rest->end - rest->p));
	struct text line = {rest->p, newline ? newline : rest->end};
	rest->p = newline ? newline + 1 : rest->end;
	if (newline && line.end > line.p && line.end[-1] == '\r')
		line.end--;
	while (line.end > line.p && (line.end[-1] == ' ' || line.end[-1] == '\t'))
		line.end--;
	return line;
}

static size_t length_of(struct text t)
{
	return (size_t)(t.end - t.p);
}

/* The last beginning before a point, at the beginning of a line; NULL. */
static const char *last_begin(const char *start, const char *before)
{
	for (size_t i = (size_t)(before - start); i-- > 0;)
		if (before - start - (ptrdiff_t)i >= BEGIN && !memcmp(start + i, begin_mark, BEGIN))
			return !i || start[i - 1] == '\n' ? start + i : NULL;
	return NULL;
}

static bool decode(struct arena *arena, struct text body, struct pem_block *ret_block)
{
	char *plain = arena_alloc(arena, length_of(body) + 1);
	size_t n = 0;
	for (const char *p = body.p; p < body.end; p++)
		if (!memchr(" \t\r\n", *p, 4))
			plain[n++] = *p;
	return base64_decode(arena, plain, n, &ret_block->der, &ret_block->size);
}

/* The block whose end is marked at end; false when that is none. */
static bool read_block(
	struct arena *arena, const char *start, const char *end, const char *limit, struct pem_block *ret_block)
{
	const char *begin = last_begin(start, end);
	if (!begin)
		return false;
	struct text rest = {begin + BEGIN, limit};
	struct text type = next_line(&rest);
	if (length_of(type) < DASHES || memcmp(type.end - DASHES, dashes, DASHES) != 0)
		return false;
	type.end -= DASHES;
	for (struct text after = rest; after.p < limit; rest = after) {
		const struct text line = next_line(&after);
		if (!memchr(line.p, ':', length_of(line)))
			break;
		ret_block->has_headers = true;
	}
	if (ret_block->has_headers && end < rest.p)
		return false;
	struct text trailer = {end + END, limit};
	const size_t size = length_of(type);
	if (length_of(trailer) < size + DASHES || memcmp(trailer.p, type.p, size) != 0 ||
		memcmp(trailer.p + size, dashes, DASHES) != 0)
		return false;
	trailer.p += size + DASHES;
	if (length_of(next_line(&trailer)))
		return false;
	ret_block->type = arena_strndup(arena, type.p, size);
	return end <= rest.p || decode(arena, (struct text){rest.p, end}, ret_block);
}

bool pki_pem_block(struct arena *arena, const char **pem, size_t *size, struct pem_block *ret_block)
{
	if (!*size)
		return false;
	const char *start = *pem, *limit = *pem + *size;
	/* Where nothing is in a block its end has the newline of its beginning. */
	for (const char *end; (end = memmem(start, (size_t)(limit - start), end_mark, END)); start = end + END) {
		struct pem_block block = {0};
		if (!read_block(arena, start, end, limit, &block))
			continue;
		struct text rest = {end + END, limit};
		next_line(&rest);
		*pem = rest.p;
		*size = length_of(rest);
		*ret_block = block;
		return true;
	}
	return false;
}

const char *pki_certificates_problem(struct arena *arena, const char *pem, size_t size)
{
	struct pem_block block;
	bool any = false;
	for (; pki_pem_block(arena, &pem, &size, &block); any = true) {
		if (!str_eq(block.type, "CERTIFICATE"))
			return arena_printf(arena, "only CERTIFICATE PEM blocks are allowed, found \"%s\"", block.type);
		if (block.has_headers)
			return "no PEM block headers are permitted";
		if (!block.size)
			return "found CERTIFICATE PEM block containing 0 certificates";
		for (const unsigned char *p = block.der, *end = p + block.size; p < end;) {
			X509 *x509 = d2i_X509(NULL, &p, (long)(end - p));
			ERR_clear_error();
			if (!x509)
				return "x509: malformed certificate";
			X509_free(x509);
		}
	}
	return any ? NULL : "must contain at least one CERTIFICATE PEM block";
}

/* What Go finds wrong with the outermost element; what lies in it is not told apart. */
static const char *der_problem(const unsigned char *der, size_t size)
{
	const unsigned char *p = der;
	long length = 0;
	int tag = 0, class = 0;
	if (!size)
		return "asn1: syntax error: sequence truncated";
	int form = ASN1_get_object(&p, &length, &tag, &class, (long)size);
	ERR_clear_error();
	if (form & 0x80)
		return "asn1: syntax error: data truncated";
	return (size_t)length < size - (size_t)(p - der) ? "asn1: syntax error: trailing data"
							 : "asn1: syntax error: sequence truncated";
}

struct status *pki_csr_parse(const char *pem, size_t size, struct pki_csr **ret_csr)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct pem_block block;
	if (!pki_pem_block(arena, &pem, &size, &block) || !str_eq(block.type, "CERTIFICATE REQUEST"))
		return status_bad_request("PEM block type must be CERTIFICATE REQUEST");
	const unsigned char *p = block.der;
	X509_REQ *req = block.size ? d2i_X509_REQ(NULL, &p, (long)block.size) : NULL;
	ERR_clear_error();
	if (!req || p != block.der + block.size) {
		X509_REQ_free(req);
		return status_bad_request("%s", der_problem(block.der, block.size));
	}
	*ret_csr = mem_zalloc(sizeof(**ret_csr));
	(*ret_csr)->req = req;
	return NULL;
}

const char *pki_csr_signature_problem(const struct pki_csr *csr)
{
	EVP_PKEY *key = X509_REQ_get0_pubkey(csr->req);
	bool good = key && X509_REQ_verify(csr->req, key) == 1;
	ERR_clear_error();
	if (good)
		return NULL;
	switch (key ? EVP_PKEY_base_id(key) : EVP_PKEY_NONE) {
	case EVP_PKEY_RSA:
		return "crypto/rsa: verification error";
	case EVP_PKEY_EC:
		return "x509: ECDSA verification failure";
	case EVP_PKEY_ED25519:
		return "x509: Ed25519 verification failure";
	default:
		return "x509: cannot verify signature: algorithm unimplemented";
	}
}
