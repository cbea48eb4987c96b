/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "directory/ldap-kerberos.h"

#include <sasl/sasl.h>

#include "directory/ldap-private.h"

/* Whom it wants to act as (SASL_CB_USER) is the account itself; nothing else is asked for. */
static int answer(LDAP *ldap, unsigned flags, void *context, void *questions)
{
	(void)ldap;
	(void)flags;
	(void)context;
	for (sasl_interact_t *question = questions; question->id != SASL_CB_LIST_END; question++) {
		question->result = "";
		question->len = 0;
	}
	return LDAP_SUCCESS;
}

/* Host names are those of the settings: what DNS would put in their place is not protected. */
static bool set_options(LDAP *ldap)
{
	return ldap_set_option(ldap, LDAP_OPT_X_SASL_NOCANON, LDAP_OPT_ON) == LDAP_SUCCESS &&
	       ldap_set_option(ldap, LDAP_OPT_X_SASL_SECPROPS, "noanonymous,minssf=56") ==
		       LDAP_SUCCESS;
}

bool ldap_link_bind_kerberos(
	struct ldap_link *link, struct kerberos_account *account, struct error *error)
{
	if (!set_options(link->ld))
		return error_set(error, ERROR_FAILED, "libldap has no SASL");
	if (!kerberos_account_enter(account, error))
		return false;
	int code = ldap_sasl_interactive_bind_s(
		link->ld, NULL, "GSSAPI", NULL, NULL, LDAP_SASL_QUIET, answer, NULL);
	kerberos_account_leave();
	return code == LDAP_SUCCESS || ldap_link_fail(link, code, "Kerberos bind", error);
}
