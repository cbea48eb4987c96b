/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files active-directory* share. */
#ifndef TESSERA_DIRECTORY_ACTIVE_DIRECTORY_PRIVATE_H
#define TESSERA_DIRECTORY_ACTIVE_DIRECTORY_PRIVATE_H

#include "connection/kerberos-settings.h"
#include "core/kerberos.h"
#include "directory/ldap.h"

struct active_directory {
	struct ldap_directory ldap; /* first: the functions of ldap.h are given this */
	char *domain;		    /* "lab.test" */
	char *realm;		    /* "LAB.TEST" */
	struct kerberos_settings kerberos;
	char **groups; /* whose members alone are people; none: everybody is */
	size_t group_count;
};

/* Values of one attribute that are asked for at once, and where counting a group's members ends. */
#define ACTIVE_DIRECTORY_RANGE	 250
#define ACTIVE_DIRECTORY_COUNTED 5000

/* Reads a document. ERROR_INVALID_CONNECTION. On failure the caller clears, too. */
bool active_directory_read(
	const char *document, struct active_directory *directory, struct error *error);
void active_directory_clear(struct active_directory *directory);

unsigned active_directory_timeout(const struct active_directory *directory); /* ms */
/* The service's account; service: "ldap/dc1.lab.test", NULL: a ticket to ask for others is enough.
 */
struct kerberos_account *active_directory_account_open(
	const struct active_directory *directory, const char *service, struct error *error);
/* Of struct directory_driver. */
bool active_directory_test(struct directory *directory, struct connection_steps *steps);

#endif
