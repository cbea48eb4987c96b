/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Connections of kind "smtp": the server that mail is given to, from whom it is, and which
 * operators get alarms.
 */
#ifndef TESSERA_CONNECTION_SMTP_H
#define TESSERA_CONNECTION_SMTP_H

#include "connection/family.h"
#include "core/mail.h"

#define SMTP_KIND "smtp"

extern const struct connection_family mail_family;

struct smtp_settings {
	char *host;
	int64_t port;
	enum mail_security security;
	char *ca_file, *user; /* or NULL */
	char *from;
	char **to; /* operators */
	size_t to_count;
	int64_t timeout_seconds;
};

struct smtp {
	const struct connection_services *services;
	char *connection;
	struct smtp_settings settings;
};

/* Opens a stored connection of this kind. NULL with ERROR_NOT_FOUND, ERROR_INVALID_CONNECTION. */
struct smtp *smtp_open(
	const struct connection_services *services, const char *connection, struct error *error);
void smtp_close(struct smtp *smtp);
DEFINE_CLEANUP(struct smtp *, smtp_close);
#define _cleanup_smtp_ _cleanup_(smtp_closep)

/* The server with its password, which secret holds: clear it. ERROR_INVALID_CONNECTION,
 * ERROR_LOCKED. */
bool smtp_server(
	struct smtp *smtp, struct mail_server *server, struct secret *secret, struct error *error);

#endif
