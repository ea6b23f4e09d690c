#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include "base/log.h"
#include "base/mem.h"
#include "client/figures.h"
#include "client/internal.h"
#include "net/tls.h"

/* A peer that stops answering is noticed within a minute, as the original notices it by HTTP/2 pings. */
static int on_socket(void *data, curl_socket_t fd, curlsocktype purpose)
{
	int on = 1, idle = 15, interval = 10, count = 3, user_timeout_ms = 45000;
	(void)data, (void)purpose;
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &user_timeout_ms, sizeof(user_timeout_ms));
	return CURL_SOCKOPT_OK;
}

/* curl makes a context of its own for each connection: it is given our roots and certificate, parsed once. */
static CURLcode on_ssl_ctx(CURL *easy, void *ctx, void *data)
{
	SSL_CTX *mine = tls_context_ssl(data);
	X509 *cert = SSL_CTX_get0_certificate(mine);
	(void)easy;
	SSL_CTX_set1_cert_store(ctx, SSL_CTX_get_cert_store(mine));
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	if (!cert)
		return CURLE_OK;
	STACK_OF(X509) *chain = NULL;
	SSL_CTX_get0_chain_certs(mine, &chain);
	if (SSL_CTX_use_certificate(ctx, cert) != 1 || SSL_CTX_use_PrivateKey(ctx, SSL_CTX_get0_privatekey(mine)) != 1)
		return CURLE_SSL_CERTPROBLEM;
	if (chain)
		SSL_CTX_set1_chain(ctx, chain);
	return CURLE_OK;
}

/* An answer has come, or (code -1) will not. */
static void count(struct transfer *t, int code)
{
	if (!t->begun_ns)
		return;
	client_count(t->client->config.figures, t->method, code,
		(double)(clock_mono_ns(clock_system()) - t->begun_ns) / 1e9);
	t->begun_ns = 0;
}

static size_t on_header(char *line, size_t one, size_t size, void *data)
{
	struct transfer *t = data;
	size_t n = size * one;
	const char *colon = memchr(line, ':', n);
	if (n >= 5 && !memcmp(line, "HTTP/", 5)) {
		long code = 0;
		curl_easy_getinfo(t->handle->easy, CURLINFO_RESPONSE_CODE, &code);
		t->code = (int)code;
		if (code >= 200)
			count(t, t->code);
		t->n_headers = 0;
		t->headers = NULL;
	} else if (colon && t->n_headers < 256) {
		const char *value = colon + 1, *end = line + n;
		while (value < end && (*value == ' ' || *value == '\t'))
			value++;
		while (end > value && (end[-1] == '\r' || end[-1] == '\n' || end[-1] == ' '))
			end--;
		ARENA_PUSH(t->arena, t->headers, t->n_headers) = (struct http_header){
			.name = arena_strndup(t->arena, line, (size_t)(colon - line)),
			.value = arena_strndup(t->arena, value, (size_t)(end - value)),
		};
	}
	return n;
}

static size_t on_body(char *bytes, size_t one, size_t size, void *data)
{
	struct transfer *t = data;
	size_t n = size * one;
	if (t->on_data && t->code >= 200 && t->code < 300) {
		if (t->on_data(t->data, bytes, n))
			return n;
		t->stopped = true;
		return CURL_WRITEFUNC_ERROR;
	}
	if (t->body.len + n > t->max_body_bytes) {
		t->too_large = true;
		return CURL_WRITEFUNC_ERROR;
	}
	strbuf_add(&t->body, bytes, n);
	return n;
}

static int on_progress(void *data, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	struct transfer *t = data;
	(void)a, (void)b, (void)c, (void)d;
	if (atomic_load(&t->client->cancelled))
		return 1;
	if ((t->stop && atomic_load(t->stop)) || (t->cancelled && t->cancelled(t->data))) {
		t->stopped = true;
		return 1;
	}
	return 0;
}

static void handle_free(struct handle *h)
{
	curl_easy_cleanup(h->easy);
	tls_context_unref(h->tls);
	free(h);
}

