/*
 * The verbs on resources. Each replies on the exchange, or returns the error to reply with.
 */
#ifndef APISERVER_HTTP_VERBS_H
#define APISERVER_HTTP_VERBS_H

#include "apiserver/http/negotiate.h"
#include "apiserver/http/options.h"
#include "apiserver/http/server.h"
#include "apiserver/registry/request.h"

/* A resourceVersion parameter: -1 when it was not given, and else a revision. What is none is the original's 500
 * without a reason, which lists (list_version_settle) turn into BadRequest and single reads and watches do not. */
struct status *version_parse(const char *text, int64_t *ret_version) MUST_USE;
/* The same for what comes out of etcd at the original's, and tells of it as of any bad option: lists, single events. */
struct status *version_parse_option(const char *text, int64_t *ret_version) MUST_USE;
/* What of the options only the resource knows: which fields can be selected by. */
struct status *list_fields_settle(struct request *request, struct list_options *options) MUST_USE;
/* And what its storage reads: the version, or the token to go on with. */
struct status *list_version_settle(struct request *request, struct list_options *options) MUST_USE;
/* What a collection's deletion is about to delete. */
struct status *list_objects(
	struct request *request, const struct list_options *options, ProtobufCMessage **ret_list) MUST_USE;

typedef struct status *verb_fn(struct exchange *exchange, struct request *request, const struct accept *accept);
verb_fn verb_get;
verb_fn verb_list;
verb_fn verb_watch;
verb_fn verb_create;
verb_fn verb_update;
verb_fn verb_patch;
/* 415 for what is no patch; it is told before anything else. */
struct status *verb_patch_check(struct exchange *exchange) MUST_USE;
verb_fn verb_delete;
verb_fn verb_delete_collection;
/* Log, exec, attach, port-forward and proxy. */
verb_fn verb_connect;

#endif
