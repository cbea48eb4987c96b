/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What programs do with cards through the PKCS#11 module. A client is one
 * connection; its login lives here and nowhere else, so that no program ever
 * uses a PIN that another one proved (design, decision 1).
 */
#ifndef TESSERA_OPERATION_PROVIDER_H
#define TESSERA_OPERATION_PROVIDER_H

#include "card/card.h"
#include "operation/services.h"

struct provider_client;

/* actor: of the audit trail, "uid=0 pid=123"; copied. */
struct provider_client *provider_client_new(struct services *services, const char *actor);
/* Ends its logins. */
void provider_client_free(struct provider_client *client);

/* slot is a reader's number in all of these. Errors: dbus/org.tessera1.Provider.xml. */
/* *audited is set once the PIN was tried: then the login, or its failure, is recorded. */
bool provider_login(struct provider_client *client, unsigned slot, const struct secret *pin,
	bool *audited, struct error *error);
bool provider_logout(struct provider_client *client, unsigned slot, struct error *error);
/* pin: unset, or the PIN for a key that wants it for each use. */
bool provider_use_key(struct provider_client *client, unsigned slot, unsigned key, enum key_use use,
	const struct secret *pin, const uint8_t *input, size_t length, struct buffer *output,
	struct error *error);
/* *audited is set once the verb was begun, which records its end. */
bool provider_change_pin(struct provider_client *client, unsigned slot,
	const struct secret *old_pin, struct secret *new_pin, bool *audited, struct error *error);

/*
 * What a security officer of PKCS#11 does, on the strength of the card's unblock code
 * (operation/unblock-code.h, which names the errors): proves it, and sets the PIN by it.
 */
bool provider_check_code(struct provider_client *client, unsigned slot, const struct secret *code,
	struct error *error);
bool provider_init_pin(struct provider_client *client, unsigned slot, const struct secret *code,
	struct secret *pin, struct error *error);

#endif
