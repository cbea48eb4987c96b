/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "directory/active-directory.h"

#include <string.h>
#include <strings.h>
#include <time.h>

#include "common/alloc.h"
#include "core/kerberos.h"
#include "directory/active-directory-private.h"
#include "directory/active-directory-values.h"
#include "directory/ldap-filter.h"
#include "directory/ldap-kerberos.h"

static struct active_directory *active_directory_of(struct directory *directory)
{
	return directory->data;
}

/* --- the service's account --- */

unsigned active_directory_timeout(const struct active_directory *directory)
{
	return (unsigned)directory->ldap.access.timeout_seconds * 1000;
}

struct kerberos_account *active_directory_account_open(
	const struct active_directory *directory, const char *service, struct error *error)
{
	struct http_negotiate settings = kerberos_settings_account(&directory->kerberos);
	_cleanup_free_ char *full =
		service ? xasprintf("%s@%s", service, directory->realm)
			: xasprintf("krbtgt/%s@%s", directory->realm, directory->realm);

	settings.service = full;
	return kerberos_account_open(&settings, active_directory_timeout(directory), error);
}

/* Each connection has tickets of its own: they are never too old. */
static bool bind_by_kerberos(
	struct directory *directory, struct ldap_link *link, struct error *error)
{
	const char *host = ldap_link_host(link);
	_cleanup_free_ char *service = xasprintf("ldap/%.*s", (int)strcspn(host, ":"), host);
	_cleanup_(kerberos_account_closep) struct kerberos_account *account =
		active_directory_account_open(active_directory_of(directory), service, error);

	return account && ldap_link_bind_kerberos(link, account, error);
}

/* --- what is different from other directories --- */

static const char *const attributes[] = {
	"userAccountControl", "accountExpires", "sAMAccountName", NULL};

static bool id_filter(const struct ldap_directory *directory, struct buffer *filter, const char *id)
{
	uint8_t guid[ACTIVE_DIRECTORY_GUID_LENGTH];

	if (!active_directory_guid_parse(id, guid))
		return false;
	ldap_filter_equal(filter, directory->people.id, guid, sizeof(guid));
	return true;
}

static char *id_of(const struct ldap_directory *directory, const struct ldap_entry *entry)
{
	const struct ldap_value *value = ldap_entry_value(entry, directory->people.id);

	return value ? active_directory_guid(value->data, value->length) : NULL;
}

static const char *text_of(const struct ldap_entry *entry, const char *name)
{
	const struct ldap_value *value = ldap_entry_value(entry, name);

	return value ? value->data : NULL;
}

static char *decode(const char *attribute, const struct ldap_value *value)
{
	if (strcasecmp(attribute, "objectSid") == 0 || strcasecmp(attribute, "sIDHistory") == 0)
		return active_directory_sid(value->data, value->length);
	if (strcasecmp(attribute, "objectGUID") == 0)
		return active_directory_guid(value->data, value->length);
	return NULL;
}

/* An account without a UPN of its own has one that is made of its login (MS-ADTS 5.1.1.1.1). */
static void read_upn(const struct active_directory *directory, const struct ldap_entry *entry,
	struct directory_person *person)
{
	const struct mapped_field *mapped =
		field_mapping_find(&directory->ldap.people.mapping, "upn");
	const char *login = text_of(entry, "sAMAccountName");

	if (!login || !mapped || fields_get(&person->fields, "upn"))
		return;
	_cleanup_free_ char *upn = xasprintf("%s@%s", login, directory->domain);
	person_set_field(person, "upn", upn, strlen(upn));
}

static void read_person(const struct ldap_directory *ldap, const struct ldap_entry *entry,
	struct directory_person *person)
{
	const struct active_directory *directory = (const struct active_directory *)ldap;
	const struct active_directory_account account = {
		.control = text_of(entry, "userAccountControl"),
		.expires = text_of(entry, "accountExpires")};
	const char *reason = active_directory_reason(&account, time(NULL));

	read_upn(directory, entry, person);
	if (!reason)
		return;
	person->is_disabled = true;
	person_note(person, "%s", reason);
}

/* --- passwords --- */

/* The principal that the KDC knows a person by: any account has the one of its login. */
static char *principal_of(const struct active_directory *directory,
	const struct directory_person *person, const char *login)
{
	const char *user = fields_get(&person->fields, "user");

	if (user)
		return xasprintf("%s@%s", user, directory->realm);
	return xasprintf("%.*s@%s", (int)strcspn(login, "@"), login, directory->realm);
}

/* The KDC is asked for unknown persons, too, as they were typed. */
static bool prove_by_kerberos(struct directory *directory, const struct directory_person *person,
	const char *login, const struct secret *password, struct error *error)
{
	const struct active_directory *data = active_directory_of(directory);
	_cleanup_free_ char *principal = principal_of(data, person, login);
	_cleanup_(kerberos_account_closep) struct kerberos_account *account =
		active_directory_account_open(data, NULL, error);

	return account && kerberos_check_password(account, principal, password,
				  active_directory_timeout(data), error);
}

static const struct ldap_flavour flavour = {
	.bind = bind_by_kerberos,
	.attributes = attributes,
	.id_filter = id_filter,
	.id_of = id_of,
	.decode = decode,
	.read = read_person,
	.prove = prove_by_kerberos,
	.refusal = active_directory_refusal,
	.must_change = active_directory_must_change,
};

/* --- the driver --- */

static bool check(const char *document, struct error *error)
{
	struct active_directory directory = {0};
	bool is_good = active_directory_read(document, &directory, error);

	active_directory_clear(&directory);
	return is_good;
}

static void close_directory(struct directory *directory)
{
	struct active_directory *data = active_directory_of(directory);

	if (!data)
		return;
	active_directory_clear(data);
	free(data);
}

static bool open_directory(struct directory *directory, const char *document, struct error *error)
{
	struct active_directory *data = xnew(struct active_directory);

	directory->data = data;
	if (!active_directory_read(document, data, error)) {
		close_directory(directory);
		directory->data = NULL;
		return false;
	}
	data->ldap.flavour = &flavour;
	data->ldap.use = ldap_use(directory->name, document);
	return true;
}

static const char *secret_at(size_t index)
{
	return index == 0 ? LDAP_SECRET : NULL;
}

/* "LAB\ada" is ada: the domain is the connection's. */
static const char *without_domain(const char *login)
{
	const char *backslash = strchr(login, '\\');

	return backslash ? backslash + 1 : login;
}

static bool find(struct directory *directory, const char *login, struct directory_person *person,
	struct error *error)
{
	return ldap_directory_find(directory, without_domain(login), person, error);
}

static bool authenticate(struct directory *directory, const char *login,
	const struct secret *password, struct directory_person *person, struct error *error)
{
	return ldap_directory_authenticate(
		directory, without_domain(login), password, person, error);
}

const struct directory_driver active_directory_driver = {
	.kind = "active-directory",
	.check = check,
	.secret_at = secret_at,
	.check_secret = ldap_directory_check_secret,
	.open = open_directory,
	.test = active_directory_test,
	.search = ldap_directory_search,
	.get = ldap_directory_get,
	.find = find,
	.authenticate = authenticate,
	.field_at = ldap_directory_field_at,
	.close = close_directory,
};
