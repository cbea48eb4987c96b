/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/user.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "common/macros.h"

#define NAME_BUFFER_BYTES 16384
#define GROUPS_MAX	  4096

static bool parse_number(const char *text, unsigned long *number)
{
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	*number = strtoul(text, &end, 10);
	return errno == 0 && !*end && *number < UINT_MAX;
}

bool user_find(const char *text, uid_t *uid)
{
	_cleanup_free_ char *buffer = xcalloc(1, NAME_BUFFER_BYTES);
	struct passwd user, *found = NULL;
	unsigned long number;

	if (getpwnam_r(text, &user, buffer, NAME_BUFFER_BYTES, &found) == 0 && found)
		*uid = found->pw_uid;
	else if (parse_number(text, &number))
		*uid = (uid_t)number;
	else
		return false;
	return true;
}

bool group_find(const char *text, gid_t *gid)
{
	_cleanup_free_ char *buffer = xcalloc(1, NAME_BUFFER_BYTES);
	struct group group, *found = NULL;
	unsigned long number;

	if (getgrnam_r(text, &group, buffer, NAME_BUFFER_BYTES, &found) == 0 && found)
		*gid = found->gr_gid;
	else if (parse_number(text, &number))
		*gid = (gid_t)number;
	else
		return false;
	return true;
}

char *user_name(uid_t uid)
{
	_cleanup_free_ char *buffer = xcalloc(1, NAME_BUFFER_BYTES);
	struct passwd user, *found = NULL;

	if (getpwuid_r(uid, &user, buffer, NAME_BUFFER_BYTES, &found) != 0 || !found)
		return NULL;
	return xstrdup(found->pw_name);
}

char *group_name(gid_t gid)
{
	_cleanup_free_ char *buffer = xcalloc(1, NAME_BUFFER_BYTES);
	struct group group, *found = NULL;

	if (getgrgid_r(gid, &group, buffer, NAME_BUFFER_BYTES, &found) != 0 || !found)
		return NULL;
	return xstrdup(found->gr_name);
}

gid_t *user_groups(uid_t uid, size_t *count)
{
	_cleanup_free_ char *buffer = xcalloc(1, NAME_BUFFER_BYTES);
	struct passwd user, *found = NULL;
	int room = GROUPS_MAX;

	*count = 0;
	if (getpwuid_r(uid, &user, buffer, NAME_BUFFER_BYTES, &found) != 0 || !found)
		return NULL;
	gid_t *groups = xcalloc((size_t)room, sizeof(*groups));
	if (getgrouplist(user.pw_name, user.pw_gid, groups, &room) < 0)
		room = GROUPS_MAX;
	*count = (size_t)room;
	return groups;
}
