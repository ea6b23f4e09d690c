/*
 * api-cases: asks an API server the questions of case files and compares its answers with those that are recorded
 * beside them. A case file (YAML) says what to send; its .expect file says what Kubernetes answers; its .differs file,
 * where there is one, names the cases whose answers are known to be different.
 *
 *	api-cases --server https://127.0.0.1:6443 --ca ca.crt --cert admin.crt --key admin.key
 *test/api-cases/core/pod.yaml
 *
 * A file is worked on by one thread, with one kept connection; everything lives in an arena for each file.
 */
#ifndef TEST_API_CASES_H
#define TEST_API_CASES_H

#include "api/tree.h"
#include "base/arena.h"
#include "base/map.h"
#include "base/status.h"
#include "base/str.h"

/* --- the server (http.c) --- */

struct server {
	const char *url, *ca, *cert, *key;
	void *curl;
	long n_requests;
};

struct answer {
	int code;
	cJSON *body; /* NULL when it is no JSON */
	char **warnings;
	size_t n_warnings;
	char *retry_after; /* NULL: none */
};

/* body NULL: none is sent. What the server answers is never an error here; no answer is. */
struct status *server_ask(struct server *server, struct arena *arena, const char *method, const char *path,
	const cJSON *body, struct answer *ret_answer) MUST_USE;
void server_close(struct server *server);

/* --- mutations (mutate.c, generate.c) --- */

/* Changes of one case: path → value, paths as a/b/0/c with ~1 for a slash in a name; "-" appends; null removes. */
struct mutation {
	const char *label; /* the case's name: what is written in the file */
	const cJSON *changes;
};

struct mutations {
	struct arena *arena;
	struct mutation *items;
	size_t n_items;
};

/* The changed copy of an object. BadRequest when a path leads nowhere. */
struct status *mutate(struct arena *arena, const cJSON *object, const cJSON *changes, cJSON **ret_object) MUST_USE;
cJSON *tree_at_path(const cJSON *tree, const char *path);
/* The cases of a list in a file: a mapping each; "path*: [a, b]" stands for one case a value. */
struct status *mutations_read(struct mutations *mutations, const cJSON *list) MUST_USE;
/* What a client can get wrong with each value below the paths (a list of strings): left out, empty, negative, … */
void mutations_generate(struct mutations *mutations, const cJSON *object, const cJSON *paths);

/* --- answers as text (outcome.c) --- */

/* Code, reason, causes and warnings; of a success, in what the object differs from the one expected. usual: the answer
 * to the base, whose warnings are not repeated; NULL: there is none. */
void outcome_print(struct strbuf *out, struct arena *arena, const struct answer *answer, const cJSON *expected,
	const struct answer *usual);

/* --- what is expected (expect.c) --- */

struct expectations {
	struct strmap *texts;	 /* by case name */
	struct strmap *accepted; /* names of cases that are known to differ */
};

struct status *expectations_read(struct expectations *e, struct arena *arena, const char *case_file) MUST_USE;
void expectations_done(struct expectations *e);

/* What a run found; texts in the order of the cases. */
struct results {
	struct arena *arena;
	struct result {
		const char *name;
		char *text;
	} * items;
	size_t n_items;
};

struct counts {
	long agree, differ, known;
};

struct status *results_record(const struct results *results, const char *case_file) MUST_USE;
/* Prints every difference that is not known, and every known one that is no more. */
void results_compare(const struct results *results, const struct expectations *e, bool all, struct counts *counts);
/* Writes down the differences of now as known. */
struct status *results_accept(
	const struct results *results, const struct expectations *e, const char *case_file) MUST_USE;

/* --- a file (run.c) --- */

struct status *run_file(struct server *server, const char *path, const char *focus, struct results *results) MUST_USE;
/* Stores the bases of a file's groups instead of asking, and prints where each is. */
struct status *keep_file(struct server *server, const char *path) MUST_USE;

#endif
