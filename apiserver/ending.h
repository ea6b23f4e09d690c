/*
 * From the signal to the end: what is in progress is answered, nobody new is let in, and watches are told that they
 *end, in the steps of the original (apiserver/pkg/server/genericapiserver.go).
 *
 *	struct ending_options options = {.delay_ms = 5000, .request_ms = 60000, .tick = tick, .data = app};
 *	ending_run(app, &options);      // then the process may exit
 */
#ifndef APISERVER_ENDING_H
#define APISERVER_ENDING_H

#include <stdbool.h>
#include <stdint.h>

struct app;

struct ending_options {
	int64_t delay_ms;	  /* everything is served for so long, but /readyz says no */
	int64_t request_ms;	  /* at most so long for what was begun before */
	int64_t watch_grace_ms;	  /* watches are ended one after the other within it, not all at the very end */
	bool send_retry_after;	  /* who comes late is let in, to be told so */
	void (*tick)(void *data); /* called each second or so meanwhile */
	void *data;
};

void ending_run(struct app *app, const struct ending_options *options);

#endif
