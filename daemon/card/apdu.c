/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "card/apdu.h"

#include "card/status-word.h"

#define CLA_CHAINED	 0x10
#define INS_GET_RESPONSE 0xC0
#define STATUS_LENGTH	 2

#define SW1_MORE_DATA 0x61
#define SW1_WRONG_LE  0x6C

/*
 * Cards that take extended length have buffers of their own size (YubiKey: 3 KiB for a whole
 * command); beyond this, chaining works everywhere.
 */
#define EXTENDED_DATA_MAXIMUM 2048
/* What they can take where there is no choice: 3062 bytes with header and Le (YubiKey from 4.3). */
#define WHOLE_DATA_MAXIMUM (3062 - 9)

/* Pieces of one answer; a card that gives a byte at a time would hold its lock for minutes. */
#define PIECES_MAXIMUM 1024

static void append_header(struct buffer *message, const struct apdu *command)
{
	buffer_append_u8(message, command->cla);
	buffer_append_u8(message, command->ins);
	buffer_append_u8(message, command->p1);
	buffer_append_u8(message, command->p2);
}

/* Whether Le is sent: T=0 has none behind data, where the card announces its answer with 61xx. */
static bool has_short_le(const struct apdu_channel *channel, const struct apdu *command)
{
	return command->answer && !(channel->transport->is_t0 && command->length);
}

/* The mapping to T=0 is ISO/IEC 7816-3, 12.2. */
static void append_short(
	struct buffer *message, const struct apdu_channel *channel, const struct apdu *command)
{
	bool is_bare = !command->length && !command->answer;

	append_header(message, command);
	if (command->length) {
		buffer_append_u8(message, (uint8_t)command->length);
		buffer_append(message, command->data, command->length);
	}
	if (has_short_le(channel, command) || (channel->transport->is_t0 && is_bare))
		buffer_append_u8(message, 0);
}

static void append_extended(struct buffer *message, const struct apdu *command)
{
	append_header(message, command);
	buffer_append_u8(message, 0);
	if (command->length) {
		buffer_append_u16(message, (uint16_t)command->length);
		buffer_append(message, command->data, command->length);
	}
	if (command->answer)
		buffer_append_u16(message, 0);
}

/* One message out, one answer in, appended to response without its status word. */
static bool transmit(struct apdu_channel *channel, const struct buffer *message,
	struct buffer *response, uint16_t *status, struct error *error)
{
	_cleanup_buffer_ struct buffer answer = BUFFER_INIT_WIPE;

	if (message->failed)
		return error_set(error, ERROR_FAILED, "out of memory");
	if (!channel->transport->ops->transmit(
		    channel->transport, message->data, message->length, &answer, error))
		return false;
	if (answer.failed)
		return error_set(error, ERROR_FAILED, "out of memory");
	if (answer.length < STATUS_LENGTH)
		return error_set(error, ERROR_CARD_FAILED, "the card's answer has no status word");
	struct reader tail =
		READER_INIT(answer.data + answer.length - STATUS_LENGTH, STATUS_LENGTH);
	*status = reader_u16(&tail);
	buffer_append(response, answer.data, answer.length - STATUS_LENGTH);
	if (response->length > APDU_ANSWER_LONG)
		return error_set(error, ERROR_CARD_FAILED, "the card's answer is too long");
	return true;
}

/* The same with the Le that the card asked for, once. Le is the message's last byte. */
static bool transmit_with_le(struct apdu_channel *channel, struct buffer *message, bool has_le,
	struct buffer *response, uint16_t *status, struct error *error)
{
	size_t before = response->length;

	if (!transmit(channel, message, response, status, error))
		return false;
	if (*status >> 8 != SW1_WRONG_LE)
		return true;
	buffer_truncate(response, before);
	if (has_le) {
		message->data[message->length - 1] = (uint8_t)*status;
		if (!transmit(channel, message, response, status, error))
			return false;
	}
	if (*status >> 8 == SW1_WRONG_LE)
		return error_set(error, ERROR_CARD_FAILED,
			"the card wants another answer length again and again (%04X)", *status);
	return true;
}

