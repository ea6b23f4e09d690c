#include <curl/curl.h>
#include "test/api-cases/cases.h"

struct transfer {
	struct arena *arena;
	struct answer *answer;
	struct strbuf body;
};

static size_t on_body(char *data, size_t size, size_t n, void *closure)
{
	struct transfer *t = closure;
	strbuf_add(&t->body, data, size * n);
	return size * n;
}

/* The text within `299 - "text"`, unescaped. */
static char *warning_text(struct arena *arena, const char *value)
{
	const char *start = strchr(value, '"');
	char *text = arena_strdup(arena, start ? start + 1 : value), *to = text;
	for (const char *p = text; *p && *p != '"'; p++) {
		p += *p == '\\' && p[1];
		*to++ = *p;
	}
	*to = '\0';
	return text;
}

static size_t on_header(char *data, size_t size, size_t n, void *closure)
{
	struct transfer *t = closure;
	char *line = str_trim(t->arena, arena_strndup(t->arena, data, size * n));
	char *colon = strchr(line, ':');
	if (!colon)
		return size * n;
	*colon = '\0';
	const char *value = str_trim(t->arena, colon + 1);
	if (str_eq_nocase(line, "Warning"))
		ARENA_PUSH(t->arena, t->answer->warnings, t->answer->n_warnings) = warning_text(t->arena, value);
	else if (str_eq_nocase(line, "Retry-After"))
		t->answer->retry_after = arena_strdup(t->arena, value);
	return size * n;
}

static CURL *open_session(struct server *server)
{
	CURL *curl = curl_easy_init();
	curl_easy_setopt(curl, CURLOPT_CAINFO, server->ca);
	curl_easy_setopt(curl, CURLOPT_SSLCERT, server->cert);
	curl_easy_setopt(curl, CURLOPT_SSLKEY, server->key);
	curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, 60L);
	curl_easy_setopt(curl, CURLOPT_TCP_NODELAY, 1L);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "api-cases");
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
	return curl;
}

static struct curl_slist *headers_for(const char *method)
{
	bool patch = !strcmp(method, "PATCH");
	struct curl_slist *list = curl_slist_append(NULL, "Accept: application/json");
	list = curl_slist_append(
		list, patch ? "Content-Type: application/merge-patch+json" : "Content-Type: application/json");
	return curl_slist_append(list, "Expect:");
}

struct status *server_ask(struct server *server, struct arena *arena, const char *method, const char *path,
	const cJSON *body, struct answer *ret_answer)
{
	CLEANUP(strbuf_done) struct strbuf sent = STRBUF_INIT;
	struct transfer t = {.arena = arena, .answer = ret_answer, .body = STRBUF_INIT};
	*ret_answer = (struct answer){0};
	if (!server->curl)
		server->curl = open_session(server);
	struct curl_slist *headers = headers_for(method);
	if (body)
		tree_print(&sent, body, 0);
	curl_easy_setopt(server->curl, CURLOPT_URL, arena_printf(arena, "%s%s", server->url, path));
	curl_easy_setopt(server->curl, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(server->curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(server->curl, CURLOPT_POSTFIELDS, body ? sent.buf : NULL);
	curl_easy_setopt(server->curl, CURLOPT_POSTFIELDSIZE, body ? (long)sent.len : 0L);
	curl_easy_setopt(server->curl, CURLOPT_WRITEDATA, &t);
	curl_easy_setopt(server->curl, CURLOPT_HEADERDATA, &t);
	if (!body)
		curl_easy_setopt(server->curl, CURLOPT_HTTPGET, 1L);
	CURLcode rc = curl_easy_perform(server->curl);
	long code = 0;
	curl_easy_getinfo(server->curl, CURLINFO_RESPONSE_CODE, &code);
	curl_slist_free_all(headers);
	server->n_requests++;
	ret_answer->code = (int)code;
	struct status *failed = NULL;
	if (rc != CURLE_OK)
		failed = status_new(STATUS_UNAVAILABLE, "%s %s: %s", method, path, curl_easy_strerror(rc));
	else
		status_drop(
			tree_parse(arena, t.body.buf, t.body.len, NULL, &ret_answer->body), "then there is no body");
	strbuf_done(&t.body);
	return failed;
}

void server_close(struct server *server)
{
	if (server->curl)
		curl_easy_cleanup(server->curl);
	server->curl = NULL;
}
