/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The store: everything the daemon must not forget. Every function is one
 * transaction of its own unless it runs between store_begin() and
 * store_commit(); all may be called from any thread. Errors of all:
 * ERROR_STORE_FAILED, ERROR_STORE_FULL, ERROR_STORE_READ_ONLY.
 */
#ifndef TESSERA_STORE_STORE_H
#define TESSERA_STORE_STORE_H

#include "common/buffer.h"
#include "common/error.h"
#include "common/macros.h"
#include "model/credential.h"
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
bool store_credential_count(struct store *store, int64_t *count, struct error *error);
/* Those that are managed (lifecycle_is_managed), and cards that an intent may make so
 * (store/managed.c). */
bool store_credential_count_managed(struct store *store, int64_t *count, struct error *error);
/* Whether that count is below a limit; fast for a limit that was never near. */
bool store_credential_has_room(
	struct store *store, int64_t limit, bool *has_room, struct error *error);

/* --- certificates (store/certificate.c) --- */
/* Inserts when id is 0 (and sets it), updates otherwise. ERROR_EXISTS for a serial number that the
 * authority has given before, ERROR_NOT_FOUND for a credential or an id that the store does not
 * have. */
bool store_certificate_save(
	struct store *store, struct certificate *certificate, struct error *error);
bool store_certificate_list(struct store *store, int64_t credential_id,
	struct certificates *certificates, struct error *error);
/* Those of one authority that are revoked or on hold, for its CRL (der left empty). */
bool store_certificate_list_revoked(struct store *store, const char *authority,
	struct certificates *certificates, struct error *error);

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

/* --- templates (store/template.c): versions are kept as long as a credential refers to them --- */
/* Adds a new template or a new version of it; sets template->version. */
bool store_template_save(struct store *store, struct template *template, struct error *error);
/* version 0: the newest one of a template that is not removed. NULL with ERROR_NOT_FOUND. */
struct template *store_template_get(
	struct store *store, const char *name, int64_t version, struct error *error);
/* Sorted; free with store_names_free. */
bool store_template_list(struct store *store, char ***names, size_t *count, struct error *error);
/* No new issuance from it; issued credentials keep their version. ERROR_NOT_FOUND. */
bool store_template_remove(struct store *store, const char *name, struct error *error);

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
struct audit_record {
	int64_t id; /* 1, 2, 3, ... without gaps */
	int64_t time_us;
	char *actor;	  /* "uid=0 pid=123 exe=..." */
	char *operation;  /* "issue" */
	char *card;	  /* serial, or NULL */
	char *outcome;	  /* "ok" or the error's short name */
	char *detail;	  /* a sentence; never a secret; or NULL */
	unsigned job;	  /* or 0 */
	uint8_t hash[32]; /* of this record chained to the one before */
};
#define AUDIT_RECORD_INIT                                                                          \
	{                                                                                          \
		0                                                                                  \
	}
#define _cleanup_audit_record_ _cleanup_(audit_record_clear)
void audit_record_clear(struct audit_record *record);
/* Frees a list that store_audit_list gave. */
void audit_records_free(struct audit_record *records, size_t count);
/*
 * Appends under the store's lock: sets record->id, then calls `chain` with the
 * last record's hash (zeros for the first), which fills record->hash.
 */
bool store_audit_append(struct store *store, struct audit_record *record,
	void (*chain)(struct audit_record *record, const uint8_t previous[32]),
	struct error *error);
/* The number of records ever written: the id of the last one, or 0. */
bool store_audit_last(struct store *store, int64_t *id, struct error *error);
/* Records with id > after, ascending, at most limit; card NULL means any. */
bool store_audit_list(struct store *store, const char *card, int64_t after, unsigned limit,
	struct audit_record **records, size_t *count, struct error *error);

static inline void store_rollbackp(struct store **store)
{
	if (*store)
		store_rollback(*store);
}

#endif
