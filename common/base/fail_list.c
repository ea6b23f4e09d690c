/* The names that failure points leave in a binary: read from its section, never by running it. */
#include <elf.h>
#include <string.h>
#include "base/fail.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/str.h"

enum { MAX_BINARY_BYTES = 512 << 20, MAX_NAME_BYTES = 63 };

struct image {
	const char *bytes;
	size_t size;
};

/* A part of the file, NULL if it is not wholly inside. */
static const void *part(const struct image *image, uint64_t offset, uint64_t size)
{
	return offset <= image->size && size <= image->size - offset ? image->bytes + offset : NULL;
}

static const Elf64_Shdr *section(const struct image *image, const Elf64_Ehdr *head, size_t i)
{
	return part(image, head->e_shoff + i * sizeof(Elf64_Shdr), sizeof(Elf64_Shdr));
}

static bool has_name(const struct image *image, const Elf64_Shdr *names, const Elf64_Shdr *of, const char *wanted)
{
	const char *name = part(image, names->sh_offset + of->sh_name, strlen(wanted) + 1);
	return of->sh_name < names->sh_size && name && !memcmp(name, wanted, strlen(wanted) + 1);
}

/* Names stand one behind the other, each with its NUL; between them there may be more NULs. */
static void add_names(struct arena *arena, const char *from, size_t size, char ***names, size_t *n)
{
	for (size_t at = 0; at < size;) {
		size_t len = strnlen(from + at, size - at);
		char *name = len && len <= MAX_NAME_BYTES ? arena_strndup(arena, from + at, len) : NULL;
		if (name && !str_in_n(name, *names, *n))
			ARENA_PUSH(arena, *names, *n) = name;
		at += len + 1;
	}
}

struct status *fail_points_of(struct arena *arena, const char *path, char ***ret_names, size_t *ret_n)
{
	CLEANUP_FREE char *bytes = NULL;
	size_t size, n = 0;
	char **names = NULL;
	TRY(io_read_file(path, MAX_BINARY_BYTES, &bytes, &size));
	const struct image image = {bytes, size};
	const Elf64_Ehdr *head = part(&image, 0, sizeof(*head));
	if (!head || memcmp(head->e_ident, ELFMAG, SELFMAG) != 0 || head->e_ident[EI_CLASS] != ELFCLASS64 ||
		head->e_shentsize != sizeof(Elf64_Shdr))
		return status_bad_request("%s: not an ELF file of this machine", path);
	const Elf64_Shdr *strings = section(&image, head, head->e_shstrndx);
	for (size_t i = 0; strings && i < head->e_shnum; i++) {
		const Elf64_Shdr *s = section(&image, head, i);
		if (!s || s->sh_type == SHT_NOBITS || !has_name(&image, strings, s, "fail_points"))
			continue;
		const char *found = part(&image, s->sh_offset, s->sh_size);
		if (found)
			add_names(arena, found, s->sh_size, &names, &n);
	}
	if (n)
		qsort(names, n, sizeof(*names), str_cmp_qsort);
	*ret_names = names;
	*ret_n = n;
	return NULL;
}
