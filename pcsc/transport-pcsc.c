/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pcsc/transport.h"

#include <stdio.h>
#include <string.h>

#include <winscard.h>
/* after winscard.h, which it needs */
#include <reader.h>

#include "common/alloc.h"

#define PROTOCOLS	      (SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1)
#define RESET_REPEATS_MAXIMUM 8
#define FEATURES_MAXIMUM      256
#define PROPERTIES_MAXIMUM    256

struct transport_pcsc {
	struct transport transport;
	SCARDCONTEXT context; /* of this transport alone: a context serves one thread at a time */
	SCARDHANDLE handle;
	DWORD protocol;
	bool context_established;
	bool connected;
	bool used; /* begun before: the first time counts as after a reset */
	bool resets_at_end;
	uint8_t answer[MAX_BUFFER_SIZE_EXTENDED];
};

static const struct {
	LONG status;
	enum error_code code;
	const char *words;
} meanings[] = {
	{SCARD_W_REMOVED_CARD, ERROR_NO_CARD, "the card was removed"},
	{SCARD_E_NO_SMARTCARD, ERROR_NO_CARD, "there is no card in the reader"},
	{SCARD_E_READER_UNAVAILABLE, ERROR_NO_CARD, "the reader was removed"},
	{SCARD_E_UNKNOWN_READER, ERROR_NO_CARD, "there is no such reader"},
	{SCARD_E_NO_READERS_AVAILABLE, ERROR_NO_CARD, "there is no reader"},
	/* What a card that goes in the midst of a command ends in */
	{SCARD_E_NOT_TRANSACTED, ERROR_NO_CARD, "the card went away"},
	{SCARD_W_UNPOWERED_CARD, ERROR_NO_CARD, "the card has no power"},
	{SCARD_E_NO_SERVICE, ERROR_NO_READER_SERVICE, "pcscd is not running"},
	{SCARD_E_SERVICE_STOPPED, ERROR_NO_READER_SERVICE, "pcscd is stopping"},
	{SCARD_F_COMM_ERROR, ERROR_NO_READER_SERVICE, "pcscd does not answer"},
	/* The handles of a pcscd that was started anew */
	{SCARD_E_INVALID_HANDLE, ERROR_NO_READER_SERVICE, "pcscd was restarted"},
	{SCARD_E_SHARING_VIOLATION, ERROR_BUSY, "another program holds the card"},
	{SCARD_W_UNRESPONSIVE_CARD, ERROR_CARD_FAILED, "the card does not respond"},
	{SCARD_W_UNSUPPORTED_CARD, ERROR_CARD_FAILED, "the reader cannot talk to the card"},
	{SCARD_E_PROTO_MISMATCH, ERROR_CARD_FAILED, "the reader cannot talk to the card"},
	{SCARD_W_RESET_CARD, ERROR_CARD_FAILED, "the card was reset"},
};

static bool set_error(LONG status, struct error *error)
{
	for (size_t i = 0; i < ARRAY_SIZE(meanings); i++) {
		if (meanings[i].status == status)
			return error_set(error, meanings[i].code, "%s", meanings[i].words);
	}
	return error_set(error, ERROR_CARD_FAILED, "the reader failed (%08lX)",
		(unsigned long)status & 0xFFFFFFFFUL);
}

static bool reconnect(struct transport_pcsc *pcsc, struct error *error)
{
	LONG status = SCardReconnect(
		pcsc->handle, SCARD_SHARE_SHARED, PROTOCOLS, SCARD_LEAVE_CARD, &pcsc->protocol);

	pcsc->transport.is_t0 = pcsc->protocol == SCARD_PROTOCOL_T0;
	return status == SCARD_S_SUCCESS || set_error(status, error);
}

static bool pcsc_begin(struct transport *transport, bool *was_reset, struct error *error)
{
	struct transport_pcsc *pcsc = (struct transport_pcsc *)transport;
	bool reset = !pcsc->used;
	LONG status;

	for (unsigned repeats = 0;; repeats++) {
		status = SCardBeginTransaction(pcsc->handle);
		if (status != SCARD_W_RESET_CARD || repeats == RESET_REPEATS_MAXIMUM)
			break;
		reset = true;
		if (!reconnect(pcsc, error))
			return false;
	}
	if (status != SCARD_S_SUCCESS) {
		pcsc->used = !reset;
		return set_error(status, error);
	}
	pcsc->used = true;
	if (reset)
		*was_reset = true;
	return true;
}

static void pcsc_end(struct transport *transport)
{
	struct transport_pcsc *pcsc = (struct transport_pcsc *)transport;

	SCardEndTransaction(pcsc->handle, SCARD_LEAVE_CARD);
}

static bool pcsc_transmit(struct transport *transport, const uint8_t *command, size_t length,
	struct buffer *response, struct error *error)
{
	struct transport_pcsc *pcsc = (struct transport_pcsc *)transport;
	const SCARD_IO_REQUEST *protocol = transport->is_t0 ? SCARD_PCI_T0 : SCARD_PCI_T1;
	DWORD answer_length = sizeof(pcsc->answer);

