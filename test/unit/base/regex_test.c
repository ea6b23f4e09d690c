#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "base/regex.h"
#include "base/str.h"

/* What is found in a text; NULL: nothing. */
static const struct {
	const char *pattern, *text, *found;
} matches[] = {
	{"abc", "xabcx", "abc"},
	{"^abc$", "abc", "abc"},
	{"^abc$", "abcd", NULL},
	{"a|ab", "ab", "a"},
	{"ab|a", "ab", "ab"},
	{"a*", "aaa", "aaa"},
	{"a*?", "aaa", ""},
	{"a+?b", "aaab", "aaab"},
	{"(a|b)*c", "abac", "abac"},
	{"a{2,3}", "aaaa", "aaa"},
	{"a{2}", "a", NULL},
	{"a{2,}?", "aaaa", "aa"},
	{"x{,3}", "x{,3}", "x{,3}"},
	{"[a-c]+", "xxabcabc", "abcabc"},
	{"[^a-c]+", "abcxyz", "xyz"},
	{"[]a]+", "a]", "a]"},
	{"[-a]+", "a-a", "a-a"},
	{"[[:alpha:]_]+", "12ab_3", "ab_"},
	{"[^[:space:]]+", " ab ", "ab"},
	{"\\d+\\.\\d+", "v1.25", "1.25"},
	{"\\w+", "-a_1-", "a_1"},
	{"[\\d-]+", "a1-2", "1-2"},
	{"\\bfoo\\b", "a foo b", "foo"},
	{"\\bfoo\\b", "afoo", NULL},
	{"(?i)ABC", "xaBcx", "aBc"},
	{"(?i:a)B", "aB", "aB"},
	{"(?i:a)B", "ab", NULL},
	{"(?s).+", "a\nb", "a\nb"},
	{".+", "a\nb", "a"},
	{"(?m)^b$", "a\nb", "b"},
	{"\\Aa\\z", "a", "a"},
	{"(?P<name>a)(?:b)(?<other>c)", "abc", "abc"},
	{"\\Qa.b\\E+", "a.bb", "a.b"},
	{"\\x41\\x{42}\\103", "ABC", "ABC"},
	{"h.llo", "h\303\251llo", "h\303\251llo"},
	{"[\303\240-\303\277]", "h\303\251", "\303\251"},
	{"(a*)*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL},
	{"", "abc", ""},
	{"(|a)b", "ab", "ab"},
	{"\\pL+", "1a\303\251\320\226\344\270\2552", "a\303\251\320\226\344\270\255"},
	{"\\p{Lu}", "a\303\251\303\211", "\303\211"},
	{"\\P{Lu}+", "Aa1B", "a1"},
	{"\\p{^Lu}+", "Aa1B", "a1"},
	{"\\P{^Lu}", "aB", "B"},
	{"[^\\pL\\d]+", "a1--b", "--"},
	{"[\\P{L}]", "a1", "1"},
	{"\\p{Greek}+", "a\316\261\316\262b", "\316\261\316\262"},
	{"\\p{Old_Italic}", "\360\220\214\200", "\360\220\214\200"},
	{"\\p{Uppercase_Letter}\\p{letter}\\p{ASCII}\\p{Any}\\p{Assigned}", "AaAaA", "AaAaA"},
	{"\\p{LC}", "\344\270\255a", "a"},
	{"\\p{Cn}", "\364\217\277\277", "\364\217\277\277"},
	{"\\d", "\331\243", NULL}, /* a digit of another script */
	{"\\p{Nd}", "\331\243", "\331\243"},
	{"\\s", "\302\240", NULL},
	{"\\p{Zs}", "\302\240", "\302\240"},
	{"(?i)\303\251", "\303\211", "\303\211"},
	{"(?i)\317\203+", "\316\243\317\202\317\203", "\316\243\317\202\317\203"},
	{"(?i)[\316\261-\317\211]", "\316\243", "\316\243"},
	{"(?i)k", "\342\204\252", "\342\204\252"},
	{"(?i)[^k]", "\342\204\252", NULL},
	{"(?i)\\W", "k", NULL},
	{"(?i)\\p{Lu}", "\303\251", "\303\251"},
	{"(?i)\\P{Lu}", "a1", "1"},
	{"(?i)\303\237", "\341\272\236", "\341\272\236"},
	{"(?i)i", "\304\260", NULL},
};

static void test_matches(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(matches); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		const char *problem, *text = matches[i].text;
		size_t start, end;
		struct regex *re = regex_new(arena, matches[i].pattern, strlen(matches[i].pattern), &problem);
		assert_non_null(re);
		bool found = regex_find(re, text, strlen(text), 0, &start, &end);
		assert_int_equal(found, matches[i].found != NULL);
		if (found)
			assert_string_equal(arena_strndup(arena, text + start, end - start), matches[i].found);
	}
}

static const struct {
	const char *pattern, *problem;
} problems[] = {
	{"(", "error parsing regexp: missing closing ): `(`"},
	{"a)", "error parsing regexp: unexpected ): `a)`"},
	{"[a", "error parsing regexp: missing closing ]: `[a`"},
	{"[b-a]", "error parsing regexp: invalid character class range: `b-a`"},
	{"*", "error parsing regexp: missing argument to repetition operator: `*`"},
	{"a**", "error parsing regexp: invalid nested repetition operator: `**`"},
	{"a{1001}", "error parsing regexp: invalid repeat count: `{1001}`"},
	{"(a{100}){100}", "error parsing regexp: invalid repeat count: `{100}`"},
	{"a{2,1}", "error parsing regexp: invalid repeat count: `{2,1}`"},
	{"\\", "error parsing regexp: trailing backslash at end of expression: ``"},
	{"\\y", "error parsing regexp: invalid escape sequence: `\\y`"},
	{"(?=a)", "error parsing regexp: invalid or unsupported Perl syntax: `(?=`"},
	{"(?P<a", "error parsing regexp: invalid named capture: `(?P<a`"},
	{"\\pX", "error parsing regexp: invalid character class range: `\\pX`"},
	{"a\\p", "error parsing regexp: invalid character class range: `\\p`"},
	{"\\p{", "error parsing regexp: invalid character class range: `\\p{`"},
	{"\\p{L", "error parsing regexp: invalid character class range: `\\p{L`"},
	{"[\\P{Latn}]", "error parsing regexp: invalid character class range: `\\P{Latn}`"},
	{"[a-\\pL]", "error parsing regexp: invalid escape sequence: `\\p`"},
	{"[[:foo:]]", "error parsing regexp: invalid character class range: `[:foo:]`"},
};

static void test_problems(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(problems); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		const char *problem = NULL;
		assert_null(regex_new(arena, problems[i].pattern, strlen(problems[i].pattern), &problem));
		assert_string_equal(problem, problems[i].problem);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_matches), cmocka_unit_test(test_problems)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
