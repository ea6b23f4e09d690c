/*
 * A pattern is parsed into a tree, the tree into a program, and the program is run over the text with all its threads
 * at once, the preferred first (Thompson, Pike).
 */
#include <ctype.h>
#include <stdint.h>
#include "base/mem.h"
#include "base/regex.h"
#include "base/str.h"
#include "base/unicode.h"

enum { MAX_REPEAT = 1000, MAX_DEPTH = 250, MAX_PROGRAM = 100000, MAX_POINT = 0x10ffff };

enum flags { FOLD_CASE = 1, MANY_LINES = 2, DOT_ALL = 4, UNGREEDY = 8 };

struct range {
	uint32_t low, high;
};

enum node_kind { NODE_EMPTY, NODE_SET, NODE_ASSERT, NODE_CAT, NODE_OR, NODE_REPEAT };

enum assertion { TEXT_BEGIN, TEXT_END, LINE_BEGIN, LINE_END, WORD, NOT_WORD };

/* A part of a set: what it holds, or all but that. */
struct part {
	const struct range *ranges;
	size_t n_ranges;
	struct unicode_class class;
	bool has_class, negated;
};

/* Code points: of the ranges and of the parts, or all but these. fold: whatever their case. */
struct set {
	struct range *ranges;
	size_t n_ranges;
	struct part *parts;
	size_t n_parts;
	bool negated, fold;
};

struct node {
	enum node_kind kind;
	struct set set;
	enum assertion assertion;
	struct node **parts; /* of sequences and choices; of a repetition the first */
	size_t n_parts;
	int min, max; /* of a repetition; max -1: without end */
	bool lazy;
};

enum op { OP_SET, OP_ASSERT, OP_SPLIT, OP_JUMP, OP_MATCH };

struct instruction {
	enum op op;
	const struct set *set;
	enum assertion assertion;
	int x, y; /* of a split: the preferred way and the other; of a jump: x */
};

struct regex {
	struct instruction *program;
	int n;
};

struct parser {
	struct arena *arena;
	const char *begin, *p, *end;
	unsigned flags;
	int depth;
	const char *problem;
};

/* Reading */

static struct node *new_node(struct parser *p, enum node_kind kind)
{
	struct node *n = ARENA_NEW(p->arena, struct node);
	n->kind = kind;
	return n;
}

static struct node *fail(struct parser *p, const char *what, const char *from, const char *to)
{
	if (!p->problem)
		p->problem = arena_printf(p->arena, "error parsing regexp: %s: `%.*s`", what, (int)(to - from), from);
	return new_node(p, NODE_EMPTY);
}

static bool more(const struct parser *p)
{
	return p->p < p->end && !p->problem;
}

static bool at(const struct parser *p, const char *text)
{
	size_t n = strlen(text);
	return more(p) && (size_t)(p->end - p->p) >= n && !memcmp(p->p, text, n);
}

static bool accept(struct parser *p, const char *text)
{
	if (!at(p, text))
		return false;
	p->p += strlen(text);
	return true;
}

/* The code point at p and its size; a byte that begins none is the replacement character. */
static uint32_t point_at(const char *p, const char *end, size_t *ret_size)
{
	const unsigned char *s = (const unsigned char *)p;
	size_t n = s[0] < 0x80			 ? 1
		   : s[0] >= 0xf0 && s[0] < 0xf5 ? 4
		   : s[0] >= 0xe0 && s[0] < 0xf0 ? 3
		   : s[0] >= 0xc2		 ? 2
						 : 0;
	*ret_size = 1;
	if (s[0] < 0x80)
		return s[0];
	if (!n || s[0] >= 0xf5 || (size_t)(end - p) < n)
		return 0xfffd;
	uint32_t c = s[0] & (0xff >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0xfffd;
		c = c << 6 | (s[i] & 0x3f);
	}
	*ret_size = n;
	return c;
}

