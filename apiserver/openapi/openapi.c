#include "apiserver/openapi/openapi.h"
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include "apiserver/http/answer.h"
#include "apiserver/openapi/document.h"
#include "base/encode.h"
#include "base/mem.h"
#include "pki/pki.h"

#define DIGEST_BYTES 64
#define YEAR_S (365 * 24 * 3600)

enum form { FORM_JSON, FORM_PROTOBUF, N_FORMS };

struct kept {
	const char *name; /* NULL: version 2 */
	enum openapi_version version;
	char digest[2 * DIGEST_BYTES + 1]; /* of the JSON; "" until it is known */
	time_t made_s;
	struct strbuf text[N_FORMS]; /* each empty until it is asked for */
};

struct openapi {
	pthread_mutex_t lock; /* guards the contents of documents; a text that is there does not change any more */
	struct arena *arena;
	const struct served *served;
	struct kept *documents; /* of version 3, and the one of version 2 behind */
	size_t n;
};

struct openapi *openapi_new(const struct served *served)
{
	struct openapi *o = mem_zalloc(sizeof(*o));
	pthread_mutex_init(&o->lock, NULL);
	o->arena = arena_new();
	o->served = served;
	char **names = document_names(o->arena, served, &o->n);
	o->documents = ARENA_ARRAY(o->arena, struct kept, o->n + 1);
	for (size_t i = 0; i <= o->n; i++) {
		struct kept *kept = &o->documents[i];
		kept->name = i < o->n ? names[i] : NULL;
		kept->version = i < o->n ? OPENAPI_V3 : OPENAPI_V2;
		for (size_t f = 0; f < N_FORMS; f++)
			strbuf_init(&kept->text[f]);
	}
	return o;
}

/* --- making them --- */

static void write_json(const struct openapi *o, struct kept *kept, struct strbuf *out)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	uint8_t digest[DIGEST_BYTES];
	document_write(arena, o->served, kept->version, kept->name, out);
	if (*kept->digest)
		return;
	pki_sha512(out->buf, out->len, digest);
	for (size_t i = 0; i < DIGEST_BYTES; i++) {
		static const char digits[] = "0123456789ABCDEF";
		kept->digest[2 * i] = digits[digest[i] >> 4];
		kept->digest[2 * i + 1] = digits[digest[i] & 15];
	}
	kept->made_s = time(NULL);
}

static void know_digest(const struct openapi *o, struct kept *kept)
{
	CLEANUP(strbuf_done) struct strbuf json = STRBUF_INIT;
	if (!*kept->digest)
		write_json(o, kept, &json);
}

static const struct strbuf *text_of(struct openapi *o, struct kept *kept, enum form form)
{
	struct strbuf *text = &kept->text[form], *json = &kept->text[FORM_JSON];
	pthread_mutex_lock(&o->lock);
	if (!text->len && form == FORM_JSON) {
		write_json(o, kept, text);
	} else if (!text->len && json->len) {
		document_to_protobuf(kept->version, json, text);
	} else if (!text->len) {
		CLEANUP(strbuf_done) struct strbuf passing = STRBUF_INIT;
		write_json(o, kept, &passing);
		document_to_protobuf(kept->version, &passing, text);
	}
	pthread_mutex_unlock(&o->lock);
	return text;
}

/* --- answers --- */

static const char *http_time(struct arena *arena, time_t when, const char *zone)
{
	struct tm tm;
	char text[40];
	gmtime_r(&when, &tm);
	strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S ", &tm);
	return arena_printf(arena, "%s%s", text, zone);
}

static void answer_index(struct openapi *o, struct exchange *exchange)
{
	struct strbuf out = STRBUF_INIT;
	strbuf_adds(&out, "{\"paths\":{");
	pthread_mutex_lock(&o->lock);
	for (size_t i = 0; i < o->n; i++) {
		struct kept *kept = &o->documents[i];
		know_digest(o, kept);
		strbuf_printf(&out, "%s\"%s\":{\"serverRelativeURL\":\"/openapi/v3/%s?hash=%s\"}", i ? "," : "",
			kept->name, kept->name, kept->digest);
	}
	pthread_mutex_unlock(&o->lock);
	strbuf_adds(&out, "}}");
	/* Not said to be JSON: as the original's aggregator answers. */
	reply_strbuf(exchange, 200, "text/plain; charset=utf-8", &out);
}

/* Who names the digest gets what never changes; who names another is sent to it. True: sent. */
static bool answer_digest(struct exchange *exchange, const struct kept *kept)
{
	const char *asked = exchange_query(exchange, "hash");
	if (kept->version != OPENAPI_V3 || str_empty(asked))
		return false;
	if (strcmp(asked, kept->digest) != 0) {
		reply_header(exchange, "Location",
			arena_printf(exchange->arena, "/openapi/v3/%s?hash=%s", kept->name, kept->digest));
		reply_bytes(exchange, 301, "application/json", "", 0);
		return true;
	}
	reply_header(exchange, "Cache-Control", "public, immutable");
	reply_header(exchange, "Expires", http_time(exchange->arena, time(NULL) + YEAR_S, "UTC"));
	return false;
}

static void answer_document(struct openapi *o, struct exchange *exchange, struct kept *kept)
{
	static const char *const types[][3] = {
		[OPENAPI_V2] = {"application/json", "application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
			"application/com.github.proto-openapi.spec.v2@v1.0+protobuf"},
		[OPENAPI_V3] = {"application/json", "application/com.github.proto-openapi.spec.v3.v1.0+protobuf",
			"application/com.github.proto-openapi.spec.v3@v1.0+protobuf"},
	};
	size_t choice;
	reply_header(exchange, "Vary", "Accept");
	if (!accept_choose(exchange->arena, exchange_header(exchange, "Accept"), types[kept->version], 3, &choice)) {
		reply_bytes(exchange, 406, NULL, "", 0);
		return;
	}
	const struct strbuf *text = text_of(o, kept, choice ? FORM_PROTOBUF : FORM_JSON);
	const char *type = types[kept->version][choice ? 1 : 0];
	const char *tag = arena_printf(exchange->arena, "\"%s\"", kept->digest);
	reply_header(exchange, "ETag", tag);
	if (answer_digest(exchange, kept))
		return;
	reply_header(exchange, "Last-Modified", http_time(exchange->arena, kept->made_s, "GMT"));
	if (str_eq(exchange_header(exchange, "If-None-Match"), tag)) {
		reply_bytes(exchange, 304, NULL, "", 0);
		return;
	}
	struct gather *body = gather_new();
	gather_borrow(body, text->buf, text->len, NULL);
	reply_gather(exchange, 200, type, body);
}

bool openapi_respond(struct openapi *o, struct exchange *exchange)
{
	static const char v3[] = "/openapi/v3/";
	const char *path = exchange->path;
	if (str_eq(path, "/openapi/v2")) {
		answer_document(o, exchange, &o->documents[o->n]);
		return true;
	}
	if (str_eq(path, "/openapi/v3")) {
		answer_index(o, exchange);
		return true;
	}
	if (!str_starts_with(path, v3))
		return false;
	for (size_t i = 0; i < o->n; i++)
		if (str_eq(o->documents[i].name, path + sizeof(v3) - 1)) {
			answer_document(o, exchange, &o->documents[i]);
			return true;
		}
	reply_bytes(exchange, 404, NULL, "", 0);
	return true;
}
