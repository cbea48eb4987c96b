/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The daemon's calls that make, change and read objects of slots; further ones to remote.h. */
#ifndef TESSERA_PKCS11_REMOTE_OBJECT_H
#define TESSERA_PKCS11_REMOTE_OBJECT_H

#include "pkcs11/cryptoki.h"
#include "pkcs11/remote.h"

enum remote_change_kind {
	REMOTE_CREATE,
	REMOTE_COPY,
	REMOTE_SET,
	REMOTE_DESTROY,
	REMOTE_GENERATE_KEY,
	REMOTE_GENERATE_PAIR,
	REMOTE_UNWRAP,
	REMOTE_DERIVE,
};

struct remote_template {
	const CK_ATTRIBUTE *attributes;
	CK_ULONG count;
};

/* A change of a token's objects; which members count is the kind's. */
struct remote_change {
	enum remote_change_kind kind;
	uint32_t slot;
	uint32_t object; /* that is copied, changed or destroyed; unwrapping or base key */
	uint32_t mechanism;
	const struct buffer *parameter; /* as in the interface's description */
	const struct buffer *input;	/* the wrapped key, or the peer's point */
	struct remote_template templates[2];
	/* The answer: the new objects, and the token's generation before and with them. */
	uint32_t numbers[2];
	uint64_t before, generation;
};
bool remote_change(struct remote *remote, struct remote_change *change, struct error *error);
/* DestroyObject of a session object, without waiting. The module lock may be held. */
void remote_destroy_quietly(struct remote *remote, uint32_t slot, uint32_t object);

/* Objects from a number on: one page, which is enough for what was just made. */
bool remote_get_objects_from(struct remote *remote, uint32_t slot, uint32_t number,
	struct remote_keys *keys, struct error *error);

bool remote_wrap_key(struct remote *remote, const struct remote_use *use, uint32_t key,
	struct buffer *wrapped, struct error *error);
/* A MAC by the key of the use. ERROR_SIGNATURE_INVALID. */
bool remote_verify(struct remote *remote, const struct remote_use *use,
	const struct buffer *signature, struct error *error);
bool remote_get_secret(struct remote *remote, uint32_t slot, uint32_t object, struct buffer *value,
	struct error *error);

bool remote_get_random(struct remote *remote, uint32_t slot, uint32_t length, struct buffer *bytes,
	struct error *error);
bool remote_seed_random(
	struct remote *remote, uint32_t slot, const struct buffer *seed, struct error *error);
/* Whether a message can carry it: UTF-8. */
bool remote_is_text(const char *text);
bool remote_init_token(struct remote *remote, uint32_t slot, const struct secret *so_pin,
	const char *label, struct error *error);

/* Asks which mechanisms the token has; *mechanisms is to be cleared. */
bool remote_get_mechanisms(struct remote *remote, uint32_t slot,
	struct remote_mechanisms *mechanisms, struct error *error);

#endif
