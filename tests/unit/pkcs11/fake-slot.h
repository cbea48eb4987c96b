/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A second token of the fake provider, which is no card: an HSM that keeps what it is given, makes
 * AES keys and computes with them. In the provider's process.
 */
#ifndef TESSERA_TESTS_FAKE_SLOT_H
#define TESSERA_TESTS_FAKE_SLOT_H

#include <stdbool.h>

#include <dbus/dbus.h>

#include "common/buffer.h"

#define FAKE_SLOT 65536

/* NULL for a call that is not about this slot. */
DBusMessage *fake_slot_answer(DBusMessage *call);
dbus_uint64_t fake_slot_generation(void);
/* The next change is refused by the token, with CKR_TEMPLATE_INCONSISTENT. */
void fake_slot_refuse(void);
/* False when there is no such key, or the data is not right. */
bool fake_slot_compute(dbus_uint32_t key, const char *operation, dbus_uint32_t mechanism,
	struct reader parameter, struct reader input, struct buffer *output);

/* Of a use in parts; NULL for another call. */
DBusMessage *fake_stream_answer(DBusMessage *call);
/* How many are begun and not ended. */
dbus_uint32_t fake_stream_count(void);

#endif
