#include "base/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "base/str.h"

/* The one process-wide setting of this library: set at start, read everywhere. */
static atomic_int verbosity;

void log_set_verbosity(int v)
{
	atomic_store(&verbosity, v);
}

int log_verbosity(void)
{
	return atomic_load_explicit(&verbosity, memory_order_relaxed);
}

static void write_line(enum log_severity severity, const char *file, int line, const char *format, va_list args)
	PRINTF(4, 0);

static void write_line(enum log_severity severity, const char *file, int line, const char *format, va_list args)
{
	struct timespec now;
	struct tm tm;
	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &tm);
	const char *slash = strrchr(file, '/');
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	strbuf_printf(&out, "%c%02d%02d %02d:%02d:%02d.%06ld %7ld %s:%d] ", "IWEF"[severity], tm.tm_mon + 1, tm.tm_mday,
		tm.tm_hour, tm.tm_min, tm.tm_sec, now.tv_nsec / 1000, syscall(SYS_gettid), slash ? slash + 1 : file,
		line);
	size_t start = out.len;
	strbuf_vprintf(&out, format, args);
	/* A message that carries a line break (from outside) must not look like a second event. */
	for (size_t i = start; i < out.len; i++)
		if (out.buf[i] == '\n')
			out.buf[i] = ' ';
	strbuf_addc(&out, '\n');
	ssize_t written = write(STDERR_FILENO, out.buf, out.len);
	(void)written;
}

void log_write(enum log_severity severity, const char *file, int line, const char *format, ...)
{
	int saved = errno;
	va_list args;
	va_start(args, format);
	write_line(severity, file, line, format, args);
	va_end(args);
	errno = saved;
}

void log_status_at(const char *file, int line, struct status *s, const char *format, ...)
{
	if (!s)
		return;
	CLEANUP(strbuf_done) struct strbuf what = STRBUF_INIT;
	va_list args;
	va_start(args, format);
	strbuf_vprintf(&what, format, args);
	va_end(args);
	log_write(LOG_ERROR_, file, line, "%s: %s", what.buf, s->message);
	status_free(s);
}