static uint32_t next_point(struct parser *p)
{
	size_t size;
	uint32_t c = point_at(p->p, p->end, &size);
	p->p += size;
	return c;
}

/* Sets */

static struct node *new_set(struct parser *p)
{
	struct node *n = new_node(p, NODE_SET);
	n->set.fold = p->flags & FOLD_CASE;
	return n;
}

static void add_range(struct parser *p, struct set *set, uint32_t low, uint32_t high)
{
	ARENA_PUSH(p->arena, set->ranges, set->n_ranges) = (struct range){low, high};
}

static const struct {
	const char *name;
	const char *ranges; /* pairs */
} classes[] = {
	{"\\d", "09"},
	{"\\s", "\t\n\f\r  "},
	{"\\w", "09AZaz__"},
	{"[:alnum:]", "09AZaz"},
	{"[:alpha:]", "AZaz"},
	{"[:ascii:]", "\001\177"},
	{"[:blank:]", "\t\t  "},
	{"[:cntrl:]", "\001\037\177\177"},
	{"[:digit:]", "09"},
	{"[:graph:]", "!~"},
	{"[:lower:]", "az"},
	{"[:print:]", " ~"},
	{"[:punct:]", "!/:@[`{~"},
	{"[:space:]", "\t\r  "},
	{"[:upper:]", "AZ"},
	{"[:word:]", "09AZaz__"},
	{"[:xdigit:]", "09AFaf"},
};

static void add_class(struct parser *p, struct set *set, const char *pairs, bool negated)
{
	struct part part = {.negated = negated};
	struct range *ranges = NULL;
	for (; *pairs; pairs += 2)
		ARENA_PUSH(p->arena, ranges, part.n_ranges) =
			(struct range){(unsigned char)pairs[0], (unsigned char)pairs[1]};
	part.ranges = ranges;
	ARENA_PUSH(p->arena, set->parts, set->n_parts) = part;
}

/* \pL, \p{Greek}, \p{^Greek} and \P of these, at p. */
static bool accept_property(struct parser *p, struct set *set)
{
	const char *from = p->p, *name = from + 2, *end = name;
	struct part part = {.has_class = true, .negated = at(p, "\\P")};
	size_t size = 0;
	if (!at(p, "\\p") && !part.negated)
		return false;
	if (name < p->end && *name != '{') {
		point_at(name, p->end, &size);
		end = p->p = name + size;
	} else if (name < p->end) {
		name++;
		end = memchr(name, '}', (size_t)(p->end - name));
		p->p = end ? end + 1 : p->end;
	} else {
		p->p = p->end;
	}
	if (end && name < end && *name == '^') {
		part.negated = !part.negated;
		name++;
	}
	if (end && unicode_class_find(name, (size_t)(end - name), &part.class))
		ARENA_PUSH(p->arena, set->parts, set->n_parts) = part;
	else
		fail(p, "invalid character class range", from, p->p);
	return true;
}

/* \d, [:alpha:] and \pL with their negations, at p. */
static bool accept_class(struct parser *p, struct set *set)
{
	for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
		const char *name = classes[i].name;
		bool short_name = *name == '\\';
		char negated[16];
		if (short_name)
			snprintf(negated, sizeof(negated), "\\%c", toupper((unsigned char)name[1]));
		else
			snprintf(negated, sizeof(negated), "[:^%s", name + 2);
		bool no = accept(p, negated);
		if (no || accept(p, name)) {
			add_class(p, set, classes[i].ranges, no);
			return true;
		}
	}
	return accept_property(p, set);
}

static bool hex_value(const char *p, const char *end, uint32_t *ret_value)
{
	uint32_t value = 0;
	if (p == end)
		return false;
	for (; p < end; p++) {
		int c = tolower((unsigned char)*p);
		if (!isxdigit(c) || value > MAX_POINT)
			return false;
		value = value * 16 + (uint32_t)(isdigit(c) ? c - '0' : c - 'a' + 10);
	}
	*ret_value = value;
	return value <= MAX_POINT;
}

