/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Signatures that a job wants of an operator's card, as that of an enrollment agent: given while
 * the job is followed. The PIN is read once (--operator-pin-file, or the terminal) and kept in
 * locked memory until the command ends.
 */
#ifndef TESSERA_CLI_SIGNER_H
#define TESSERA_CLI_SIGNER_H

#include "cli/arguments.h"
#include "common/error.h"

/*
 * Gives the signature that the job at path wants. After a failure the job is told that there will
 * be none, and ends. What was asked of somebody else, or is wanted no more, is no error.
 */
bool signer_answer(struct invocation *invocation, const char *path, struct error *error);

/* Whether a signature could not be given: that is nothing about the card of the job. */
bool signer_has_failed(const struct invocation *invocation);

void signer_free(struct signer *signer);

#endif
