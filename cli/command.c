/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/command.h"

#include "common/macros.h"

const struct option_spec option_specs[OPTION_COUNT] = {
	[OPTION_HELP] = {"--help", "-h", NULL, "show this help"},
	[OPTION_HOST] = {"--host", NULL, "[USER@]HOST", "the service of another machine, by ssh"},
	[OPTION_JSON] = {"--json", NULL, NULL, "print JSON"},
	[OPTION_NO_PROGRESS] = {"--no-progress", NULL, NULL, "do not show progress"},
	[OPTION_SOCKET] = {"--socket", NULL, "PATH", "tesserad's private socket"},
	[OPTION_SYSTEM_BUS] = {"--system-bus", NULL, NULL, "use the system bus, for PINs too"},
	[OPTION_VERSION] = {"--version", NULL, NULL, "show the version"},
	[OPTION_ACTOR] = {"--actor", NULL, "ACTOR",
		"only what this user (name or number) or program asked for"},
	[OPTION_AFTER] = {"--after", NULL, "ID", "only what comes after this one"},
	[OPTION_ALLOW] = {"--allow", NULL, "READER",
		"do not ask for cards in readers with this in their name; may be repeated"},
	[OPTION_AHEAD] = {"--ahead", NULL, NULL,
		"for tessera --host: answer what it asks before it does, and print no error"},
	[OPTION_ANYONE] = {"--anyone", NULL, NULL, "every user of this machine"},
	[OPTION_AS] = {"--as", NULL, "KIND", "lost, stolen, damaged or compromised"},
	[OPTION_ASK] = {"--ask", NULL, "PROGRAM",
		"have PROGRAM ask, as ssh-askpass does, in place of the terminal"},
	[OPTION_AT_ONCE] = {"--at-once", NULL, "NUMBER", "how many are under way at a time"},
	[OPTION_AUDIT_USES] = {"--audit-uses", NULL, NULL,
		"write an audit record for each use of a key"},
	[OPTION_CA_CERTIFICATE] = {"--ca-certificate", NULL, "FILE",
		"the authorities that operators' certificates have to come from, in PEM"},
	[OPTION_CARD] = {"--card", NULL, "CARD", "only records of this card"},
	[OPTION_CARDS] = {"--cards", NULL, "CARD,...",
		"operators' cards, or IDs, that open it; otherwise all owners' and custodians'"},
	[OPTION_CODE_FILE] = {"--code-file", NULL, "FILE", "read the code from FILE"},
	[OPTION_CONFIRM] = {"--confirm", NULL, NULL,
		"believe that so many people are disabled or gone at once"},
	[OPTION_CONNECTION] = {"--connection", NULL, "NAME",
		"the connection to the directory, where there are several"},
	[OPTION_CREATE] = {"--create", NULL, NULL,
		"make the token, with this PIN, if SoftHSM2 has none of that label"},
	[OPTION_CUSTODIAN] = {"--custodian", NULL, NULL, "the card may unlock the master key"},
	[OPTION_DAYS] = {"--days", NULL, "NUMBER", "so many days from now, 30 without it"},
	[OPTION_DER] = {"--der", NULL, NULL, "write DER"},
	[OPTION_DESCRIPTION] = {"--description", NULL, "TEXT", "what the role is for"},
	[OPTION_EDIT] = {"--edit", NULL, NULL, "change it with an editor"},
	[OPTION_ENVIRONMENT] = {"--environment", NULL, "NAME=VALUE",
		"a variable of the module's own process; may be repeated"},
	[OPTION_EXPOSED] = {"--exposed", NULL, NULL, "only cards whose unblock code was shown"},
	[OPTION_EXACT] = {"--exact", NULL, NULL, "the whole text, not only its beginning"},
	[OPTION_EXISTING_KEY] = {"--existing-key", NULL, NULL,
		"the token has the key already: make none"},
	[OPTION_EXPIRES] = {"--expires", NULL, "TIME", "the card is good until this time"},
	[OPTION_FIELD] = {"--field", NULL, "FIELD",
		"only in serial, certificate or a field of the holder; with =VALUE it is exactly "
		"that"},
	[OPTION_FOR] = {"--for", NULL, "RIGHT",
		"activate, unblock, reissue, report-lost or retire; by the card's state without"},
	[OPTION_FORCE] = {"--force", NULL, NULL, "write over a file that is there"},
	[OPTION_FROM_FILE] = {"--from-file", NULL, "FILE",
		"the cards whose serials are in FILE, one a line"},
	[OPTION_GENERATE_PIN] = {"--generate-pin", NULL, NULL,
		"have a random PIN made by the template's rules, and print it"},
	[OPTION_GROUP] = {"--group", NULL, "GROUP", "the members of this group (name or number)"},
	[OPTION_HOLDER] = {"--holder", NULL, "NAME=VALUE",
		"a field of the person who gets the card; may be repeated"},
	[OPTION_HOURS] = {"--hours", NULL, "NUMBER", "how long the code is good, 24 without it"},
	[OPTION_ID] = {"--id", NULL, "ID", "the person of this id, as directory search shows it"},
	[OPTION_INACTIVE] = {"--inactive", NULL, NULL, "the operator cannot log in"},
	[OPTION_KEEP_FIELDS] = {"--keep-fields", NULL, NULL,
		"the holder's fields stay as they are: no directory is asked"},
	[OPTION_KEEP_KEY] = {"--keep-key", NULL, NULL, "key and certificate stay in the token"},
	[OPTION_KEEP_PIN] = {"--keep-pin", NULL, NULL,
		"tesserad keeps the PIN, sealed: programs need none"},
	[OPTION_KEY] = {"--key", NULL, "LABEL", "only keys of this label"},
	[OPTION_LIMIT] = {"--limit", NULL, "NUMBER", "at most so many records"},
	[OPTION_LOGIN] = {"--login", NULL, "NAME",
		"your login name in a directory, which checks your password"},
	[OPTION_MODULE] = {"--module", NULL, "PATH",
		"the PKCS#11 module of the token; SoftHSM2 without it"},
	[OPTION_NEWEST] = {"--newest", NULL, NULL, "newest first"},
	[OPTION_NAME] = {"--name", NULL, "NAME", "the owner's name, for the certificates"},
	[OPTION_NEW_KEY] = {"--new-key", NULL, NULL, "make another key in its place"},
	[OPTION_NEW_PIN_FILE] = {"--new-pin-file", NULL, "FILE", "read the new PIN from FILE"},
	[OPTION_NO_WAIT] = {"--no-wait", NULL, NULL, "print the job's number and do not wait"},
	[OPTION_OPERATION] = {"--operation", NULL, "OPERATION", "only of this operation"},
	[OPTION_OPERATOR] = {"--operator", NULL, "NAME", "only of this operator"},
	[OPTION_OPERATOR_PIN_FILE] = {"--operator-pin-file", NULL, "FILE",
		"read the PIN of the operator's own card from FILE, should it have to sign"},
	[OPTION_OUTCOME] = {"--outcome", NULL, "OUTCOME",
		"only what ended so: ok, failed, or an error's name"},
	[OPTION_OUTPUT] = {"--output", "-o", "FILE", "write to FILE"},
	[OPTION_PASSWORD_FILE] = {"--password-file", NULL, "FILE", "read the password from FILE"},
	[OPTION_PEM] = {"--pem", NULL, NULL, "write PEM (the default)"},
	[OPTION_PERMISSIONS] = {"--permissions", NULL, "PERMISSION,...",
		"what operators with the role may do"},
	[OPTION_PERSON] = {"--person", NULL, "LOGIN",
		"who gets the card, by login name in the template's directory"},
	[OPTION_PERSON_ID] = {"--person-id", NULL, "ID",
		"the same, by what the directory knows them by"},
	[OPTION_PIN_FD] = {"--pin-fd", NULL, "NUMBER",
		"read PINs from this file descriptor, one a line"},
	[OPTION_PIN_FILE] = {"--pin-file", NULL, "FILE", "read the present PIN from FILE"},
	[OPTION_PIN_SOURCE] = {"--pin-source", NULL, "FILE",
		"tesserad reads the PIN from FILE, or from credential:NAME of its service"},
	[OPTION_PROCESS] = {"--process", NULL, "WHERE",
		"own: the module runs in a process of its own; daemon: in tesserad"},
	[OPTION_PUBLIC_KEY] = {"--public-key", NULL, "FILE",
		"the keys that may have signed, in PEM"},
	[OPTION_READER] = {"--reader", NULL, "NUMBER", "the reader that the card is in"},
	[OPTION_REGISTER] = {"--register", NULL, NULL, "take cards into ownership, issue none"},
	[OPTION_REASON] = {"--reason", NULL, "TEXT", "why, for the record"},
	[OPTION_REISSUE] = {"--reissue", NULL, NULL, "reissue where new keys are needed"},
	[OPTION_REPLACE] = {"--replace", NULL, NULL, "make new versions of those that are there"},
	[OPTION_SERIAL] = {"--serial", NULL, "SERIAL", "the token's serial number"},
	[OPTION_SHARES] = {"--shares", NULL, "NUMBER",
		"so many of the cards open it together; otherwise any one"},
	[OPTION_SINCE] = {"--since", NULL, "TIME", "not before this time"},
	[OPTION_ROLES] = {"--roles", NULL, "ROLE,...", "what the operator may do"},
	[OPTION_SLOT] = {"--slot", NULL, "SLOT", "only the key in this slot"},
	[OPTION_STATE] = {"--state", NULL, "STATE", "only cards in this state"},
	[OPTION_STDIN] = {"--stdin", NULL, NULL,
		"read the code or password, then the new PIN, from standard input, a line each"},
	[OPTION_SYSTEM_USER] = {"--system-user", NULL, NULL,
		"you are who is logged in to this machine; polkit may ask for your password"},
	[OPTION_TEMPLATE] = {"--template", NULL, "NAME",
		"the template to issue by, or whose cards are meant"},
	[OPTION_TIMEOUT] = {"--timeout", NULL, "SECONDS",
		"how long a module in a process of its own may take for a call"},
	[OPTION_TOKEN_LABEL] = {"--token-label", NULL, "LABEL",
		"the token's label; the slot's name without it"},
	[OPTION_UNBLOCK_CODE_FILE] = {"--unblock-code-file", NULL, "FILE",
		"read the card's unblock code from FILE; no operator is needed"},
	[OPTION_UNTIL] = {"--until", NULL, "TIME", "before this time"},
	[OPTION_UPDATE] = {"--update", NULL, NULL,
		"ask the authority first, and keep what it says"},
	[OPTION_USER] = {"--user", NULL, "USER", "this user (name or number)"},
	[OPTION_YES] = {"--yes", NULL, NULL, "do not ask"},
};

