/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Microsoft Entra ID by Microsoft Graph: docs/guide/entra-id.md. */
#ifndef TESSERA_DIRECTORY_ENTRA_H
#define TESSERA_DIRECTORY_ENTRA_H

#include "directory/directory.h"

extern const struct directory_driver entra_driver;

#endif
