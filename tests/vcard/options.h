/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command line of tessera-vcard. */
#ifndef TESSERA_VCARD_OPTIONS_H
#define TESSERA_VCARD_OPTIONS_H

#include "vcard/vcard.h"

struct options {
	struct vcard_options card;
	const char *host;
	const char *port;
	const char *control_path; /* NULL: no control socket */
	unsigned wait_seconds;	  /* how long to wait for a reader; 0 is for ever */
	unsigned reinsert_ms;	  /* after a vanish, insert again; 0: never */
	bool remove_at_start;	  /* start outside the reader */
	uint8_t guid[16];
};

/*
 * Fills options with defaults and the command line; opens the log and count
 * files. --help prints the options and ends the program; a mistake prints a
 * line and ends it with status 2.
 */
void options_parse(struct options *options, int argc, char **argv);

#endif
