/* Two streams copied into each other: what an upgrade proxy does once both sides have switched. */
#include <errno.h>
#include <poll.h>
#include "base/mem.h"
#include "net/stream.h"

enum { RELAY_BYTES = 32 * 1024 };

struct direction {
	struct stream *from, *to;
	size_t start, end; /* of what is buffered */
	short read_wants, write_wants;
	bool ended;  /* from has ended */
	bool passed; /* … and to has been told */
	char buf[RELAY_BYTES];
};

/* Moves what can be moved without waiting. Returns -1 on failure, otherwise whether anything moved. */
static int move(struct direction *d)
{
	int moved = 0;
	d->read_wants = d->write_wants = 0;
	while (!d->passed) {
		if (d->start == d->end && !d->ended) {
			ssize_t n = stream_try_read(d->from, d->buf, sizeof(d->buf), &d->read_wants);
			if (n < 0)
				return errno == EAGAIN ? moved : -1;
			d->start = 0;
			d->end = (size_t)n;
			d->ended = n == 0;
		}
		if (d->start < d->end) {
			ssize_t n = stream_try_write(d->to, d->buf + d->start, d->end - d->start, &d->write_wants);
			if (n < 0)
				return errno == EAGAIN ? moved : -1;
			d->start += (size_t)n;
		} else if (d->ended) {
			stream_shutdown_write(d->to);
			d->passed = true;
		}
		d->read_wants = d->write_wants = 0;
		moved = 1;
	}
	return moved;
}

void stream_relay(struct stream *a, struct stream *b, int idle_ms)
{
	struct direction *d = mem_calloc(2, sizeof(*d));
	d[0].from = d[1].to = a;
	d[0].to = d[1].from = b;
	while (!d[0].passed || !d[1].passed) {
		int first = move(&d[0]), second = move(&d[1]);
		if (first < 0 || second < 0)
			break;
		if (first || second)
			continue;
		struct pollfd fds[2] = {
			{.fd = stream_fd(a), .events = (short)(d[0].read_wants | d[1].write_wants)},
			{.fd = stream_fd(b), .events = (short)(d[1].read_wants | d[0].write_wants)},
		};
		/* A side that nothing is wanted of would wake poll for ever once it has hung up. */
		for (int i = 0; i < 2; i++)
			if (!fds[i].events)
				fds[i].fd = -1;
		int r = poll(fds, 2, idle_ms);
		if (r == 0 || (r < 0 && errno != EINTR))
			break;
	}
	free(d);
}
