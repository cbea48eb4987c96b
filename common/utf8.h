/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* UTF-8 (RFC 3629). */
#ifndef TESSERA_COMMON_UTF8_H
#define TESSERA_COMMON_UTF8_H

/* Replaces every byte that is no part of a whole character by '?', in place. */
void utf8_repair(char *text);

#endif