/* A single escaped letter; p is behind the backslash, which is at from. */
static uint32_t read_escape(struct parser *p, const char *from)
{
	static const char letters[] = "afnrtv", values[] = "\a\f\n\r\t\v";
	if (p->p >= p->end) {
		p->problem =
			arena_strdup(p->arena, "error parsing regexp: trailing backslash at end of expression: ``");
		return 0;
	}
	char c = *p->p;
	const char *known = strchr(letters, c);
	uint32_t value = 0;
	if (c == 'x') {
		const char *begin = p->p + 1, *end = begin;
		bool braces = begin < p->end && *begin == '{';
		if (braces)
			for (end = ++begin; end < p->end && *end != '}'; end++)
				;
		else
			end = p->end - begin >= 2 ? begin + 2 : p->end;
		bool good = (!braces || end < p->end) && (braces || end - begin == 2) && hex_value(begin, end, &value);
		p->p = good ? end + braces : p->p + 1;
		if (!good)
			fail(p, "invalid escape sequence", from, p->p < p->end ? p->p + 1 : p->p);
		return value;
	}
	if (c >= '0' && c <= '7' && (c == '0' || (p->end - p->p > 1 && p->p[1] >= '0' && p->p[1] <= '7'))) {
		for (int i = 0; i < 3 && p->p < p->end && *p->p >= '0' && *p->p <= '7'; i++)
			value = value * 8 + (uint32_t)(*p->p++ - '0');
		return value;
	}
	uint32_t point = next_point(p);
	if (c && known)
		return (unsigned char)values[known - letters];
	if (point < 128 && !isalnum((int)point))
		return point;
	fail(p, "invalid escape sequence", from, p->p);
	return 0;
}

static uint32_t read_set_point(struct parser *p, const char *set_begin)
{
	const char *from = p->p;
	if (!more(p)) {
		fail(p, "missing closing ]", set_begin, p->end);
		return 0;
	}
	if (accept(p, "\\"))
		return read_escape(p, from);
	return next_point(p);
}

static struct node *parse_set(struct parser *p)
{
	const char *begin = p->p;
	struct node *set = new_set(p);
	p->p++;
	set->set.negated = accept(p, "^");
	bool first = true;
	for (; !p->problem && (first || !at(p, "]")); first = false) {
		const char *from = p->p;
		if (!more(p))
			return fail(p, "missing closing ]", begin, p->end);
		if (at(p, "-") && !first && p->end - p->p > 1 && p->p[1] != ']')
			return fail(p, "invalid character class range", p->p, p->p + 2);
		if (accept_class(p, &set->set))
			continue;
		if (at(p, "[:") && memmem(p->p + 2, (size_t)(p->end - p->p - 2), ":]", 2)) {
			const char *end = memmem(p->p + 2, (size_t)(p->end - p->p - 2), ":]", 2);
			return fail(p, "invalid character class range", p->p, end + 2);
		}
		uint32_t low = read_set_point(p, begin), high = low;
		if (at(p, "-") && p->end - p->p > 1 && p->p[1] != ']') {
			p->p++;
			high = read_set_point(p, begin);
		}
		if (high < low)
			return fail(p, "invalid character class range", from, p->p);
		add_range(p, &set->set, low, high);
	}
	accept(p, "]");
	return set;
}

/* Parts */

static struct node *parse_or(struct parser *p);

static struct node *set_of(struct parser *p, uint32_t low, uint32_t high)
{
	struct node *set = new_set(p);
	add_range(p, &set->set, low, high);
	return set;
}

static struct node *assert_node(struct parser *p, enum assertion assertion)
{
	struct node *n = new_node(p, NODE_ASSERT);
	n->assertion = assertion;
	return n;
}

