/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tickets of a Kerberos account for services that libraries talk to (SASL's GSSAPI), and passwords
 * that a KDC knows. No ticket leaves memory, and no environment variable is touched: other threads
 * have other accounts.
 */
#ifndef TESSERA_CORE_KERBEROS_H
#define TESSERA_CORE_KERBEROS_H

#include "common/error.h"
#include "common/secret.h"
#include "core/http.h"

/* An account with its tickets: of a keytab, in a cache of its own; else those that others keep. */
struct kerberos_account;

/*
 * Gets the account's ticket from its KDC, and that for the service, which account->service names in
 * full ("ldap/dc1.lab.test@LAB.TEST"). timeout_ms: for it all. ERROR_TIMEOUT; ERROR_NETWORK_FAILED
 * says in words which ticket there is none of, and why.
 */
struct kerberos_account *kerberos_account_open(
	const struct http_negotiate *account, unsigned timeout_ms, struct error *error);
void kerberos_account_close(struct kerberos_account *account);
DEFINE_CLEANUP(struct kerberos_account *, kerberos_account_close);
/* "svc@LAB.TEST"; the account's. */
const char *kerberos_account_name(const struct kerberos_account *account);
/* The cache of its tickets, "MEMORY:..."; the account's. */
const char *kerberos_account_cache(const struct kerberos_account *account);

/* From here to kerberos_account_leave this thread's GSS-API has the account's tickets. */
bool kerberos_account_enter(struct kerberos_account *account, struct error *error);
void kerberos_account_leave(void);

/*
 * Whether a password is that of the principal ("ada@LAB.TEST"), by its KDC. The account proves that
 * it was the KDC who said so: the principal's ticket has to be good for a ticket to the account
 * itself (user to user, RFC 4120, 3.7), which only the KDC that has both keys can make.
 * ERROR_ACCESS_DENIED alike for a wrong password, no such principal, one that is disabled, locked,
 * expired, or has to change its password; ERROR_NETWORK_FAILED, ERROR_TIMEOUT: nobody could be
 * asked, or who answers is no KDC of the account's. The password is no empty one.
 */
bool kerberos_check_password(struct kerberos_account *account, const char *principal,
	const struct secret *password, unsigned timeout_ms, struct error *error);

#endif
