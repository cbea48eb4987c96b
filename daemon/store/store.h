/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The store: everything the daemon must not forget. Every function is one
 * transaction of its own unless it runs between store_begin() and
 * store_commit(); all may be called from any thread. Errors of all:
 * ERROR_STORE_FAILED, ERROR_STORE_FULL, ERROR_STORE_READ_ONLY.
 */
#ifndef TESSERA_STORE_STORE_H
#define TESSERA_STORE_STORE_H

#include "common/audit-checkpoint.h"
#include "common/audit-record.h"
#include "common/buffer.h"
#include "common/error.h"
#include "common/macros.h"
#include "model/credential.h"
#include "model/hsm-key.h"
#include "model/operator.h"
#include "model/person.h"
#include "model/puk.h"
#include "model/role.h"
#include "model/slot.h"
#include "model/template.h"

struct store;

/* Opens or creates the database file, checks it and brings its schema up to date. */
struct store *store_open(const char *path, struct error *error);
/* NULL is allowed. No other thread may use the store any more. */
void store_close(struct store *store);
DEFINE_CLEANUP(struct store *, store_close);

/*
 * Several changes as one: the store is locked for this thread from begin to
 * commit or rollback, so nothing slow (a card, a network) belongs between them.
 * Transactions do not nest: a second begin of the thread is ERROR_FAILED. After
 * a failed store_ call the commit fails too and everything is rolled back.
 * store_rollback after a commit, or without a begin, does nothing, so that this
 * is safe:
 *
 *     if (!store_begin(store, error))
 *             return false;
 *     struct store *transaction _cleanup_(store_rollbackp) = store;
 *     ...
 *     return store_commit(store, error);
 */
bool store_begin(struct store *store, struct error *error);
bool store_commit(struct store *store, struct error *error);
void store_rollback(struct store *store);

/* A random identifier of this store (32 hex digits), made when it was created. */
const char *store_id(const struct store *store);

/*
 * Forgets what an initialisation has made that was cut off before it was done: cards, documents and
 * values. The audit trail, the counters and the store's identifier stay.
 */
bool store_forget_installation(struct store *store, struct error *error);

/* Frees a list of names that a store_..._list gave. */
void store_names_free(char **names, size_t count);

/* --- credentials (store/credential.c) --- */
/* Inserts when id is 0 (and sets it), updates otherwise; sets changed_at (and
 * created_at). ERROR_EXISTS for a serial taken, ERROR_NOT_FOUND for a template version or an id
 * that the store does not have. */
bool store_credential_save(struct store *store, struct credential *credential, struct error *error);
/* NULL with ERROR_NOT_FOUND. */
struct credential *store_credential_by_id(struct store *store, int64_t id, struct error *error);
struct credential *store_credential_by_serial(
	struct store *store, const char *serial, struct error *error);
/* Ids greater than `after`, ascending, at most limit; heap array. A state of LIFECYCLE_STATE_COUNT
 * means any. */
bool store_credential_list(struct store *store, enum lifecycle_state state, int64_t after,
	unsigned limit, int64_t **ids, size_t *count, struct error *error);
/* Those whose end date has come and that are not saved as expired yet, at most limit; heap array.
 */
bool store_credential_list_due(struct store *store, int64_t now, unsigned limit, int64_t **ids,
	size_t *count, struct error *error);
/* A card that the user has issued by the template, and that was neither retired nor replaced since:
 * its serial, heap; NULL for none. */
bool store_credential_of_user(struct store *store, const char *user_id, const char *template_name,
	char **serial, struct error *error);
/* All that the user has issued, whatever became of them, at most limit; heap array. */
bool store_credentials_of_user(struct store *store, const char *user_id, unsigned limit,
	int64_t **ids, size_t *count, struct error *error);
bool store_credential_count(struct store *store, int64_t *count, struct error *error);
/* Cards that are managed (lifecycle_is_managed) but for system owners', and those that an intent
 * may make so (store/managed.c). Keys in HSM slots are no cards. */
bool store_credential_count_managed(struct store *store, int64_t *count, struct error *error);
/* Whether that count is below a limit; fast for a limit that was never near. */
bool store_credential_has_room(
	struct store *store, int64_t limit, bool *has_room, struct error *error);

/* --- people of directories (store/person.c) --- */
/* Cards "in use" are issued, active or inactive. Inserts or updates. */
bool store_person_save(
	struct store *store, const struct person_record *record, struct error *error);
