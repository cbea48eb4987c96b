/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of subcommands: parsing, --help, suggestions and completion all
 * come from it. A subcommand is a subject and a verb ("card issue"); status has
 * no verb.
 */
#ifndef TESSERA_CLI_COMMAND_H
#define TESSERA_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

struct invocation;

enum option {
	/* for every subcommand */
	OPTION_HELP,
	OPTION_HOST,
	OPTION_JSON,
	OPTION_NO_PROGRESS,
	OPTION_SOCKET,
	OPTION_SYSTEM_BUS,
	OPTION_VERSION,
	/* for those that name them */
	OPTION_ACTOR,
	OPTION_AFTER,
	OPTION_AHEAD,
	OPTION_ALLOW,
	OPTION_ANYONE,
	OPTION_AS,
	OPTION_ASK,
	OPTION_AT_ONCE,
	OPTION_AUDIT_USES,
	OPTION_CA_CERTIFICATE,
	OPTION_CARD,
	OPTION_CARDS,
	OPTION_CODE_FILE,
	OPTION_CONNECTION,
	OPTION_CONFIRM,
	OPTION_CREATE,
	OPTION_CUSTODIAN,
	OPTION_DAYS,
	OPTION_DER,
	OPTION_DESCRIPTION,
	OPTION_EDIT,
	OPTION_ENVIRONMENT,
	OPTION_EXPOSED,
	OPTION_EXACT,
	OPTION_EXISTING_KEY,
	OPTION_EXPIRES,
	OPTION_FIELD,
	OPTION_FOR,
	OPTION_FORCE,
	OPTION_FROM_FILE,
	OPTION_GENERATE_PIN,
	OPTION_GROUP,
	OPTION_HOLDER,
	OPTION_HOURS,
	OPTION_ID,
	OPTION_INACTIVE,
	OPTION_KEEP_FIELDS,
	OPTION_KEEP_KEY,
	OPTION_KEEP_PIN,
	OPTION_KEY,
	OPTION_LIMIT,
	OPTION_LOGIN,
	OPTION_MODULE,
	OPTION_NEWEST,
	OPTION_NAME,
	OPTION_NEW_KEY,
	OPTION_NEW_PIN_FILE,
	OPTION_NO_WAIT,
	OPTION_OPERATION,
	OPTION_OPERATOR,
	OPTION_OPERATOR_PIN_FILE,
	OPTION_OUTCOME,
	OPTION_OUTPUT,
	OPTION_PASSWORD_FILE,
	OPTION_PEM,
	OPTION_PERMISSIONS,
	OPTION_PERSON,
	OPTION_PERSON_ID,
	OPTION_PIN_FD,
	OPTION_PIN_FILE,
	OPTION_PIN_SOURCE,
	OPTION_PROCESS,
	OPTION_PUBLIC_KEY,
	OPTION_READER,
	OPTION_REGISTER,
	OPTION_REASON,
	OPTION_REISSUE,
	OPTION_REPLACE,
	OPTION_SERIAL,
	OPTION_SHARES,
	OPTION_SINCE,
	OPTION_ROLES,
	OPTION_SLOT,
	OPTION_STATE,
	OPTION_STDIN,
	OPTION_SYSTEM_USER,
	OPTION_TEMPLATE,
	OPTION_TIMEOUT,
	OPTION_TOKEN_LABEL,
	OPTION_UNBLOCK_CODE_FILE,
	OPTION_UNTIL,
	OPTION_UPDATE,
	OPTION_USER,
	OPTION_YES,
	OPTION_COUNT
};

struct option_spec {
	const char *name;   /* "--pin-file" */
	const char *letter; /* "-o", or NULL */
	const char *value;  /* what it takes, "FILE"; NULL for none */
	const char *help;
};
extern const struct option_spec option_specs[OPTION_COUNT];

__extension__ typedef unsigned __int128 option_bits;

struct command {
	const char *subject;
	const char *verb;      /* NULL for a subject without verbs */
	const char *arguments; /* for people: "[CARD] SLOT" */
	size_t least, most;    /* how many arguments */
	option_bits options;   /* a bit for each of enum option */
	const char *help;
	bool (*run)(struct invocation *invocation, struct error *error);
};
extern const struct command commands[];
extern const size_t command_count;

