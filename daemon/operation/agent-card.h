/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Enrollment agents whose key is on an operator's card. The card is that of one of the operators
 * whom the caller has logged in, and signs where the operator is: the job asks for the signature
 * (core/job.h), and who started it gives it. No PIN and no second card come into the job.
 */
#ifndef TESSERA_OPERATION_AGENT_CARD_H
#define TESSERA_OPERATION_AGENT_CARD_H

#include "model/template.h"
#include "operation/services.h"

/*
 * What is signed to prove that the card is there: this text, a blank and random hex digits. Nothing
 * else that an agent signs begins so.
 */
#define AGENT_CARD_PROOF "tessera-enrollment-agent-proof-1"

/*
 * Before anything is changed: whether the certificates of the template (with a slot: of that one
 * alone) take the signature of an operator's card, and if so whether that card is there and signs.
 * Waits for a person, so no card is held. serial: of the card that is to be changed, or NULL; it
 * cannot be the agent's own. ERROR_ACCESS_DENIED when no operator who is logged in has such a
 * card, ERROR_WRONG_STATE for the same card, ERROR_TIMEOUT, ERROR_CANCELLED; errors of
 * authority_open().
 */
bool agent_card_ready(struct operation *operation, const struct template *template, key_slot only,
	const char *serial, struct error *error);
/* The same for the newest version of the template of that name, if there is one that is enabled. */
bool agent_card_ready_by_name(struct operation *operation, const char *template_name,
	const char *serial, struct error *error);

/* For struct authority_request; the operation outlives it. */
struct authority_operator agent_card_operator(struct operation *operation);

/* How the key of a certificate (DER) signs: "SHA256-RSA-PKCS", "ECDSA-SHA256", "ECDSA-SHA384". */
const char *agent_card_mechanism(const struct buffer *certificate);

/*
 * A signature (EC: DER) for what the job wants signed, by the caller who started it.
 * ERROR_NOT_FOUND, ERROR_ACCESS_DENIED for another caller, or when the operator is not logged in
 * any more, ERROR_SIGNATURE_INVALID: the job goes on waiting then.
 */
bool agent_card_give(struct services *services, unsigned job, const char *caller,
	const uint8_t *signature, size_t length, struct error *error);

#endif
