/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/negotiate-private.h"

#include <errno.h>
#include <string.h>

#include "common/alloc.h"

/* --- what is wrong, in words --- */

/* What to do about what the Kerberos library says. */
static const struct advice {
	krb5_error_code code;
	const char *text;
} advices[] = {
	{ENOENT, "make a keytab of the account and give its path"},
	{EACCES, "let tesserad's user read it"},
	{KRB5_KT_NOTFOUND, "make a keytab of this very principal"},
	{KRB5_KEYTAB_BADVNO, "this file is no keytab: make it anew"},
	{KRB5_KT_FORMAT, "this file is no keytab: make it anew"},
	{KRB5KDC_ERR_C_PRINCIPAL_UNKNOWN, "correct the principal, or make the account"},
	{KRB5KDC_ERR_PREAUTH_FAILED,
		"the keytab's key is not the account's (was its password changed?): make it anew"},
	{KRB5_PREAUTH_FAILED,
		"the keytab's key is not the account's (was its password changed?): make it anew"},
	{KRB5KRB_AP_ERR_BAD_INTEGRITY,
		"the keytab's key is not the account's (was its password changed?): make it anew"},
	{KRB5KDC_ERR_CLIENT_REVOKED, "the account is disabled or locked"},
	{KRB5KDC_ERR_NAME_EXP, "the account has expired"},
	{KRB5KDC_ERR_KEY_EXP, "the account's password has expired"},
	{KRB5KDC_ERR_ETYPE_NOSUPP, "the keytab and the KDC have no type of encryption in common: "
				   "make it with AES keys"},
	{KRB5KRB_AP_ERR_SKEW, "set this machine's clock by the KDC's"},
	{KRB5_KDC_UNREACH, "is a KDC up, and named in krb5.conf or in DNS?"},
	{KRB5_REALM_UNKNOWN, "name the realm's KDC in krb5.conf or in DNS"},
	{KRB5_REALM_CANT_RESOLVE, "is the KDC that krb5.conf names known in DNS?"},
	{KRB5_FCC_NOFILE, "give a keytab, or keep a ticket in this cache"},
	{KRB5_CC_NOTFOUND, "give a keytab, or keep a ticket in this cache"},
	{KRB5_FCC_PERM, "let tesserad's user read it"},
	{KRB5KRB_AP_ERR_TKT_EXPIRED, "give a keytab, or renew the ticket in this cache"},
	{KRB5KDC_ERR_S_PRINCIPAL_UNKNOWN, "register this name for the account that the service "
					  "runs as, or give the right one"},
};

bool kerberos_fail(krb5_context context, krb5_error_code code, const char *what, const char *of,
	struct error *error)
{
	const char *text = krb5_get_error_message(context, code);
	const char *advice = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(advices) && !advice; i++)
		advice = advices[i].code == code ? advices[i].text : NULL;
	error_set(error, ERROR_NETWORK_FAILED, "%s %s: %.500s%s%s", what, of, text,
		advice ? "; " : "", advice ? advice : "");
	krb5_free_error_message(context, text);
	return false;
}

/* --- the account's ticket --- */

static char *name_of(const struct kerberos *kerberos, krb5_const_principal principal)
{
	char *text = NULL;

	if (krb5_unparse_name(kerberos->context, principal, &text) != 0)
		return xstrdup("");
	char *name = xstrdup(text);
	krb5_free_unparsed_name(kerberos->context, text);
	return name;
}

static krb5_error_code ask_with_key(
	struct kerberos *kerberos, krb5_keytab keytab, krb5_principal account)
{
	krb5_get_init_creds_opt *options = NULL;
	krb5_creds credentials = {0};
	krb5_error_code code = krb5_get_init_creds_opt_alloc(kerberos->context, &options);

	if (code != 0)
		return code;
	/* For services that have to act on the account's behalf towards an authority elsewhere; it
	 * is handed on only to those that the KDC trusts with it (GSS_C_DELEG_POLICY_FLAG). */
	krb5_get_init_creds_opt_set_forwardable(options, 1);
	code = krb5_get_init_creds_opt_set_out_ccache(kerberos->context, options, kerberos->cache);
	if (code == 0)
		code = krb5_get_init_creds_keytab(
			kerberos->context, &credentials, account, keytab, 0, NULL, options);
	krb5_free_cred_contents(kerberos->context, &credentials);
	krb5_get_init_creds_opt_free(kerberos->context, options);
	return code;
}

/* The library would look for the key only after it has asked the KDC. */
static krb5_error_code check_key(
	struct kerberos *kerberos, krb5_keytab keytab, krb5_principal account)
{
	krb5_keytab_entry entry;
	krb5_error_code code = krb5_kt_get_entry(kerberos->context, keytab, account, 0, 0, &entry);

	if (code == 0)
		krb5_free_keytab_entry_contents(kerberos->context, &entry);
	return code;
}

static bool take_from_keytab(
	struct kerberos *kerberos, const char *path, krb5_principal account, struct error *error)
{
	_cleanup_free_ char *name = xasprintf("FILE:%s", path);
	krb5_keytab keytab = NULL;
	krb5_error_code code = krb5_kt_resolve(kerberos->context, name, &keytab);

