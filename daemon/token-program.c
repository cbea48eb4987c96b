/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tessera-token: the process that a slot's PKCS#11 module runs in. tesserad starts and ends it
 * (token/child.h), and nobody else has use for it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/secret.h"
#include "token/child.h"
#include "token/hsm-serve.h"

/* When memory is short a module that leaks goes before the daemon does. */
#define OUT_OF_MEMORY_SCORE "500"

static bool is_socket(int fd)
{
	int type;
	socklen_t length = sizeof(type);

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_SEQPACKET;
}

static void go_first_when_memory_is_short(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, OUT_OF_MEMORY_SCORE, strlen(OUT_OF_MEMORY_SCORE)) < 0)
		perror("tessera-token: oom_score_adj");
	close(fd);
}

int main(void)
{
	if (!is_socket(CHILD_CONTROL)) {
		fputs("tessera-token is started by tesserad, for the PKCS#11 module of a slot\n",
			stderr);
		return EXIT_FAILURE;
	}
	fcntl(CHILD_CONTROL, F_SETFD, FD_CLOEXEC);
	go_first_when_memory_is_short();
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	secret_protect_process();
	hsm_serve(CHILD_CONTROL);
}