static struct node *parse_escape(struct parser *p)
{
	static const struct {
		const char *text;
		enum assertion assertion;
	} assertions[] = {{"\\A", TEXT_BEGIN}, {"\\z", TEXT_END}, {"\\b", WORD}, {"\\B", NOT_WORD}};
	const char *from = p->p;
	struct node *set = new_set(p);
	for (size_t i = 0; i < ARRAY_SIZE(assertions); i++)
		if (accept(p, assertions[i].text))
			return assert_node(p, assertions[i].assertion);
	if (accept_class(p, &set->set))
		return set;
	p->p++;
	uint32_t c = read_escape(p, from);
	return set_of(p, c, c);
}

static struct node *parse_quoted(struct parser *p)
{
	struct node *cat = new_node(p, NODE_CAT);
	for (p->p += 2; more(p) && !accept(p, "\\E");) {
		uint32_t c = next_point(p);
		struct node *part = set_of(p, c, c);
		ARENA_PUSH(p->arena, cat->parts, cat->n_parts) = part;
	}
	return cat;
}

static bool is_group_name(const char *p, const char *end)
{
	if (p == end)
		return false;
	for (; p < end; p++)
		if (*p != '_' && !isalnum((unsigned char)*p))
			return false;
	return true;
}

/* "(?flags)" and "(?flags:"; *ret_group: a group follows. */
static bool parse_flags(struct parser *p, const char *from, bool *ret_group)
{
	static const char letters[] = "imsU";
	unsigned flags = p->flags;
	bool clear = false, any = false;
	*ret_group = false;
	while (more(p)) {
		char c = *p->p++;
		const char *letter = strchr(letters, c);
		if (c && letter) {
			unsigned flag = 1u << (letter - letters);
			flags = clear ? flags & ~flag : flags | flag;
			any = true;
		} else if (c == '-' && !clear) {
			clear = true;
			any = false;
		} else if ((c == ':' || c == ')') && (!clear || any)) {
			p->flags = flags;
			*ret_group = c == ':';
			return true;
		} else {
			fail(p, "invalid or unsupported Perl syntax", from, p->p);
			return false;
		}
	}
	fail(p, "missing closing )", p->begin, p->end);
	return false;
}

static struct node *parse_group(struct parser *p)
{
	const char *from = p->p;
	unsigned flags = p->flags;
	bool group = true;
	p->p++;
	if (at(p, "?P<") || at(p, "?<")) {
		p->p += at(p, "?P<") ? 3 : 2;
		const char *end = memchr(p->p, '>', (size_t)(p->end - p->p));
		if (!end || !is_group_name(p->p, end))
			return fail(p, "invalid named capture", from, end ? end + 1 : p->end);
		p->p = end + 1;
	} else if (accept(p, "?") && !parse_flags(p, from, &group)) {
		return new_node(p, NODE_EMPTY);
	}
	if (!group) /* The flags hold to the end of the group around them. */
		return new_node(p, NODE_EMPTY);
	struct node *inner = parse_or(p);
	if (!p->problem && !accept(p, ")"))
		return fail(p, "missing closing )", p->begin, p->end);
	p->flags = flags;
	return inner;
}

static struct node *parse_atom(struct parser *p)
{
	struct node *set;
	switch (*p->p) {
	case '(':
		return parse_group(p);
	case '[':
		return parse_set(p);
	case '.':
		p->p++;
		set = new_set(p);
		set->set.negated = true;
		if (!(p->flags & DOT_ALL))
			add_range(p, &set->set, '\n', '\n');
		return set;
	case '^':
		p->p++;
		return assert_node(p, p->flags & MANY_LINES ? LINE_BEGIN : TEXT_BEGIN);
	case '$':
		p->p++;
		return assert_node(p, p->flags & MANY_LINES ? LINE_END : TEXT_END);
	case '\\':
		return at(p, "\\Q") ? parse_quoted(p) : parse_escape(p);
	default: {
		uint32_t c = next_point(p);
		return set_of(p, c, c);
	}
	}
}

