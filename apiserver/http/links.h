/*
 * The links of a page that passes through a proxy. A page of a pod or Service refers to its own paths; seen through
 * …/NAME/proxy/ they lie behind that prefix. Absolute paths of the page's own host get the prefix, in the Location
 * header and in those attributes of HTML that hold addresses; relative links, and such to other hosts, stay.
 *
 *   struct links *links = links_new("/api/v1/namespaces/ns/pods/web/proxy", "10.0.0.1:80", "localhost:6443", false);
 *   links_feed(links, data, size, &out);      as often as data comes
 *   links_end(links, &out);
 *   links_free(links);
 */
#ifndef APISERVER_HTTP_LINKS_H
#define APISERVER_HTTP_LINKS_H

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/str.h"

struct links;

/* backend_host: host and port that the page was fetched from; client_host: what the client calls us. gzip: the page is
 * compressed; what comes out is not. */
struct links *links_new(const char *prefix, const char *backend_host, const char *client_host, bool gzip);
void links_free(struct links *links);
/* Adds to out what of the page is complete. False: the compressed bytes are broken. */
bool links_feed(struct links *links, const void *data, size_t size, struct strbuf *out) MUST_USE;
/* The page is over: what was still open goes out as it is. */
void links_end(struct links *links, struct strbuf *out);

/* One address, as links_feed rewrites it. */
char *links_rewrite(
	struct arena *arena, const char *prefix, const char *backend_host, const char *client_host, const char *url);

#endif
