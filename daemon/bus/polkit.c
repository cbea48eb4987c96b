/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bus/polkit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "core/text-file.h"
#include "dbus/message.h"

#define SERVICE	  "org.freedesktop.PolicyKit1"
#define PATH	  "/org/freedesktop/PolicyKit1/Authority"
#define INTERFACE "org.freedesktop.PolicyKit1.Authority"
/* CheckAuthorizationFlags */
#define ALLOW_USER_INTERACTION 1
#define PLAIN_TIMEOUT_MS       (10 * 1000)
#define PERSON_TIMEOUT_MS      (2 * 60 * 1000)
#define STAT_MAX	       4096 /* bytes */
/* Behind the program's name, which is in parentheses (proc(5)). */
#define START_TIME_FIELD 20

const struct polkit_action polkit_initialize = {
	"org.tessera1.initialize", "an administrator", "root may, without authentication"};
const struct polkit_action polkit_self = {"org.tessera1.self", "the user",
	"another proof may do, as the template says: a password of a directory, or a one-time "
	"code"};

/* When the process started, in clock ticks since boot: with the process's number it is never
 * another. */
static bool read_start_time(pid_t pid, uint64_t *ticks)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	_cleanup_free_ char *text = text_file_read(path, STAT_MAX, NULL);
	char *field = text ? strrchr(text, ')') : NULL;

	for (int i = 0; field && i < START_TIME_FIELD; i++)
		field = strchr(field + 1, ' ');
	if (!field)
		return false;
	*ticks = strtoull(field + 1, NULL, 10);
	return true;
}

/* --- the question --- */

/* An entry of an open a{sv}; the value is appended by the caller. */
static void open_entry(DBusMessageIter *dictionary, const char *name, const char *type,
	DBusMessageIter *entry, DBusMessageIter *value)
{
	message_open(dictionary, DBUS_TYPE_DICT_ENTRY, NULL, entry);
	message_append_string(entry, name);
	message_open(entry, DBUS_TYPE_VARIANT, type, value);
}

static void close_entry(DBusMessageIter *dictionary, DBusMessageIter *entry, DBusMessageIter *value)
{
	message_close(entry, value);
	message_close(dictionary, entry);
}

static void append_bus_name(DBusMessageIter *details, const char *name)
{
	DBusMessageIter entry, value;

	open_entry(details, "name", "s", &entry, &value);
	message_append_string(&value, name);
	close_entry(details, &entry, &value);
}

static void append_process(
	DBusMessageIter *details, const struct bus_caller *caller, uint64_t start_time)
{
	DBusMessageIter entry, value;
	dbus_int32_t uid = (dbus_int32_t)caller->uid;

	open_entry(details, "pid", "u", &entry, &value);
	message_append_u32(&value, (uint32_t)caller->pid);
	close_entry(details, &entry, &value);
	open_entry(details, "start-time", "t", &entry, &value);
	message_append_u64(&value, start_time);
	close_entry(details, &entry, &value);
	open_entry(details, "uid", "i", &entry, &value);
	if (!dbus_message_iter_append_basic(&value, DBUS_TYPE_INT32, &uid))
		abort();
	close_entry(details, &entry, &value);
}

/* By the name on the system bus, or else by the process at the other end of the socket. */
static bool append_subject(DBusMessageIter *iter, const struct bus_call *call, struct error *error)
{
	const struct bus_caller *caller = call->caller;
	DBusMessageIter subject, details;
	uint64_t start_time = 0;

	if (caller->is_private && !read_start_time(caller->pid, &start_time))
		return error_set(error, ERROR_ACCESS_DENIED, "the caller's process is gone");
	message_open(iter, DBUS_TYPE_STRUCT, NULL, &subject);
	message_append_string(&subject, caller->is_private ? "unix-process" : "system-bus-name");
	message_open(&subject, DBUS_TYPE_ARRAY, "{sv}", &details);
	if (caller->is_private)
		append_process(&details, caller, start_time);
	else
		append_bus_name(&details, dbus_message_get_sender(call->message));
	message_close(&subject, &details);
	message_close(iter, &subject);
	return true;
}

static DBusMessage *make_question(
	const struct bus_call *call, const char *action, bool may_ask_person, struct error *error)
{
	_cleanup_message_ DBusMessage *question =
		dbus_message_new_method_call(SERVICE, PATH, INTERFACE, "CheckAuthorization");
	DBusMessageIter iter, details;

	if (!question)
		abort();
	dbus_message_iter_init_append(question, &iter);
	if (!append_subject(&iter, call, error))
		return NULL;
	message_append_string(&iter, action);
	message_open(&iter, DBUS_TYPE_ARRAY, "{ss}", &details);
	message_close(&iter, &details);
	message_append_u32(&iter, may_ask_person ? ALLOW_USER_INTERACTION : 0);
	message_append_string(&iter, ""); /* nobody cancels */
	return steal_pointer(&question);
}

/* --- the answer --- */

static bool read_answer(
	DBusMessage *answer, const struct polkit_action *action, struct error *error)
{
	DBusMessageIter iter, result;

	if (!dbus_message_has_signature(answer, "(bba{ss})"))
		return error_set(
			error, ERROR_ACCESS_DENIED, "polkit gave another answer than known");
	dbus_message_iter_init(answer, &iter);
	dbus_message_iter_recurse(&iter, &result);
	if (message_read_bool(&result))
		return true;
	if (message_read_bool(&result))
		return error_set(error, ERROR_ACCESS_DENIED,
			"polkit (%s) wants %s to authenticate, and nobody was there to ask; %s",
			action->name, action->who, action->instead);
	return error_set(error, ERROR_ACCESS_DENIED, "polkit does not let this user (%s); %s",
		action->name, action->instead);
}

/* A connection of its own: the door's is the loop's, and must not wait. */
static DBusMessage *ask(DBusMessage *question, const struct polkit_action *action, int timeout_ms,
	struct error *error)
{
	DBusError failure = DBUS_ERROR_INIT;
	DBusMessage *answer = NULL;
	DBusConnection *bus = dbus_bus_get_private(DBUS_BUS_SYSTEM, &failure);

	if (bus) {
		dbus_connection_set_exit_on_disconnect(bus, FALSE);
		answer = dbus_connection_send_with_reply_and_block(
			bus, question, timeout_ms, &failure);
		dbus_connection_close(bus);
		dbus_connection_unref(bus);
	}
	if (!answer)
		error_set(error, ERROR_ACCESS_DENIED,
			"polkit, which would have to let the user (%s), does not answer (%s); %s",
			action->name, failure.message ? failure.message : "no reason",
			action->instead);
	dbus_error_free(&failure);
	return answer;
}

bool polkit_check(
	const struct bus_call *call, const struct polkit_action *action, struct error *error)
{
	bool may_ask_person = dbus_message_get_allow_interactive_authorization(call->message);
	_cleanup_message_ DBusMessage *question =
		make_question(call, action->name, may_ask_person, error);
	int timeout_ms = may_ask_person ? PERSON_TIMEOUT_MS : PLAIN_TIMEOUT_MS;
	_cleanup_message_ DBusMessage *answer =
		question ? ask(question, action, timeout_ms, error) : NULL;

	return answer && read_answer(answer, action, error);
}
