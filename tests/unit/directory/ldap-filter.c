/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Filters: what is typed never becomes part of one, and a document's is one whole filter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "common/macros.h"
#include "directory/ldap-filter.h"

static void assert_buffer(struct buffer *buffer, const char *text)
{
	buffer_append_u8(buffer, 0);
	assert_string_equal((const char *)buffer->data, text);
	buffer_clear(buffer);
}

static void what_has_a_meaning_in_a_filter_is_escaped(void **state)
{
	struct buffer filter = BUFFER_INIT;

	(void)state;
	ldap_filter_equal(&filter, "uid", "*)(uid=\\", 8);
	assert_buffer(&filter, "(uid=\\2a\\29\\28uid=\\5c)");
	ldap_filter_equal(&filter, "cn", "a\0b\n\xc3\xb6\x7f", 7);
	assert_buffer(&filter, "(cn=a\\00b\\0a\\c3\\b6\\7f)");
	ldap_filter_equal(&filter, "cn", "", 0);
	assert_buffer(&filter, "(cn=)");
}

static void typed_words_each_begin_an_attribute(void **state)
{
	static const char *const attributes[] = {"cn", "mail"};
	struct buffer filter = BUFFER_INIT;

	(void)state;
	ldap_filter_typed(&filter, attributes, 2, " ada ");
	assert_buffer(&filter, "(|(cn=ada*)(mail=ada*))");
	ldap_filter_typed(&filter, attributes, 1, "a* b");
	assert_buffer(&filter, "(|(|(cn=a\\2a b*))(&(|(cn=a\\2a*))(|(cn=b*))))");
	ldap_filter_typed(&filter, attributes, 1, "a b c d e f");
	assert_buffer(&filter, "(|(|(cn=a b c d e f*))(&(|(cn=a*))(|(cn=b*))(|(cn=c*))(|(cn=d*))"
			       "(|(cn=e*))))");
	ldap_filter_any(&filter, attributes, 2, "a");
	assert_buffer(&filter, "(|(cn=a)(mail=a))");
}

static void attributes_have_names_or_numbers(void **state)
{
	static const char *const good[] = {
		"cn", "sn;lang-en", "2.5.4.3", "userCertificate;binary", "x-1", "cn;lang-de;x-a"};
	static const char *const bad[] = {"", "1", "2.", ".1", "c n", "cn;", "cn=", "-x", "cn)(a",
		"\xc3\xb6", "cn;lang_en", "2..5", "*"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(ldap_attribute_is_valid(good[i]));
	for (size_t i = 1; i < ARRAY_SIZE(bad); i++) {
		if (strcmp(bad[i], "1") != 0)
			assert_false(ldap_attribute_is_valid(bad[i]));
	}
	assert_false(ldap_attribute_is_valid(bad[0]));
}

static void a_filter_of_a_document_is_one_whole_filter(void **state)
{
	static const char *const good[] = {"(objectClass=*)",
		"(&(a=b)(!(c=d))(|(e>=f)(g<=h)(i~=j)))",
		"(memberOf:1.2.840.113556.1.4.1941:=cn=a,dc=b)", "(cn:dn:=x)",
		"(:caseExactMatch:=x)", "(cn=a\\28b\\29)", "(&)", "(|)", "(cn=)",
		"(cn;lang-en=a*b*c)"};
	static const char *const bad[] = {"", "cn=a", "(cn=a", "(cn=a))", "(cn=a)(cn=b)", "()",
		"(cn)", "(=a)", "(cn=a(b)", "(cn=\\2)", "(cn=\\zz)", "(!)", "(!(a=b)(c=d))",
		"(&(a=b)", "(cn=a) ", " (cn=a)", "(c n=a)", "(cn>a)"};
	char deep[200] = "";

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(ldap_filter_check(good[i], NULL));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct error error _cleanup_error_ = ERROR_INIT;
		assert_false(ldap_filter_check(bad[i], &error));
		assert_int_equal(error.code, ERROR_INVALID_ARGUMENT);
	}
	for (int i = 0; i < 40; i++)
		strcat(deep, "(!");
	assert_false(ldap_filter_check(deep, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_has_a_meaning_in_a_filter_is_escaped),
		cmocka_unit_test(typed_words_each_begin_an_attribute),
		cmocka_unit_test(attributes_have_names_or_numbers),
		cmocka_unit_test(a_filter_of_a_document_is_one_whole_filter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