static bool get_response(struct apdu_channel *channel, struct buffer *response, uint16_t *status,
	struct error *error)
{
	for (unsigned pieces = 0; *status >> 8 == SW1_MORE_DATA; pieces++) {
		_cleanup_buffer_ struct buffer message = BUFFER_INIT;
		struct apdu command = {.ins = INS_GET_RESPONSE, .answer = APDU_ANSWER_SHORT};
		size_t before = response->length;

		if (pieces == PIECES_MAXIMUM)
			return error_set(error, ERROR_CARD_FAILED,
				"the card's answer comes in too many pieces");
		append_short(&message, channel, &command);
		if (!message.failed)
			message.data[message.length - 1] = (uint8_t)*status;
		if (!transmit_with_le(channel, &message, true, response, status, error))
			return false;
		if (response->length == before && *status >> 8 == SW1_MORE_DATA)
			return error_set(error, ERROR_CARD_FAILED,
				"the card announces more data and sends none");
	}
	return true;
}

static bool exchange_extended(struct apdu_channel *channel, const struct apdu *command,
	struct buffer *response, uint16_t *status, struct error *error)
{
	_cleanup_buffer_ struct buffer message = BUFFER_INIT_WIPE;

	append_extended(&message, command);
	return transmit_with_le(channel, &message, command->answer, response, status, error) &&
	       get_response(channel, response, status, error);
}

/* Short commands; more than one, chained (ISO/IEC 7816-4, 5.3.3), for long data. */
static bool exchange_short(struct apdu_channel *channel, const struct apdu *command,
	struct buffer *response, uint16_t *status, struct error *error)
{
	struct reader data = READER_INIT(command->data, command->length);

	do {
		_cleanup_buffer_ struct buffer message = BUFFER_INIT_WIPE;
		struct apdu block = *command;
		size_t left = reader_left(&data);
		bool last = left <= TRANSPORT_SHORT_DATA;

		block.length = last ? left : TRANSPORT_SHORT_DATA;
		block.data = reader_bytes(&data, block.length);
		if (!last) {
			block.cla |= CLA_CHAINED;
			block.answer = 0;
		}
		append_short(&message, channel, &block);
		if (!transmit_with_le(channel, &message, has_short_le(channel, &block), response,
			    status, error))
			return false;
		if (!last && *status != SW_SUCCESS)
			return true;
	} while (reader_left(&data));
	return get_response(channel, response, status, error);
}

static bool wants_extended(const struct apdu_channel *channel, const struct apdu *command)
{
	return channel->extended && !channel->transport->is_t0 &&
	       command->length <= channel->transport->maximum_data &&
	       command->length <= EXTENDED_DATA_MAXIMUM &&
	       (command->length > TRANSPORT_SHORT_DATA || command->answer > APDU_ANSWER_SHORT);
}

static bool exchange(struct apdu_channel *channel, const struct apdu *command,
	struct buffer *response, uint16_t *status, struct error *error)
{
	if (!wants_extended(channel, command))
		return exchange_short(channel, command, response, status, error);
	if (!exchange_extended(channel, command, response, status, error))
		return false;
	if (*status != SW_WRONG_LENGTH)
		return true;
	/* It may be the form and not the data that the card refuses: short commands tell. */
	buffer_truncate(response, 0);
	if (!exchange_short(channel, command, response, status, error))
		return false;
	channel->extended = *status == SW_WRONG_LENGTH;
	return true;
}

bool apdu_exchange(struct apdu_channel *channel, const struct apdu *command,
	struct buffer *response, uint16_t *status, struct error *error)
{
	_cleanup_buffer_ struct buffer ignored = BUFFER_INIT_WIPE;
	struct buffer *answer = response ? response : &ignored;

	buffer_truncate(answer, 0);
	if (!exchange(channel, command, answer, status, error))
		return false;
	if (answer->failed)
		return error_set(error, ERROR_FAILED, "out of memory");
	return true;
}

bool apdu_check_whole(const struct apdu_channel *channel, size_t length, struct error *error)
{
	return (length <= channel->transport->maximum_data && length <= WHOLE_DATA_MAXIMUM) ||
	       error_set(error, ERROR_DATA_LENGTH,
		       "%zu bytes are too many for one command to the card", length);
}

bool apdu_exchange_whole(struct apdu_channel *channel, const struct apdu *command,
	struct buffer *response, uint16_t *status, struct error *error)
{
	buffer_truncate(response, 0);
	if (!apdu_check_whole(channel, command->length, error) ||
		!exchange_extended(channel, command, response, status, error))
		return false;
	return !response->failed || error_set(error, ERROR_FAILED, "out of memory");
}
