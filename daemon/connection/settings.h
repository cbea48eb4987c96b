/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Members that the connection documents of several kinds share. Complaints are
 * ERROR_INVALID_CONNECTION with their place.
 */
#ifndef TESSERA_CONNECTION_SETTINGS_H
#define TESSERA_CONNECTION_SETTINGS_H

#include "model/document.h"

#define SETTINGS_TEXT_MAX    1024 /* bytes of any text */
#define SETTINGS_SECONDS_MAX 600

/* An optional text, copied; *text (heap) stays as it is without one. */
bool settings_read_text(
	const struct document_node *object, const char *member, char **text, struct error *error);
/* The same of a pattern of holder fields. */
bool settings_read_pattern(const struct document_node *object, const char *member, char **pattern,
	struct error *error);
/* An optional number of seconds, minimum to SETTINGS_SECONDS_MAX. */
bool settings_read_seconds(const struct document_node *root, const char *member, int64_t minimum,
	int64_t fallback, int64_t *seconds, struct error *error);
/* The same as settings_read_text of a path with / at its beginning. */
bool settings_read_path(
	const struct document_node *root, const char *member, char **path, struct error *error);
/* How long a service may take. */
struct settings_times {
	int64_t timeout_seconds; /* of one request */
	int64_t retry_seconds;	 /* in all, when the service is busy or an answer was lost */
	int64_t pickup_seconds;	 /* for a pending certificate, before it is left to be collected */
};
/* Members of these names, with '-'. */
bool settings_read_times(
	const struct document_node *root, struct settings_times *times, struct error *error);
/*
 * "url", required: https:// and a host with nothing behind it; heap, as settings_host_of() gives
 * it. NULL for any other.
 */
char *settings_read_host(const struct document_node *root, struct error *error);
/*
 * "client-key", the pkcs11: URI of a client certificate's key, which is refused unless a client
 * certificate is what authenticates.
 */
bool settings_read_client_key(
	const struct document_node *root, bool by_certificate, char **uri, struct error *error);

/* Whether a host is this machine: "localhost", or an address of the loopback network as such. */
bool settings_host_is_local(const char *host);

/*
 * The host, with a port if there is one, of an https:// address without user, query and fragment
 * (heap), and *path, which points behind it into the address. NULL for any other address.
 */
char *settings_host_of(const char *url, const char **path);

#endif
