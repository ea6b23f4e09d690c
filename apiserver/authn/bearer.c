/* Where a request has its token: in a header, or, of a browser that cannot set one, in a protocol that it offers. */
#include <ctype.h>
#include "apiserver/authn/internal.h"
#include "base/encode.h"
#include "base/str.h"

#define PROTOCOL_PREFIX "base64url.bearer.authorization.k8s.io."
#define SPACED "the provided Authorization header contains extra space before the bearer token, and is ignored"

static void warn(const struct authn_request *request, const char *text)
{
	if (request && request->warn)
		request->warn(request->warn_data, text);
}

char *authn_bearer_of(struct arena *arena, const struct authn_request *request, const char *authorization)
{
	static const char scheme[] = "bearer ";
	char *value = str_trim(arena, str_or_empty(authorization));
	if (strncasecmp(value, scheme, sizeof(scheme) - 1))
		return NULL;
	char *token = value + sizeof(scheme) - 1;
	if (*token == ' ')
		warn(request, SPACED);
	token[strcspn(token, " ")] = '\0';
	return *token ? token : NULL;
}

static bool has_word(const char *list, const char *word)
{
	const size_t len = strlen(word);
	for (const char *p = list; p; p = strchr(p, ',')) {
		p += strspn(p, ", \t");
		const char *end = p + strcspn(p, ",");
		while (end > p && isspace((unsigned char)end[-1]))
			end--;
		if ((size_t)(end - p) == len && !strncasecmp(p, word, len))
			return true;
	}
	return false;
}

static bool is_websocket(const struct authn_request *request)
{
	const char *upgrade = request->header(request->data, "Upgrade", 0),
		   *connection = request->header(request->data, "Connection", 0);
	return upgrade && connection && !strcasecmp(upgrade, "websocket") && has_word(connection, "upgrade");
}

/* The protocols that are offered: how many carry a token and how many do not, and the last token as it is written. */
struct offered {
	size_t n_tokens, n_others;
	const char *encoded;
};

static void take_offers(struct arena *arena, const char *header, struct offered *offered)
{
	char **parts;
	size_t n = str_split(arena, header, ',', &parts);
	for (size_t i = 0; i < n; i++) {
		const char *protocol = str_trim(arena, parts[i]);
		if (!str_starts_with(protocol, PROTOCOL_PREFIX)) {
			offered->n_others++;
			continue;
		}
		offered->n_tokens++;
		offered->encoded = protocol + strlen(PROTOCOL_PREFIX);
	}
}

struct status *authn_websocket_bearer(struct arena *arena, const struct authn_request *request, char **ret_token)
{
	struct offered offered = {0};
	const char *header;
	uint8_t *data;
	size_t size;
	*ret_token = NULL;
	if (!is_websocket(request))
		return NULL;
	for (size_t i = 0; (header = request->header(request->data, "Sec-WebSocket-Protocol", i)); i++)
		take_offers(arena, header, &offered);
	if (offered.n_tokens > 1)
		return status_new(STATUS_UNAUTHORIZED, "multiple base64.bearer.authorization tokens specified");
	if (!offered.n_tokens || !*offered.encoded)
		return NULL;
	if (strchr(offered.encoded, '=') ||
		!base64url_decode(arena, offered.encoded, strlen(offered.encoded), &data, &size))
		return status_new(STATUS_UNAUTHORIZED, "invalid base64.bearer.authorization token encoding");
	/* One that is no token has to be left to answer with. */
	if (!offered.n_others)
		return status_new(STATUS_UNAUTHORIZED, "missing additional subprotocol");
	*ret_token = arena_strndup(arena, (const char *)data, size);
	return NULL;
}
