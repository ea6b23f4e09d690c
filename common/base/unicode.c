#include "base/unicode.h"
#include <ctype.h>
#include <string.h>
#include <unicase.h>
#include <unictype.h>
#include "base/str.h"

enum { MAX_NAME = 64, LAST_POINT = 0x10ffff };

/* The name in small letters with nothing between them; false if it is too long for any. */
static bool plain_name(const char *name, size_t size, char ret_plain[MAX_NAME])
{
	size_t n = 0;
	for (size_t i = 0; i < size; i++) {
		if (strchr("_- ", name[i]) && name[i])
			continue;
		if (n + 1 >= MAX_NAME)
			return false;
		ret_plain[n++] = (char)tolower((unsigned char)name[i]);
	}
	ret_plain[n] = '\0';
	return n > 0;
}

static bool is_script(const uc_script_t *script, const char *plain)
{
	char name[MAX_NAME];
	return plain_name(script->name, strlen(script->name), name) && str_eq(name, plain);
}

static bool find_script(const char *plain, struct unicode_class *ret)
{
	const uc_script_t *scripts;
	size_t n;
	uc_all_scripts(&scripts, &n);
	for (size_t i = 0; i < n; i++)
		if (is_script(&scripts[i], plain)) {
			ret->script = &scripts[i];
			return true;
		}
	return false;
}

/* Categories have short names with a small second letter, and long ones of words. */
static bool find_category(const char *name, size_t size, const char *plain, struct unicode_class *ret)
{
	char text[MAX_NAME];
	size_t n = size < MAX_NAME ? size : MAX_NAME - 1;
	for (size_t i = 0; i < n; i++)
		text[i] = (char)(strchr("_-", name[i]) && name[i] ? ' ' : name[i]);
	text[n] = '\0';
	uc_general_category_t category = uc_general_category_byname(text);
	if (!category.bitmask && strlen(plain) <= 2) {
		snprintf(text, sizeof(text), "%c%s", toupper((unsigned char)*plain), plain + 1);
		category = uc_general_category_byname(str_eq(text, "Lc") ? "LC" : text);
	}
	ret->categories = category.bitmask;
	return category.bitmask;
}

bool unicode_class_find(const char *name, size_t size, struct unicode_class *ret_class)
{
	char plain[MAX_NAME];
	*ret_class = (struct unicode_class){0};
	if (!plain_name(name, size, plain))
		return false;
	if (str_eq(plain, "any"))
		ret_class->last = LAST_POINT;
	else if (str_eq(plain, "ascii"))
		ret_class->last = 0x7f;
	else if (str_eq(plain, "assigned"))
		ret_class->categories = ~(uint32_t)UC_CATEGORY_MASK_Cn;
	else
		return find_category(name, size, plain, ret_class) || find_script(plain, ret_class);
	return true;
}

bool unicode_class_has(const struct unicode_class *class, uint32_t point)
{
	if (class->script)
		return uc_is_script(point, class->script);
	if (class->categories)
		return uc_is_general_category_withtable(point, class->categories);
	return point <= class->last;
}

/* Letters of which there are more than a small and a capital one: all of one in a row. */
static const uint16_t families[][UNICODE_MAX_CASES + 1] = {{'K', 'k', 0x212a}, {'S', 's', 0x17f}, {0xb5, 0x39c, 0x3bc},
	{0xc5, 0xe5, 0x212b}, {0xdf, 0x1e9e}, {0x130}, {0x131}, {0x1c4, 0x1c5, 0x1c6}, {0x1c7, 0x1c8, 0x1c9},
	{0x1ca, 0x1cb, 0x1cc}, {0x1f1, 0x1f2, 0x1f3}, {0x345, 0x399, 0x3b9, 0x1fbe}, {0x392, 0x3b2, 0x3d0},
	{0x395, 0x3b5, 0x3f5}, {0x398, 0x3b8, 0x3d1, 0x3f4}, {0x39a, 0x3ba, 0x3f0}, {0x3a0, 0x3c0, 0x3d6},
	{0x3a1, 0x3c1, 0x3f1}, {0x3a3, 0x3c2, 0x3c3}, {0x3a6, 0x3c6, 0x3d5}, {0x3a9, 0x3c9, 0x2126},
	{0x412, 0x432, 0x1c80}, {0x414, 0x434, 0x1c81}, {0x41e, 0x43e, 0x1c82}, {0x421, 0x441, 0x1c83},
	{0x422, 0x442, 0x1c84, 0x1c85}, {0x42a, 0x44a, 0x1c86}, {0x462, 0x463, 0x1c87}, {0x1c88, 0xa64a, 0xa64b},
	{0x1e60, 0x1e61, 0x1e9b}};

static const uint16_t *family_of(uint32_t point)
{
	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		for (size_t k = 0; k <= UNICODE_MAX_CASES && families[i][k]; k++)
			if (families[i][k] == point)
				return families[i];
	return NULL;
}

size_t unicode_other_cases(uint32_t point, uint32_t ret_others[UNICODE_MAX_CASES])
{
	const uint16_t *family = family_of(point);
	size_t n = 0;
	for (size_t k = 0; family && k <= UNICODE_MAX_CASES && family[k]; k++)
		if (family[k] != point)
			ret_others[n++] = family[k];
	if (family)
		return n;
	const uint32_t low = uc_tolower(point), high = uc_toupper(point);
	if (low != point)
		ret_others[n++] = low;
	if (high != point)
		ret_others[n++] = high;
	return n;
}
