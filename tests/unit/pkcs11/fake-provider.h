/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A stand-in for tesserad's private socket: org.tessera1.Provider with software keys, in a process
 * of its own that a test can command, freeze or kill.
 */
#ifndef TESSERA_TESTS_FAKE_PROVIDER_H
#define TESSERA_TESTS_FAKE_PROVIDER_H

#include <stdint.h>
#include <sys/types.h>

#include <openssl/evp.h>

#define FAKE_PIN "123456"

/* The card's keys: 9A RSA 2048, 9C P-256 (PIN for each use), 9D P-384, 9E P-256 (never a PIN). */
enum fake_key { FAKE_9A, FAKE_9C, FAKE_9D, FAKE_9E, FAKE_KEY_COUNT };

struct fake {
	char *socket;
	pid_t process;
	int control;
	EVP_PKEY *keys[FAKE_KEY_COUNT];
};

/* Starts it on a socket; the keys stay the same after fake_kill and fake_restart. */
struct fake *fake_start(const char *socket);
/* Kills it without a word. */
void fake_kill(struct fake *fake);
void fake_restart(struct fake *fake);
void fake_free(struct fake *fake);

/* One use of a key, as a card does it; answers the length of what is put to out, 0 for a failure.
 */
size_t fake_compute(EVP_PKEY *key, const char *operation, const unsigned char *in, int length,
	unsigned char *out);

/* What fake_command does; each but COUNT and the quiet ones sends TokensChanged. */
enum fake_command {
	FAKE_REMOVE = 'r',	/* the card from reader 1 */
	FAKE_INSERT = 'i',	/* the same card */
	FAKE_OTHER_CARD = 'o',	/* another card in its place, in one step */
	FAKE_NEW_READER = 'n',	/* a second reader, empty */
	FAKE_DROP_READER = 'N', /* the second reader goes */
	FAKE_SUSPEND = 's',
	FAKE_RESUME = 'S',
	FAKE_PIN_NEED = 'p',	  /* no key wants the PIN, says the token; the next time, some do */
	FAKE_RENEW = 'c',	  /* other labels: objects changed */
	FAKE_FORGET_LOGIN = 'f',  /* quietly, as when a card was pulled and put back */
	FAKE_RESET_TRIES = 't',	  /* quietly */
	FAKE_USES = 'u',	  /* quietly: tells the uses in parts that are under way */
	FAKE_SLOW = 'w',	  /* quietly: UseKey takes 400 ms */
	FAKE_FAST = 'W',	  /* quietly */
	FAKE_SHORT_ANSWERS = 'a', /* quietly: UseKey answers one byte too few */
	FAKE_WRONG_SIGNATURE = 'A', /* quietly: answers have the wrong D-Bus type */
	FAKE_NORMAL_ANSWERS = 'b',  /* quietly */
	FAKE_WITH_SLOT = 'h',	    /* a token that is no card: fake-slot.h */
	FAKE_REFUSE = 'x',	    /* quietly: that token refuses the next change */
	FAKE_COUNT = 'q',	    /* only answers */
};

/* Waits until it is done. Answers how many calls came since the last command. */
uint32_t fake_command(struct fake *fake, enum fake_command command);

#endif
