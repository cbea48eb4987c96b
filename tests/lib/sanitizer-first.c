/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * For LD_PRELOAD beside the sanitizers' runtime, linked with -z initfirst: its
 * instrumented constructor starts AddressSanitizer before any library's own
 * constructor runs. Otherwise p11-kit's newlocale() may be the first to call
 * malloc(), under glibc's locale lock, which the runtime's start then takes
 * again and leaves in disorder: the program hangs in setlocale().
 */
int tessera_sanitizer_first = 1;
