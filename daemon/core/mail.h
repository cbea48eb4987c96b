/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Mail that the service sends, by SMTP (RFC 5321); libcurl is known to mail.c alone. A message is
 * plain text in UTF-8 to one recipient. Nothing of an address, a subject or a text can become a
 * header or a command: addresses are of plain ASCII (mail_address_is_valid), subjects are encoded
 * words (RFC 2047) and texts base64 (RFC 2045).
 */
#ifndef TESSERA_CORE_MAIL_H
#define TESSERA_CORE_MAIL_H

#include <stdint.h>

#include "common/error.h"
#include "common/secret.h"

enum mail_security {
	MAIL_STARTTLS, /* the connection is secured before anything is said */
	MAIL_TLS,      /* from the first byte on */
	MAIL_PLAIN     /* never */
};

/* TLS has to be version 1.2 or newer, and the server has to prove its name. */
struct mail_server {
	const char *host; /* a name or an IPv4 address */
	unsigned port;
	enum mail_security security;
	const char *ca_file;	       /* PEM to trust instead of the system's, or NULL */
	const char *user;	       /* or NULL: it is not said who sends */
	const struct secret *password; /* of the user */
	unsigned timeout_ms;	       /* for everything together */
};

struct mail_message {
	const char *from, *to; /* addresses that are valid */
	const char *subject;
	const char *text; /* lines end with \n */
	const char *id;	  /* the same when it is sent again: letters, digits, '-' and '.' */
	int64_t date;	  /* seconds since 1970 */
};

/* local-part@domain of ASCII, without quotes, comments and address literals, at most 254 bytes. */
bool mail_address_is_valid(const char *address);
/* The whole message as it is sent, lines ending with \r\n (RFC 5322); heap. */
char *mail_compose(const struct mail_message *message);

/*
 * Gives the message to the server. ERROR_INVALID_ARGUMENT when the server refuses it for good (a
 * reply 5xx to recipient, sender or message), ERROR_NETWORK_FAILED and ERROR_TIMEOUT when it may be
 * tried again.
 */
bool mail_send(
	const struct mail_server *server, const struct mail_message *message, struct error *error);
/* How far a connection comes that sends nothing. */
enum mail_reach { MAIL_REACH_NOTHING, MAIL_REACH_NAME, MAIL_REACH_SERVER, MAIL_REACH_LOGIN };
/* Connects, secures the connection, logs in. Errors as above; *reach is set in any case. */
bool mail_try(const struct mail_server *server, enum mail_reach *reach, struct error *error);

#endif