static struct status *handle_get(struct client *client, bool pooled, struct handle **ret)
{
	struct tls_context *tls;
	unsigned generation;
	TRY(client_tls(client, &tls, &generation));
	struct handle *h = NULL;
	pthread_mutex_lock(&client->lock);
	while (pooled && (h = client->idle)) {
		client->idle = h->next;
		client->n_idle--;
		if (h->generation == generation)
			break;
		handle_free(h);
	}
	pthread_mutex_unlock(&client->lock);
	if (h) {
		curl_easy_reset(h->easy);
		tls_context_unref(tls);
	} else {
		h = mem_zalloc(sizeof(*h));
		h->easy = curl_easy_init();
		h->tls = tls;
		h->generation = generation;
	}
	*ret = h;
	return NULL;
}

void handles_free(struct handle *h)
{
	while (h) {
		struct handle *next = h->next;
		handle_free(h);
		h = next;
	}
}

/* Cuts off those that were not used for long, and those beyond max; the caller holds the lock and frees them after it.
 */
static struct handle *take_stale(struct client *client, size_t max)
{
	int64_t oldest_ms = clock_mono_ms(client->clock) - CLIENT_MAX_IDLE_MS;
	struct handle **at = &client->idle;
	size_t n = 0;
	for (; *at && n < max && (*at)->idle_since_ms >= oldest_ms; n++)
		at = &(*at)->next;
	struct handle *stale = *at;
	*at = NULL;
	client->n_idle = n;
	return stale;
}

static void handle_put(struct client *client, struct handle *h, bool reuse)
{
	pthread_mutex_lock(&client->lock);
	bool keep = reuse && h->generation == client->generation;
	struct handle *stale = take_stale(client, CLIENT_MAX_IDLE - keep);
	if (keep) {
		h->idle_since_ms = clock_mono_ms(client->clock);
		h->next = client->idle;
		client->idle = h;
		client->n_idle++;
	}
	pthread_mutex_unlock(&client->lock);
	handles_free(stale);
	if (!keep)
		handle_free(h);
}

static void set_tls(struct transfer *t)
{
	CURL *e = t->handle->easy;
	struct client *client = t->client;
	if (!t->handle->tls)
		return;
	curl_easy_setopt(e, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(e, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(e, CURLOPT_SSL_CTX_FUNCTION, on_ssl_ctx);
	curl_easy_setopt(e, CURLOPT_SSL_CTX_DATA, t->handle->tls);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, client->config.insecure ? 0L : 1L);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, client->config.insecure ? 0L : 2L);
	curl_easy_setopt(e, CURLOPT_SSL_ENABLE_ALPN, 0L);
}

/* The URL as curl is to see it: with a name to verify that differs from the host, that name is dialled at the host's
 * address. */
static void set_url(struct transfer *t, const char *path, const char *query)
{
	struct client *client = t->client;
	bool absolute = str_starts_with(path, "https://") || str_starts_with(path, "http://");
	t->url = arena_printf(t->arena, "%s%s%s%s", absolute ? "" : client->base, path, str_empty(query) ? "" : "?",
		str_or_empty(query));
	const char *name = client->config.tls_server_name;
	const char *url = t->url;
	if (!absolute && !str_empty(name) && t->handle->tls) {
		uint16_t port = url_port(&client->url);
		char *target = url_host_port(t->arena, client->url.host, port);
		char *connect_to = arena_printf(t->arena, "%s:%u:%s", name, port, target);
		struct curl_slist *list = curl_slist_append(NULL, connect_to);
		arena_defer(t->arena, (void (*)(void *))curl_slist_free_all, list);
		curl_easy_setopt(t->handle->easy, CURLOPT_CONNECT_TO, list);
		const char *prefix = str_ends_with(client->url.path, "/") ? "" : client->url.path;
		url = arena_printf(t->arena, "https://%s:%u%s%s%s%s", name, port, prefix, path,
			str_empty(query) ? "" : "?", str_or_empty(query));
	}
	curl_easy_setopt(t->handle->easy, CURLOPT_URL, url);
}

