/*
 * The address by which others reach this host.
 *
 *	char *address = host_address(arena, "0.0.0.0");
 *	if (str_empty(address))
 *		return status_bad_request("this host has no address: name one");
 */
#ifndef NET_HOST_H
#define NET_HOST_H

#include "base/arena.h"

/*
 * What a server bound to an address tells others (k8s.io/apimachinery/pkg/util/net, ResolveBindAddress): the address
 * itself, or, where that is every address or of the loopback, the source of the default route, IPv4 before IPv6 unless
 * bound to IPv6; without such a route the first global address of an interface that is up. The arena's; "" for none.
 */
char *host_address(struct arena *arena, const char *bind_address);

#endif
