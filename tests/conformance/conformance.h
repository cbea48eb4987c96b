/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Checks of a PKCS#11 module by the text of the standard (OASIS PKCS#11 2.40 with errata 01,
 * and 3.0 for C_GetInterface). Each check has a name, FUNCTION.what, and prints one line. The files
 * go by the standard's chapters. Each chapter runs in a process of its own that loads the module
 * afresh: a call that crashes or hangs fails its own check, and no other.
 */
#pragma once

#define CRYPTOKI_COMPAT
#include <p11-kit/pkcs11.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* of 3.0 */
#define CKR_AEAD_DECRYPT_FAILED 0x42ul

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* --- what is tested --- */

struct suite {
	const char *module; /* path */
	const char *token;  /* label */
	const char *pin;
	const char *so_pin;  /* NULL where none is known; a card's unblock code cannot be tried */
	const char *scratch; /* label of a token that may be initialised anew, or NULL */
	const char *kind;    /* "softhsm", "slot" or "card" */
	void *library;
	CK_FUNCTION_LIST *functions;
	CK_SLOT_ID slot;
	CK_SESSION_HANDLE session; /* read/write; the chapter's own */
	CK_TOKEN_INFO info;	   /* as the chapter began */
};

extern struct suite suite;

#define P11 suite.functions

/* No module gives out these. */
#define NO_SESSION   ((CK_SESSION_HANDLE)0x7eadbeef)
#define NO_OBJECT    ((CK_OBJECT_HANDLE)0x7eadbeef)
#define NO_SLOT	     ((CK_SLOT_ID)0x7eadbeef)
#define NO_MECHANISM ((CK_MECHANISM_TYPE)0x7eadbeef)

/* A chapter whose module is loaded, and not more: no C_Initialize, no session. */
#define CHAPTER_BARE 1u

struct chapter {
	const char *name;
	void (*run)(void);
	unsigned flags;
};

extern const struct chapter chapters[];
extern const size_t chapter_count;

/* --- checks (check.c) --- */

/* The section that the checks from here on come from: "5.4", or "M 2.1.6" of the mechanisms. */
void section(const char *number);

/* Whether the check is to be made: not where it crashed before. Its end is one of the next. */
bool check_begin(const char *name);
bool check_returned(CK_RV rv, const char *call, const CK_RV *wanted, size_t count);
bool check_holds(bool holds, const char *condition);
bool check_left_out(void); /* false */
void check_skip(const char *name, const char *why);
/* What a group needs did not work: that is a failed check GROUP.setup. */
void check_broken(const char *group, const char *call, CK_RV rv);
const char *ckr_name(CK_RV rv);

#define RVS(...) (const CK_RV[]){__VA_ARGS__}, sizeof((const CK_RV[]){__VA_ARGS__}) / sizeof(CK_RV)

/* The call returns one of the values: the first is the standard's, others are as good by its text.
 */
