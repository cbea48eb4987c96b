/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The control socket of tessera-vcard (Unix stream): lines in, a line of answer
 * for each. One client at a time; a second one waits.
 */
#ifndef TESSERA_VCARD_CONTROL_H
#define TESSERA_VCARD_CONTROL_H

#include "vcard/vcard.h"

#define CONTROL_LINE_MAXIMUM 128

struct control {
	int listener; /* -1: there is no control socket */
	int client;   /* -1: nobody is connected */
	const char *path;
	char line[CONTROL_LINE_MAXIMUM];
	size_t length;
};

/* What the program does for the lines that are about the reader. */
struct control_actions {
	void *data;
	void (*remove)(void *data);
	bool (*insert)(void *data, struct error *error);
};

/* Listens on path, replacing an old socket; path NULL gives no socket. ERROR_FAILED. */
bool control_open(struct control *control, const char *path, struct error *error);
/* The descriptor that is worth polling for input now; -1: none. */
int control_fd(const struct control *control);
/* Call when that descriptor is readable. */
void control_serve(
	struct control *control, struct vcard *card, const struct control_actions *actions);
void control_close(struct control *control);

#endif
