#include "pki/names.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <string.h>
#include "base/str.h"

static void add_entry(X509_NAME *name, int nid, const char *value)
{
	X509_NAME_add_entry_by_NID(name, nid, MBSTRING_UTF8, (const unsigned char *)value, -1, -1, 0);
}

X509_NAME *pki_name_new(const struct pki_subject *subject)
{
	X509_NAME *name = X509_NAME_new();
	for (size_t i = 0; i < subject->n_organizations; i++)
		add_entry(name, NID_organizationName, subject->organizations[i]);
	if (!str_empty(subject->common_name))
		add_entry(name, NID_commonName, subject->common_name);
	return name;
}

static const struct {
	unsigned bit;
	int nid;
} extended_usages[] = {
	{PKI_SERVER_AUTH, NID_server_auth},
	{PKI_CLIENT_AUTH, NID_client_auth},
	{PKI_CODE_SIGNING, NID_code_sign},
	{PKI_EMAIL_PROTECTION, NID_email_protect},
};

/* bit: the position in the KeyUsage bit string (RFC 5280, 4.2.1.3). */
static const struct {
	unsigned usage;
	int bit;
} key_usages[] = {
	{PKI_DIGITAL_SIGNATURE, 0},
	{PKI_CONTENT_COMMITMENT, 1},
	{PKI_KEY_ENCIPHERMENT, 2},
	{PKI_DATA_ENCIPHERMENT, 3},
	{PKI_KEY_AGREEMENT, 4},
	{PKI_CERT_SIGN, 5},
	{PKI_CRL_SIGN, 6},
};

static void add_usages(X509 *x509, unsigned usages)
{
	ASN1_BIT_STRING *bits = ASN1_BIT_STRING_new();
	EXTENDED_KEY_USAGE *extended = sk_ASN1_OBJECT_new_null();
	bool any = false;
	for (size_t i = 0; i < ARRAY_SIZE(key_usages); i++) {
		if (usages & key_usages[i].usage) {
			ASN1_BIT_STRING_set_bit(bits, key_usages[i].bit, 1);
			any = true;
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(extended_usages); i++)
		if (usages & extended_usages[i].bit)
			sk_ASN1_OBJECT_push(extended, OBJ_nid2obj(extended_usages[i].nid));
	if (any)
		X509_add1_ext_i2d(x509, NID_key_usage, bits, 1, 0);
	if (sk_ASN1_OBJECT_num(extended) > 0)
		X509_add1_ext_i2d(x509, NID_ext_key_usage, extended, 0, 0);
	ASN1_BIT_STRING_free(bits);
	sk_ASN1_OBJECT_pop_free(extended, ASN1_OBJECT_free);
}

static void push_name(GENERAL_NAMES *names, int type, const void *data, size_t size)
{
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_STRING *value = type == GEN_IPADD ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();
	ASN1_STRING_set(value, data, (int)size);
	GENERAL_NAME_set0_value(name, type, value);
	sk_GENERAL_NAME_push(names, name);
}

static struct status *names_of(const struct pki_subject *subject, GENERAL_NAMES **ret_names)
{
	GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
	for (size_t i = 0; i < subject->n_dns_names; i++)
		push_name(names, GEN_DNS, subject->dns_names[i], strlen(subject->dns_names[i]));
	for (size_t i = 0; i < subject->n_ip_addresses; i++) {
		unsigned char ip[16];
		const char *text = subject->ip_addresses[i];
		int family = strchr(text, ':') ? AF_INET6 : AF_INET;
		if (inet_pton(family, text, ip) != 1) {
			GENERAL_NAMES_free(names);
			return status_bad_request("%s is not an IP address", text);
		}
		push_name(names, GEN_IPADD, ip, family == AF_INET6 ? 16 : 4);
	}
	*ret_names = names;
	return NULL;
}

static void add_key_ids(X509 *x509, X509 *issuer)
{
	X509V3_CTX ctx;
	X509V3_set_ctx(&ctx, issuer, x509, NULL, NULL, 0);
	const struct {
		int nid;
		const char *value;
	} rows[] = {{NID_subject_key_identifier, "hash"}, {NID_authority_key_identifier, "keyid"}};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, rows[i].nid, rows[i].value);
		if (e)
			X509_add_ext(x509, e, -1);
		X509_EXTENSION_free(e);
	}
	ERR_clear_error();
}

struct status *pki_extensions_add(X509 *x509, X509 *issuer, const struct pki_subject *subject)
{
	GENERAL_NAMES *names;
	TRY(names_of(subject, &names));
	if (sk_GENERAL_NAME_num(names) > 0)
		X509_add1_ext_i2d(x509, NID_subject_alt_name, names, 0, 0);
	GENERAL_NAMES_free(names);
	BASIC_CONSTRAINTS constraints = {.ca = subject->is_ca ? 0xff : 0};
	X509_add1_ext_i2d(x509, NID_basic_constraints, &constraints, 1, 0);
	add_usages(x509, subject->usages);
	add_key_ids(x509, issuer);
	return NULL;
}

