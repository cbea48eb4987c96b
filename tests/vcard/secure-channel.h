/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Secure messaging of the card: SCP03 (GlobalPlatform Card Specification 2.3 Amendment D 1.1.2,
 * 6.2) with AES-128, MACs of 8 bytes and the security level of all four: commands and responses
 * are encrypted and carry a MAC.
 */
#ifndef TESSERA_VCARD_SECURE_CHANNEL_H
#define TESSERA_VCARD_SECURE_CHANNEL_H

#include "vcard/apdu.h"

#define SECURE_KEY_LENGTH   16
#define SECURE_BLOCK_LENGTH 16
#define SECURE_MAC_LENGTH   8 /* of a command or response; a whole MAC is a block */

/* All zero while there is no channel. */
struct secure_channel {
	bool is_open;
	uint8_t enc[SECURE_KEY_LENGTH];
	uint8_t mac[SECURE_KEY_LENGTH];
	uint8_t rmac[SECURE_KEY_LENGTH];
	uint8_t chaining[SECURE_BLOCK_LENGTH]; /* the last command's whole MAC */
	uint32_t counter;		       /* of the last command; the first is 1 */
};

/* AES-CMAC with a key of 16 bytes (NIST SP 800-38B). */
bool secure_mac(const uint8_t *key, const struct buffer *message, uint8_t *mac);

/* Begins with session keys S-ENC, S-MAC, S-RMAC, and the first MAC chaining value. */
void secure_channel_open(
	struct secure_channel *channel, const uint8_t *keys, const uint8_t *chaining);

/*
 * Checks the next command's MAC and puts its deciphered data into *data. False if the command is
 * not the one that is due, from who has the keys: then the channel has to be closed.
 */
bool secure_channel_unwrap(
	struct secure_channel *channel, const struct apdu *apdu, struct buffer *data);

/* Enciphers the data of a response to the last command and appends its MAC. */
bool secure_channel_wrap(
	const struct secure_channel *channel, uint16_t status, struct buffer *data);

/* Wipes the keys. */
void secure_channel_close(struct secure_channel *channel);

#endif
