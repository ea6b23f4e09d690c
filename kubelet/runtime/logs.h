/*
 * Container log files in the CRI form: "TIMESTAMP STREAM TAG text", one line an entry; tag P marks a part of a longer
 * line.
 */
#ifndef KUBELET_RUNTIME_LOGS_H
#define KUBELET_RUNTIME_LOGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/status.h"

struct log_line {
	const char *timestamp; /* as written, not terminated */
	size_t timestamp_len;
	int64_t time_ns;
	bool is_stderr;
	bool partial;
	const char *text; /* with its newline unless partial */
	size_t size;
};

/* Takes one line apart, newline included; false if it is not in the form. Points into the line. */
bool log_parse_line(const char *line, size_t size, struct log_line *ret);
/* RFC 3339 text, up to nanoseconds, to nanoseconds since 1970. */
bool log_parse_time(const char *s, size_t len, int64_t *ret_ns);
/* The same moment with nine digits of fraction. */
char *log_fixed_time(struct arena *arena, const char *s, size_t len);

struct log_options {
	bool follow;
	bool timestamps;
	int64_t tail_lines;  /* -1: all */
	int64_t limit_bytes; /* -1: none */
	int64_t since_ns;    /* 0: from the start */
	bool only_stdout, only_stderr;
};

struct log_sink {
	/* False ends the reading. */
	bool (*write)(void *data, const void *bytes, size_t size);
	/* While following: whether more may come. */
	bool (*running)(void *data);
	/* While following and nothing came: whether the reader has gone. */
	bool (*gone)(void *data);
	void *data;
};

/* Reads a log file to its end, or follows it through rotation until the container has ended. */
struct status *log_read(const char *path, const struct log_options *options, const struct log_sink *sink) MUST_USE;

/* At most max bytes from the end of any file. */
struct status *log_tail_bytes(struct arena *arena, const char *path, size_t max, char **ret, size_t *ret_size) MUST_USE;
/* The text of the last lines of a log file, at most max_bytes of it; an error is told in the text. */
char *log_last_lines(struct arena *arena, const char *path, int64_t n_lines, size_t max_bytes);

#endif
