/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A KDC and web services for Kerberos around a test program (tests/servers/kdc, kerberos-web). */
#ifndef TESSERA_TESTS_KERBEROS_FIXTURE_H
#define TESSERA_TESTS_KERBEROS_FIXTURE_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Starts the KDC, in this program's folder of its own, and points Kerberos to it (KRB5_CONFIG); the
 * cache of tickets by default does not exist. Then the services:
 *     SERVICE_PORT        one node; nodes.pem has its certificate
 *     NODES_PORT          four nodes, whose certificates are signed with different hashes
 *     OLD_PORT            with the key that it had before
 * Ends the program when one of them does not start.
 */
void kerberos_start(void);
/* Ends them, and removes the folder. */
void kerberos_stop(void);
/* FOLDER/NAME; one of at most 64, which stay. Not for several threads. */
const char *kerberos_path(const char *name);
/* Runs a line of shell in the folder; true when its status is 0. */
bool kerberos_run(const char *line);

#define KDC_PORT     18088
#define SERVICE_PORT 18443
#define NODES_PORT   18444
#define OLD_PORT     18445

#endif
