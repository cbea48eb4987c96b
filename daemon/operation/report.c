/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/report.h"

#include "audit/audit.h"
#include "common/alloc.h"
#include "common/log.h"

bool report_recover(struct services *services, struct card *card, const struct intent *intent,
	struct credential *credential, struct error *error)
{
	(void)credential;
	return card_block(card, CARD_SECRET_PIN, error) &&
	       store_intent_remove(services->store, intent->id, error);
}

static bool is_reported(const struct credential *credential)
{
	return credential && lifecycle_report_final_reason(credential->reason) &&
	       (credential->state == LIFECYCLE_INACTIVE || credential->state == LIFECYCLE_REVOKED);
}

void report_note_contact(
	struct services *services, const struct credential *credential, const char *reader_name)
{
	struct error error _cleanup_error_ = ERROR_INIT;

	if (!is_reported(credential))
		return;
	_cleanup_free_ char *detail =
		xasprintf("reported %s, now in reader %s", credential->reason, reader_name);
	log_warning("a card that was %s card=%s", detail, credential->serial);
	if (!audit_write(services->store, &audit_daemon, "reported-card-seen", credential->serial,
		    0, NULL, detail, &error))
		log_error("audit record not written: %s", error_message(&error));
}
