/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where NSS's header has the parts of PKCS#11 3.0; it cannot be included beside p11-kit's. */
#ifndef TESSERA_TESTS_PKCS11_LAYOUT_H
#define TESSERA_TESTS_PKCS11_LAYOUT_H

#include <stddef.h>

struct layout {
	const char *name;
	size_t value;
};

extern const struct layout layout_of_nss[];
extern const size_t layout_of_nss_count; /* 0 without the header */

#endif
