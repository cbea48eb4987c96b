/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Steps of a connection's test that are alike for all services over HTTPS. */
#ifndef TESSERA_AUTHORITY_STEPS_H
#define TESSERA_AUTHORITY_STEPS_H

#include "authority/authority.h"

/* Adds "name" and "TLS" as far as a request came. ca_file: whose authorities prove the host, NULL:
 * the system's. */
void steps_reached(struct authority_steps *steps, const char *host, const char *ca_file,
	bool is_resolved, bool is_connected);
/* The step at which a request without an answer has stopped. */
const char *steps_stopped_at(bool is_resolved, bool is_connected);
/* Adds "profiles"; false when none can be used. */
bool steps_profiles(struct authority_steps *steps, const struct authority *authority,
	const struct authority_profiles *profiles);

#endif
