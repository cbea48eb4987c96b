/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "token/token.h"

#include <limits.h>
#include <string.h>

#include <p11-kit/p11-kit.h>

#include "common/alloc.h"
#include "token/ckr.h"
#include "token/token-private.h"
#include "token/token-uri.h"

/* Loading Tessera's own module here would make the daemon wait for itself. */
#define OWN_MODULE "tessera-pkcs11.so"

static bool module_check(const char *path, char resolved[PATH_MAX], struct error *error)
{
	if (path[0] != '/')
		return error_set(error, ERROR_TOKEN_FAILED,
			"the PKCS#11 module \"%s\" must be an absolute path", path);
	if (!realpath(path, resolved))
		return error_set(error, ERROR_TOKEN_FAILED, "the PKCS#11 module %s: %m", path);
	if (strcmp(strrchr(resolved, '/') + 1, OWN_MODULE) == 0)
		return error_set(error, ERROR_TOKEN_FAILED,
			"%s is Tessera's own module and cannot hold the master key", path);
	return true;
}

static bool module_open(struct token *token, const char *path, struct error *error)
{
	char resolved[PATH_MAX];

	if (!module_check(path, resolved, error))
		return false;
	token->module = xstrdup(resolved);
	/* Managed (flags 0): p11-kit counts the users of a module in this process. */
	token->functions = p11_kit_module_load(path, 0);
	if (!token->functions) {
		const char *message = p11_kit_message();
		return error_set(error, ERROR_TOKEN_FAILED, "cannot load %s: %s", path,
			message ? message : "not a PKCS#11 module");
	}
	/* Initialises with CKF_OS_LOCKING_OK. */
	CK_RV rv = p11_kit_module_initialize(token->functions);
	if (rv != CKR_OK)
		return ckr_error(rv, "initialising the PKCS#11 module", error);
	token->initialized = true;
	return true;
}

/* Slots with a token in them; heap array. */
static bool list_slots(
	CK_FUNCTION_LIST *functions, CK_SLOT_ID **slots, CK_ULONG *count, struct error *error)
{
	CK_RV rv = functions->C_GetSlotList(CK_TRUE, NULL, count);

	if (rv != CKR_OK)
		return ckr_error(rv, "listing the slots", error);
	*slots = xcalloc(*count + 1, sizeof(**slots));
	rv = functions->C_GetSlotList(CK_TRUE, *slots, count);
	return rv == CKR_OK || ckr_error(rv, "listing the slots", error);
}

static bool token_info_matches(CK_TOKEN_INFO *info, const struct token_options *options)
{
	char padded[sizeof(info->label)];
	const CK_FLAGS ready = CKF_TOKEN_INITIALIZED | CKF_USER_PIN_INITIALIZED;

	memset(padded, ' ', sizeof(padded));
	memcpy(padded, options->label, strnlen(options->label, sizeof(padded)));
	return (info->flags & ready) == ready && memcmp(padded, info->label, sizeof(padded)) == 0 &&
	       (!options->uri || token_uri_matches(options->uri, info));
}

bool token_find_slot(CK_FUNCTION_LIST *functions, const struct token_options *options,
	CK_SLOT_ID *slot, bool *found, struct error *error)
{
	_cleanup_free_ CK_SLOT_ID *slots = NULL;
	CK_ULONG count = 0;
	CK_TOKEN_INFO info;

	*found = false;
	if (!list_slots(functions, &slots, &count, error))
		return false;
	for (CK_ULONG i = 0; i < count; i++) {
		if (functions->C_GetTokenInfo(slots[i], &info) != CKR_OK ||
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

/*
 * SoftHSM2 2.6.1 fails and crashes when several threads are in it, each with its
 * own session (SoftHSMv2 issues 464, 573 and 688), so it gets one call at a time.
 */
static size_t sessions_at_once(CK_FUNCTION_LIST *functions)
{
	CK_INFO info;

	if (functions->C_GetInfo(&info) == CKR_OK &&
		memcmp(info.manufacturerID, "SoftHSM", strlen("SoftHSM")) != 0)
		return SESSION_POOL_MAX;
	return 1;
}

/* Finds the token; an embedded one is made when there is none. */
static bool slot_open(struct token *token, const struct token_options *options,
	const struct secret *pin, struct error *error)
{
	bool found = false;

	if (!token_find_slot(token->functions, options, &token->slot, &found, error))
		return false;
	if (!found && options->embedded_folder && !options->must_exist) {
		if (!token_embedded_initialize(token->functions, options->label, pin, error))
			return false;
		if (!token_find_slot(token->functions, options, &token->slot, &found, error))
			return false;
	}
	if (!found)
		return error_set(error, ERROR_TOKEN_FAILED, "there is no token labelled \"%s\"",
			options->label);
	token->sessions = session_pool_new(
		token->functions, token->slot, sessions_at_once(token->functions), pin, error);
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
	if (module_open(token, options->module, error) && slot_open(token, options, pin, error))
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
	if (token->initialized)
		p11_kit_module_finalize(token->functions);
	if (token->functions)
		p11_kit_module_release(token->functions);
	signers_free(token->signers);
	pthread_mutex_destroy(&token->signers_lock);
	pthread_mutex_destroy(&token->making);
	free(token->module);
	free(token->embedded_folder);
	free(token);
}

bool token_set_pin(struct token *token, const struct secret *old, const struct secret *pin,
	struct error *error)
{
	struct session session _cleanup_session_ = SESSION_INIT;

	if (!session_take(token->sessions, &session, error))
		return false;
	CK_RV rv = token->functions->C_SetPIN(
		session.handle, old->data, (CK_ULONG)old->length, pin->data, (CK_ULONG)pin->length);
	return rv == CKR_OK || session_failed(&session, rv, "setting the token's PIN", error);
}

void token_add_older(struct token *token, struct token *older)
{
	token->older = older;
	/* A module that takes one call at a time takes one of both together. */
	if (strcmp(token->module, older->module) == 0)
		session_pool_share(older->sessions, token->sessions);
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

/* A field of CK_TOKEN_INFO without its padding; heap. */
static char *unpadded(const CK_UTF8CHAR *field, size_t length)
{
	while (length > 0 && field[length - 1] == ' ')
		length--;
	return xasprintf("%.*s", (int)length, (const char *)field);
}

char *token_name(struct token *token, struct error *error)
{
	CK_TOKEN_INFO info;
	CK_RV rv = token->functions->C_GetTokenInfo(token->slot, &info);

	if (rv != CKR_OK) {
		ckr_error(rv, "asking the token for its name", error);
		return NULL;
	}
	_cleanup_free_ char *label = unpadded(info.label, sizeof(info.label));
	_cleanup_free_ char *serial = unpadded(info.serialNumber, sizeof(info.serialNumber));
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
