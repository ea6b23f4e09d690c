/*
 * port-forward from the client's side: local listeners whose connections are carried to ports of a pod, over SPDY/3.1
 *tunnelled in a WebSocket (SPDY/3.1+portforward.k8s.io), or plain SPDY/3.1 where the server does not know that.
 *
 *	struct port_forward *pf;
 *	TRY(port_forward_new(client, path, &pf));
 *	TRY(port_forward_listen(pf, "127.0.0.1", 8080, 80, &actual));
 *	TRY(port_forward_run(pf, &stop));
 */
#ifndef CLIENT_PORTFORWARD_H
#define CLIENT_PORTFORWARD_H

#include <stdatomic.h>
#include "client/client.h"

struct port_forward;

/* Connects to /api/v1/namespaces/x/pods/y/portforward. */
struct status *port_forward_new(struct client *client, const char *path, struct port_forward **ret) MUST_USE;
void port_forward_free(struct port_forward *pf);
DEFINE_CLEANUP(struct port_forward *, port_forward_free)
/* local_port 0: any free one; *ret_port says which. Error if the address cannot be bound. */
struct status *port_forward_listen(struct port_forward *pf, const char *address, uint16_t local_port,
	uint16_t remote_port, uint16_t *ret_port) MUST_USE;
/* Called for each connection accepted ("Handling connection for 8080"). */
void port_forward_on_connection(struct port_forward *pf, void (*fn)(void *data, uint16_t local_port), void *data);
/* Errors that the pod's side reports for single connections. */
void port_forward_on_error(struct port_forward *pf, void (*fn)(void *data, const char *message), void *data);
/* Serves until *stop becomes true (NULL) or the connection to the pod is lost (an error). */
struct status *port_forward_run(struct port_forward *pf, const atomic_bool *stop) MUST_USE;

#endif
