/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Revoking, holding and releasing at Microsoft CS, which has no interface for it but DCOM: by a
 * command that the connection names (core/command.h), or by hand.
 */
#ifndef TESSERA_AUTHORITY_MS_CS_REVOKE_H
#define TESSERA_AUTHORITY_MS_CS_REVOKE_H

#include <stdint.h>

#include "common/error.h"
#include "model/credential.h"
#include "model/document.h"

/* Reasons, MS-CSRA 3.1.4.1.8. */
#define MS_CS_REASON_HOLD    6
#define MS_CS_REASON_RELEASE (-1) /* from hold */

/*
 * "revocation": {"command": ["ssh", ..., "-revoke", "{serial}", "{reason}"], "timeout-seconds": 60}
 */
struct ms_cs_revocation_settings {
	char **command; /* NULL at the end; NULL: revoked by hand */
	int64_t timeout_seconds;
};
/* Does nothing when the document has no such member. Its ERROR_INVALID_CONNECTION. */
bool ms_cs_revocation_parse(const struct document_node *root,
	struct ms_cs_revocation_settings *settings, struct error *error);
void ms_cs_revocation_clear(struct ms_cs_revocation_settings *settings);

/* MS-CSRA's number of a reason; those that it has not are unspecified. */
int ms_cs_reason(const struct revocation_reason *reason);

/*
 * Runs the command with the serial number (of an even number of lower-case hex digits) and the
 * reason in place of {serial} and {reason}; folder as of struct command. Done when it exits with 0
 * and its output says nothing of FAILED. Without a command: ERROR_NOT_SUPPORTED, which says what is
 * to be done at the authority. ERROR_AUTHORITY_FAILED with the command's last line, ERROR_TIMEOUT,
 * and those of command_run().
 */
bool ms_cs_revoke_run(const struct ms_cs_revocation_settings *settings, const char *folder,
	const struct certificate *certificate, int reason, struct error *error);

#endif
