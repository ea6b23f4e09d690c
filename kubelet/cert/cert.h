/*
 * The kubelet's certificates: the client's, asked for with a bootstrap kubeconfig and renewed before it ends, and the
 * server's.
 *
 * Files are those of the original: DIR/kubelet-client-current.pem (a link to the newest kubelet-client-TIME.pem,
 * certificate and key) and DIR/kubelet.crt with kubelet.key, or DIR/kubelet-server-current.pem when the server's is
 * asked for too.
 */
#ifndef KUBELET_CERT_CERT_H
#define KUBELET_CERT_CERT_H

#include <stdatomic.h>
#include "kubelet/kubelet.h"

/*
 * Makes sure that --kubeconfig exists and holds a certificate that is good: otherwise asks for one with
 * --bootstrap-kubeconfig and waits until it is issued. Does nothing without a bootstrap kubeconfig.
 */
struct status *cert_bootstrap(const struct settings *s, const struct clock *clock) MUST_USE;

struct cert_rotation;
/* Renews the client's certificate (rotateCertificates) and the server's (serverTLSBootstrap) in time, on a thread of
 * its own. */
struct cert_rotation *cert_rotation_start(struct kubelet *k);
void cert_rotation_free(struct cert_rotation *r);

/* The server's certificate: that of the configuration, or DIR/kubelet.crt, made and signed by itself if missing. */
struct status *cert_serving_files(
	const struct settings *s, const struct clock *clock, const char *ip, char **ret_cert, char **ret_key) MUST_USE;

#endif
