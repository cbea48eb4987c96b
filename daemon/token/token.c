/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "token/token.h"

#include <string.h>

#include "common/alloc.h"
#include "token/ckr.h"
#include "token/token-private.h"
#include "token/token-uri.h"

#define SESSIONS_AT_ONCE 4

static bool token_info_matches(CK_TOKEN_INFO *info, const struct token_options *options)
{
	char padded[sizeof(info->label)];
	const CK_FLAGS ready = CKF_TOKEN_INITIALIZED | CKF_USER_PIN_INITIALIZED;

	memset(padded, ' ', sizeof(padded));
	memcpy(padded, options->label, strnlen(options->label, sizeof(padded)));
	return (info->flags & ready) == ready && memcmp(padded, info->label, sizeof(padded)) == 0 &&
	       (!options->uri || token_uri_matches(options->uri, info));
}

bool token_find_slot(const struct module *module, const struct token_options *options,
	CK_SLOT_ID *slot, bool *found, struct error *error)
{
	_cleanup_free_ CK_SLOT_ID *slots = NULL;
	CK_ULONG count = 0;
	CK_TOKEN_INFO info;

	*found = false;
	if (!module_list_slots(module, &slots, &count, error))
		return false;
	for (CK_ULONG i = 0; i < count; i++) {
		if (module->functions->C_GetTokenInfo(slots[i], &info) != CKR_OK ||
			!token_info_matches(&info, options))
			continue;
		if (*found)
			return error_set(error, ERROR_TOKEN_FAILED,
				"there are several tokens labelled \"%s\"", options->label);
		*slot = slots[i];
		*found = true;
	}
	return true;
}

/* An embedded token is made when there is none. */
static bool find_or_make(struct token *token, const struct token_options *options,
	const struct secret *pin, bool *found, struct error *error)
{
	if (!token_find_slot(&token->module, options, &token->slot, found, error))
		return false;
	if (*found || !options->embedded_folder || options->must_exist)
		return true;
	return token_embedded_initialize(&token->module, options->label, pin, error) &&
	       token_find_slot(&token->module, options, &token->slot, found, error);
}

static bool slot_open(struct token *token, const struct token_options *options,
	const struct secret *pin, struct error *error)
{
	bool found = false;

	module_enter_alone(&token->module);
	bool looked = find_or_make(token, options, pin, &found, error);
	module_leave(&token->module);
	if (!looked)
		return false;
	if (!found)
		return error_set(error, ERROR_TOKEN_FAILED, "there is no token labelled \"%s\"",
			options->label);
	token->sessions =
		session_pool_new(&token->module, token->slot, SESSIONS_AT_ONCE, pin, error);
	return token->sessions != NULL;
}

struct token *token_open(
	const struct token_options *options, const struct secret *pin, struct error *error)
{
	struct token *token = NULL;

	if (strlen(options->label) > sizeof(((CK_TOKEN_INFO *)0)->label)) {
		error_set(error, ERROR_INVALID_ARGUMENT, "a token's label has at most 32 bytes");
		return NULL;
	}
	if (options->embedded_folder && !token_embedded_prepare(options->embedded_folder, error))
		return NULL;
	token = xnew(struct token);
	token->embedded_folder =
		options->embedded_folder ? xstrdup(options->embedded_folder) : NULL;
	pthread_mutex_init(&token->making, NULL);
	pthread_mutex_init(&token->signers_lock, NULL);
	if (module_open(&token->module, options->module, error) &&
		slot_open(token, options, pin, error))
		return token;
	token_close(token);
	return NULL;
}

static void signers_free(struct token_signer *signer)
{
	while (signer) {
		struct token_signer *next = signer->next;
		free(signer->label);
		free(signer);
		signer = next;
	}
}

void token_close(struct token *token)
{
	if (!token)
		return;
	token_close(token->older);
	session_pool_free(token->sessions);
	module_close(&token->module);
	signers_free(token->signers);
	pthread_mutex_destroy(&token->signers_lock);
	pthread_mutex_destroy(&token->making);
	free(token->embedded_folder);
	free(token);
}

bool token_set_pin(struct token *token, const struct secret *old, const struct secret *pin,
	struct error *error)
{
	struct session session _cleanup_session_ = SESSION_INIT;

	if (!session_take(token->sessions, &session, error))
		return false;
	CK_RV rv = token->module.functions->C_SetPIN(
		session.handle, old->data, (CK_ULONG)old->length, pin->data, (CK_ULONG)pin->length);
	return rv == CKR_OK || session_failed(&session, rv, "setting the token's PIN", error);
}

void token_add_older(struct token *token, struct token *older)
{
	token->older = older;
}

bool token_find_holder(struct token **token, const char *label, struct error *error)
{
	struct token *first = *token;
	bool found = false;

	if (!first->older)
		return true;
	for (struct token *each = first; each && !found; each = each->older) {
		if (!token_has_own_key(each, label, &found, error))
			return false;
		if (found)
			*token = each;
	}
	return true;
}

char *token_name(struct token *token, struct error *error)
{
	CK_TOKEN_INFO info;
	CK_RV rv = token->module.functions->C_GetTokenInfo(token->slot, &info);

	if (rv != CKR_OK) {
		ckr_error(rv, "asking the token for its name", error);
		return NULL;
	}
	_cleanup_free_ char *label = module_unpad(info.label, sizeof(info.label));
	_cleanup_free_ char *serial = module_unpad(info.serialNumber, sizeof(info.serialNumber));
	return xasprintf("%s %s", label, serial);
}

char *token_name_of_holder(struct token *token, const char *label, struct error *error)
{
	bool found = false;

	for (struct token *each = token; each; each = each->older) {
		if (!token_has_own_key(each, label, &found, error))
			return NULL;
		if (found)
			return token_name(each, error);
	}
	error_set(error, ERROR_NOT_FOUND, "the token holds no key \"%s\"", label);
	return NULL;
}
