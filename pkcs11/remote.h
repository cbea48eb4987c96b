/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The daemon, as the module sees it: org.tessera1.Provider over the private
 * socket (dbus/org.tessera1.Provider.xml). One call at a time per connection, but uses of keys;
 * all functions may be called from any thread, without the module lock unless
 * they say so. Errors are those of the interface, ERROR_NO_SERVICE when the
 * daemon cannot be reached or went away, and ERROR_TIMEOUT.
 */
#ifndef TESSERA_PKCS11_REMOTE_H
#define TESSERA_PKCS11_REMOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buffer.h"
#include "common/error.h"
#include "common/secret.h"

/* Flags of a token, as in the interface's description. */
#define TOKEN_PRESENT	     (1U << 0)
#define TOKEN_PIN_BLOCKED    (1U << 1)
#define TOKEN_PIN_LAST_TRY   (1U << 2)
#define TOKEN_PIN_TRIES_LOST (1U << 3)
#define TOKEN_PIN_NOT_SET    (1U << 4)
#define TOKEN_SUSPENDED	     (1U << 5)
#define TOKEN_PIN_EXPIRED    (1U << 6)
#define TOKEN_WITHOUT_PIN    (1U << 7)
#define TOKEN_FIXED	     (1U << 8)
/* Flags of a key. */
#define REMOTE_KEY_PIN_ALWAYS (1U << 0)
#define REMOTE_KEY_PIN_NEVER  (1U << 1)

/* One slot; all strings are set and owned. */
struct remote_token {
	uint32_t number;
	char *reader;
	uint32_t flags;
	char *label, *manufacturer, *model, *serial;
	uint32_t pin_minimum, pin_maximum;
	uint64_t generation;
};
void remote_token_clear(struct remote_token *token);

struct remote_tokens {
	uint64_t connection; /* the connection they came over */
	uint64_t generation;
	struct remote_token *items;
	size_t count;
};
#define REMOTE_TOKENS_INIT                                                                         \
	{                                                                                          \
		0                                                                                  \
	}
void remote_tokens_clear(struct remote_tokens *tokens);

/* What a token that is no card told of an object: its value lies in the key's `values`. */
struct remote_attribute {
	uint32_t type; /* CK_ATTRIBUTE_TYPE */
	uint32_t offset, length;
};

/* Public data of one key of a card, or one object of another token; owned. */
struct remote_key {
	uint32_t reference; /* PIV key reference, 0x9A ...; or the object's number */
	char *label;
	struct buffer certificate; /* DER, may be empty */
	struct buffer public_key;  /* SubjectPublicKeyInfo, DER */
	uint32_t flags;
	struct remote_attribute *attributes; /* none: a key of a card */
	size_t attribute_count;
	struct buffer values;
};
void remote_key_clear(struct remote_key *key);

struct remote_keys {
	uint64_t generation;
	struct remote_key *items;
	size_t count;
};
#define REMOTE_KEYS_INIT                                                                           \
	{                                                                                          \
		0                                                                                  \
	}
void remote_keys_clear(struct remote_keys *keys);

/* What a token that is no card can do; sizes in bits or bytes, as the mechanism has them. */
struct remote_mechanism {
	unsigned long type; /* CK_MECHANISM_TYPE */
	unsigned long minimum, maximum;
	unsigned long flags; /* CKF_* */
};
struct remote_mechanisms {
	struct remote_mechanism *items;
	size_t count;
};
void remote_mechanisms_clear(struct remote_mechanisms *mechanisms);

/*
 * A connection that is made when it is first needed. owner: NULL, or another one that when stopped
 * stops this one too. NULL when out of memory or descriptors.
 */
struct remote *remote_new(struct remote *owner);
struct remote *remote_ref(struct remote *remote);
void remote_unref(struct remote *remote);
/* Ends all waiting calls with ERROR_NO_SERVICE, now and later. */
void remote_stop(struct remote *remote);

/*
 * Reads what has arrived, without waiting: answers the number of the connection (0: none; it
 * differs after every reconnection) and the highest generation that was told over it. The module
 * lock may be held.
 */
void remote_poll(struct remote *remote, uint64_t *connection, uint64_t *generation);

/* What a waiting thread has been told; zero at first. */
struct remote_news {
	uint64_t connection, generation;
};

/*
 * Waits until more is told than *news, the connection is made or lost, timeout_ms (-1: never) are
 * over, or the connection or its owner is stopped. A look at the tokens must follow, since what
 * changed before the connection stood is not told. For a connection that no other thread uses.
 */
void remote_wait(struct remote *remote, struct remote_news *news, int timeout_ms);

/*
 * The only call that makes the connection; at most two attempts a second. wait: false answers
 * ERROR_BUSY at once while another thread's call is under way.
 */
bool remote_get_tokens(
	struct remote *remote, bool wait, struct remote_tokens *tokens, struct error *error);
/* wait: as above. */
bool remote_get_objects(struct remote *remote, uint32_t slot, bool wait, struct remote_keys *keys,
	struct error *error);
bool remote_login(
	struct remote *remote, uint32_t slot, const struct secret *pin, struct error *error);
bool remote_logout(struct remote *remote, uint32_t slot, struct error *error);
/* Sends the logout and does not wait for its answer. The module lock may be held. */
void remote_logout_quietly(struct remote *remote, uint32_t slot);
/* One use of a private or secret key. */
struct remote_use {
	uint32_t slot, key;
	const char *operation; /* "sign", "decrypt", "derive" or "encrypt" */
	uint32_t mechanism;    /* CKM_*, and its parameter, as in the interface's description */
	const struct buffer *parameter;
	const struct secret *pin; /* unset, or for a key that wants it for each use */
	const struct buffer *input;
};
bool remote_use_key(struct remote *remote, const struct remote_use *use, struct buffer *output,
	struct error *error);
/*
 * A use whose input comes in parts: its arguments, without input; operation may be "verify", too.
 * *number is what the others call it by. Each part's output is appended to output. Parts go over
 * channels, as uses of keys do, where they have room for them.
 */
#define REMOTE_PART_MAX 16000 /* bytes */
bool remote_begin_use(
	struct remote *remote, const struct remote_use *use, uint32_t *number, struct error *error);
bool remote_continue_use(struct remote *remote, uint32_t slot, uint32_t number, const void *input,
	size_t length, struct buffer *output, struct error *error);
/* signature: to be verified; or empty. */
bool remote_end_use(struct remote *remote, uint32_t slot, uint32_t number,
	const struct buffer *signature, struct buffer *output, struct error *error);
/* Sends it and does not wait. The module lock may be held. */
void remote_cancel_use_quietly(struct remote *remote, uint32_t slot, uint32_t number);
/* For the security officer: whether the card's unblock code is right, and a PIN on its strength. */
bool remote_check_unblock_code(
	struct remote *remote, uint32_t slot, const struct secret *code, struct error *error);
bool remote_init_pin(struct remote *remote, uint32_t slot, const struct secret *code,
	const struct secret *pin, struct error *error);
/* The user's PIN, or the security officer's. */
bool remote_change_pin(struct remote *remote, uint32_t slot, bool officer,
	const struct secret *old_pin, const struct secret *new_pin, struct error *error);

/*
 * For pthread_atfork(3). The lock around libdbus is held across a fork, so that the child finds
 * libdbus's own locks free; it is never held while waiting for the daemon's answer.
 */
void remote_fork_prepare(void);
void remote_fork_parent(void);
void remote_fork_child(void);
/* In a child: closes the descriptors of all connections and sends nothing. */
void remote_forget_all(void);

#endif
