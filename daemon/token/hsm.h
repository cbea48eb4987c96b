/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A token of a PKCS#11 module whose keys programs use through the daemon: its
 * objects as they are shown to them, its login, and all that is done with them.
 * All functions may be called from any thread; who may do what is not decided here.
 * Errors: ERROR_TOKEN_FAILED with the CKR_ name in the message, ERROR_TOKEN_REFUSED for what the
 * token does not do (its CKR_ value is in error->ckr), and those named.
 */
#ifndef TESSERA_TOKEN_HSM_H
#define TESSERA_TOKEN_HSM_H

#include <stdatomic.h>

#include "common/buffer.h"
#include "common/error.h"
#include "common/secret.h"
#include "model/key.h"
#include "token/child.h"
#include "token/module.h"

struct hsm;

struct hsm_options {
	const char *module; /* absolute path */
	const char *label;  /* of the token */
	/*
	 * Of the token; NULL: any. Where no token has both, one that has the serial number and
	 * another label is taken: hsm_information() tells.
	 */
	const char *serial;
	/* Where the module is SoftHSM2 and has no such token, one is made with this PIN; or NULL.
	 */
	const struct secret *new_pin;
	const struct secret *pin;	     /* logged in with before objects are read; or NULL */
	const struct child_options *process; /* NULL: the module runs in this process */
	/* Objects that programs know by their numbers, and the last number given; or NULL. */
	const struct hsm_objects *known;
	uint32_t last_number;
};

struct hsm_mechanism {
	CK_MECHANISM_TYPE type;
	CK_MECHANISM_INFO info;
};

/* What the token says of itself; heap. */
struct hsm_information {
	char *label, *manufacturer, *model, *serial;
	unsigned pin_minimum, pin_maximum; /* bytes */
	bool has_user_pin;		   /* CKF_USER_PIN_INITIALIZED */
	struct hsm_mechanism *mechanisms;
	size_t mechanism_count;
};
void hsm_information_clear(struct hsm_information *information);

/* A value lies in the object's `values`; numbers are CK_ULONG, as the module gave them. */
struct hsm_attribute {
	CK_ATTRIBUTE_TYPE type;
	size_t offset, length;
};

/* Session objects' numbers begin here. */
#define HSM_SESSION_OBJECT 0x80000000U