static void add_header(struct transfer *t, const char *name, const char *value)
{
	if (value[strcspn(value, "\r\n")] || name[strcspn(name, "\r\n:")])
		return;
	/* "name;" is curl's form of an empty header. */
	char *line = *value ? arena_printf(t->arena, "%s: %s", name, value) : arena_printf(t->arena, "%s;", name);
	t->curl_headers = curl_slist_append(t->curl_headers, line);
}

static struct status *set_headers(struct transfer *t, const struct client_request *request)
{
	struct http_header *auth = NULL;
	size_t n_auth = 0;
	TRY(client_auth_headers(t->client, t->arena, &auth, &n_auth));
	if (!http_header_get(request->headers, request->n_headers, "Accept"))
		add_header(t, "Accept", "application/json");
	if (request->body && !http_header_get(request->headers, request->n_headers, "Content-Type"))
		add_header(t, "Content-Type", str_or(request->content_type, "application/json"));
	for (size_t i = 0; i < request->n_headers; i++)
		add_header(t, request->headers[i].name, request->headers[i].value);
	for (size_t i = 0; i < n_auth; i++)
		add_header(t, auth[i].name, auth[i].value);
	t->curl_headers = curl_slist_append(t->curl_headers, "Expect:"); /* not sent */
	curl_easy_setopt(t->handle->easy, CURLOPT_HTTPHEADER, t->curl_headers);
	return NULL;
}

static void set_method(struct transfer *t, const struct client_request *request)
{
	CURL *e = t->handle->easy;
	if (request->body) {
		curl_easy_setopt(e, CURLOPT_POST, 1L);
		curl_easy_setopt(e, CURLOPT_POSTFIELDS, request->body);
		curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_size);
	} else if (str_eq(t->method, "POST")) {
		curl_easy_setopt(e, CURLOPT_POST, 1L);
		curl_easy_setopt(e, CURLOPT_POSTFIELDS, "");
		curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)0);
	} else if (str_eq(t->method, "HEAD")) {
		curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
	}
	curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, t->method);
}

