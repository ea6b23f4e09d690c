/*
 * Logging to standard error, one line an event, in the klog form that users of Kubernetes grep for:
 *	I1123 08:00:00.000000    4242 store.c:120] watch restarted: revision=81 reason=compacted
 *
 *	log_info("watch restarted: revision=%lld reason=%s", (long long)revision, "compacted");
 *
 * The level is process-wide (flag --v) and set once at start. Lines are written whole, from any thread.
 * Nothing secret is ever passed here.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include "base/cleanup.h"
#include "base/status.h"

enum log_severity { LOG_INFO_, LOG_WARNING_, LOG_ERROR_, LOG_FATAL_ };

void log_set_verbosity(int v);
int log_verbosity(void);
void log_write(enum log_severity severity, const char *file, int line, const char *format, ...) PRINTF(4, 5);

#define log_info(...) log_write(LOG_INFO_, __FILE__, __LINE__, __VA_ARGS__)
#define log_warn(...) log_write(LOG_WARNING_, __FILE__, __LINE__, __VA_ARGS__)
#define log_error(...) log_write(LOG_ERROR_, __FILE__, __LINE__, __VA_ARGS__)
/* Shown only with --v at that level or above. */
#define log_v(level, ...)                                                      \
	do {                                                                   \
		if (log_verbosity() >= (level))                                \
			log_write(LOG_INFO_, __FILE__, __LINE__, __VA_ARGS__); \
	} while (0)
/* Logs a status and frees it. NULL does nothing. */
#define log_status(s, ...) log_status_at(__FILE__, __LINE__, (s), __VA_ARGS__)
void log_status_at(const char *file, int line, struct status *s, const char *format, ...) PRINTF(4, 5);

#endif
