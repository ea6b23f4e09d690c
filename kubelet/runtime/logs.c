#include "kubelet/runtime/logs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "base/mem.h"
#include "base/str.h"

#define BLOCK 65536
#define MAX_LINE (1u << 20)
#define FOLLOW_POLL_MS 1000

static bool two_digits(const char *s, int *ret)
{
	if (s[0] < '0' || s[0] > '9' || s[1] < '0' || s[1] > '9')
		return false;
	*ret = (s[0] - '0') * 10 + s[1] - '0';
	return true;
}

bool log_parse_time(const char *s, size_t len, int64_t *ret_ns)
{
	struct tm tm = {0};
	int century, year;
	if (len < 20 || s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' || s[16] != ':')
		return false;
	if (!two_digits(s, &century) || !two_digits(s + 2, &year) || !two_digits(s + 5, &tm.tm_mon) ||
		!two_digits(s + 8, &tm.tm_mday) || !two_digits(s + 11, &tm.tm_hour) ||
		!two_digits(s + 14, &tm.tm_min) || !two_digits(s + 17, &tm.tm_sec))
		return false;
	if (tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_hour > 23 || tm.tm_min > 59 ||
		tm.tm_sec > 60)
		return false;
	tm.tm_year = century * 100 + year - 1900;
	tm.tm_mon--;
	size_t i = 19;
	int64_t fraction = 0, unit = 100000000;
	if (s[i] == '.')
		for (i++; i < len && s[i] >= '0' && s[i] <= '9'; i++, unit /= 10)
			fraction += (s[i] - '0') * unit;
	int64_t offset = 0;
	if (i < len && (s[i] == '+' || s[i] == '-')) {
		int hours, minutes;
		if (len - i != 6 || s[i + 3] != ':' || !two_digits(s + i + 1, &hours) ||
			!two_digits(s + i + 4, &minutes))
			return false;
		offset = (hours * 3600 + minutes * 60) * (s[i] == '-' ? -1 : 1);
	} else if (i + 1 != len || s[i] != 'Z') {
		return false;
	}
	/* What nanoseconds cannot count, beyond the year 2262, is no time. */
	return !__builtin_mul_overflow((int64_t)timegm(&tm) - offset, INT64_C(1000000000), ret_ns) &&
	       !__builtin_add_overflow(*ret_ns, fraction, ret_ns);
}

char *log_fixed_time(struct arena *arena, const char *s, size_t len)
{
	size_t end = 19;
	char fraction[10] = "000000000";
	if (len > end && s[end] == '.')
		for (end++; end < len && s[end] >= '0' && s[end] <= '9'; end++)
			if (end - 20 < 9)
				fraction[end - 20] = s[end];
	return arena_printf(arena, "%.19s.%s%.*s", s, fraction, (int)(len - end), s + end);
}

bool log_parse_line(const char *line, size_t size, struct log_line *ret)
{
	*ret = (struct log_line){.timestamp = line};
	const char *end = line + size;
	const char *space = memchr(line, ' ', size);
	if (!space || !log_parse_time(line, (size_t)(space - line), &ret->time_ns))
		return false;
	ret->timestamp_len = (size_t)(space - line);
	const char *stream = space + 1;
	space = memchr(stream, ' ', (size_t)(end - stream));
	if (!space || space - stream != 6)
		return false;
	ret->is_stderr = !memcmp(stream, "stderr", 6);
	if (!ret->is_stderr && memcmp(stream, "stdout", 6))
		return false;
	const char *tags = space + 1;
	space = memchr(tags, ' ', (size_t)(end - tags));
	if (!space)
		return false;
	/* The first of tags joined by colons says whether the line is whole. */
	ret->partial = *tags == 'P';
	ret->text = space + 1;
	ret->size = (size_t)(end - ret->text);
	if (ret->partial && ret->size && ret->text[ret->size - 1] == '\n')
		ret->size--;
	return true;
}

/* The offset at which the last n lines begin. */
static off_t tail_offset(int fd, int64_t n_lines)
{
	off_t end = lseek(fd, 0, SEEK_END);
	if (end <= 0)
		return 0;
	if (n_lines == 0)
		return end;
	CLEANUP_FREE char *block = mem_alloc(BLOCK);
	int64_t seen = 0;
	for (off_t at = end; at > 0;) {
		size_t want = at > BLOCK ? BLOCK : (size_t)at;
		at -= (off_t)want;
		ssize_t n = pread(fd, block, want, at);
		if (n < 0)
			return 0;
		for (ssize_t i = n; i-- > 0;)
			/* The newline that ends the file ends the last line; it begins none. */
			if (block[i] == '\n' && at + i + 1 != end && ++seen == n_lines)
				return at + i + 1;
	}
	return 0;
}

struct reader {
	const char *path;
	const struct log_options *options;
	const struct log_sink *sink;
	int fd;
	int watch; /* inotify, while following */
	struct strbuf pending;
	bool line_start;
	int64_t left; /* bytes that may still be written; -1: any */
	bool done;
};

static void put(struct reader *r, const void *bytes, size_t size)
{
	if (r->done)
		return;
	if (r->left >= 0 && (int64_t)size >= r->left) {
		size = (size_t)r->left;
		r->done = true;
	}
	if (r->left >= 0)
		r->left -= (int64_t)size;
	if (size && !r->sink->write(r->sink->data, bytes, size))
		r->done = true;
}

static void put_line(struct reader *r, const char *line, size_t size)
{
	struct log_line parsed;
	if (!log_parse_line(line, size, &parsed))
		return;
	if (r->options->since_ns && parsed.time_ns < r->options->since_ns)
		return;
	if ((r->options->only_stdout && parsed.is_stderr) || (r->options->only_stderr && !parsed.is_stderr))
		return;
	if (r->options->timestamps && r->line_start) {
		CLEANUP(arena_freep) struct arena *arena = arena_new_sized(256);
		char *prefix = log_fixed_time(arena, parsed.timestamp, parsed.timestamp_len);
		put(r, prefix, strlen(prefix));
		put(r, " ", 1);
	}
	put(r, parsed.text, parsed.size);
	r->line_start = !parsed.partial;
}

/* Reads what there is; whole lines go out, the rest waits. */
static struct status *drain(struct reader *r)
{
	CLEANUP_FREE char *block = mem_alloc(BLOCK);
	while (!r->done) {
		ssize_t n = read(r->fd, block, BLOCK);
		if (n < 0)
			return status_errno(errno, "read %s", r->path);
		if (n == 0)
			return NULL;
		strbuf_add(&r->pending, block, (size_t)n);
		size_t used = 0;
		for (char *nl; !r->done && (nl = memchr(r->pending.buf + used, '\n', r->pending.len - used));) {
			size_t size = (size_t)(nl + 1 - (r->pending.buf + used));
			put_line(r, r->pending.buf + used, size);
			used += size;
		}
		strbuf_consume(&r->pending, used);
		if (r->pending.len > MAX_LINE)
			return status_new(STATUS_TOO_LARGE, "%s: a line of more than %u bytes", r->path, MAX_LINE);
	}
	return NULL;
}

static void wait_for_change(struct reader *r)
{
	struct pollfd p = {.fd = r->watch, .events = POLLIN};
	if (poll(&p, 1, FOLLOW_POLL_MS) > 0) {
		char events[4096];
		ssize_t n = read(r->watch, events, sizeof(events));
		(void)n;
	}
}

/* Rotation gives the path a new file: the rest of the old one was read, go on with the new. */
static void reopen_if_rotated(struct reader *r)
{
	struct stat now, old;
	if (stat(r->path, &now) || fstat(r->fd, &old) || (now.st_ino == old.st_ino && now.st_dev == old.st_dev))
		return;
	int fd = open(r->path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	close(r->fd);
	r->fd = fd;
	strbuf_reset(&r->pending);
	inotify_add_watch(r->watch, r->path, IN_MODIFY | IN_CREATE | IN_MOVE_SELF);
}

static struct status *follow(struct reader *r)
{
	r->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (r->watch < 0)
		return status_errno(errno, "watch %s", r->path);
	inotify_add_watch(r->watch, r->path, IN_MODIFY | IN_CREATE | IN_MOVE_SELF);
	while (!r->done) {
		/* Asked first, read after: what was written before the end is not missed. */
		bool running = r->sink->running(r->sink->data);
		TRY(drain(r));
		if (r->done || !running)
			return NULL;
		reopen_if_rotated(r);
		if (r->sink->gone(r->sink->data))
			return NULL;
		wait_for_change(r);
	}
	return NULL;
}

struct status *log_read(const char *path, const struct log_options *options, const struct log_sink *sink)
{
	struct reader r = {.path = path,
		.options = options,
		.sink = sink,
		.watch = -1,
		.line_start = true,
		.left = options->limit_bytes,
		.pending = STRBUF_INIT};
	r.fd = open(path, O_RDONLY | O_CLOEXEC);
	if (r.fd < 0)
		return status_errno(errno, "failed to try resolving symlinks in path \"%s\"", path);
	off_t start = options->tail_lines >= 0 ? tail_offset(r.fd, options->tail_lines) : 0;
	lseek(r.fd, start, SEEK_SET);
	struct status *s = options->follow ? follow(&r) : drain(&r);
	strbuf_done(&r.pending);
	close(r.fd);
	if (r.watch >= 0)
		close(r.watch);
	return s;
}

struct status *log_tail_bytes(struct arena *arena, const char *path, size_t max, char **ret, size_t *ret_size)
{
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return status_errno(errno, "open %s", path);
	off_t end = lseek(fd, 0, SEEK_END);
	off_t start = end > (off_t)max ? end - (off_t)max : 0;
	char *buf = arena_alloc(arena, max + 1);
	size_t size = 0;
	for (ssize_t n = 1; n > 0 && size < max; size += (size_t)(n > 0 ? n : 0)) {
		n = pread(fd, buf + size, max - size, start + (off_t)size);
		if (n < 0)
			return status_errno(errno, "read %s", path);
	}
	buf[size] = '\0';
	*ret = buf;
	*ret_size = size;
	return NULL;
}

static bool add_to_buffer(void *data, const void *bytes, size_t size)
{
	strbuf_add(data, bytes, size);
	return true;
}

char *log_last_lines(struct arena *arena, const char *path, int64_t n_lines, size_t max_bytes)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	struct log_options options = {.tail_lines = n_lines, .limit_bytes = -1};
	struct log_sink sink = {.write = add_to_buffer, .data = &out};
	CLEANUP_STATUS struct status *s = log_read(path, &options, &sink);
	if (s)
		return arena_printf(arena, "Error on reading termination message from logs: %s", s->message);
	size_t skip = out.len > max_bytes ? out.len - max_bytes : 0;
	return arena_strdup(arena, out.buf + skip);
}
