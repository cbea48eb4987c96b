/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Directories that speak LDAP (RFC 4511): the kind "ldap", and what kinds with habits of their own
 * (Active Directory) have in common with it. Only the files ldap*.c know libldap.
 *
 * A search's first page is one search with a size limit, which leaves nothing behind on the server:
 * it is what is asked for each letter that a person types. Whoever wants the second page begins a
 * paged search (RFC 2696); since servers bind its cookie to the connection, that one is put aside
 * with it for LDAP_CURSOR_SECONDS. No more than one page is ever in memory.
 */
#ifndef TESSERA_DIRECTORY_LDAP_H
#define TESSERA_DIRECTORY_LDAP_H

#include "common/buffer.h"
#include "directory/ldap-entry.h"
#include "directory/mapping.h"

#define LDAP_KIND	    "ldap"
#define LDAP_SECRET	    "password"
#define LDAP_CURSOR_SECONDS 120

extern const struct directory_driver ldap_driver;

/* --- where it is, and as whom it is asked --- */

enum ldap_security { LDAP_BY_STARTTLS, LDAP_BY_TLS, LDAP_BY_NOTHING };
enum ldap_bind { LDAP_BIND_ANONYMOUS, LDAP_BIND_SIMPLE, LDAP_BIND_EXTERNAL, LDAP_BIND_GSSAPI };

struct ldap_host {
	char *name;    /* a host, or the path of a local socket */
	unsigned port; /* 0: of a local socket */
};

struct ldap_access {
	struct ldap_host *hosts; /* asked in their order */
	size_t host_count;
	char *domain;	  /* whose SRV records name them instead (RFC 2782), or NULL */
	char *dns_server; /* that is asked for those (core/srv.h); NULL: the system's */
	enum ldap_security security;
	char *ca_file; /* or NULL */
	enum ldap_bind bind;
	char *bind_dn;	  /* of LDAP_BIND_SIMPLE; else NULL */
	char *client_key; /* pkcs11: URI of LDAP_BIND_EXTERNAL's key, or NULL */
	bool follow_referrals;
	struct ldap_host *referral_hosts; /* where they may lead besides the hosts */
	size_t referral_host_count;
	int64_t timeout_seconds;
};

/* --- which entries are people, and what is read of them --- */

enum ldap_scope { LDAP_BELOW, LDAP_ONE_LEVEL, LDAP_THE_BASE };

/* How an attribute tells that a person is disabled. */
struct ldap_disabled {
	const char *attribute;
	/* The attribute has this value (letters of either case); NULL: it is a time that has
	 * passed, in days since 1970 (shadowExpire) or as GeneralizedTime (RFC 4517, 3.3.13). */
	const char *value;
};

struct ldap_people {
	char *base, *filter;
	enum ldap_scope scope;
	struct field_mapping mapping;
	char **typed; /* attributes that what is typed is looked for in */
	size_t typed_count;
	char *id; /* attribute */
	struct ldap_disabled *disabled;
	size_t disabled_count;
};

struct ldap_directory;
struct ldap_link;

/* Where a kind of directory is different; each may be NULL. */
struct ldap_flavour {
	/* Binds a new connection for LDAP_BIND_GSSAPI. */
	bool (*bind)(struct directory *, struct ldap_link *, struct error *);
	/* Appends the filter for exactly a field's value; false: by the mapping. */
	bool (*field_filter)(const struct ldap_directory *, struct buffer *filter,
		const char *field, const char *value);
	/* Further attributes to be read; NULL behind the last. */
	const char *const *attributes;
	/* Appends the filter for what a person typed. NULL: ldap_filter_typed(). */
	void (*typed)(const struct ldap_directory *, struct buffer *filter, const char *text);
	/* Appends the filter that finds an id; false when a text cannot be one. NULL: the attribute
	 * has that value. */
	bool (*id_filter)(const struct ldap_directory *, struct buffer *filter, const char *id);
	/* An entry's id, heap; NULL: it has none. NULL: the attribute's value. */
	char *(*id_of)(const struct ldap_directory *, const struct ldap_entry *);
	/* What else an entry tells, after the mapping: fields, is_disabled, reason. */
	void (*read)(const struct ldap_directory *, const struct ldap_entry *,
		struct directory_person *);
};

struct ldap_directory {
	struct ldap_access access;
	struct ldap_people people;
	const struct ldap_flavour *flavour;
	char *use; /* what kept connections of different use differ in: name and document */
};

/* struct ldap_directory's `use` for a document; heap. */
char *ldap_use(const char *connection, const char *document);
void ldap_access_clear(struct ldap_access *access);
void ldap_people_clear(struct ldap_people *people);

/*
 * Members of documents that kinds share; ERROR_INVALID_CONNECTION. Each of them also clears what it
 * had filled when the caller clears.
 */
/* "hosts" or "domain" and "dns-server", "security", "ca-file", "referrals", "referral-hosts",
 * "timeout-seconds". */
bool ldap_read_access(
	const struct document_node *root, struct ldap_access *access, struct error *error);
/* "base" (required unless is_optional), "filter" and "scope". */
bool ldap_read_base(const struct document_node *root, bool is_optional, const char *filter,
	struct ldap_people *people, struct error *error);
/* "search-attributes" and "id-attribute", with what they are without; NULL behind the last. */
bool ldap_read_attributes(const struct document_node *root, const char *const *typed,
	const char *id, struct ldap_people *people, struct error *error);
/* "disabled", with what it is without, up to the one without an attribute. */
bool ldap_read_disabled(const struct document_node *root, const struct ldap_disabled *defaults,
	struct ldap_people *people, struct error *error);
/* For field_mapping_read(). */
#define LDAP_ATTRIBUTE_FORM "the name of an attribute"

/* --- the functions of struct directory_driver, for data that is a struct ldap_directory --- */

bool ldap_directory_test(struct directory *directory, struct connection_steps *steps);
bool ldap_directory_search(struct directory *directory, const struct directory_query *query,
	struct directory_people *people, struct error *error);
bool ldap_directory_get(struct directory *directory, const char *id,
	struct directory_person *person, struct error *error);
bool ldap_directory_find(struct directory *directory, const char *login,
	struct directory_person *person, struct error *error);
bool ldap_directory_authenticate(struct directory *directory, const char *login,
	const struct secret *password, struct directory_person *person, struct error *error);
const char *ldap_directory_field_at(struct directory *directory, size_t index);
/* "password" or "client-certificate". */
const char *ldap_directory_secret_at(size_t index);
bool ldap_directory_check_secret(struct directory *directory, const char *name,
	const struct secret *secret, struct error *error);
void ldap_directory_close(struct directory *directory);

#endif