#define OPTION_BIT(option) ((option_bits)1 << (option))

bool command_has_option(const struct command *command, enum option option);
/* Whether what follows "--" is a program to run. */
bool command_takes_program(const struct command *command);

/* The functions of the table, a file for each subject. */
bool status_show(struct invocation *invocation, struct error *error);
bool owner_add(struct invocation *invocation, struct error *error);
bool bridge_run(struct invocation *invocation, struct error *error);
bool login_run(struct invocation *invocation, struct error *error);
bool agent_run(struct invocation *invocation, struct error *error);
bool notify_run(struct invocation *invocation, struct error *error);
bool login_list(struct invocation *invocation, struct error *error);
bool operator_list(struct invocation *invocation, struct error *error);
bool operator_set(struct invocation *invocation, struct error *error);
bool operator_remove(struct invocation *invocation, struct error *error);
bool key_back_up(struct invocation *invocation, struct error *error);
bool key_check(struct invocation *invocation, struct error *error);
bool key_restore(struct invocation *invocation, struct error *error);
bool key_list(struct invocation *invocation, struct error *error);
bool key_report(struct invocation *invocation, struct error *error);
bool key_rotate(struct invocation *invocation, struct error *error);
bool role_list(struct invocation *invocation, struct error *error);
bool role_show(struct invocation *invocation, struct error *error);
bool role_permissions(struct invocation *invocation, struct error *error);
bool role_add(struct invocation *invocation, struct error *error);
bool role_change(struct invocation *invocation, struct error *error);
bool role_remove(struct invocation *invocation, struct error *error);
bool quorum_list(struct invocation *invocation, struct error *error);
bool quorum_set(struct invocation *invocation, struct error *error);
bool reader_list(struct invocation *invocation, struct error *error);
bool reader_show(struct invocation *invocation, struct error *error);
bool reader_watch(struct invocation *invocation, struct error *error);
bool reader_info(struct invocation *invocation, struct error *error);
bool card_list(struct invocation *invocation, struct error *error);
bool card_search(struct invocation *invocation, struct error *error);
bool card_show(struct invocation *invocation, struct error *error);
bool card_issue(struct invocation *invocation, struct error *error);
bool card_activate(struct invocation *invocation, struct error *error);
bool card_change_pin(struct invocation *invocation, struct error *error);
bool card_unblock(struct invocation *invocation, struct error *error);
bool card_offline_unblock(struct invocation *invocation, struct error *error);
bool card_rotate(struct invocation *invocation, struct error *error);
bool card_renew(struct invocation *invocation, struct error *error);
bool card_reissue(struct invocation *invocation, struct error *error);
bool card_update(struct invocation *invocation, struct error *error);
bool card_suspend(struct invocation *invocation, struct error *error);
bool card_resume(struct invocation *invocation, struct error *error);
bool card_revoke(struct invocation *invocation, struct error *error);
bool card_retire(struct invocation *invocation, struct error *error);
bool card_register(struct invocation *invocation, struct error *error);
bool card_unregister(struct invocation *invocation, struct error *error);
bool card_report(struct invocation *invocation, struct error *error);
bool card_batch(struct invocation *invocation, struct error *error);
bool card_replace(struct invocation *invocation, struct error *error);
bool card_certificate(struct invocation *invocation, struct error *error);
bool template_list(struct invocation *invocation, struct error *error);
bool template_show(struct invocation *invocation, struct error *error);
bool template_add(struct invocation *invocation, struct error *error);
bool template_update(struct invocation *invocation, struct error *error);
bool template_remove(struct invocation *invocation, struct error *error);
bool template_edit(struct invocation *invocation, struct error *error);
bool template_clone(struct invocation *invocation, struct error *error);
bool template_export(struct invocation *invocation, struct error *error);
bool template_import(struct invocation *invocation, struct error *error);
bool template_lock(struct invocation *invocation, struct error *error);
bool template_unlock(struct invocation *invocation, struct error *error);
bool template_versions(struct invocation *invocation, struct error *error);
bool template_diff(struct invocation *invocation, struct error *error);
bool template_check(struct invocation *invocation, struct error *error);
bool template_plan(struct invocation *invocation, struct error *error);
bool template_drift(struct invocation *invocation, struct error *error);
bool directory_search(struct invocation *invocation, struct error *error);
bool directory_show(struct invocation *invocation, struct error *error);
bool connection_list(struct invocation *invocation, struct error *error);
bool connection_show(struct invocation *invocation, struct error *error);
bool connection_add(struct invocation *invocation, struct error *error);
bool connection_update(struct invocation *invocation, struct error *error);
bool connection_remove(struct invocation *invocation, struct error *error);
bool connection_test(struct invocation *invocation, struct error *error);
bool connection_profiles(struct invocation *invocation, struct error *error);
bool connection_edit(struct invocation *invocation, struct error *error);
bool connection_fields(struct invocation *invocation, struct error *error);
bool connection_secret(struct invocation *invocation, struct error *error);
bool connection_forget_secret(struct invocation *invocation, struct error *error);
bool connection_certificate(struct invocation *invocation, struct error *error);
bool connection_crl(struct invocation *invocation, struct error *error);
bool report_expiring(struct invocation *invocation, struct error *error);
bool report_people(struct invocation *invocation, struct error *error);
bool directory_check(struct invocation *invocation, struct error *error);
bool task_remove(struct invocation *invocation, struct error *error);
bool task_list(struct invocation *invocation, struct error *error);
bool task_confirm(struct invocation *invocation, struct error *error);
bool task_run(struct invocation *invocation, struct error *error);
bool self_list(struct invocation *invocation, struct error *error);
bool self_templates(struct invocation *invocation, struct error *error);
bool self_issue(struct invocation *invocation, struct error *error);
bool self_activate(struct invocation *invocation, struct error *error);
bool self_pin(struct invocation *invocation, struct error *error);
bool self_unblock(struct invocation *invocation, struct error *error);
bool self_reissue(struct invocation *invocation, struct error *error);
bool self_renew(struct invocation *invocation, struct error *error);
bool self_lost(struct invocation *invocation, struct error *error);
bool self_retire(struct invocation *invocation, struct error *error);
bool self_code_new(struct invocation *invocation, struct error *error);
bool self_code_list(struct invocation *invocation, struct error *error);
bool self_code_remove(struct invocation *invocation, struct error *error);
bool self_code_unlock(struct invocation *invocation, struct error *error);
bool slot_list(struct invocation *invocation, struct error *error);
bool slot_show(struct invocation *invocation, struct error *error);
bool slot_add(struct invocation *invocation, struct error *error);
bool slot_test(struct invocation *invocation, struct error *error);
bool slot_allow(struct invocation *invocation, struct error *error);
bool slot_deny(struct invocation *invocation, struct error *error);
bool slot_change(struct invocation *invocation, struct error *error);
bool slot_remove(struct invocation *invocation, struct error *error);
bool slot_keys(struct invocation *invocation, struct error *error);
bool slot_enroll(struct invocation *invocation, struct error *error);
bool slot_batch(struct invocation *invocation, struct error *error);
bool slot_renew(struct invocation *invocation, struct error *error);
bool slot_retire(struct invocation *invocation, struct error *error);
bool type_list(struct invocation *invocation, struct error *error);
bool type_show(struct invocation *invocation, struct error *error);
bool type_detect(struct invocation *invocation, struct error *error);
bool type_add(struct invocation *invocation, struct error *error);
bool type_remove(struct invocation *invocation, struct error *error);
bool job_list(struct invocation *invocation, struct error *error);
bool job_show(struct invocation *invocation, struct error *error);
bool job_cancel(struct invocation *invocation, struct error *error);
bool job_wait(struct invocation *invocation, struct error *error);
bool audit_list(struct invocation *invocation, struct error *error);
bool audit_checkpoint(struct invocation *invocation, struct error *error);
bool audit_export(struct invocation *invocation, struct error *error);
bool audit_key(struct invocation *invocation, struct error *error);
bool audit_verify(struct invocation *invocation, struct error *error);
bool licence_show(struct invocation *invocation, struct error *error);
bool licence_request(struct invocation *invocation, struct error *error);
bool licence_activate(struct invocation *invocation, struct error *error);
bool licence_remove(struct invocation *invocation, struct error *error);

#endif
