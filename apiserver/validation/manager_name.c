/* Names of field managers: what a request gives, or what its client calls itself. */
#include "apiserver/validation/meta.h"

#define MAX_BYTES 128

/* A character at p, and its bytes; bad UTF-8 is one of U+FFFD. */
static size_t next_rune(const char *p, uint32_t *ret_rune)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned char c = (unsigned char)*p;
	size_t n = c < 0x80 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc2 ? 2 : 0;
	uint32_t rune = n == 1 ? c : n ? c & (0xffu >> (n + 1)) : 0;
	for (size_t i = 1; i < n; i++) {
		if (((unsigned char)p[i] & 0xc0) != 0x80) {
			n = 0;
			break;
		}
		rune = rune << 6 | ((unsigned char)p[i] & 0x3f);
	}
	if (!n || rune < least[n] || rune > 0x10ffff || (rune >= 0xd800 && rune < 0xe000)) {
		*ret_rune = 0xfffd;
		return 1;
	}
	*ret_rune = rune;
	return n;
}

/* Control characters, formats, all spaces but one, private and unused ranges. */
static bool is_printable(uint32_t rune)
{
	static const uint32_t ranges[][2] = {{0, 0x1f}, {0x7f, 0xa0}, {0xad, 0xad}, {0x600, 0x605}, {0x61c, 0x61c},
		{0x6dd, 0x6dd}, {0x70f, 0x70f}, {0x1680, 0x1680}, {0x180e, 0x180e}, {0x2000, 0x200f}, {0x2028, 0x202f},
		{0x205f, 0x206f}, {0x3000, 0x3000}, {0xd800, 0xf8ff}, {0xfeff, 0xfeff}, {0xfff0, 0xfffb},
		{0xfffe, 0xffff}, {0xe0000, 0xe00ff}, {0xe01f0, 0x10ffff}};
	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
		if (rune >= ranges[i][0] && rune <= ranges[i][1])
			return false;
	return true;
}

const char *manager_name_of_agent(struct arena *arena, const char *agent)
{
	char name[MAX_BYTES + 1];
	size_t used = 0, n;
	uint32_t rune;
	for (const char *p = agent; *p && *p != '/'; p += n) {
		n = next_rune(p, &rune);
		if (!is_printable(rune))
			continue;
		if (used + n > MAX_BYTES)
			break;
		memcpy(name + used, p, n);
		used += n;
	}
	return arena_strndup(arena, name, used);
}

void validate_manager_name(struct field_errors *errors, const struct field_path *path, const char *name)
{
	uint32_t rune;
	if (strlen(name) > MAX_BYTES)
		field_too_long(errors, path, MAX_BYTES);
	for (const char *p = name; *p;) {
		size_t at = (size_t)(p - name);
		p += next_rune(p, &rune);
		if (!is_printable(rune))
			field_invalid(errors, path, name,
				arena_printf(errors->arena, "invalid character U+%04X (at position %zu)", rune, at));
	}
}
