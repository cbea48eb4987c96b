/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who calls, and what that one may do. */
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "audit/audit.h"
#include "bus/bus-private.h"
#include "common/alloc.h"
#include "common/log.h"

#define NAME_BUFFER_BYTES 16384
#define GROUPS_MAX	  4096

static bool find_group(const char *name, gid_t *gid)
{
	_cleanup_free_ char *buffer = xcalloc(1, NAME_BUFFER_BYTES);
	struct group group, *found = NULL;

	if (!name || !name[0] || getgrnam_r(name, &group, buffer, NAME_BUFFER_BYTES, &found) != 0 ||
		!found)
		return false;
	*gid = found->gr_gid;
	return true;
}

/* Whether the user database has the user in the group, its primary one included. */
static bool user_is_in_group(uid_t uid, gid_t gid)
{
	_cleanup_free_ char *buffer = xcalloc(1, NAME_BUFFER_BYTES);
	struct passwd user, *found = NULL;
	int count = GROUPS_MAX;

	if (getpwuid_r(uid, &user, buffer, NAME_BUFFER_BYTES, &found) != 0 || !found)
		return false;
	_cleanup_free_ gid_t *groups = xcalloc((size_t)count, sizeof(*groups));
	if (getgrouplist(user.pw_name, user.pw_gid, groups, &count) < 0)
		count = GROUPS_MAX;
	for (int i = 0; i < count; i++) {
		if (groups[i] == gid)
			return true;
	}
	return false;
}

bool caller_is_manager(const struct bus *bus, uid_t uid)
{
	gid_t gid;

	if (uid == 0 || uid == geteuid())
		return true;
	return find_group(bus->options->admin_group, &gid) && user_is_in_group(uid, gid);
}

bool caller_may_do(
	void *context, const struct bus_caller *caller, unsigned permission, struct error *error)
{
	(void)context;
	return caller->is_manager ||
	       error_set(error, ERROR_ACCESS_DENIED,
		       "only root and members of the administrators' group may %s",
		       permission_description((enum permission)permission));
}

char *caller_actor(uid_t uid, pid_t pid)
{
	char link[64], executable[256];

	snprintf(link, sizeof(link), "/proc/%ld/exe", (long)pid);
	ssize_t length = pid > 0 ? readlink(link, executable, sizeof(executable) - 1) : -1;
	if (length <= 0)
		return xasprintf("uid=%lu pid=%ld", (unsigned long)uid, (long)pid);
	executable[length] = '\0';
	return xasprintf("uid=%lu pid=%ld exe=%s", (unsigned long)uid, (long)pid, executable);
}

char *caller_name(const struct bus_call *call)
{
	const struct bus_caller *caller = call->caller;
	const char *name = caller->is_private ? private_connection_name(caller->connection)
					      : dbus_message_get_sender(call->message);

	return xasprintf("%s %s %s", caller->is_private ? "private" : "system", name ? name : "",
		caller->actor);
}

void caller_denied(void *context, const struct bus_call *call)
{
	struct bus *bus = context;
	struct error denial _cleanup_error_ = ERROR_INIT;
	struct error failure _cleanup_error_ = ERROR_INIT;

	error_set(&denial, ERROR_ACCESS_DENIED, "the caller is no manager");
	if (!audit_write_refusal(bus->services->store, &bus->services->refusals,
		    call->caller->actor, call->method->name, NULL, 0, &denial, call->path,
		    &failure))
		log_error("audit record not written: %s", error_message(&failure));
}
