/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Active Directory (MS-ADTS) as a directory of people. Its domain controllers are found by DNS and
 * asked by LDAP, as an account of Kerberos, which seals what is said, or by a password over TLS.
 */
#ifndef TESSERA_DIRECTORY_ACTIVE_DIRECTORY_H
#define TESSERA_DIRECTORY_ACTIVE_DIRECTORY_H

#include "directory/directory.h"

extern const struct directory_driver active_directory_driver;

#endif
