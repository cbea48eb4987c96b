/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "token/hsm.h"

#include <string.h>

#include "common/alloc.h"
#include "token/hsm-child.h"
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

/* label, serial: NULL for any. */
static bool token_fits(const CK_TOKEN_INFO *info, const char *label, const char *serial)
{
	return info->flags & CKF_TOKEN_INITIALIZED &&
	       (!label || has_text(info->label, sizeof(info->label), label)) &&
	       (!serial || has_text(info->serialNumber, sizeof(info->serialNumber), serial));
}

static bool find_token(
	struct hsm *hsm, const char *label, const char *serial, bool *is_there, struct error *error)
{
	_cleanup_free_ CK_SLOT_ID *slots = NULL;
	CK_ULONG count = 0;
	CK_TOKEN_INFO info;
	unsigned found = 0;

	if (!module_list_slots(&hsm->module, &slots, &count, error))
		return false;
	for (CK_ULONG i = 0; i < count; i++) {
		if (hsm->module.functions->C_GetTokenInfo(slots[i], &info) != CKR_OK ||
			!token_fits(&info, label, serial))
			continue;
		hsm->slot = slots[i];
		found++;
	}
	*is_there = found > 0;
	if (found <= 1)
		return true;
	return label ? error_set(error, ERROR_TOKEN_FAILED,
			       "there are several tokens labelled \"%s\": say the serial number",
			       label)
		     : error_set(error, ERROR_TOKEN_FAILED,
			       "there are several tokens with the serial number %s", serial);
}

/* A token may have got another label; its serial number is what it keeps. */
static bool find_slot(
	struct hsm *hsm, const struct hsm_options *options, bool *is_there, struct error *error)
{
	return find_token(hsm, options->label, options->serial, is_there, error) &&
	       (*is_there || !options->serial ||
		       find_token(hsm, NULL, options->serial, is_there, error));
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
	return hsm->sessions && (options->pin ? hsm_login(hsm, options->pin, &changed, error)
					      : hsm_refresh(hsm, &changed, error));
}

struct hsm *hsm_open(const struct hsm_options *options, struct error *error)
{
	struct hsm *hsm = xnew(struct hsm);

	pthread_mutex_init(&hsm->login_lock, NULL);
	pthread_mutex_init(&hsm->objects_lock, NULL);
	pthread_mutex_init(&hsm->reading_lock, NULL);
	hsm->streams = hsm_streams_new(hsm);
	hsm_list_begin(hsm, options->known, options->last_number);
	if (options->process)
		hsm->child = hsm_child_new(hsm, options);
	if (hsm->child ? hsm_child_open(hsm->child, error) : start(hsm, options, error)) {
		if (!hsm->child)
			hsm->preparer = hsm_preparer_new(hsm);
		return hsm;
	}
	hsm_close(hsm);
	return NULL;
}

void hsm_close(struct hsm *hsm)
{
	if (!hsm)
		return;
	hsm_preparer_free(hsm->preparer);
	hsm_streams_free(hsm->streams);
	hsm_child_free(hsm->child);
	if (hsm->logins > 0 && hsm->sessions)
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
	info = hsm->facts.info;
	size_t count = hsm->facts.mechanism_count;
	information->mechanism_count = count;
	information->mechanisms = xcalloc(count + 1, sizeof(*information->mechanisms));
	memcpy(information->mechanisms, hsm->facts.mechanisms,
		count * sizeof(*information->mechanisms));
	pthread_mutex_unlock(&hsm->objects_lock);
	information->label = module_unpad(info.label, sizeof(info.label));
	information->manufacturer = module_unpad(info.manufacturerID, sizeof(info.manufacturerID));
	information->model = module_unpad(info.model, sizeof(info.model));
	information->serial = module_unpad(info.serialNumber, sizeof(info.serialNumber));
	information->pin_minimum = (unsigned)info.ulMinPinLen;
	information->pin_maximum = (unsigned)info.ulMaxPinLen;
	information->has_user_pin = info.flags & CKF_USER_PIN_INITIALIZED;
}

/* --- the login --- */

static bool log_in(struct hsm *hsm, const struct secret *pin, bool *changed, struct error *error)
{
	if (hsm->child)
		return hsm_child_login(hsm->child, pin, changed, error);
	if (!session_pool_login(hsm->sessions, pin, error))
		return false;
	if (hsm_refresh(hsm, changed, error))
		return true;
	session_pool_logout(hsm->sessions);
	return false;
}

static void log_out(struct hsm *hsm)
{
	secret_clear(&hsm->pin);
	if (hsm->child) {
		hsm_child_logout(hsm->child);
		return;
	}
	session_pool_forget_ready(hsm->sessions);
	session_pool_logout(hsm->sessions);
}

static bool log_in_first(
	struct hsm *hsm, const struct secret *pin, bool *changed, struct error *error)
{
	if (!log_in(hsm, pin, changed, error))
		return false;
	if (secret_copy(&hsm->pin, pin))
		return true;
	log_out(hsm);
	return error_set(error, ERROR_FAILED, "out of locked memory for a PIN");
}

/* A process that was started again may have found that the PIN does not fit any more. */
static bool is_logged_in(struct hsm *hsm)
{
	return hsm->logins > 0 && (!hsm->child || hsm_child_is_logged_in(hsm->child));
}

bool hsm_login(struct hsm *hsm, const struct secret *pin, bool *changed, struct error *error)
{
	bool done;

	pthread_mutex_lock(&hsm->login_lock);
	if (is_logged_in(hsm))
		done = secret_equal(&hsm->pin, pin) ||
		       error_set(error, ERROR_PIN_WRONG, "the PIN is wrong");
	else
		done = log_in_first(hsm, pin, changed, error);
	hsm->logins += done;
	pthread_mutex_unlock(&hsm->login_lock);
	return done;
}

void hsm_logout(struct hsm *hsm)
{
	pthread_mutex_lock(&hsm->login_lock);
	if (--hsm->logins == 0)
		log_out(hsm);
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