struct status *pki_san_extension(const struct pki_subject *subject, X509_EXTENSION **ret_extension)
{
	GENERAL_NAMES *names;
	TRY(names_of(subject, &names));
	*ret_extension = sk_GENERAL_NAME_num(names) > 0 ? X509V3_EXT_i2d(NID_subject_alt_name, 0, names) : NULL;
	GENERAL_NAMES_free(names);
	return NULL;
}

static char *text_of(struct arena *arena, const ASN1_STRING *s)
{
	unsigned char *utf8 = NULL;
	int size = ASN1_STRING_to_UTF8(&utf8, s);
	/* A name with a NUL inside could be taken for its first part: it becomes empty. */
	bool sound = size >= 0 && !memchr(utf8, 0, (size_t)size);
	char *out = arena_strndup(arena, sound ? (char *)utf8 : "", sound ? (size_t)size : 0);
	OPENSSL_free(utf8);
	return out;
}

static void read_name(struct arena *arena, const X509_NAME *name, struct pki_subject *s)
{
	for (int i = 0; i < X509_NAME_entry_count(name); i++) {
		const X509_NAME_ENTRY *e = X509_NAME_get_entry(name, i);
		char *value = text_of(arena, X509_NAME_ENTRY_get_data(e));
		int nid = OBJ_obj2nid(X509_NAME_ENTRY_get_object(e));
		if (nid == NID_commonName)
			s->common_name = value;
		else if (nid == NID_organizationName)
			ARENA_PUSH(arena, s->organizations, s->n_organizations) = value;
	}
}

static void read_san(struct arena *arena, const GENERAL_NAMES *names, struct pki_subject *s)
{
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		int type;
		const ASN1_STRING *value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &type);
		if (type == GEN_DNS) {
			ARENA_PUSH(arena, s->dns_names, s->n_dns_names) = text_of(arena, value);
		} else if (type == GEN_IPADD) {
			char text[INET6_ADDRSTRLEN] = "";
			int size = ASN1_STRING_length(value);
			if (size == 4 || size == 16)
				inet_ntop(size == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(value), text,
					sizeof(text));
			ARENA_PUSH(arena, s->ip_addresses, s->n_ip_addresses) = arena_strdup(arena, text);
		} else if (type == GEN_EMAIL) {
			s->n_emails++;
		} else {
			s->n_uris++;
		}
	}
}

static unsigned read_extended(const EXTENDED_KEY_USAGE *extended)
{
	unsigned usages = 0;
	for (int i = 0; i < sk_ASN1_OBJECT_num(extended); i++) {
		unsigned found = PKI_OTHER_USAGE;
		for (size_t j = 0; j < ARRAY_SIZE(extended_usages); j++)
			if (OBJ_obj2nid(sk_ASN1_OBJECT_value(extended, i)) == extended_usages[j].nid)
				found = extended_usages[j].bit;
		usages |= found;
	}
	return usages;
}

void pki_subject_read(struct arena *arena, const X509_NAME *name, const STACK_OF(X509_EXTENSION) * extensions,
	struct pki_subject *ret_subject)
{
	*ret_subject = (struct pki_subject){.common_name = ""};
	read_name(arena, name, ret_subject);
	if (!extensions)
		return;
	GENERAL_NAMES *names = X509V3_get_d2i(extensions, NID_subject_alt_name, NULL, NULL);
	EXTENDED_KEY_USAGE *extended = X509V3_get_d2i(extensions, NID_ext_key_usage, NULL, NULL);
	ASN1_BIT_STRING *bits = X509V3_get_d2i(extensions, NID_key_usage, NULL, NULL);
	BASIC_CONSTRAINTS *constraints = X509V3_get_d2i(extensions, NID_basic_constraints, NULL, NULL);
	read_san(arena, names, ret_subject);
	ret_subject->usages = read_extended(extended);
	for (size_t i = 0; bits && i < ARRAY_SIZE(key_usages); i++)
		if (ASN1_BIT_STRING_get_bit(bits, key_usages[i].bit))
			ret_subject->usages |= key_usages[i].usage;
	ret_subject->is_ca = constraints && constraints->ca;
	GENERAL_NAMES_free(names);
	EXTENDED_KEY_USAGE_free(extended);
	ASN1_BIT_STRING_free(bits);
	BASIC_CONSTRAINTS_free(constraints);
	ERR_clear_error();
}
