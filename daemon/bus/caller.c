/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who calls, and what that one may do. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/audit.h"
#include "bus/bus-private.h"
#include "common/alloc.h"
#include "common/buffer.h"
#include "common/log.h"
#include "core/user.h"
#include "operation/login.h"
#include "operation/template-rules.h"

bool caller_is_manager(const struct bus *bus, uid_t uid)
{
	const char *name = bus->options->admin_group;
	size_t count;
	gid_t gid;

	if (uid == 0 || uid == geteuid())
		return true;
	if (!name || !name[0] || !group_find(name, &gid))
		return false;
	_cleanup_free_ gid_t *groups = user_groups(uid, &count);
	for (size_t i = 0; i < count; i++) {
		if (groups[i] == gid)
			return true;
	}
	return false;
}

bool caller_may_do(
	void *context, const struct bus_caller *caller, unsigned permission, struct error *error)
{
	struct bus *bus = context;

	return logins_may(bus->services->logins, caller->name, (enum permission)permission, error);
}

/* The methods of a card that its holder may be let call (/self-service of its template). */
static const struct {
	const char *method;
	enum self_service service;
} holders_methods[] = {
	{"Reissue", SELF_SERVICE_REISSUE},
	{"Update", SELF_SERVICE_REISSUE},
	{"Unblock", SELF_SERVICE_UNBLOCK},
	{"UnblockGenerated", SELF_SERVICE_UNBLOCK},
	{"Report", SELF_SERVICE_REPORT_LOST},
};

/* Whether the caller has logged in with the card, or with another one of the same holder. */
static bool is_own_card(const struct bus_call *call, const struct credential *credential)
{
	struct bus *bus = call->context;
	size_t count;
	_cleanup_free_ int64_t *ids =
		logins_credentials(bus->services->logins, call->caller->name, &count);
	bool own = false;

	for (size_t i = 0; i < count && !own; i++) {
		struct credential *other _cleanup_credential_ =
			store_credential_by_id(bus->services->store, ids[i], NULL);
		own = other && other->state == LIFECYCLE_ACTIVE &&
		      (other->id == credential->id ||
			      template_rules_same_holder(&other->holder, &credential->holder));
	}
	return own;
}

bool caller_holds(const struct bus_call *call, int64_t credential_id)
{
	struct bus *bus = call->context;
	struct credential *credential _cleanup_credential_ =
		store_credential_by_id(bus->services->store, credential_id, NULL);

	for (size_t i = 0; credential && i < ARRAY_SIZE(holders_methods); i++) {
		if (strcmp(holders_methods[i].method, call->method->name) == 0)
			return is_own_card(call, credential) &&
			       template_rules_let_holder(
				       bus->services, credential, holders_methods[i].service);
	}
	return false;
}

bool caller_may_unblock(
	const struct bus_call *call, const struct credential *credential, struct error *error)
{
	struct bus *bus = call->context;
	struct services *services = bus->services;
	struct template *template _cleanup_template_ = card_template(services, credential, error);

	if (!template)
		return !credential->template_name;
	const struct template_unblock *rules = &template->unblock;
	return rules->role_count == 0 || caller_holds(call, credential->id) ||
	       logins_have_role(
		       services->logins, call->caller->name, rules->roles, rules->role_count) ||
	       error_set_field(error, ERROR_ACCESS_DENIED, "/unblock/roles",
		       "the operator has no role that the card's template \"%s\" lets unblock",
		       template->name);
}

bool caller_may_object(void *context, const struct bus_call *call)
{
	(void)context;
	return call->kind == &credential_kind && caller_holds(call, name_to_number(call->name));
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

char *caller_actor_with_operators(const struct bus_call *call)
{
	struct bus *bus = call->context;

	return logins_actor(bus->services->logins, call->caller->name, call->caller->actor);
}

/* "AddTemplate" is add-template, a template's "Update" is update-template. Heap. */
static char *operation_name(const struct bus_call *call)
{
	static const struct bus_kind *const named[] = {
		&template_kind, &connection_kind, &type_kind, &job_kind, &licence_kind, &slot_kind};
	struct buffer name = BUFFER_INIT;

	/* ActivateGenerated is activate. */
	const char *end = strstr(call->method->name, "Generated");

	for (const char *c = call->method->name; *c && c != end; c++) {
		if (isupper((unsigned char)*c) && name.length > 0)
			buffer_append_u8(&name, '-');
		buffer_append_u8(&name, (uint8_t)tolower((unsigned char)*c));
	}
	for (size_t i = 0; i < ARRAY_SIZE(named); i++) {
		if (call->kind != named[i])
			continue;
		buffer_append_u8(&name, '-');
		buffer_append_string(&name, strrchr(call->kind->path, '/') + 1);
	}
	buffer_append_u8(&name, 0);
	if (name.failed)
		abort();
	return (char *)name.data;
}

/* for_nothing: anyone can make it happen at will. */
static void record(
	const struct bus_call *call, const char *card, const struct error *result, bool for_nothing)
{
	struct bus *bus = call->context;
	struct services *services = bus->services;
	struct error failure _cleanup_error_ = ERROR_INIT;
	_cleanup_free_ char *operation = operation_name(call);
	_cleanup_free_ char *actor = caller_actor_with_operators(call);
	bool written = for_nothing
			       ? audit_write_refusal(services->store, &services->refusals, actor,
					 operation, card, 0, result, call->path, &failure)
			       : audit_write(services->store, actor, operation, card, 0, result,
					 call->path, &failure);

	if (!written)
		log_error("audit record not written: %s", error_message(&failure));
}

void caller_denied(void *context, const struct bus_call *call)
{
	struct error denial _cleanup_error_ = ERROR_INIT;

	(void)context;
	error_set(&denial, ERROR_ACCESS_DENIED, "the caller has no right to this");
	record(call, NULL, &denial, true);
}

void caller_done(void *context, const struct bus_call *call, const struct error *error)
{
	bool is_credential = call->kind == &credential_kind && call->object;

	(void)context;
	if (permission_only_reads((enum permission)call->method->permission))
		return;
	/* Whoever has no right to anything could fail without end. */
	record(call, is_credential ? credential_object_serial(call->object) : NULL, error,
		call->method->permission == PERMISSION_HOLDER);
}
