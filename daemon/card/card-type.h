/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Card types are data: one table says what each is and what its factory gave it. */
#ifndef TESSERA_CARD_CARD_TYPE_H
#define TESSERA_CARD_CARD_TYPE_H

#include <stddef.h>
#include <stdint.h>

/* The first type of the table whose every condition holds is a card's type. */
struct card_type {
	const char *name;   /* "yubikey-5" */
	const char *driver; /* struct card_driver's name */
	/* Hex of an answer to reset, and of the bits of it that count; NULL: any. */
	const char *atr, *atr_mask;
	unsigned firmware_from, firmware_to; /* 0x050403, both included; 0, 0: it tells none */
	const char *title;		     /* for people; followed by the firmware version */
	const char *manufacturer;
	unsigned algorithms; /* bit (1 << enum key_algorithm) for each it generates */
	const char *factory_pin, *factory_puk;
	const char *factory_admin_key;	 /* hex; NULL when each card has its own */
	uint8_t factory_admin_algorithm; /* PIV algorithm reference */
};

/* NULL when none fits. firmware: 0 when the card does not tell. */
const struct card_type *card_type_match(
	const char *driver, const uint8_t *atr, size_t atr_length, unsigned firmware);
/* NULL for an unknown name. */
const struct card_type *card_type_find(const char *name);
/* The types one after the other; NULL past the end. */
const struct card_type *card_type_at(size_t index);

#endif
