/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The part of issue that works on the card, apart from finding it. */
#ifndef TESSERA_OPERATION_ISSUE_H
#define TESSERA_OPERATION_ISSUE_H

#include "operation/session.h"

/*
 * Issues session->card, which is held; sets session->credential. On failure the card is recovered
 * at once if it is still there. Errors: as operation_issue.
 */
bool issue_card(struct session *session, const char *template_name, const struct fields *holder,
	struct error *error);

#endif
