/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/recover.h"

#include <string.h>

#include "audit/audit.h"
#include "common/alloc.h"
#include "common/log.h"
#include "operation/blank.h"
#include "operation/card-renew.h"
#include "operation/certificates.h"
#include "operation/changeover.h"
#include "operation/ownership.h"
#include "operation/personalise.h"
#include "operation/pin.h"
#include "operation/report.h"
#include "operation/tasks.h"

typedef bool (*recovery)(struct services *services, struct card *card, const struct intent *intent,
	struct credential *credential, struct error *error);

static const struct {
	const char *step;
	recovery recover;
} recoveries[] = {
	{INTENT_OWNERSHIP, ownership_recover},
	{INTENT_PERSONALISE, personalise_recover},
	{INTENT_PIN, pin_recover},
	{INTENT_BLANK, blank_recover},
	{INTENT_CHANGEOVER, changeover_recover},
	{INTENT_BLOCK_PIN, report_recover},
	{INTENT_CERTIFICATE, task_recover},
	{INTENT_RENEW, card_renew_recover},
};

/* The store may not know the card yet when its first intent was written. */
static struct credential *find_or_new(
	struct services *services, struct card *card, struct error *error)
{
	struct error lookup _cleanup_error_ = ERROR_INIT;
	struct credential *credential =
		store_credential_by_serial(services->store, card->info.serial, &lookup);

	if (credential)
		return credential;
	if (lookup.code != ERROR_NOT_FOUND) {
		error_move(error, &lookup);
		return NULL;
	}
	credential = xnew(struct credential);
	credential->serial = xstrdup(card->info.serial);
	credential->card_type = xstrdup(card->info.type);
	credential->state = LIFECYCLE_UNREGISTERED;
	return credential;
}

static bool recover_one(struct services *services, struct card *card, const struct intent *intent,
	struct error *error)
{
	struct credential *credential _cleanup_credential_ = find_or_new(services, card, error);

	if (!credential)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(recoveries); i++) {
		if (strcmp(recoveries[i].step, intent->step) == 0)
			return recoveries[i].recover(services, card, intent, credential, error);
	}
	return error_set(error, ERROR_STORE_FAILED, "unknown step \"%s\"", intent->step);
}

static bool audit_recovery(struct services *services, const struct intent *intent,
	struct error *result, struct error *error)
{
	_cleanup_free_ char *detail =
		xasprintf("interrupted %s, step %s", intent->operation, intent->step);

	return audit_write(services->store, &audit_daemon, "recover", intent->serial, 0, result,
		detail, error);
}

bool recover_card(struct services *services, struct card *card, struct error *error)
{
	struct intent *intents = NULL;
	size_t count = 0;
	bool ok = true;

	if (!card->info.serial)
		return true;
	if (!store_intent_list(services->store, card->info.serial, &intents, &count, error))
		return false;
	for (size_t i = 0; ok && i < count; i++) {
		struct error result _cleanup_error_ = ERROR_INIT;
		log_notice("recovering card=%s operation=%s step=%s", card->info.serial,
			intents[i].operation, intents[i].step);
		ok = recover_one(services, card, &intents[i], &result) &&
		     audit_recovery(services, &intents[i], &result, &result);
		if (!ok)
			error_move(error, &result);
	}
	for (size_t i = 0; i < count; i++)
		intent_clear(&intents[i]);
	free(intents);
	return ok;
}
