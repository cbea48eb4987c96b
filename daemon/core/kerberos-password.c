/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/kerberos.h"

#include <string.h>

#include "common/alloc.h"
#include "core/negotiate-private.h"
#include "core/thread.h"

/* Of one question; touched by the thread that asks, until that has ended. */
struct question {
	krb5_context context;
	char *cache_name, *principal;
	struct secret password; /* with a NUL behind it */
	krb5_ccache cache, own; /* the account's, and one for the principal */
	krb5_principal account, person;
	krb5_creds initial; /* the principal's */
	krb5_creds *key;    /* the account's own ticket, whose key the KDC and we have */
	krb5_creds *proof;  /* the principal's for the account */
	struct error error;
	bool is_right;
};

static void question_free(void *argument)
{
	struct question *question = argument;

	if (question->context) {
		krb5_free_cred_contents(question->context, &question->initial);
		krb5_free_creds(question->context, question->key);
		krb5_free_creds(question->context, question->proof);
		krb5_free_principal(question->context, question->account);
		krb5_free_principal(question->context, question->person);
		if (question->own)
			krb5_cc_destroy(question->context, question->own);
		if (question->cache)
			krb5_cc_close(question->context, question->cache);
		krb5_free_context(question->context);
	}
	free(question->cache_name);
	free(question->principal);
	secret_clear(&question->password);
	error_clear(&question->error);
	free(question);
}

/* What a KDC says of an account, not of itself; and a name that no account can have. */
static bool is_denial(krb5_error_code code)
{
	static const krb5_error_code denials[] = {KRB5KDC_ERR_PREAUTH_FAILED, KRB5_PREAUTH_FAILED,
		KRB5KRB_AP_ERR_BAD_INTEGRITY, KRB5KDC_ERR_C_PRINCIPAL_UNKNOWN,
		KRB5KDC_ERR_CLIENT_REVOKED, KRB5KDC_ERR_CLIENT_NOTYET, KRB5KDC_ERR_NAME_EXP,
		KRB5KDC_ERR_KEY_EXP, KRB5KDC_ERR_POLICY, KRB5KDC_ERR_NULL_KEY,
		KRB5KDC_ERR_ETYPE_NOSUPP, KRB5KDC_ERR_WRONG_REALM, KRB5_PARSE_MALFORMED};

	for (size_t i = 0; i < ARRAY_SIZE(denials); i++)
		if (denials[i] == code)
			return true;
	return false;
}

/* The principal's ticket by the password. */
static krb5_error_code ask_kdc(struct question *question)
{
	krb5_get_init_creds_opt *options = NULL;
	krb5_error_code code = krb5_get_init_creds_opt_alloc(question->context, &options);

	if (code != 0)
		return code;
	krb5_get_init_creds_opt_set_tkt_life(options, 300);
	krb5_get_init_creds_opt_set_forwardable(options, 0);
	krb5_get_init_creds_opt_set_change_password_prompt(options, 0);
	code = krb5_get_init_creds_password(question->context, &question->initial, question->person,
		(const char *)question->password.data, NULL, NULL, 0, NULL, options);
	krb5_get_init_creds_opt_free(question->context, options);
	return code;
}

/* The ticket that the account has for ticket-granting itself; it is in the cache. */
static krb5_error_code find_key(struct question *question)
{
	const krb5_data *realm = &question->account->realm;
	krb5_creds wanted = {.client = question->account};
	krb5_error_code code = krb5_build_principal_ext(question->context, &wanted.server,
		realm->length, realm->data, (unsigned)strlen(KRB5_TGS_NAME), KRB5_TGS_NAME,
		realm->length, realm->data, 0);

	if (code == 0)
		code = krb5_get_credentials(question->context, KRB5_GC_CACHED, question->cache,
			&wanted, &question->key);
	krb5_free_principal(question->context, wanted.server);
	return code;
}

static krb5_error_code ask_for_proof(struct question *question)
{
	krb5_creds wanted = {.client = question->initial.client,
		.server = question->account,
		.second_ticket = question->key->ticket};
	krb5_error_code code =
		krb5_cc_new_unique(question->context, "MEMORY", NULL, &question->own);

	if (code == 0)
		code = krb5_cc_initialize(
			question->context, question->own, question->initial.client);
	if (code == 0)
		code = krb5_cc_store_cred(question->context, question->own, &question->initial);
	return code != 0 ? code
			 : krb5_get_credentials(question->context, KRB5_GC_USER_USER, question->own,
				   &wanted, &question->proof);
}

