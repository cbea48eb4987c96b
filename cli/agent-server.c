/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The server that tessera agent offers readers to. */
#include "cli/agent.h"
#include "cli/arguments.h"

static const char *socket_here(const struct invocation *invocation)
{
	const char *socket = invocation_socket(invocation);

	return socket ? socket : CLIENT_DEFAULT_SOCKET;
}

struct client *agent_connect(const struct invocation *invocation, struct error *error)
{
	const char *host = invocation_host(invocation);

	return host ? client_connect_host(host, invocation->values[OPTION_SOCKET], error)
		    : client_connect(socket_here(invocation), false, error);
}

const char *agent_server_name(const struct invocation *invocation)
{
	const char *host = invocation_host(invocation);

	return host ? host : socket_here(invocation);
}
