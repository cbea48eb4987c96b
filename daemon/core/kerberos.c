/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/kerberos.h"

#include <string.h>

#include "common/alloc.h"
#include "core/negotiate-private.h"
#include "core/thread.h"

/* Touched by the thread that gets the tickets, until that has ended. */
struct kerberos_account {
	struct kerberos kerberos;
	char *keytab, *principal, *cache, *service;
	bool is_open;
	struct error error;
};

static void account_free(void *argument)
{
	struct kerberos_account *account = argument;

	kerberos_close(&account->kerberos);
	error_clear(&account->error);
	free(account->keytab);
	free(account->principal);
	free(account->cache);
	free(account->service);
	free(account);
}

static void account_work(void *argument)
{
	struct kerberos_account *account = argument;
	struct http_negotiate settings = {.keytab = account->keytab,
		.principal = account->principal,
		.cache = account->cache,
		.service = account->service};

	account->is_open = kerberos_open(&account->kerberos, &settings, "", &account->error);
}

struct kerberos_account *kerberos_account_open(
	const struct http_negotiate *settings, unsigned timeout_ms, struct error *error)
{
	struct kerberos_account *account = xnew(struct kerberos_account);

	account->keytab = xstrdup(settings->keytab);
	account->principal = xstrdup(settings->principal);
	account->cache = xstrdup(settings->cache);
	account->service = xstrdup(settings->service);
	if (!thread_run_within(timeout_ms, account_work, account_free, account)) {
		error_set(error, ERROR_TIMEOUT, "the KDC of Kerberos has not answered in time");
		return NULL;
	}
	if (account->is_open)
		return account;
	error_move(error, &account->error);
	account_free(account);
	return NULL;
}

void kerberos_account_close(struct kerberos_account *account)
{
	if (account)
		account_free(account);
}

const char *kerberos_account_name(const struct kerberos_account *account)
{
	return account->kerberos.account;
}

const char *kerberos_account_cache(const struct kerberos_account *account)
{
	return account->kerberos.cache_name;
}

/* The default cache of GSS-API's calls is one of each thread. */
bool kerberos_account_enter(struct kerberos_account *account, struct error *error)
{
	OM_uint32 minor;

	return !GSS_ERROR(gss_krb5_ccache_name(&minor, account->kerberos.cache_name, NULL)) ||
	       error_set(error, ERROR_FAILED, "Kerberos tickets cannot be used");
}

void kerberos_account_leave(void)
{
	OM_uint32 minor;

	gss_krb5_ccache_name(&minor, NULL, NULL);
}
