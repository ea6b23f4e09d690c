/*
 * The container runtime as a peer: one channel for containers and one for images (they may be the same socket).
 *
 *	CriListContainersRequest *request = RPC_NEW(arena, CriListContainersRequest);
 *	CriListContainersResponse *response;
 *	TRY(cri_call(cri, "ListContainers", request, arena, &response));
 *
 * Errors are what the runtime said, in its own words (rpc_call); cri_error_text() puts the gRPC code before them as
 *users know it. Threads: any.
 */
#ifndef KUBELET_RUNTIME_CRI_H
#define KUBELET_RUNTIME_CRI_H

#include "kubelet/figures.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/status.h"
#include "cri/cri.h"
#include "rpc/rpc.h"

struct cri;

/* Endpoints are unix:///path or a bare path. image_endpoint "" or NULL: the same. timeout_ms: of calls with no time of
 * their own. */
/* figures: what calls are counted in; borrowed. */
struct status *cri_new(const char *endpoint, const char *image_endpoint, int64_t timeout_ms,
	const struct kubelet_figures *figures, struct cri **ret) MUST_USE;
void cri_free(struct cri *cri);
DEFINE_CLEANUP(struct cri *, cri_free)
/* After the first Version call: "containerd", "1.6.20"; "" before. */
const char *cri_runtime_name(const struct cri *cri);
const char *cri_runtime_version(const struct cri *cri);
/* Asks for the version and remembers it. Error: the runtime is not there or speaks another CRI. */
struct status *cri_connect(struct cri *cri) MUST_USE;

struct status *cri_call(
	struct cri *cri, const char *method, const void *request, struct arena *arena, void *ret) MUST_USE;
struct status *cri_call_for(struct cri *cri, const char *method, const void *request, int64_t timeout_ms,
	struct arena *arena, void *ret) MUST_USE;
struct status *cri_image_call(struct cri *cri, const char *method, const void *request, int64_t timeout_ms,
	struct arena *arena, void *ret) MUST_USE;
/* May take long; ends early, with Canceled, when the token is cancelled. */
struct status *cri_pull_image(struct cri *cri, const CriPullImageRequest *request, struct cancel *cancel,
	struct arena *arena, CriPullImageResponse **ret) MUST_USE;
/* "rpc error: code = NotFound desc = …" */
char *cri_error_text(struct arena *arena, const struct status *status);

/* Stops with a grace period; a container that is gone is success. Blocks for up to the grace period and a
 * little, or until it is cancelled. */
struct status *cri_stop_container(
	struct cri *cri, const char *id, int64_t grace_seconds, struct cancel *cancel) MUST_USE;
struct status *cri_remove_container(struct cri *cri, const char *id) MUST_USE;
struct status *cri_stop_sandbox(struct cri *cri, const char *id) MUST_USE;
struct status *cri_remove_sandbox(struct cri *cri, const char *id) MUST_USE;
/* Runs a command to its end. Output: both streams together, bounded. timeout_s 0: none. A time-out is STATUS_TIMEOUT.
 */
struct status *cri_exec_sync(struct cri *cri, const char *container_id, char *const *command, size_t n_command,
	int64_t timeout_s, struct cancel *cancel, struct arena *arena, char **ret_output,
	int32_t *ret_exit_code) MUST_USE;

#endif
