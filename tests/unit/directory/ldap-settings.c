/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Documents of LDAP directories. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "directory/ldap.h"
#include "operation/connection-kinds.h"

#define HEAD  "{\"name\":\"staff\",\"kind\":\"ldap\""
#define HOSTS ",\"hosts\":[\"ldap.example.org\"]"
#define BASE  ",\"base\":\"dc=example,dc=org\""

static const struct {
	const char *document;
	const char *pointer;
} wrong[] = {
	{HEAD BASE "}", ""},
	{HEAD HOSTS "}", "/base"},
	{HEAD HOSTS ",\"base\":\"people\"}", "/base"},
	{HEAD ",\"hosts\":[]" BASE "}", "/hosts"},
	{HEAD ",\"hosts\":\"a\"" BASE "}", "/hosts"},
	{HEAD ",\"hosts\":[\"a\",\"b:0\"]" BASE "}", "/hosts/1"},
	{HEAD ",\"hosts\":[\"a:65536\"]" BASE "}", "/hosts/0"},
	{HEAD ",\"hosts\":[\"a:1x\"]" BASE "}", "/hosts/0"},
	{HEAD ",\"hosts\":[\"a:\"]" BASE "}", "/hosts/0"},
	{HEAD ",\"hosts\":[\"ldap://a\"]" BASE "}", "/hosts/0"},
	{HEAD ",\"hosts\":[\"a b\"]" BASE "}", "/hosts/0"},
	{HEAD ",\"hosts\":[\"[::1\"]" BASE "}", "/hosts/0"},
	{HEAD ",\"hosts\":[\"::1\"]" BASE "}", "/hosts/0"},
	{HEAD ",\"hosts\":[\"/run/ldapi\"]" BASE "}", "/hosts/0"},
	{HEAD HOSTS ",\"security\":\"none\"" BASE "}", "/hosts/0"},
	{HEAD ",\"hosts\":[\"127.example.org\"],\"security\":\"none\"" BASE "}", "/hosts/0"},
	{HEAD HOSTS ",\"security\":\"tls\"" BASE "}", "/security"},
	{HEAD HOSTS ",\"domain\":\"example.org\"" BASE "}", "/domain"},
	{HEAD ",\"domain\":\"example.org:389\"" BASE "}", "/domain"},
	{HEAD ",\"domain\":\"example.org\",\"security\":\"ldaps\"" BASE "}", "/domain"},
	{HEAD ",\"domain\":\"example.org\",\"dns-server\":\"a\"" BASE "}", "/dns-server"},
	{HEAD HOSTS BASE ",\"ca-file\":\"ca.pem\"}", "/ca-file"},
	{HEAD HOSTS BASE ",\"bind\":\"simple\"}", "/bind"},
	{HEAD HOSTS BASE ",\"bind\":{}}", "/bind/method"},
	{HEAD HOSTS BASE ",\"bind\":{\"method\":\"gssapi\"}}", "/bind/method"},
	{HEAD HOSTS BASE ",\"bind\":{\"method\":\"simple\"}}", "/bind/dn"},
	{HEAD HOSTS BASE ",\"bind\":{\"method\":\"simple\",\"dn\":\"reader\"}}", "/bind/dn"},
	{HEAD HOSTS BASE ",\"bind\":{\"method\":\"anonymous\",\"dn\":\"cn=a\"}}", "/bind/dn"},
	{HEAD HOSTS BASE ",\"bind\":{\"method\":\"simple\",\"dn\":\"cn=a\",\"password\":\"x\"}}",
		"/bind/password"},
	{HEAD HOSTS BASE ",\"bind\":{\"method\":\"external\",\"client-key\":\"file:/a\"}}",
		"/bind/client-key"},
	{HEAD HOSTS BASE ",\"filter\":\"uid=*\"}", "/filter"},
	{HEAD HOSTS BASE ",\"filter\":\"(uid=*\"}", "/filter"},
	{HEAD HOSTS BASE ",\"scope\":\"all\"}", "/scope"},
	{HEAD HOSTS BASE ",\"preset\":\"person\"}", "/preset"},
	{HEAD HOSTS BASE ",\"fields\":[]}", "/fields"},
	{HEAD HOSTS BASE ",\"fields\":{\"shoe size\":\"x\"}}", "/fields/shoe size"},
	{HEAD HOSTS BASE ",\"fields\":{\"email\":7}}", "/fields/email"},
	{HEAD HOSTS BASE ",\"fields\":{\"email\":\"a b\"}}", "/fields/email"},
	{HEAD HOSTS BASE ",\"fields\":{\"email\":[]}}", "/fields/email"},
	{HEAD HOSTS BASE ",\"fields\":{\"email\":[\"a\",\"*\"]}}", "/fields/email/1"},
	{HEAD HOSTS BASE ",\"search-attributes\":[]}", "/search-attributes"},
	{HEAD HOSTS BASE ",\"search-attributes\":[\"cn)(a\"]}", "/search-attributes/0"},
	{HEAD HOSTS BASE ",\"id-attribute\":\"\"}", "/id-attribute"},
	{HEAD HOSTS BASE ",\"disabled\":{}}", "/disabled"},
	{HEAD HOSTS BASE ",\"disabled\":[{\"attribute\":\"a\"}]}", "/disabled/0"},
	{HEAD HOSTS BASE ",\"disabled\":[{\"attribute\":\"a\",\"value\":\"b\",\"past\":true}]}",
		"/disabled/0"},
	{HEAD HOSTS BASE ",\"disabled\":[{\"value\":\"b\"}]}", "/disabled/0/attribute"},
	{HEAD HOSTS BASE ",\"referrals\":\"chase\"}", "/referrals"},
	{HEAD HOSTS BASE ",\"referral-hosts\":[\"a\"]}", "/referral-hosts"},
	{HEAD HOSTS BASE ",\"timeout-seconds\":0}", "/timeout-seconds"},
	{HEAD HOSTS BASE ",\"page-size\":10}", "/page-size"},
};

