/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Status words (ISO/IEC 7816-4, 5.6; SP 800-73-4 part 1, table 6): one table
 * of what each means for the caller.
 */
#ifndef TESSERA_CARD_STATUS_WORD_H
#define TESSERA_CARD_STATUS_WORD_H

#include <stdint.h>

#include "common/error.h"

#define SW_SUCCESS		    0x9000
#define SW_VERIFICATION_FAILED	    0x6300
#define SW_WRONG_LENGTH		    0x6700
#define SW_NO_SECURE_MESSAGING	    0x6882
#define SW_SECURITY_NOT_SATISFIED   0x6982
#define SW_BLOCKED		    0x6983
#define SW_CONDITIONS_NOT_SATISFIED 0x6985
#define SW_SECURE_MESSAGING_MISSING 0x6987
#define SW_SECURE_MESSAGING_WRONG   0x6988
#define SW_APPLET_SELECT_FAILED	    0x6999
#define SW_WRONG_DATA		    0x6A80
#define SW_FUNCTION_NOT_SUPPORTED   0x6A81
#define SW_FILE_NOT_FOUND	    0x6A82
#define SW_WRONG_PARAMETERS	    0x6A86
#define SW_REFERENCE_NOT_FOUND	    0x6A88
#define SW_WRONG_P1_P2		    0x6B00
#define SW_INS_NOT_SUPPORTED	    0x6D00
#define SW_CLA_NOT_SUPPORTED	    0x6E00

/* True for 63Cx; *tries is then the number of tries left. */
bool status_word_tries(uint16_t status, unsigned *tries);

/*
 * True for 9000. Otherwise false with the error that the table gives: 63Cx is
 * ERROR_PIN_WRONG with the tries left as detail, ERROR_PIN_BLOCKED when none
 * is; all others have the status word as detail. what: the command, for the message ("PUT DATA").
 */
bool status_word_check(uint16_t status, const char *what, struct error *error);

#endif
