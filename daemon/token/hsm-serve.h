/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The side of a slot's process that has the module: it does what the daemon asks. */
#ifndef TESSERA_TOKEN_HSM_SERVE_H
#define TESSERA_TOKEN_HSM_SERVE_H

/*
 * Takes channels from the control socket and serves each on a thread, until the daemon has gone,
 * or asks the process to end. Does not return.
 */
__attribute__((noreturn)) void hsm_serve(int control);

#endif