/* Opens the proof with the key of the account's ticket, as its service would. */
static krb5_error_code open_proof(struct question *question, const krb5_data *request)
{
	krb5_auth_context own = NULL;
	krb5_ticket *ticket = NULL;
	krb5_error_code code = krb5_auth_con_init(question->context, &own);

	if (code != 0)
		return code;
	/* Nobody else has seen it: nothing is to be remembered against replays. */
	krb5_auth_con_setflags(question->context, own, 0);
	code = krb5_auth_con_setuseruserkey(question->context, own, &question->key->keyblock);
	if (code == 0)
		code = krb5_rd_req(
			question->context, &own, request, question->account, NULL, NULL, &ticket);
	question->is_right =
		code == 0 && krb5_principal_compare(question->context, ticket->enc_part2->client,
				     question->initial.client);
	krb5_free_ticket(question->context, ticket);
	krb5_auth_con_free(question->context, own);
	return code;
}

static krb5_error_code check_proof(struct question *question)
{
	krb5_auth_context own = NULL;
	krb5_data request = {0};
	krb5_error_code code = krb5_mk_req_extended(
		question->context, &own, AP_OPTS_USE_SESSION_KEY, NULL, question->proof, &request);

	if (code == 0)
		code = open_proof(question, &request);
	krb5_free_data_contents(question->context, &request);
	krb5_auth_con_free(question->context, own);
	return code;
}

static krb5_error_code open_question(struct question *question)
{
	krb5_error_code code = krb5_init_context(&question->context);

	if (code == 0)
		code = krb5_cc_resolve(question->context, question->cache_name, &question->cache);
	if (code == 0)
		code = krb5_cc_get_principal(
			question->context, question->cache, &question->account);
	return code != 0
		       ? code
		       : krb5_parse_name(question->context, question->principal, &question->person);
}

static char *name_of_account(const struct question *question)
{
	char *text = NULL;

	if (krb5_unparse_name(question->context, question->account, &text) != 0)
		return xstrdup("");
	char *name = xstrdup(text);
	krb5_free_unparsed_name(question->context, text);
	return name;
}

/* The principal has a ticket; whether it is the KDC's. */
static void prove(struct question *question)
{
	krb5_error_code code = find_key(question);

	if (code == 0)
		code = ask_for_proof(question);
	if (code == 0)
		code = check_proof(question);
	if (code == 0 && question->is_right)
		return;
	_cleanup_free_ char *name = name_of_account(question);
	if (code == 0)
		error_set(&question->error, ERROR_NETWORK_FAILED,
			"the KDC of Kerberos does not prove who it is to %s", name);
	else
		kerberos_fail(question->context, code, "no proof of the KDC by the account", name,
			&question->error);
}

static void work(void *argument)
{
	struct question *question = argument;
	krb5_error_code code = open_question(question);

	if (code == 0)
		code = ask_kdc(question);
	if (code == 0)
		prove(question);
	else if (is_denial(code))
		error_set(&question->error, ERROR_ACCESS_DENIED, "user or password is wrong");
	else
		kerberos_fail(question->context, code, "no Kerberos ticket of", question->principal,
			&question->error);
}

static struct question *question_new(const struct kerberos_account *account, const char *principal,
	const struct secret *password)
{
	struct question *question = xnew(struct question);

	if (!secret_allocate(&question->password, password->length + 1)) {
		free(question);
		return NULL;
	}
	memcpy(question->password.data, password->data, password->length);
	question->principal = xstrdup(principal);
	question->cache_name = xstrdup(kerberos_account_cache(account));
	return question;
}

bool kerberos_check_password(struct kerberos_account *account, const char *principal,
	const struct secret *password, unsigned timeout_ms, struct error *error)
{
	/* The library takes a password up to its first NUL. */
	if (password->length == 0 || memchr(password->data, 0, password->length))
		return error_set(error, ERROR_ACCESS_DENIED, "user or password is wrong");
	struct question *question = question_new(account, principal, password);
	if (!question)
		return error_set(error, ERROR_FAILED, "no memory for a password");
	if (!thread_run_within(timeout_ms, work, question_free, question))
		return error_set(
			error, ERROR_TIMEOUT, "the KDC of Kerberos has not answered in time");
	bool is_right = question->is_right;
	if (!is_right)
		error_move(error, &question->error);
	question_free(question);
	return is_right;
}
