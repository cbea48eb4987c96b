/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of the HSM share. */
#ifndef TESSERA_TOKEN_HSM_PRIVATE_H
#define TESSERA_TOKEN_HSM_PRIVATE_H

#include <pthread.h>

#include "token/hsm.h"
#include "token/session.h"

#define HSM_MECHANISMS_MAX 512

/* What is read with the objects. */
struct hsm_facts {
	CK_TOKEN_INFO info;
	struct hsm_mechanism mechanisms[HSM_MECHANISMS_MAX];
	size_t mechanism_count;
};

struct hsm_child;

struct hsm {
	/* Where the module runs in a process of its own; then the next three are not used. */
	struct hsm_child *child;
	struct module module;
	CK_SLOT_ID slot;
	struct session_pool *sessions;
	/* Guards logins and pin; held through a login, and taken before the other one. */
	pthread_mutex_t login_lock;
	unsigned logins;
	struct secret pin; /* set while there are logins */
	atomic_uint relogins;
	/* Guards all below but the next lock; nothing slow happens under it. */
	pthread_mutex_t objects_lock;
	/* As they were when the objects were read. */
	struct hsm_facts facts;
	struct hsm_objects *objects;
	/*
	 * Of one that was opened with known objects and no PIN: private ones stay until the first
	 * login shows which there are.
	 */
	atomic_bool keeps_private;
	/* Held while objects are read or the list is changed; taken without a session. */
	pthread_mutex_t reading_lock;
	/* Under that lock: whether objects were read, and the login_changes at that moment. */
	bool has_read;
	unsigned read_at;
	atomic_uint last_number;       /* given to an object; changed under that lock */
	atomic_uint owners;	       /* that have a session */
	struct hsm_preparer *preparer; /* NULL: there is none */
	struct hsm_streams *streams;
	atomic_bool has_streamed; /* something was begun once */
};

struct hsm_owner {
	struct hsm *hsm;
	pthread_mutex_t session_lock; /* guards session; held while it is used */
	CK_SESSION_HANDLE session;    /* CK_INVALID_HANDLE: nothing has been made yet */
	/* Where the module runs in a process of its own, under that lock: token/hsm-child.c */
	uint32_t number;	     /* WIRE_NOBODY: nothing has been made yet */
	_Atomic unsigned generation; /* of the process that has the objects */
	uint64_t serial;
	pthread_mutex_t lock; /* guards all below; nothing slow happens under it */
	struct hsm_objects *objects;
	uint32_t last_number;
};

/*
 * Logs in again, and reads the objects again, after the token lost its login; unless another thread
 * has done so since `relogins` was what it is here. ERROR_PIN_REQUIRED without a PIN.
 */
bool hsm_login_again(struct hsm *hsm, unsigned relogins, struct error *error);

/* --- hsm-ready.c: the thread that prepares signatures --- */

/* NULL when there is to be none. */
struct hsm_preparer *hsm_preparer_new(struct hsm *hsm);
/* Ends the thread. NULL is allowed. */
void hsm_preparer_free(struct hsm_preparer *preparer);

/* --- hsm-stream-list.c: uses of keys whose input comes in parts --- */

struct hsm_streams *hsm_streams_new(struct hsm *hsm);
/* Ends all; no call may be under way. NULL is allowed. */
void hsm_streams_free(struct hsm_streams *streams);
size_t hsm_streams_count(struct hsm *hsm);
/* Ends those of an owner (NULL: of all), or only those with private keys. */
void hsm_streams_end(struct hsm *hsm, const struct hsm_owner *owner, bool only_private);
/* Ends those that nobody has gone on with for that long. */
void hsm_streams_end_idle(struct hsm *hsm, int64_t idle_ms);

/* --- hsm-object.c: reading --- */

/* Reads one object; the reference is the caller's. number: 0, to be given later. */
struct hsm_object *hsm_read_object(struct session *session, CK_OBJECT_HANDLE handle);

/* Whether the token says something else of its PIN or its label now. Called before facts are kept.
 */
bool hsm_facts_differ(struct hsm *hsm, const struct hsm_facts *facts);

/* Fills what follows from its attributes: class, label and so on. */
void hsm_object_describe(struct hsm_object *object);

/* --- hsm-list.c: lists of objects --- */

struct hsm_object *hsm_object_ref(struct hsm_object *object);
void hsm_object_unref(struct hsm_object *object);
DEFINE_CLEANUP(struct hsm_object *, hsm_object_unref);
#define _cleanup_hsm_object_ _cleanup_(hsm_object_unrefp)
struct hsm_objects *hsm_objects_new(void);
/* The list of one that is being opened. known may be NULL. */
void hsm_list_begin(struct hsm *hsm, const struct hsm_objects *known, uint32_t last_number);
/* The object of that number, referenced, or NULL. owner may be NULL. */
struct hsm_object *hsm_find_object(struct hsm *hsm, struct hsm_owner *owner, uint32_t number);
/*
 * Puts an object that was just made among those that everybody sees, gives it a number, and answers
 * that. since: the last number before it was made: somebody may have read it meanwhile.
 */