static void every_wrong_document_is_refused_with_its_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		_cleanup_connection_ struct connection connection = CONNECTION_INIT;
		_cleanup_error_ struct error error = ERROR_INIT;

		if (connection_check_document(wrong[i].document, &connection, &error))
			fail_msg("accepted: %s", wrong[i].document);
		assert_int_equal(error.code, ERROR_INVALID_CONNECTION);
		if (strcmp(error.field, wrong[i].pointer) != 0)
			fail_msg("%s: %s instead of %s", wrong[i].document, error.field,
				wrong[i].pointer);
	}
}

static void open_document(struct directory *directory, const char *document)
{
	struct error error _cleanup_error_ = ERROR_INIT;

	*directory = (struct directory){.driver = &ldap_driver, .name = (char *)"staff"};
	if (!ldap_driver.open(directory, document, &error))
		fail_msg("%s: %s", error.field, error_message(&error));
}

static void hosts_have_the_ports_of_their_security(void **state)
{
	struct directory directory;

	(void)state;
	open_document(&directory, HEAD BASE ",\"hosts\":[\"a.example.org\",\"b:3890\",\"[::1]:7\","
					    "\"[2001:db8::1]\"]}");
	struct ldap_directory *ldap = directory.data;
	assert_int_equal(ldap->access.security, LDAP_BY_STARTTLS);
	assert_int_equal(ldap->access.host_count, 4);
	assert_string_equal(ldap->access.hosts[0].name, "a.example.org");
	assert_int_equal(ldap->access.hosts[0].port, 389);
	assert_int_equal(ldap->access.hosts[1].port, 3890);
	assert_string_equal(ldap->access.hosts[2].name, "::1");
	assert_int_equal(ldap->access.hosts[2].port, 7);
	assert_string_equal(ldap->access.hosts[3].name, "2001:db8::1");
	ldap_driver.close(&directory);

	open_document(&directory, HEAD BASE HOSTS ",\"security\":\"ldaps\"}");
	ldap = directory.data;
	assert_int_equal(ldap->access.hosts[0].port, 636);
	ldap_driver.close(&directory);

	open_document(&directory, HEAD BASE ",\"hosts\":[\"/run/ldapi\",\"127.0.0.1\",\"[::1]\"],"
					    "\"security\":\"none\"}");
	ldap = directory.data;
	assert_int_equal(ldap->access.hosts[0].port, 0);
	ldap_driver.close(&directory);
}

static void fields_differ_from_the_preset(void **state)
{
	struct directory directory;

	(void)state;
	open_document(&directory, HEAD BASE HOSTS
		",\"preset\":\"freeipa\",\"fields\":{\"email\":[\"a\",\"b\"],\"title\":null,"
		"\"shoe-size\":\"shoe\"},\"disabled\":[],\"scope\":\"one-level\"}");
	struct ldap_directory *ldap = directory.data;
	const struct mapped_field *email = field_mapping_find(&ldap->people.mapping, "email");
	assert_int_equal(email->count, 2);
	assert_string_equal(email->attributes[1], "b");
	assert_null(field_mapping_find(&ldap->people.mapping, "title"));
	assert_string_equal(
		field_mapping_find(&ldap->people.mapping, "shoe-size")->attributes[0], "shoe");
	assert_string_equal(field_mapping_find(&ldap->people.mapping, "upn")->attributes[0],
		"krbCanonicalName");
	assert_string_equal(ldap->people.id, "ipaUniqueID");
	assert_int_equal(ldap->people.disabled_count, 0);
	assert_int_equal(ldap->people.scope, LDAP_ONE_LEVEL);
	assert_string_equal(ldap_driver.field_at(&directory, 0), "name");
	assert_null(ldap_driver.field_at(&directory, ldap->people.mapping.count));
	ldap_driver.close(&directory);
}

static void other_documents_use_other_connections(void **state)
{
	_cleanup_free_ char *one = ldap_use("staff", "{}");
	_cleanup_free_ char *same = ldap_use("staff", "{}");
	_cleanup_free_ char *changed = ldap_use("staff", "{ }");
	_cleanup_free_ char *other = ldap_use("people", "{}");

	(void)state;
	assert_string_equal(one, same);
	assert_string_not_equal(one, changed);
	assert_string_not_equal(one, other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_wrong_document_is_refused_with_its_place),
		cmocka_unit_test(hosts_have_the_ports_of_their_security),
		cmocka_unit_test(fields_differ_from_the_preset),
		cmocka_unit_test(other_documents_use_other_connections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
