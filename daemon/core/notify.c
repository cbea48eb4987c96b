/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/notify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/log.h"

void notify_send(const char *state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *path = getenv("NOTIFY_SOCKET");
	size_t length = path ? strlen(path) : 0;

	if (length < 2 || length >= sizeof(address.sun_path) || !strchr("/@", path[0]))
		return;
	memcpy(address.sun_path, path, length);
	if (path[0] == '@')
		address.sun_path[0] = '\0'; /* an abstract socket */
	int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (descriptor < 0 ||
		sendto(descriptor, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&address,
			(socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) < 0)
		log_warning("the service manager was not told: %m");
	if (descriptor >= 0)
		close(descriptor);
}

uint64_t notify_watchdog_ms(void)
{
	const char *interval = getenv("WATCHDOG_USEC");
	const char *process = getenv("WATCHDOG_PID");

	if (!interval || (process && atol(process) != (long)getpid()))
		return 0;
	/* Half of it, as sd_watchdog_enabled(3) advises. */
	return strtoull(interval, NULL, 10) / 2000;
}
