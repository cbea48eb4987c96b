/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "token/hsm.h"

#include <string.h>

#include "common/alloc.h"
#include "token/hsm-private.h"
#include "token/token-private.h"

#define SESSIONS_AT_ONCE SESSION_POOL_MAX

void hsm_information_clear(struct hsm_information *information)
{
	free(information->label);
	free(information->manufacturer);
	free(information->model);
	free(information->serial);
	free(information->mechanisms);
	*information = (struct hsm_information){0};
}

static bool has_text(const CK_UTF8CHAR *field, size_t length, const char *text)
{
	_cleanup_free_ char *own = module_unpad(field, length);

	return strcmp(own, text) == 0;
}

static bool token_fits(const CK_TOKEN_INFO *info, const struct hsm_options *options)
{
	return info->flags & CKF_TOKEN_INITIALIZED &&
	       has_text(info->label, sizeof(info->label), options->label) &&
	       (!options->serial ||
		       has_text(info->serialNumber, sizeof(info->serialNumber), options->serial));
}

static bool find_slot(
	struct hsm *hsm, const struct hsm_options *options, bool *is_there, struct error *error)
{
	_cleanup_free_ CK_SLOT_ID *slots = NULL;
	CK_ULONG count = 0;
	CK_TOKEN_INFO info;
	unsigned found = 0;

	if (!module_list_slots(&hsm->module, &slots, &count, error))
		return false;
	for (CK_ULONG i = 0; i < count; i++) {
		if (hsm->module.functions->C_GetTokenInfo(slots[i], &info) != CKR_OK ||
			!token_fits(&info, options))
			continue;
		hsm->slot = slots[i];
		found++;
	}
	*is_there = found > 0;
	return found <= 1 ||
	       error_set(error, ERROR_TOKEN_FAILED,
		       "there are several tokens labelled \"%s\": say the serial number",
		       options->label);
}

static bool make_token(struct hsm *hsm, const struct hsm_options *options, struct error *error)
{
	if (!options->new_pin)
		return error_set(error, ERROR_NOT_FOUND,
			"the module %s shows no token labelled \"%s\"", options->module,
			options->label);
	return hsm->module.is_softhsm
		       ? token_embedded_initialize(
				 &hsm->module, options->label, options->new_pin, error)
		       : error_set(error, ERROR_NOT_SUPPORTED,
				 "only tokens of SoftHSM2 are made here, by no other module");
}

static bool find_or_make_slot(
	struct hsm *hsm, const struct hsm_options *options, struct error *error)
{
	bool is_there = false;

	if (!find_slot(hsm, options, &is_there, error))
		return false;
	if (is_there)
		return true;
	return make_token(hsm, options, error) && find_slot(hsm, options, &is_there, error) &&
	       (is_there || error_set(error, ERROR_TOKEN_FAILED, "the new token does not show"));
}

static bool start(struct hsm *hsm, const struct hsm_options *options, struct error *error)
{
	bool changed;

	if (!module_open(&hsm->module, options->module, error))
		return false;
	module_enter_alone(&hsm->module);
	bool found = find_or_make_slot(hsm, options, error);
	module_leave(&hsm->module);
	if (!found)
		return false;
	hsm->sessions = session_pool_new(&hsm->module, hsm->slot, SESSIONS_AT_ONCE, NULL, error);
	return hsm->sessions && hsm_refresh(hsm, &changed, error);
}

struct hsm *hsm_open(const struct hsm_options *options, struct error *error)
{
	struct hsm *hsm = xnew(struct hsm);

	pthread_mutex_init(&hsm->login_lock, NULL);
	pthread_mutex_init(&hsm->objects_lock, NULL);
	pthread_mutex_init(&hsm->reading_lock, NULL);
	hsm->objects = hsm_objects_new();
	if (start(hsm, options, error))
		return hsm;
	hsm_close(hsm);
	return NULL;
}

