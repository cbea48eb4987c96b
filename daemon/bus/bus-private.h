/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of this folder share. */
#ifndef TESSERA_BUS_BUS_PRIVATE_H
#define TESSERA_BUS_BUS_PRIVATE_H

#include <stdatomic.h>

#include "audit/actor.h"
#include "bus/bus.h"
#include "dbus/message.h"
#include "dbus/service.h"
#include "model/role.h"
#include "operation/contact.h"
#include "operation/self-rights.h"

#define BUS_NAME	   "org.tessera1"
#define BUS_ROOT	   "/org/tessera1"
#define MESSAGE_BYTES_MAX  (1024 * 1024)
#define RECEIVED_BYTES_MAX (4 * 1024 * 1024)
#define OUTGOING_BYTES_MAX (16 * 1024 * 1024)
#define MANAGER_INTERFACE  BUS_NAME ".Manager"
#define PROVIDER_INTERFACE BUS_NAME ".Provider"

struct private_door;
struct system_door;

struct bus {
	struct services *services;
	const struct bus_options *options;
	uv_loop_t *loop;
	struct bus_service *service;
	struct private_door *private_door;
	struct system_door *system_door;
	atomic_bool asks_polkit; /* a caller's right to initialise is being asked for */
};

/* The objects, one file each. */
/* Whether the job that the call is about was started by the caller, or by managers and it is one.
 */
bool job_is_own(struct bus *bus, const struct bus_call *call);
extern const struct bus_kind manager_kind, reader_kind, credential_kind, template_kind,
	connection_kind, type_kind, job_kind, licence_kind, slot_kind;
extern const struct bus_interface provider_interface, reader_agent_interface;
/* Whether the job that the call is about was started by its caller, or by a manager and it is one.
 */
bool job_is_own(struct bus *bus, const struct bus_call *call);

/* --- caller.c --- */
bool caller_is_manager(const struct bus *bus, uid_t uid);
/* Readers that a verb of the call may take a card from. */
struct contact_reach caller_reach(const struct bus_call *call);
/* As which guest (core/job.h) the caller starts jobs: the user id, or 0 for a manager. */
unsigned caller_guest(const struct bus_caller *caller);
/* Whether the caller has an enum permission. ERROR_ACCESS_DENIED. */
bool caller_may_do(
	void *context, const struct bus_caller *caller, unsigned permission, struct error *error);
struct self_caller caller_self(const struct bus_caller *caller);
/*
 * Whether the card is the caller's own, and its template lets holders do what the method does
 * (operation/self-rights.h). leave may be NULL.
 */
bool caller_holds(const struct bus_call *call, int64_t credential_id, struct self_leave *leave);
/*
 * /unblock/roles of the card's template; a holder whom it lets is not asked for roles.
 * ERROR_ACCESS_DENIED.
 */
bool caller_may_unblock(
	const struct bus_call *call, const struct credential *credential, struct error *error);
/* The same for the object of a call; or Issue by a template whose cards users issue themselves. */
bool caller_may_object(void *context, const struct bus_call *call);
/*
 * Who may not see cards knows of those that are in a reader, as everybody does, and of the own one.
 * ERROR_NOT_FOUND.
 */
bool caller_may_read_object(void *context, const struct bus_call *call);
bool caller_may_know(void *context, const struct bus_call *call, struct error *error);
/* "uid=0 pid=12 exe=/usr/bin/busctl", heap */
char *caller_actor(uid_t uid, pid_t pid);
/* Who acts by a call that may change something, as the caller is logged in when it begins. */
void *caller_begin(void *context, const struct bus_call *call);
void caller_end(void *who);
/* Logs a refused call and writes it to the audit trail. */
void caller_denied(void *context, const struct bus_call *call, const struct error *error);
/* Writes a call to the audit trail that could change something and that nobody else records. */
void caller_done(void *context, const struct bus_call *call, const struct error *error);

/* --- helpers of the objects (object.c) --- */
/* A number above 0, as this program writes it; 0 for anything else. */
int64_t name_to_number(const char *name);
char *number_to_name(int64_t number);
/* Path of object NUMBER of a kind, heap; "/" for 0. */
char *number_path(const struct bus_kind *kind, int64_t number);
void append_number_path(DBusMessageIter *iter, const struct bus_kind *kind, int64_t number);
/* a{ss} */
void append_fields(DBusMessageIter *iter, const struct fields *fields);
bool read_fields(DBusMessageIter *iter, struct fields *fields, struct error *error);
/* Writes the audit record of a change that a caller asked for; answers `done`. */
bool audit_change(struct bus_call *call, const char *operation, const char *name, bool done,
	const struct error *error);

