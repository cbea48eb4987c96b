/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "authority/steps.h"

void steps_reached(struct authority_steps *steps, const char *host, const char *ca_file,
	bool is_resolved, bool is_connected)
{
	if (is_resolved)
		authority_step_passed(steps, "name", "%s is found", host);
	if (is_connected)
		authority_step_passed(steps, "TLS", "%s has proved its name%s%s", host,
			ca_file ? " by an authority of " : " to this system's authorities",
			ca_file ? ca_file : "");
}

const char *steps_stopped_at(bool is_resolved, bool is_connected)
{
	if (!is_resolved)
		return "name";
	return is_connected ? "service" : "TLS";
}

static size_t count_usable(const struct authority_profiles *profiles)
{
	size_t count = 0;

	for (size_t i = 0; i < profiles->count; i++)
		count += profiles->items[i].is_usable;
	return count;
}

bool steps_profiles(struct authority_steps *steps, const struct authority *authority,
	const struct authority_profiles *profiles)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	size_t usable = count_usable(profiles);

	if (usable > 0) {
		authority_step_passed(steps, "profiles", "%zu of %zu profiles can be used", usable,
			profiles->count);
		return true;
	}
	error_set(&error, ERROR_AUTHORITY_FAILED,
		"none of %zu profiles can be used: see tessera connection profiles %s "
		"--update for the reasons",
		profiles->count, authority->name);
	return authority_step_failed(steps, "profiles", &error);
}
