/*
 * Sends on many sockets in one call to the kernel (io_uring): who wakes up for one of them is not waited for before the
 * next is sent.
 *
 *	struct burst *burst = burst_new();               // NULL: the kernel does not offer it; use send()
 *	burst_add(burst, fd, data, size);                // BURST_MOST at most
 *	burst_send(burst, results);                      // in the order added: bytes sent, or -errno
 *
 * Nothing blocks: a socket that takes no more says -EAGAIN. Threads: one.
 */
#ifndef SERVE_BURST_H
#define SERVE_BURST_H

#include <stddef.h>
#include <sys/types.h>

#define BURST_MOST 16

struct burst;

struct burst *burst_new(void);
void burst_free(struct burst *burst);
/* The bytes stay where they are until burst_send() has returned. */
void burst_add(struct burst *burst, int fd, const void *data, size_t size);
void burst_send(struct burst *burst, ssize_t results[BURST_MOST]);

#endif