#define COMMON                                                                                     \
	(OPTION_BIT(OPTION_HELP) | OPTION_BIT(OPTION_HOST) | OPTION_BIT(OPTION_JSON) |             \
		OPTION_BIT(OPTION_NO_PROGRESS) | OPTION_BIT(OPTION_SOCKET) |                       \
		OPTION_BIT(OPTION_SYSTEM_BUS) | OPTION_BIT(OPTION_VERSION))
#define NO_WAIT	    OPTION_BIT(OPTION_NO_WAIT)
#define SIGNER	    OPTION_BIT(OPTION_OPERATOR_PIN_FILE)
#define NEW_PIN	    (OPTION_BIT(OPTION_NEW_PIN_FILE) | OPTION_BIT(OPTION_PIN_FD))
#define SET_PIN	    (NEW_PIN | OPTION_BIT(OPTION_GENERATE_PIN))
#define FORM	    (OPTION_BIT(OPTION_PEM) | OPTION_BIT(OPTION_DER) | OPTION_BIT(OPTION_OUTPUT))
#define OUTPUT	    OPTION_BIT(OPTION_OUTPUT)
#define REASON	    OPTION_BIT(OPTION_REASON)
#define YES	    OPTION_BIT(OPTION_YES)
#define STATE	    OPTION_BIT(OPTION_STATE)
#define FIELDS	    (OPTION_BIT(OPTION_TEMPLATE) | OPTION_BIT(OPTION_HOLDER))
#define KEEP_FIELDS OPTION_BIT(OPTION_KEEP_FIELDS)
#define PERSON	    (OPTION_BIT(OPTION_PERSON) | OPTION_BIT(OPTION_PERSON_ID))
#define UPDATE	    (SIGNER | OPTION_BIT(OPTION_TEMPLATE) | OPTION_BIT(OPTION_REISSUE) | KEEP_FIELDS)
#define REVOKE	    (REASON | YES | NO_WAIT | OPTION_BIT(OPTION_TEMPLATE) | OPTION_BIT(OPTION_FROM_FILE))
#define READER	    OPTION_BIT(OPTION_READER)
#define EXPIRES	    OPTION_BIT(OPTION_EXPIRES)
#define BATCH                                                                                      \
	(SIGNER | OPTION_BIT(OPTION_TEMPLATE) | OPTION_BIT(OPTION_REGISTER) | EXPIRES |            \
		OPTION_BIT(OPTION_GENERATE_PIN))