/* Replaces *record. ERROR_NOT_FOUND. */
bool store_person_get(struct store *store, const char *connection, const char *id,
	struct person_record *record, struct error *error);
/* Those of a connection with a card in use, and how many they are: with an id greater than `after`,
 * ascending, at most limit. Free with person_records_free. */
bool store_person_list(struct store *store, const char *connection, const char *after,
	unsigned limit, struct person_record **records, size_t *count, struct error *error);
bool store_person_count(
	struct store *store, const char *connection, int64_t *count, struct error *error);
/* The same of those with news, with a card or not, and the connections of all of them; the end of
 * the news that a record has. */
bool store_person_list_news(struct store *store, const char *connection, const char *after,
	unsigned limit, struct person_record **records, size_t *count, struct error *error);
bool store_person_news_connections(
	struct store *store, char ***names, size_t *count, struct error *error);
bool store_person_settle(
	struct store *store, const struct person_record *record, struct error *error);
/* The connections that cards in use name, sorted. */
bool store_person_connections(
	struct store *store, char ***names, size_t *count, struct error *error);
/* A person's cards in use; all cards in use that are of a person, with an id greater than `after`,
 * at most limit. Ascending; heap arrays. */
bool store_person_cards(struct store *store, const char *connection, const char *id, int64_t **ids,
	size_t *count, struct error *error);
bool store_person_list_cards(struct store *store, int64_t after, unsigned limit, int64_t **ids,
	size_t *count, struct error *error);
/* Forgets who has no card, and was not seen for a day. */
bool store_person_forget_others(struct store *store, struct error *error);
/* A card in use that the person has of a template, and that was not replaced: its serial, heap;
 * NULL for none. */
bool store_credential_of_person(struct store *store, const char *connection, const char *id,
	const char *template_name, char **serial, struct error *error);

/* --- certificates (store/certificate.c) --- */
/* Inserts when id is 0 (and sets it), updates otherwise. ERROR_EXISTS for a serial number that the
 * authority has given before, ERROR_NOT_FOUND for a credential or an id that the store does not
 * have. */
bool store_certificate_save(
	struct store *store, struct certificate *certificate, struct error *error);
bool store_certificate_list(struct store *store, int64_t credential_id,
	struct certificates *certificates, struct error *error);
/* Those of one authority that are revoked or on hold, for its CRL (der left empty): with an id
 * greater than `after`, ascending, at most limit. */
bool store_certificate_list_revoked(struct store *store, const char *authority, int64_t after,
	unsigned limit, struct certificates *certificates, struct error *error);

/* Good ones (also on hold) of cards and keys that are in use, which end not later than `until` and
 * behind (after_end, after_id), in that order, at most limit; der left empty. */
bool store_certificate_list_ending(struct store *store, int64_t until, int64_t after_end,
	int64_t after_id, unsigned limit, struct certificates *certificates, struct error *error);

/* ERROR_NOT_FOUND */
bool store_certificate_get(
	struct store *store, int64_t id, struct certificate *certificate, struct error *error);
/* One that was asked for and never came, with its task. */
bool store_certificate_remove(struct store *store, int64_t id, struct error *error);

/* --- tasks (store/task.c): what authorities are still to be asked or told --- */
struct task {
	int64_t id;
	int64_t certificate_id; /* a certificate has one task at most */
	char *kind;		/* TASK_COLLECT, TASK_TELL, TASK_SEE */
	int64_t created_at;
	int64_t attempts;	       /* that have failed */
	int64_t next_at;	       /* not before; TASK_NEVER: an operator has to do something */
	char *problem;		       /* of the last attempt, or NULL */
	int64_t alarm_at;	       /* when it is said (again) that it is overdue */
	int64_t alarms, alarms_mailed; /* how often that was said, and how often by mail */
};
#define TASK_COLLECT "collect" /* the certificate is asked for */
#define TASK_TELL    "tell"    /* the authority does not know the certificate's status yet */
#define TASK_SEE     "see"   /* it was told; those who rely on the certificate do not see it yet */
#define TASK_RENEW   "renew" /* the certificate ends soon */
#define TASK_NEVER   INT64_MAX

