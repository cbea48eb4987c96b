/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "common/alloc.h"
#include "directory/entra-private.h"

#define HEAD                                                                                       \
	"{\"name\":\"entra\",\"kind\":\"entra-id\",\"tenant\":\"t\","                              \
	"\"client-id\":\"99999999-8888-4777-8666-555555555555\","                                  \
	"\"api-url\":\"https://graph.example:8444\""
#define API "https://graph.example:8444/v1.0"

static void parse(struct entra_settings *settings, const char *document)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	*settings = (struct entra_settings){0};
	if (!entra_settings_parse(settings, document, &error))
		fail_msg("%s: %s", error.field, error_message(&error));
}

/* The quotes that are not escaped, counted: each clause has two. */
static void what_is_typed_stays_inside_its_clause(void **state)
{
	static const char *const typed[] = {"ada", "ada love", "o'neill", "\"", "\\", "\\\"",
		"x\" OR \"accountEnabled:true", "a\\\\\" OR \"b:c", "a&$filter=b", "#?%20"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(typed); i++) {
		_cleanup_free_ char *text = entra_search_text(typed[i]);
		size_t quotes = 0;

		for (const char *c = text; *c; c++) {
			if (*c == '\\')
				c++;
			else
				quotes += *c == '"';
		}
		assert_int_equal(quotes, 12);
		assert_null(strchr(text, '&'));
	}
	_cleanup_free_ char *text = entra_search_text("a\"b");
	assert_non_null(strstr(text, "\"displayName:a\\\"b\" OR \"surname:a\\\"b\" OR "));
}

static void a_value_stays_inside_its_quotes(void **state)
{
	static const struct {
		const char *one, *other, *value, *filter;
	} cases[] = {
		{"mail", NULL, "a@b", "mail eq 'a@b'"},
		{"mail", NULL, "' or true or '", "mail eq ''' or true or '''"},
		{"surname", NULL, "O'Neill", "surname eq 'O''Neill'"},
		{"a", "b", "x'", "a eq 'x''' or b eq 'x'''"},
		{"a", "b@", "x'", "a eq 'x''' or startsWith(b,'x''@')"},
		{"a/b", NULL, "x", "a/b eq 'x'"},
		{"businessPhones", "mobilePhone", "+4'",
			"businessPhones/any(x:x eq '+4''') or mobilePhone eq '+4'''"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct mapped_field field = {
			.attributes = {(char *)cases[i].one, (char *)cases[i].other},
			.count = cases[i].other ? 2 : 1};
		_cleanup_free_ char *filter = entra_filter_text(&field, cases[i].value);
		assert_string_equal(filter, cases[i].filter);
	}
}

static void addresses_have_all_that_is_asked_and_no_more(void **state)
{
	struct entra_settings settings;
	const struct entra_query plain = {.limit = 20, .is_sorted = true};
	const struct entra_query full = {
		.limit = 1, .search = "\"mail:a b\"", .filter = "id eq 'x&y'"};

	(void)state;
	parse(&settings,
		HEAD ",\"filter\":\"a eq 'b'\",\"fields\":{\"phone\":null,\"badge\":\"x/y\","
		     "\"door\":\"x/z\",\"title\":null,\"department\":null}}");
	_cleanup_free_ char *url = entra_collection_url(&settings, &plain);
	assert_string_equal(url,
		API "/users?$select=id,accountEnabled,displayName,givenName,surname,"
		    "onPremisesSamAccountName,userPrincipalName,mail,employeeId,"
		    "onPremisesSecurityIdentifier,securityIdentifier,x&$count=true&$top=20"
		    "&$orderby=displayName&$filter=a%20eq%20%27b%27");
	_cleanup_free_ char *other = entra_collection_url(&settings, &full);
	assert_non_null(
		strstr(other, "&$count=true&$top=1&$search=%22mail%3Aa%20b%22&$filter="
			      "%28a%20eq%20%27b%27%29%20and%20%28id%20eq%20%27x%26y%27%29"));
	entra_settings_clear(&settings);
}

static void groups_have_collections_of_their_own(void **state)
{
	struct entra_settings settings;
	struct entra_query query = {.group = 1, .limit = 5};

	(void)state;
	parse(&settings, HEAD ",\"groups\":[\"a0000000-0000-4000-8000-000000000001\","
			      "\"a0000000-0000-4000-8000-000000000002\"]}");
	_cleanup_free_ char *inside = entra_collection_url(&settings, &query);
	query.group = 2;
	_cleanup_free_ char *outside = entra_collection_url(&settings, &query);
	assert_non_null(strstr(inside, API "/groups/a0000000-0000-4000-8000-000000000002/"
					   "transitiveMembers/microsoft.graph.user?$select="));
	assert_non_null(strstr(outside, API "/users?"));
	entra_settings_clear(&settings);
}

static void no_other_address_is_the_apis(void **state)
{
	static const char *const good[] = {API "/users?$skiptoken=a%2Fb", API "/users",
		API "/groups/x/transitiveMembers/microsoft.graph.user?$skiptoken=.."};
	static const char *const bad[] = {"", API, "http://graph.example:8444/v1.0/users",
		"https://graph.example/v1.0/users", "https://graph.example:8444/v1.0x/users",
		"https://graph.example:84440/v1.0/users",
		"https://graph.example:8444@evil/v1.0/users", "https://evil/v1.0/users",
		"https://graph.example:8444.evil/v1.0/users",
		"HTTPS://graph.example:8444/v1.0/users", API "/../beta/users",
		API "/%2e%2e/beta/users", API "/users/..", API "/us ers", API "/users#a",
		API "\\users", API "/users\r\nHost: evil", API "/us\xc3\xa4rs", API "@evil/users"};
	struct entra_settings settings;

	(void)state;
	parse(&settings, HEAD "}");
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(entra_is_of_api(&settings, good[i]));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (entra_is_of_api(&settings, bad[i]))
			fail_msg("taken for the API's: %s", bad[i]);
	}
	_cleanup_free_ char *longest = xasprintf(API "/users?%0*d", ENTRA_URL_MAX, 0);
	assert_false(entra_is_of_api(&settings, longest));
	entra_settings_clear(&settings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_typed_stays_inside_its_clause),
		cmocka_unit_test(a_value_stays_inside_its_quotes),
		cmocka_unit_test(addresses_have_all_that_is_asked_and_no_more),
		cmocka_unit_test(groups_have_collections_of_their_own),
		cmocka_unit_test(no_other_address_is_the_apis),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
