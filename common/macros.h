/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The few macros that every file may use: cleanup at scope end, handing
 * ownership over, array sizes.
 */
#ifndef TESSERA_COMMON_MACROS_H
#define TESSERA_COMMON_MACROS_H

#include <stddef.h>
#include <stdlib.h>

/* Calls function(&variable) when the variable goes out of scope. */
#define _cleanup_(function) __attribute__((cleanup(function)))

/* free()s a heap pointer when it goes out of scope. */
#define _cleanup_free_ _cleanup_(freep)

static inline void freep(void *pointer)
{
	free(*(void **)pointer);
}

/* Defines TYPE##p-style cleanup for destructors that take a pointer: name##p(&pointer). */
#define DEFINE_CLEANUP(type, destructor)                                                           \
	static inline void destructor##p(type *pointer)                                            \
	{                                                                                          \
		if (*pointer)                                                                      \
			destructor(*pointer);                                                      \
	}                                                                                          \
	_Static_assert(1, "")

/* Returns the pointer and leaves NULL behind: the caller of steal_pointer owns it now. */
#define steal_pointer(pointer)                                                                     \
	({                                                                                         \
		typeof(*(pointer)) *slot_ = (pointer);                                             \
		typeof(*(pointer)) stolen_ = *slot_;                                               \
		*slot_ = NULL;                                                                     \
		stolen_;                                                                           \
	})

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#define PRINTF_LIKE(format_index, first_argument)                                                  \
	__attribute__((format(printf, format_index, first_argument)))

#endif