/* Puts the one task of a certificate, in place of another. */
bool store_task_put(struct store *store, int64_t certificate_id, const char *kind, int64_t next_at,
	int64_t alarm_at, struct error *error);
/* The same task goes on with something else, as if nothing had been tried yet. */
bool store_task_turn(struct store *store, int64_t certificate_id, const char *kind, int64_t next_at,
	int64_t alarm_at, const char *problem, struct error *error);
/* What is said of it before anything was tried. */
bool store_task_note(
	struct store *store, int64_t certificate_id, const char *problem, struct error *error);
/* Renewals that are over, since the certificate is not good any more or has ended by then. */
bool store_task_forget_renewals(struct store *store, int64_t now, struct error *error);
/* The task of a certificate: ERROR_NOT_FOUND. */
bool store_task_get(
	struct store *store, int64_t certificate_id, struct task *task, struct error *error);
/* By its own number. */
bool store_task_find(struct store *store, int64_t id, struct task *task, struct error *error);
void task_clear(struct task *task);
#define TASK_INIT                                                                                  \
	{                                                                                          \
		0                                                                                  \
	}
#define _cleanup_task_ _cleanup_(task_clear)
/* Another attempt has failed. alarm_at: it is not overdue before; 0: as it was. With TASK_NEVER it
 * is overdue now. */
bool store_task_postpone(struct store *store, int64_t certificate_id, int64_t next_at,
	int64_t alarm_at, const char *problem, struct error *error);
/* Removing what is not there is no error. */
bool store_task_remove(struct store *store, int64_t certificate_id, struct error *error);
/* Those that are due by then, oldest first, at most limit. Free with tasks_free. */
bool store_task_list(struct store *store, int64_t due, unsigned limit, struct task **tasks,
	size_t *count, struct error *error);
void tasks_free(struct task *tasks, size_t count);
/* Those whose alarm_at has come; those with alarms that no mail has told. */
bool store_task_list_alarms(struct store *store, int64_t due, unsigned limit, struct task **tasks,
	size_t *count, struct error *error);
bool store_task_list_unmailed(struct store *store, unsigned limit, struct task **tasks,
	size_t *count, struct error *error);
/* One more alarm, and when the next one is due. */
bool store_task_alarmed(struct store *store, int64_t id, int64_t next_at, struct error *error);
/* So many of its alarms were told by mail. */
bool store_task_mailed(struct store *store, int64_t id, int64_t alarms, struct error *error);

/* --- mail that is to be sent (store/mail.c) --- */
struct mail {
	int64_t id;
	char *recipient; /* an address */
	char *subject;
	char *body;
	char *card;  /* serial of the card that it is about; "" for none */
	char *about; /* for the audit trail: "reminder", "alarm" */
	int64_t created_at;
	int64_t attempts;
	int64_t next_at;
};
/* Keeps one; id, attempts and times are given here. */
bool store_mail_put(struct store *store, const struct mail *mail, struct error *error);
/* Those that are due by then. Free with mails_free. */
bool store_mail_list(struct store *store, int64_t due, unsigned limit, struct mail **mails,
	size_t *count, struct error *error);
bool store_mail_postpone(struct store *store, int64_t id, int64_t next_at, struct error *error);
bool store_mail_remove(struct store *store, int64_t id, struct error *error);
void mails_free(struct mail *mails, size_t count);
/*
 * What is said once: *is_new tells whether this name is taken for the first time. Names are
 * forgotten after some years.
 */
bool store_notice_take(struct store *store, const char *name, bool *is_new, struct error *error);

/* --- intents (store/intent.c): what is about to change on a card (design, decision 5) --- */
struct intent {
	int64_t id;
	char *serial;	      /* of the card */
	char *operation;      /* lifecycle verb that it belongs to */
	char *step;	      /* "management-key", "puk", "pin", "certificates", "reset" */
	uint32_t old_version; /* key version before; 0 is the factory's value */
	uint32_t new_version; /* key version after; 0 is the factory's value */
	int64_t created_at;
};
#define INTENT_INIT                                                                                \
	{                                                                                          \
		0                                                                                  \
	}
#define _cleanup_intent_ _cleanup_(intent_clear)
void intent_clear(struct intent *intent);
/* Frees a list that store_intent_list gave. */
void intents_free(struct intent *intents, size_t count);
/* On disk (synced) when this returns true, or inside a transaction when the commit does. Sets id
 * and created_at. */