/* The credential that the object of a call is. */
const struct credential *credential_object(const void *object);

/* --- methods of the manager about the audit trail (manager-audit.c) --- */
bool manager_list_audit(struct bus_call *call, struct error *error);
bool manager_verify_audit(struct bus_call *call, struct error *error);
bool manager_write_checkpoint(struct bus_call *call, struct error *error);
bool manager_list_checkpoints(struct bus_call *call, struct error *error);
/* A page has 1 to 1000 entries. ERROR_INVALID_ARGUMENT. */
bool manager_check_limit(uint32_t limit, struct error *error);
/*
 * The number in a reader's path, the next argument. A reader of another machine is for who offers
 * it, and for operators who have the method's right. ERROR_NOT_FOUND, ERROR_ACCESS_DENIED.
 */
bool read_reader(struct bus_call *call, struct contact_status *status, struct error *error);
/*
 * Whom the audit trail names for a call: the caller, and the operators who were logged in when it
 * began, or are now. Heap.
 */
struct audit_actor *caller_actor_with_operators(const struct bus_call *call);

/* --- methods of the manager about master keys and PUKs (manager-keys.c) --- */
bool list_master_keys_call(struct bus_call *call, struct error *error);
bool list_cards_of_master_key_call(struct bus_call *call, struct error *error);
bool rotate_master_key_call(struct bus_call *call, struct error *error);
bool list_exposed_call(struct bus_call *call, struct error *error);

/* --- methods of the manager about tasks (task.c) --- */
bool list_tasks_call(struct bus_call *call, struct error *error);
bool confirm_task_call(struct bus_call *call, struct error *error);
bool run_task_call(struct bus_call *call, struct error *error);
bool remove_task_call(struct bus_call *call, struct error *error);

/* --- reports of the manager (manager-report.c) --- */
bool list_expiring_call(struct bus_call *call, struct error *error);

/* People of directories (people.c). */
bool check_people_call(struct bus_call *call, struct error *error);
bool list_people_call(struct bus_call *call, struct error *error);
/* The property Person of a credential. */
void get_credential_person(void *context, const void *object, DBusMessageIter *value);

/* --- the method of the manager that revokes many cards (manager-revoke.c) --- */
bool revoke_many_call(struct bus_call *call, struct error *error);

/* --- methods of the manager about backups of the master key (key-backup.c) --- */
bool back_up_master_key_call(struct bus_call *call, struct error *error);
bool look_at_key_backup_call(struct bus_call *call, struct error *error);
bool last_key_backup_call(struct bus_call *call, struct error *error);
bool begin_key_restore_call(struct bus_call *call, struct error *error);
bool open_key_share_call(struct bus_call *call, struct error *error);
bool finish_key_restore_call(struct bus_call *call, struct error *error);

/* --- options: a{sv} (options.c); ERROR_INVALID_ARGUMENT for a wrong name or type --- */
/* Calls read() for each; steps over the argument. */
bool options_each(DBusMessageIter *iter,
	bool (*read)(void *context, const char *name, DBusMessageIter *value, struct error *error),
	void *context, struct error *error);
/* Fills error; known: the names that there are. Returns false. */
bool option_unknown(const char *name, const char *known, struct error *error);
bool option_read_bool(const char *name, DBusMessageIter *value, bool *option, struct error *error);
/* The option is heap, or NULL before. */
bool option_read_string(
	const char *name, DBusMessageIter *value, char **option, struct error *error);
bool option_read_i64(
	const char *name, DBusMessageIter *value, int64_t *option, struct error *error);
bool option_read_secret(
	const char *name, DBusMessageIter *value, struct secret *option, struct error *error);
bool option_read_strings(const char *name, DBusMessageIter *value, char ***option, size_t *count,
	struct error *error);
/* The strings of an argument of type as; steps over it. Heap, free with strings_free. */
void read_strings(DBusMessageIter *iter, char ***strings, size_t *count);
void strings_free(char **strings, size_t count);

/* --- methods of the Manager about logins (login.c) and operators (operator.c) --- */
bool login_begin_call(struct bus_call *call, struct error *error);
bool login_finish_call(struct bus_call *call, struct error *error);
bool login_call(struct bus_call *call, struct error *error);
bool logout_call(struct bus_call *call, struct error *error);
bool list_logins_call(struct bus_call *call, struct error *error);
bool add_system_owner_call(struct bus_call *call, struct error *error);
bool list_operators_call(struct bus_call *call, struct error *error);
bool set_operator_call(struct bus_call *call, struct error *error);
bool remove_operator_call(struct bus_call *call, struct error *error);

