/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A family of kinds of connections: certification authorities, directories, mail. What all kinds
 * have (a document, sealed secrets, a test) goes through this; what only some can do is the
 * family's own.
 */
#ifndef TESSERA_CONNECTION_FAMILY_H
#define TESSERA_CONNECTION_FAMILY_H

#include "connection/services.h"
#include "connection/steps.h"

/* `kind` is an index for kind_at, `connection` the name of a stored one. */
struct connection_family {
	/* Name of the index-th kind ("local-ca"), NULL past the end. */
	const char *(*kind_at)(size_t index);
	/* Checks a connection document: ERROR_INVALID_CONNECTION with its path. Touches nothing. */
	bool (*check)(size_t kind, const char *document, struct error *);
	/* Name of the index-th secret that such a connection may have ("api-key"), NULL past the
	 * end. */
	const char *(*secret_at)(size_t kind, size_t index);
	/* Whether a secret, of a name that the kind has, is well-formed: ERROR_INVALID_ARGUMENT. */
	bool (*check_secret)(const struct connection_services *, const char *connection,
		const char *name, const struct secret *, struct error *);
	/* Makes what is needed before the first use; does nothing when it is there. NULL: nothing
	 * is. */
	bool (*prepare)(const struct connection_services *, const char *connection, struct error *);
	/* Tries the connection step by step, up to the first that fails: *works is false then. An
	 * error when it cannot be tried. */
	bool (*test)(const struct connection_services *, const char *connection,
		struct connection_steps *, bool *works, struct error *);
	/* Removes what is kept of a connection besides its document and secrets. NULL: nothing is.
	 */
	bool (*forget)(struct store *, const char *connection, struct error *);
};

#endif
