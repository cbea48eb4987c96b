/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "common/alloc.h"
#include "directory/active-directory-private.h"

#define KERBEROS                                                                                   \
	"\"authentication\": \"kerberos\", \"kerberos\": {\"principal\": \"svc@LAB.TEST\","        \
	" \"keytab\": \"/etc/svc.keytab\"}"
#define PASSWORD "\"authentication\": \"password\", \"user\": \"svc@lab.test\""

/* A document with these members besides. */
static char *document(const char *members)
{
	return xasprintf("{\"name\": \"ad\", \"kind\": \"active-directory\", %s}", members);
}

static void read_document(const char *members, struct active_directory *directory)
{
	_cleanup_free_ char *text = document(members);
	_cleanup_error_ struct error error = ERROR_INIT;

	*directory = (struct active_directory){0};
	if (!active_directory_read(text, directory, &error))
		fail_msg("%s: %s: %s", members, error.field, error.message);
}

static void a_domain_tells_all_else(void **state)
{
	struct active_directory directory;

	(void)state;
	read_document("\"domain\": \"ad.Example.org\", " KERBEROS, &directory);
	assert_string_equal(directory.realm, "AD.EXAMPLE.ORG");
	assert_string_equal(directory.ldap.people.base, "DC=ad,DC=Example,DC=org");
	assert_string_equal(
		directory.ldap.people.filter, "(&(objectCategory=person)(objectClass=user))");
	assert_string_equal(directory.ldap.access.domain, "dc._msdcs.ad.Example.org");
	assert_int_equal(directory.ldap.access.bind, LDAP_BIND_GSSAPI);
	assert_int_equal(directory.ldap.access.security, LDAP_BY_NOTHING);
	assert_false(directory.ldap.access.follow_referrals);
	assert_string_equal(directory.kerberos.principal, "svc@LAB.TEST");
	active_directory_clear(&directory);
}

static void controllers(void **state)
{
	static const struct {
		const char *members, *domain, *host;
		unsigned port;
	} cases[] = {
		{"\"site\": \"Berlin\"", "Berlin._sites.dc._msdcs.lab.test", NULL, 0},
		{"\"global-catalog\": true", "gc._msdcs.lab.test", NULL, 0},
		{"\"global-catalog\": true, \"site\": \"B-1\"", "B-1._sites.gc._msdcs.lab.test",
			NULL, 0},
		{"\"hosts\": [\"dc1.lab.test\"]", NULL, "dc1.lab.test", 389},
		{"\"hosts\": [\"dc1.lab.test\"], \"security\": \"ldaps\"", NULL, "dc1.lab.test",
			636},
		{"\"hosts\": [\"dc1.lab.test\"], \"global-catalog\": true", NULL, "dc1.lab.test",
			3268},
		{"\"hosts\": [\"dc1.lab.test\"], \"global-catalog\": true,"
		 " \"security\": \"ldaps\"",
			NULL, "dc1.lab.test", 3269},
		{"\"hosts\": [\"dc1.lab.test:1389\", \"dc2\"]", NULL, "dc1.lab.test", 1389},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct active_directory directory;
		_cleanup_free_ char *members =
			xasprintf("\"domain\": \"lab.test\", " PASSWORD ", %s", cases[i].members);
		read_document(members, &directory);
		const struct ldap_access *access = &directory.ldap.access;
		assert_true(!access->domain == !cases[i].domain);
		if (cases[i].domain)
			assert_string_equal(access->domain, cases[i].domain);
		else
			assert_string_equal(access->hosts[0].name, cases[i].host);
		assert_int_equal(cases[i].domain ? 0 : access->hosts[0].port, cases[i].port);
		active_directory_clear(&directory);
	}
}

