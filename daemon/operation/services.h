/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the verbs work with; made once by main.c and passed down. */
#ifndef TESSERA_OPERATION_SERVICES_H
#define TESSERA_OPERATION_SERVICES_H

#include <sys/types.h>

#include "audit/actor.h"
#include "authority/authority.h"
#include "card/card-type.h"
#include "core/job.h"
#include "core/options.h"
#include "core/rate-limit.h"
#include "keys/master-key.h"
#include "store/store.h"
#include "token/token.h"

struct contacts;
struct directory;
struct key_restorer;
struct logins;
struct selves;
struct slots;
struct vault;
struct weak_pins;

/* How licences are got and verified; NULL is what is not configured. */
struct licence_settings {
	const char *public_key_file;
	const char *activation_url;
	const char *activation_ca_file; /* NULL: the system's certificates */
};

/* Who is told of what happens by itself; NULL: nobody. */
struct services_listener {
	void (*overdue)(void *context, const struct task *task);
	/* A card's person was found "disabled", "gone", "back" or "changed" in their directory. */
	void (*person)(void *context, int64_t credential_id, const char *what);
	/* So many of a connection's people are disabled or gone at once that nothing is done. */
	void (*people_missing)(
		void *context, const char *connection, unsigned missing, unsigned count);
	void *context;
};

struct services {
	struct store *store;
	struct vault *vault;
	/* NULL while the vault is locked (vault_check_open); never NULL again once set. */
	_Atomic(struct token *) token;
	_Atomic(struct master_key *) master_key;
	enum remote_readers remote_readers; /* whom cards on other machines are for */
	bool remote_ownership;		    /* they may be given new secrets there in the clear */
	bool remote_encryption;		    /* only those with an encrypted channel are let in */
	bool rotate_at_contact;	 /* cards of older master keys change over at their next contact */
	atomic_bool initialised; /* operators_initialised() asks */
	struct logins *logins;
	struct selves *selves;
	struct key_restorer *restorer;
	struct connection_services connections;
	struct weak_pins *weak_pins; /* NULL when the list could not be read */
	struct card_types *types;
	X509_STORE *card_trust; /* scp11-ca; NULL: no channels to cards far away are encrypted */
	struct licence_settings licensing;
	struct contacts *contacts;
	struct slots *slots;
	struct jobs *jobs;
	/* directory_open(); tests have directories of their own. */
	struct directory *(*open_directory)(
		const struct connection_services *services, const char *name, struct error *error);
	int64_t people_seconds; /* between looks at people of directories; 0: none */
	int64_t task_overdue;	/* seconds after which a task is (operation/task-alarm.h) */
	struct services_listener listener;
	struct rate_limit unblock_codes; /* that are shown */
	struct rate_limit refusals;	 /* audit records of what anyone can make fail */
};

/*
 * How far somebody's hand reaches: a card in a reader of another machine is for who offers that
 * reader, and for operators. All zeros is the readers here.
 */
struct contact_reach {
	enum contact_reach_kind { REACH_HERE, REACH_OWN, REACH_ALL } kind;
	uid_t user; /* of REACH_OWN, who also goes before others with REACH_ALL */
};

/* One run of a verb: who asked for it, and the job that shows its progress. */
struct operation {
	struct services *services;
	struct job *job; /* or NULL */
	const struct audit_actor *actor;
	const char *caller; /* as logins know who asked; NULL: nobody who could be asked back */
	int64_t agent;	    /* the certificate of the enrollment agent who signs (agent-card.h) */
	bool holds_card;    /* that others wait for */
	struct contact_reach reach; /* readers that the verb may take the card from */
	bool is_own; /* asked for by who may do it to the own card alone: refusals are limited */
	/* What the operator should know although it was done, by key: operation_warn(). */
	struct fields warnings;
};

#endif
