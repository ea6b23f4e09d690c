#include <ctype.h>
#include "test/api-cases/cases.h"

static const char *const never_compared[] = {"managedFields", "resourceVersion", "uid", "creationTimestamp", NULL};

/* 0 in a form is any digit, ? any character. */
static bool digits(const char *s, const char *form)
{
	for (; *form; s++, form++)
		if (*form == '?' ? !*s : *form == '0' ? !isxdigit((unsigned char)*s) : *s != *form)
			return false;
	return true;
}

enum { LONG_RUN = 40 };

/* The length of an address that the server picked for a Service; 0: there is none. It leaves the first 16 of IPv4 and
 * the first 256 of IPv6 to those who ask for them. */
static size_t picked_address(const char *s)
{
	static const char four[] = "10.0.0.", six[] = "fd00::";
	int64_t last;
	if (!strncmp(s, six, sizeof(six) - 1))
		return strspn(s + sizeof(six) - 1, "0123456789abcdef") > 2 ? strspn(s, "0123456789abcdef:") : 0;
	if (strncmp(s, four, sizeof(four) - 1) != 0)
		return 0;
	const char *digits = s + sizeof(four) - 1;
	size_t n = strspn(digits, "0123456789");
	char text[8] = "";
	memcpy(text, digits, n < sizeof(text) - 1 ? n : 0);
	return str_to_int64(text, 17, 255, &last) ? sizeof(four) - 1 + n : 0;
}

/* Times and uids of now are like those of any other time; a long run of one letter is told by its length. */
static void add_masked(struct strbuf *out, const char *s)
{
	static const struct {
		const char *form, *name;
	} forms[] = {{"0000-00-00T00:00:00Z", "TIME"}, {"00000000-0000-0000-0000-000000000000", "UID"},
		{"kube-api-access-?????", "TOKEN"},
		{"X509SHA256=0000000000000000000000000000000000000000000000000000000000000000", "CERTIFICATE"}};
	static const char record[] = "in record (";
	while (*s) {
		size_t i = 0, run = 1, n;
		while (s[run] == *s)
			run++;
		while (i < sizeof(forms) / sizeof(*forms) && !digits(s, forms[i].form))
			i++;
		if (i < sizeof(forms) / sizeof(*forms)) {
			strbuf_adds(out, forms[i].name);
			s += strlen(forms[i].form);
		} else if (str_starts_with(s, "eyJ")) {
			strbuf_adds(out, "TOKEN");
			s += strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-");
		} else if (str_starts_with(s, record) && (n = strspn(s + sizeof(record) - 1, "0123456789")) > 0 &&
			   s[sizeof(record) - 1 + n] == ')') {
			strbuf_printf(out, "%sVERSION", record);
			s += sizeof(record) - 1 + n;
		} else if ((n = picked_address(s)) > 0) {
			strbuf_adds(out, "ADDRESS");
			s += n;
		} else if (run > LONG_RUN) {
			strbuf_printf(out, "<%c*%zu>", *s, run);
			s += run;
		} else if (*s == '\n') {
			strbuf_adds(out, "\\n");
			s++;
		} else {
			strbuf_addc(out, *s++);
		}
	}
}

/* What the server picked out of a range is a name for the range. */
static void add_value(struct strbuf *out, struct arena *arena, const char *path, const cJSON *value, bool generated)
{
	int64_t n;
	const char *s = tree_string(value);
	if (s && strstr(path, "clusterIP") && (str_starts_with(s, "10.0.0.") || str_starts_with(s, "fd00:")))
		strbuf_adds(out, "ADDRESS");
	else if (str_ends_with(path, "odePort") && tree_int(value, &n) && n >= 30000 && n <= 32767)
		strbuf_adds(out, "PORT");
	else if (generated)
		strbuf_adds(out, "GENERATED");
	else
		add_masked(out, tree_to_string(arena, value, JSON_NO_HTML_ESCAPE));
}

static void difference(
	struct strbuf *out, struct arena *arena, const char *path, const cJSON *now, const cJSON *expected);

static void objects_differ(
	struct strbuf *out, struct arena *arena, const char *path, const cJSON *now, const cJSON *expected)
{
	TREE_FOREACH (item, now)
		if (!str_in(item->string, never_compared))
			difference(out, arena, arena_printf(arena, "%s/%s", path, item->string), item,
				tree_get(expected, item->string));
	TREE_FOREACH (item, expected)
		if (!str_in(item->string, never_compared) && !tree_get(now, item->string))
			difference(out, arena, arena_printf(arena, "%s/%s", path, item->string), NULL, item);
}

