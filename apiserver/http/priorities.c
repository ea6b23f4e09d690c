#include "apiserver/http/priorities.h"
#include "base/str.h"

enum exchange { NONE = 0, RSA = 1, ECDHE_RSA = 2, ECDHE_ECDSA = 4 };

/* Suites by Go's names; those of TLS 1.3 are always there. */
static const struct suite {
	const char *name;
	enum exchange exchange;
	const char *cipher, *mac;
} suites[] = {
	{"TLS_AES_128_GCM_SHA256", NONE, NULL, NULL},
	{"TLS_AES_256_GCM_SHA384", NONE, NULL, NULL},
	{"TLS_CHACHA20_POLY1305_SHA256", NONE, NULL, NULL},
	{"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", ECDHE_ECDSA, "AES-128-GCM", "AEAD"},
	{"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", ECDHE_ECDSA, "AES-256-GCM", "AEAD"},
	{"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", ECDHE_ECDSA, "CHACHA20-POLY1305", "AEAD"},
	{"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305", ECDHE_ECDSA, "CHACHA20-POLY1305", "AEAD"},
	{"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", ECDHE_ECDSA, "AES-128-CBC", "SHA1"},
	{"TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", ECDHE_ECDSA, "AES-256-CBC", "SHA1"},
	{"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", ECDHE_ECDSA, "AES-128-CBC", "SHA256"},
	{"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", ECDHE_RSA, "AES-128-GCM", "AEAD"},
	{"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", ECDHE_RSA, "AES-256-GCM", "AEAD"},
	{"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", ECDHE_RSA, "CHACHA20-POLY1305", "AEAD"},
	{"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305", ECDHE_RSA, "CHACHA20-POLY1305", "AEAD"},
	{"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", ECDHE_RSA, "AES-128-CBC", "SHA1"},
	{"TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", ECDHE_RSA, "AES-256-CBC", "SHA1"},
	{"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", ECDHE_RSA, "AES-128-CBC", "SHA256"},
	{"TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA", ECDHE_RSA, "3DES-CBC", "SHA1"},
	{"TLS_RSA_WITH_AES_128_GCM_SHA256", RSA, "AES-128-GCM", "AEAD"},
	{"TLS_RSA_WITH_AES_256_GCM_SHA384", RSA, "AES-256-GCM", "AEAD"},
	{"TLS_RSA_WITH_AES_128_CBC_SHA", RSA, "AES-128-CBC", "SHA1"},
	{"TLS_RSA_WITH_AES_256_CBC_SHA", RSA, "AES-256-CBC", "SHA1"},
	{"TLS_RSA_WITH_AES_128_CBC_SHA256", RSA, "AES-128-CBC", "SHA256"},
	{"TLS_RSA_WITH_3DES_EDE_CBC_SHA", RSA, "3DES-CBC", "SHA1"},
	/* Named, and had by neither the library nor anybody who should be let in. */
	{"TLS_ECDHE_ECDSA_WITH_RC4_128_SHA", NONE, NULL, NULL},
	{"TLS_ECDHE_RSA_WITH_RC4_128_SHA", NONE, NULL, NULL},
	{"TLS_RSA_WITH_RC4_128_SHA", NONE, NULL, NULL},
};

/* The original's order, whatever order the client or the flag has. */
static const char *const ciphers[] = {
	"AES-128-GCM", "AES-256-GCM", "CHACHA20-POLY1305", "AES-128-CBC", "AES-256-CBC", "3DES-CBC"};
static const char *const usual_ciphers[] = {
	"AES-128-GCM", "AES-256-GCM", "CHACHA20-POLY1305", "AES-128-CBC", "AES-256-CBC", NULL};
static const char *const macs[] = {"AEAD", "SHA1", "SHA256"};

struct choice {
	struct arena *arena;
	const char **ciphers, **macs;
	size_t n_ciphers, n_macs;
	unsigned exchanges;
};

static struct status *choose(struct choice *choice, const char *name)
{
	const struct suite *s = suites;
	while (s < suites + ARRAY_SIZE(suites) && !str_eq(s->name, name))
		s++;
	if (s == suites + ARRAY_SIZE(suites))
		return status_bad_request("Cipher suite %s not supported or doesn't exist", name);
	choice->exchanges |= s->exchange;
	if (!s->cipher)
		return NULL;
	ARENA_PUSH(choice->arena, choice->ciphers, choice->n_ciphers) = s->cipher;
	ARENA_PUSH(choice->arena, choice->macs, choice->n_macs) = s->mac;
	return NULL;
}

static bool has(const char *const *items, size_t n, const char *item)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(items[i], item))
			return true;
	return false;
}

static void add_chosen(struct strbuf *out, const struct choice *choice)
{
	strbuf_adds(out, ":-CIPHER-ALL:-MAC-ALL");
	for (size_t i = 0; i < ARRAY_SIZE(ciphers); i++)
		if (has(choice->ciphers, choice->n_ciphers, ciphers[i]))
			strbuf_printf(out, ":+%s", ciphers[i]);
	for (size_t i = 0; i < ARRAY_SIZE(macs); i++)
		if (has(choice->macs, choice->n_macs, macs[i]))
			strbuf_printf(out, ":+%s", macs[i]);
	if (!(choice->exchanges & RSA))
		strbuf_adds(out, ":-RSA");
	if (!(choice->exchanges & ECDHE_RSA))
		strbuf_adds(out, ":-ECDHE-RSA");
	if (!(choice->exchanges & ECDHE_ECDSA))
		strbuf_adds(out, ":-ECDHE-ECDSA");
}

static struct status *add_versions(struct strbuf *out, const char *min_version)
{
	static const struct {
		const char *name, *without;
	} versions[] = {{"", ":-VERS-TLS1.0:-VERS-TLS1.1"}, {"VersionTLS10", ""}, {"VersionTLS11", ":-VERS-TLS1.0"},
		{"VersionTLS12", ":-VERS-TLS1.0:-VERS-TLS1.1"},
		{"VersionTLS13", ":-VERS-TLS1.0:-VERS-TLS1.1:-VERS-TLS1.2"}};
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++)
		if (str_eq(versions[i].name, min_version)) {
			strbuf_printf(out, "NORMAL%s", versions[i].without);
			return NULL;
		}
	return status_bad_request("unknown tls version \"%s\"", min_version);
}

struct status *tls_priorities(
	struct arena *arena, const char *min_version, const struct flag_list *names, const char **ret_priorities)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	struct choice choice = {.arena = arena};
	TRY(add_versions(&out, str_or_empty(min_version)));
	for (size_t i = 0; i < names->n_items; i++)
		TRY(choose(&choice, names->items[i]));
	if (choice.n_ciphers)
		add_chosen(&out, &choice);
	else
		strbuf_printf(&out, ":-CIPHER-ALL:+%s",
			str_join(arena, (char **)(uintptr_t)usual_ciphers, ARRAY_SIZE(usual_ciphers) - 1, ":+"));
	strbuf_adds(&out, ":%SERVER_PRECEDENCE");
	*ret_priorities = arena_strdup(arena, out.buf);
	return NULL;
}
