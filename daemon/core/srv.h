/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where a service is, by DNS: SRV records (RFC 2782). libresolv is known to srv.c alone. Answers
 * are hostile input: DNS is not protected, so that whoever connects has to have the server prove
 * its name.
 */
#ifndef TESSERA_CORE_SRV_H
#define TESSERA_CORE_SRV_H

#include <stdint.h>

#include "common/error.h"

/* So many are told, the first of the order; a domain may have hundreds. */
#define SRV_TARGETS_MAX 32

struct srv_target {
	char *host; /* a DNS name without the dot at its end: letters, digits, '-', '_' and '.' */
	uint16_t port;
	uint16_t priority, weight;
};

struct srv_targets {
	struct srv_target *items;
	size_t count;
};
#define SRV_TARGETS_INIT                                                                           \
	{                                                                                          \
		0                                                                                  \
	}
#define _cleanup_srv_targets_ _cleanup_(srv_targets_clear)

/*
 * Asks DNS for "_service._proto.domain", without the machine's search list. server: "192.0.2.53",
 * "192.0.2.53:5353", "2001:db8::53", "[::1]:5353"; NULL: those of resolv.conf. timeout_ms: about
 * how long, over all servers. *targets (replaced) are in the order in which they are to be tried:
 * by priority, those of one priority drawn by weight, anew at each call; at least one.
 * ERROR_NOT_FOUND: there is no such name, no such record, or the service is said not to be there
 * (target "."); ERROR_INVALID_ARGUMENT: no such name or server can be; ERROR_TIMEOUT: nobody
 * answers; ERROR_NETWORK_FAILED: the answer is a refusal or makes no sense. All name the name.
 */
bool srv_find(const char *name, const char *server, unsigned timeout_ms,
	struct srv_targets *targets, struct error *error);
void srv_targets_clear(struct srv_targets *targets);

/* Whether a text can be a server's address for srv_find. */
bool srv_server_is_valid(const char *text);
/* Whether a text can be a host's or domain's name: labels of 1 to 63 letters, digits, '-' and '_';
 * 253 bytes at most, no dot at its end. */
bool srv_name_is_valid(const char *text);

/*
 * For tests, the halves of srv_find: the SRV records of an answer, as they stand there. False when
 * it is no message of DNS or one of its records is malformed. Further records are none of ours.
 */
bool srv_parse(const uint8_t *answer, size_t length, struct srv_targets *targets);
/* Puts them in order; draw: a number from 0 to limit, each as likely. */
void srv_order(struct srv_targets *targets, uint32_t (*draw)(uint32_t limit));

#endif
