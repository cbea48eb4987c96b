/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Results go from a chapter's process to the one that compares them with the known deviations. */
#pragma once

#include <stdbool.h>

/* --- in the chapter's process --- */

/* Writes a line; "begin" comes before each check, so that a crash has a name. */
void result_tell(const char *outcome, const char *section, const char *name, const char *detail);
bool results_has_crashed(const char *name);

/* --- in the process that looks on --- */

/* Runs the chapter in a process of its own, as often as it crashes, and takes its results. */
void results_of_chapter(const char *name, void (*run)(void));
/*
 * Prints every result, and what the file of known deviations does not explain, or explains and did
 * not happen. Returns whether all is as known.
 */
bool results_compare(const char *file, const char *kind);