static void groups_narrow_the_filter(void **state)
{
	struct active_directory directory;

	(void)state;
	read_document("\"domain\": \"lab.test\", " KERBEROS ", \"filter\": \"(objectClass=user)\","
		      " \"groups\": [\"CN=A*)(cn=*,DC=x\", \"CN=B,DC=x\"]",
		&directory);
	assert_string_equal(directory.ldap.people.filter,
		"(&(objectClass=user)(|"
		"(memberOf:1.2.840.113556.1.4.1941:=CN=A\\2a\\29\\28cn=\\2a,DC=x)"
		"(memberOf:1.2.840.113556.1.4.1941:=CN=B,DC=x)))");
	assert_int_equal(directory.group_count, 2);
	active_directory_clear(&directory);
}

static void wrong_documents(void **state)
{
	static const struct {
		const char *members, *field;
	} cases[] = {
		{KERBEROS, "/domain"},
		{"\"domain\": \"lab\", " KERBEROS, "/domain"},
		{"\"domain\": \"lab..test\", " KERBEROS, "/domain"},
		{"\"domain\": \"lab.test\"", "/authentication"},
		{"\"domain\": \"lab.test\", \"authentication\": \"simple\"", "/authentication"},
		{"\"domain\": \"lab.test\", \"authentication\": \"kerberos\"", "/kerberos"},
		{"\"domain\": \"lab.test\", \"authentication\": \"password\"", "/user"},
		{"\"domain\": \"lab.test\", " KERBEROS ", \"user\": \"x\"", "/user"},
		{"\"domain\": \"lab.test\", " KERBEROS ", \"security\": \"ldaps\"", "/security"},
		{"\"domain\": \"lab.test\", " KERBEROS ", \"ca-file\": \"/x\"", "/ca-file"},
		{"\"domain\": \"lab.test\", " PASSWORD ", \"kerberos\": {}", "/kerberos"},
		{"\"domain\": \"lab.test\", " PASSWORD ", \"security\": \"none\"", "/security"},
		{"\"domain\": \"lab.test\", " PASSWORD ", \"security\": \"ldaps\"", "/security"},
		{"\"domain\": \"lab.test\", " PASSWORD ", \"hosts\": []", "/hosts"},
		{"\"domain\": \"lab.test\", " PASSWORD ", \"hosts\": [\"a b\"]", "/hosts/0"},
		{"\"domain\": \"lab.test\", " PASSWORD ", \"hosts\": [\"a\"], \"site\": \"B\"",
			"/hosts"},
		{"\"domain\": \"lab.test\", " PASSWORD ", \"site\": \"B.x\"", "/site"},
		{"\"domain\": \"lab.test\", " PASSWORD ", \"dns-server\": \"ns\"", "/dns-server"},
		{"\"domain\": \"lab.test\", " PASSWORD ", \"groups\": []", "/groups"},
		{"\"domain\": \"lab.test\", " PASSWORD ", \"groups\": [\"Cards\"]", "/groups/0"},
		{"\"domain\": \"lab.test\", " PASSWORD ", \"filter\": \"(cn=*\"", "/filter"},
		{"\"domain\": \"lab.test\", " PASSWORD ", \"timeout-seconds\": 0",
			"/timeout-seconds"},
		{"\"domain\": \"lab.test\", " PASSWORD ", \"referrals\": \"follow\"", "/referrals"},
		{"\"domain\": \"lab.test\", " PASSWORD ", \"fields\": {\"sid\": \"a b\"}",
			"/fields/sid"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct active_directory directory = {0};
		_cleanup_free_ char *text = document(cases[i].members);
		_cleanup_error_ struct error error = ERROR_INIT;
		if (active_directory_read(text, &directory, &error))
			fail_msg("%s is taken", cases[i].members);
		if (error.code != ERROR_INVALID_CONNECTION ||
			strcmp(error.field ? error.field : "", cases[i].field) != 0)
			fail_msg("%s: %s: %s", cases[i].members, error.field, error.message);
		active_directory_clear(&directory);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_domain_tells_all_else),
		cmocka_unit_test(controllers),
		cmocka_unit_test(groups_narrow_the_filter),
		cmocka_unit_test(wrong_documents),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
