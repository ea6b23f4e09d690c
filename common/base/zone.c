#include "base/zone.h"

#include "base/io.h"
#include "base/mem.h"
#include "base/str.h"

#define ZONE_DIRECTORY "/usr/share/zoneinfo/"

enum { HEADER_SIZE = 44, TYPE_SIZE = 6, MAX_ZONE_BYTES = 1 << 18, MAX_COUNT = 10000 };

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

bool zone_offset_parse(const uint8_t *data, size_t size, int64_t at_s, int64_t *ret_offset_s)
{
	if (size < HEADER_SIZE || memcmp(data, "TZif", 4))
		return false;
	uint32_t n_times = be32(data + 32), n_types = be32(data + 36);
	if (n_times > MAX_COUNT || !n_types || n_types > 256 || size < HEADER_SIZE + n_times * 5 + n_types * TYPE_SIZE)
		return false;
	const uint8_t *times = data + HEADER_SIZE, *indexes = times + n_times * 4, *types = indexes + n_times;
	uint32_t type = 0;
	for (uint32_t i = 0; i < n_times && (int32_t)be32(times + i * 4) <= at_s; i++)
		type = indexes[i];
	if (type >= n_types)
		return false;
	*ret_offset_s = (int32_t)be32(types + type * TYPE_SIZE);
	return true;
}

/* Names are paths below the directory: letters, digits, "_+-" and single slashes. */
static bool is_zone_name(const char *name)
{
	return *name && *name != '/' && strlen(name) < 100 && !strstr(name, "//") &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-/") == strlen(name);
}

bool zone_offset_at(const char *name, int64_t at_s, int64_t *ret_offset_s)
{
	CLEANUP_FREE char *path = NULL, *data = NULL;
	size_t size;
	if (!is_zone_name(name))
		return false;
	path = mem_printf(ZONE_DIRECTORY "%s", name);
	struct status *s = io_read_file(path, MAX_ZONE_BYTES, &data, &size);
	if (s) {
		status_drop(s, "no such zone");
		return false;
	}
	return zone_offset_parse((const uint8_t *)data, size, at_s, ret_offset_s);
}