static void difference(
	struct strbuf *out, struct arena *arena, const char *path, const cJSON *now, const cJSON *expected)
{
	if (now && expected && (tree_equal(now, expected) || str_ends_with(path, "TransitionTime")))
		return;
	if (cJSON_IsObject(now) && cJSON_IsObject(expected)) {
		objects_differ(out, arena, path, now, expected);
		return;
	}
	if (cJSON_IsArray(now) && cJSON_IsArray(expected) && tree_size(now) == tree_size(expected)) {
		const cJSON *other = expected->child;
		size_t i = 0;
		TREE_FOREACH (item, now) {
			difference(out, arena, arena_printf(arena, "%s/%zu", path, i++), item, other);
			other = other->next;
		}
		return;
	}
	if (!now && (cJSON_IsNull(expected) || (cJSON_IsObject(expected) && !expected->child)))
		return;
	strbuf_printf(out, "\t%c %s", now ? '+' : '-', path[0] == '/' ? path + 1 : path);
	if (now) {
		strbuf_addc(out, '=');
		add_value(out, arena, path, now, !expected && str_eq(path, "/metadata/name"));
	}
	strbuf_addc(out, '\n');
}

/* What the message is when it says nothing that the causes do not say. */
static char *usual_message(struct arena *arena, const cJSON *status)
{
	CLEANUP(strbuf_done) struct strbuf out = STRBUF_INIT;
	const cJSON *details = tree_get(status, "details");
	const cJSON *causes = tree_get(details, "causes");
	const char *group = tree_string(tree_get(details, "group"));
	CLEANUP(strbuf_done) struct strbuf list = STRBUF_INIT;
	size_t n = 0;
	TREE_FOREACH (cause, causes) {
		const cJSON *before = causes->child;
		while (before != cause && !tree_equal(before, cause))
			before = before->next;
		if (before == cause)
			strbuf_printf(&list, "%s%s: %s", n++ ? ", " : "",
				str_or_empty(tree_string(tree_get(cause, "field"))),
				str_or_empty(tree_string(tree_get(cause, "message"))));
	}
	strbuf_printf(&out, n > 1 ? "%s%s%s \"%s\" is invalid: [%s]" : "%s%s%s \"%s\" is invalid: %s",
		str_or_empty(tree_string(tree_get(details, "kind"))), group ? "." : "", str_or_empty(group),
		str_or_empty(tree_string(tree_get(details, "name"))), list.buf);
	return arena_strdup(arena, out.buf);
}

static void failure_print(struct strbuf *out, struct arena *arena, const cJSON *status)
{
	const char *message = str_or_empty(tree_string(tree_get(status, "message")));
	const cJSON *causes = tree_get_path(status, "details", "causes", NULL);
	strbuf_printf(out, " %s", str_or_empty(tree_string(tree_get(status, "reason"))));
	if (!str_eq(message, usual_message(arena, status))) {
		strbuf_adds(out, ": ");
		add_masked(out, message);
	}
	strbuf_addc(out, '\n');
	TREE_FOREACH (cause, causes) {
		int times = 1;
		for (; cause->next && tree_equal(cause, cause->next); times++)
			cause = cause->next;
		strbuf_printf(out, "\t%s ", str_or_empty(tree_string(tree_get(cause, "reason"))));
		if (times > 1)
			strbuf_printf(out, "(%d times) ", times);
		add_masked(out, str_or_empty(tree_string(tree_get(cause, "field"))));
		strbuf_adds(out, ": ");
		add_masked(out, str_or_empty(tree_string(tree_get(cause, "message"))));
		strbuf_addc(out, '\n');
	}
}

static bool warned(const struct answer *answer, const char *text)
{
	return answer && str_in_n(text, answer->warnings, answer->n_warnings);
}

static void warnings_print(struct strbuf *out, const char *title, const struct answer *a, const struct answer *b)
{
	for (size_t i = 0; a && i < a->n_warnings; i++) {
		if (warned(b, a->warnings[i]))
			continue;
		strbuf_printf(out, "\t%s ", title);
		add_masked(out, a->warnings[i]);
		strbuf_addc(out, '\n');
	}
}

void outcome_print(struct strbuf *out, struct arena *arena, const struct answer *answer, const cJSON *expected,
	const struct answer *usual)
{
	strbuf_printf(out, "\t%d", answer->code);
	if (str_eq(tree_string(tree_get(answer->body, "kind")), "Status")) {
		failure_print(out, arena, answer->body);
	} else {
		strbuf_addc(out, '\n');
		difference(out, arena, "", answer->body, expected);
	}
	if (answer->retry_after)
		strbuf_printf(out, "\tretry after %s\n", answer->retry_after);
	warnings_print(out, "warning", answer, usual);
	if (answer->code < 300)
		warnings_print(out, "no warning", usual, answer);
}