#define AS	 OPTION_BIT(OPTION_AS)
#define ROLES	 (OPTION_BIT(OPTION_ROLES) | OPTION_BIT(OPTION_CUSTODIAN))
#define OPERATOR (ROLES | OPTION_BIT(OPTION_INACTIVE))
#define CUSTOM	 (OPTION_BIT(OPTION_PERMISSIONS) | OPTION_BIT(OPTION_DESCRIPTION))
#define OWNER	 (NEW_PIN | OPTION_BIT(OPTION_NAME))
#define PIN_FD	 OPTION_BIT(OPTION_PIN_FD)
#define PIN_FILE OPTION_BIT(OPTION_PIN_FILE)
#define AUDIT                                                                                      \
	(OPTION_BIT(OPTION_CARD) | OPTION_BIT(OPTION_ACTOR) | OPTION_BIT(OPTION_OPERATOR) |        \
		OPTION_BIT(OPTION_OPERATION) | OPTION_BIT(OPTION_OUTCOME) |                        \
		OPTION_BIT(OPTION_SINCE) | OPTION_BIT(OPTION_UNTIL) | OPTION_BIT(OPTION_NEWEST) |  \
		OPTION_BIT(OPTION_AFTER) | OPTION_BIT(OPTION_LIMIT))
#define EXPORT (OPTION_BIT(OPTION_AFTER) | OPTION_BIT(OPTION_OUTPUT))
#define SEARCH (OPTION_BIT(OPTION_FIELD) | OPTION_BIT(OPTION_EXACT) | OPTION_BIT(OPTION_LIMIT))
#define CODE   OPTION_BIT(OPTION_CODE_FILE)
#define OUTPUT OPTION_BIT(OPTION_OUTPUT)
#define BACKUP (OPTION_BIT(OPTION_CARDS) | OPTION_BIT(OPTION_SHARES) | OPTION_BIT(OPTION_FORCE))

