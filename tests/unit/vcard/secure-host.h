/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The host's side of SCP11b and SCP03, for tests of the virtual card. It is written for itself,
 * from block cipher and hash on, and shares nothing with the card's side. Every helper fails the
 * test.
 */
#ifndef TESSERA_TESTS_UNIT_VCARD_SECURE_HOST_H
#define TESSERA_TESTS_UNIT_VCARD_SECURE_HOST_H

#include <openssl/x509.h>

#include "vcard/vcard.h"

#define OPEN_HEADER	  "80880113"
#define SELECT_DOMAIN	  "00A4040008A000000151000000"
#define TELL_KEYS	  "00CA00E0 00"
#define TELL_CERTIFICATES "00CABF21 06 A60483021301 00"

/* A CA for cards, as its file holds it; remove with issuer_free(). */
struct test_issuer {
	char *folder;
	char *path;	 /* an intermediate CA's key and certificate, and the root's certificate */
	char *root_path; /* the root as the issuing CA: its key and certificate alone */
	X509 *root;
};
struct test_issuer *test_issuer_new(void);
void test_issuer_free(struct test_issuer *issuer);

struct host {
	EVP_PKEY *ephemeral;
	uint8_t enc[16], mac[16], rmac[16];
	uint8_t chaining[16];
	uint32_t counter;
	bool sends_no_padding; /* for a command without data, in place of a block of padding */
	bool is_short;	       /* sends short commands, and not extended ones */
};
void host_clear(struct host *host);
#define _cleanup_host_ _cleanup_(host_clear)

/* Functions of the protocol: AES-CMAC (RFC 4493), and X9.63's key derivation with SHA-256. */
void host_cmac(const uint8_t *key, const struct buffer *message, uint8_t *mac);
void host_kdf(struct reader secret, struct reader info, uint8_t *out, size_t length);

/* A YubiKey 5.7.2 of this CA with PIV selected. */
struct vcard *open_scp11_card(const struct test_issuer *issuer);

/* All data of an answer that may come in pieces. */
uint16_t transmit_all(struct vcard *card, const char *command, struct buffer *data);

/* The card's certificates, leaf last, after which PIV is selected. Caller frees each. */
size_t host_certificates(struct vcard *card, X509 **certificates, size_t maximum);

/* Data of INTERNAL AUTHENTICATE with a new key of the host. */
void host_request(struct host *host, struct buffer *data);
/* Takes the card's answer to that data: checks the receipt, and has the session keys then. */
void host_accept(struct host *host, X509 *leaf, struct reader data, struct reader answer);
/* All of it, to PIV. */
void host_open(struct host *host, struct vcard *card);

/* The next command, protected; its plain form is hex, and short. */
void host_wrap(struct host *host, const char *command, struct buffer *wrapped);
/* With the data as bytes, after a header of hex. Only padded data is what a host sends. */
enum data_form { DATA_PADDED, DATA_WITHOUT_PADDING, DATA_IN_CLEAR };
void host_wrap_data(struct host *host, const char *header, const void *bytes, size_t length,
	enum data_form form, struct buffer *wrapped);

/* Sends what was wrapped last and takes the answer apart, which may come in pieces. */
uint16_t host_transmit(
	struct host *host, struct vcard *card, const struct buffer *wrapped, struct buffer *data);
/* Wraps and sends; data may be NULL. */
uint16_t host_send(struct host *host, struct vcard *card, const char *command, struct buffer *data);
void assert_secure(struct host *host, struct vcard *card, const char *command, unsigned status);
void assert_secure_answer(
	struct host *host, struct vcard *card, const char *command, const char *answer);

#endif
