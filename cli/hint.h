/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a person can do about an error. */
#ifndef TESSERA_CLI_HINT_H
#define TESSERA_CLI_HINT_H

#include "common/error.h"

/* One sentence, or NULL where nothing better than the message is known. subject: of the command;
 * may be NULL. */
const char *hint_for(enum error_code code, const char *subject);

#endif