#define AGENT (YES | OPTION_BIT(OPTION_ALLOW) | OPTION_BIT(OPTION_ASK))
#define PROCESS                                                                                    \
	(OPTION_BIT(OPTION_PROCESS) | OPTION_BIT(OPTION_TIMEOUT) | OPTION_BIT(OPTION_ENVIRONMENT))
#define SLOT_ADD                                                                                   \
	(OPTION_BIT(OPTION_MODULE) | OPTION_BIT(OPTION_TOKEN_LABEL) | OPTION_BIT(OPTION_SERIAL) |  \
		PIN_FILE | PIN_FD | OPTION_BIT(OPTION_KEEP_PIN) | OPTION_BIT(OPTION_PIN_SOURCE) |  \
		OPTION_BIT(OPTION_CREATE) | OPTION_BIT(OPTION_AUDIT_USES) | PROCESS)
#define SLOT_ACCESS                                                                                \
	(OPTION_BIT(OPTION_USER) | OPTION_BIT(OPTION_GROUP) | OPTION_BIT(OPTION_ANYONE) |          \
		OPTION_BIT(OPTION_KEY))
#define SLOT_PIN (PIN_FILE | PIN_FD | NO_WAIT)
#define SLOT_BATCH                                                                                 \
	(SIGNER | OPTION_BIT(OPTION_TEMPLATE) | EXPIRES | OPTION_BIT(OPTION_EXISTING_KEY) |        \
		PIN_FILE | PIN_FD | OPTION_BIT(OPTION_AT_ONCE))

#define PROOF                                                                                      \
	(OPTION_BIT(OPTION_CODE_FILE) | OPTION_BIT(OPTION_STDIN) |                                 \
		OPTION_BIT(OPTION_SYSTEM_USER) | OPTION_BIT(OPTION_LOGIN) |                        \
		OPTION_BIT(OPTION_CONNECTION) | OPTION_BIT(OPTION_PASSWORD_FILE))

