/* Any bytes as a container's log: each line is taken apart within itself, and the file is read within its limits. */
#include <stdlib.h>
#include <unistd.h>
#include "base/io.h"
#include "kubelet/runtime/logs.h"
#include "test/fuzz/target.h"

static void each_line(const char *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct log_line line;

	for (const char *p = data, *end = data + size, *next; p < end; p = next) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		next = newline ? newline + 1 : end;
		if (!log_parse_line(p, (size_t)(next - p), &line))
			continue;
		assert(line.timestamp >= p && line.text >= p && line.text + line.size <= next);
		int64_t ns = 0, again = 0;
		char *fixed = log_fixed_time(arena, line.timestamp, line.timestamp_len);
		if (log_parse_time(line.timestamp, line.timestamp_len, &ns) &&
			(!log_parse_time(fixed, strlen(fixed), &again) || again != ns))
			FUZZ_FAIL("%.*s: %s", (int)line.timestamp_len, line.timestamp, fixed);
	}
}

static bool count(void *data, const void *bytes, size_t size)
{
	*(size_t *)data += size;
	return true;
}

static void as_file(const char *data, size_t size, struct log_options options)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	size_t total = 0, tail_size = 0;
	char *tail = NULL;
	const struct log_sink sink = {.write = count, .data = &total};
	char path[] = "/tmp/fuzz-log-XXXXXX";
	int fd = mkstemp(path);

	assert(fd >= 0);
	fuzz_ok("write", io_write_all(fd, data, size));
	status_free(log_read(path, &options, &sink));
	assert(options.limit_bytes < 0 || total <= (size_t)options.limit_bytes);
	assert(strlen(log_last_lines(arena, path, 3, 100)) < 400);
	fuzz_ok("tail", log_tail_bytes(arena, path, 64, &tail, &tail_size));
	assert(tail_size <= 64);
	close(fd);
	unlink(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 3 || size > FUZZ_MAX_SIZE)
		return 0;
	struct log_options options = {.timestamps = data[0] & 1,
		.only_stdout = data[0] & 2,
		.only_stderr = data[0] & 4,
		.since_ns = data[0] & 8 ? 1700000000000000000 : 0,
		.tail_lines = data[1] & 0x80 ? -1 : data[1],
		.limit_bytes = data[2] & 0x80 ? -1 : data[2]};
	each_line((const char *)data + 3, size - 3);
	as_file((const char *)data + 3, size - 3, options);
	return 0;
}
