/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an enrollment agent is asked to sign. The agent's key can ask for a certificate of anybody:
 * whoever signs sees for whom, whatever tesserad says that it is.
 */
#ifndef TESSERA_CLI_SIGNED_CONTENT_H
#define TESSERA_CLI_SIGNED_CONTENT_H

#include "common/buffer.h"
#include "common/error.h"

/*
 * Reads the content: *account (heap, for a terminal) is whom a certificate is asked for by the
 * signed attributes of a CMS message (RFC 5652, 5.4) with the attribute 1.3.6.1.4.1.311.13.2.1
 * (MS-WCCE 2.2.2.7.10), or NULL for the proof that the card is there. ERROR_ACCESS_DENIED for
 * anything else, which is not to be signed.
 */
bool signed_content_read(const struct buffer *content, char **account, struct error *error);

#endif
