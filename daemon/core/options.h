/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tesserad's configuration file: lines of `key = value`, comments after '#' at
 * the start of a line. Every unknown key and wrong value is an error.
 *
 *    state-dir        folder of the store and the embedded token; LOCALSTATEDIR/lib/tessera
 *    socket           path of the private socket; /run/tessera/bus
 *    bus              system, none: whether to serve the system bus, too; system
 *    admin-group      members may manage cards; tessera-admin
 *    token-module     PKCS#11 module of the token; unset: the embedded SoftHSM2
 *    token-label      label of the token; tessera
 *    token-pin-file   file with its PIN, for the unattended mode; where it is not set,
 *                     $CREDENTIALS_DIRECTORY/token-pin or SYSCONFDIR/tessera/token-pin is taken
 *                     where it is there, and otherwise an owner's card unlocks the token
 *    token-uri        pkcs11: URI of the token (token/token-uri.h), in place of the two above;
 * unset token-uri-old    pkcs11: URI of the token, or "embedded", that holds earlier master keys;
 * unset rotate-at-contact  yes, no: whether cards of an older master key change over at their next
 *                     contact; no
 *    remote-readers   off, operators, everyone: whom cards in readers that agents offer are for;
 *                     operators (docs/security.md)
 *    remote-ownership  yes, no: whether such a card may be given new secrets in the clear; no
 *    remote-encryption  required, optional: whether cards that cannot have an encrypted channel are
 *                     let in from such readers; optional
 *    scp11-ca         PEM file of the CAs whose cards are trusted to be cards, for that channel;
 *                     unset: there is none
 *    login-timeout    minutes without use after which an operator is logged out, 1 to 1440; 15
 *    task-overdue     hours after which a task is overdue, 1 to 720; 24
 *    directory-hours  hours between looks at the people of directories whose cards are in use, 0 to
 *                     720, 0 is never; 24
 *    command-dir      folder of the programs that connections may name to be run (core/command.h);
 *                     SYSCONFDIR/tessera/commands
 *    publish-dir      folder for the local CA's certificate and revocation list; unset: nowhere
 *    activation-url           https address of the service that turns codes into licences; unset
 *    activation-ca-file       what that service is trusted by; unset: the system's certificates
 *    licence-public-key-file  what licences are verified with; unset: evaluation mode
 *    data-dir         folder of the shipped types, templates and connections; PKGDATADIR
 *    token-program    the program that the modules of slots run in; PKGLIBEXECDIR/tessera-token
 *    audit-syslog     yes, no: whether audit records go to the journal or syslog, too; no
 *    log-level        error, warning, notice, info, debug; info
 */
#ifndef TESSERA_CORE_OPTIONS_H
#define TESSERA_CORE_OPTIONS_H

#include "common/error.h"
#include "common/log.h"
#include "common/macros.h"

/* The value of token-uri-old that means the SoftHSM2 in the state folder. */
#define TOKEN_EMBEDDED "embedded"

enum remote_readers { REMOTE_READERS_OFF, REMOTE_READERS_OPERATORS, REMOTE_READERS_EVERYONE };

/* Strings are heap, never NULL but for token_module (embedded) and those that say unset above. */
struct options {
	char *state_dir;
	char *socket;
	bool use_system_bus;
	char *admin_group;
	char *token_module;
	char *token_label;
	char *token_pin_file;
	char *token_uri, *token_uri_old;
	bool rotate_at_contact;
	enum remote_readers remote_readers;
	bool remote_ownership;
	bool remote_encryption; /* is required */
	char *scp11_ca;
	bool token_pin_required;  /* the file was asked for: its absence is an error */
	unsigned login_timeout;	  /* minutes */
	unsigned task_overdue;	  /* hours */
	unsigned directory_hours; /* 0: never */
	char *command_dir;
	char *publish_dir;
	char *activation_url;
	char *activation_ca_file;
	char *licence_public_key_file;
	char *data_dir;
	char *token_program;
	bool audit_syslog;
	enum log_level log_level;
};
#define OPTIONS_INIT                                                                               \
	{                                                                                          \
		0                                                                                  \
	}
#define _cleanup_options_ _cleanup_(options_clear)
void options_clear(struct options *options);

/*
 * Reads the file; path NULL: SYSCONFDIR/tessera/tesserad.conf, which need not exist. All members
 * are set on success. ERROR_INVALID_ARGUMENT with "FILE:LINE: " before the message, ERROR_FAILED
 * for a file that cannot be read.
 */
bool options_read(struct options *options, const char *path, struct error *error);

#endif
