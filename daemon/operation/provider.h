/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What programs do with cards and slots through the PKCS#11 module. A client is
 * one connection with its channels; its logins live here and nowhere else, so that no
 * program ever uses a PIN that another one proved (design, decision 1). The threads of
 * the connection and of its channels may use it at once.
 */
#ifndef TESSERA_OPERATION_PROVIDER_H
#define TESSERA_OPERATION_PROVIDER_H

#include "model/slot.h"
#include "operation/services.h"
#include "token/hsm.h"

struct provider_client;

/* actor: of the audit trail, "uid=0 pid=123"; copied. */
struct provider_client *provider_client_new(
	struct services *services, const char *actor, uid_t uid, bool is_manager);
/* Ends its logins. */
void provider_client_free(struct provider_client *client);
/* Who it is, for the access rules of slots. */
const struct slot_user *provider_client_user(struct provider_client *client);
/* The readers whose cards it may use. */
struct contact_reach provider_reach(const struct provider_client *client);

/*
 * slot is a reader's number, or a slot's (from SLOT_NUMBER_FIRST on), in all of these. Errors:
 * dbus/org.tessera1.Provider.xml.
 */
/* *audited is set once the PIN was tried: then the login, or its failure, is recorded. */
bool provider_login(struct provider_client *client, unsigned slot, const struct secret *pin,
	bool *audited, struct error *error);
bool provider_logout(struct provider_client *client, unsigned slot, struct error *error);

/* What a client is shown of a slot's objects at one moment. */
struct slot_view {
	uint64_t generation;
	struct hsm_objects *objects, *own; /* own: of this client alone; or NULL */
	const struct hsm_object **shown;
	size_t count;
	size_t bytes;
	bool pin_for_each_use; /* counts for keys that want that: else the daemon gives it */
	uint32_t next;	       /* the last number shown when there are more; 0 at the end */
};
void slot_view_clear(struct slot_view *view);
/*
 * Keys that the rules let the client use, and public keys and certificates, by number from `after`
 * on and as many as an answer has room for. Private data objects want a login. ERROR_NOT_FOUND,
 * ERROR_TOKEN_FAILED.
 */
bool provider_view_slot(struct provider_client *client, unsigned slot, uint32_t after,
	struct slot_view *view, struct error *error);

/* How one thread of a client used keys last; zero at first. */
struct provider_habit {
	unsigned slot, key;
	enum key_use use;
	uint32_t mechanism;
	unsigned times;	  /* that it was used so, one after the other */
	bool is_fresh;	  /* provider_client_idle() has to prepare the next one */
	bool is_prepared; /* another thread was told to prepare the next one */
};

/* One use of a key. A card does what its key algorithm says and needs no mechanism. */
struct provider_use {
	unsigned slot, key;
	enum key_use use;
	uint32_t mechanism;
	struct reader parameter;
	const struct secret *pin; /* unset, or the PIN for a key that wants it for each use */
	const uint8_t *input;
	size_t length;
	struct buffer *output;
	struct provider_habit *habit; /* notes the use; or NULL */
};
bool provider_use_key(
	struct provider_client *client, const struct provider_use *use, struct error *error);
/* The thread has answered and waits: what will likely be asked for next is prepared. */
void provider_client_idle(struct provider_client *client, struct provider_habit *habit);

/*
 * A use of a slot's key whose input comes in parts (token/hsm.h, streams). Who may do it is asked
 * at its beginning, when it is recorded, too. Of a card ERROR_NOT_SUPPORTED.
 */
struct provider_stream {
	unsigned slot;
	uint32_t number; /* by which the client calls it */
	struct reader input, signature;
	struct buffer *output;
	uint32_t most; /* bytes of it in one answer; 0: HSM_STREAM_OUTPUT_MAX */
	bool has_more; /* output that the next answer will have */
};
/* use: without input and output. verifies: a signature, and then use->use is KEY_USE_SIGN. */
bool provider_begin_use(struct provider_client *client, const struct provider_use *use,
	bool verifies, uint32_t *number, struct error *error);
/* With input. */
bool provider_continue_use(
	struct provider_client *client, struct provider_stream *stream, struct error *error);
/* With the signature that is to be verified, if one is. Asked for again while has_more is set. */
bool provider_end_use(
	struct provider_client *client, struct provider_stream *stream, struct error *error);
/* One that is not there is no error. */
bool provider_cancel_use(
	struct provider_client *client, const struct provider_stream *stream, struct error *error);
/* *audited is set once the verb was begun, which records its end. */
bool provider_change_pin(struct provider_client *client, unsigned slot,
	const struct secret *old_pin, struct secret *new_pin, bool *audited, struct error *error);

/*
 * Changes the PIN of a token's security officer. Of a card ERROR_NOT_SUPPORTED. *audited: set once
 * it was tried.
 */
bool provider_change_officer_pin(struct provider_client *client, unsigned slot,
	const struct secret *old_pin, const struct secret *new_pin, bool *audited,
	struct error *error);

/*
 * What a security officer of PKCS#11 does, on the strength of the card's unblock code
 * (operation/unblock-code.h, which names the errors): proves it, and sets the PIN by it.
 */
bool provider_check_code(struct provider_client *client, unsigned slot, const struct secret *code,
	struct error *error);
bool provider_init_pin(struct provider_client *client, unsigned slot, const struct secret *code,
	struct secret *pin, struct error *error);

/* What came of a change to a slot's objects. */
struct provider_reply {
	struct hsm_reply hsm;
	/* Of the slot: others than before when objects that all see changed. */
	uint64_t generation_before, generation;
};
/*
 * What is done with a slot's objects beside the uses of keys (HSM_VERIFY to HSM_SEED_RANDOM), as
 * the rules let the client; recorded where it makes, changes or ends what stays, or takes a key
 * out. Of a card ERROR_NOT_SUPPORTED.
 */
bool provider_call(struct provider_client *client, unsigned slot, const struct hsm_request *request,
	struct provider_reply *reply, struct error *error);
/* The token's mechanisms are asked for. */
bool provider_information(struct provider_client *client, unsigned slot,
	struct hsm_information *information, struct error *error);
/* Begins the token anew: all its objects are lost. label: the one that it has. */
bool provider_init_token(struct provider_client *client, unsigned slot, const struct secret *so_pin,
	const char *label, struct error *error);

#endif
