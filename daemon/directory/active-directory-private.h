/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files active-directory* share. */
#ifndef TESSERA_DIRECTORY_ACTIVE_DIRECTORY_PRIVATE_H
#define TESSERA_DIRECTORY_ACTIVE_DIRECTORY_PRIVATE_H

#include "connection/kerberos-settings.h"
#include "directory/ldap.h"

struct active_directory {
	struct ldap_directory ldap; /* first: the functions of ldap.h are given this */
	char *domain;		    /* "lab.test" */
	char *realm;		    /* "LAB.TEST" */
	struct kerberos_settings kerberos;
};

/* Reads a document. ERROR_INVALID_CONNECTION. On failure the caller clears, too. */
bool active_directory_read(
	const char *document, struct active_directory *directory, struct error *error);
void active_directory_clear(struct active_directory *directory);

#endif