/* One object at one moment; it does not change any more. */
struct hsm_object {
	atomic_uint references;
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

/* Whether it is a label of the daemon's own keys, which may lie in the same token: never shown. */
bool hsm_label_is_own(const char *label);
/* The value of an attribute, or NULL. */
const uint8_t *hsm_object_value(
	const struct hsm_object *object, CK_ATTRIBUTE_TYPE type, size_t *length);

/* All objects at one moment. */
struct hsm_objects {
	atomic_uint references;
	struct hsm_object **items; /* by ascending number */
	size_t count;
};
void hsm_objects_unref(struct hsm_objects *objects);
DEFINE_CLEANUP(struct hsm_objects *, hsm_objects_unref);
#define _cleanup_hsm_objects_ _cleanup_(hsm_objects_unrefp)
/* NULL when there is none of that number. */
const struct hsm_object *hsm_objects_find(const struct hsm_objects *objects, uint32_t number);
/* The place of the first one with a higher number; count when there is none. */
size_t hsm_objects_after(const struct hsm_objects *objects, uint32_t number);

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
 * others than before, or has_user_pin is. Of a token that is logged in already the PIN is compared
 * with the one that it took: the module has one login for all. ERROR_PIN_WRONG, ERROR_PIN_BLOCKED.
 * Each login wants its logout; after the last one the token is logged out. What it showed is shown
 * on.
 */
bool hsm_login(struct hsm *hsm, const struct secret *pin, bool *changed, struct error *error);
void hsm_logout(struct hsm *hsm);

/* Reads the objects again. changed: as above. */
bool hsm_refresh(struct hsm *hsm, bool *changed, struct error *error);
/* What was read last; never NULL, for hsm_objects_unref(). */
struct hsm_objects *hsm_objects(struct hsm *hsm);
/* The last number that was given to an object. */
uint32_t hsm_last_number(const struct hsm *hsm);

/*
 * Whose session objects there are (CKA_TOKEN false): one program's. They lie in an HSM session of
 * its own, are numbered from HSM_SESSION_OBJECT on, and nobody else can name them.
 */
struct hsm_owner;
struct hsm_owner *hsm_owner_new(struct hsm *hsm);
/* Ends them. No call with it may be under way. NULL is allowed. */
void hsm_owner_free(struct hsm_owner *owner);
/* Its program has logged out: private objects end. */
void hsm_owner_logout(struct hsm_owner *owner);
/* Never NULL, for hsm_objects_unref(). */
struct hsm_objects *hsm_owner_objects(struct hsm_owner *owner);

/* What is done with a token; which members of the request and the reply count for it. */
enum hsm_operation {
	/* Uses of a private or secret key, in the order of enum key_use: mechanism, parameter,
	 * input, pin; output. Keys do what they do without a digest, except for MACs. */
	HSM_SIGN,
	HSM_DECRYPT,
	HSM_DERIVE, /* output is the secret itself; input: the peer's point */
	HSM_ENCRYPT,
	HSM_VERIFY, /* also signature; ERROR_SIGNATURE_INVALID */
	/* Objects: templates[0]; numbers[0] */
	HSM_CREATE,
	HSM_COPY,	    /* object */
	HSM_SET_ATTRIBUTES, /* object; it keeps its number */
	HSM_DESTROY,	    /* object; no template, no number */
	HSM_GENERATE_KEY,   /* mechanism, parameter */
	HSM_GENERATE_PAIR,  /* mechanism, parameter; templates: public, private; both numbers */
	HSM_WRAP,	    /* object wraps `second`: mechanism, parameter; output */
	HSM_UNWRAP,	    /* object unwraps input: mechanism, parameter */
	HSM_DERIVE_KEY,	    /* object is the base: mechanism, parameter, input as of HSM_DERIVE */
	HSM_GET_VALUE,	    /* object: CKA_VALUE of a secret key; output */
	/* Random numbers */
	HSM_GET_RANDOM,	 /* length; output */
	HSM_SEED_RANDOM, /* input */
	/*
	 * Streams: uses of keys whose input comes in parts, with a session of their own. They
	 * belong to an owner, which there has to be, and end with it, after a failure, and when
	 * nobody has gone on with them for some minutes.
	 */
	HSM_BEGIN,    /* use, object, mechanism, parameter, pin; stream */
	HSM_CONTINUE, /* stream; input; output, of at most length bytes unless that is 0 */
	/*
	 * stream; signature where it is to be verified; output, length. Asked for again while
	 * numbers[0] says that so many bytes of output are left.
	 */
	HSM_END,
	HSM_CANCEL, /* stream, if it is there; without an owner all that there are */
	/* The token's PINs. The security officer's ones want a token that nobody is logged in to.
	 */
	/*
	 * pin: the security officer's; input: another label, of 1 to 32 bytes, or nothing. All
	 * objects are lost. ERROR_INVALID_ARGUMENT (field label) for one that another token of the
	 * module has.
	 */
	HSM_INIT_TOKEN,
	HSM_CHECK_SO_PIN, /* pin */
	HSM_INIT_PIN,	  /* pin, new_pin */
	HSM_SET_PIN,	  /* pin, new_pin */
	HSM_SET_SO_PIN,	  /* pin, new_pin: both the security officer's */
	HSM_OPERATION_COUNT
};

/* Bytes of output that one answer about a stream has at most; the next one has the rest. */
#define HSM_STREAM_OUTPUT_MAX (32 * 1024)
/*
 * Bytes that a stream may hold: input of what the token does in one piece, plain text that it does
 * not give before the tag is verified. ERROR_DATA_LENGTH for more.
 */
#define HSM_STREAM_HELD_MAX ((size_t)16 * 1024 * 1024)

struct hsm_request {
	enum hsm_operation operation;
	enum hsm_operation use;	 /* HSM_SIGN, HSM_DECRYPT, HSM_ENCRYPT or HSM_VERIFY */
	uint32_t stream;	 /* its number: of who begins it, who never gives it again; not 0 */
	uint32_t object, second; /* numbers */
	uint32_t mechanism;	 /* CKM_* */
	uint32_t length;
	/* Bytes that stay the caller's. parameter: as in dbus/org.tessera1.Provider.xml */
	struct reader parameter, input, signature;
	struct reader templates[2];	    /* token/attributes.h; checked by attributes_check() */
	const struct secret *pin, *new_pin; /* unset or NULL: none */
};

struct hsm_reply {
	struct buffer *output; /* of who asks, and wiped by it; or NULL where nothing comes */
	uint32_t numbers[2];
	bool changed; /* hsm_objects() are others than before, or has_user_pin is */
};

/*
 * owner: whose session objects may be named and are made; NULL: nobody's, and none are.
 * A token that has lost its sessions or its login is logged in again once, with the PIN that it
 * took. ERROR_NOT_SUPPORTED (no such operation with that mechanism), ERROR_NOT_FOUND (no such
 * object), ERROR_PIN_REQUIRED, ERROR_PIN_WRONG, ERROR_PIN_BLOCKED, ERROR_PIN_LENGTH,
 * ERROR_PIN_POLICY, ERROR_INVALID_ARGUMENT (parameter), ERROR_DATA_INVALID, ERROR_DATA_LENGTH.
 */
bool hsm_call(struct hsm *hsm, struct hsm_owner *owner, const struct hsm_request *request,
	struct hsm_reply *reply, struct error *error);
/* Ends all streams of all owners: nobody is to use the token any more. */
void hsm_end_streams(struct hsm *hsm);
/*
 * Has a session ready for the same signature again, so that the next one takes half of the HSM's
 * time: for who has time now and will likely sign more. Nothing for what cannot be made ready.
 */
void hsm_make_ready(struct hsm *hsm, uint32_t object, enum key_use use, uint32_t mechanism);
/*
 * Has it done by a thread of the HSM's, beside the use that the caller is about to make. False
 * where there is no such thread.
 */
bool hsm_make_ready_aside(struct hsm *hsm, uint32_t object, enum key_use use, uint32_t mechanism);

#endif