	if (code == 0)
		code = check_key(kerberos, keytab, account);
	if (code != 0)
		kerberos_fail(kerberos->context, code, "no key of the Kerberos account",
			kerberos->account, error);
	else {
		kerberos->is_own = true;
		code = krb5_cc_new_unique(kerberos->context, "MEMORY", NULL, &kerberos->cache);
		if (code == 0)
			code = ask_with_key(kerberos, keytab, account);
		if (code != 0)
			kerberos_fail(kerberos->context, code, "no Kerberos ticket of",
				kerberos->account, error);
	}
	if (keytab)
		krb5_kt_close(kerberos->context, keytab);
	return code == 0;
}

static bool open_with_keytab(
	struct kerberos *kerberos, const struct http_negotiate *settings, struct error *error)
{
	krb5_principal account = NULL;
	krb5_error_code code = krb5_parse_name(kerberos->context, settings->principal, &account);

	if (code != 0)
		return kerberos_fail(kerberos->context, code,
			"no name of a Kerberos account:", settings->principal, error);
	kerberos->account = name_of(kerberos, account);
	bool taken = take_from_keytab(kerberos, settings->keytab, account, error);
	krb5_free_principal(kerberos->context, account);
	return taken;
}

/* The cache that others fill; with a principal it has to be that one's. */
static bool open_cache(
	struct kerberos *kerberos, const struct http_negotiate *settings, struct error *error)
{
	krb5_principal account = NULL;
	krb5_error_code code =
		settings->cache
			? krb5_cc_resolve(kerberos->context, settings->cache, &kerberos->cache)
			: krb5_cc_default(kerberos->context, &kerberos->cache);

	if (code == 0)
		code = krb5_cc_get_principal(kerberos->context, kerberos->cache, &account);
	if (code != 0)
		return kerberos_fail(kerberos->context, code, "no Kerberos ticket in",
			settings->cache ? settings->cache : "the default cache", error);
	kerberos->account = name_of(kerberos, account);
	krb5_free_principal(kerberos->context, account);
	if (settings->principal && strcmp(settings->principal, kerberos->account) != 0)
		return error_set(error, ERROR_NETWORK_FAILED,
			"the Kerberos tickets in %s are %.300s's and not %s's",
			settings->cache ? settings->cache : "the default cache", kerberos->account,
			settings->principal);
	return true;
}

/* --- the service's ticket --- */

/*
 * The name is that of the URL, as it stands there: names that DNS would put in its place are not
 * protected.
 */
static krb5_error_code name_service(
	struct kerberos *kerberos, const char *service, const char *host, krb5_principal *server)
{
	krb5_error_code code = service ? krb5_parse_name(kerberos->context, service, server)
				       : krb5_sname_to_principal(kerberos->context, host, "HTTP",
						 KRB5_NT_UNKNOWN, server);

	if (code == 0)
		kerberos->service = name_of(kerberos, *server);
	return code;
}

/* Leaves the ticket in the cache, where GSS-API finds it. */
static krb5_error_code ask_for_service(struct kerberos *kerberos, krb5_principal server)
{
	krb5_creds wanted = {.server = server};
	krb5_creds *ticket = NULL;
	krb5_error_code code =
		krb5_cc_get_principal(kerberos->context, kerberos->cache, &wanted.client);

	if (code == 0)
		code = krb5_get_credentials(
			kerberos->context, 0, kerberos->cache, &wanted, &ticket);
	krb5_free_principal(kerberos->context, wanted.client);
	if (ticket)
		krb5_free_creds(kerberos->context, ticket);
	return code;
}

static bool open_service(struct kerberos *kerberos, const struct http_negotiate *settings,
	const char *host, struct error *error)
{
	krb5_principal server = NULL;
	krb5_error_code code = name_service(kerberos, settings->service, host, &server);

	if (code == 0)
		code = ask_for_service(kerberos, server);
	krb5_free_principal(kerberos->context, server);
	return code == 0 ||
	       kerberos_fail(kerberos->context, code, "no Kerberos ticket for the service",
		       kerberos->service ? kerberos->service : host, error);
}

static bool name_cache(struct kerberos *kerberos, struct error *error)
{
	char *name = NULL;
	krb5_error_code code = krb5_cc_get_full_name(kerberos->context, kerberos->cache, &name);

	if (code != 0)
		return kerberos_fail(kerberos->context, code, "no cache of Kerberos tickets of",
			kerberos->account, error);
	kerberos->cache_name = xstrdup(name);
	krb5_free_string(kerberos->context, name);
	return true;
}

bool kerberos_open(struct kerberos *kerberos, const struct http_negotiate *settings,
	const char *host, struct error *error)
{
	krb5_error_code code = krb5_init_context(&kerberos->context);

	if (code != 0)
		return kerberos_fail(
			kerberos->context, code, "Kerberos cannot be used", "(krb5.conf)", error);
	return (settings->keytab ? open_with_keytab(kerberos, settings, error)
				 : open_cache(kerberos, settings, error)) &&
	       open_service(kerberos, settings, host, error) && name_cache(kerberos, error);
}

void kerberos_close(struct kerberos *kerberos)
{
	if (kerberos->cache && kerberos->is_own)
		krb5_cc_destroy(kerberos->context, kerberos->cache);
	else if (kerberos->cache)
		krb5_cc_close(kerberos->context, kerberos->cache);
	free(kerberos->cache_name);
	free(kerberos->account);
	free(kerberos->service);
	if (kerberos->context)
		krb5_free_context(kerberos->context);
	*kerberos = (struct kerberos){0};
}