/* --- methods of the Manager about roles and quorums (role.c) --- */
bool list_roles_call(struct bus_call *call, struct error *error);
bool list_permissions_call(struct bus_call *call, struct error *error);
bool add_role_call(struct bus_call *call, struct error *error);
bool change_role_call(struct bus_call *call, struct error *error);
bool remove_role_call(struct bus_call *call, struct error *error);
bool list_quorums_call(struct bus_call *call, struct error *error);
bool set_quorum_call(struct bus_call *call, struct error *error);

/* --- org.tessera1.SelfService (self-service.c), and its codes (self-code.c) --- */
extern const struct bus_interface self_service_interface;
bool self_add_code_call(struct bus_call *call, struct error *error);
bool self_list_codes_call(struct bus_call *call, struct error *error);
bool self_remove_code_call(struct bus_call *call, struct error *error);
bool self_lift_call(struct bus_call *call, struct error *error);

/* --- slots (slot.c) --- */
bool add_slot_call(struct bus_call *call, struct error *error);
/* Of org.tessera1.Slot (slot-keys.c): label, CKA_ID, algorithm, credential, its state, subject and
 * end of the certificate. */
#define SLOT_KEY_SIGNATURE "(saysossx)"
bool slot_get_keys_call(struct bus_call *call, struct error *error);
bool slot_enroll_call(struct bus_call *call, struct error *error);
bool slot_renew_call(struct bus_call *call, struct error *error);
bool slot_retire_call(struct bus_call *call, struct error *error);

/* --- methods about templates and their cards (template-cards.c) --- */
bool template_list_versions_call(struct bus_call *call, struct error *error);
bool template_get_version_call(struct bus_call *call, struct error *error);
bool template_compare_call(struct bus_call *call, struct error *error);
bool template_plan_call(struct bus_call *call, struct error *error);
bool template_list_cards_call(struct bus_call *call, struct error *error);
bool template_check_call(struct bus_call *call, struct error *error);
/* of the Manager */
bool manager_import_templates(struct bus_call *call, struct error *error);
bool manager_list_drift(struct bus_call *call, struct error *error);

/* "sign", "decrypt" or "derive", not ended by a NUL (provider.c). ERROR_INVALID_ARGUMENT. */
bool provider_read_use(const char *name, size_t length, enum key_use *use, struct error *error);

/* --- doors --- */
struct private_door *private_door_open(struct bus *bus, struct error *error);
/* Closes the socket and all connections, and waits for their threads. */
void private_door_close(struct private_door *door);
void private_door_free(struct private_door *door);
/* Sends to all connections that asked for signals; does not take the message. */
void private_door_broadcast(struct private_door *door, DBusMessage *signal);
/* Sends to all connections that use tokens or asked for signals. */
void private_door_send_tokens_changed(struct private_door *door, DBusMessage *signal);

/* Listens at the path, where the socket of a daemon that was killed may lie. ERROR_EXISTS when
 * another program listens there. */
DBusServer *private_socket_listen(const char *path, struct error *error);

/* Connects, or tries again and again. */
struct system_door *system_door_open(struct bus *bus);
void system_door_close(struct system_door *door);
void system_door_free(struct system_door *door);
void system_door_broadcast(struct system_door *door, DBusMessage *signal);

/* --- the connection of a caller at the private door --- */
struct private_connection;
struct provider_client;
struct provider_habit;
struct provider_client *private_connection_client(struct private_connection *connection);
/* How the connection's own thread uses keys. */
struct provider_habit *private_connection_habit(struct private_connection *connection);
/* A channel (bus/channel.h): its program's end, or -1. ERROR_BUSY, ERROR_NOT_SUPPORTED. */
int private_connection_open_channel(struct private_connection *connection, struct error *error);
/* From now on it is told of changed tokens. */
void private_connection_watch_tokens(struct private_connection *connection);
/* From now on it is sent all signals. */
void private_connection_watch_all(struct private_connection *connection);
const char *private_connection_name(const struct private_connection *connection);
/* Its agent (bus/reader-agent.h); with make, one is made if there is none. By its own thread. */
struct reader_agent *private_connection_agent(struct private_connection *connection, bool make);
/* From any thread: its own one looks at its agent (reader_agent_tend). */
void private_connection_wake(struct private_connection *connection);
/* From any thread. Sends a call of ours; *serial is what its answer will name. */
void private_connection_call(
	struct private_connection *connection, DBusMessage *call, uint32_t *serial);
/* Whether something is still to be written. */
bool private_connection_has_outgoing(const struct private_connection *connection);

/* Answers calls to org.freedesktop.DBus on the private door, so that programs made for a message
 * bus can use it (driver.c). False when the message is for someone else. */
bool driver_handle(const struct bus_caller *caller, DBusMessage *message);

#endif
