/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* For unit tests: a folder of their own that goes away with them. */
#ifndef TESSERA_TESTS_LIB_SCRATCH_H
#define TESSERA_TESTS_LIB_SCRATCH_H

/* Makes a folder that nobody else has; heap. Aborts on failure. */
char *scratch_new(void);
/* Removes the folder with all that is in it, and frees the string. NULL is allowed. */
void scratch_free(char *folder);

#endif
