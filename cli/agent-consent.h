/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether a card of this machine may be offered to a server: asked anew each time it is put in. */
#ifndef TESSERA_CLI_AGENT_CONSENT_H
#define TESSERA_CLI_AGENT_CONSENT_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct agent_consent {
	bool always;		    /* nobody is asked */
	const char *const *readers; /* nor for readers whose name has one of these in it */
	size_t reader_count;
	const char *program;  /* asks, in place of the terminal; NULL */
	const char *server;   /* as the person knows it */
	pthread_mutex_t lock; /* held while somebody is asked: one question at a time */
};

void agent_consent_init(struct agent_consent *consent);
/*
 * Asks where that is needed. No is the answer when nobody can be asked. The program gets the
 * question as its only argument and says yes by exit status 0, as ssh-askpass does. May be called
 * from any thread.
 */
bool agent_consent_given(struct agent_consent *consent, const char *reader_name, const char *model);

#endif