	LONG status = SCardTransmit(
		pcsc->handle, protocol, command, length, NULL, pcsc->answer, &answer_length);
	buffer_truncate(response, 0);
	if (status != SCARD_S_SUCCESS) {
		/* Whatever was reset or lost: the next begin has to look. */
		pcsc->used = false;
		return set_error(status, error);
	}
	buffer_append(response, pcsc->answer, answer_length);
	explicit_bzero(pcsc->answer, answer_length);
	return true;
}

static void pcsc_free(struct transport *transport)
{
	struct transport_pcsc *pcsc = (struct transport_pcsc *)transport;

	if (pcsc->connected)
		SCardDisconnect(
			pcsc->handle, pcsc->resets_at_end ? SCARD_RESET_CARD : SCARD_LEAVE_CARD);
	if (pcsc->context_established)
		SCardReleaseContext(pcsc->context);
	free(pcsc);
}

static const struct transport_ops pcsc_ops = {
	.begin = pcsc_begin,
	.end = pcsc_end,
	.transmit = pcsc_transmit,
	.free = pcsc_free,
};

static bool connect_card(struct transport_pcsc *pcsc, const char *reader_name, struct error *error)
{
	LONG status = SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &pcsc->context);
	if (status != SCARD_S_SUCCESS)
		return set_error(status, error);
	pcsc->context_established = true;
	status = SCardConnect(pcsc->context, reader_name, SCARD_SHARE_SHARED, PROTOCOLS,
		&pcsc->handle, &pcsc->protocol);
	if (status != SCARD_S_SUCCESS)
		return set_error(status, error);
	pcsc->connected = true;
	pcsc->transport.is_t0 = pcsc->protocol == SCARD_PROTOCOL_T0;
	return true;
}

static bool read_atr(struct transport_pcsc *pcsc, struct error *error)
{
	DWORD length = sizeof(pcsc->transport.atr);
	DWORD name_length = 0;
	DWORD state = 0, protocol = 0;
	LONG status = SCardStatus(
		pcsc->handle, NULL, &name_length, &state, &protocol, pcsc->transport.atr, &length);

	if (status != SCARD_S_SUCCESS)
		return set_error(status, error);
	pcsc->transport.atr_length = length;
	return true;
}

/* Control code of a reader's feature (PC/SC part 10, 2.2); 0 when it has none. */
static DWORD find_feature(struct transport_pcsc *pcsc, uint8_t feature)
{
	uint8_t features[FEATURES_MAXIMUM];
	DWORD length = 0;

	if (SCardControl(pcsc->handle, CM_IOCTL_GET_FEATURE_REQUEST, NULL, 0, features,
		    sizeof(features), &length) != SCARD_S_SUCCESS)
		return 0;
	struct reader reader = READER_INIT(features, length);
	while (reader_left(&reader)) {
		uint8_t tag = reader_u8(&reader);
		struct reader value = reader_sub(&reader, reader_u8(&reader));
		if (tag == feature && reader_left(&value) == sizeof(uint32_t))
			return reader_u32(&value);
	}
	return 0;
}

/* dwMaxAPDUDataSize (PC/SC part 10, 2.6.14), little-endian; 0 when the reader does not tell. */
static size_t reader_maximum_data(struct transport_pcsc *pcsc)
{
	DWORD control = find_feature(pcsc, FEATURE_GET_TLV_PROPERTIES);
	uint8_t properties[PROPERTIES_MAXIMUM];
	DWORD length = 0;
	size_t size = 0;

	if (control == 0 || SCardControl(pcsc->handle, control, NULL, 0, properties,
				    sizeof(properties), &length) != SCARD_S_SUCCESS)
		return 0;
	struct reader reader = READER_INIT(properties, length);
	while (reader_left(&reader)) {
		uint8_t tag = reader_u8(&reader);
		struct reader value = reader_sub(&reader, reader_u8(&reader));
		if (tag != PCSCv2_PART10_PROPERTY_dwMaxAPDUDataSize)
			continue;
		for (unsigned shift = 0; shift < 32 && reader_left(&value); shift += 8)
			size |= (size_t)reader_u8(&value) << shift;
	}
	return size;
}

/* T=0 has no extended length of its own (ISO/IEC 7816-3, 12.2). */
static size_t maximum_data(struct transport_pcsc *pcsc)
{
	if (pcsc->protocol != SCARD_PROTOCOL_T1)
		return TRANSPORT_SHORT_DATA;
	size_t told = reader_maximum_data(pcsc);
	/* 256 is the property's word for short APDUs only. */
	return told == 0 ? UINT16_MAX : told <= 256 ? TRANSPORT_SHORT_DATA : told;
}

struct transport *transport_pcsc_open(const char *reader_name, struct error *error)
{
	struct transport_pcsc *pcsc = xnew(struct transport_pcsc);

	pcsc->transport.ops = &pcsc_ops;
	if (!connect_card(pcsc, reader_name, error) || !read_atr(pcsc, error)) {
		pcsc_free(&pcsc->transport);
		return NULL;
	}
	pcsc->transport.maximum_data = maximum_data(pcsc);
	return &pcsc->transport;
}

void transport_pcsc_reset_at_end(struct transport *transport)
{
	((struct transport_pcsc *)transport)->resets_at_end = true;
}