static void set_common(struct transfer *t, const struct client_request *request)
{
	CURL *e = t->handle->easy;
	struct client *client = t->client;
	int timeout_ms = request->timeout_ms ? request->timeout_ms : client->config.timeout_ms;
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, t->error);
	curl_easy_setopt(e, CURLOPT_USERAGENT, client->user_agent);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)CLIENT_CONNECT_TIMEOUT_MS);
	curl_easy_setopt(e, CURLOPT_SOCKOPTFUNCTION, on_socket);
	curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(e, CURLOPT_HEADERDATA, t);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(e, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(e, CURLOPT_XFERINFODATA, t);
	curl_easy_setopt(e, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(e, CURLOPT_UPLOAD_BUFFERSIZE, 16384L);
	curl_easy_setopt(e, CURLOPT_BUFFERSIZE, request->on_data ? 8192L : 16384L);
	if (timeout_ms > 0)
		curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
	if (!str_empty(client->config.proxy_url))
		curl_easy_setopt(e, CURLOPT_PROXY, client->config.proxy_url);
}

struct status *transfer_init(struct transfer *t, struct client *client, struct arena *arena,
	const struct client_request *request, bool pooled)
{
	*t = (struct transfer){.client = client,
		.arena = arena,
		.method = str_or(request->method, "GET"),
		.path = request->path,
		.on_data = request->on_data,
		.data = request->data,
		.cancelled = request->cancelled,
		.pooled = pooled,
		.max_body_bytes = request->max_body_bytes ? request->max_body_bytes : CLIENT_MAX_BODY_BYTES};
	strbuf_init(&t->body);
	TRY(handle_get(client, pooled, &t->handle));
	set_common(t, request);
	set_tls(t);
	set_url(t, request->path, request->query);
	set_method(t, request);
	struct status *error = set_headers(t, request);
	if (error)
		transfer_done(t, true);
	else
		t->begun_ns = clock_mono_ns(clock_system());
	return error;
}

void transfer_done(struct transfer *t, bool reuse)
{
	count(t, -1);
	curl_slist_free_all(t->curl_headers);
	t->curl_headers = NULL;
	strbuf_done(&t->body);
	strbuf_init(&t->body);
	if (t->handle)
		handle_put(t->client, t->handle, reuse && t->pooled);
	t->handle = NULL;
}

static struct status *connection_error(struct transfer *t, CURLcode code)
{
	long os_error = 0, verify = 0;
	struct client *client = t->client;
	char *target = url_host_port(t->arena, client->url.host, url_port(&client->url));
	curl_easy_getinfo(t->handle->easy, CURLINFO_OS_ERRNO, &os_error);
	curl_easy_getinfo(t->handle->easy, CURLINFO_SSL_VERIFYRESULT, &verify);
	switch (code) {
	case CURLE_COULDNT_CONNECT:
		return status_new(STATUS_UNAVAILABLE, "dial tcp %s: %s%s", target, os_error ? "connect: " : "",
			os_error ? net_error_text(t->arena, (int)os_error) : t->error);
	case CURLE_COULDNT_RESOLVE_HOST:
		return status_new(STATUS_UNAVAILABLE, "dial tcp: lookup %s: no such host", client->url.host);
	case CURLE_PEER_FAILED_VERIFICATION:
		if (verify)
			return status_new(STATUS_UNAVAILABLE, "tls: failed to verify certificate: x509: %s",
				tls_verify_reason(verify));
		return status_new(STATUS_UNAVAILABLE, "tls: failed to verify certificate: x509: %s", t->error);
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE:
		return status_new(STATUS_UNAVAILABLE, "EOF");
	default:
		return status_new(STATUS_UNAVAILABLE, "%s", t->error[0] ? t->error : curl_easy_strerror(code));
	}
}

struct status *transfer_result(struct transfer *t, CURLcode code)
{
	if (code == CURLE_OK || t->stopped)
		return NULL;
	char verb[16];
	snprintf(verb, sizeof(verb), "%c%s", t->method[0], str_lower(t->arena, t->method + 1));
	struct status *error;
	if (t->too_large)
		error = status_new(STATUS_TOO_LARGE, "the answer is larger than %zu bytes", t->max_body_bytes);
	else if (code == CURLE_ABORTED_BY_CALLBACK)
		return status_new(STATUS_UNAVAILABLE, "client is shutting down");
	else if (code == CURLE_OPERATION_TIMEDOUT)
		error = status_new(
			STATUS_TIMEOUT, "net/http: request canceled (Client.Timeout exceeded while awaiting headers)");
	else
		error = connection_error(t, code);
	/* Whatever errno says, to the caller it is: no answer. */
	if (error->reason != STATUS_TIMEOUT && error->reason != STATUS_TOO_LARGE) {
		error->reason = STATUS_UNAVAILABLE;
		error->code = status_reason_code(STATUS_UNAVAILABLE);
	}
	return status_wrap(error, "%s \"%s\"", verb, t->url);
}

struct status *transfer_perform(struct transfer *t)
{
	int64_t start = clock_mono_ms(clock_system());
	CURLcode code = curl_easy_perform(t->handle->easy);
	log_v(6, "\"Response\" verb=\"%s\" url=\"%s\" status=\"%d\" milliseconds=%lld", t->method, t->url, t->code,
		(long long)(clock_mono_ms(clock_system()) - start));
	return transfer_result(t, code);
}

int64_t transfer_retry_after_ms(const struct transfer *t)
{
	int64_t seconds;
	const char *value = http_header_get(t->headers, t->n_headers, "Retry-After");
	if ((t->code != 429 && t->code < 500) || !value || !str_to_int64(value, 0, 3600, &seconds))
		return -1;
	return seconds * 1000;
}