static bool read_count(const char **p, const char *end, int *ret)
{
	const char *s = *p;
	int n = 0;
	for (; s < end && isdigit((unsigned char)*s); s++)
		n = n > MAX_REPEAT ? n : n * 10 + (*s - '0');
	if (s == *p || (**p == '0' && s - *p > 1))
		return false;
	*p = s;
	*ret = n;
	return true;
}

/* How often, of {n}, {n,} and {n,m}; false if it is none of these, and then it is text. */
static bool parse_braces(struct parser *p, int *ret_min, int *ret_max)
{
	const char *s = p->p + 1;
	if (!read_count(&s, p->end, ret_min) || s >= p->end)
		return false;
	*ret_max = *ret_min;
	if (*s == ',') {
		*ret_max = -1;
		s++;
		if (s < p->end && *s != '}' && !read_count(&s, p->end, ret_max))
			return false;
	}
	if (s >= p->end || *s != '}')
		return false;
	p->p = s + 1;
	return true;
}

/* Whether what is repeated within what is repeated comes to no more than n times. */
static bool is_countable(const struct node *node, int n)
{
	int times = node->kind != NODE_REPEAT ? 1 : node->max < 0 ? node->min : node->max;
	if (times > n)
		return false;
	for (size_t i = 0; i < node->n_parts; i++)
		if (!is_countable(node->parts[i], times > 1 ? n / times : n))
			return false;
	return true;
}

static struct node *parse_repeat(struct parser *p)
{
	const char *last = NULL;
	if (strchr("*+?", *p->p))
		return fail(p, "missing argument to repetition operator", p->p, p->p + 1);
	int min, max;
	const char *begin = p->p;
	if (*p->p == '{' && parse_braces(p, &min, &max))
		return fail(p, "missing argument to repetition operator", begin, p->p);
	struct node *n = parse_atom(p);
	while (more(p)) {
		const char *from = p->p;
		min = *p->p == '+';
		max = *p->p == '?' ? 1 : -1;
		if (strchr("*+?", *p->p))
			p->p++;
		else if (*p->p != '{' || !parse_braces(p, &min, &max))
			break;
		bool lazy = accept(p, "?");
		if (last)
			return fail(p, "invalid nested repetition operator", last, p->p);
		if (min > MAX_REPEAT || max > MAX_REPEAT || (max >= 0 && min > max))
			return fail(p, "invalid repeat count", from, p->p);
		struct node *repeat = new_node(p, NODE_REPEAT);
		ARENA_PUSH(p->arena, repeat->parts, repeat->n_parts) = n;
		repeat->min = min;
		repeat->max = max;
		repeat->lazy = lazy != ((p->flags & UNGREEDY) != 0);
		if ((min > 1 || max > 1) && !is_countable(repeat, MAX_REPEAT))
			return fail(p, "invalid repeat count", from, p->p);
		n = repeat;
		last = from;
	}
	return n;
}

static struct node *parse_cat(struct parser *p)
{
	struct node *cat = new_node(p, NODE_CAT);
	while (more(p) && *p->p != '|' && *p->p != ')') {
		struct node *part = parse_repeat(p);
		ARENA_PUSH(p->arena, cat->parts, cat->n_parts) = part;
	}
	return cat;
}

static struct node *parse_or(struct parser *p)
{
	struct node *choice = new_node(p, NODE_OR);
	if (++p->depth > MAX_DEPTH)
		return fail(p, "expression nests too deeply", p->begin, p->end);
	do {
		struct node *part = parse_cat(p);
		ARENA_PUSH(p->arena, choice->parts, choice->n_parts) = part;
	} while (accept(p, "|"));
	p->depth--;
	return choice;
}

/* The program */

