#include "serve/burst.h"

#include <assert.h>
#include <errno.h>
#include <linux/io_uring.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/mem.h"

struct burst {
	int fd;
	void *rings; /* shared with the kernel, both */
	size_t rings_size;
	struct io_uring_sqe *sqes;
	size_t sqes_size;
	const struct io_uring_cqe *cqes;
	/* Of the submissions only the tail is ours, of the completions only the head. */
	unsigned *tail, *order, mask;
	unsigned *done_head, *done_tail, done_mask;
	unsigned n;
};

static void *map(const struct burst *b, size_t size, off_t what)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, b->fd, what);
	return p == MAP_FAILED ? NULL : p;
}

static bool map_rings(struct burst *b, const struct io_uring_params *p)
{
	const size_t in = p->sq_off.array + p->sq_entries * sizeof(unsigned),
		     out = p->cq_off.cqes + p->cq_entries * sizeof(struct io_uring_cqe);
	b->rings_size = in > out ? in : out;
	b->rings = map(b, b->rings_size, IORING_OFF_SQ_RING);
	b->sqes_size = p->sq_entries * sizeof(*b->sqes);
	b->sqes = map(b, b->sqes_size, IORING_OFF_SQES);
	if (!b->rings || !b->sqes)
		return false;
	char *at = b->rings;
	b->tail = (unsigned *)(void *)(at + p->sq_off.tail);
	b->order = (unsigned *)(void *)(at + p->sq_off.array);
	b->mask = *(unsigned *)(void *)(at + p->sq_off.ring_mask);
	b->done_head = (unsigned *)(void *)(at + p->cq_off.head);
	b->done_tail = (unsigned *)(void *)(at + p->cq_off.tail);
	b->done_mask = *(unsigned *)(void *)(at + p->cq_off.ring_mask);
	b->cqes = (const struct io_uring_cqe *)(void *)(at + p->cq_off.cqes);
	return true;
}

struct burst *burst_new(void)
{
	/* What has this knows IORING_OP_SEND. */
	const unsigned needed = IORING_FEAT_SINGLE_MMAP | IORING_FEAT_FAST_POLL;
	struct io_uring_params p = {0};
	struct burst *b = mem_zalloc(sizeof(*b));
	b->fd = (int)syscall(SYS_io_uring_setup, BURST_MOST, &p);
	if (b->fd >= 0 && (p.features & needed) == needed && map_rings(b, &p))
		return b;
	burst_free(b);
	return NULL;
}

void burst_free(struct burst *b)
{
	if (!b)
		return;
	if (b->rings)
		munmap(b->rings, b->rings_size);
	if (b->sqes)
		munmap(b->sqes, b->sqes_size);
	if (b->fd >= 0)
		close(b->fd);
	free(b);
}

void burst_add(struct burst *b, int fd, const void *data, size_t size)
{
	assert(b->n < BURST_MOST);
	const unsigned at = (*b->tail + b->n) & b->mask;
	b->sqes[at] = (struct io_uring_sqe){.opcode = IORING_OP_SEND,
		.fd = fd,
		.addr = (uintptr_t)data,
		.len = (uint32_t)size,
		.msg_flags = MSG_NOSIGNAL | MSG_DONTWAIT,
		.user_data = b->n};
	b->order[at] = at;
	b->n++;
}

/* Takes what is done; how many that were. */
static unsigned reap(struct burst *b, ssize_t *results)
{
	unsigned n = 0, head = *b->done_head;
	for (; head != __atomic_load_n(b->done_tail, __ATOMIC_ACQUIRE); head++, n++) {
		const struct io_uring_cqe *done = &b->cqes[head & b->done_mask];
		assert(done->user_data < b->n);
		results[done->user_data] = done->res;
	}
	__atomic_store_n(b->done_head, head, __ATOMIC_RELEASE);
	return n;
}

void burst_send(struct burst *b, ssize_t results[BURST_MOST])
{
	unsigned submitted = 0, done = 0;
	__atomic_store_n(b->tail, *b->tail + b->n, __ATOMIC_RELEASE);
	while (done < b->n) {
		long r = syscall(
			SYS_io_uring_enter, b->fd, b->n - submitted, b->n - done, IORING_ENTER_GETEVENTS, NULL, 0);
		assert(r >= 0 || errno == EINTR || errno == EAGAIN || errno == EBUSY);
		if (r > 0)
			submitted += (unsigned)r;
		done += reap(b, results);
	}
	b->n = 0;
}
