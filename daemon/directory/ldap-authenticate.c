/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Proving people by their passwords. */
#include <string.h>
#include <time.h>

#include "common/alloc.h"
#include "directory/ldap-lookup.h"
#include "directory/ldap-reach.h"

#define PASSWORD_MAX 1024 /* bytes */
/* A refusal takes at least so long, whatever it is for; it also slows down who tries many. */
#define REFUSAL_MS 700

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The same words and the same time for all: nothing tells a stranger who exists. */
static bool refuse(int64_t began, struct error *error)
{
	int64_t left = began + REFUSAL_MS - now_ms();
	struct timespec pause = {.tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000};

	if (left > 0)
		nanosleep(&pause, NULL);
	return error_set(error, ERROR_ACCESS_DENIED, "the name or the password is wrong");
}

static bool is_usable(const struct secret *password)
{
	return password->length > 0 && password->length <= PASSWORD_MAX &&
	       !memchr(password->data, '\0', password->length);
}

/* For nobody: a name below the base that no entry has, so that the server is asked alike. */
static char *nobody(const struct ldap_directory *ldap)
{
	return xasprintf("cn=tessera-nobody,%s", ldap->people.base);
}

/* Whether the password is of that entry, on a connection that is used for nothing else. */
static bool prove(struct directory *directory, const char *dn, const struct secret *password,
	enum ldap_password_state *state, struct error *error)
{
	_cleanup_ldap_link_ struct ldap_link *link = ldap_reach(directory, NULL, NULL, error);

	return link && ldap_link_bind_simple(link, dn, password, state, error);
}

/* These are told to who knows the password, and to nobody else. */
static bool check_state(enum ldap_password_state state, struct error *error)
{
	switch (state) {
	case LDAP_PASSWORD_EXPIRED:
		return error_set(error, ERROR_ACCESS_DENIED,
			"the password has expired: change it in the directory first");
	case LDAP_PASSWORD_MUST_CHANGE:
		return error_set(error, ERROR_ACCESS_DENIED,
			"the password has to be changed in the directory first");
	default:
		return true;
	}
}

bool ldap_directory_authenticate(struct directory *directory, const char *login,
	const struct secret *password, struct directory_person *person, struct error *error)
{
	int64_t began = now_ms();
	_cleanup_person_ struct directory_person found = {0};
	_cleanup_error_ struct error failure = ERROR_INIT;
	_cleanup_free_ char *dn = NULL;
	enum ldap_password_state state = LDAP_PASSWORD_FINE;

	if (!is_usable(password))
		return refuse(began, error);
	bool is_known = ldap_find_entry(directory, login, &found, &dn, &failure);
	if (!is_known && failure.code != ERROR_NOT_FOUND && failure.code != ERROR_INVALID_ARGUMENT)
		return error_move(error, &failure);
	error_clear(&failure);
	if (!dn)
		dn = nobody(directory->data);
	bool is_proved = prove(directory, dn, password, &state, &failure);
	if (!is_proved && failure.code != ERROR_ACCESS_DENIED &&
		(is_known || failure.code != ERROR_DIRECTORY_FAILED))
		return error_move(error, &failure);
	if (!is_known || found.is_disabled)
		return refuse(began, error);
	if (state != LDAP_PASSWORD_FINE)
		return check_state(state, error);
	if (!is_proved)
		return refuse(began, error);
	*person = found;
	found = (struct directory_person){0};
	return true;
}