bool store_intent_add(struct store *store, struct intent *intent, struct error *error);
/* Removing what is not there is no error. */
bool store_intent_remove(struct store *store, int64_t id, struct error *error);
/* Oldest first; free with intents_free. */
bool store_intent_list(struct store *store, const char *serial, struct intent **intents,
	size_t *count, struct error *error);

/* --- versions of the master key (store/master-key.c), and the cards that have them --- */
/* What the store knows a version by, whatever token it is in. */
struct master_key_record {
	uint32_t version;
	uint8_t key_check_value[3];
	int64_t made_at; /* when the store first saw it */
};
/* Sets made_at. ERROR_EXISTS */
bool store_master_key_add(
	struct store *store, struct master_key_record *record, struct error *error);
/* Ascending; heap array. */
bool store_master_key_list(struct store *store, struct master_key_record **records, size_t *count,
	struct error *error);
bool store_master_key_forget_all(struct store *store, struct error *error);
/* How many managed cards (lifecycle_is_managed) hold secrets of that version. */
bool store_master_key_count_cards(
	struct store *store, uint32_t version, int64_t *count, struct error *error);
/* Their ids greater than `after`, ascending, at most limit; heap array. */
bool store_master_key_list_cards(struct store *store, uint32_t version, int64_t after,
	unsigned limit, int64_t **ids, size_t *count, struct error *error);

/* --- backups of the master key (store/key-backup.c) --- */
struct key_backup_card_record {
	char *serial;
	uint8_t key_digest[32]; /* of the public key that was sealed to (X509_pubkey_digest) */
};
struct key_backup_record {
	char *id;	 /* hex */
	int64_t made_at; /* seconds since 1970 */
	unsigned needed; /* how many of the cards open it */
	uint32_t newest_version;
	struct key_backup_card_record *cards;
	size_t card_count;
};
void key_backup_record_clear(struct key_backup_record *record);
/* ERROR_EXISTS */
bool store_key_backup_add(
	struct store *store, const struct key_backup_record *record, struct error *error);
/* The last one of those that have the newest version. ERROR_NOT_FOUND. */
bool store_key_backup_newest(
	struct store *store, struct key_backup_record *record, struct error *error);

/* --- PUKs (store/puk.c): which one a card holds, and whether anybody was shown it --- */
/* As the card's serial number has it; a card without a row has the first generation, unexposed. */
struct puk_record {
	uint32_t generation;	  /* of the derivation (keys/master-key.h) */
	uint32_t next_generation; /* the same, or what a changeover under way sets */
	bool old_first; /* the next recovery tries the PUK of before the changeover first */
	enum puk_state state;
	int64_t exposed_at;    /* when it was shown last; 0: never */
	int64_t exposed_until; /* until when it is good as an unblock code */
};
bool store_puk_get(
	struct store *store, const char *serial, struct puk_record *record, struct error *error);
bool store_puk_set(struct store *store, const char *serial, const struct puk_record *record,
	struct error *error);
/* Ids of the credentials whose PUK is exposed: greater than `after`, ascending, at most limit. */
bool store_puk_list_exposed(struct store *store, int64_t after, unsigned limit, int64_t **ids,
	size_t *count, struct error *error);

/* --- cards that can encrypt the way to them (store/secure-card.c), by serial number --- */
bool store_secure_card_find(
	struct store *store, const char *serial, bool *found, struct error *error);
/* Added once; again is no error. */
bool store_secure_card_add(struct store *store, const char *serial, struct error *error);
bool store_secure_card_remove(struct store *store, const char *serial, struct error *error);

/* --- PINs (store/pin-history.c): what tells a PIN that was used again, and when it was set --- */
/*
 * tag is a MAC by a key in the token of the card, the salt and the PIN: without the token it tells
 * nothing of the PIN. A pending one was about to be set when its operation was interrupted.
 */
struct pin_record {
	int64_t id;
	uint8_t salt[16], tag[16];
	bool pending;
	int64_t set_at;
};
/* Adds it as pending; sets id, pending and set_at. ERROR_NOT_FOUND for no such credential. */
bool store_pin_add(
	struct store *store, int64_t credential_id, struct pin_record *record, struct error *error);
/* It was set now; what was pending before counts as used. Only the `keep` newest are kept. */
bool store_pin_confirm(
	struct store *store, int64_t credential_id, int64_t id, unsigned keep, struct error *error);
