/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A token of a PKCS#11 module whose keys programs use through the daemon: its
 * objects as they are shown to them, its login, and the uses of its keys. All
 * functions may be called from any thread; who may do what is not decided here.
 * Errors: ERROR_TOKEN_FAILED with the CKR_ name in the message, and those named.
 */
#ifndef TESSERA_TOKEN_HSM_H
#define TESSERA_TOKEN_HSM_H

#include <stdatomic.h>

#include "common/buffer.h"
#include "common/error.h"
#include "common/secret.h"
#include "model/key.h"
#include "token/module.h"

struct hsm;

struct hsm_options {
	const char *module; /* absolute path */
	const char *label;  /* of the token */
	const char *serial; /* of the token; NULL: any */
	/* Where the module is SoftHSM2 and has no such token, one is made with this PIN; or NULL.
	 */
	const struct secret *new_pin;
};

/* What the token says of itself; heap. */
struct hsm_information {
	char *label, *manufacturer, *model, *serial;
	unsigned pin_minimum, pin_maximum; /* bytes */
	CK_MECHANISM_TYPE *mechanisms;
	size_t mechanism_count;
};
void hsm_information_clear(struct hsm_information *information);

/* A value lies in the object's `values`; numbers are CK_ULONG, as the module gave them. */
struct hsm_attribute {
	CK_ATTRIBUTE_TYPE type;
	size_t offset, length;
};

struct hsm_object {
	uint32_t number; /* stays while the token is open and the object is what it is; from 1 */
	CK_OBJECT_HANDLE handle;
	CK_OBJECT_CLASS object_class;
	bool is_private; /* CKA_PRIVATE */
	bool wants_pin;	 /* CKA_ALWAYS_AUTHENTICATE: for each use */
	char *label;	 /* CKA_LABEL, "" where there is none */
	struct hsm_attribute *attributes;
	size_t attribute_count;
	struct buffer values;
};

/* All objects at one moment; they do not change any more. */
struct hsm_objects {
	atomic_uint references;
	struct hsm_object *items; /* by ascending number */
	size_t count;
};
void hsm_objects_unref(struct hsm_objects *objects);
DEFINE_CLEANUP(struct hsm_objects *, hsm_objects_unref);
#define _cleanup_hsm_objects_ _cleanup_(hsm_objects_unrefp)
/* NULL when there is none of that number. */
const struct hsm_object *hsm_objects_find(const struct hsm_objects *objects, uint32_t number);

/*
 * Loads the module, finds the token and reads what it shows without a login. ERROR_NOT_FOUND for a
 * token that is not there.
 */
struct hsm *hsm_open(const struct hsm_options *options, struct error *error);
/* NULL is allowed. No other thread may use it any more. */
void hsm_close(struct hsm *hsm);
/* As it was when the objects were read last. */
void hsm_information(struct hsm *hsm, struct hsm_information *information);

/*
 * Logs in and reads the objects again; *changed (not touched otherwise) is set when there are
 * others than before. Of a token that is logged in already the PIN is compared with the one that
 * it took: the module has one login for all. ERROR_PIN_WRONG, ERROR_PIN_BLOCKED. Each login wants
 * its logout; after the last one the token is logged out. What it showed is shown on.
 */
bool hsm_login(struct hsm *hsm, const struct secret *pin, bool *changed, struct error *error);
void hsm_logout(struct hsm *hsm);

/* Reads the objects again. changed: as above. */
bool hsm_refresh(struct hsm *hsm, bool *changed, struct error *error);
/* What was read last; never NULL, for hsm_objects_unref(). */
struct hsm_objects *hsm_objects(struct hsm *hsm);

/* One use of a private key. */
struct hsm_use {
	enum key_use use;
	uint32_t mechanism;	 /* CKM_*, without a digest */
	struct reader parameter; /* as in dbus/org.tessera1.Provider.xml */
	const uint8_t *input;
	size_t length;
	const struct secret *pin; /* for an object that wants it; unset: the one of the login */
	struct buffer *output;	  /* wiped by its owner */
};
/*
 * A token that has lost its sessions or its login is logged in again once, with the PIN that it
 * took. ERROR_NOT_SUPPORTED, ERROR_PIN_REQUIRED, ERROR_INVALID_ARGUMENT, ERROR_DATA_INVALID,
 * ERROR_DATA_LENGTH.
 */
bool hsm_use_key(struct hsm *hsm, uint32_t object, const struct hsm_use *use, struct error *error);
/*
 * Has a session ready for the same signature again, so that the next one takes half of the HSM's
 * time: for who has time now and will likely sign more. Nothing for what cannot be made ready.
 */
void hsm_make_ready(struct hsm *hsm, uint32_t object, enum key_use use, uint32_t mechanism);

#endif
