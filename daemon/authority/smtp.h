/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Connections of kind "smtp": the server that mail is given to, from whom it is, and which
 * operators get alarms. They are no authorities, and live here since documents, sealed secrets and
 * tests of connections are the same for all kinds: whatever is about certificates answers
 * ERROR_NOT_SUPPORTED, so that no template can name one.
 */
#ifndef TESSERA_AUTHORITY_SMTP_H
#define TESSERA_AUTHORITY_SMTP_H

#include "authority/authority.h"
#include "core/mail.h"

#define SMTP_KIND "smtp"

extern const struct authority_driver smtp_driver;

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

/* Of an authority of this kind. */
const struct smtp_settings *smtp_settings(const struct authority *authority);
/* The server with its password, which secret holds: clear it. ERROR_NOT_FOUND, ERROR_LOCKED. */
bool smtp_server(struct authority *authority, struct mail_server *server, struct secret *secret,
	struct error *error);

#endif