uint32_t hsm_list_add(struct hsm *hsm, struct hsm_object *object, uint32_t since);
/* The object of that number is now as it is in fresh, which gets the number. */
void hsm_list_replace(struct hsm *hsm, uint32_t number, struct hsm_object *fresh);
void hsm_list_remove(struct hsm *hsm, uint32_t number);
bool hsm_object_is_same(const struct hsm_object *one, const struct hsm_object *other);

/* --- hsm-owner.c: session objects --- */

/*
 * The owner's session, which is alone in SoftHSM2 until it is left. ERROR_TOKEN_REFUSED
 * (CKR_DEVICE_MEMORY) for an owner that has too many objects.
 */
bool hsm_owner_enter(struct hsm_owner *owner, struct session *session, struct error *error);
void hsm_owner_leave(struct hsm_owner *owner, const struct session *session);
uint32_t hsm_owner_add(struct hsm_owner *owner, struct hsm_object *object);
void hsm_owner_replace(struct hsm_owner *owner, uint32_t number, struct hsm_object *fresh);
void hsm_owner_remove(struct hsm_owner *owner, uint32_t number);

/* --- hsm-mechanism.c --- */

/* A mechanism with the memory that its parameter needs; what else it points to is the request's. */
struct hsm_prepared {
	CK_MECHANISM mechanism;
	union {
		CK_RSA_PKCS_PSS_PARAMS pss;
		CK_RSA_PKCS_OAEP_PARAMS oaep;
		CK_ECDH1_DERIVE_PARAMS ecdh;
		CK_AES_CTR_PARAMS ctr;
		CK_GCM_PARAMS gcm;
		CK_KEY_DERIVATION_STRING_DATA string;
		CK_AES_CBC_ENCRYPT_DATA_PARAMS aes_string;
		CK_ULONG length; /* CK_MAC_GENERAL_PARAMS */
	} parameter;
};
/* key: NULL where none is used. ERROR_NOT_SUPPORTED, ERROR_INVALID_ARGUMENT, ERROR_TOKEN_REFUSED.
 */
bool hsm_prepare(struct hsm_prepared *prepared, const struct hsm_request *request,
	const struct hsm_object *key, struct error *error);
/* Whether a mechanism may get the input of such a use in parts. */
bool hsm_mechanism_has_parts(enum hsm_operation use, uint32_t mechanism);

/* --- one call under way --- */

struct hsm_work {
	struct hsm *hsm;
	struct hsm_owner *owner; /* or NULL */
	const struct hsm_request *request;
	struct hsm_reply *reply;
	struct hsm_object *object, *second; /* those of the request, or NULL */
	bool is_private;		    /* one of them is */
	struct hsm_prepared prepared;	    /* where there is a mechanism */
	CK_RV rv;			    /* the token's last answer */
};
/* Notes the answer of the token, and fills error from it. Returns false. */
bool hsm_work_failed(struct hsm_work *work, struct session *session, CK_RV rv, const char *what,
	struct error *error);

/* --- hsm-use.c --- */

/* What SoftHSM2 means with an answer to a use of a key. */
CK_RV hsm_translate(enum hsm_operation use, const struct hsm_prepared *prepared, CK_RV rv);
/* The PIN for one use: the caller's, or else that of the login. */
bool hsm_find_pin(const struct hsm_work *work, struct secret *pin, struct error *error);

/* The operations, by file; each does one call, and is done once more after a lost login. */
bool hsm_do_use(struct hsm_work *work, struct error *error);	/* hsm-use.c */
bool hsm_do_verify(struct hsm_work *work, struct error *error); /* hsm-use.c */
bool hsm_do_make(struct hsm_work *work, struct error *error);	/* hsm-make.c */
bool hsm_do_set(struct hsm_work *work, struct error *error);	/* hsm-make.c */
bool hsm_do_destroy(struct hsm_work *work, struct error *error);
bool hsm_do_wrap(struct hsm_work *work, struct error *error);	     /* hsm-export.c */
bool hsm_do_get_value(struct hsm_work *work, struct error *error);   /* hsm-export.c */
bool hsm_do_get_random(struct hsm_work *work, struct error *error);  /* hsm-export.c */
bool hsm_do_seed_random(struct hsm_work *work, struct error *error); /* hsm-export.c */
bool hsm_do_begin(struct hsm_work *work, struct error *error);	     /* hsm-stream.c */
bool hsm_do_continue(struct hsm_work *work, struct error *error);    /* hsm-stream.c */
bool hsm_do_end(struct hsm_work *work, struct error *error);	     /* hsm-stream.c */
bool hsm_do_cancel(struct hsm_work *work, struct error *error);	     /* hsm-stream.c */
bool hsm_do_pin(struct hsm_work *work, struct error *error);	     /* hsm-pin.c */

#endif
