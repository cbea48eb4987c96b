/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Slots: tokens of PKCS#11 modules (HSMs) whose keys programs use through the
 * daemon. They are opened once, when the daemon starts or the slot is added, and
 * kept open. Who may use which key is decided here (slot_allows). All functions
 * may be called from any thread.
 */
#ifndef TESSERA_OPERATION_SLOTS_H
#define TESSERA_OPERATION_SLOTS_H

#include "model/slot.h"
#include "operation/services.h"
#include "token/hsm.h"

struct slots;

struct slots_options {
	const char *embedded_folder; /* of the daemon's own SoftHSM2; NULL: it has another token */
	const char *own_module, *own_label; /* the daemon's own token, which is no slot's */
	const char *token_program;	    /* what modules run in that are not in the daemon */
};

/*
 * Called without locks held, on any thread, when slots came, went or are others than before; or
 * only show other objects.
 */
typedef void (*slots_changed)(void *context, bool only_objects);

/* options is copied, its strings are not. */
struct slots *slots_new(struct services *services, const struct slots_options *options,
	slots_changed changed, void *context);
/* Reads the slots from the store. */
bool slots_load(struct slots *slots, struct error *error);
/* Opens them, on a thread of its own. */
bool slots_start(struct slots *slots, struct error *error);
/* Waits until they were opened for the first time, at most some seconds. */
void slots_await(struct slots *slots);
/* NULL is allowed. No call may be under way. */
void slots_free(struct slots *slots);
/* Opens what is not open, where the vault has been unlocked; returns when that is done. */
void slots_open_closed(struct slots *slots);

/* One slot; immutable but for what has a lock of its own. */
struct slot;
struct slot *slot_ref(struct slot *slot);
void slot_unref(struct slot *slot);
DEFINE_CLEANUP(struct slot *, slot_unref);
#define _cleanup_slot_ _cleanup_(slot_unrefp)

/* ERROR_NOT_FOUND */
struct slot *slots_find(struct slots *slots, const char *name, struct error *error);
struct slot *slots_find_number(struct slots *slots, unsigned number, struct error *error);
/* By number; heap array of references, for slots_list_free(). */
struct slot **slots_list(struct slots *slots, size_t *count);
void slots_list_free(struct slot **list, size_t count);

/* Its name, module and so on; the rules are slot_rules(). */
const struct slot_record *slot_record(const struct slot *slot);
/* Of its token as it is now, which that record need not say; heap. */
char *slot_token_label(struct slot *slot);
char *slot_token_serial(struct slot *slot); /* "": any */
/*
 * Has the token begun anew by `begin`, which gets the label, "" where that stays: it is found
 * afterwards, also when nobody learns how that ended. ERROR_INVALID_ARGUMENT for a label that it
 * cannot get.
 */
bool slot_begin_anew(struct slot *slot, struct hsm *hsm, const char *label,
	bool (*begin)(const char *label, void *context, struct error *error), void *context,
	struct error *error);
/* A copy, for slot_rules_free(). */
struct slot_rule *slot_rules(struct slot *slot, size_t *count);
/* The open token, or NULL with the reason why there is none. It lives as long as the slot. */
struct hsm *slot_hsm(struct slot *slot, struct error *error);
/* Grows when the slot shows something else. */
uint64_t slot_generation(struct slot *slot);
/* The slot is another than before. */
void slot_touch(struct slot *slot);
/* Its objects are: *before and *after get the generation before and after. */
void slot_renew(struct slot *slot, uint64_t *before, uint64_t *after);

bool slot_is_visible(struct slot *slot, const struct slot_user *user);
/* The operations that the user may do with keys of that label: bits. */
unsigned slot_allows(struct slot *slot, const struct slot_user *user, const char *label);
/* What the user may do with any key, by rules for all keys. */
unsigned slot_allows_all(struct slot *slot, const struct slot_user *user);

/*
 * Wrong PINs that the HSM's own counter does not see, as the token is logged in: at most 10 in a
 * minute, then none is tried for the rest of it.
 */
bool slot_may_try_pin(struct slot *slot);
void slot_note_wrong_pin(struct slot *slot);

/* --- verbs; each is done when it returns --- */

struct slot_request {
	const char *name;
	const char *module; /* a path, or the name that p11-kit knows it by; "": SoftHSM2 */
	const char *token_label;
	const char *token_serial; /* NULL: any */
	const struct secret *pin; /* unset: not known here */
	bool keep_pin;		  /* seal it */
	const char *pin_file;	  /* or NULL; as in struct slot_record */
	bool create;		  /* make the token, with that PIN, if SoftHSM2 has none */
	bool audit_uses;
	/*
	 * SLOT_PROCESS_COUNT: in the daemon where it is SoftHSM2, which the daemon's own token
	 * needs there anyway; else, and with variables, in one of its own.
	 */
	enum slot_process process;
	unsigned timeout;	/* seconds; 0: SLOT_TIMEOUT_DEFAULT */
	char *const *variables; /* NULL at the end; or NULL */
};
/*
 * Opens the token and saves the slot. ERROR_EXISTS (also for a token that another slot has),
 * ERROR_INVALID_ARGUMENT, ERROR_NOT_FOUND, ERROR_TOKEN_FAILED, ERROR_PIN_WRONG; ERROR_LOCKED for a
 * PIN that is to be sealed.
 */
bool operation_add_slot(
	struct services *services, const struct slot_request *request, struct error *error);
/* What is not set stays as it is. */
struct slot_change {
	bool has_process, has_timeout, has_variables, has_audit_uses;
	enum slot_process process;
	unsigned timeout;
	char *const *variables;
	bool audit_uses;
};
/*
 * Opens the token anew with these settings and saves them; programs that gave its PIN give it
 * again. Nothing is changed when a token that was open does not open so. Errors: as
 * operation_add_slot().
 */
bool operation_change_slot(struct services *services, const char *name,
	const struct slot_change *change, struct error *error);
/* Programs lose it at once; keys stay in the token. ERROR_NOT_FOUND. */
bool operation_remove_slot(struct services *services, const char *name, struct error *error);
/* Opens it if it is not open, and reads its objects again. *message: heap, for a person. */
bool operation_test_slot(struct slot *slot, char **message, struct error *error);
/*
 * Gives operations to a subject ("user:NAME", "group:NAME", names or numbers; "anyone") for the
 * keys of a label ("*": all), or takes them away (allow false; what was never given is no error).
 */
bool operation_change_access(struct slot *slot, const char *subject, const char *key,
	unsigned operations, bool allow, struct error *error);
/* "user:1000" as "user:ada", where the number has a name; heap. */
char *slot_subject_text(const char *subject);

#endif
