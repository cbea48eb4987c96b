/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The virtual card as a transport in this process, for unit tests. */
#ifndef TESSERA_TESTS_TRANSPORT_VCARD_H
#define TESSERA_TESTS_TRANSPORT_VCARD_H

#include "pcsc/transport.h"
#include "vcard/vcard.h"

/* vcard is borrowed and must outlive the transport. Extended length is as the card's ATR says. */
struct transport *transport_vcard_new(struct vcard *vcard);

/* A reader that carries short APDUs only; before card_connect(). */
void transport_vcard_set_short(struct transport *transport);

/* Power cycle by another program, or the card is put in again: the next begin tells of a reset. */
void transport_vcard_power_cycle(struct transport *transport);

#endif