const struct command commands[] = {
	{"status", NULL, "", 0, 0, 0, "show how the service, readers and cards are", status_show},

	{"init", NULL, "", 0, 0, READER | OWNER,
		"make the card in a reader that of the system owner", owner_add},
	{"login", NULL, "[-- PROGRAM [ARGUMENT...]]", 0, 0, READER | PIN_FILE | PIN_FD,
		"log an operator in and run a program, or a shell, with that login", login_run},
	{"bridge", NULL, "", 0, 0, OPTION_BIT(OPTION_AHEAD),
		"join standard input and output to the service: what ssh runs for --host",
		bridge_run},
	{"notify", NULL, "", 0, 0, 0,
		"show desktop notifications about the cards in readers, until it is ended",
		notify_run},

	{"agent", NULL, "", 0, 0, AGENT, "offer this machine's readers to tesserad elsewhere",
		agent_run},

	{"operator", "list", "", 0, 0, 0, "list operators and system owners", operator_list},
	{"operator", "set", "CARD", 1, 1, OPERATOR,
		"make a card an operator's, or change what the operator may do", operator_set},
	{"operator", "remove", "CARD", 1, 1, 0, "take all roles from a card", operator_remove},
	{"operator", "current", "", 0, 0, 0, "show who is logged in", login_list},
	{"operator", "add-owner", "", 0, 0, READER | OWNER, "add another system owner", owner_add},

	{"key", "list", "", 0, 0, 0, "list versions of the master key and how many cards have them",
		key_list},
	{"key", "backup", "FILE", 1, 1, BACKUP, "back the master key up for cards of operators",
		key_back_up},
	{"key", "check", "FILE", 1, 1, 0, "show what is in a backup and which cards open it",
		key_check},
	{"key", "restore", "FILE", 1, 1, READER | PIN_FILE | PIN_FD,
		"restore a backup of the master key on a machine without one", key_restore},
	{"key", "report", "[VERSION]", 0, 1, 0,
		"list the cards of a version, or of all but the newest", key_report},
	{"key", "rotate", "", 0, 0, YES, "make the next version of the master key", key_rotate},

	{"role", "list", "", 0, 0, 0, "list roles and what they permit", role_list},
	{"role", "show", "NAME", 1, 1, 0, "show what a role permits", role_show},
	{"role", "permissions", "", 0, 0, 0, "list the permissions that roles are made of",
		role_permissions},
	{"role", "add", "NAME", 1, 1, CUSTOM, "add a custom role", role_add},
	{"role", "change", "NAME", 1, 1, CUSTOM,
		"change a custom role, at once for all who have it", role_change},
	{"role", "remove", "NAME", 1, 1, 0, "remove a custom role that nobody has", role_remove},

	{"quorum", "list", "", 0, 0, 0, "list how many operators an operation takes", quorum_list},
	{"quorum", "set", "OPERATION COUNT", 2, 2, 0,
		"have an operation take so many operators' logins", quorum_set},

	{"reader", "list", "", 0, 0, 0, "list readers and the cards in them", reader_list},
	{"reader", "show", "[NUMBER]", 0, 1, 0, "show a reader and the card in it", reader_show},
	{"reader", "watch", "", 0, 0, 0, "print readers whenever they change, until Ctrl-C",
		reader_watch},
	{"reader", "info", "[NUMBER]", 0, 1, 0,
		"show everything legible about the card in a reader", reader_info},

	{"card", "list", "", 0, 0, STATE | OPTION_BIT(OPTION_EXPOSED), "list managed cards",
		card_list},
	{"card", "find", "TEXT", 1, 1, SEARCH,
		"find cards by serial, certificate or what is known of the holder", card_search},
	{"card", "show", "[CARD]", 0, 1, 0, "show a card and its certificates", card_show},
	{"card", "register", "", 0, 0, READER | NO_WAIT,
		"take the card in a reader into ownership without issuing it", card_register},
	{"card", "issue", "", 0, 0,
		SIGNER | READER | FIELDS | PERSON | ROLES | EXPIRES | SET_PIN | NO_WAIT,
		"issue the card in a reader", card_issue},
	{"card", "batch", "FILE", 1, 1, READER | BATCH,
		"issue or register a card for each row of a CSV file", card_batch},
	{"card", "activate", "[CARD]", 0, 1, SET_PIN | NO_WAIT, "set an issued card's first PIN",
		card_activate},
	{"card", "change-pin", "[CARD]", 0, 1, PIN_FILE | NEW_PIN | NO_WAIT, "change the PIN",
		card_change_pin},
	{"card", "unblock", "[CARD]", 0, 1,
		SET_PIN | OPTION_BIT(OPTION_UNBLOCK_CODE_FILE) | NO_WAIT,
		"set a new PIN on a card whose PIN is blocked or forgotten", card_unblock},
	{"card", "offline-unblock", "CARD", 1, 1, YES,
		"show the unblock code of a card that is far away", card_offline_unblock},
	{"card", "rotate", "[CARD]", 0, 1, 0, "change a card over to the newest master key",
		card_rotate},
	{"card", "reissue", "[CARD]", 0, 1, SIGNER | FIELDS | KEEP_FIELDS | NO_WAIT,
		"make new keys and certificates", card_reissue},
	{"card", "renew", "[CARD]", 0, 1,
		SIGNER | PIN_FILE | OPTION_BIT(OPTION_SLOT) | OPTION_BIT(OPTION_NEW_KEY) | NO_WAIT,
		"get new certificates for a card's keys; its PIN stays", card_renew},
	{"card", "update", "[CARD]", 0, 1, UPDATE | NO_WAIT,
		"bring a card, or all of a template, to the template's newest version",
		card_update},
	{"card", "suspend", "[CARD]", 0, 1, REASON | NO_WAIT,
		"refuse the keys and put the certificates on hold", card_suspend},
	{"card", "resume", "[CARD]", 0, 1, NO_WAIT, "end a suspension", card_resume},
	{"card", "revoke", "[CARD...]", 0, 1000, REVOKE,
		"revoke all certificates of a card, or of many", card_revoke},
	{"card", "report", "[CARD]", 0, 1, AS | YES | NO_WAIT,
		"suspend or revoke a card that is lost, stolen, damaged or compromised",
		card_report},
	{"card", "replace", "CARD", 1, 1,
		SIGNER | READER | EXPIRES | KEEP_FIELDS | SET_PIN | NO_WAIT,
		"issue the card in a reader in place of another one", card_replace},
	{"card", "retire", "[CARD]", 0, 1, REASON | YES | NO_WAIT,
		"revoke, blank the card and give it its factory secrets", card_retire},
	{"card", "unregister", "[CARD]", 0, 1, YES | NO_WAIT,
		"give up a registered or retired card", card_unregister},
	{"card", "certificate", "[CARD] SLOT", 1, 2, FORM, "write a certificate of a card",
		card_certificate},

	{"template", "list", "", 0, 0, 0, "list templates", template_list},
	{"template", "show", "NAME", 1, 1, 0, "show a template's document", template_show},
	{"template", "add", "FILE", 1, 1, 0, "add a template", template_add},
	{"template", "update", "FILE", 1, 1, 0, "replace the template of the same name",
		template_update},
	{"template", "remove", "NAME", 1, 1, 0, "remove a template", template_remove},
	{"template", "edit", "NAME", 1, 1, 0, "change a template with an editor", template_edit},
	{"template", "clone", "NAME NEW", 2, 2, 0, "add a copy of a template under another name",
		template_clone},
	{"template", "export", "[NAME]", 0, 1, OUTPUT, "write a template, or all, for import",
		template_export},
	{"template", "import", "FILE", 1, 1, OPTION_BIT(OPTION_REPLACE),
		"add all templates of a file, or none", template_import},
	{"template", "lock", "NAME", 1, 1, 0, "let nobody change a template", template_lock},
	{"template", "unlock", "NAME", 1, 1, 0, "let a template be changed again", template_unlock},
	{"template", "versions", "NAME", 1, 1, 0, "list a template's versions and their cards",
		template_versions},
	{"template", "diff", "NAME [V1 [V2]]", 1, 3, 0, "show what differs between versions",
		template_diff},
	{"template", "check", "NAME", 1, 1, READER,
		"compare what a template asks with what the inserted card can", template_check},
	{"template", "plan", "NAME|FILE", 1, 1, 0, "show what would change on which cards",
		template_plan},
	{"template", "drift", "[NAME]", 0, 1, 0, "list cards that are not as their template is",
		template_drift},

	{"directory", "search", "CONNECTION [TEXT]", 1, 2,
		OPTION_BIT(OPTION_FIELD) | OPTION_BIT(OPTION_LIMIT) | OPTION_BIT(OPTION_AFTER),
		"find people of a directory whose name, login or mail address begins with the text",
		directory_search},
	{"directory", "show", "CONNECTION [LOGIN]", 1, 2, OPTION_BIT(OPTION_ID),
		"show a person of a directory", directory_show},
	{"directory", "check", "[CONNECTION]", 0, 1, OPTION_BIT(OPTION_CONFIRM) | NO_WAIT,
		"look up in their directories all people whose cards are in use", directory_check},

	{"connection", "list", "", 0, 0, 0, "list connections", connection_list},
	{"connection", "show", "NAME", 1, 1, 0, "show a connection's document", connection_show},
	{"connection", "add", "FILE", 1, 1, 0, "add a connection", connection_add},
	{"connection", "update", "FILE", 1, 1, 0, "replace the connection of the same name",
		connection_update},
	{"connection", "edit", "NAME", 1, 1, 0, "change a connection with an editor",
		connection_edit},
	{"connection", "remove", "NAME", 1, 1, 0, "remove a connection", connection_remove},
	{"connection", "secret", "NAME SECRET [FILE]", 2, 3, 0,
		"set or replace a secret of a connection; it is asked for without FILE",
		connection_secret},
	{"connection", "forget-secret", "NAME SECRET", 2, 2, 0, "forget a secret of a connection",
		connection_forget_secret},
	{"connection", "test", "NAME", 1, 1, 0, "try a connection step by step", connection_test},
	{"connection", "profiles", "NAME", 1, 1, OPTION_BIT(OPTION_UPDATE),
		"list the authority's certificate profiles", connection_profiles},
	{"connection", "fields", "NAME PROFILE", 2, 2, OPTION_BIT(OPTION_EDIT),
		"list what a profile wants, and what fills it", connection_fields},
	{"connection", "certificate", "NAME", 1, 1, FORM, "write the authority's certificate",
		connection_certificate},
	{"connection", "crl", "NAME", 1, 1, FORM, "write the authority's revocation list",
		connection_crl},

	{"report", "expiring", "", 0, 0, OPTION_BIT(OPTION_DAYS),
		"list certificates of cards and keys that end soon", report_expiring},
	{"report", "people", "", 0, 0, 0,
		"list cards whose people are disabled, gone or changed in their directory",
		report_people},

	{"task", "list", "", 0, 0, 0, "list what authorities are still to be asked or told",
		task_list},
	{"task", "run", "ID", 1, 1, 0, "try a task now", task_run},
	{"task", "remove", "ID", 1, 1, REASON, "take a task off the list that is over",
		task_remove},
	{"task", "confirm", "ID", 1, 1, 0, "say that the authority knows, as it was told by hand",
		task_confirm},

	{"slot", "list", "", 0, 0, 0, "list slots: HSM tokens whose keys programs use", slot_list},
	{"slot", "show", "NAME", 1, 1, 0, "show a slot and who may use its keys", slot_show},
	{"slot", "add", "NAME", 1, 1, SLOT_ADD, "make a token a slot", slot_add},
	{"slot", "test", "NAME", 1, 1, 0, "ask the token whether it answers, and read its objects",
		slot_test},
	{"slot", "change", "NAME", 1, 1, PROCESS, "change where and how a slot's module runs",
		slot_change},
	{"slot", "allow", "NAME [OPERATION...]", 1, 7, SLOT_ACCESS,
		"let users use, make or destroy keys of a slot", slot_allow},
	{"slot", "deny", "NAME [OPERATION...]", 1, 7, SLOT_ACCESS, "take back what was allowed",
		slot_deny},
	{"slot", "remove", "NAME", 1, 1, 0, "remove a slot; its token stays as it is", slot_remove},
	{"slot", "keys", "NAME", 1, 1, 0, "list the keys of a slot and their certificates",
		slot_keys},
	{"slot", "enroll", "NAME LABEL", 2, 2,
		SIGNER | FIELDS | EXPIRES | OPTION_BIT(OPTION_EXISTING_KEY) | SLOT_PIN,
		"make a key in a slot and get a certificate for it", slot_enroll},
	{"slot", "batch", "NAME FILE", 2, 2, SLOT_BATCH,
		"enroll a key in a slot for each row of a CSV file", slot_batch},
	{"slot", "renew", "NAME LABEL", 2, 2, SIGNER | OPTION_BIT(OPTION_NEW_KEY) | SLOT_PIN,
		"get another certificate for an enrolled key", slot_renew},
	{"slot", "retire", "NAME LABEL", 2, 2,
		REASON | YES | OPTION_BIT(OPTION_KEEP_KEY) | SLOT_PIN,
		"revoke an enrolled key's certificates and destroy it", slot_retire},

	{"type", "list", "", 0, 0, 0, "list credential types", type_list},
	{"type", "show", "NAME", 1, 1, 0, "show a type's document", type_show},
	{"type", "detect", "[NUMBER]", 0, 1, OUTPUT,
		"say what the card in a reader is, and propose a type for it", type_detect},
	{"type", "add", "FILE", 1, 1, 0, "add a type", type_add},
	{"type", "remove", "NAME", 1, 1, 0, "remove a type that was added", type_remove},

	{"self", NULL, "", 0, 0, PROOF, "list your own cards and what you may do with them",
		self_list},
	{"self", "templates", "", 0, 0, 0, "list the templates that you may issue a card by",
		self_templates},
	{"self", "issue", "", 0, 0, READER | OPTION_BIT(OPTION_TEMPLATE) | SET_PIN | PROOF,
		"issue the card in a reader to yourself", self_issue},
	{"self", "activate", "[CARD]", 0, 1, SET_PIN | PROOF, "set the first PIN of your card",
		self_activate},
	{"self", "pin", "[CARD]", 0, 1, PIN_FILE | NEW_PIN, "change the PIN of your card",
		self_pin},
	{"self", "unblock", "[CARD]", 0, 1, SET_PIN | PROOF,
		"set a new PIN on your card when it is blocked or forgotten", self_unblock},
	{"self", "reissue", "[CARD]", 0, 1, PROOF, "have new keys and certificates on your card",
		self_reissue},
	{"self", "renew", "[CARD]", 0, 1,
		PIN_FILE | PIN_FD | OPTION_BIT(OPTION_SLOT) | OPTION_BIT(OPTION_NEW_KEY) | PROOF,
		"have certificates on your card that end later", self_renew},
	{"self", "lost", "[CARD]", 0, 1, YES | PROOF, "suspend a card that you have lost",
		self_lost},
	{"self", "retire", "[CARD]", 0, 1, YES | PROOF, "give your card back, empty", self_retire},

	{"self-code", "new", "[CARD]", 0, 1,
		OPTION_BIT(OPTION_FOR) | OPTION_BIT(OPTION_HOURS) | FIELDS |
			OPTION_BIT(OPTION_USER) | OPTION_BIT(OPTION_PERSON),
		"give somebody a one-time code to help themselves with", self_code_new},
	{"self-code", "list", "", 0, 0, 0, "list one-time codes that are good", self_code_list},
	{"self-code", "remove", "CODE", 1, 1, 0, "remove a code, by its first four characters",
		self_code_remove},
	{"self-code", "unlock", "[CARD]", 0, 1,
		OPTION_BIT(OPTION_USER) | OPTION_BIT(OPTION_PERSON) | OPTION_BIT(OPTION_CONNECTION),
		"let somebody try again who has tried too often", self_code_unlock},

	{"job", "list", "", 0, 0, 0, "list jobs, under way and ended", job_list},
	{"job", "show", "NUMBER", 1, 1, 0, "show a job", job_show},
	{"job", "cancel", "NUMBER", 1, 1, 0, "ask a job to stop at its next safe point",
		job_cancel},
	{"job", "wait", "NUMBER", 1, 1, SIGNER, "wait until a job has ended", job_wait},

	{"audit", "list", "", 0, 0, AUDIT, "list audit records", audit_list},
	{"audit", "verify", "[FILE]", 0, 1,
		OPTION_BIT(OPTION_PUBLIC_KEY) | OPTION_BIT(OPTION_CA_CERTIFICATE),
		"check that no audit record was changed, here or in an export", audit_verify},
	{"audit", "export", "", 0, 0, EXPORT, "write the signed audit trail as lines of JSON",
		audit_export},
	{"audit", "checkpoint", "", 0, 0, 0, "have the token sign the audit trail as it is now",
		audit_checkpoint},
	{"audit", "key", "", 0, 0, FORM, "write the public key that the audit trail is signed with",
		audit_key},

	{"licence", "show", "", 0, 0, 0, "show the licence and how many cards are managed",
		licence_show},
	{"licence", "request", "", 0, 0, CODE | OUTPUT, "write what a licence is made from",
		licence_request},
	{"licence", "activate", "[FILE]", 0, 1, CODE,
		"install a licence from a file, or get one for an activation code",
		licence_activate},
	{"licence", "remove", "", 0, 0, YES, "go back to evaluation mode", licence_remove},
};
const size_t command_count = ARRAY_SIZE(commands);

bool command_has_option(const struct command *command, enum option option)
{
	return (command->options | COMMON) & OPTION_BIT(option);
}

bool command_takes_program(const struct command *command)
{
	return command->run == login_run;
}
