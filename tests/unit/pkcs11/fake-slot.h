/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A second token of the fake provider, which is no card: an HSM that keeps what it is given, makes
 * AES keys and computes with them. In the provider's process.
 */
#ifndef TESSERA_TESTS_FAKE_SLOT_H
#define TESSERA_TESTS_FAKE_SLOT_H

#include <stdbool.h>

#include <dbus/dbus.h>

#define FAKE_SLOT 65536

/* NULL for a call that is not about this slot. */
DBusMessage *fake_slot_answer(DBusMessage *call);
dbus_uint64_t fake_slot_generation(void);
/* The next change is refused by the token, with CKR_TEMPLATE_INCONSISTENT. */
void fake_slot_refuse(void);

#endif
