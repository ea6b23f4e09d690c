#include "serve/health.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

enum { MAX_CHECKS = 64 };

struct check {
	char *name;
	enum health_kind kind;
	struct status *(*fn)(void *data);
	void *data;
};

struct health {
	struct check checks[MAX_CHECKS];
	size_t n;
};

static struct status *ping(void *data)
{
	(void)data;
	return NULL;
}

struct health *health_new(void)
{
	struct health *h = mem_zalloc(sizeof(*h));
	health_add(h, "ping", HEALTH_BOTH, ping, NULL);
	return h;
}

void health_free(struct health *h)
{
	if (!h)
		return;
	for (size_t i = 0; i < h->n; i++)
		free(h->checks[i].name);
	free(h);
}

void health_add(
	struct health *h, const char *name, enum health_kind kind, struct status *(*check)(void *data), void *data)
{
	if (h->n < MAX_CHECKS)
		h->checks[h->n++] = (struct check){mem_strdup(name), kind, check, data};
}

static bool is_excluded(const struct http_request *request, const char *name)
{
	for (size_t i = 0; i < request->n_query; i++)
		if (str_eq(request->query[i].key, "exclude") && str_eq(request->query[i].value, name))
			return true;
	return false;
}

/* One check below the path: /healthz/ping. */
static void respond_one(struct health *h, struct http_request *request, enum health_kind kind, const char *name)
{
	for (size_t i = 0; i < h->n; i++) {
		struct check *c = &h->checks[i];
		if (!(c->kind & kind) || !str_eq(c->name, name))
			continue;
		CLEANUP_STATUS struct status *error = c->fn(c->data);
		if (error)
			http_respondf(request, 500, "internal server error: %s\n", error->message);
		else
			http_respond(request, 200, NULL, "ok", 2);
		return;
	}
	http_respond(request, 404, NULL, "404 page not found\n", 19);
}

void health_respond(struct health *h, struct http_request *request, enum health_kind kind)
{
	const char *rest = strchr(request->path + 1, '/');
	size_t base_len = rest ? (size_t)(rest - request->path - 1) : strlen(request->path + 1);
	if (rest && rest[1]) {
		respond_one(h, request, kind, rest + 1);
		return;
	}
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	CLEANUP(strbuf_done) struct strbuf failed = STRBUF_INIT;
	for (size_t i = 0; i < h->n; i++) {
		struct check *c = &h->checks[i];
		if (!(c->kind & kind))
			continue;
		if (is_excluded(request, c->name)) {
			strbuf_printf(&out, "[+]%s excluded: ok\n", c->name);
			continue;
		}
		CLEANUP_STATUS struct status *error = c->fn(c->data);
		if (error) {
			/* The reason goes to the log: who asks may be anybody. */
			strbuf_printf(&out, "[-]%s failed: reason withheld\n", c->name);
			strbuf_printf(&failed, "%s%s", failed.len ? "," : "", c->name);
			log_v(2, "%s check failed: %s: %s", request->path + 1, c->name, error->message);
		} else {
			strbuf_printf(&out, "[+]%s ok\n", c->name);
		}
	}
	if (failed.len) {
		strbuf_printf(&out, "%.*s check failed\n", (int)base_len, request->path + 1);
		http_respond(request, 500, NULL, out.buf, out.len);
	} else if (http_query(request, "verbose")) {
		strbuf_printf(&out, "%.*s check passed\n", (int)base_len, request->path + 1);
		http_respond(request, 200, NULL, out.buf, out.len);
	} else {
		http_respond(request, 200, NULL, "ok", 2);
	}
}
