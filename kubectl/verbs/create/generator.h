/*
 * kubectl create KIND: what all kinds share. A kind is one file with a build function that makes the object.
 */
#ifndef KUBECTL_VERBS_CREATE_GENERATOR_H
#define KUBECTL_VERBS_CREATE_GENERATOR_H

#include "kubectl/send.h"

/* First in each kind's options. */
struct generator_options {
	struct print_options print;
	char *dry_run, *field_manager, *validate;
	bool save_config;
};
extern const struct option generator_flags[];

/* Checks that there is one name, builds the object, sends it and prints it. */
struct status *generator_run(struct kubectl *k, struct call *call,
	struct status *(*build)(struct kubectl *k, struct call *call, const char *name, cJSON **ret_object)) MUST_USE;
/* The same without the check and for an object already made. */
struct status *generator_finish(struct kubectl *k, struct call *call, cJSON *object) MUST_USE;

#define GENERATOR_RUN(verb)                                                    \
	static struct status *verb##_run(struct kubectl *k, struct call *call) \
	{                                                                      \
		return generator_run(k, call, verb##_build);                   \
	}

struct status *require_flag(struct call *call, const char *flag) MUST_USE;
/* "a=b" split at the first '='; false without one. */
bool split_pair(struct arena *arena, const char *text, char **ret_key, char **ret_value);
/* Whether a text is valid UTF-8. */
bool is_utf8(const char *data, size_t size);
/* Appends a container {name, image, resources: {}}. The name is taken from the image where it is NULL. */
cJSON *add_container(struct arena *arena, cJSON *pod_spec, const char *name, const char *image);
void append_strings(struct arena *arena, cJSON *array, char *const *items, size_t n);
/* The part of an image's name between the last slash and the tag or digest. */
char *image_base(struct arena *arena, const char *image);

/* --from-file, --from-literal, --from-env-file of configmaps and secrets: each entry is given to add(). */
struct data_sources {
	struct flag_list files, literals, env_files;
};
extern const struct option data_flags[];
struct data_sink {
	struct status *(*add)(struct kubectl *k, void *data, const char *key, const char *value, size_t size);
	void *data;
};
struct status *read_data_sources(
	struct kubectl *k, const struct data_sources *sources, const struct data_sink *sink) MUST_USE;

/* The ten characters that --append-hash adds to a name. */
char *config_hash(struct arena *arena, const char *text);

#endif
