/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Binding to a directory as an account of Kerberos: SASL GSSAPI (RFC 4752). */
#ifndef TESSERA_DIRECTORY_LDAP_KERBEROS_H
#define TESSERA_DIRECTORY_LDAP_KERBEROS_H

#include "core/kerberos.h"
#include "directory/ldap-link.h"

/*
 * Binds a connection without TLS as the account; what is said on it from then on is sealed by
 * Kerberos, so that servers which want it signed take it. ERROR_DIRECTORY_FAILED: the directory
 * does not take the account.
 */
bool ldap_link_bind_kerberos(
	struct ldap_link *link, struct kerberos_account *account, struct error *error);

#endif