static int emit(struct parser *p, struct regex *re, struct instruction instruction)
{
	size_t n = (size_t)re->n;
	if (re->n >= MAX_PROGRAM) {
		fail(p, "expression too large", p->begin, p->end);
		return 0;
	}
	ARENA_PUSH(p->arena, re->program, n) = instruction;
	return re->n++;
}

static void compile(struct parser *p, struct regex *re, const struct node *n);

/* One choice between going on at x and at y; the first is preferred unless it is lazy. */
static void set_split(struct regex *re, int split, int into, int past, bool lazy)
{
	re->program[split].x = lazy ? past : into;
	re->program[split].y = lazy ? into : past;
}

static void compile_repeat(struct parser *p, struct regex *re, const struct node *n)
{
	for (int i = 0; i < n->min && !p->problem; i++)
		compile(p, re, n->parts[0]);
	if (n->max < 0) {
		int split = emit(p, re, (struct instruction){.op = OP_SPLIT});
		compile(p, re, n->parts[0]);
		emit(p, re, (struct instruction){.op = OP_JUMP, .x = split});
		set_split(re, split, split + 1, re->n, n->lazy);
		return;
	}
	for (int i = n->min; i < n->max && !p->problem; i++) {
		int split = emit(p, re, (struct instruction){.op = OP_SPLIT});
		compile(p, re, n->parts[0]);
		set_split(re, split, split + 1, re->n, n->lazy);
	}
}

static void compile_or(struct parser *p, struct regex *re, const struct node *n)
{
	int *jumps = ARENA_ARRAY(p->arena, int, n->n_parts);
	for (size_t i = 0; i < n->n_parts && !p->problem; i++) {
		bool last = i + 1 == n->n_parts;
		int split = last ? 0 : emit(p, re, (struct instruction){.op = OP_SPLIT});
		compile(p, re, n->parts[i]);
		if (last)
			break;
		jumps[i] = emit(p, re, (struct instruction){.op = OP_JUMP});
		set_split(re, split, split + 1, re->n, false);
	}
	for (size_t i = 0; i + 1 < n->n_parts && !p->problem; i++)
		re->program[jumps[i]].x = re->n;
}

static void compile(struct parser *p, struct regex *re, const struct node *n)
{
	if (p->problem)
		return;
	switch (n->kind) {
	case NODE_SET:
		emit(p, re, (struct instruction){.op = OP_SET, .set = &n->set});
		break;
	case NODE_ASSERT:
		emit(p, re, (struct instruction){.op = OP_ASSERT, .assertion = n->assertion});
		break;
	case NODE_CAT:
		for (size_t i = 0; i < n->n_parts; i++)
			compile(p, re, n->parts[i]);
		break;
	case NODE_OR:
		compile_or(p, re, n);
		break;
	case NODE_REPEAT:
		compile_repeat(p, re, n);
		break;
	case NODE_EMPTY:
		break;
	}
}

struct regex *regex_new(struct arena *arena, const char *pattern, size_t size, const char **ret_problem)
{
	struct parser p = {.arena = arena, .begin = pattern, .p = pattern, .end = pattern + size};
	struct regex *re = ARENA_NEW(arena, struct regex);
	struct node *root = parse_or(&p);
	if (more(&p))
		fail(&p, "unexpected )", p.begin, p.end);
	compile(&p, re, root);
	emit(&p, re, (struct instruction){.op = OP_MATCH});
	*ret_problem = p.problem;
	return p.problem ? NULL : re;
}

/* Matching */

struct thread {
	int at;
	size_t start;
};

struct threads {
	struct thread *items;
	int n;
};

struct match {
	const struct regex *re;
	const char *text;
	size_t size;
	uint32_t *seen; /* by instruction: the step in which it was last added */
	uint32_t step;
	int *stack;
};

static bool is_word_byte(const struct match *m, size_t at)
{
	return at < m->size && (m->text[at] == '_' || isalnum((unsigned char)m->text[at]));
}

