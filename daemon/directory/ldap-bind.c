/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Proving to a directory who asks, or that a person is who they say. */
#include "directory/ldap-private.h"

/* --- password policy --- */

static enum ldap_password_state state_of(struct ldap_link *link, LDAPControl **controls)
{
	LDAPControl *control =
		ldap_control_find(LDAP_CONTROL_PASSWORDPOLICYRESPONSE, controls, NULL);
	LDAPPasswordPolicyError problem = PP_noError;
	ber_int_t expires, grace;

	if (!control || ldap_parse_passwordpolicy_control(
				link->ld, control, &expires, &grace, &problem) != LDAP_SUCCESS)
		return LDAP_PASSWORD_FINE;
	switch (problem) {
	case PP_passwordExpired:
		return LDAP_PASSWORD_EXPIRED;
	case PP_changeAfterReset:
		return LDAP_PASSWORD_MUST_CHANGE;
	default:
		return LDAP_PASSWORD_FINE;
	}
}

/* --- binding --- */

/* controls may be NULL; state too. */
static bool bind_as(struct ldap_link *link, const char *dn, const char *mechanism,
	struct berval *credentials, LDAPControl **controls, enum ldap_password_state *state,
	struct error *error)
{
	LDAPControl **answered = NULL;
	int id, code = ldap_sasl_bind(link->ld, dn, mechanism, credentials, controls, NULL, &id);

	if (code != LDAP_SUCCESS)
		return ldap_link_fail(link, code, "bind", error);
	LDAPMessage *message = ldap_link_next(link, id, ldap_link_end(link), error);
	if (!message)
		return error_prefix(error, "bind");
	code = ldap_link_result(link, message, &answered, NULL);
	ldap_msgfree(message);
	if (state && answered)
		*state = state_of(link, answered);
	if (answered)
		ldap_controls_free(answered);
	return code == LDAP_SUCCESS || ldap_link_fail(link, code, "bind", error);
}

bool ldap_link_bind_simple(struct ldap_link *link, const char *dn, const struct secret *password,
	enum ldap_password_state *state, struct error *error)
{
	LDAPControl policy = {.ldctl_oid = (char *)LDAP_CONTROL_PASSWORDPOLICYREQUEST};
	LDAPControl *controls[] = {&policy, NULL};
	struct berval credentials = {.bv_val = (char *)password->data, .bv_len = password->length};

	if (state)
		*state = LDAP_PASSWORD_FINE;
	/* An empty password would be no bind as anybody, and succeed (RFC 4513, 5.1.2). */
	if (password->length == 0 || dn[0] == '\0')
		return error_set(error, ERROR_ACCESS_DENIED, "an empty password proves nothing");
	return bind_as(
		link, dn, LDAP_SASL_SIMPLE, &credentials, state ? controls : NULL, state, error);
}

bool ldap_link_bind_external(struct ldap_link *link, struct error *error)
{
	struct berval nobody_else = {.bv_val = (char *)"", .bv_len = 0};

	return bind_as(link, "", "EXTERNAL", &nobody_else, NULL, NULL, error);
}
