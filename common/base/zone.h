/*
 * Time zones by name, read from the system's zone files without touching the process's own zone.
 *
 * Threads: any.
 */
#ifndef BASE_ZONE_H
#define BASE_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Seconds that local time is ahead of UTC at a time; false if there is no such zone. */
bool zone_offset_at(const char *name, int64_t at_s, int64_t *ret_offset_s);
/* The same over the bytes of a zone file (TZif, its first block). */
bool zone_offset_parse(const uint8_t *data, size_t size, int64_t at_s, int64_t *ret_offset_s);

#endif
