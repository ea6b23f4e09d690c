/* curl's multi interface on a loop. Private to the library. Threads: the loop's. */
#ifndef CLIENT_MULTI_H
#define CLIENT_MULTI_H

#include "base/loop.h"
#include "client/internal.h"

struct multi;

struct multi *multi_new(struct loop *loop);
void multi_free(struct multi *m);
/* Starts a transfer; done(data, code) is called once when it has ended, unless it is removed before. */
struct multi_entry;
struct multi_entry *multi_add(struct multi *m, CURL *easy, void (*done)(void *data, CURLcode code), void *data);
/* Not from inside a callback of curl. */
void multi_remove(struct multi_entry *e);

#endif
