#include "net/host.h"
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/cleanup.h"

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* As Go's IsGlobalUnicast: private addresses are, those of the link are not. */
static bool is_global(const union address *a)
{
	if (a->any.sa_family == AF_INET6) {
		const struct in6_addr *v6 = &a->v6.sin6_addr;
		return !IN6_IS_ADDR_UNSPECIFIED(v6) && !IN6_IS_ADDR_LOOPBACK(v6) && !IN6_IS_ADDR_MULTICAST(v6) &&
		       !IN6_IS_ADDR_LINKLOCAL(v6);
	}
	const uint32_t v4 = ntohl(a->v4.sin_addr.s_addr);
	return v4 && v4 != INADDR_BROADCAST && v4 >> 24 != 127 && !IN_MULTICAST(v4) && v4 >> 16 != 0xa9fe;
}

static char *text_of(struct arena *arena, const union address *a)
{
	char text[INET6_ADDRSTRLEN];
	const void *bytes = a->any.sa_family == AF_INET ? (const void *)&a->v4.sin_addr : &a->v6.sin6_addr;
	return arena_strdup(arena, inet_ntop(a->any.sa_family, bytes, text, sizeof(text)));
}

/* The source that the kernel would choose to reach far away: to connect a datagram socket sends nothing. */
static bool by_route(sa_family_t family, union address *ret)
{
	union address far = {.any.sa_family = family};
	socklen_t size = family == AF_INET ? sizeof(far.v4) : sizeof(far.v6);
	if (family == AF_INET) {
		far.v4.sin_port = htons(53);
		inet_pton(AF_INET, "192.0.2.1", &far.v4.sin_addr);
	} else {
		far.v6.sin6_port = htons(53);
		inet_pton(AF_INET6, "2001:db8::1", &far.v6.sin6_addr);
	}
	CLEANUP_FD int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return fd >= 0 && !connect(fd, &far.any, size) && !getsockname(fd, &ret->any, &size) && is_global(ret);
}

static bool by_interface(sa_family_t family, union address *ret)
{
	struct ifaddrs *all;
	bool found = false;
	if (getifaddrs(&all))
		return false;
	for (const struct ifaddrs *i = all; i && !found; i = i->ifa_next) {
		if (!i->ifa_addr || i->ifa_addr->sa_family != family || !(i->ifa_flags & IFF_UP) ||
			(i->ifa_flags & (IFF_LOOPBACK | IFF_POINTOPOINT)))
			continue;
		memcpy(ret, i->ifa_addr, family == AF_INET ? sizeof(ret->v4) : sizeof(ret->v6));
		found = is_global(ret);
	}
	freeifaddrs(all);
	return found;
}

/* Whether others cannot use an address that a server is bound to. */
static bool is_own_matter(const char *text)
{
	struct in_addr v4;
	struct in6_addr v6;
	if (inet_pton(AF_INET, text, &v4) == 1)
		return !v4.s_addr || ntohl(v4.s_addr) >> 24 == 127;
	return inet_pton(AF_INET6, text, &v6) != 1 || IN6_IS_ADDR_UNSPECIFIED(&v6) || IN6_IS_ADDR_LOOPBACK(&v6);
}

char *host_address(struct arena *arena, const char *bind_address)
{
	if (!is_own_matter(bind_address))
		return arena_strdup(arena, bind_address);
	const bool v6_first = strchr(bind_address, ':');
	const sa_family_t families[] = {v6_first ? AF_INET6 : AF_INET, v6_first ? AF_INET : AF_INET6};
	static bool (*const ways[])(sa_family_t, union address *) = {by_route, by_interface};
	union address found;
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
		for (size_t j = 0; j < ARRAY_SIZE(families); j++)
			if (ways[i](families[j], &found))
				return text_of(arena, &found);
	return arena_strdup(arena, "");
}
