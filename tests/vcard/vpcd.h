/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The card's end of vsmartcard's virtual reader: a TCP connection is an
 * inserted card. Messages are two bytes of length, big-endian, and data; a
 * message of one byte is a control code of the reader.
 */
#ifndef TESSERA_VCARD_VPCD_H
#define TESSERA_VCARD_VPCD_H

#include "vcard/vcard.h"

/* Connects once. Returns the socket, or -1 with error filled (ERROR_NO_READER_SERVICE). */
int vpcd_connect(const char *host, const char *port, struct error *error);

/*
 * Reads one message and answers it. False when the reader closed the connection
 * or the card vanished (vcard_is_gone() tells which): the caller closes fd.
 */
bool vpcd_serve(int fd, struct vcard *card);

#endif
