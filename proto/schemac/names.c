/* Names: what a proto name is called in C. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "schemac/model.h"

void die(const char *fmt, ...)
{
	va_list args;

	fputs("schemac: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

void *grow(void *items, size_t n, size_t size)
{
	void *p = realloc(items, (n + 1) * size);

	if (!p)
		die("out of memory");
	memset((char *)p + n * size, 0, size);
	return p;
}

char *format(const char *fmt, ...)
{
	va_list args;
	char *s;

	va_start(args, fmt);
	if (vasprintf(&s, fmt, args) < 0)
		die("out of memory");
	va_end(args);
	return s;
}

char *c_type_name(const char *package, const char *message)
{
	char *joined = format("%s.%s", package, message);
	char *to = joined;
	bool start = true;

	for (const char *from = joined; *from; from++) {
		if (*from == '.') {
			start = true;
			continue;
		}
		*to++ = start ? (char)toupper((unsigned char)*from) : *from;
		start = false;
	}
	*to = '\0';
	return joined;
}

static const char *const c_words[] = {"auto", "bool", "break", "case", "char", "const", "continue", "default", "do",
	"double", "else", "enum", "extern", "false", "float", "for", "goto", "if", "inline", "int", "long", "register",
	"restrict", "return", "short", "signed", "sizeof", "static", "struct", "switch", "true", "typedef", "union",
	"unsigned", "void", "volatile", "while", "base", NULL};

char *c_field_name(const char *name)
{
	for (size_t i = 0; c_words[i]; i++)
		if (!strcmp(name, c_words[i]))
			return format("%s_", name);
	return format("%s", name);
}