/* Forgetting what is not there is no error. */
bool store_pin_forget(struct store *store, int64_t credential_id, int64_t id, struct error *error);
bool store_pin_forget_pending(struct store *store, int64_t credential_id, struct error *error);
bool store_pin_forget_all(struct store *store, int64_t credential_id, struct error *error);
/* Newest first; heap array. */
bool store_pin_list(struct store *store, int64_t credential_id, struct pin_record **records,
	size_t *count, struct error *error);
/* When the present PIN was set, seconds since 1970; 0 when that is not recorded. */
bool store_pin_set_at(
	struct store *store, int64_t credential_id, int64_t *set_at, struct error *error);

/* --- templates (store/template.c): versions are kept as long as a credential refers to them --- */
/* Adds a new template or a new version of it; sets template->version. */
bool store_template_save(struct store *store, struct template *template, struct error *error);
/* version 0: the newest one of a template that is not removed. NULL with ERROR_NOT_FOUND. */
struct template *store_template_get(
	struct store *store, const char *name, int64_t version, struct error *error);
/* Its pin_policy.maximum_age_days, without reading the same document again and again. */
bool store_template_pin_age(struct store *store, const char *name, int64_t version, unsigned *days,
	struct error *error);
/* Sorted; free with store_names_free. */
bool store_template_list(struct store *store, char ***names, size_t *count, struct error *error);
/* No new issuance from it; issued credentials keep their version. ERROR_NOT_FOUND. */
bool store_template_remove(struct store *store, const char *name, struct error *error);
/* Cards "have" a template's version while they are issued, active or inactive. */
struct template_version {
	int64_t version;
	int64_t saved_at; /* seconds since 1970; 0 when that was not noted */
	int64_t cards;	  /* that have it */
	bool removed;
};
/* Oldest first; heap array. ERROR_NOT_FOUND. */
bool store_template_versions(struct store *store, const char *name,
	struct template_version **versions, size_t *count, struct error *error);
/* Ids greater than `after` of the cards that have a version, ascending, at most limit; heap array.
 */
bool store_template_cards(struct store *store, const char *name, int64_t version, int64_t after,
	unsigned limit, int64_t **ids, size_t *count, struct error *error);

/* --- connections (store/connection.c): authorities (and later directories) as JSON documents ---
 */
struct connection {
	char *name;
	char *kind;	/* "local-ca" */
	char *document; /* JSON */
};
#define CONNECTION_INIT                                                                            \
	{                                                                                          \
		0                                                                                  \
	}
#define _cleanup_connection_ _cleanup_(connection_clear)
void connection_clear(struct connection *connection);
bool store_connection_save(
	struct store *store, const struct connection *connection, struct error *error);
/* ERROR_NOT_FOUND */
bool store_connection_get(
	struct store *store, const char *name, struct connection *connection, struct error *error);
bool store_connection_list(struct store *store, char ***names, size_t *count, struct error *error);
/* ERROR_IN_USE while a current template or a certificate that is neither expired nor revoked names
 * it. */
bool store_connection_remove(struct store *store, const char *name, struct error *error);

/* --- slots (store/slot.c) --- */
/* Gives the record its number. ERROR_EXISTS for a name that is taken. Its rules are not saved. */
bool store_slot_add(struct store *store, struct slot_record *record, struct error *error);
/* What may be changed of it: audit_uses, process, timeout, variables. ERROR_NOT_FOUND. */
bool store_slot_change(struct store *store, const struct slot_record *record, struct error *error);
/* Which token it has. Nothing for a slot that is not there. */
bool store_slot_set_token(struct store *store, const char *name, const char *label,
	const char *serial, struct error *error);
/* With its rules. ERROR_NOT_FOUND. */
bool store_slot_remove(struct store *store, const char *name, struct error *error);
/* All, with their rules, by number. Heap, for slot_records_free(). */
bool store_slot_list(
	struct store *store, struct slot_record ***records, size_t *count, struct error *error);
void slot_records_free(struct slot_record **records, size_t count);
/* By subject and key; heap, for slot_rules_free(). */
bool store_slot_rules(struct store *store, const char *name, struct slot_rule **rules,
	size_t *count, struct error *error);
/* Adds a rule, or gives that of the same subject and key other operations. ERROR_NOT_FOUND. */
bool store_slot_set_rule(
	struct store *store, const char *name, const struct slot_rule *rule, struct error *error);
