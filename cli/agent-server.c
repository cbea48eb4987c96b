/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The server that tessera agent offers readers to. */
#include <stdlib.h>

#include "cli/agent.h"
#include "cli/arguments.h"

static const char *socket_of(const struct invocation *invocation)
{
	const char *socket = invocation->values[OPTION_SOCKET];

	if (!socket)
		socket = secure_getenv("TESSERA_SOCKET");
	return socket && socket[0] ? socket : CLIENT_DEFAULT_SOCKET;
}

struct client *agent_connect(const struct invocation *invocation, struct error *error)
{
	return client_connect(socket_of(invocation), false, error);
}

const char *agent_server_name(const struct invocation *invocation)
{
	return socket_of(invocation);
}