static bool holds(const struct match *m, enum assertion assertion, size_t at)
{
	bool edge = (at > 0 && is_word_byte(m, at - 1)) != is_word_byte(m, at);
	switch (assertion) {
	case TEXT_BEGIN:
		return at == 0;
	case TEXT_END:
		return at == m->size;
	case LINE_BEGIN:
		return at == 0 || m->text[at - 1] == '\n';
	case LINE_END:
		return at == m->size || m->text[at] == '\n';
	case WORD:
		return edge;
	default:
		return !edge;
	}
}

/* Adds a thread and all that it can go on as without taking a letter, the preferred first. */
static void add_thread(struct match *m, struct threads *threads, int begin, size_t start, size_t at)
{
	int n = 0;
	m->stack[n++] = begin;
	while (n) {
		int i = m->stack[--n];
		const struct instruction *in = &m->re->program[i];
		if (m->seen[i] == m->step)
			continue;
		m->seen[i] = m->step;
		if (in->op == OP_SPLIT) {
			m->stack[n++] = in->y;
			m->stack[n++] = in->x;
		} else if (in->op == OP_JUMP) {
			m->stack[n++] = in->x;
		} else if (in->op != OP_ASSERT) {
			threads->items[threads->n++] = (struct thread){i, start};
		} else if (holds(m, in->assertion, at)) {
			m->stack[n++] = i + 1;
		}
	}
}

static bool in_ranges(const struct range *ranges, size_t n, uint32_t c)
{
	for (size_t i = 0; i < n; i++)
		if (c >= ranges[i].low && c <= ranges[i].high)
			return true;
	return false;
}

/* points: a letter, and in its other cases if these count. */
static bool in_part(const struct part *part, const uint32_t *points, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (part->has_class ? unicode_class_has(&part->class, points[i])
				    : in_ranges(part->ranges, part->n_ranges, points[i]))
			return !part->negated;
	return part->negated;
}

static bool in_set(const struct set *set, uint32_t c)
{
	uint32_t points[1 + UNICODE_MAX_CASES] = {c};
	size_t n = set->fold ? 1 + unicode_other_cases(c, points + 1) : 1;
	for (size_t i = 0; i < n; i++)
		if (in_ranges(set->ranges, set->n_ranges, points[i]))
			return !set->negated;
	for (size_t i = 0; i < set->n_parts; i++)
		if (in_part(&set->parts[i], points, n))
			return !set->negated;
	return set->negated;
}

bool regex_find(const struct regex *re, const char *text, size_t size, size_t from, size_t *ret_start, size_t *ret_end)
{
	size_t n = (size_t)re->n;
	CLEANUP_FREE uint32_t *seen = mem_calloc(n, sizeof(*seen));
	CLEANUP_FREE int *stack = mem_calloc(2 * n + 2, sizeof(*stack));
	CLEANUP_FREE struct thread *first = mem_calloc(n, sizeof(*first)), *second = mem_calloc(n, sizeof(*second));
	struct match m = {re, text, size, seen, 1, stack};
	struct threads now = {first, 0}, then = {second, 0};
	bool found = false;
	for (size_t at = from, width;; at += width) {
		if (!found)
			add_thread(&m, &now, 0, at, at);
		if (!now.n && found)
			break;
		uint32_t c = at < size ? point_at(text + at, text + size, &width) : UINT32_MAX;
		width = at < size ? width : 1;
		m.step++;
		then.n = 0;
		for (int i = 0; i < now.n; i++) {
			const struct instruction *in = &re->program[now.items[i].at];
			if (in->op == OP_MATCH) { /* What comes after it is not preferred. */
				*ret_start = now.items[i].start;
				*ret_end = at;
				found = true;
				break;
			}
			if (at < size && in_set(in->set, c))
				add_thread(&m, &then, now.items[i].at + 1, now.items[i].start, at + width);
		}
		struct threads swap = now;
		now = then;
		then = swap;
		if (at >= size)
			break;
	}
	return found;
}