bool store_slot_remove_rule(struct store *store, const char *name, const char *subject,
	const char *key, struct error *error);

/* --- keys in HSM slots that are credentials (store/hsm-key.c) --- */
/* Inserts or replaces. */
bool store_hsm_key_save(struct store *store, const struct hsm_key *key, struct error *error);
/* ERROR_NOT_FOUND for a credential that is no such key. */
bool store_hsm_key_get(
	struct store *store, int64_t credential_id, struct hsm_key *key, struct error *error);
/* Those of a slot, also of credentials that are retired; heap, for hsm_keys_free(). */
bool store_hsm_key_list(struct store *store, const char *slot, struct hsm_key **keys, size_t *count,
	struct error *error);
/* Those with a step under way. */
bool store_hsm_key_list_unsettled(struct store *store, const char *slot, struct hsm_key **keys,
	size_t *count, struct error *error);
bool store_hsm_key_list_labelled(struct store *store, const char *slot, const char *label,
	struct hsm_key **keys, size_t *count, struct error *error);
void hsm_keys_free(struct hsm_key *keys, size_t count);
/* With its credential, which never had a certificate. */
bool store_hsm_key_forget(struct store *store, int64_t credential_id, struct error *error);

/* --- operators (store/operator.c) --- */
/* Inserts or replaces the record of a card; sets created_at of a new one. ERROR_NOT_FOUND for a
 * credential that the store does not have, ERROR_EXISTS for an id that another operator has. */
bool store_operator_save(struct store *store, struct operator_record *record, struct error *error);
/* ERROR_NOT_FOUND when the card is no operator's. */
bool store_operator_get(struct store *store, int64_t credential_id, struct operator_record *record,
	struct error *error);
/* All of them; free with operators_free. */
bool store_operator_list(struct store *store, struct operator_record **operators, size_t *count,
	struct error *error);
void operators_free(struct operator_record *operators, size_t count);
/* Removing what is not there is no error. */
bool store_operator_remove(struct store *store, int64_t credential_id, struct error *error);

/* --- custom roles (store/role.c) and quorums (store/quorum.c) --- */
/* ERROR_EXISTS */
bool store_role_add(struct store *store, const struct role_record *role, struct error *error);
/* ERROR_NOT_FOUND; ERROR_IN_USE when it would lose the right to unblock, which a template needs. */
bool store_role_change(struct store *store, const struct role_record *role, struct error *error);
/* ERROR_NOT_FOUND */
bool store_role_get(
	struct store *store, const char *name, struct role_record *role, struct error *error);
/* Sorted by name; free with roles_free. */
bool store_role_list(
	struct store *store, struct role_record **roles, size_t *count, struct error *error);
void roles_free(struct role_record *roles, size_t count);
/* ERROR_NOT_FOUND; ERROR_IN_USE while an operator has it, or a template whose version is the newest
 * or on a card names it for unblocking; the message says which. */
bool store_role_remove(struct store *store, const char *name, struct error *error);
/* How many operators an operation needs; 1 where nothing was set. */
bool store_quorum_get(
	struct store *store, enum permission permission, unsigned *count, struct error *error);
bool store_quorum_set(
	struct store *store, enum permission permission, unsigned count, struct error *error);

/* --- credential types (store/card-type.c): those that were added to the shipped ones --- */
/* ERROR_EXISTS */
bool store_card_type_add(
	struct store *store, const char *name, const char *document, struct error *error);
/* The document, heap; NULL with ERROR_NOT_FOUND. */
char *store_card_type_get(struct store *store, const char *name, struct error *error);
/* Sorted; free with store_names_free. */
bool store_card_type_list(struct store *store, char ***names, size_t *count, struct error *error);
/* ERROR_NOT_FOUND; ERROR_IN_USE while a current template or a card that is not retired has it. */
bool store_card_type_remove(struct store *store, const char *name, struct error *error);

/* --- counters and values (store/value.c) --- */
/* The next number (from 1) of a named counter ("crl/local"). */
bool store_counter_next(struct store *store, const char *name, int64_t *value, struct error *error);
/* The number given last, or 0. */
bool store_counter_get(struct store *store, const char *name, int64_t *value, struct error *error);
/* A named blob ("ca-certificate/local"); ERROR_NOT_FOUND. */
bool store_value_get(
	struct store *store, const char *name, struct buffer *value, struct error *error);
