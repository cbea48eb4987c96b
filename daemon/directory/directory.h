/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Directories of people behind one vtable (design, decision 9). A directory is made from a
 * connection document. What it answers about a person is the person's fields as a card's holder
 * has them (model/holder.h), by the connection's mapping.
 */
#ifndef TESSERA_DIRECTORY_DIRECTORY_H
#define TESSERA_DIRECTORY_DIRECTORY_H

#include "common/fields.h"
#include "connection/family.h"

/* How many people a search gives at most in one go. */
#define DIRECTORY_PAGE_MAX 100

struct directory;

struct directory_person {
	char *id;	      /* stable: a UUID as text, Graph's id, else the distinguished name */
	char *name;	      /* shown in lists */
	struct fields fields; /* only those that holder_check() takes */
	bool is_disabled;     /* by the directory: gets no card */
	char *reason;	      /* why, for people; or NULL */
};
void directory_person_clear(struct directory_person *person);
#define _cleanup_person_ _cleanup_(directory_person_clear)

struct directory_people {
	struct directory_person *items;
	size_t count;
	char *next; /* cursor of the next page, or NULL */
};
void directory_people_clear(struct directory_people *people);
#define _cleanup_people_ _cleanup_(directory_people_clear)

struct directory_query {
	const char *text; /* how a name, login, mail address or number begins; "": everybody */
	/* Or exactly this holder's field ("user", "upn", "email") with this value; NULL: text. */
	const char *field, *value;
	size_t limit;	   /* 1 to DIRECTORY_PAGE_MAX */
	const char *after; /* a cursor that came with the last page, or NULL */
};

struct directory_driver {
	const char *kind; /* "ldap" */
	/* Checks a connection document: ERROR_INVALID_CONNECTION with its path. Touches nothing. */
	bool (*check)(const char *document, struct error *);
	/* Name of the index-th secret that a connection may have ("password"), NULL past the end;
	 * NULL: none. */
	const char *(*secret_at)(size_t index);
	/* Whether a secret is well-formed: ERROR_INVALID_ARGUMENT. */
	bool (*check_secret)(
		struct directory *, const char *name, const struct secret *, struct error *);
	/* Reads the connection document into directory->data; errors as check. Asks nobody. */
	bool (*open)(struct directory *, const char *document, struct error *);
	/* Tries the connection step by step, up to the first that fails: false then. */
	bool (*test)(struct directory *, struct connection_steps *);
	/*
	 * One page of people; *people is empty before. Here and below: ERROR_NETWORK_FAILED or
	 * ERROR_TIMEOUT when the directory cannot be asked, ERROR_DIRECTORY_FAILED when it refuses
	 * or its answer makes no sense.
	 */
	bool (*search)(struct directory *, const struct directory_query *,
		struct directory_people *, struct error *);
	/* By id. ERROR_NOT_FOUND means that there is no such person (any more); no other error
	 * does.
	 */
	bool (*get)(struct directory *, const char *id, struct directory_person *, struct error *);
	/* By login name or UPN. ERROR_NOT_FOUND; ERROR_INVALID_ARGUMENT when several have it. */
	bool (*find)(
		struct directory *, const char *login, struct directory_person *, struct error *);
	/*
	 * Proves a person by their password. ERROR_ACCESS_DENIED, alike for a wrong password, an
	 * unknown and a disabled person. An empty password is refused without asking (RFC 4513,
	 * 5.1.2). NULL: the directory proves nobody.
	 */
	bool (*authenticate)(struct directory *, const char *login, const struct secret *password,
		struct directory_person *, struct error *);
	/* Name of the index-th holder's field that the connection may fill ("email"), NULL past the
	 * end; a NULL function: nobody knows. */
	const char *(*field_at)(struct directory *, size_t index);
	void (*close)(struct directory *);
};

struct directory {
	const struct directory_driver *driver;
	const struct connection_services *services;
	char *name; /* of the connection */
	void *data; /* the driver's */
};

/* Its kinds of connections. */
extern const struct connection_family directory_family;

/* Has what is kept open for a connection closed: its secrets are others now. */
void directory_forget(const struct connection_services *services, const char *connection);

/*
 * Opens the directory of a stored connection. NULL with ERROR_NOT_FOUND, ERROR_NOT_SUPPORTED for a
 * connection that is no directory, ERROR_INVALID_CONNECTION.
 */
struct directory *directory_open(
	const struct connection_services *services, const char *name, struct error *error);
void directory_close(struct directory *directory);
DEFINE_CLEANUP(struct directory *, directory_close);
#define _cleanup_directory_ _cleanup_(directory_closep)

#endif
