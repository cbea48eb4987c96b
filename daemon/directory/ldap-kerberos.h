/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Binding to a directory as an account of Kerberos: SASL GSSAPI (RFC 4752). */
#ifndef TESSERA_DIRECTORY_LDAP_KERBEROS_H
#define TESSERA_DIRECTORY_LDAP_KERBEROS_H

#include <ldap.h>

#include "common/error.h"
#include "core/kerberos.h"

/*
 * Binds a connection without TLS as the account; what is said on it from then on is sealed by
 * Kerberos, so that servers which want it signed take it. ERROR_ACCESS_DENIED: the directory does
 * not take the account; ERROR_NETWORK_FAILED, ERROR_TIMEOUT.
 */
bool ldap_kerberos_bind(LDAP *ldap, struct kerberos_account *account, struct error *error);

#endif