#define EXPECT(name, call, ...)                                                                    \
	(check_begin(name) ? check_returned((call), #call, RVS(__VA_ARGS__)) : check_left_out())
/* The condition is looked at only when the check is made. */
#define EXPECT_THAT(name, condition)                                                               \
	(check_begin(name) ? check_holds((condition), #condition) : check_left_out())
/* For what is no check but has to work; ends the group otherwise. */
#define NEED(call)                                                                                 \
	do {                                                                                       \
		CK_RV needed_rv = (call);                                                          \
		if (needed_rv != CKR_OK) {                                                         \
			check_broken(__func__, #call, needed_rv);                                  \
			return;                                                                    \
		}                                                                                  \
	} while (0)

/* A name made of two: "C_Sign." and "null_data". Valid until the eighth next call. */
const char *join(const char *first, const char *second);

/* --- the token (token.c) --- */

bool token_load(void);	/* the module, without C_Initialize */
bool token_begin(void); /* C_Initialize, the slot, a session */
bool token_find(const char *label, CK_SLOT_ID *slot);
CK_RV initialize(void); /* with CKF_OS_LOCKING_OK */
CK_SESSION_HANDLE session_open(CK_FLAGS flags);
CK_RV login(void); /* of the user; no failure where it is so already */
CK_RV logout(void);
bool is_kind(const char *kind);
bool token_wants_login(void);
/* CKR_TOKEN_WRITE_PROTECTED where the token says that it is, else this. */
CK_RV unless_protected(CK_RV rv);

/* Whether the token lists the mechanism with all of these CKF_ flags. */
bool has(CK_MECHANISM_TYPE type, CK_FLAGS flags);
/* The same, and a line "skip" for the group when it does not. */
bool offers(const char *group, CK_MECHANISM_TYPE type, CK_FLAGS flags);

/* --- templates (key.c) --- */

struct template
{
	CK_ATTRIBUTE attributes[24];
	CK_ULONG count;
	CK_ULONG numbers[24];
	CK_BBOOL booleans[24];
};

void template_number(struct template *template, CK_ATTRIBUTE_TYPE type, CK_ULONG value);
void template_boolean(struct template *template, CK_ATTRIBUTE_TYPE type, bool value);
void template_bytes(
	struct template *template, CK_ATTRIBUTE_TYPE type, const void *value, size_t length);

/* --- keys (key.c) --- */

struct pair {
	CK_OBJECT_HANDLE public, private;
};

/*
 * A key pair of the token that does this without asking for its PIN each time (usage: CKA_SIGN,
 * CKA_DECRYPT, CKA_DERIVE of the private key), else one made for this session; the user is logged
 * in for it. Without one: a line "skip" for the group, and false.
 */
bool pair_of(const char *group, CK_KEY_TYPE type, CK_ATTRIBUTE_TYPE usage, struct pair *pair);
/* One that signs, by RSA or else by ECDSA, and the mechanism for 32 bytes. */
bool pair_that_signs(const char *group, struct pair *pair, CK_MECHANISM *mechanism);
/* The public half, for OpenSSL; NULL when it cannot be read. Ends with EVP_PKEY_free(). */
struct evp_pkey_st *pair_public(const struct pair *pair);
/* A session key with this value; usages end with 0. */
CK_RV secret_key(CK_KEY_TYPE type, const void *value, size_t length, CK_OBJECT_HANDLE *key,
	const CK_ATTRIBUTE_TYPE *usages);
#define USAGES(...)                                                                                \
	(const CK_ATTRIBUTE_TYPE[])                                                                \
	{                                                                                          \
		__VA_ARGS__, 0                                                                     \
	}

CK_ULONG attribute_number(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type);
/* -1 where the object has no such attribute */
int attribute_boolean(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type);
CK_RV attribute_bytes(
	CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, void *value, CK_ULONG *length);
/* How many objects there are like this; the first `room` of them in objects. */
CK_ULONG find(
	CK_SESSION_HANDLE session, struct template *like, CK_OBJECT_HANDLE *objects, CK_ULONG room);

/* --- chapters --- */

void general_uninitialized(void);
void general_initialize(void);
void general_information(void);
void slot_functions(void);
void slot_mechanisms(void);
void slot_events(void);
void slot_pins(void);
void slot_init_token(void);
void session_functions(void);
void session_state(void);
void session_login(void);
void session_officer(void);
void object_create(void);
void object_lifetime(void);
void object_attributes(void);
void object_copy(void);
void object_find(void);
void import_certificates(void);
void import_keys(void);
void encrypt_arguments(void);
void encrypt_aes(void);
void encrypt_buffers(void);
void encrypt_rsa(void);
void digest_functions(void);
void sign_arguments(void);
void sign_rsa(void);
void sign_ec(void);
void sign_mac(void);
void sign_edwards(void);
void sign_always_authenticate(void);
void dual_functions(void);
void key_generate(void);
void key_wrap(void);
void key_wrap_rsa(void);
void key_derive(void);
void secret_keys(void);
void random_functions(void);
void parallel_functions(void);
void interface_functions(void);
void process_threads(void);
void process_fork(void);