void hsm_close(struct hsm *hsm)
{
	if (!hsm)
		return;
	if (hsm->logins > 0)
		session_pool_logout(hsm->sessions);
	session_pool_free(hsm->sessions);
	module_close(&hsm->module);
	secret_clear(&hsm->pin);
	hsm_objects_unref(hsm->objects);
	pthread_mutex_destroy(&hsm->login_lock);
	pthread_mutex_destroy(&hsm->objects_lock);
	pthread_mutex_destroy(&hsm->reading_lock);
	free(hsm);
}

void hsm_information(struct hsm *hsm, struct hsm_information *information)
{
	CK_TOKEN_INFO info;

	pthread_mutex_lock(&hsm->objects_lock);
	hsm_information_clear(information);
	info = hsm->info;
	information->mechanism_count = hsm->mechanism_count;
	information->mechanisms =
		xcalloc(hsm->mechanism_count + 1, sizeof(*information->mechanisms));
	memcpy(information->mechanisms, hsm->mechanisms,
		hsm->mechanism_count * sizeof(*information->mechanisms));
	pthread_mutex_unlock(&hsm->objects_lock);
	information->label = module_unpad(info.label, sizeof(info.label));
	information->manufacturer = module_unpad(info.manufacturerID, sizeof(info.manufacturerID));
	information->model = module_unpad(info.model, sizeof(info.model));
	information->serial = module_unpad(info.serialNumber, sizeof(info.serialNumber));
	information->pin_minimum = (unsigned)info.ulMinPinLen;
	information->pin_maximum = (unsigned)info.ulMaxPinLen;
}

/* --- the login --- */

static bool log_in(struct hsm *hsm, const struct secret *pin, struct error *error)
{
	if (!session_pool_login(hsm->sessions, pin, error))
		return false;
	if (secret_copy(&hsm->pin, pin))
		return true;
	session_pool_logout(hsm->sessions);
	return error_set(error, ERROR_FAILED, "out of locked memory for a PIN");
}

bool hsm_login(struct hsm *hsm, const struct secret *pin, bool *changed, struct error *error)
{
	bool first;
	bool done;

	pthread_mutex_lock(&hsm->login_lock);
	first = hsm->logins == 0;
	if (first)
		done = log_in(hsm, pin, error);
	else
		done = secret_equal(&hsm->pin, pin) ||
		       error_set(error, ERROR_PIN_WRONG, "the PIN is wrong");
	if (done)
		hsm->logins++;
	pthread_mutex_unlock(&hsm->login_lock);
	if (done && first && !hsm_refresh(hsm, changed, error)) {
		hsm_logout(hsm);
		return false;
	}
	return done;
}

void hsm_logout(struct hsm *hsm)
{
	pthread_mutex_lock(&hsm->login_lock);
	if (--hsm->logins == 0) {
		session_pool_forget_ready(hsm->sessions);
		session_pool_logout(hsm->sessions);
		secret_clear(&hsm->pin);
	}
	pthread_mutex_unlock(&hsm->login_lock);
}

/* A login anew ends all private session objects: not for an object that has just gone. */
static bool log_in_again(struct hsm *hsm, unsigned relogins, struct error *error)
{
	bool changed;

	if (hsm->logins == 0)
		return error_set(error, ERROR_PIN_REQUIRED, "log in first");
	if (hsm->relogins != relogins)
		return true;
	if (session_pool_is_logged_in(hsm->sessions))
		return hsm_refresh(hsm, &changed, error);
	if (!session_pool_login(hsm->sessions, &hsm->pin, error) ||
		!hsm_refresh(hsm, &changed, error))
		return false;
	hsm->relogins++;
	return true;
}

bool hsm_login_again(struct hsm *hsm, unsigned relogins, struct error *error)
{
	pthread_mutex_lock(&hsm->login_lock);
	bool done = log_in_again(hsm, relogins, error);
	pthread_mutex_unlock(&hsm->login_lock);
	return done;
}
