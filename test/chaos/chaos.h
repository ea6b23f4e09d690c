/* The program of the chaos runs: one file a command. test/chaos/run puts them together. */
#ifndef CHAOS_CHAOS_H
#define CHAOS_CHAOS_H

#include <stdbool.h>
#include <stdint.h>
#include "base/status.h"

struct chaos_options {
	char *kubeconfig;
	char *servers; /* https://…, comma-separated; empty: the kubeconfig's */
	char *etcd, *etcd_ca, *etcd_cert, *etcd_key;
	char *out; /* folder */
	char *binaries;
	int64_t seed, seconds, n_servers;
	int64_t patience; /* load: seconds that writers may take to end */
	bool rest;	  /* check: the rules of rest only; truth: only what is there now */
};

/* plan.c: the schedule of faults of a seed, one a line. */
struct status *chaos_plan(const struct chaos_options *options, char *const *args, size_t n_args) MUST_USE;
/* The failure points of the binaries in a folder: component and name. */
struct status *chaos_points(const struct chaos_options *options, char *const *args, size_t n_args) MUST_USE;
/* load.c: clients at work until the file OUT/stop is there; then they wait for OUT/finish. */
struct status *chaos_load(const struct chaos_options *options, char *const *args, size_t n_args) MUST_USE;
/* truth.c: every change that the store made, as etcd tells it. */
struct status *chaos_truth(const struct chaos_options *options, char *const *args, size_t n_args) MUST_USE;
/* main.c: holds the histories in the files given against each other. */
struct status *chaos_check(const struct chaos_options *options, char *const *args, size_t n_args) MUST_USE;

#endif
