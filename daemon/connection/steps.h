/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The steps of a connection's test. */
#ifndef TESSERA_CONNECTION_STEPS_H
#define TESSERA_CONNECTION_STEPS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"

/* One step of a test, in the order in which they were made. */
struct connection_step {
	char *name; /* "TLS" */
	bool has_passed;
	char *message; /* what answered, or what is wrong and what to do about it */
};

struct connection_steps {
	struct connection_step *items;
	size_t count;
};
#define CONNECTION_STEPS_INIT                                                                      \
	{                                                                                          \
		0                                                                                  \
	}
#define _cleanup_steps_ _cleanup_(connection_steps_clear)
void connection_steps_clear(struct connection_steps *steps);
/* Adds a step that has passed. */
void connection_step_passed(struct connection_steps *steps, const char *name, const char *format,
	...) PRINTF_LIKE(3, 4);
/* Adds one that has failed with the error, which is cleared. Returns false. */
bool connection_step_failed(struct connection_steps *steps, const char *name, struct error *error);

/* Adds "name" and "TLS" as far as a request came. ca_file: whose authorities prove the host, NULL:
 * the system's. */
void steps_reached(struct connection_steps *steps, const char *host, const char *ca_file,
	bool is_resolved, bool is_connected);
/* The step at which a request without an answer has stopped. */
const char *steps_stopped_at(bool is_resolved, bool is_connected);

#endif