bool store_value_set(struct store *store, const char *name, const uint8_t *value, size_t length,
	struct error *error);
/* Removing what is not there is no error. */
bool store_value_remove(struct store *store, const char *name, struct error *error);

/* --- audit records (store/audit.c); written through audit/audit.h only --- */
/* Sets the signature of a record that is whole but for its hash; under the store's lock. */
typedef void (*store_audit_sign)(
	void *context, struct audit_record *record, const uint8_t previous[AUDIT_HASH_BYTES]);
/*
 * Appends under the store's lock: sets record->id, has it signed (sign NULL: not) and chains it to
 * the last one. Its time is never before that of the last record unless the clock was set back by
 * more than a second.
 */
bool store_audit_append(struct store *store, struct audit_record *record, store_audit_sign sign,
	void *context, struct error *error);
/* The number of records ever written: the id of the last one, or 0. */
bool store_audit_last(struct store *store, int64_t *id, struct error *error);
/* The last record that is there: its id (0: none) and hash. */
bool store_audit_head(
	struct store *store, int64_t *id, uint8_t hash[AUDIT_HASH_BYTES], struct error *error);

/* Which records are wanted. Texts are compared as a whole, NULL means any. */
struct audit_filter {
	const char *card;
	const char *caller;	   /* the first word of actor: "uid=1000", "tesserad" */
	const char *operator_name; /* one of those whom it names */
	const char *operation;
	const char *outcome; /* "ok", "PinWrong"; AUDIT_NOT_OK: whatever failed */
	int64_t since_us;    /* not before; 0: no limit */
	int64_t until_us;    /* before; 0: no limit */
	bool newest_first;
	int64_t after;	/* in the list's order behind this record; 0: from its beginning */
	unsigned limit; /* at most so many */
};
#define AUDIT_NOT_OK "failed"
/*
 * A page of records. *next: what to give as `after` for the next page, or 0 at the end. A page
 * may hold fewer than `limit` records, or none, and still have a next one: the store looks at a
 * few thousand records at a time, so that nobody waits for it long.
 */
bool store_audit_list(struct store *store, const struct audit_filter *filter,
	struct audit_record **records, size_t *count, int64_t *next, struct error *error);

/* --- checkpoints of the audit trail (store/audit-checkpoint.c) --- */
/* ERROR_EXISTS for an id taken. */
bool store_checkpoint_add(
	struct store *store, const struct audit_checkpoint *checkpoint, struct error *error);
/* The last one; id 0 when there is none. */
bool store_checkpoint_last(
	struct store *store, struct audit_checkpoint *checkpoint, struct error *error);
/* Those that cover a record greater than `after`, ascending, at most limit. */
bool store_checkpoint_list(struct store *store, int64_t after, unsigned limit,
	struct audit_checkpoint **checkpoints, size_t *count, struct error *error);

/* --- finding credentials (store/search.c) --- */
/* What is compared, besides a holder's field by its name. */
#define SEARCH_SERIAL	   "serial"	 /* of the card */
#define SEARCH_CERTIFICATE "certificate" /* serial number of any of its certificates, hex */
#define SEARCH_HOLDER	   "holder"	 /* any of the holder's fields */
struct search {
	const char *field; /* one of the above, or "holder." and a holder field's name */
	const char *text;
	bool is_prefix;	   /* else the whole value has to be the same */
	const char *after; /* what the page before gave as next, or "" */
	unsigned limit;
};
/*
 * Ids of credentials, in the order of the values found; ASCII letters are the same in upper and
 * lower case but for the card's serial. *next (heap): "" at the end. A page may hold fewer than
 * `limit` ids and still have a next one; a credential that has the text twice may come twice.
 * ERROR_INVALID_ARGUMENT for an unknown field, an empty text or a wrong `after`.
 */
bool store_credential_search(struct store *store, const struct search *search, int64_t **ids,
	size_t *count, char **next, struct error *error);

/* Whether a card's holder has the simple ID (field "id"), or an operator; letters as above. */
bool store_holder_id_is_taken(
	struct store *store, const char *id, bool *is_taken, struct error *error);

static inline void store_rollbackp(struct store **store)
{
	if (*store)
		store_rollback(*store);
}

#endif
